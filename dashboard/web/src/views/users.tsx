// Who may sign in and do what. A new password is shown once, here.
import { useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { perform, reasonOf } from '../actions.ts';
import { useAsk } from '../ask.ts';
import { may, online, user } from '../bus/session.ts';
import { t, word } from '../i18n/index.ts';
import { dateTime } from '../lib/format.ts';
import { isName } from '../lib/topic.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Grid, type Col } from '../parts/grid.tsx';
import { Icon } from '../parts/icon.tsx';
import { Secret } from '../parts/secret.tsx';
import { Asked, Fresh } from '../parts/states.tsx';
import { Told } from '../parts/told.tsx';
import type { RoleWord, UserRow } from '../types.ts';

const ROLES: RoleWord[] = ['viewer', 'trader', 'admin'];

function Add({ close, done }: { close: () => void; done: (name: string, password: string) => void }): VNode {
  const [name, setName] = useState('');
  const [role, setRole] = useState<RoleWord>('viewer');
  const [wrong, setWrong] = useState('');
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!isName(name)) return setWrong(t('deploy.err.name'));
    const answer = await perform(t('what.user', { user: name }), 'user-add', { name, role }, 'user');
    if (answer.kind === 'error') return setWrong(reasonOf(answer));
    close();
    if (answer.kind === 'ok') done(name, answer.result.password);
  };
  return (
    <Dialog title={t('users.add')} close={close}><form onSubmit={submit} data-testid="user-form">
      <label class="field"><span>{t('deploy.name')}</span><input name="new-user" value={name} maxLength={32} autocomplete="off" spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} /></label>
      <label class="field"><span>{t('col.role')}</span><select name="new-role" value={role} onChange={(event) => setRole(event.currentTarget.value as RoleWord)}>{ROLES.map((each) => <option key={each} value={each}>{word('role', each)}</option>)}</select></label>
      {wrong && <p class="problem" role="alert"><Icon name="alert" /><Told text={wrong} /></p>}
      <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button><button class="btn primary">{t('users.add')}</button></div></form></Dialog>
  );
}

export default function Users(): VNode {
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<{ name: string; password: string } | null>(null);
  const [sure, setSure] = useState<{ name: string; verb: 'user-rm' | 'user-passwd' } | null>(null);
  const asked = useAsk('user-ls', { limit: 200 }, 30000);
  const off = !online.value;
  const setRole = async (name: string, role: RoleWord): Promise<void> => {
    await perform(t('what.role', { user: name, role: word('role', role) }), 'user-role', { name, role }, 'user');
    void asked.load();
  };
  const doSure = async (event: Event): Promise<void> => {
    event.preventDefault();
    const { name, verb } = sure!;
    setSure(null);
    if (verb === 'user-rm') await perform(t('what.userRm', { user: name }), verb, { name }, 'user');
    else {
      const answer = await perform(t('what.passwd', { user: name }), verb, { name }, 'user');
      if (answer.kind === 'ok') setSecret({ name, password: answer.result.password });
    }
    void asked.load();
  };
  const cols: Col<UserRow>[] = [
    { id: 'name', label: 'col.user', text: (row) => row.name, cell: (row) => <b>{row.name}</b> },
    { id: 'role', label: 'col.role', text: (row) => row.role, cell: (row) => (row.name === user.value ? word('role', row.role)
      : <select aria-label={t('users.roleOf', { user: row.name })} value={row.role} disabled={off || !may('user-role')} onChange={(event) => void setRole(row.name, event.currentTarget.value as RoleWord)}>{ROLES.map((each) => <option key={each} value={each}>{word('role', each)}</option>)}</select>) },
    { id: 'created', label: 'col.created', text: (row) => dateTime(row.created_ms), cls: 'm-hide num' },
    { id: 'do', label: 'col.do', text: () => '', cell: (row) => (<span class="row-acts">
      <button class="btn small" disabled={off || !may('user-passwd')} onClick={() => setSure({ name: row.name, verb: 'user-passwd' })}>{t('users.passwd')}</button>
      {row.name !== user.value && <button class="btn small danger" disabled={off || !may('user-rm')} aria-label={t('users.rm', { user: row.name })} onClick={() => setSure({ name: row.name, verb: 'user-rm' })}><Icon name="trash" /></button>}</span>) },
  ];
  return (
    <div class="page"><div class="head"><h1>{t('nav.users')}</h1><Fresh of={asked} /><button class="btn primary" data-testid="user-add" disabled={off || !may('user-add')} onClick={() => setAdding(true)}>{t('users.add')}</button></div>
      {secret && <Secret title={t('users.once', { user: secret.name })} text={secret.password} close={() => setSecret(null)} />}
      <section class="card"><Asked of={asked} verb="user-ls">{(data) => <Grid name="users" label={t('nav.users')} rows={data.items} cols={cols} rowKey={(row) => row.name} />}</Asked></section>
      {adding && <Add close={() => setAdding(false)} done={(name, password) => { setSecret({ name, password }); void asked.load(); }} />}
      {sure && <Dialog title={t(sure.verb === 'user-rm' ? 'users.rm' : 'users.passwdTitle', { user: sure.name })} close={() => setSure(null)} danger={sure.verb === 'user-rm'}><form onSubmit={doSure}><p>{t(sure.verb === 'user-rm' ? 'users.rmHint' : 'users.passwdHint')}</p>
        <div class="foot"><button type="button" class="btn" onClick={() => setSure(null)}>{t('act.cancel')}</button><button class={sure.verb === 'user-rm' ? 'btn danger solid' : 'btn primary'}>{t('act.yes')}</button></div></form></Dialog>}</div>
  );
}
