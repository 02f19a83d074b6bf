// The machines that trade: asked at once, then every few seconds; heartbeats keep the ages honest.
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { VNode } from 'preact';
import '../style/nodes.css';
import { reasonOf } from '../actions.ts';
import { body, listen, may, online, request } from '../bus/session.ts';
import { fleetNow, tick } from '../bus/clock.ts';
import { t, word } from '../i18n/index.ts';
import { age, bytes, lagText, NONE, offsetText } from '../lib/format.ts';
import { RebalanceDialog } from '../parts/handover.tsx';
import { Empty, Failed, Skeleton } from '../parts/states.tsx';
import { query } from '../fleet.ts';
import type { NHb, NodeRow } from '../types.ts';

const nodes = signal<NodeRow[] | null>(null);
const problem = signal<string | null>(null);
const beats = signal<ReadonlyMap<string, { hb: NHb; at: number }>>(new Map());
const ASK_MS = 5000;

async function load(): Promise<void> {
  if (!online.value) return;
  const all: NodeRow[] = [];
  let after: string | undefined;
  do {
    const answer = await request('node-ls', { limit: 100, ...(after ? { after } : {}) });
    if (answer.kind !== 'ok') {
      problem.value = reasonOf(answer);
      return;
    }
    all.push(...answer.result.items);
    after = answer.result.next;
  } while (after);
  problem.value = null;
  nodes.value = all;
}

const load_pct = (value: number | undefined): string => (value === undefined ? NONE : `${Math.round(value * 100)} %`);

function Card({ row }: { row: NodeRow }): VNode {
  const beat = beats.value.get(row.node);
  const hb = beat?.hb;
  void tick.value;
  const heardMs = beat ? Date.now() - beat.at : row.age_ms;
  const bots = hb?.bots ?? row.bots;
  const facts: [string, string][] = [
    [t('nodes.bots'), `${hb?.running ?? row.running ?? NONE} / ${bots}`],
    [t('nodes.memory'), bytes(hb?.rss_bytes ?? row.rss_bytes)],
    [t('nodes.load'), load_pct(hb?.load ?? row.load)],
    [t('nodes.lag'), lagText(hb?.loop_lag_us ?? row.loop_lag_us)],
    [t('nodes.clock'), offsetText(hb?.clock_offset_ms ?? row.clock_offset_ms)],
    [t('nodes.uptime'), row.started_ms ? age(fleetNow() - row.started_ms) : NONE],
    [t('nodes.version'), row.version ?? NONE],
    [t('nodes.journal'), `${row.committed ?? NONE} / ${hb?.head ?? row.head ?? NONE}`],
  ];
  return (
    <article class="card node">
      <header><h2><a href={`#/node/${row.node}`}>{row.node}</a></h2><span class={`badge ns-${row.state}`}><span class="shape" aria-hidden="true">{row.state === 'up' ? '●' : row.state === 'suspect' ? '◔' : '▲'}</span>{t(`nodes.${row.state}`)}</span>
        <span class="grow" /><span class="dim small num">{t('nodes.heard', { age: age(heardMs) })}</span></header>
      {(row.draining || (row.lease && row.lease.state !== 'held')) && <p class="row-acts">{row.draining && <span class="tag mode-live">{t('nodes.draining')}</span>}{row.lease && row.lease.state !== 'held' && <span class="tag">{t('nodes.lease')}: {word('lease', row.lease.state)}</span>}</p>}
      {row.capacity !== undefined && <progress class="meter" value={bots} max={row.capacity} aria-label={t('nodes.bots')} />}
      <dl>{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd class="num">{value}</dd></div>)}</dl>
      <div class="venues">{(hb?.venues ?? row.venues ?? []).map((venue) => (
        <span key={venue.venue} class={`tag ${venue.up ? 'ns-up' : 'ns-lost'}`} title={venue.reason}>{venue.up ? '●' : '▲'} {venue.venue}</span>))}
        <span class="grow" /><a href={`#/node/${row.node}`}>{t('nodes.open')} →</a>{' '}<a href="#/fleet" onClick={() => { query.value = `node:${row.node}`; }}>{t('nav.fleet')} →</a></div>
    </article>
  );
}

export default function Nodes(): VNode {
  const [balancing, setBalancing] = useState(false);
  useEffect(() => {
    const stops = [
      listen('n/+/hb', (message) => {
        const hb = body<NHb>(message);
        const node = message.topic.split('/').at(-2);
        if (!hb || !node) return;
        beats.value = new Map(beats.value).set(node, { hb, at: message.at });
      }),
      online.subscribe((is) => { if (is) void load(); }),
    ];
    const timer = setInterval(() => void load(), ASK_MS);
    return () => {
      clearInterval(timer);
      for (const stop of stops) stop();
    };
  }, []);
  if (!nodes.value && problem.value) return <Failed why={problem.value} retry={() => void load()} />;
  if (!nodes.value) return online.value ? <Skeleton rows={4} /> : <Failed why={t('state.offline')} />;
  if (nodes.value.length === 0) return <Empty title={t('nodes.empty')}><p>{t('nodes.emptyHint')}</p></Empty>;
  return (
    <div class="page"><div class="head"><h1>{t('nodes.title')}</h1>
      <button class="btn grow-right" data-testid="rebalance" disabled={!online.value || !may('rebalance')} onClick={() => setBalancing(true)}>{t('hand.rebalanceOpen')}</button></div>
      {balancing && <RebalanceDialog close={() => setBalancing(false)} />}
      <div class="node-grid">{nodes.value.map((row) => <Card key={row.node} row={row} />)}</div></div>
  );
}
