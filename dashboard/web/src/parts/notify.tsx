// Where alerts are posted to: webhooks, with a test of each.
import { useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { busy, perform, reasonOf } from '../actions.ts';
import { useAsk } from '../ask.ts';
import { online } from '../bus/session.ts';
import { t, word } from '../i18n/index.ts';
import { dateTime, NONE } from '../lib/format.ts';
import { Dialog } from './dialog.tsx';
import { Grid, type Col } from './grid.tsx';
import { Asked } from './states.tsx';
import { Told } from './told.tsx';
import type { Verbs } from '../types.ts';

type Row = Verbs['notify-ls']['result']['items'][number];
type Severity = Row['severity'];
const LEVELS: Severity[] = ['info', 'warning', 'critical'];

function Add({ close, done }: { close: () => void; done: () => void }): VNode {
  const [name, setName] = useState('');
  const [url, setUrl] = useState('');
  const [severity, setSeverity] = useState<Severity>('warning');
  const [wrong, setWrong] = useState('');
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) return setWrong(t('deploy.err.name'));
    const answer = await perform(t('what.notify', { name }), 'notify-add', { name, url, severity }, 'notify');
    if (answer.kind === 'error') return setWrong(reasonOf(answer));
    close();
    done();
  };
  return <Dialog title={t('notify.add')} close={close}><form onSubmit={submit} data-testid="notify-form"><p>{t('notify.hint')}</p>
    <label class="field"><span>{t('deploy.name')}</span><input name="name" value={name} maxLength={32} autocomplete="off" spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} /></label>
    <label class="field"><span>URL</span><input name="url" type="url" required value={url} maxLength={255} placeholder="https://" onInput={(event) => setUrl(event.currentTarget.value)} /></label>
    <label class="field"><span>{t('col.severity')}</span><select value={severity} onChange={(event) => setSeverity(event.currentTarget.value as Severity)}>{LEVELS.map((each) => <option key={each} value={each}>{word('sev', each)}</option>)}</select></label>
    {wrong && <p class="problem" role="alert"><Told text={wrong} /></p>}
    <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button><button class="btn primary">{t('notify.add')}</button></div></form></Dialog>;
}

export function Notify(): VNode {
  const [adding, setAdding] = useState(false);
  const asked = useAsk('notify-ls', {}, 30000);
  const off = (): boolean => !online.value || busy.value.has('notify');
  const act = async (verb: 'notify-test' | 'notify-rm', name: string): Promise<void> => {
    await perform(t(verb === 'notify-rm' ? 'what.notifyRm' : 'what.notifyTest', { name }), verb, { name }, 'notify');
    void asked.load();
  };
  const cols: Col<Row>[] = [
    { id: 'name', label: 'deploy.name', text: (row) => row.name, cell: (row) => <><b>{row.name}</b><br /><span class="dim small wrap">{row.url}</span></> },
    { id: 'severity', label: 'col.severity', text: (row) => row.severity, cell: (row) => word('sev', row.severity), cls: 'm-hide' },
    { id: 'sent', label: 'notify.sent', num: true, text: (row) => row.sent },
    { id: 'failed', label: 'notify.failed', num: true, text: (row) => row.failed, cell: (row) => <span title={row.last_error}>{row.failed}</span> },
    { id: 'last', label: 'notify.last', text: (row) => (row.last_ms ? dateTime(row.last_ms) : NONE), cls: 'm-hide num' },
    { id: 'do', label: 'col.do', text: () => '', cell: (row) => <><button class="btn small" disabled={off()} onClick={() => void act('notify-test', row.name)}>{t('notify.test')}</button>{' '}
      <button class="btn small danger" disabled={off()} onClick={() => void act('notify-rm', row.name)}>{t('act.remove')}</button></> },
  ];
  return <section class="card" data-testid="notify"><Asked of={asked} verb="notify-ls">{(data) => (
    <Grid name="notify" label={t('notify.title')} rows={data.items} cols={cols} rowKey={(row) => row.name} none={t('notify.none')}><h2>{t('notify.title')}</h2>
      <button class="btn" disabled={off()} onClick={() => setAdding(true)}>{t('notify.add')}</button></Grid>)}</Asked>
    {adding && <Add close={() => setAdding(false)} done={() => void asked.load()} />}</section>;
}
