// Header with connection and age of the data, navigation, banners.
import { useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { controller, halts, may, online, retryNow, serverInfo, signOut, spoken, state, user, who } from '../bus/session.ts';
import { clockOffsetMs, tick } from '../bus/clock.ts';
import { dataAgeMs, digestAt, fleetTotals, SLOW_MS, totals } from '../fleet.ts';
import { keysOn, pace, paused, setKeys, setPace, setTheme, setUpDown, theme, updown, type UpDown } from '../prefs.ts';
import { language, setLanguage, t, word } from '../i18n/index.ts';
import { age, dateTime, time } from '../lib/format.ts';
import { route, type View } from '../router.ts';
import { Icon, type IconName } from './icon.tsx';
import { HaltDialog, LiftDialog } from './halt.tsx';
import { followHalt } from '../bulk.ts';
import { keysOpen } from './keys.tsx';
import type { Halt, Verb } from '../types.ts';

function Connection(): VNode {
  const ms = dataAgeMs.value;
  const running = (totals.value.phases.get('running') ?? 0) > 0;
  let tone = 'off';
  let text: string = t('conn.offline');
  if (state.value.kind === 'connecting') text = t('conn.connecting');
  else if (online.value && ms === undefined) {
    tone = 'slow';
    text = t('conn.nodata');
  } else if (online.value) {
    const slow = running && (ms ?? 0) > SLOW_MS;
    tone = slow ? 'slow' : 'live';
    text = t(slow ? 'conn.slow' : 'conn.live');
  }
  return (
    <span class={`conn ${tone}`} data-testid="conn">
      <span class="dot" aria-hidden="true" />
      <span role="status">{text}</span>
      {ms !== undefined && (running || tone !== 'live') && <span class="num">{age(ms)}</span>}
    </span>
  );
}

function Settings(): VNode {
  return (
    <details class="menu">
      <summary class="ghost" aria-label={t('set.menu')} title={t('set.menu')}><Icon name="gear" /></summary>
      <div class="pop">
        <p class="pop-user"><b>{user.value}</b> <span class="tag">{who.value ? word('role', who.value.role) : '…'}</span><br />
          <span class="dim">{serverInfo.value.tenant}</span></p>
        <button class="row" onClick={() => setLanguage(language.value === 'en' ? 'zh' : 'en')}>{t('set.language')}</button>
        <button class="row" aria-pressed={paused.value} onClick={() => { paused.value = !paused.value; }}>
          {t(paused.value ? 'set.unpause' : 'set.pause')}</button>
        <label class="row">{t('set.pace')}
          <select value={pace.value} onChange={(event) => setPace(Number(event.currentTarget.value))}>
            {[250, 1000, 5000].map((ms) => <option key={ms} value={ms}>{t('set.every', { s: ms / 1000 })}</option>)}</select></label>
        <button class="row" onClick={() => { keysOpen.value = true; }}>{t('keys.title')} <kbd>?</kbd></button>
        <button class="row" aria-pressed={keysOn.value} onClick={() => setKeys(!keysOn.value)}>{t(keysOn.value ? 'set.keysOff' : 'set.keysOn')}</button>
        <label class="row">{t('set.updown')}
          <select value={updown.value} onChange={(event) => setUpDown(event.currentTarget.value as UpDown)}>
            {(['green', 'red', 'blue'] as const).map((name) => <option key={name} value={name}>{t(`set.updown.${name}`)}</option>)}
          </select></label>
        <p class="dim small">{t('set.version', { version: serverInfo.value.version })}<br />{t('set.charts')}</p>
        <button class="row" onClick={signOut}>{t('sign.out')}</button>
      </div>
    </details>
  );
}

export function Bar(): VNode {
  const [halting, setHalting] = useState(false);
  const dark = theme.value === 'dark';
  return (
    <header class="bar">
      <a class="brand" href="#/fleet" aria-label="Flotilla"><img src="./icon.svg" alt="" width="26" height="26" /><span>Flotilla</span></a>
      <span class="tenant tag">{serverInfo.value.tenant}</span>
      <span class="grow" />
      {paused.value && <button class="btn small" onClick={() => { paused.value = false; }}>{t('set.paused')}</button>}
      <Connection />
      <button class="ghost" title={t('set.theme')} aria-label={t('set.theme')} onClick={() => setTheme(dark ? 'light' : 'dark')}>
        <Icon name={dark ? 'sun' : 'moon'} /></button>
      <button class="ghost wide" lang={language.value === 'en' ? 'zh' : 'en'} title={t('set.language')}
        onClick={() => setLanguage(language.value === 'en' ? 'zh' : 'en')}>{language.value === 'en' ? '中文' : 'EN'}</button>
      <button class="btn danger" data-testid="halt" disabled={!online.value || !may('halt')}
        title={may('halt') ? '' : t('cmd.needRole', { role: who.value?.role ?? '?' })} onClick={() => setHalting(true)}>
        <Icon name="halt" />{t('act.halt')}</button>
      <Settings />
      {halting && <HaltDialog close={() => setHalting(false)} />}
    </header>
  );
}

interface Place { view: View; icon: IconName; verb?: Verb }
const PLACES: Place[] = [
  { view: 'fleet', icon: 'fleet' }, { view: 'deploy', icon: 'deploy' }, { view: 'portfolio', icon: 'wallet', verb: 'portfolio' }, { view: 'alerts', icon: 'bell' },
  { view: 'orders', icon: 'list' }, { view: 'nodes', icon: 'nodes' }, { view: 'market', icon: 'chart' }, { view: 'backtests', icon: 'flask' },
  { view: 'logs', icon: 'book' }, { view: 'accounts', icon: 'key' }, { view: 'users', icon: 'people', verb: 'user-ls' }, { view: 'tokens', icon: 'token' },
  { view: 'audit', icon: 'search' },
];
const CLOCK_MS = 5000;
const FIRST = 4; // on a phone; the others are under "More"

export function Navigation(): VNode {
  const [more, setMore] = useState(false);
  const { view } = route.value;
  const at = view === 'bot' ? 'fleet' : view === 'node' ? 'nodes' : view;
  const alerts = fleetTotals.value?.alerts ?? 0;
  return (
    <nav class={more ? 'side open' : 'side'} aria-label={t('nav.main')}>
      {PLACES.map(({ view: each, icon, verb }, i) => (verb && who.value && !may(verb) ? null
        : <a key={each} class={i < FIRST ? '' : 'later'} href={`#/${each}`} aria-current={at === each ? 'page' : undefined} onClick={() => setMore(false)}>
          <Icon name={icon} /><span>{t(`nav.${each as Exclude<View, 'bot' | 'node'>}`)}</span>{each === 'alerts' && alerts > 0 && <b class="count num">{alerts}</b>}</a>))}
      <button class="more" aria-expanded={more} onClick={() => setMore(!more)}><Icon name="more" /><span>{t('nav.more')}</span></button>
    </nav>
  );
}

function Offline(): VNode | null {
  const now = state.value;
  if (now.kind === 'online' || now.kind === 'idle' || now.kind === 'refused') return null;
  const at = digestAt.value === null ? '–' : time(digestAt.value);
  const attempt = Math.max(1, now.attempt);
  const text = now.kind === 'waiting'
    ? t('conn.banner', { time: at, attempt, seconds: Math.max(0, Math.ceil((now.retryAt - tick.value) / 1000)) })
    : t('conn.bannerNow', { time: at, attempt });
  return (
    <div class="banner warn" role="status"><Icon name="alert" /><span>{text}</span>
      <button class="btn small" onClick={retryNow}>{t('conn.retry')}</button></div>
  );
}

function Halted({ halt, lift }: { halt: Halt; lift: () => void }): VNode {
  const title = halt.scope === 'fleet' ? t('halt.banner.fleet')
    : t('halt.banner.other', { scope: word('halt.scope', halt.scope), target: halt.target ?? '' });
  return (
    <div class="banner bad" data-testid="halted"><Icon name="halt" />
      <span><b>{title}</b>{' '}<span class="dim">{t('halt.by', {
        how: word('halt.word', halt.how), reason: halt.reason, by: halt.by, time: dateTime(halt.ts_ms) })}</span></span>
      <button class="btn small" onClick={() => void followHalt(halt.number, title)}>{t('halt.show')}</button>
      <button class="btn small" data-testid="lift" disabled={!online.value || !may('resume')} onClick={lift}>{t('halt.lift')}</button>
    </div>
  );
}

export function Banners(): VNode {
  const [lifting, setLifting] = useState<Halt | null>(null);
  return (
    <>
      <Offline />
      {spoken.value !== null && <div class="banner bad" role="alert" data-testid="protocol"><Icon name="alert" /><span>{t('conn.protocol', { v: spoken.value })}</span><button class="btn small" onClick={() => location.reload()}>{t('conn.reload')}</button></div>}
      {online.value && Math.abs(clockOffsetMs.value ?? 0) > CLOCK_MS && <div class="banner warn" role="status" data-testid="clock"><Icon name="alert" /><span>{t('conn.clock', { age: age(Math.abs(clockOffsetMs.value ?? 0)) })}</span></div>}
      {online.value && controller.value === 'offline' && <div class="banner warn" role="status"><Icon name="alert" /><span>{t('conn.controllerDown')}</span></div>}
      {halts.value.map((halt) => <Halted key={`${halt.number}`} halt={halt} lift={() => setLifting(halt)} />)}
      {lifting && <LiftDialog halt={lifting} close={() => setLifting(null)} />}
    </>
  );
}
