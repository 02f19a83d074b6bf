// What bots trade: bid, ask, spread, and how old the feed is.
import type { VNode } from 'preact';
import { useAsk } from '../ask.ts';
import { query } from '../fleet.ts';
import { t, word } from '../i18n/index.ts';
import { age, decimal, NONE } from '../lib/format.ts';
import { Grid, type Col } from '../parts/grid.tsx';
import { Asked, Fresh } from '../parts/states.tsx';
import { go } from '../router.ts';
import type { MarketRow } from '../types.ts';

const OLD_MS = 10000;
const places = (row: MarketRow): number => (row.tick?.replace(/0+$/, '').split('.')[1] ?? '').length;
const price = (row: MarketRow, value: string | undefined): string => decimal(value, row.tick ? { places: places(row) } : {});

const COLS: Col<MarketRow>[] = [
  { id: 'instrument', label: 'col.instrument', text: (row) => row.instrument, cell: (row) => <b>{row.instrument}</b> },
  { id: 'venue', label: 'col.venue', text: (row) => row.venue, cls: 'm-hide' },
  { id: 'last', label: 'col.price', num: true, text: (row) => row.last, cell: (row) => price(row, row.last) },
  { id: 'bid', label: 'col.bid', num: true, text: (row) => row.bid, cell: (row) => price(row, row.bid), cls: 'm-hide' },
  { id: 'ask', label: 'col.ask', num: true, text: (row) => row.ask, cell: (row) => price(row, row.ask), cls: 'm-hide' },
  { id: 'spread', label: 'col.spread', num: true, text: (row) => row.spread_bps, cell: (row) => (row.spread_bps === undefined ? NONE : row.spread_bps.toFixed(2)) },
  { id: 'age', label: 'col.feedAge', num: true, text: (row) => row.age_ms, cell: (row) => <span class={(row.age_ms ?? Infinity) > OLD_MS ? 'warnword' : ''}>{age(row.age_ms)}</span> },
  { id: 'bots', label: 'col.bots', num: true, text: (row) => row.bots, cls: 'm-hide', cell: (row) => <a href="#/fleet" onClick={() => { query.value = `pair:${row.instrument}`; }}>{row.bots}</a> },
  { id: 'status', label: 'col.status', text: (row) => row.status, cell: (row) => word('market', row.status), cls: 'm-hide' },
];

export default function Market(): VNode {
  const asked = useAsk('market-ls', {}, 2000);
  return (
    <div class="page"><div class="head"><h1>{t('nav.market')}</h1><Fresh of={asked} /></div>
      <section class="card"><Asked of={asked} verb="market-ls">{(data) => (
        <Grid name="market" label={t('nav.market')} rows={data.items} cols={COLS} rowKey={(row) => `${row.venue} ${row.instrument}`} none={t('market.none')}
          rowClass={(row) => ((row.age_ms ?? Infinity) > OLD_MS ? 'stale' : '')} open={(row) => { query.value = `pair:${row.instrument}`; go('fleet'); }} />)}</Asked></section></div>
  );
}
