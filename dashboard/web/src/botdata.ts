// Everything the bot page knows of one bot: asked once, then kept live by the topics that a watch opens.
import { effect, signal, untracked, type Signal } from '@preact/signals';
import { body, listen, online, request, returned, tenantRoot } from './bus/session.ts';
import { reasonOf } from './actions.ts';
import { bucket, merge, move, TIMEFRAMES, toBar, type Bar, type Timeframe } from './lib/candles.ts';
import type { BotShowResult, EquityPoint, Fill, LogRow, NFill, NLive, NLog, NState, Order } from './types.ts';

const WATCH_TTL_S = 60;
const WATCH_RENEW_MS = 30000;
const FILLS_MAX = 2000;
const LOG_MAX = 1000;
const CANDLES = 500;
const PAGE = 100;
const AGAIN_MS = 3000;

export interface BotData {
  name: string;
  topic: string;                   // root of the tenant's topics
  show: Signal<BotShowResult | null>;
  state: Signal<NState | null>;
  live: Signal<NLive | null>;
  liveAt: Signal<number>;          // browser time of the last live message
  orders: Signal<Order[] | null>;
  fills: Signal<Fill[] | null>;    // newest first
  nextFill: Signal<number | null>; // where the next page of fills starts
  log: Signal<LogRow[] | null>;    // newest last
  equity: Signal<EquityPoint[] | null>;
  timeframe: Signal<Timeframe>;
  bars: Signal<Bar[] | null>;
  lastBar: Signal<Bar | null>;
  problem: Signal<string | null>;  // why the bot could not be shown
  missing: Signal<boolean>;
  chartProblem: Signal<string | null>;
  load(): Promise<void>;
  loadCandles(): Promise<void>;
  moreFills(): Promise<void>;
  stop(): void;
}

const sameFill = (a: Fill, b: Fill): boolean => a.trade_id === b.trade_id && a.order_id === b.order_id && a.instrument === b.instrument;

export function openBot(name: string): BotData {
  const data: BotData = {
    name, topic: tenantRoot.peek(), show: signal(null), state: signal(null), live: signal(null), liveAt: signal(0), orders: signal(null), fills: signal(null),
    nextFill: signal(null), log: signal(null), equity: signal(null), timeframe: signal('1m'), bars: signal(null), lastBar: signal(null),
    problem: signal(null), missing: signal(false), chartProblem: signal(null),
    load, loadCandles, moreFills, stop,
  };
  let ended = false;
  const stops = [
    listen(`n/+/b/${name}/state`, (message) => {
      const state = body<NState>(message);
      if (state && (data.state.peek()?.epoch ?? 0) <= (state.epoch ?? 0)) data.state.value = state; // an old node's word does not count
    }, 1),
    listen(`n/+/b/${name}/live`, (message) => onLive(body<NLive>(message), message.at)),
    listen(`n/+/b/${name}/fill`, (message) => {
      const word = body<NFill>(message);
      if (word) addFills([word.fill]);
    }),
    listen(`n/+/b/${name}/log`, (message) => {
      const word = body<NLog>(message);
      if (word) data.log.value = [...(data.log.value ?? []), word.line].slice(-LOG_MAX);
    }),
  ];
  const renew = setInterval(() => void watch(), WATCH_RENEW_MS);
  let retry: ReturnType<typeof setTimeout> | undefined;
  const again = effect(() => {
    void returned.value;
    if (online.value) void untracked(load);
  });

  function stop(): void {
    ended = true;
    clearInterval(renew);
    clearTimeout(retry);
    again();
    for (const end of stops) end();
  }

  async function watch(): Promise<void> {
    if (online.value && !document.hidden) await request('bot-watch', { bot: name, ttl_s: WATCH_TTL_S });
  }

  function onLive(live: NLive | null, at: number): void {
    if (!live) return;
    data.live.value = live;
    data.liveAt.value = at;
    if (live.orders) data.orders.value = live.orders;
    const price = Number(live.price);
    const seconds = TIMEFRAMES[data.timeframe.value];
    const before = data.lastBar.value;
    const next = data.bars.value && move(before ?? undefined, price, live.ts_ms, seconds);
    if (next) {
      data.lastBar.value = next;
      if (before && next.time > before.time) void refreshTail();
    }
    const points = data.equity.value;
    const newest = points?.[points.length - 1];
    if (points && live.equity !== undefined && (!newest || live.ts_ms - newest.ts_ms >= 1000))
      data.equity.value = [...points, { ts_ms: live.ts_ms, equity: live.equity, position: live.book?.position ?? '0', ...(live.price === undefined ? {} : { price: live.price }) }].slice(-3000);
  }

  function addFills(newer: Fill[]): void {
    const known = data.fills.value ?? [];
    const fresh = newer.filter((fill) => !known.some((old) => sameFill(old, fill)));
    if (fresh.length) data.fills.value = [...known, ...fresh].sort((a, b) => b.ts_ms - a.ts_ms).slice(0, FILLS_MAX);
  }

  async function load(): Promise<void> {
    clearTimeout(retry);
    const answer = await request('bot-show', { bot: name });
    if (ended) return;
    if (answer.kind === 'unknown') retry = setTimeout(() => void load(), AGAIN_MS);
    if (answer.kind !== 'ok') {
      data.missing.value = answer.kind === 'error' && answer.error.code === 'not_found';
      if (!data.show.value) data.problem.value = reasonOf(answer);
      return;
    }
    data.problem.value = null;
    data.missing.value = false;
    data.show.value = answer.result;
    if (answer.result.state && !data.state.value) data.state.value = answer.result.state as NState;
    await Promise.all([watch(), loadCandles(), loadOrders(), loadFills(), loadLog(), loadEquity()]);
  }

  async function loadOrders(): Promise<void> {
    const answer = await request('bot-orders', { bot: name });
    if (!ended && answer.kind === 'ok' && !data.live.value) data.orders.value = answer.result.orders;
    else if (!ended && !data.orders.value) data.orders.value = data.live.value?.orders ?? [];
  }

  async function loadFills(): Promise<void> {
    const answer = await request('bot-fills', { bot: name, limit: PAGE });
    if (ended) return;
    if (answer.kind === 'ok') {
      addFills(answer.result.items);
      data.nextFill.value = answer.result.next ?? null;
    }
    data.fills.value ??= [];
  }

  async function moreFills(): Promise<void> {
    const after = data.nextFill.value;
    if (after === null) return;
    const answer = await request('bot-fills', { bot: name, limit: PAGE, after });
    if (ended || answer.kind !== 'ok') return;
    addFills(answer.result.items);
    data.nextFill.value = answer.result.next ?? null;
  }

  async function loadLog(): Promise<void> {
    const answer = await request('bot-logs', { bot: name, limit: PAGE });
    if (!ended) data.log.value = answer.kind === 'ok' ? [...answer.result.lines].sort((a, b) => a.ts_ms - b.ts_ms) : data.log.value ?? [];
  }

  async function loadEquity(): Promise<void> {
    const answer = await request('bot-equity', { bot: name, limit: 1000 });
    if (!ended) data.equity.value = answer.kind === 'ok' ? answer.result.points : data.equity.value ?? [];
  }

  function where(): { venue: string; instrument: string } | null {
    const row = data.show.value?.bot;
    return row?.instrument ? { venue: row.venue ?? 'binance', instrument: row.instrument } : null;
  }

  async function loadCandles(): Promise<void> {
    const at = where();
    const timeframe = data.timeframe.value;
    if (!at) return;
    const answer = await request('candles', { ...at, timeframe, limit: CANDLES });
    if (ended || timeframe !== data.timeframe.value) return;
    if (answer.kind !== 'ok') {
      data.chartProblem.value = reasonOf(answer);
      data.bars.value ??= [];
      return;
    }
    data.chartProblem.value = null;
    data.bars.value = answer.result.candles.map(toBar);
    data.lastBar.value = data.bars.value[data.bars.value.length - 1] ?? null;
  }

  /** A candle has closed: take the venue's word for it in place of what was drawn from prices. */
  async function refreshTail(): Promise<void> {
    const at = where();
    const timeframe = data.timeframe.value;
    if (!at) return;
    const answer = await request('candles', { ...at, timeframe, limit: 3 });
    if (ended || answer.kind !== 'ok' || timeframe !== data.timeframe.value) return;
    const live = data.lastBar.value;
    const newer = answer.result.candles.map(toBar);
    const tail = newer[newer.length - 1];
    const merged = merge(data.bars.value ?? [], newer);
    data.bars.value = live && tail && live.time > tail.time ? [...merged, live] : merged;
  }

  return data;
}

export const fillTime = (fill: Fill, timeframe: Timeframe): number => bucket(fill.ts_ms, TIMEFRAMES[timeframe]);
