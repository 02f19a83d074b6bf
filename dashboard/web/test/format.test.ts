import { test } from 'node:test';
import assert from 'node:assert/strict';
import { age, assets, bytes, decimal, money, NONE, sign } from '../src/lib/format.ts';

test('prices keep their digits and get their thousands', () => {
  assert.equal(decimal('64123.1'), '64,123.1');
  assert.equal(decimal('1234567'), '1,234,567');
  assert.equal(decimal('0.00000001'), '0.00000001');
  assert.equal(decimal('100'), '100');
});

test('money has a sign and fixed places, zero has none, a rounded one neither', () => {
  assert.equal(money('11.538153', 'USDT'), '+11.54');
  assert.equal(money('-0.001', 'USDT'), '0.00');
  assert.equal(money('0', 'USDT'), '0.00');
  assert.equal(money('-3.1', 'USDT'), '\u22123.10');
  assert.equal(money('0.00123456', 'BTC'), '+0.001235');
  assert.equal(money(undefined, 'USDT'), NONE);
});

test('a value that is no decimal is shown as it came, never as a number', () => {
  assert.equal(decimal('1e400'), '1e400');
  assert.equal(decimal(''), NONE);
});

test('the sign of a value comes from its digits', () => {
  assert.deepEqual([sign('0.0'), sign('-0.000000000000000001'), sign('5'), sign(undefined)], [0, -1, 1, 0]);
});

test('ages stay short', () => {
  assert.deepEqual([age(230), age(14000), age(100000), age(7200000), age(5 * 86400000), age(-50), age(undefined)],
    ['0.2 s', '14 s', '2 min', '2 h', '5 d', '0.0 s', NONE]);
});

test('an instrument has a base and a quote', () => {
  assert.deepEqual(assets('BTC-USDT-PERP'), { base: 'BTC', quote: 'USDT' });
  assert.equal(bytes(18e6), '17.2 MB');
});
