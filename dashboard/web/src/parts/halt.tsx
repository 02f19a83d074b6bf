// Halt with a typed word, and lifting it. The number of bots it concerns is from the fleet as shown.
import { useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { busy, halt, lift } from '../actions.ts';
import { followHalt, runBulk } from '../bulk.ts';
import { rows, selected } from '../fleet.ts';
import { route } from '../router.ts';
import { serverInfo } from '../bus/session.ts';
import { plural, t, word } from '../i18n/index.ts';
import { Dialog } from './dialog.tsx';
import type { Halt } from '../types.ts';

type Scope = 'fleet' | 'selection' | 'node' | 'bot';
type How = 'pause' | 'cancel' | 'flatten';

function concerned(scope: Scope, target: string): { bots: number; orders: number } {
  let bots = 0;
  let orders = 0;
  for (const row of rows.values()) {
    const { bot } = row.peek();
    if (scope === 'node' && bot.nd !== target) continue;
    if (scope === 'bot' && bot.n !== target) continue;
    if (scope === 'selection' && !selected.value.has(bot.n)) continue;
    bots++;
    orders += bot.oo ?? 0;
  }
  return { bots, orders };
}

const choices = (scope: Scope): string[] => {
  const all = [...rows.values()].map((row) => (scope === 'node' ? row.peek().bot.nd : row.peek().bot.n));
  return [...new Set(all)].sort();
};

export function HaltDialog({ close }: { close: () => void }): VNode {
  const here = route.value.view === 'bot' || route.value.view === 'node' ? route.value.view : null;
  const [scope, setScope] = useState<Scope>(selected.value.size > 0 ? 'selection' : here ?? 'fleet');
  const [target, setTarget] = useState(here ? route.value.args[0]! : '');
  const [how, setHow] = useState<How>('pause');
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const wanted = scope === 'fleet' ? serverInfo.value.tenant : scope === 'selection' ? String(selected.value.size) : target;
  const { bots, orders } = concerned(scope, target);
  const ready = typed === wanted && wanted !== '' && reason.trim() !== '' && !busy.value.has('halt');
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!ready) return;
    if (scope === 'selection') { // no halt covers a list: each bot is asked to pause or stop
      const bots = [...selected.value].filter((name) => rows.has(name));
      close();
      return void runBulk(t(how === 'pause' ? 'bulk.title.bot-pause' : how === 'cancel' ? 'bulk.title.bot-stop' : 'bulk.title.flatten'), how === 'pause' ? 'bot-pause' : 'bot-stop', bots, how === 'pause' ? {} : { how });
    }
    const answer = await halt({ scope, how, reason: reason.trim(), ...(scope === 'fleet' ? {} : { target }) });
    if (answer.kind !== 'ok') return;
    close();
    void followHalt(answer.result.number, t('halt.progress', { number: answer.result.number, scope: `${word('halt.scope', scope)} ${target}` }));
  };
  return (
    <Dialog title={t('halt.title')} close={close} danger>
      <form onSubmit={submit} data-testid="halt-form">
        <fieldset class="pick">
          <legend>{t('halt.scope')}</legend>
          {(['fleet', 'selection', 'node', 'bot'] as const).filter((name) => name !== 'selection' || selected.value.size > 0).map((name) => (
            <label key={name} class={scope === name ? 'on' : ''}><input type="radio" name="scope" value={name} checked={scope === name}
              onChange={() => { setScope(name); setTarget(name === 'fleet' || name === 'selection' ? '' : name === here ? route.value.args[0]! : choices(name)[0] ?? ''); setTyped(''); }} />{t(`halt.scope.${name}`, { n: selected.value.size })}</label>
          ))}
        </fieldset>
        {(scope === 'node' || scope === 'bot') && <label class="field"><span>{t('halt.target')}</span>
          <select value={target} onChange={(event) => { setTarget(event.currentTarget.value); setTyped(''); }}>
            {choices(scope).map((name) => <option key={name}>{name}</option>)}</select></label>}
        <fieldset class="list">
          <legend>{t('halt.how')}</legend>
          {(['pause', 'cancel', 'flatten'] as const).map((name) => (
            <label key={name} class={how === name ? 'on' : ''}><input type="radio" name="how" value={name} checked={how === name} onChange={() => setHow(name)} />{t(`halt.how.${name}`)}</label>
          ))}
        </fieldset>
        <p class="effect">{plural('halt.effect', bots, { orders })}</p>
        <label class="field"><span>{t('halt.reason')} <small>{t('halt.reasonHint')}</small></span>
          <input name="reason" value={reason} maxLength={159} required onInput={(event) => setReason(event.currentTarget.value)} /></label>
        <label class="field"><span>{t('halt.type', { word: wanted })}</span>
          <input name="confirm" class="mono" value={typed} autocomplete="off" spellcheck={false} onInput={(event) => setTyped(event.currentTarget.value)} /></label>
        <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button>
          <button class="btn danger solid" disabled={!ready} data-testid="halt-go">{busy.value.has('halt') ? <span class="spinner" /> : null}{t('halt.go')}</button></div>
      </form>
    </Dialog>
  );
}

export function LiftDialog({ halt: which, close }: { halt: Halt; close: () => void }): VNode {
  const [reason, setReason] = useState('');
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const answer = await lift({ scope: which.scope, reason: reason.trim(), ...(which.target ? { target: which.target } : {}) });
    if (answer.kind === 'ok') close();
  };
  return (
    <Dialog title={t('halt.liftTitle')} close={close}>
      <form onSubmit={submit} data-testid="lift-form">
        <p><b>{word('halt.scope', which.scope)} {which.target}</b> · {which.reason}</p>
        <p class="dim">{t('halt.liftHint')}</p>
        <label class="field"><span>{t('halt.reason')} <small>{t('halt.reasonHint')}</small></span>
          <input name="reason" value={reason} maxLength={159} required onInput={(event) => setReason(event.currentTarget.value)} /></label>
        <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button>
          <button class="btn primary" disabled={reason.trim() === '' || busy.value.has('halt')}>{t('halt.liftGo')}</button></div>
      </form>
    </Dialog>
  );
}
