import { test } from 'node:test';
import assert from 'node:assert/strict';
import { bucket, merge, move, type Bar } from '../src/lib/candles.ts';

const bar = (time: number, close: number): Bar => ({ time, open: close, high: close, low: close, close, volume: 1 });

test('a price moves the last candle, and opens the next when its time has come', () => {
  const first = move(bar(60, 100), 103, 65000, 60)!;
  assert.deepEqual({ high: first.high, low: first.low, close: first.close, time: first.time }, { high: 103, low: 100, close: 103, time: 60 });
  const next = move(first, 99, 121000, 60)!;
  assert.deepEqual(next, { time: 120, open: 103, high: 103, low: 99, close: 99, volume: 0 });
});

test('a price from before the last candle, or none, changes nothing', () => {
  assert.equal(move(bar(120, 100), 90, 65000, 60), null);
  assert.equal(move(bar(120, 100), NaN, 125000, 60), null);
});

test('newer candles lie over older ones by time', () => {
  assert.deepEqual(merge([bar(0, 1), bar(60, 2), bar(120, 3)], [bar(60, 9), bar(120, 8)]).map((b) => b.close), [1, 9, 8]);
  assert.deepEqual(merge([bar(0, 1)], []).map((b) => b.close), [1]);
  assert.equal(bucket(3599999, 3600), 0);
});
