import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checks, perRound, preview } from '../src/lib/preview.ts';
import { breakEven, holding, split } from '../src/lib/pnl.ts';
import { drawdown } from '../src/lib/drawdown.ts';
import { csv } from '../src/lib/csv.ts';
import { visible } from '../src/lib/text.ts';

const rules = { tick: 0.1, notionalMin: 10, fee: 0.001 };
const grid = { lower: '100', upper: '110', levels: '10', budget: '1000', spacing: 'arithmetic' };

test('a grid buys at the lower bounds below the price and sells at the upper bounds above it', () => {
  const levels = preview('grid', grid, 104.5)!;
  assert.deepEqual(levels.filter((level) => level.buy).map((level) => level.price), [100, 101, 102, 103, 104]);
  assert.deepEqual(levels.filter((level) => !level.buy).map((level) => level.price), [106, 107, 108, 109, 110]);
  assert.equal(levels[0]!.quote, 100);
  assert.deepEqual(preview('grid', { ...grid, upper: '90' }, 104.5), []);
  assert.equal(preview('rsi', grid, 104.5), null);
});

test('what a round earns is after two fees, and the checks say what is wrong', () => {
  assert.ok(Math.abs(perRound(grid, rules)! - ((110 / 109) * (0.999 / 1.001) - 1) * 100) < 1e-9);
  const bad = checks('grid', { ...grid, levels: '200', budget: '200' }, 120, rules);
  assert.deepEqual(bad.filter((check) => !check.ok).map((check) => check.id).sort(), ['notional', 'range', 'round']);
  assert.ok(checks('grid', grid, 105, rules).every((check) => check.ok));
});

test('dca and quotes', () => {
  const levels = preview('dca', { amount: '50', take_profit_pct: '2', safety_orders: '2', safety_step_pct: '1', safety_step_scale: '2', safety_volume_scale: '2' }, 100)!;
  assert.deepEqual(levels.map((level) => [Math.round(level.price * 100) / 100, level.buy, level.quote]), [[102, false, 50], [99, true, 100], [97, true, 200]]);
  assert.deepEqual(preview('pmm_simple', { amount: '10', bid_spreads_bps: '20,40', ask_spreads_bps: '20' }, 1000)!.map((level) => Math.round(level.price)), [998, 996, 1002]);
});

test('the parts of a profit add up exactly, and break-even is where they come to nothing', () => {
  const parts = split({ realised: '-1.9', fees: { USDT: '2.000000000000000001', BNB: '0.1' } }, '0.4', 'USDT');
  assert.deepEqual([parts.total, parts.gross, parts.fees, parts.unrealised], ['-1.5', '0.100000000000000001', '2.000000000000000001', '0.4']);
  assert.deepEqual(parts.otherFees, [{ asset: 'BNB', paid: '0.1' }]);
  assert.equal(breakEven({ position: '0.5', cash: '-30000' }), '60000');
  assert.equal(breakEven({ position: '0', cash: '5' }), null);
  assert.equal(holding([{ ts_ms: 1, equity: '0', position: '0', price: '100' }], '1000', '110'), '100');
  assert.deepEqual(drawdown([{ time: 1, value: 1 }, { time: 2, value: 3 }, { time: 3, value: 2 }]).map((point) => point.value), [0, 0, -1]);
});

test('a spreadsheet runs nothing, and text of strangers cannot draw', () => {
  assert.equal(csv([['a,b', '=1+1', '-2.5', 'say "hi"']]), `"a,b",'=1+1,-2.5,"say ""hi"""\r\n`);
  assert.equal(visible('a\u001b[31m\u202eb'), 'a\\u001b[31m\\u202eb');
  assert.equal(visible('x'.repeat(10), 4), 'xxxx…');
});
