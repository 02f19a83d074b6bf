// Actions and what became of them: pending, done, failed, unknown and checked. Nothing is sent twice.
import { signal } from '@preact/signals';
import { body, BROKER_DENIES, controller, listen, online, request, type Answer } from './bus/session.ts';
import { t, word, type Key } from './i18n/index.ts';
import { toldText } from './told.ts';
import type { FlotillaError, NState, Verb, Verbs } from './types.ts';

export type Tone = 'pending' | 'ok' | 'bad' | 'unsure';
export interface Notice { n: number; tone: Tone; text: string; told?: string; hint?: string; id?: string; again?: () => void } // again: only after a check said that it was not done

export const notices = signal<Notice[]>([]);
export const busy = signal<ReadonlySet<string>>(new Set()); // "bot-pause btc-grid"
let count = 0;

export function dismiss(n: number): void {
  notices.value = notices.value.filter((notice) => notice.n !== n);
}

function show(n: number, tone: Tone, text: string, more: Omit<Notice, 'n' | 'tone' | 'text'> = {}): void {
  const next: Notice = { n, tone, text, ...more };
  const others = notices.value.filter((notice) => notice.n !== n);
  const done = others.length > 3 ? others.find((notice) => notice.tone === 'ok' || notice.tone === 'bad') : undefined; // the unclear stay
  notices.value = [...others.filter((notice) => notice !== done), next];
  if (tone === 'ok') setTimeout(() => dismiss(n), 4000);
}

const mark = (key: string, on: boolean): void => {
  const next = new Set(busy.value);
  if (on) next.add(key);
  else next.delete(key);
  busy.value = next;
};

export const why = (error: FlotillaError): string => (error.message === BROKER_DENIES ? t('cmd.denied') : error.message);

export const reasonOf = (answer: Exclude<Answer<unknown>, { kind: 'ok' }>): string =>
  answer.kind === 'error' ? why(answer.error) : t(answer.kind === 'offline' ? 'state.offline' : 'state.noAnswer');

/** Runs one action with its notices; `check` looks up what became of it when no answer came. */
export async function act<V extends Verb>(what: string, verb: V, args: Verbs[V]['args'], key: string,
  check: () => Promise<string | null>): Promise<Answer<Verbs[V]['result']>> {
  const n = ++count;
  mark(key, true);
  show(n, 'pending', t('cmd.pending', { what }));
  const answer = await request(verb, args);
  if (answer.kind === 'error')
    show(n, 'bad', t('cmd.failed', { what, why: '' }), { told: why(answer.error), hint: answer.error.hint, id: answer.id });
  else if (answer.kind === 'offline') show(n, 'bad', t('cmd.offline', { what }));
  else if (answer.kind === 'unknown') {
    show(n, 'unsure', t('cmd.unknown', { what }), { id: answer.id });
    const gone = (): boolean => !notices.peek().some((notice) => notice.n === n); // a person has put it aside
    let record = reachable() ? await lookUp(answer.id) : null;
    if (!record && !gone()) {
      show(n, 'unsure', t('cmd.unknownStill', { what }), { id: answer.id });
      if (key === 'halt') mark(key, false); // an emergency does not wait for this
      record = await settle(answer.id, SETTLE_MS, gone);
    }
    const found = [record?.text, record && await check()].filter(Boolean).join(' ');
    const again = record?.free ? (): void => { dismiss(n); void act(what, verb, args, key, check); } : undefined;
    if (!gone() && record) show(n, 'unsure', t('cmd.unknownChecked', { what, found }), { id: answer.id, again });
  } else show(n, 'ok', t('cmd.done', { what }));
  mark(key, false);
  return answer;
}

interface Found { text: string; free: boolean; done: boolean; generation?: number }
const SETTLE_MS = 900000;
const reachable = (): boolean => online.peek() && controller.peek() !== 'offline';

/** Asks what became of a request as soon as there is somebody to ask, until told, too late or not wanted. */
export async function settle(id: string, ms: number, unwanted: () => boolean): Promise<Found | null> {
  for (const end = Date.now() + ms; Date.now() < end && !unwanted();) {
    const found = reachable() ? await lookUp(id) : null;
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return null;
}

/** What the controller's own record says of a request; `free`: it has none, so it may be asked again. */
async function lookUp(id: string): Promise<Found | null> {
  const answer = await request('command-show', { id });
  if (answer.kind === 'error' && answer.error.code === 'not_found') return { text: t('cmd.neverCame'), free: true, done: false };
  if (answer.kind !== 'ok') return null;
  const { state, error, result } = answer.result;
  const generation = typeof result?.generation === 'number' ? result.generation : undefined;
  return { text: t('cmd.recorded', { state: word('cmdstate', state), why: toldText(error?.message ?? '') }), free: false, done: state === 'done', ...(generation === undefined ? {} : { generation }) };
}

/** Any other action: what became of it is looked up by its id. */
export function perform<V extends Verb>(what: string, verb: V, args: Verbs[V]['args'], key: string): Promise<Answer<Verbs[V]['result']>> {
  return act(what, verb, args, key, async () => null);
}

async function checkBot(bot: string): Promise<string | null> {
  const answer = await request('bot-show', { bot });
  if (answer.kind === 'error') return toldText(answer.error.message);
  if (answer.kind !== 'ok') return null;
  const row = answer.result.bot;
  return t('cmd.found', { run: word('phase', row.run), phase: word('phase', row.phase ?? 'unknown') });
}

/** Waits until the bot itself says that it applied `generation`. */
function applied(bot: string, generation: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (ok: boolean): void => {
      clearTimeout(timer);
      stop();
      resolve(ok);
    };
    const timer = setTimeout(() => finish(false), timeoutMs);
    const stop = listen(`n/+/b/${bot}/state`, (message) => {
      const state = body<NState>(message);
      if (state && state.generation >= generation) finish(true);
    }, 1);
  });
}

const CONFIRM_MS = 15000;
type BotVerb = 'bot-pause' | 'bot-resume' | 'bot-start' | 'bot-stop';
const WHAT: Record<BotVerb, Key> = {
  'bot-pause': 'what.pause', 'bot-resume': 'what.resume', 'bot-start': 'what.start', 'bot-stop': 'what.stop',
};

/** Pause, resume, start, stop: recorded by the controller, then said by the bot. */
export async function botAct(verb: BotVerb, args: Verbs['bot-stop']['args']): Promise<void> {
  const what = t(WHAT[verb], { bot: args.bot });
  const key = `bot ${args.bot}`;
  const answer = await act(what, verb, args, key, () => checkBot(args.bot));
  if (answer.kind !== 'ok') return;
  const n = ++count;
  mark(key, true);
  show(n, 'pending', t('cmd.waiting', { what }));
  const done = await applied(args.bot, answer.result.generation, CONFIRM_MS);
  if (done) show(n, 'ok', t('cmd.done', { what }));
  else show(n, 'unsure', t('cmd.slow', { what, seconds: CONFIRM_MS / 1000 }));
  mark(key, false);
}

export const removeBot = (bot: string): Promise<Answer<Verbs['bot-rm']['result']>> =>
  act(t('what.remove', { bot }), 'bot-rm', { bot }, `bot ${bot}`, () => checkBot(bot));

async function checkHalts(): Promise<string | null> {
  const answer = await request('halt-ls', {});
  return answer.kind === 'ok' ? t('cmd.foundHalts', { n: answer.result.halts.length, number: answer.result.number }) : null;
}

export const halt = (args: Verbs['halt']['args']): Promise<Answer<Verbs['halt']['result']>> =>
  act(t('what.halt'), 'halt', args, 'halt', checkHalts);
export const lift = (args: Verbs['resume']['args']): Promise<Answer<Verbs['resume']['result']>> =>
  act(t('what.lift'), 'resume', args, 'halt', checkHalts);
export const deploy = (args: Verbs['bot-deploy']['args']): Promise<Answer<Verbs['bot-deploy']['result']>> =>
  act(t('what.deploy', { bot: args.bot.name }), 'bot-deploy', args, 'deploy', () => checkBot(args.bot.name));
