// What the deploy form offers, and what was typed; the words of the wire stay in one place.
import { computed, effect, signal } from '@preact/signals';
import { reasonOf } from './actions.ts';
import { request } from './bus/session.ts';
import { check, encodeAll, freeName, nearPrice, type Fault } from './lib/form.ts';
import { toBar, type Bar } from './lib/candles.ts';
import { checks as look, type Check, type Rules } from './lib/preview.ts';
import { isName } from './lib/topic.ts';
import { assets } from './lib/format.ts';
import { language } from './i18n/index.ts';
import { rows } from './fleet.ts';
import type { AccountRow, BotSpec, Instrument, NodeRow, Param, StrategyRow, StrategyShowResult } from './types.ts';

export const strategies = signal<StrategyRow[] | null>(null);
export const accounts = signal<AccountRow[]>([]);
export const nodes = signal<NodeRow[]>([]);
export const instruments = signal<Instrument[]>([]);
export const shown = signal<StrategyShowResult | null>(null);
export const problem = signal<string | null>(null);
export const price = signal<string | null>(null);

export const editing = signal<string | null>(null);              // the bot that is changed, not made
export const bars = signal<Bar[]>([]);
export const form = signal({ name: '', strategy: '', account: '', instrument: 'BTC-USDT', node: '', mode: 'live' as 'live' | 'paper' | 'shadow', real: false });
export const texts = signal<Record<string, string>>({});  // parameters
export const limits = signal<Record<string, string>>({}); // risk
export const touched = signal<ReadonlySet<string>>(new Set());
export const refused = signal<{ path: string; message: string; hint: string } | null>(null);

export const RISK: Param[] = [
  { name: 'max_order_notional', type: 'decimal', unit: 'quote', help: '', default: '', min: '0' },
  { name: 'max_position_notional', type: 'decimal', unit: 'quote', help: '', default: '', min: '0' },
  { name: 'max_daily_loss', type: 'decimal', unit: 'quote', help: '', default: '', min: '0' },
  { name: 'max_drawdown_pct', type: 'double', unit: '%', help: '', default: '', min: '0', max: '100' },
  { name: 'max_open_orders', type: 'int', unit: '', help: '', default: '', min: '1', max: '10000' },
  { name: 'price_band_pct', type: 'double', unit: '%', help: '', default: '', min: '0', max: '100' },
];

export const account = computed(() => accounts.value.find((row) => row.name === form.value.account));
export const venue = computed(() => account.value?.venue ?? accounts.value[0]?.venue ?? 'binance');
export const needsReal = computed(() => form.value.mode === 'live' && account.value !== undefined && !account.value.sandbox);
let typedName = false;

const chinese = signal<{ strategies: Record<string, string>; params: Record<string, string> } | null>(null);
effect(() => { if (language.value === 'zh' && !chinese.peek()) void import('./i18n/strategies.ts').then((module) => { chinese.value = module; }); });
/** A strategy's own sentence, and a parameter's name, in the reader's language where it is known. */
export const helpOf = (text: string): string => (language.value === 'zh' ? chinese.value?.strategies[text] : undefined) ?? text;
export const nameOf = (param: string): string => (language.value === 'zh' ? chinese.value?.params[param] : undefined) ?? param.replace(/_/g, ' ');

export async function load(): Promise<void> {
  const [list, keys, machines] = await Promise.all([
    request('strategy-ls', { limit: 200 }), request('account-ls', { limit: 200 }), request('node-ls', { limit: 200 }),
  ]);
  if (list.kind !== 'ok') {
    problem.value = reasonOf(list);
    return;
  }
  problem.value = null;
  strategies.value = list.result.items;
  if (keys.kind === 'ok') accounts.value = keys.result.items;
  if (machines.kind === 'ok') nodes.value = machines.result.items;
  if (!form.value.account && accounts.value[0]) set({ account: accounts.value[0].name });
  const before = chosen;
  const items = await request('instrument-ls', { venue: venue.value, limit: 200 });
  if (items.kind === 'ok') instruments.value = items.result.items;
  const first = form.value.strategy || (list.result.items.find((row) => row.strategy === 'grid') ?? list.result.items[0])?.strategy || '';
  await Promise.all([before === chosen ? choose(first) : undefined, askPrice()]); // a person may have been quicker
}

/** Changes the upper part of the form; a name that nobody typed follows. */
export function set(change: Partial<typeof form.value>): void {
  if (change.name !== undefined) typedName = true;
  const next = { ...form.value, ...change };
  if (!typedName) next.name = freeName(assets(next.instrument).base || 'bot', next.strategy || 'bot', rows);
  form.value = next;
  refused.value = null;
  if (change.instrument !== undefined) void askPrice();
}

export function fresh(): void {
  typedName = false;
  editing.value = null;
  limits.value = {};
  texts.value = {};
  touched.value = new Set();
  refused.value = null;
}

const AGAIN_MS = 3000;
let chosen = 0;
export async function choose(strategy: string): Promise<void> {
  if (!strategy) return;
  const mine = ++chosen;
  touched.value = new Set();
  set({ strategy });
  const answer = await request('strategy-show', { strategy });
  if (mine !== chosen) return; // another was chosen since, or the same again
  if (answer.kind === 'unknown') setTimeout(() => { if (mine === chosen) void choose(strategy); }, AGAIN_MS);
  if (answer.kind !== 'ok') {
    problem.value = reasonOf(answer);
    return;
  }
  shown.value = answer.result;
  const typed = (name: string): string | undefined => (touched.value.has(`params.${name}`) ? texts.value[name] : undefined); // while we asked
  texts.value = Object.fromEntries(answer.result.params.map((param) => [param.name, typed(param.name) ?? param.default ?? '']));
  suggest();
}

const BUDGET = '1000';

/** A first idea for what the table leaves open: the ends of a range around the price, and a budget. */
function suggest(): void {
  const now = Number(price.value);
  if (!shown.value) return;
  const tick = instruments.value.find((row) => row.name === form.value.instrument)?.tick ?? '0.01';
  const ends: Record<string, number> = { lower: 0.97, upper: 1.03 };
  const next = { ...texts.value };
  for (const param of shown.value.params) {
    const factor = ends[param.name];
    if (param.name === 'budget' && !next.budget) next.budget = BUDGET;
    if (factor && now > 0 && !touched.value.has(`params.${param.name}`)) next[param.name] = nearPrice(now, factor, tick);
  }
  texts.value = next;
}

const FEW = 40; // a young market, or the demo's: minutes say more
let asking = 0;
export async function askPrice(): Promise<void> {
  const mine = ++asking;
  const { instrument } = form.value;
  price.value = null;
  if (!/^[A-Z0-9]+(-[A-Z0-9]+)+$/.test(instrument)) return;
  bars.value = [];
  let answer = await request('candles', { venue: venue.value, instrument, timeframe: '15m', limit: 300 });
  if (mine === asking && answer.kind === 'ok' && answer.result.candles.length < FEW) answer = await request('candles', { venue: venue.value, instrument, timeframe: '1m', limit: 300 });
  if (mine !== asking) return;
  if (answer.kind === 'unknown') setTimeout(() => { if (mine === asking) void askPrice(); }, AGAIN_MS); // a question may be repeated
  if (answer.kind !== 'ok') return;
  price.value = answer.result.candles.at(-1)?.close ?? null;
  bars.value = answer.result.candles.map(toBar);
  suggest();
}

/** Fills the form from a bot that is: to change it, or to make another like it. */
export async function copy(bot: string, edit: boolean): Promise<void> {
  const answer = await request('bot-show', { bot });
  if (answer.kind !== 'ok') {
    problem.value = reasonOf(answer);
    return;
  }
  const { spec: old } = answer.result;
  const words = (values: object | undefined): Record<string, string> => Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [key, Array.isArray(value) ? value.join(',') : String(value)]));
  form.value = { ...form.value, strategy: old.strategy, account: old.account ?? '', instrument: old.instrument ?? '', mode: old.mode as 'live', node: old.placement?.node ?? '', real: false };
  await choose(old.strategy);
  texts.value = { ...texts.value, ...words(old.params) };
  limits.value = words(old.risk);
  touched.value = new Set(Object.keys(old.params ?? {}).map((key) => `params.${key}`));
  typedName = true;
  form.value = { ...form.value, name: edit ? bot : freeName(bot.replace(/-\d+$/, ''), 'copy', rows) };
  editing.value = edit ? bot : null;
  void askPrice();
}

export const rules = computed((): Rules => {
  const row = instruments.value.find((each) => each.name === form.value.instrument);
  const fee = Math.max(Number(row?.fee_maker ?? 0.001), Number(row?.fee_taker ?? 0.001));
  return { tick: Number(row?.tick ?? 0.01), notionalMin: Number(row?.notional_min ?? 0), fee: Number.isFinite(fee) ? fee : 0.001 };
});

/** What can be seen before the controller is asked. */
export const seen = computed((): Check[] => {
  const { name, instrument, account: using, node } = form.value;
  const found = look(form.value.strategy, texts.value, Number(price.value), rules.value);
  const others = [...rows.values()].map((row) => row.peek().bot).filter((bot) => bot.n !== name && bot.i === instrument && bot.run !== 'stopped');
  if (using) found.push({ id: 'taken', ok: others.length === 0, values: { n: String(others.length), instrument } });
  const up = nodes.value.filter((row) => row.state === 'up' && !row.draining && (!node || row.node === node) && (row.capacity === undefined || row.bots < row.capacity));
  found.push({ id: 'node', ok: up.length > 0, values: { n: String(up.length) } });
  return found;
});

/** The manifest as it would be sent. */
export const spec = computed((): BotSpec => {
  const { name, strategy, instrument, mode, node } = form.value;
  const risk = encodeAll(RISK, limits.value);
  return {
    name, strategy,
    ...(form.value.account ? { account: form.value.account } : { venue: venue.value }),
    instrument, mode,
    params: encodeAll(shown.value?.params ?? [], texts.value),
    ...(Object.keys(risk).length ? { risk } : {}),
    ...(node ? { placement: { node } } : {}),
  } as BotSpec;
});

/** What this page can already see is wrong, by path. */
export const faults = computed((): ReadonlyMap<string, Fault> => {
  const found = new Map<string, Fault>();
  if (!isName(form.value.name)) found.set('name', { kind: 'name' });
  if (form.value.mode === 'live' && !form.value.account) found.set('account', { kind: 'required' });
  if (!form.value.instrument) found.set('instrument', { kind: 'required' });
  for (const param of shown.value?.params ?? []) {
    const fault = check(param, texts.value[param.name] ?? '');
    if (fault) found.set(`params.${param.name}`, fault);
  }
  for (const param of RISK) {
    const fault = check(param, limits.value[param.name] ?? '');
    if (fault) found.set(`risk.${param.name}`, fault);
  }
  return found;
});
