// One bot: what it is and should be, its chart, its books, and what can be done to it.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { VNode } from 'preact';
import '../style/bot.css';
import { botAct, busy, removeBot } from '../actions.ts';
import { openBot, type BotData } from '../botdata.ts';
import { may, online, who } from '../bus/session.ts';
import { fleetNow, tick } from '../bus/clock.ts';
import { rows } from '../fleet.ts';
import { t, word } from '../i18n/index.ts';
import { age, assets, decimal, money, NONE, sign } from '../lib/format.ts';
import { breakEven, holding, split } from '../lib/pnl.ts';
import { ModeTag, PhaseBadge } from '../parts/badge.tsx';
import { BotTabs, pick, tab, type Pick } from '../parts/bottabs.tsx';
import { EquityCard, PriceCard } from '../parts/chartcard.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Lazy } from '../parts/lazy.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Failed, Skeleton } from '../parts/states.tsx';
import { go } from '../router.ts';
import { nearOf, priceOf } from '../steps.ts';
import { Told } from '../parts/told.tsx';
import type { Phase, Run } from '../types.ts';

const RUN_PHASE: Record<Run, Phase> = { running: 'running', paused: 'paused', stopped: 'stopped', flat: 'flat' };
const LIVE_MS = 6000;
const hand = (name: 'MoveDialog' | 'ReconcileDialog') => () => import('../parts/handover.tsx').then((module) => ({ default: module[name] }));
const HAND = { move: hand('MoveDialog'), reconcile: hand('ReconcileDialog') };

function StopDialog({ bot, first, close }: { bot: string; first: 'cancel' | 'flatten'; close: () => void }): VNode {
  const [how, setHow] = useState<'cancel' | 'flatten' | 'detach'>(first);
  const submit = (event: Event): void => {
    event.preventDefault();
    void botAct('bot-stop', { bot, how });
    close();
  };
  return (
    <Dialog title={t('bot.stopTitle', { bot })} close={close} danger>
      <form onSubmit={submit} data-testid="stop-form">
        <fieldset class="list"><legend>{t('bot.stopHow')}</legend>
          {(['cancel', 'flatten', 'detach'] as const).map((name) => (
            <label key={name} class={how === name ? 'on' : ''}><input type="radio" name="how" checked={how === name} onChange={() => setHow(name)} />{t(`bot.stop.${name}`)}</label>))}
        </fieldset>
        <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button><button class="btn danger solid">{t('bot.stopGo')}</button></div>
      </form>
    </Dialog>
  );
}

function RemoveDialog({ bot, close }: { bot: string; close: () => void }): VNode {
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    close();
    const answer = await removeBot(bot);
    if (answer.kind === 'ok') go('fleet');
  };
  return (
    <Dialog title={t('bot.removeTitle', { bot })} close={close} danger>
      <form onSubmit={submit} data-testid="remove-form"><p>{t('bot.removeHint')}</p>
        <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button><button class="btn danger solid">{t('bot.removeGo')}</button></div></form>
    </Dialog>
  );
}

/** Why a stopped bot cannot be removed yet, as the controller would say; null: it can. */
function held(bot: string, run: Run, phase: Phase | undefined, settled: boolean, holds: boolean): string | null {
  if (phase !== undefined && (!settled || (phase !== 'stopped' && phase !== 'flat'))) return t(rows.get(bot)?.value.bot.lost ? 'bot.removeLost' : 'bot.removeWaits', { phase: word('phase', phase) });
  return holds && phase !== 'flat' ? t(run === 'flat' ? 'bot.removeWaits' : 'bot.removeHolds', { phase: word('phase', phase) }) : null;
}

function Actions({ bot, run, phase, settled, holds }: { bot: string; run: Run; phase: Phase | undefined; settled: boolean; holds: boolean }): VNode {
  const [dialog, setDialog] = useState<'stop' | 'remove' | 'move' | 'reconcile' | null>(null);
  const working = busy.value.has(`bot ${bot}`);
  const off = !online.value || working;
  const tip = may('bot-pause') ? '' : t('cmd.needRole', { role: who.value?.role ?? '?' });
  const still = run === 'stopped' || run === 'flat';
  const waits = still ? held(bot, run, phase, settled, holds) : null;
  return (
    <div class="actions">
      <a class="btn" href={`#/deploy/edit/${bot}`} title={t('act.edit')} aria-label={t('act.edit')}><Icon name="edit" /><span class="m-hide">{t('act.edit')}</span></a>
      <a class="btn" href={`#/deploy/clone/${bot}`} title={t('act.clone')} aria-label={t('act.clone')}><Icon name="copy" /><span class="m-hide">{t('act.clone')}</span></a>
      {!still && <button class="btn" data-testid="move" disabled={off || !may('bot-move')} onClick={() => setDialog('move')}>{t('hand.moveOpen')}</button>}
      <button class="btn" data-testid="reconcile" disabled={off || !may('bot-reconcile')} onClick={() => setDialog('reconcile')}>{t('hand.reconcileOpen')}</button>
      {run === 'running' && <button class="btn" data-testid="pause" title={tip} disabled={off || !may('bot-pause')} onClick={() => void botAct('bot-pause', { bot })}>
        {working ? <span class="spinner" /> : <Icon name="pause" />}{t('act.pause')}</button>}
      {run === 'paused' && <button class="btn primary" data-testid="resume" title={tip} disabled={off || !may('bot-resume')} onClick={() => void botAct('bot-resume', { bot })}>
        {working ? <span class="spinner" /> : <Icon name="play" />}{t('act.resume')}</button>}
      {still && <button class="btn primary" data-testid="start" title={tip} disabled={off || !may('bot-start')} onClick={() => void botAct('bot-start', { bot })}>
        {working ? <span class="spinner" /> : <Icon name="play" />}{t('act.start')}</button>}
      {(!still || (run === 'stopped' && holds)) && <button class="btn danger" data-testid="stop" title={tip} disabled={off || !may('bot-stop')} onClick={() => setDialog('stop')}><Icon name="stop" />{t('act.stop')}</button>}
      {still && <button class="btn danger" data-testid="remove" aria-describedby={waits ? 'remove-waits' : undefined} disabled={off || waits !== null || !may('bot-rm')} onClick={() => setDialog('remove')}><Icon name="trash" />{t('act.remove')}</button>}
      {waits && <span class="dim small" id="remove-waits" role="status" data-testid="remove-waits">{waits}</span>}
      {dialog === 'stop' && <StopDialog bot={bot} first={still ? 'flatten' : 'cancel'} close={() => setDialog(null)} />}
      {(dialog === 'move' || dialog === 'reconcile') && <Lazy key={dialog} load={HAND[dialog]} props={{ bot, close: () => setDialog(null) }} />}
      {dialog === 'remove' && <RemoveDialog bot={bot} close={() => setDialog(null)} />}
    </div>
  );
}

function Head({ data }: { data: BotData }): VNode {
  const show = data.show.value!;
  const digest = rows.get(data.name)?.value.bot;
  const state = data.state.value;
  const phase = state?.phase ?? digest?.ph ?? show.bot.phase;
  const run = digest?.run ?? state?.run ?? show.bot.run;
  const reason = state?.reason;
  const fresh = online.value && tick.value - data.liveAt.value < LIVE_MS;
  return (
    <div class="bot-head">
      <a class="crumb" href="#/fleet" aria-label={t('nav.back')}><Icon name="back" /></a>
      <h1>{data.name}</h1>
      <span data-testid="phase" data-phase={phase}><PhaseBadge phase={phase} note={reason?.message} lost={digest?.lost} /></span>
      {phase !== RUN_PHASE[run] && <span class="tag">{t('bot.pendingRun', { run: word('phase', run) })}</span>}
      <div class="facts">
        <span>{show.bot.strategy}</span>·<span>{show.bot.instrument}</span>·<span>{show.bot.account ?? ''}</span><ModeTag mode={show.bot.mode} />
        <span>{t('bot.onNode', { node: digest?.nd ?? show.bot.node })}</span>
        {state && <span class="num">{t('bot.since', { age: age(fleetNow() - state.since_ms) })}</span>}
        <span class={`conn ${fresh ? 'live' : 'slow'}`} title={t(fresh ? 'bot.watch' : 'bot.watchOff')}><span class="dot" /><span class="num">{data.liveAt.value ? age(tick.value - data.liveAt.value) : ''}</span></span>
      </div>
      <span class="grow" />
      <Actions bot={data.name} run={run} phase={phase} settled={state === null || state.run === run} holds={Number(state?.book?.position ?? digest?.pos ?? 0) !== 0} />
    </div>
  );
}

/** Opens the fills that a term of the sum is made of. */
function show(side: Pick): void {
  tab.value = 'fills';
  pick.value = side;
  document.getElementById('tabs')?.scrollIntoView({ behavior: 'smooth', block: 'start' });
}

/** Total = realised - fees + unrealised, each of them leading to its fills. */
function Identity({ data }: { data: BotData }): VNode {
  const row = data.show.value!.bot;
  const live = data.live.value;
  const state = data.state.value;
  const { quote } = assets(row.instrument);
  const book = live?.book ?? state?.book ?? { realised: row.realised ?? '0', fees: row.fees };
  const sum = split(book, live?.unrealised ?? state?.unrealised ?? row.unrealised, quote);
  const budget = data.show.value!.spec.params?.budget;
  const held = holding(data.equity.value ?? [], budget === undefined ? undefined : String(budget), live?.price ?? state?.price ?? row.price);
  const term = (op: string, label: string, value: string, go: Pick, hint: string): VNode => (<>
    <span class="op" aria-hidden="true">{op}</span>
    <button class="term" title={hint} onClick={() => show(go)}><span class="dim">{label}</span><b class={`num t${op === '−' ? 0 : sign(value)}`}>{money(value, quote, op !== '−')}</b></button></>);
  return (
    <section class="card identity" aria-label={t('bot.identity')}>
      <span class="term lead" title={t('bot.tooltip')}><span class="dim">{t('bot.pnl')}</span><b class={`num t${sign(sum.total)}`} data-testid="equity-now">{money(sum.total, quote)} <small>{quote}</small></b></span>
      {term('=', t('bot.realisedGross'), sum.gross, 'sell', t('bot.realisedHint'))}
      {term('−', t('bot.fees'), sum.fees, 'all', t('bot.feesHint'))}
      {term('+', t('bot.unrealised'), sum.unrealised, 'buy', t('bot.unrealisedHint'))}
      {sum.otherFees.slice(0, 2).map(({ asset, paid }) => <button key={asset} class="term beside" title={t('bot.otherFees')} onClick={() => show('all')}><span class="dim">{t('bot.feesIn', { asset })}</span><b class="num">{decimal(paid, { max: 8 })}</b></button>)}
      <span class="grow" />
      <span class="term" title={t('bot.holdHint')}><span class="dim">{t('bot.hold')}</span><b class={`num t${sign(held)}`}>{held === null ? NONE : money(held, quote)}</b></span>
    </section>
  );
}

function Numbers({ data }: { data: BotData }): VNode {
  const row = data.show.value!.bot;
  const live = data.live.value;
  const state = data.state.value;
  const book = live?.book ?? state?.book;
  const { base, quote } = assets(row.instrument);
  const position = book?.position ?? row.position;
  const even = book ? breakEven(book) : null;
  return (
    <section class="kpis bot-kpis">
      <div class="kpi"><h2>{t('bot.last')}</h2><p class="num" data-testid="price">{priceOf(row, live?.price ?? state?.price ?? row.price)}</p></div>
      <div class="kpi"><h2>{t('bot.position')}</h2><p class="num">{decimal(position, { max: 6 })} <small>{base}</small></p></div>
      <div class="kpi"><h2>{t('bot.averageTitle')}</h2><p class="num">{sign(position) === 0 ? NONE : nearOf(row, state?.average_price)}</p></div>
      <div class="kpi"><h2>{t('bot.breakEven')}</h2><p class="num">{even === null ? NONE : nearOf(row, even)}</p></div>
      <div class="kpi"><h2>{t('bot.traded')}</h2><p class="num">{book?.volume ? money(book.volume, quote, false) : NONE}</p></div>
      <div class="kpi"><h2>{t('bot.fillCount')}</h2><p class="num" data-testid="bot-fills">{book?.fills ?? row.fills}</p></div>
    </section>
  );
}

/** Its node is not heard: what the numbers are, and what an action would do. */
function Lost({ name }: { name: string }): VNode | null {
  const row = rows.get(name)?.value;
  void tick.value;
  return row?.bot.lost ? <div class="banner bad" role="status" data-testid="lost"><Icon name="alert" /><span>{t('bot.lost', { node: row.bot.nd, age: age(fleetNow() - row.at) })}</span></div> : null;
}

export default function Bot({ name }: { name: string }): VNode {
  const data = useMemo(() => openBot(name), [name]);
  useEffect(() => () => data.stop(), [data]);
  if (data.missing.value) return <Empty title={t('bot.notFound', { bot: name })}><a class="btn" href="#/fleet">{t('nav.fleet')}</a></Empty>;
  if (!data.show.value && data.problem.value) return <Failed why={data.problem.value} retry={() => { data.problem.value = null; void data.load(); }} />;
  if (!data.show.value) return online.value ? <Skeleton rows={6} /> : <Failed why={t('state.offline')} />;
  const row = data.show.value.bot;
  const { quote } = assets(row.instrument);
  const { reason } = data.state.value ?? row; // its newest word, and no older one
  const phase = data.state.value?.phase ?? row.phase;
  return (
    <div class="page">
      <Head data={data} />
      <Lost name={name} />
      {reason && reason.message && phase !== 'running' && <div class={`banner ${phase === 'error' ? 'bad' : 'warn'}`}><Icon name="alert" /><span>{word('risk', reason.code) !== reason.code && <b>{word('risk', reason.code)}: </b>}<Told text={reason.message} /></span></div>}
      <Identity data={data} />
      <Numbers data={data} />
      <PriceCard data={data} instrument={row.instrument ?? ''} />
      <EquityCard data={data} quote={quote} />
      <BotTabs data={data} />
    </div>
  );
}
