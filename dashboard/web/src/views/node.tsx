// One machine: its lease, its load, its links to venues, how far its journal is in the books, and its bots.
import { useEffect, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { VNode } from 'preact';
import '../style/nodes.css';
import { busy, perform } from '../actions.ts';
import { useAsk } from '../ask.ts';
import { body, listen, may, online, who } from '../bus/session.ts';
import { fleetNow, tick } from '../bus/clock.ts';
import { t, word } from '../i18n/index.ts';
import { age, bytes, dateTime, decimal, lagText, money, NONE, offsetText, sign, assets } from '../lib/format.ts';
import { visible } from '../lib/text.ts';
import { PhaseBadge } from '../parts/badge.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Grid, type Col } from '../parts/grid.tsx';
import { ForgetDialog, Unclaimed } from '../parts/handover.tsx';
import { Icon } from '../parts/icon.tsx';
import { Asked, Fresh } from '../parts/states.tsx';
import { Spark } from '../parts/spark.tsx';
import { go } from '../router.ts';
import { Told } from '../parts/told.tsx';
import type { BotRow, NHb, NodeRow } from '../types.ts';

const LAG_MS = 60;
const BOTS: Col<BotRow>[] = [
  { id: 'bot', label: 'col.bot', text: (row) => row.bot, cell: (row) => <a href={`#/bot/${row.bot}`}>{row.bot}</a> },
  { id: 'state', label: 'col.state', text: (row) => row.phase, cell: (row) => <PhaseBadge phase={row.phase} note={row.reason?.message} /> },
  { id: 'strategy', label: 'col.strategy', text: (row) => row.strategy, cls: 'm-hide' },
  { id: 'instrument', label: 'col.instrument', text: (row) => row.instrument, cls: 'm-hide' },
  { id: 'pnl', label: 'col.pnl', num: true, text: (row) => row.equity, cell: (row) => <span class={`t${sign(row.equity)}`}>{money(row.equity, assets(row.instrument).quote)}</span> },
  { id: 'orders', label: 'col.orders', num: true, text: (row) => row.orders_open, cls: 'm-hide' },
  { id: 'fills', label: 'col.fills', num: true, text: (row) => row.fills, cls: 'm-hide' },
  { id: 'epoch', label: 'nodes.epoch', num: true, text: (row) => row.epoch, cls: 'm-hide' },
  { id: 'age', label: 'col.age', num: true, text: (row) => row.age_ms, cell: (row) => age(row.age_ms) },
];

function Lease({ row }: { row: NodeRow }): VNode {
  const { lease } = row;
  return (
    <section class="card part"><h2>{t('nodes.lease')}</h2>
      {!lease ? <p class="dim">{t('nodes.noLease')}</p> : (<dl class="pairs">
        <dt>{t('col.status')}</dt><dd class={lease.state === 'held' ? 'good' : 'sev-warning'}>{word('lease', lease.state)}</dd>
        <dt>{t('nodes.granted')}</dt><dd class="num">{age(lease.age_ms)}</dd>
        <dt>{t('nodes.ends')}</dt><dd class="num">{lease.ends_ms === undefined ? NONE : age(lease.ends_ms)}</dd>
        <dt>{t('nodes.holder')}</dt><dd>{lease.host ? `${lease.host} · ${lease.pid ?? ''}` : NONE}</dd>
        {lease.why && <><dt>{t('nodes.why')}</dt><dd><Told text={lease.why} /></dd></>}</dl>)}</section>
  );
}

function Drain({ row, close, done }: { row: NodeRow; close: () => void; done: () => void }): VNode {
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    close();
    await perform(t(row.draining ? 'what.undrain' : 'what.drain', { node: row.node }), 'node-drain', { node: row.node, ...(row.draining ? { undo: true } : {}) }, `node ${row.node}`);
    done();
  };
  return <Dialog title={t(row.draining ? 'nodes.undrainTitle' : 'nodes.drainTitle', { node: row.node })} close={close}><form onSubmit={submit} data-testid="drain-form">
    <p>{t(row.draining ? 'nodes.undrainHint' : 'nodes.drainHint', { n: row.bots })}</p><pre>flotilla node drain {row.node}{row.draining ? ' --undo' : ''}</pre>
    <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button><button class="btn primary">{t(row.draining ? 'nodes.undrain' : 'nodes.drain')}</button></div></form></Dialog>;
}

export default function Node({ name }: { name: string }): VNode {
  const [hb] = useState(() => signal<{ hb: NHb; at: number } | null>(null));
  const [lags] = useState(() => signal<number[]>([]));
  const [draining, setDraining] = useState(false);
  const [forgetting, setForgetting] = useState(false);
  const asked = useAsk('node-show', { node: name }, 3000);
  useEffect(() => listen(`n/${name}/hb`, (message) => {
    const beat = body<NHb>(message);
    if (!beat) return;
    hb.value = { hb: beat, at: message.at };
    lags.value = [...lags.value, (beat.load ?? 0) * 100].slice(-LAG_MS);
  }), [name]);
  void tick.value;
  return (
    <div class="page"><Asked of={asked} verb="node-show">{({ node: row, bots }) => {
      const beat = hb.value?.hb;
      const facts: [string, VNode | string][] = [
        [t('nodes.heardTitle'), age(hb.value ? Date.now() - hb.value.at : row.age_ms)],
        [t('nodes.bots'), `${beat?.running ?? row.running ?? NONE} / ${beat?.bots ?? row.bots}${row.capacity ? ` (${row.capacity})` : ''}`],
        [t('nodes.load'), <>{`${Math.round((beat?.load ?? row.load ?? 0) * 100)} %`} <Spark values={lags.value} /></>],
        [t('nodes.memory'), bytes(beat?.rss_bytes ?? row.rss_bytes)],
        [t('nodes.lag'), lagText(beat?.loop_lag_us ?? row.loop_lag_us)],
        [t('nodes.clock'), offsetText(beat?.clock_offset_ms ?? row.clock_offset_ms)],
        [t('nodes.journalLag'), row.committed === undefined ? NONE : decimal(String(Math.max(0, (beat?.head ?? row.head ?? row.committed) - row.committed)))],
        [t('nodes.uptime'), row.started_ms ? age(fleetNow() - row.started_ms) : NONE],
        [t('nodes.version'), row.version ?? NONE], [t('nodes.host'), `${row.host ?? NONE} · ${row.pid ?? ''}`], [t('nodes.incarnation'), String(row.incarnation)],
        [t('nodes.started'), dateTime(row.started_ms)],
      ];
      return (<>
        <div class="head"><a class="crumb" href="#/nodes" aria-label={t('nav.nodes')}><Icon name="back" /></a><h1>{name}</h1>
          <span class={`badge ns-${row.state}`}><span class="shape" aria-hidden="true">{row.state === 'up' ? '●' : row.state === 'suspect' ? '◔' : '▲'}</span>{t(`nodes.${row.state}`)}</span>
          {row.draining && <span class="tag mode-live">{t('nodes.draining')}</span>}<Fresh of={asked} />
          <span class="row-acts grow-right"><a class="btn" href={`#/logs/node/${name}`}>{t('nav.logs')}</a>
            {row.state !== 'up' && <button class="btn danger" data-testid="forget" disabled={!online.value || !may('node-rm')} onClick={() => setForgetting(true)}>{t('hand.forgetOpen')}</button>}
            <button class="btn" data-testid="drain" disabled={!online.value || !may('node-drain') || busy.value.has(`node ${name}`)} title={may('node-drain') ? '' : t('cmd.needRole', { role: who.value?.role ?? '?' })} onClick={() => setDraining(true)}>{t(row.draining ? 'nodes.undrain' : 'nodes.drain')}</button></span></div>
        {row.state !== 'up' && <div class="banner bad" role="status"><Icon name="alert" /><span>{t('nodes.lostSince', { age: age(row.age_ms) })}</span></div>}
        <section class="card part"><dl class="facts-grid">{facts.map(([label, value]) => <div key={label}><dt>{label}</dt><dd class="num">{value}</dd></div>)}</dl></section>
        <div class="two"><Lease row={row} />
          <section class="card part"><h2>{t('nodes.venues')}</h2>{(beat?.venues ?? row.venues ?? []).length === 0 ? <p class="dim">{t('grid.none')}</p> : <ul class="links">{(beat?.venues ?? row.venues ?? []).map((venue) => (
            <li key={venue.venue}><span class={venue.up ? 'ns-up' : 'ns-lost'}>{venue.up ? '●' : '▲'} {venue.venue}</span> <span class="dim num">{t('nodes.dataAge', { age: age(venue.age_ms) })}</span> {venue.reason && visible(venue.reason)}</li>))}</ul>}</section></div>
        <section class="card"><h2 class="card-title">{t('nodes.bots')}</h2><Grid name="node-bots" label={t('nodes.bots')} rows={bots} cols={BOTS} rowKey={(each) => each.bot} open={(each) => go(`bot/${each.bot}`)} /></section>
        {(row.unclaimed ?? []).length > 0 && <Unclaimed node={name} bots={row.unclaimed ?? []} done={() => void asked.load()} />}
        {forgetting && <ForgetDialog node={name} close={() => setForgetting(false)} />}
        {draining && <Drain row={row} close={() => setDraining(false)} done={() => void asked.load()} />}
      </>);
    }}</Asked></div>
  );
}
