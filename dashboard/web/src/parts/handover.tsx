// What moves between nodes, and what is set right by hand: dialogs that open on demand.
import { useEffect, useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { perform, reasonOf } from '../actions.ts';
import { useAsk } from '../ask.ts';
import { may, request, who } from '../bus/session.ts';
import { t } from '../i18n/index.ts';
import { NONE } from '../lib/format.ts';
import { Dialog } from './dialog.tsx';
import { Asked } from './states.tsx';
import { Told } from './told.tsx';
import type { Verbs } from '../types.ts';

const Foot = ({ close, go, off }: { close: () => void; go: string; off?: boolean }): VNode => (
  <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button><button class="btn primary" disabled={off}>{go}</button></div>
);

export function MoveDialog({ bot, close }: { bot: string; close: () => void }): VNode {
  const [node, setNode] = useState('');
  const asked = useAsk('node-ls', {});
  const submit = (event: Event): void => {
    event.preventDefault();
    close();
    void perform(t('what.move', { bot, node: node || t('hand.chosen') }), 'bot-move', { bot, ...(node ? { node } : {}) }, `bot ${bot}`);
  };
  return <Dialog title={t('hand.moveTitle', { bot })} close={close}><form onSubmit={submit} data-testid="move-form">
    <p>{t('hand.moveHint')}</p>
    <Asked of={asked} verb="node-ls">{({ items }) => (
      <label class="field"><span>{t('col.node')}</span><select value={node} onChange={(event) => setNode(event.currentTarget.value)}><option value="">{t('hand.chosen')}</option>
        {items.filter((row) => row.state === 'up' && !row.draining).map((row) => <option key={row.node}>{row.node}</option>)}</select></label>)}</Asked>
    <pre>flotilla bot move {bot}{node && ` --node ${node}`}</pre><Foot close={close} go={t('hand.move')} /></form></Dialog>;
}

function Legs({ found }: { found: Verbs['bot-reconcile']['result'] }): VNode {
  return <table class="small"><thead><tr><th>{t('col.instrument')}</th><th class="num">{t('hand.claims')}</th><th class="num">{t('hand.venue')}</th><th class="num">{t('hand.short')}</th></tr></thead>
    <tbody>{found.legs.map((leg) => <tr key={leg.instrument}><td>{leg.instrument}</td><td class="num">{leg.account_claims}</td><td class="num">{leg.venue_total ?? NONE}</td><td class="num">{leg.short ?? '0'}</td></tr>)}
      {found.orders.map((order) => <tr key={order.client_order_id}><td>{order.instrument}</td><td class="num">{order.booked}</td><td class="num">{order.executed}</td><td class="num">{order.client_order_id}</td></tr>)}</tbody></table>;
}

/** Books beside the venue; what differs can be booked by an admin, with a reason. */
export function ReconcileDialog({ bot, close }: { bot: string; close: () => void }): VNode {
  const [found, setFound] = useState<Verbs['bot-reconcile']['result'] | null>(null);
  const [wrong, setWrong] = useState('');
  const [reason, setReason] = useState('');
  useEffect(() => {
    void request('bot-reconcile', { bot }, 45000).then((answer) => (answer.kind === 'ok' ? setFound(answer.result) : setWrong(reasonOf(answer))));
  }, [bot]);
  const submit = (event: Event): void => {
    event.preventDefault();
    close();
    void perform(t('what.reconcile', { bot }), 'bot-reconcile', { bot, accept_venue: true, reason: reason.trim() }, `bot ${bot}`);
  };
  return <Dialog title={t('hand.reconcileTitle', { bot })} close={close}><form onSubmit={submit} data-testid="reconcile-form">
    {wrong && <p class="problem" role="alert"><Told text={wrong} /></p>}
    {!found && !wrong && <p role="status"><span class="spinner" /> {t('hand.asking')}</p>}
    {found && <><p role="status">{t(found.in_step ? 'hand.inStep' : 'hand.differs')}</p><Legs found={found} /></>}
    {found && !found.in_step && who.value?.role === 'admin' && <><p>{t('hand.acceptHint')}</p>
      <label class="field"><span>{t('halt.reason')}</span><input name="reason" required maxLength={159} value={reason} onInput={(event) => setReason(event.currentTarget.value)} /></label></>}
    {found && !found.in_step && who.value?.role === 'admin' ? <Foot close={close} go={t('hand.accept')} off={!reason.trim()} />
      : <div class="foot"><button type="button" class="btn" onClick={close}>{t('hand.close')}</button></div>}</form></Dialog>;
}

/** What would move is shown before anything does. */
export function RebalanceDialog({ close }: { close: () => void }): VNode {
  const asked = useAsk('rebalance', { dry_run: true });
  const submit = (event: Event): void => {
    event.preventDefault();
    close();
    void perform(t('what.rebalance'), 'rebalance', {}, 'rebalance');
  };
  return <Dialog title={t('hand.rebalance')} close={close}><form onSubmit={submit} data-testid="rebalance-form"><Asked of={asked} verb="rebalance">{({ moves }) => (<>
    <p>{t(moves.length === 0 ? 'hand.noMoves' : 'hand.moves', { n: moves.length })}</p>
    {moves.length > 0 && <ul class="plain">{moves.map((move) => <li key={move.bot}>{move.bot}: {move.from} → {move.to}</li>)}</ul>}
    <Foot close={close} go={t('hand.rebalanceGo')} off={moves.length === 0} /></>)}</Asked></form></Dialog>;
}

export function ForgetDialog({ node, close }: { node: string; close: () => void }): VNode {
  const submit = (event: Event): void => {
    event.preventDefault();
    close();
    void perform(t('what.forget', { node }), 'node-rm', { node }, `node ${node}`);
  };
  return <Dialog title={t('hand.forgetTitle', { node })} close={close}><form onSubmit={submit} data-testid="forget-form"><p>{t('hand.forgetHint')}</p>
    <Foot close={close} go={t('hand.forget')} /></form></Dialog>;
}

/** Bots that a node runs and the books do not know: they go on until somebody says what they are. */
export function Unclaimed({ node, bots, done }: { node: string; bots: string[]; done: () => void }): VNode {
  const act = async (bot: string, release: boolean): Promise<void> => {
    await perform(t(release ? 'what.release' : 'what.adopt', { bot }), 'bot-adopt', { bot, node, ...(release ? { release: true } : {}) }, `bot ${bot}`);
    done();
  };
  return <section class="card part"><h2>{t('hand.unclaimed')}</h2><p>{t('hand.unclaimedHint')}</p><ul class="plain">{bots.map((bot) => <li key={bot}>{bot}{' '}
    <button class="btn small" disabled={!may('bot-adopt')} onClick={() => void act(bot, false)}>{t('hand.adopt')}</button>{' '}
    <button class="btn small danger" disabled={!may('bot-adopt')} onClick={() => void act(bot, true)}>{t('hand.release')}</button></li>)}</ul></section>;
}
