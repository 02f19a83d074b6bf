// The fleet as the digest pages tell it: one signal a row, applied on a frame at most every 250 ms.
import { computed, signal, type Signal } from '@preact/signals';
import { body, listen, online } from './bus/session.ts';
import { clockOffsetMs, fleetNow, heard, tick } from './bus/clock.ts';
import { add, approx, parse, text } from './lib/dec.ts';
import { assets, decimal, placesOf } from './lib/format.ts';
import { compile } from './lib/filter.ts';
import { pace, paused } from './prefs.ts';
import type { DigestBot, DigestFleet, UiDigest } from './types.ts';

export interface Row { bot: DigestBot; at: number; page: number; trend: number[] } // at: fleet time its words were true
export const STALE_MS = 90000; // a node repeats a bot's state every minute
export const SLOW_MS = 5000;
const TREND_MAX = 48;
const TREND_STEP_MS = 2500;

export const rows = new Map<string, Signal<Row>>();
export const names = signal<string[]>([]);         // changes only when bots come or go
export const revision = signal(0);                 // after each flush
export const fleetTotals = signal<DigestFleet | null>(null);
export const digestAt = signal<number | null>(null); // fleet time of the newest page
export const loaded = signal(false);

const members = new Map<number, ReadonlySet<string>>(); // who is on which page
const dirty = new Map<number, { digest: UiDigest; at: number }>();
let timer: ReturnType<typeof setTimeout> | undefined;
let sampledAt = 0;
let summedAt = 0;
const summed = signal(0); // sums over thousands of bots, exact, once a second
const SUM_MS = 900;

/** The most decimals an instrument's price was seen with: columns keep their width. */
const places = new Map<string, number>();
function prices(bots: readonly DigestBot[]): void {
  for (const { i, px } of bots) {
    const now = placesOf(px);
    if (i && now > (places.get(i) ?? 0)) places.set(i, now);
  }
}
export const priceText = (instrument: string | undefined, value: string | undefined): string => decimal(value, { places: Math.max(places.get(instrument ?? '') ?? 0, placesOf(value)) });

function apply(digest: UiDigest, at: number, sample: boolean): boolean {
  const seen = new Set<string>();
  let changed = false;
  prices(digest.bots);
  for (const bot of digest.bots) {
    seen.add(bot.n);
    const before = rows.get(bot.n);
    const trend = before?.peek().trend ?? [];
    const value = approx(bot.eq);
    const next = sample && Number.isFinite(value) ? [...trend.slice(1 - TREND_MAX), value] : trend;
    const row: Row = { bot, at: at - (bot.age_ms ?? 0), page: digest.page, trend: next };
    if (before) before.value = row;
    else {
      rows.set(bot.n, signal(row));
      changed = true;
    }
  }
  for (const name of members.get(digest.page) ?? []) // bots that left this page and went to no other
    if (!seen.has(name) && rows.get(name)?.peek().page === digest.page) changed = rows.delete(name) || changed;
  members.set(digest.page, seen);
  for (const [page, gone] of members) { // pages that are no more
    if (page < digest.pages) continue;
    for (const name of gone) if (rows.get(name)?.peek().page === page) changed = rows.delete(name) || changed;
    members.delete(page);
  }
  return changed;
}

function flush(): void {
  clearTimeout(timer);
  timer = undefined;
  if (paused.value) return;
  const sample = Date.now() - sampledAt >= TREND_STEP_MS;
  if (sample) sampledAt = Date.now();
  let changed = false;
  for (const { digest, at } of dirty.values()) {
    changed = apply(digest, at, sample) || changed;
    if (digest.fleet) fleetTotals.value = digest.fleet;
  }
  dirty.clear();
  flushedAt = Date.now();
  if (Date.now() - summedAt >= SUM_MS || !loaded.value) {
    summedAt = Date.now();
    summed.value++;
  }
  if (changed || !loaded.value) names.value = [...rows.keys()].sort();
  loaded.value = true;
  revision.value++;
}

/** Soon, but not for each message; the first draw waits a moment for the other pages. */
let flushedAt = 0;
const GATHER_MS = 40; // pages of one digest come together
function schedule(): void {
  const due = loaded.value ? Math.max(GATHER_MS, flushedAt + pace.value - Date.now()) : 800;
  timer ??= setTimeout(() => requestAnimationFrame(flush), Math.min(due, Math.max(800, pace.value)));
}
paused.subscribe((is) => { if (!is && dirty.size) schedule(); });

export function follow(): () => void {
  return listen('ui/digest/+', (message) => {
    const digest = body<UiDigest>(message);
    if (!digest || !Array.isArray(digest.bots)) return;
    if (!message.retained) heard(digest.ts_ms, message.at);
    // Retained pages carry their own age; before the clocks are compared this browser's has to do.
    digestAt.value = Math.max(digestAt.value ?? 0, digest.ts_ms);
    dirty.set(digest.page, { digest, at: digest.ts_ms });
    if (loaded.value || dirty.size < digest.pages) schedule();
    else flush();
  });
}

export function forgetFleet(): void {
  rows.clear();
  members.clear();
  dirty.clear();
  names.value = [];
  selected.value = new Set();
  fleetTotals.value = null;
  digestAt.value = null;
  loaded.value = false;
}

/** Age of the newest page; undefined before the first. */
export const dataAgeMs = computed(() => {
  void tick.value;
  void clockOffsetMs.value;
  return digestAt.value === null ? undefined : Math.max(0, fleetNow() - digestAt.value);
});

export const isStale = (row: Row): boolean => !online.value || row.bot.lost === true || fleetNow() - row.at > STALE_MS;
export const needsAttention = (bot: DigestBot): boolean => bot.ph === 'error' || bot.ph === 'waiting' || bot.ph === undefined || bot.lost === true;

export interface Totals { quote: string; equity: string; realised: string; bots: number }

/** Sums by quote asset, exact; different money is never added. The most used quote comes first. */
export const totals = computed(() => {
  void summed.value;
  void names.value;
  const sums = new Map<string, { equity: bigint; realised: bigint; bots: number }>();
  const phases = new Map<string, number>();
  let orders = 0;
  let attention = 0;
  let running = 0; // and heard
  for (const row of rows.values()) {
    const { bot } = row.peek();
    const { quote } = assets(bot.i);
    const sum = sums.get(quote) ?? { equity: 0n, realised: 0n, bots: 0 };
    sum.equity = add(sum.equity, parse(bot.eq ?? bot.pnl)) ?? sum.equity;
    sum.realised = add(sum.realised, parse(bot.pnl)) ?? sum.realised;
    sum.bots++;
    sums.set(quote, sum);
    phases.set(bot.ph ?? 'unknown', (phases.get(bot.ph ?? 'unknown') ?? 0) + 1);
    orders += bot.oo ?? 0;
    if (bot.ph === 'running' && !bot.lost) running++;
    if (needsAttention(bot)) attention++;
  }
  const byQuote: Totals[] = [...sums].sort((a, b) => b[1].bots - a[1].bots)
    .map(([quote, sum]) => ({ quote, equity: text(sum.equity), realised: text(sum.realised), bots: sum.bots }));
  return { byQuote, phases, running, orders, attention, bots: rows.size };
});

/* --- what is selected ----------------------------------------------------------------------------- */

export const selected = signal<ReadonlySet<string>>(new Set());
let anchor = '';

/** Adds or takes away a row; with `extend` all rows between the last one and this. */
export function pick(name: string, extend = false): void {
  const next = new Set(selected.value);
  const [from, to] = [view.value.indexOf(anchor), view.value.indexOf(name)];
  if (extend && from >= 0 && to >= 0) for (const each of view.value.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(each);
  else if (next.has(name)) next.delete(name);
  else next.add(name);
  anchor = name;
  selected.value = next;
}
names.subscribe((list) => { // who left the fleet is not selected any more
  const there = new Set(list);
  if ([...selected.peek()].some((name) => !there.has(name))) selected.value = new Set([...selected.peek()].filter((name) => there.has(name)));
});

/* --- what the table shows ------------------------------------------------------------------------ */

export type Column = 'bot' | 'state' | 'strategy' | 'instrument' | 'node' | 'price' | 'position' | 'pnl' | 'orders' | 'fills' | 'age';
export const sort = signal<{ column: Column; down: boolean }>({ column: 'bot', down: false });
export const query = signal('');
export const view = signal<string[]>([]);
export const holdOrder = signal(false); // pointer or focus in the table: live columns do not re-sort
const LIVE: ReadonlySet<Column> = new Set(['price', 'position', 'pnl', 'orders', 'fills', 'age', 'state']);

const KEY: Record<Column, (row: Row) => string | number> = {
  bot: (row) => rank.get(row.bot.n) ?? 0, state: (row) => row.bot.ph ?? '', strategy: (row) => row.bot.s,
  instrument: (row) => row.bot.i ?? '', node: (row) => row.bot.nd, price: (row) => approx(row.bot.px),
  position: (row) => approx(row.bot.pos), pnl: (row) => approx(row.bot.eq ?? row.bot.pnl),
  orders: (row) => row.bot.oo ?? 0, fills: (row) => row.bot.fills, age: (row) => -row.at,
};

const collator = new Intl.Collator('en', { numeric: true });
let rank = new Map<string, number>(); // of names as people sort them: the collator is asked when bots come or go, not for each draw
names.subscribe((list) => { rank = new Map([...list].sort(collator.compare).map((name, i) => [name, i])); });

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'string') return collator.compare(a, String(b));
  const left = Number.isNaN(a) ? -Infinity : a;
  const right = Number.isNaN(b) ? -Infinity : (b as number);
  return left - right;
}

/** Filters and sorts by what is known now. */
export function arrange(): void {
  const test = compile(query.value);
  const { column, down } = sort.value;
  const key = KEY[column];
  const list: { name: string; key: string | number }[] = [];
  for (const [name, row] of rows) {
    const { bot } = row.peek();
    const fits = test({
      name, node: bot.nd, strategy: bot.s, instrument: bot.i ?? '', phase: bot.ph ?? 'unknown', mode: bot.m ?? '',
      run: bot.run, reason: bot.rc, equity: bot.eq, realised: bot.pnl, position: bot.pos, price: bot.px,
      fills: String(bot.fills), orders: bot.oo === undefined ? undefined : String(bot.oo), age: String(Math.max(0, fleetNow() - row.peek().at)),
    });
    if (fits) list.push({ name, key: key(row.peek()) });
  }
  list.sort((a, b) => (down ? -1 : 1) * compare(a.key, b.key) || (rank.get(a.name) ?? 0) - (rank.get(b.name) ?? 0));
  const next = list.map((item) => item.name);
  if (next.length !== view.value.length || next.some((name, i) => name !== view.value[i])) view.value = next;
}

sort.subscribe(arrange);
query.subscribe(arrange);
names.subscribe(arrange);
setInterval(() => { // a live order moves at most once a second, and never under the pointer
  if ((LIVE.has(sort.value.column) || /[:=~<>]/.test(query.value)) && !holdOrder.value && !paused.value) arrange();
}, 1000);
