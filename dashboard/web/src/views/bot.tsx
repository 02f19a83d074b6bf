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
import { age, assets, decimal, money, sign } from '../lib/format.ts';
import { ModeTag, PhaseBadge } from '../parts/badge.tsx';
import { BotTabs } from '../parts/bottabs.tsx';
import { EquityCard, PriceCard } from '../parts/chartcard.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Failed, Skeleton } from '../parts/states.tsx';
import { go } from '../router.ts';
import type { Phase, Run } from '../types.ts';

const RUN_PHASE: Record<Run, Phase> = { running: 'running', paused: 'paused', stopped: 'stopped', flat: 'flat' };
const LIVE_MS = 6000;

function StopDialog({ bot, close }: { bot: string; close: () => void }): VNode {
  const [how, setHow] = useState<'cancel' | 'flatten' | 'detach'>('cancel');
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
        <footer><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button><button class="btn danger solid">{t('bot.stopGo')}</button></footer>
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
      <form onSubmit={submit}><p>{t('bot.removeHint')}</p>
        <footer><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button><button class="btn danger solid">{t('bot.removeGo')}</button></footer></form>
    </Dialog>
  );
}

function Actions({ bot, run, phase }: { bot: string; run: Run; phase: Phase | undefined }): VNode {
  const [dialog, setDialog] = useState<'stop' | 'remove' | null>(null);
  const working = busy.value.has(`bot ${bot}`);
  const off = !online.value || working;
  const tip = may('bot-pause') ? '' : t('cmd.needRole', { role: who.value?.role ?? '?' });
  const still = run === 'stopped' || run === 'flat';
  return (
    <div class="actions">
      {run === 'running' && <button class="btn" data-testid="pause" title={tip} disabled={off || !may('bot-pause')} onClick={() => void botAct('bot-pause', { bot })}>
        {working ? <span class="spinner" /> : <Icon name="pause" />}{t('act.pause')}</button>}
      {run === 'paused' && <button class="btn primary" data-testid="resume" title={tip} disabled={off || !may('bot-resume')} onClick={() => void botAct('bot-resume', { bot })}>
        {working ? <span class="spinner" /> : <Icon name="play" />}{t('act.resume')}</button>}
      {still && <button class="btn primary" data-testid="start" title={tip} disabled={off || !may('bot-start')} onClick={() => void botAct('bot-start', { bot })}>
        {working ? <span class="spinner" /> : <Icon name="play" />}{t('act.start')}</button>}
      {!still && <button class="btn danger" data-testid="stop" title={tip} disabled={off || !may('bot-stop')} onClick={() => setDialog('stop')}><Icon name="stop" />{t('act.stop')}</button>}
      {still && (phase === 'stopped' || phase === 'flat') && <button class="btn danger" disabled={off || !may('bot-rm')} onClick={() => setDialog('remove')}><Icon name="trash" />{t('act.remove')}</button>}
      {dialog === 'stop' && <StopDialog bot={bot} close={() => setDialog(null)} />}
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
      <span data-testid="phase" data-phase={phase}><PhaseBadge phase={phase} note={reason?.message} /></span>
      {phase !== RUN_PHASE[run] && <span class="tag">{t('bot.pendingRun', { run: word('phase', run) })}</span>}
      <div class="facts">
        <span>{show.bot.strategy}</span>·<span>{show.bot.instrument}</span>·<span>{show.bot.account ?? ''}</span><ModeTag mode={show.bot.mode} />
        <span>{t('bot.onNode', { node: digest?.nd ?? show.bot.node })}</span>
        {state && <span class="num">{t('bot.since', { age: age(fleetNow() - state.since_ms) })}</span>}
        <span class={`conn ${fresh ? 'live' : 'slow'}`} title={t(fresh ? 'bot.watch' : 'bot.watchOff')}><span class="dot" /><span class="num">{data.liveAt.value ? age(tick.value - data.liveAt.value) : ''}</span></span>
      </div>
      <span class="grow" />
      <Actions bot={data.name} run={run} phase={phase} />
    </div>
  );
}

function Numbers({ data }: { data: BotData }): VNode {
  const row = data.show.value!.bot;
  const live = data.live.value;
  const state = data.state.value;
  const book = live?.book ?? state?.book;
  const { base, quote } = assets(row.instrument);
  const equity = live?.equity ?? state?.equity ?? row.equity;
  const unrealised = live?.unrealised ?? state?.unrealised ?? row.unrealised;
  const fees = Object.entries(book?.fees ?? row.fees ?? {}).map(([asset, paid]) => ({ asset, paid: String(paid) }));
  const realised = book?.realised ?? row.realised;
  const position = book?.position ?? row.position;
  return (
    <section class="kpis bot-kpis">
      <div class="kpi lead" title={t('bot.tooltip')}><h3>{t('bot.pnl')}</h3><p class={`num t${sign(equity)}`} data-testid="equity-now">{money(equity, quote)} <small>{quote}</small></p></div>
      <div class="kpi"><h3>{t('bot.last')}</h3><p class="num" data-testid="price">{decimal(live?.price ?? state?.price ?? row.price)}</p></div>
      <div class="kpi"><h3>{t('bot.realised')}</h3><p class={`num t${sign(realised)}`}>{money(realised, quote)}</p></div>
      <div class="kpi"><h3>{t('bot.unrealised')}</h3><p class={`num t${sign(unrealised)}`}>{money(unrealised, quote)}</p></div>
      <div class="kpi"><h3>{t('bot.fees')}</h3>{fees.length === 0 && <p class="num">0</p>}
        {fees.slice(0, 2).map(({ asset, paid }) => <p key={asset} class={`num ${fees.length > 1 ? 'minor' : ''}`}>{decimal(paid, { max: asset === quote ? 2 : 6 })} <small>{asset}</small></p>)}</div>
      <div class="kpi"><h3>{t('bot.position')}</h3><p class="num">{decimal(position, { max: 6 })} <small>{base}</small></p>
        {state?.average_price && sign(position) !== 0 && <p class="num sub">{t('bot.average', { price: decimal(state.average_price, { max: 2 }) })}</p>}</div>
      <div class="kpi"><h3>{t('bot.fillCount')}</h3><p class="num" data-testid="bot-fills">{book?.fills ?? row.fills}</p></div>
    </section>
  );
}

export default function Bot({ name }: { name: string }): VNode {
  const data = useMemo(() => openBot(name), [name]);
  useEffect(() => () => data.stop(), [data]);
  if (data.missing.value) return <Empty title={t('bot.notFound', { bot: name })}><a class="btn" href="#/fleet">{t('nav.fleet')}</a></Empty>;
  if (!data.show.value && data.problem.value) return <Failed why={data.problem.value} retry={() => { data.problem.value = null; void data.load(); }} />;
  if (!data.show.value) return <Skeleton rows={6} />;
  const row = data.show.value.bot;
  const { quote } = assets(row.instrument);
  const reason = data.state.value?.reason ?? row.reason;
  const phase = data.state.value?.phase ?? row.phase;
  return (
    <div class="page">
      <Head data={data} />
      {reason && reason.message && phase !== 'running' && <div class={`banner ${phase === 'error' ? 'bad' : 'warn'}`}><Icon name="alert" /><span>{reason.message}</span></div>}
      <Numbers data={data} />
      <PriceCard data={data} instrument={row.instrument ?? ''} />
      <EquityCard data={data} quote={quote} />
      <BotTabs data={data} />
    </div>
  );
}
