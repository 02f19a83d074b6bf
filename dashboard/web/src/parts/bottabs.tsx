// Under the chart: orders, fills and log at hand, the rest in a chunk that comes when it is looked at.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { VNode } from 'preact';
import type { BotData } from '../botdata.ts';
import { t, word, type Key } from '../i18n/index.ts';
import { dateTime, decimal, NONE, time } from '../lib/format.ts';
import { parse, round, text, SCALE } from '../lib/dec.ts';
import { visible } from '../lib/text.ts';
import { Side, When } from './badge.tsx';
import { Grid, type Col } from './grid.tsx';
import { Lazy } from './lazy.tsx';
import { priceOf, qtyOf } from '../steps.ts';
import { Skeleton } from './states.tsx';
import type { Fill, LogRow, Order } from '../types.ts';

const TABS = ['orders', 'fills', 'days', 'events', 'risk', 'config', 'log', 'raw'] as const;
export type Tab = (typeof TABS)[number];
export type Pick = 'all' | 'buy' | 'sell';
export const tab = signal<Tab>('orders');
export const pick = signal<Pick>('all');
const more = (): Promise<typeof import('./botmore.tsx')> => import('./botmore.tsx');

/** price * qty, exact, for show. */
function value(price: string | undefined, qty: string): string {
  const a = parse(price);
  const b = parse(qty);
  return a === null || b === null ? '' : text(round((a * b) / 10n ** BigInt(SCALE), 2));
}

function distance(price: string | undefined, last: number): string {
  const off = (Number(price) / last - 1) * 100;
  return Number.isFinite(off) ? `${off < 0 ? '\u2212' : '+'}${Math.abs(off).toFixed(2)} %` : NONE;
}


function Orders({ data }: { data: BotData }): VNode {
  const orders = data.orders.value;
  const last = Number(data.live.value?.price ?? data.state.value?.price);
  if (!orders) return <Skeleton rows={3} />;
  const of = data.show.value?.bot ?? {};
  const cols: Col<Order>[] = [
    { id: 'side', label: 'col.side', text: (row) => row.side, cell: (row) => <><Side name={row.side} />{row.unknown && <span class="tag">{t('order.unknown')}</span>}</> },
    { id: 'price', label: 'col.price', num: true, text: (row) => row.price, cell: (row) => priceOf(of, row.price) },
    { id: 'off', label: 'col.distance', num: true, text: (row) => (Number(row.price) / last - 1) * 100, cell: (row) => <span class="dim">{distance(row.price, last)}</span> },
    { id: 'qty', label: 'col.qty', num: true, text: (row) => row.qty, cell: (row) => qtyOf(of, row.qty) },
    { id: 'filled', label: 'col.filled', num: true, text: (row) => row.filled_qty, cell: (row) => qtyOf(of, row.filled_qty), cls: 'm-hide' },
    { id: 'value', label: 'col.value', num: true, text: (row) => value(row.price, row.qty), cell: (row) => decimal(value(row.price, row.qty), { places: 2 }), cls: 'm-hide' },
    { id: 'label', label: 'col.label', text: (row) => row.label, cls: 'm-hide' },
    { id: 'time', label: 'col.time', text: (row) => dateTime(row.ts_ms), cls: 'm-hide num' },
  ];
  const sorted = [...orders].sort((a, b) => Number(b.price) - Number(a.price));
  return <Grid name="bot-orders" label={t('bot.tab.orders')} rows={sorted} cols={cols} rowKey={(row) => row.client_order_id} none={t('bot.noOrders')} />;
}

function Fills({ data }: { data: BotData }): VNode {
  const fills = data.fills.value;
  if (!fills) return <Skeleton rows={3} />;
  const of = data.show.value?.bot ?? {};
  const cols: Col<Fill>[] = [
    { id: 'time', label: 'col.time', text: (row) => dateTime(row.ts_ms), cell: (row) => <When ms={row.ts_ms} />, cls: 'num' },
    { id: 'side', label: 'col.side', text: (row) => row.side, cell: (row) => <Side name={row.side} /> },
    { id: 'price', label: 'col.price', num: true, text: (row) => row.price, cell: (row) => priceOf(of, row.price) },
    { id: 'qty', label: 'col.qty', num: true, text: (row) => row.qty, cell: (row) => qtyOf(of, row.qty) },
    { id: 'value', label: 'col.value', num: true, text: (row) => value(row.price, row.qty), cell: (row) => decimal(value(row.price, row.qty), { places: 2 }), cls: 'm-hide' },
    { id: 'fee', label: 'col.fee', num: true, text: (row) => row.fee, cell: (row) => <>{decimal(row.fee, { max: 8 })} <span class="dim">{row.fee_asset}</span></>, cls: 'm-hide' },
    { id: 'liq', label: 'col.liquidity', text: (row) => row.liquidity, cell: (row) => word('liq', row.liquidity), cls: 'm-hide' },
    { id: 'trade', label: 'col.trade', text: (row) => row.trade_id, cls: 'm-hide mono' },
  ];
  const shown = pick.value === 'all' ? fills : fills.filter((fill) => fill.side === pick.value);
  return (
    <>
      <Grid name="bot-fills" label={t('bot.tab.fills')} rows={shown} cols={cols} rowKey={(row) => `${row.trade_id} ${row.order_id}`} none={t('bot.noFills')}>
        <div class="seg" role="group" aria-label={t('col.side')}>{(['all', 'buy', 'sell'] as const).map((each) => <button key={each} aria-pressed={pick.value === each} onClick={() => { pick.value = each; }}>{each === 'all' ? t('fleet.all') : word('side', each)}</button>)}</div>
      </Grid>
      {data.nextFill.value !== null && <div class="more"><button class="btn small" onClick={() => void data.moreFills()}>{t('bot.more')}</button></div>}
    </>
  );
}

function Log({ data }: { data: BotData }): VNode {
  const lines = data.log.value;
  if (!lines) return <Skeleton rows={3} />;
  const cols: Col<LogRow>[] = [
    { id: 'time', label: 'col.time', text: (row) => time(row.ts_ms), cls: 'num' },
    { id: 'event', label: 'col.event', text: (row) => row.event, cell: (row) => <span class={`lv-${row.level}`}>{visible(row.event)}</span> },
    { id: 'text', label: 'col.text', text: (row) => row.text, cell: (row) => visible(row.text), cls: 'wrap mono' },
  ];
  return <Grid name="bot-log" label={t('bot.tab.log')} rows={[...lines].reverse()} cols={cols} rowKey={(row) => `${row.ts_ms} ${row.event} ${row.text}`} none={t('bot.noLog')} max={300} />;
}

const lazy = (name: 'Days' | 'Events' | 'Risk' | 'Config' | 'Raw') => () => more().then((module) => ({ default: module[name] }));
const LAZY = { days: lazy('Days'), events: lazy('Events'), risk: lazy('Risk'), config: lazy('Config'), raw: lazy('Raw') };

export function BotTabs({ data }: { data: BotData }): VNode {
  useEffect(() => () => { tab.value = 'orders'; pick.value = 'all'; }, [data]);
  const fills = data.live.value?.book?.fills ?? data.state.value?.book.fills ?? data.show.value?.bot.fills;
  const counts: Partial<Record<Tab, number | undefined>> = { orders: data.orders.value?.length, fills };
  const now = tab.value;
  const arrow = (event: KeyboardEvent): void => { // as the pattern for tabs asks
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (!step) return;
    const next = TABS[(TABS.indexOf(now) + step + TABS.length) % TABS.length]!;
    tab.value = next;
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <section class="card" id="tabs">
      <div class="tabs" role="tablist" aria-label={t('bot.details')} onKeyDown={arrow}>
        {TABS.map((id) => (
          <button key={id} role="tab" id={`tab-${id}`} aria-selected={now === id} aria-controls="tab-panel" tabIndex={now === id ? 0 : -1} onClick={() => { tab.value = id; }}>{t(`bot.tab.${id}` as Key)}{counts[id] !== undefined && <b class="num">{counts[id]}</b>}</button>))}
      </div>
      <div class="tab-panel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${now}`}>
        {now === 'orders' ? <Orders data={data} /> : now === 'fills' ? <Fills data={data} /> : now === 'log' ? <Log data={data} />
          : <Lazy key={now} load={LAZY[now]} props={{ data }} />}
      </div>
    </section>
  );
}
