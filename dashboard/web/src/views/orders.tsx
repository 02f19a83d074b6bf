// Orders of all bots: those that rest as their nodes say now, or the ended ones from the books.
import { useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { useAsk } from '../ask.ts';
import { plural, t, word } from '../i18n/index.ts';
import { dateTime } from '../lib/format.ts';
import { Side } from '../parts/badge.tsx';
import { Grid, type Col } from '../parts/grid.tsx';
import { Icon } from '../parts/icon.tsx';
import { Asked, Fresh } from '../parts/states.tsx';
import { go } from '../router.ts';
import { priceOf, qtyOf } from '../steps.ts';
import type { OrderRow } from '../types.ts';

const COLS: Col<OrderRow>[] = [
  { id: 'bot', label: 'col.bot', text: (row) => row.bot, cell: (row) => <a href={`#/bot/${row.bot}`}>{row.bot}</a> },
  { id: 'instrument', label: 'col.instrument', text: (row) => row.instrument, cls: 'm-hide' },
  { id: 'side', label: 'col.side', text: (row) => row.side, cell: (row) => <Side name={row.side} /> },
  { id: 'price', label: 'col.price', num: true, text: (row) => row.price, cell: (row) => priceOf(row, row.price) },
  { id: 'qty', label: 'col.qty', num: true, text: (row) => row.qty, cell: (row) => qtyOf(row, row.qty) },
  { id: 'filled', label: 'col.filled', num: true, text: (row) => row.filled_qty, cell: (row) => qtyOf(row, row.filled_qty), cls: 'm-hide' },
  { id: 'status', label: 'col.status', text: (row) => row.status, cell: (row) => (row.unknown ? <span class="tag">{t('order.unknown')}</span> : word('order.status', row.status)), cls: 'm-hide' },
  { id: 'label', label: 'col.label', text: (row) => row.label, cls: 'm-hide' },
  { id: 'time', label: 'col.time', text: (row) => dateTime(row.ts_ms), cls: 'm-hide num' },
];

export default function Orders(): VNode {
  const [open, setOpen] = useState(true);
  const asked = useAsk('order-ls', { open, limit: 200 }, open ? 5000 : 15000);
  return (
    <div class="page"><div class="head"><h1>{t('nav.orders')}</h1><Fresh of={asked} /></div>
      <section class="card"><Asked of={asked} verb="order-ls">{(data) => (<>
        {(data.silent?.length ?? 0) > 0 && <div class="banner warn"><Icon name="alert" /><span>{plural('orders.silent', data.silent!.length, { bots: data.silent!.map((row) => row.bot).slice(0, 5).join(', ') })}</span></div>}
        <Grid name="orders" label={t('nav.orders')} rows={data.items} cols={COLS} rowKey={(row) => row.client_order_id} open={(row) => go(`bot/${row.bot}`)} none={t(open ? 'bot.noOrders' : 'orders.noneEnded')}>
          <div class="seg" role="group" aria-label={t('nav.orders')}>{[true, false].map((each) => <button key={String(each)} aria-pressed={open === each} onClick={() => setOpen(each)}>{t(each ? 'orders.open' : 'orders.ended')}</button>)}</div>
        </Grid>{data.next && <p class="none">{t('orders.partial')}</p>}
      </>)}</Asked></section></div>
  );
}
