// Accounts at venues: who uses them, whether books and venue agree. A key is sealed here, before it leaves.
import { useEffect, useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { busy, perform, reasonOf } from '../actions.ts';
import { useAsk } from '../ask.ts';
import { may, online, request, tenantRoot } from '../bus/session.ts';
import { fleetNow } from '../bus/clock.ts';
import { t, word } from '../i18n/index.ts';
import { canSeal, seal } from '../lib/box.ts';
import { parse, text } from '../lib/dec.ts';
import { age, dateTime, decimal, isDollarLike, NONE } from '../lib/format.ts';
import { isName } from '../lib/topic.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Grid, type Col } from '../parts/grid.tsx';
import { Icon } from '../parts/icon.tsx';
import { Asked, Fresh } from '../parts/states.tsx';
import { Told } from '../parts/told.tsx';
import type { AccountCheck, AccountRow, Verbs } from '../types.ts';

const TEST_MS = 20000; // a node asks the venue several things
type Tested = Verbs['account-test']['result'];

function Checks({ of }: { of: Tested }): VNode {
  return (
    <div data-testid="key-checks"><p class="dim small">{t('accounts.tested', { node: of.node })}</p>
      <ul class="checks">{(of.checks ?? []).map((row) => (
        <li key={row.check} class={row.state === 'ok' ? 'good' : row.state === 'fail' ? 'badword' : 'sev-warning'}><Icon name={row.state === 'ok' ? 'check' : 'alert'} />
          <span>{word('keycheck', row.check)}: <Told text={row.message} />{row.hint && <><br /><span class="dim small"><Told text={row.hint} /></span></>}</span></li>))}</ul></div>
  );
}

/** The kept keys, tried now. */
function Test({ account, close }: { account: string; close: () => void }): VNode {
  const asked = useAsk('account-test', { name: account });
  return <Dialog title={t('accounts.testTitle', { account })} close={close}><Asked of={asked} verb="account-test" rows={3}>{(data) => <Checks of={data} />}</Asked>
    <div class="foot"><button class="btn" onClick={close}>{t('act.close')}</button></div></Dialog>;
}

const tenant = (): string => tenantRoot.value.split('/')[2] ?? 'main';

function Add({ old, close, done }: { old: AccountRow | null; close: () => void; done: () => void }): VNode {
  const [name, setName] = useState(old?.name ?? '');
  const [venue, setVenue] = useState(old?.venue ?? 'binance');
  const [sandbox, setSandbox] = useState(old?.sandbox ?? false);
  const [key, setKey] = useState('');
  const [secret, setSecret] = useState('');
  const [able, setAble] = useState<boolean | null>(null);
  const [wrong, setWrong] = useState('');
  const [trying, setTrying] = useState(false);
  useEffect(() => { void canSeal().then(setAble); }, []);
  const [tested, setTested] = useState<Tested | null>(null);
  const [untested, setUntested] = useState<string | null>(null); // sealed, and not found good
  const keep = async (sealed: string | undefined): Promise<void> => {
    const answer = await perform(t('what.account', { account: name }), 'account-add', { name, venue, ...(sandbox ? { sandbox } : {}), ...(sealed ? { credentials_sealed: sealed } : {}) }, 'account');
    if (answer.kind === 'error') return setWrong(reasonOf(answer));
    close();
    if (answer.kind === 'ok') done();
  };
  /** The keys are tried before they are kept; what is not good is said, and kept only when a person insists. */
  const tryOut = async (sealed: string): Promise<boolean> => {
    const answer = await request('account-test', { name, ...(old ? {} : { venue }), credentials_sealed: sealed }, TEST_MS);
    setTested(answer.kind === 'ok' ? answer.result : null);
    if (answer.kind === 'ok' && answer.result.ok) return true;
    setWrong(answer.kind === 'ok' ? t('accounts.notKept') : reasonOf(answer));
    setUntested(sealed);
    return false;
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!isName(name)) return setWrong(t('deploy.err.name'));
    setWrong('');
    setUntested(null);
    setTrying(true);
    await send().finally(() => setTrying(false));
  };
  const send = async (): Promise<void> => {
    let sealed: string | undefined;
    if (key || secret) {
      const box = await request('account-key', {});
      if (box.kind !== 'ok') return setWrong(reasonOf(box));
      const pem = secret.includes('-----BEGIN');
      sealed = await seal(box.result.box_key, `account-add:${tenant()}:${name}`, JSON.stringify({ key: key.trim(), ...(pem ? { private_key_pem: secret } : { secret: secret.trim() }) }));
      setSecret('');
      if (!(await tryOut(sealed))) return;
    }
    await keep(sealed);
  };
  return (
    <Dialog title={t(old ? 'accounts.rekey' : 'accounts.add')} close={close}>
      <form onSubmit={submit} data-testid="account-form" autocomplete="off">
        <label class="field"><span>{t('deploy.name')}</span><input name="account-name" value={name} maxLength={32} readOnly={!!old} spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} /></label>
        <label class="field"><span>{t('col.venue')}</span><input name="venue" list="venues" value={venue} readOnly={!!old} spellcheck={false} onInput={(event) => setVenue(event.currentTarget.value)} />
          <datalist id="venues"><option value="binance" /><option value="paper" /></datalist></label>
        <label class="check-row"><input type="checkbox" checked={sandbox} disabled={!!old} onChange={(event) => setSandbox(event.currentTarget.checked)} />{t('accounts.sandbox')}</label>
        <label class="field"><span>{t('accounts.key')}</span><input name="api-key" class="mono" value={key} autocomplete="off" spellcheck={false} disabled={able === false} onInput={(event) => setKey(event.currentTarget.value)} /></label>
        <label class="field"><span>{t('accounts.secret')}</span><textarea name="api-secret" class="mono" rows={3} value={secret} autocomplete="off" spellcheck={false} disabled={able === false} onInput={(event) => setSecret(event.currentTarget.value)} /></label>
        {able === false ? <p class="problem"><Icon name="alert" />{t('accounts.cannotSeal')}</p> : <p class="dim small">{t('accounts.sealed')}</p>}
        {wrong && <p class="problem" role="alert"><Icon name="alert" /><Told text={wrong} /></p>}
        {tested && <Checks of={tested} />}
        <pre>flotilla account add {name || 'NAME'} --venue {venue} --key-file key.json</pre>
        <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button>{untested && <button type="button" class="btn" data-testid="keep-anyway" disabled={!online.value} onClick={() => void keep(untested)}>{t('accounts.keepAnyway')}</button>}<button class="btn primary" disabled={!online.value || trying || busy.value.has('account')}>{(trying || busy.value.has('account')) && <span class="spinner" />}{t('accounts.save')}</button></div>
      </form></Dialog>
  );
}

function checkText(check: AccountCheck | undefined): string {
  if (!check) return NONE;
  return word('check', check.state) + (check.why ? `: ${check.why}` : '');
}

function Remove({ row, close, done }: { row: AccountRow; close: () => void; done: () => void }): VNode {
  const go = async (event: Event): Promise<void> => {
    event.preventDefault();
    close();
    if ((await perform(t('what.accountRm', { account: row.name }), 'account-rm', { name: row.name }, 'account')).kind === 'ok') done();
  };
  return <Dialog title={t('accounts.removeTitle', { account: row.name })} close={close} danger><form onSubmit={go}><p>{t('accounts.removeHint')}</p>
    <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button><button class="btn danger solid">{t('accounts.remove')}</button></div></form></Dialog>;
}

export default function Accounts(): VNode {
  const [adding, setAdding] = useState<AccountRow | 'new' | null>(null);
  const [testing, setTesting] = useState<string | null>(null);
  const [removing, setRemoving] = useState<AccountRow | null>(null);
  const asked = useAsk('account-ls', { limit: 200 }, 15000);
  const checks = useAsk('account-check', {}, 15000);
  const check = (row: AccountRow): AccountCheck | undefined => checks.data.value?.items.find((each) => each.account === row.name);
  const again = (): void => { void asked.load(); void checks.load(); };
  const allowed = online.value && may('account-add');
  const cols: Col<AccountRow>[] = [
    { id: 'name', label: 'col.account', text: (row) => row.name, cell: (row) => <><b>{row.name}</b> {row.sandbox && <span class="tag">{t('mode.sandbox')}</span>}</> },
    { id: 'venue', label: 'col.venue', text: (row) => row.venue, cls: 'm-hide' },
    { id: 'keyed', label: 'col.keys', text: (row) => (row.keyed ? 'yes' : 'no'), cell: (row) => t(row.keyed ? 'accounts.keyed' : 'accounts.unkeyed'), cls: 'm-hide' },
    { id: 'bots', label: 'col.bots', num: true, text: (row) => row.bots, cls: 'm-hide' },
    { id: 'check', label: 'accounts.check', text: (row) => checkText(check(row)), cls: 'wrap', cell: (row) => {
      const found = check(row);
      return <span class={found?.state === 'short' ? 'badword' : ''}>{checkText(found)}{found?.checked_ms ? <><br /><span class="dim small num">{t('state.from', { age: age(fleetNow() - found.checked_ms) })}</span></> : null}</span>;
    } },
    { id: 'created', label: 'col.created', text: (row) => dateTime(row.created_ms), cls: 'm-hide num' },
    { id: 'do', label: 'col.do', text: () => '', cell: (row) => (<span class="row-acts">
      {row.keyed && <button class="btn small" data-testid={`test-${row.name}`} disabled={!online.value || !may('account-test')} onClick={() => setTesting(row.name)}>{t('accounts.testKey')}</button>}
      <button class="btn small" disabled={!allowed} onClick={() => setAdding(row)}>{t('accounts.rekeyShort')}</button>
      <button class="btn small danger" disabled={!allowed || row.bots > 0} title={row.bots > 0 ? t('accounts.used') : ''} aria-label={t('accounts.removeTitle', { account: row.name })} onClick={() => setRemoving(row)}><Icon name="trash" /></button></span>) },
  ];
  return (
    <div class="page"><div class="head"><h1>{t('nav.accounts')}</h1><Fresh of={asked} />
      <button class="btn primary" data-testid="account-add" disabled={!allowed} title={may('account-add') ? '' : t('state.adminOnly')} onClick={() => setAdding('new')}>{t('accounts.add')}</button></div>
      <section class="card"><Asked of={asked} verb="account-ls">{(data) => (
        <Grid name="accounts" label={t('nav.accounts')} rows={data.items} cols={cols} rowKey={(row) => row.name} none={t('accounts.none')}>
          <button class="btn small" disabled={!online.value} onClick={() => void checks.load()}>{checks.busy.value && <span class="spinner" />}{t('accounts.test')}</button></Grid>)}</Asked></section>
      {held(checks.data.value?.items ?? []).map(({ account, venue, nodes, assets }) => (
        <section key={`${account} ${venue}`} class="card"><h2 class="card-title">{account} <span class="dim small">{venue} · {nodes.join(', ')}</span></h2>
          <Grid name={`balances-${account}`} label={t('accounts.balances', { account })} rows={assets} rowKey={(row) => row.asset} cols={BALANCES} /></section>))}
      {adding && <Add old={adding === 'new' ? null : adding} close={() => setAdding(null)} done={again} />}
      {testing && <Test account={testing} close={() => setTesting(null)} />}
      {removing && <Remove row={removing} close={() => setRemoving(null)} done={again} />}</div>
  );
}

type Asset = AccountCheck['assets'][number];
interface Held { account: string; venue: string; nodes: string[]; assets: Asset[] }

/** Each node counts its own bots: an account's books are the sum of them, beside what the newest of them saw at the venue. */
function held(checks: readonly AccountCheck[]): Held[] {
  const all = new Map<string, Held>();
  for (const check of [...checks].sort((a, b) => (b.checked_ms ?? 0) - (a.checked_ms ?? 0))) {
    const key = `${check.account} ${check.venue}`;
    const sum = all.get(key) ?? { account: check.account, venue: check.venue ?? '', nodes: [], assets: [] };
    all.set(key, sum);
    sum.nodes = [...sum.nodes, check.node].sort();
    for (const asset of check.assets) {
      const at = sum.assets.findIndex((each) => each.asset === asset.asset);
      const old = sum.assets[at];
      const claims = text((parse(old?.claims) ?? 0n) + (parse(asset.claims) ?? 0n));
      const rest = (parse((old ?? asset).venue_total) ?? 0n) - (parse(claims) ?? 0n);
      const next: Asset = { ...(old ?? asset), claims, bots: (old?.bots ?? 0) + asset.bots, short: (parse(old?.short) ?? 0n) > (parse(asset.short) ?? 0n) ? old!.short : asset.short, surplus: text(rest > 0n ? rest : 0n) };
      if (old) sum.assets[at] = next;
      else sum.assets.push(next);
    }
  }
  return [...all.values()].filter((each) => each.assets.length > 0);
}

const places = (row: Asset): { places?: number; max?: number } => (isDollarLike(row.asset) ? { places: 2 } : { max: 8 });
const BALANCES: Col<Asset>[] = [
  { id: 'asset', label: 'col.asset', text: (row) => row.asset, cell: (row) => <b>{row.asset}</b> },
  { id: 'claimed', label: 'accounts.claimed', num: true, text: (row) => row.claims, cell: (row) => decimal(row.claims, places(row)) },
  { id: 'venue', label: 'accounts.atVenue', num: true, text: (row) => row.venue_total, cell: (row) => decimal(row.venue_total, places(row)) },
  { id: 'short', label: 'accounts.short', num: true, text: (row) => row.short, cell: (row) => <span class={Number(row.short) > 0 ? 'badword' : ''}>{decimal(row.short, places(row))}</span> },
  { id: 'surplus', label: 'accounts.surplus', num: true, text: (row) => row.surplus, cell: (row) => decimal(row.surplus, places(row)), cls: 'm-hide' },
];
