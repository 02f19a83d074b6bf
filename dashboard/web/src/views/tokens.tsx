// Tokens for programs: they may do no more than who made them, and expire.
import { useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { perform, reasonOf } from '../actions.ts';
import { useAsk } from '../ask.ts';
import { may, online, who } from '../bus/session.ts';
import { t, word } from '../i18n/index.ts';
import { dateTime, NONE } from '../lib/format.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Grid, type Col } from '../parts/grid.tsx';
import { Icon } from '../parts/icon.tsx';
import { Secret } from '../parts/secret.tsx';
import { Asked, Fresh } from '../parts/states.tsx';
import { Told } from '../parts/told.tsx';
import type { RoleWord, TokenRow } from '../types.ts';

const RANK: RoleWord[] = ['viewer', 'trader', 'admin'];
const DAYS = [1, 7, 30, 90];

function Add({ close, done }: { close: () => void; done: (name: string, token: string) => void }): VNode {
  const [name, setName] = useState('');
  const [role, setRole] = useState<RoleWord>('viewer');
  const [days, setDays] = useState(30);
  const [wrong, setWrong] = useState('');
  const own = RANK.indexOf(who.value?.role ?? 'viewer');
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!/^[a-z0-9][a-z0-9-]{0,25}$/.test(name)) return setWrong(t('deploy.err.name'));
    const answer = await perform(t('what.token', { token: name }), 'token-add', { name, role, ttl_s: days * 86400 }, 'token');
    if (answer.kind === 'error') return setWrong(reasonOf(answer));
    close();
    if (answer.kind === 'ok') done(name, answer.result.token);
  };
  return (
    <Dialog title={t('tokens.add')} close={close}><form onSubmit={submit} data-testid="token-form">
      <label class="field"><span>{t('deploy.name')}</span><input name="token-name" value={name} maxLength={26} autocomplete="off" spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} /></label>
      <label class="field"><span>{t('col.role')}</span><select value={role} onChange={(event) => setRole(event.currentTarget.value as RoleWord)}>{RANK.slice(0, own + 1).map((each) => <option key={each} value={each}>{word('role', each)}</option>)}</select></label>
      <label class="field"><span>{t('tokens.days')}</span><select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>{DAYS.map((each) => <option key={each} value={each}>{each}</option>)}</select></label>
      {wrong && <p class="problem" role="alert"><Icon name="alert" /><Told text={wrong} /></p>}
      <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button><button class="btn primary">{t('tokens.add')}</button></div></form></Dialog>
  );
}

export default function Tokens(): VNode {
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<{ name: string; token: string } | null>(null);
  const asked = useAsk('token-ls', {}, 30000);
  const remove = async (name: string): Promise<void> => {
    await perform(t('what.tokenRm', { token: name }), 'token-rm', { name }, 'token');
    void asked.load();
  };
  const cols: Col<TokenRow>[] = [
    { id: 'name', label: 'col.token', text: (row) => row.name, cell: (row) => <b>{row.name}</b> },
    { id: 'role', label: 'col.role', text: (row) => row.role, cell: (row) => word('role', row.role) },
    { id: 'by', label: 'col.madeBy', text: (row) => row.made_by, cls: 'm-hide' },
    { id: 'expires', label: 'col.expires', text: (row) => dateTime(row.expires_ms), cls: 'm-hide num' },
    { id: 'used', label: 'col.used', text: (row) => (row.used_ms ? dateTime(row.used_ms) : NONE), cls: 'm-hide num' },
    { id: 'do', label: 'col.do', text: () => '', cell: (row) => <button class="btn small danger" disabled={!online.value || !may('token-rm')} onClick={() => void remove(row.name)}>{t('tokens.end')}</button> },
  ];
  return (
    <div class="page"><div class="head"><h1>{t('nav.tokens')}</h1><Fresh of={asked} /><button class="btn primary" disabled={!online.value || !may('token-add')} onClick={() => setAdding(true)}>{t('tokens.add')}</button></div>
      {secret && <Secret title={t('tokens.once', { token: secret.name })} text={secret.token} close={() => setSecret(null)} />}
      <section class="card"><Asked of={asked} verb="token-ls">{(data) => <Grid name="tokens" label={t('nav.tokens')} rows={data.items} cols={cols} rowKey={(row) => row.name} none={t('tokens.none')} />}</Asked></section>
      <p class="dim small">{t('tokens.hint')}</p><pre class="config">curl -H "Authorization: Bearer TOKEN" {location.origin}/api/v1/bots</pre>
      {adding && <Add close={() => setAdding(false)} done={(name, token) => { setSecret({ name, token }); void asked.load(); }} />}</div>
  );
}
