// Candles as the chart wants them, and how a live price moves the last one.
import type { Candle } from '../gen/messages.ts';

export interface Bar { time: number; open: number; high: number; low: number; close: number; volume: number }

export const TIMEFRAMES = { '1m': 60, '5m': 300, '15m': 900, '1h': 3600 } as const;
export type Timeframe = keyof typeof TIMEFRAMES;

export const toBar = (candle: Candle): Bar => ({
  time: Math.floor(candle.ts_ms / 1000), open: Number(candle.open), high: Number(candle.high), low: Number(candle.low),
  close: Number(candle.close), volume: Number(candle.volume),
});

export const bucket = (tsMs: number, seconds: number): number => Math.floor(tsMs / 1000 / seconds) * seconds;

/** The last bar after a price at `tsMs`, a new one when its time is over; null: the price is from before. */
export function move(last: Bar | undefined, price: number, tsMs: number, seconds: number): Bar | null {
  const time = bucket(tsMs, seconds);
  if (!Number.isFinite(price)) return null;
  if (!last || time > last.time) return { time, open: last?.close ?? price, high: Math.max(last?.close ?? price, price), low: Math.min(last?.close ?? price, price), close: price, volume: 0 };
  if (time < last.time) return null;
  return { ...last, high: Math.max(last.high, price), low: Math.min(last.low, price), close: price };
}

/** Newer candles laid over what is there, by time. */
export function merge(bars: readonly Bar[], newer: readonly Bar[]): Bar[] {
  const first = newer[0];
  if (!first) return [...bars];
  return [...bars.filter((bar) => bar.time < first.time), ...newer];
}
