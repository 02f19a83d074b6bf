// One action on many bots: each is asked once, each says by itself when it is so. Nothing is repeated by
// itself; what got no answer is looked up by its id and may then be tried again by a person.
import { signal } from '@preact/signals';
import { reasonOf, settle } from './actions.ts';
import { body, listen, request, type Answer } from './bus/session.ts';
import { t, word } from './i18n/index.ts';
import type { HaltShowResult, NState, Verbs } from './types.ts';

export type BulkVerb = 'bot-start' | 'bot-resume' | 'bot-pause' | 'bot-stop';
export type Step = 'waiting' | 'asked' | 'recorded' | 'ok' | 'bad' | 'unsure';
export interface Item { bot: string; step: Step; text: string }
export interface Work { title: string; items: Item[]; open: boolean; done: boolean; halt?: number; note?: string; covered?: number; confirmed?: number }

export const work = signal<Work | null>(null);
const AT_ONCE = 8;
const CONFIRM_MS = 60000;

function set(bot: string, step: Step, text = ''): void {
  const now = work.value;
  if (!now) return;
  work.value = { ...now, items: now.items.map((item) => (item.bot === bot ? { bot, step, text } : item)) };
}

const SETTLE_MS = 9000;
async function outcome(id: string): Promise<{ step: Step; text: string; generation?: number }> {
  const found = await settle(id, SETTLE_MS, () => false);
  return found ? { step: found.free ? 'bad' : found.done ? 'recorded' : 'unsure', text: found.text, ...(found.generation === undefined ? {} : { generation: found.generation }) } : { step: 'unsure', text: t('bulk.unknown') };
}

/** Asks for every bot, at most eight at once, and follows the bots' own states until each has applied it. */
export async function runBulk(title: string, verb: BulkVerb, bots: readonly string[], more: Omit<Verbs['bot-stop']['args'], 'bot'> = {}): Promise<void> {
  work.value = { title, open: true, done: false, items: bots.map((bot) => ({ bot, step: 'waiting', text: '' })) };
  const wanted = new Map<string, number>();
  const heard = new Map<string, number>();
  const confirm = (bot: string): void => {
    const generation = wanted.get(bot);
    if (generation !== undefined && (heard.get(bot) ?? -1) >= generation) set(bot, 'ok');
  };
  const stop = listen('n/+/b/+/state', (message) => {
    const state = body<NState>(message);
    if (!state) return;
    heard.set(state.bot, Math.max(heard.get(state.bot) ?? 0, state.generation));
    confirm(state.bot);
  }, 1);
  const queue = [...bots];
  const worker = async (): Promise<void> => {
    for (let bot = queue.shift(); bot !== undefined; bot = queue.shift()) {
      set(bot, 'asked');
      const answer = await request(verb, { bot, ...more });
      if (answer.kind === 'ok') {
        wanted.set(bot, answer.result.generation);
        set(bot, 'recorded');
        confirm(bot);
      } else if (answer.kind === 'unknown') {
        const found = await outcome(answer.id);
        if (found.generation !== undefined) wanted.set(bot, found.generation);
        set(bot, found.step, found.text);
        confirm(bot);
      } else set(bot, 'bad', reasonOf(answer));
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, bots.length) }, worker));
  const end = Date.now() + CONFIRM_MS;
  while (Date.now() < end && work.value?.items.some((item) => item.step === 'recorded')) await new Promise((resolve) => setTimeout(resolve, 200));
  stop();
  if (work.value) work.value = { ...work.value, done: true, items: work.value.items.map((item) => (item.step === 'recorded' ? { ...item, step: 'unsure', text: t('bulk.slow') } : item)) };
}

/** The progress of a halt, bot by bot, from the controller's account of what each node has said. */
export async function followHalt(number: number, title: string): Promise<void> {
  const mine: Work = { title, open: true, done: false, halt: number, items: [] };
  work.value = mine;
  const end = Date.now() + CONFIRM_MS * 5;
  while (Date.now() < end && work.value?.halt === number) {
    const answer: Answer<HaltShowResult> = await request('halt-show', { number });
    if (work.value?.halt !== number) return;
    if (answer.kind === 'ok') work.value = { ...work.value, ...drawn(answer.result) };
    else work.value = { ...work.value, note: reasonOf(answer) };
    if (work.value.done) return;
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
}

function drawn(show: HaltShowResult): Partial<Work> {
  const list = show.bots ?? show.waiting;
  return {
    covered: show.covered, confirmed: show.confirmed, done: show.confirmed >= show.covered || !show.in_force, note: '',
    items: [...list].sort((a, b) => Number(a.confirmed) - Number(b.confirmed)).slice(0, 300).map((row) => ({
      bot: row.bot, step: row.confirmed ? 'ok' : row.why ? 'unsure' : 'recorded', text: row.confirmed ? '' : [row.why ? word('haltwhy', row.why) : '', row.message ?? ''].filter(Boolean).join(': '),
    })),
  };
}
