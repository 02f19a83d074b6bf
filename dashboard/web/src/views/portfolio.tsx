// What all accounts hold and earned, as the books have it, and the days it took.
import { useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { useAsk } from '../ask.ts';
import { t, word } from '../i18n/index.ts';
import { decimal, money, NONE, sign } from '../lib/format.ts';
import { ModeTag } from '../parts/badge.tsx';
import { DayBars } from '../parts/days.tsx';
import { Grid, type Col } from '../parts/grid.tsx';
import { Asked, Fresh } from '../parts/states.tsx';
import { nearOf } from '../steps.ts';
import type { PortfolioAccount, PortfolioResult, PortfolioRow } from '../types.ts';

const signed = (value: string | undefined, quote: string): VNode => <span class={`t${sign(value)}`}>{money(value, quote)}</span>;

const ACCOUNTS: Col<PortfolioAccount>[] = [
  { id: 'account', label: 'col.account', text: (row) => row.account, cell: (row) => <b>{row.account}</b> },
  { id: 'venue', label: 'col.venue', text: (row) => row.venue, cls: 'm-hide' },
  { id: 'mode', label: 'col.mode', text: (row) => row.mode, cell: (row) => <ModeTag mode={row.mode} />, cls: 'm-hide' },
  { id: 'net', label: 'col.net', num: true, text: (row) => row.net, cell: (row) => signed(row.net, row.quote) },
  { id: 'today', label: 'col.today', num: true, text: (row) => row.today, cell: (row) => signed(row.today, row.quote) },
  { id: 'd7', label: 'col.d7', num: true, text: (row) => row.d7, cell: (row) => signed(row.d7, row.quote), cls: 'm-hide' },
  { id: 'd30', label: 'col.d30', num: true, text: (row) => row.d30, cell: (row) => signed(row.d30, row.quote), cls: 'm-hide' },
  { id: 'exposure', label: 'col.exposure', num: true, text: (row) => row.exposure, cell: (row) => money(row.exposure, row.quote, false), cls: 'm-hide' },
  { id: 'quote', label: 'col.quote', text: (row) => row.quote, cls: 'm-hide' },
  { id: 'bots', label: 'col.bots', num: true, text: (row) => row.bots, cls: 'm-hide' },
  { id: 'fills', label: 'col.fills', num: true, text: (row) => row.fills, cls: 'm-hide' },
];

function assetCols(rows: readonly PortfolioRow[]): Col<PortfolioRow>[] {
  const largest = Math.max(1e-9, ...rows.map((row) => Math.abs(Number(row.value ?? 0))));
  return [
    { id: 'asset', label: 'col.asset', text: (row) => row.asset, cell: (row) => <b>{row.asset}</b> },
    { id: 'account', label: 'col.account', text: (row) => row.account, cls: 'm-hide' },
    { id: 'qty', label: 'col.qty', num: true, text: (row) => row.qty, cell: (row) => decimal(row.qty, { max: 8 }) },
    { id: 'price', label: 'col.price', num: true, text: (row) => row.price, cell: (row) => nearOf({ venue: row.venue, instrument: `${row.asset}-${row.quote}` }, row.price), cls: 'm-hide' },
    { id: 'value', label: 'col.value', num: true, text: (row) => row.value, cell: (row) => (row.value === undefined ? NONE : money(row.value, row.quote, false)) },
    { id: 'share', label: 'col.share', text: (row) => row.value ?? '0', cls: 'm-hide',
      cell: (row) => <progress class="meter" max={largest} value={Math.abs(Number(row.value ?? 0))} aria-label={t('portfolio.share', { asset: row.asset })} /> },
    { id: 'realised', label: 'col.realised', num: true, text: (row) => row.realised, cell: (row) => signed(row.realised, row.quote), cls: 'm-hide' },
    { id: 'unrealised', label: 'col.unrealised', num: true, text: (row) => row.unrealised, cell: (row) => signed(row.unrealised, row.quote), cls: 'm-hide' },
    { id: 'bots', label: 'col.bots', num: true, text: (row) => row.bots, cls: 'm-hide' },
  ];
}

function Sums({ data }: { data: PortfolioResult }): VNode {
  return <>{data.total.map((sum) => (
    <section key={`${sum.quote} ${sum.mode}`} class="kpis sums">
      <div class="kpi lead"><h2>{t('portfolio.net')} <ModeTag mode={sum.mode} /></h2><p class={`num t${sign(sum.net)}`}>{money(sum.net, sum.quote)} <small>{sum.quote}</small></p></div>
      {(['today', 'd7', 'd30'] as const).map((key) => <div key={key} class="kpi"><h2>{word('col', key)}</h2><p class="num">{signed(sum[key], sum.quote)}</p></div>)}
      <div class="kpi"><h2>{t('col.exposure')}</h2><p class="num">{money(sum.exposure, sum.quote, false)}</p></div>
      <div class="kpi"><h2>{t('col.fills')}</h2><p class="num">{decimal(String(sum.fills))}</p></div>
    </section>))}</>;
}

export default function Portfolio(): VNode {
  const [account, setAccount] = useState('');
  const all = useAsk('portfolio', {}, 5000);
  const days = useAsk('pnl-days', account ? { account } : {}, 60000);
  return (
    <div class="page"><div class="head"><h1>{t('nav.portfolio')}</h1><Fresh of={all} /></div>
      <Asked of={all} verb="portfolio">{(data) => (<>
        <Sums data={data} />
        <section class="card"><h2 class="card-title">{t('portfolio.accounts')}</h2>
          <Grid name="portfolio-accounts" label={t('portfolio.accounts')} rows={data.accounts} cols={ACCOUNTS} rowKey={(row) => `${row.account} ${row.quote} ${row.mode} ${row.venue}`} /></section>
        <section class="card"><h2 class="card-title">{t('portfolio.days')}</h2>
          <div class="grid-tools"><label class="inline">{t('col.account')}<select value={account} onChange={(event) => setAccount(event.currentTarget.value)}>
            <option value="">{t('portfolio.all')}</option>{[...new Set(data.accounts.map((row) => row.account))].map((name) => <option key={name}>{name}</option>)}</select></label></div>
          <Asked of={days} verb="pnl-days">{(answer) => <DayBars name="pnl-days" days={answer.items} />}</Asked></section>
        <section class="card"><h2 class="card-title">{t('portfolio.assets')}</h2>
          <Grid name="portfolio-assets" label={t('portfolio.assets')} rows={data.items} cols={assetCols(data.items)} rowKey={(row) => `${row.account} ${row.mode} ${row.venue} ${row.asset} ${row.quote}`} /></section>
      </>)}</Asked></div>
  );
}
