// Under the chart: orders, fills, log, history, configuration; each the chart's readable twin.
import { useState } from 'preact/hooks';
import type { VNode } from 'preact';
import type { BotData } from '../botdata.ts';
import { t, word, type Key } from '../i18n/index.ts';
import { dateTime, decimal, NONE, placesOf, time } from '../lib/format.ts';
import { parse, round, text, SCALE } from '../lib/dec.ts';
import { Skeleton } from './states.tsx';

type Tab = 'orders' | 'fills' | 'log' | 'history' | 'config';

/** price * qty, exact, for show. */
function value(price: string | undefined, qty: string): string {
  const a = parse(price);
  const b = parse(qty);
  return a === null || b === null ? NONE : decimal(text(round((a * b) / 10n ** BigInt(SCALE), 2)), { places: 2 });
}

function distance(price: string | undefined, last: number): string {
  const off = (Number(price) / last - 1) * 100;
  return Number.isFinite(off) ? `${off < 0 ? '\u2212' : '+'}${Math.abs(off).toFixed(2)} %` : NONE;
}

function Orders({ data }: { data: BotData }): VNode {
  const orders = data.orders.value;
  const last = Number(data.live.value?.price ?? data.state.value?.price);
  if (!orders) return <Skeleton rows={3} />;
  if (orders.length === 0) return <p class="none">{t('bot.noOrders')}</p>;
  const places = Math.max(...orders.map((order) => placesOf(order.price)));
  const sorted = [...orders].sort((a, b) => Number(b.price) - Number(a.price));
  return (
    <table data-testid="orders"><thead><tr><th>{t('col.side')}</th><th class="r">{t('col.price')}</th><th class="r">{t('col.distance')}</th>
      <th class="r">{t('col.qty')}</th><th class="r m-hide">{t('col.filled')}</th><th class="r m-hide">{t('col.value')}</th><th class="m-hide">{t('col.label')}</th><th class="m-hide">{t('col.time')}</th></tr></thead>
    <tbody>{sorted.map((order) => (
      <tr key={order.client_order_id}><td class={`side-${order.side}`}>{word('side', order.side)}{order.unknown && <span class="tag">{t('order.unknown')}</span>}</td>
        <td class="r num">{decimal(order.price, { places })}</td><td class="r num dim">{distance(order.price, last)}</td><td class="r num">{decimal(order.qty)}</td>
        <td class="r num m-hide">{decimal(order.filled_qty)}</td><td class="r num m-hide">{value(order.price, order.qty)}</td><td class="m-hide">{order.label}</td><td class="num m-hide">{dateTime(order.ts_ms)}</td></tr>))}</tbody></table>
  );
}

function Fills({ data }: { data: BotData }): VNode {
  const fills = data.fills.value;
  if (!fills) return <Skeleton rows={3} />;
  if (fills.length === 0) return <p class="none">{t('bot.noFills')}</p>;
  const places = Math.max(...fills.map((fill) => placesOf(fill.price)));
  return (
    <>
      <table data-testid="fills"><thead><tr><th>{t('col.time')}</th><th>{t('col.side')}</th><th class="r">{t('col.price')}</th><th class="r">{t('col.qty')}</th>
        <th class="r m-hide">{t('col.value')}</th><th class="r m-hide">{t('col.fee')}</th><th class="m-hide">{t('col.liquidity')}</th></tr></thead>
      <tbody>{fills.slice(0, 500).map((fill) => (
        <tr key={`${fill.trade_id} ${fill.order_id}`}><td class="num">{dateTime(fill.ts_ms)}</td><td class={`side-${fill.side}`}>{word('side', fill.side)}</td>
          <td class="r num">{decimal(fill.price, { places })}</td><td class="r num">{decimal(fill.qty)}</td><td class="r num m-hide">{value(fill.price, fill.qty)}</td>
          <td class="r num m-hide">{decimal(fill.fee, { max: 8 })} <span class="dim">{fill.fee_asset}</span></td><td class="m-hide">{word('liq', fill.liquidity)}</td></tr>))}</tbody></table>
      {data.nextFill.value !== null && <div class="more"><button class="btn small" onClick={() => void data.moreFills()}>{t('bot.more')}</button></div>}
    </>
  );
}

function Log({ data }: { data: BotData }): VNode {
  const lines = data.log.value;
  if (!lines) return <Skeleton rows={3} />;
  if (lines.length === 0) return <p class="none">{t('bot.noLog')}</p>;
  return (
    <table class="log"><tbody>{[...lines].reverse().slice(0, 300).map((line, i) => (
      <tr key={lines.length - i}><td class="dim num">{time(line.ts_ms)}</td><td class={`lv-${line.level}`}>{line.event}</td><td>{line.text}</td></tr>))}</tbody></table>
  );
}

function History({ data }: { data: BotData }): VNode {
  const rows = data.show.value?.history ?? [];
  if (rows.length === 0) return <p class="none">{t('bot.noHistory')}</p>;
  return (
    <table><thead><tr><th>{t('col.time')}</th><th>{t('col.event')}</th><th>{t('col.text')}</th></tr></thead>
      <tbody>{rows.map((row, i) => <tr key={i}><td class="num">{dateTime(row.ts_ms)}</td><td>{row.kind}</td><td>{row.text} {row.by && <span class="dim">{row.by}</span>}</td></tr>)}</tbody></table>
  );
}

const TABS: { id: Tab; label: Key }[] = [
  { id: 'orders', label: 'bot.tab.orders' }, { id: 'fills', label: 'bot.tab.fills' }, { id: 'log', label: 'bot.tab.log' },
  { id: 'history', label: 'bot.tab.history' }, { id: 'config', label: 'bot.tab.config' },
];

export function BotTabs({ data }: { data: BotData }): VNode {
  const [tab, setTab] = useState<Tab>('orders');
  const fills = data.live.value?.book?.fills ?? data.state.value?.book.fills ?? data.show.value?.bot.fills;
  const counts: Partial<Record<Tab, number | undefined>> = { orders: data.orders.value?.length, fills };
  return (
    <section class="card">
      <div class="tabs" role="tablist">
        {TABS.map(({ id, label }) => (
          <button key={id} role="tab" id={`tab-${id}`} aria-selected={tab === id} aria-controls="tab-panel" onClick={() => setTab(id)}>{t(label)}{counts[id] !== undefined && <b class="num">{counts[id]}</b>}</button>))}
      </div>
      <div class="list-box" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {tab === 'orders' && <Orders data={data} />}
        {tab === 'fills' && <Fills data={data} />}
        {tab === 'log' && <Log data={data} />}
        {tab === 'history' && <History data={data} />}
        {tab === 'config' && <pre class="config">{JSON.stringify(data.show.value?.spec ?? {}, null, 2)}</pre>}
      </div>
    </section>
  );
}
