// Results that lie in the fleet's folder; a report is shown in a frame that may run nothing of ours.
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { authorization } from '../bus/session.ts';
import { t } from '../i18n/index.ts';
import { dateTime, decimal, NONE } from '../lib/format.ts';
import { Grid, type Col } from '../parts/grid.tsx';
import { Empty, Failed, Skeleton } from '../parts/states.tsx';
import { go, route } from '../router.ts';

interface Result { name: string; strategy?: string; instrument?: string; timeframe?: string; ts_ms?: number; net?: string; return_pct?: number; max_drawdown_pct?: number; trades?: number; sharpe?: number }
const results = signal<Result[] | null>(null);
const problem = signal('');

const ask = (path: string): Promise<Response> => fetch(`api/v1/${path}`, { headers: { Authorization: authorization() }, cache: 'no-store' });

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
const COLS: Col<Result>[] = [
  { id: 'name', label: 'col.name', text: (row) => row.name, cell: (row) => <a href={`#/backtests/${row.name}`}>{row.name}</a> },
  { id: 'strategy', label: 'col.strategy', text: (row) => row.strategy, cls: 'm-hide' },
  { id: 'instrument', label: 'col.instrument', text: (row) => row.instrument, cls: 'm-hide' },
  { id: 'return', label: 'col.return', num: true, text: (row) => row.return_pct, cell: (row) => <span class={`t${Math.sign(row.return_pct ?? 0)}`}>{percent(row.return_pct)}</span> },
  { id: 'dd', label: 'col.drawdown', num: true, text: (row) => row.max_drawdown_pct, cell: (row) => percent(row.max_drawdown_pct === undefined ? undefined : -Math.abs(row.max_drawdown_pct)) },
  { id: 'sharpe', label: 'col.sharpe', num: true, text: (row) => row.sharpe, cell: (row) => row.sharpe?.toFixed(2) ?? NONE, cls: 'm-hide' },
  { id: 'trades', label: 'col.trades', num: true, text: (row) => row.trades, cell: (row) => decimal(row.trades === undefined ? undefined : String(row.trades)), cls: 'm-hide' },
  { id: 'time', label: 'col.time', text: (row) => dateTime(row.ts_ms), cls: 'm-hide num' },
];

function Report({ name }: { name: string }): VNode {
  const [url, setUrl] = useState('');
  const [why, setWhy] = useState('');
  useEffect(() => {
    let made = '';
    let here = true;
    ask(`backtests/${encodeURIComponent(name)}/report.html`).then(async (reply) => {
      if (!reply.ok) return setWhy(String(reply.status));
      const blob = new Blob([await reply.text()], { type: 'text/html' });
      if (here) setUrl(made = URL.createObjectURL(blob));
    }).catch((error: unknown) => setWhy(String(error)));
    return () => {
      here = false;
      URL.revokeObjectURL(made);
    };
  }, [name]);
  if (why) return <Failed why={why} />;
  if (!url) return <Skeleton rows={4} />;
  return <><div class="grid-tools"><a class="btn small" href={url} target="_blank" rel="noopener">{t('backtests.tab')}</a><a class="btn small" href={url} download={`${name}.html`}>{t('act.save')}</a></div>
    <iframe class="report" sandbox="" src={url} title={t('backtests.report', { name })} /></>;
}

export default function Backtests(): VNode {
  useEffect(() => { void load(); }, []);
  const [name] = route.value.args;
  if (name) return <div class="page"><div class="head"><h1><a href="#/backtests">{t('nav.backtests')}</a> / {name}</h1></div><section class="card"><Report key={name} name={name} /></section></div>;
  if (problem.value && !results.value) return <Failed why={problem.value} retry={() => void load()} />;
  if (!results.value) return <Skeleton rows={4} />;
  if (results.value.length === 0) return <Empty title={t('backtests.none')}><pre>flotilla backtest --strategy rsi --param qty=1 --data binance/BTC-USDT/1m</pre></Empty>;
  return <div class="page"><div class="head"><h1>{t('nav.backtests')}</h1></div><section class="card"><Grid name="backtests" label={t('nav.backtests')} rows={results.value} cols={COLS} rowKey={(row) => row.name} open={(row) => go(`backtests/${row.name}`)} /></section></div>;
}
