// What people must know, until they said that they saw it and its cause is gone.
import { useEffect, useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { busy, perform } from '../actions.ts';
import { useAsk } from '../ask.ts';
import { listen, may, online } from '../bus/session.ts';
import { fleetNow } from '../bus/clock.ts';
import { rows as fleetRows } from '../fleet.ts';
import { t, word } from '../i18n/index.ts';
import { age, dateTime } from '../lib/format.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Grid, type Col } from '../parts/grid.tsx';
import { Notify } from '../parts/notify.tsx';
import { Asked, Fresh } from '../parts/states.tsx';
import { Told } from '../parts/told.tsx';
import type { AlertRow } from '../types.ts';

const SHAPE = { critical: '▲', warning: '◆', info: '●' } as const;

function Ack({ row, close, done }: { row: AlertRow; close: () => void; done: () => void }): VNode {
  const [note, setNote] = useState('');
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    close();
    const answer = await perform(t('what.ack', { alert: row.code }), 'alert-ack', { alert: row.alert, ...(note.trim() ? { note: note.trim() } : {}) }, `alert ${row.alert}`);
    if (answer.kind === 'ok') done();
  };
  return (
    <Dialog title={t('alerts.ackTitle')} close={close}><form onSubmit={submit} data-testid="ack-form"><p><Told text={row.message} /></p>
      <label class="field"><span>{t('alerts.note')}</span><input name="note" maxLength={200} value={note} onInput={(event) => setNote(event.currentTarget.value)} /></label>
      <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button><button class="btn primary">{t('alerts.ack')}</button></div></form></Dialog>
  );
}

const target = (row: AlertRow): string => row.target ?? '';
function Where({ row }: { row: AlertRow }): VNode {
  const name = target(row).split('/').pop() ?? '';
  return fleetRows.has(name) ? <a href={`#/bot/${name}`}>{target(row)}</a> : <span>{target(row)}</span>;
}

export default function Alerts(): VNode {
  const [active, setActive] = useState(true);
  const [acking, setAcking] = useState<AlertRow | null>(null);
  const asked = useAsk('alert-ls', { active, limit: 200 }, 15000);
  useEffect(() => listen('ui/alert/+', (message) => { if (!message.retained) void asked.load(); }, 1), [asked]);
  const cols: Col<AlertRow>[] = [
    { id: 'severity', label: 'col.severity', text: (row) => row.severity, cell: (row) => <span class={`sev-${row.severity}`}><span aria-hidden="true">{SHAPE[row.severity]}</span> {word('sev', row.severity)}</span> },
    { id: 'message', label: 'col.what', text: (row) => row.message, cls: 'wrap', cell: (row) => <>{word('alert', row.code) !== row.code && <><b>{word('alert', row.code)}</b><br /></>}<Told text={row.message} /><br /><span class="dim small">{row.code}{row.count > 1 ? ` ×${row.count}` : ''}</span></> },
    { id: 'target', label: 'col.target', text: target, cell: (row) => <Where row={row} />, cls: 'm-hide' },
    { id: 'since', label: 'col.since', text: (row) => dateTime(row.since_ms), cell: (row) => <span class="num" title={dateTime(row.since_ms)}>{age(fleetNow() - row.since_ms)}</span>, cls: 'm-hide' },
    { id: 'ack', label: 'col.seen', text: (row) => (row.acked_by ? `${row.acked_by} ${dateTime(row.acked_ms)} ${row.note ?? ''}` : ''),
      cell: (row) => (row.acked_by ? <span title={row.note}>{row.acked_by}{row.note && <><br /><span class="dim small">{row.note}</span></>}</span>
        : row.cleared_ms ? <span class="dim">{t('alerts.over')}</span>
          : <button class="btn small" disabled={!online.value || !may('alert-ack') || busy.value.has(`alert ${row.alert}`)} onClick={() => setAcking(row)}>{t('alerts.ack')}</button>) },
  ];
  return (
    <div class="page"><div class="head"><h1>{t('nav.alerts')}</h1><Fresh of={asked} /></div>
      <section class="card"><Asked of={asked} verb="alert-ls">{(data) => (
        <Grid name="alerts" label={t('nav.alerts')} rows={data.items} cols={cols} rowKey={(row) => row.id} none={t(active ? 'alerts.none' : 'alerts.nonePast')}>
          <div class="seg" role="group" aria-label={t('nav.alerts')}>{[true, false].map((each) => <button key={String(each)} aria-pressed={active === each} onClick={() => setActive(each)}>{t(each ? 'alerts.active' : 'alerts.past')}</button>)}</div>
        </Grid>)}</Asked></section>
      {may('notify-ls') && <Notify />}
      {acking && <Ack row={acking} close={() => setAcking(null)} done={() => void asked.load()} />}</div>
  );
}
