// Results that lie in the fleet's folder; a report is shown in a frame that may run nothing of ours.
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { authorization } from '../bus/session.ts';
import { t } from '../i18n/index.ts';
import { dateTime, NONE } from '../lib/format.ts';
import { Grid, type Col } from '../parts/grid.tsx';
import { Empty, Failed, Skeleton } from '../parts/states.tsx';
import { go, route } from '../router.ts';

interface Result {
  name: string; ts_ms?: number; report?: boolean;
  summary?: { config?: { strategy?: string; instrument?: string; timeframe_ms?: number }; trades?: number; fills?: number; metrics?: Record<string, number | string | null> };
}
const results = signal<Result[] | null>(null);
const problem = signal('');

const ask = (path: string, method = 'GET'): Promise<Response> => fetch(`api/v1/${path}`, { method, headers: { Authorization: authorization() }, cache: 'no-store' });

async function load(): Promise<void> {
  problem.value = '';
  try {
    const reply = await ask('backtests');
    const body = (await reply.json()) as { ok?: boolean; result?: { items?: Result[] }; items?: Result[]; error?: { message: string } };
    if (!reply.ok) problem.value = body.error?.message ?? String(reply.status);
    else results.value = body.result?.items ?? body.items ?? [];
  } catch (error) {
    problem.value = String(error instanceof SyntaxError ? t('state.noAnswer') : error);
  }
}

const percent = (value: number | undefined): string => (value === undefined ? NONE : `${value < 0 ? '\u2212' : '+'}${Math.abs(value).toFixed(2)} %`);
function metric(row: Result, name: string, factor = 1): number | undefined {
  const value = row.summary?.metrics?.[name];
  return value === undefined || value === null || value === '' || !Number.isFinite(Number(value)) ? undefined : Number(value) * factor;
}
const COLS: Col<Result>[] = [
  { id: 'name', label: 'col.name', text: (row) => row.name, cell: (row) => (row.report === false ? row.name : <a href={`#/backtests/${row.name}`}>{row.name}</a>) },
  { id: 'strategy', label: 'col.strategy', text: (row) => row.summary?.config?.strategy, cls: 'm-hide' },
  { id: 'instrument', label: 'col.instrument', text: (row) => row.summary?.config?.instrument, cls: 'm-hide' },
  { id: 'return', label: 'col.return', num: true, text: (row) => metric(row, 'total_return', 100), cell: (row) => <span class={`t${Math.sign(metric(row, 'total_return', 100) ?? 0)}`}>{percent(metric(row, 'total_return', 100))}</span> },
  { id: 'dd', label: 'col.drawdown', num: true, text: (row) => metric(row, 'max_drawdown', 100), cell: (row) => { const value = metric(row, 'max_drawdown', 100); return percent(value === undefined ? undefined : -Math.abs(value)); } },
  { id: 'sharpe', label: 'col.sharpe', num: true, text: (row) => metric(row, 'sharpe_ann_rf0'), cell: (row) => metric(row, 'sharpe_ann_rf0')?.toFixed(2) ?? NONE, cls: 'm-hide' },
  { id: 'trades', label: 'col.trades', num: true, text: (row) => row.summary?.trades, cls: 'm-hide' },
  { id: 'time', label: 'col.time', text: (row) => dateTime(row.ts_ms), cls: 'm-hide num' },
];

/** The report is a file of somebody's: it comes from the server with a policy and into a frame that cannot reach us. */
function Report({ name }: { name: string }): VNode {
  const [url, setUrl] = useState('');
  const [why, setWhy] = useState('');
  useEffect(() => {
    let here = true;
    ask(`backtests/${encodeURIComponent(name)}/ticket`, 'POST').then(async (reply) => {
      const body = (await reply.json()) as { ok?: boolean; result?: { url: string }; error?: { message: string } };
      if (!here) return;
      if (body.result) setUrl(body.result.url);
      else setWhy(body.error?.message ?? String(reply.status));
    }).catch((error: unknown) => { if (here) setWhy(String(error)); });
    return () => { here = false; };
  }, [name]);
  if (why) return <Failed why={why} />;
  if (!url) return <Skeleton rows={4} />;
  return <><div class="grid-tools"><a class="btn small" href={url} target="_blank" rel="noopener">{t('backtests.tab')}</a></div>
    <iframe class="report" sandbox="allow-scripts allow-downloads" src={url} title={t('backtests.report', { name })} data-testid="report" /></>;
}

export default function Backtests(): VNode {
  useEffect(() => { void load(); }, []);
  const [name] = route.value.args;
  if (name) return <div class="page"><div class="head"><h1><a href="#/backtests">{t('nav.backtests')}</a> / {name}</h1></div><section class="card"><Report key={name} name={name} /></section></div>;
  return <div class="page"><div class="head"><h1>{t('nav.backtests')}</h1></div><section class="card">
    {results.value === null ? (problem.value ? <Failed why={problem.value} retry={() => void load()} /> : <Skeleton rows={4} />)
      : results.value.length === 0 ? <Empty title={t('backtests.none')}><pre>flotilla backtest --strategy rsi --param qty=1 --data binance/BTC-USDT/1m</pre></Empty>
        : <Grid name="backtests" label={t('nav.backtests')} rows={results.value} cols={COLS} rowKey={(row) => row.name} open={(row) => go(`backtests/${row.name}`)} />}</section></div>;
}
