import { test } from 'node:test';
import assert from 'node:assert/strict';
import { check, encodeAll, fieldPath, freeName, nearPrice } from '../src/lib/form.ts';
import type { Param } from '../src/gen/messages.ts';

const levels: Param = { name: 'levels', type: 'int', default: '20', min: '2', max: '200', help: '' };
const lower: Param = { name: 'lower', type: 'decimal', min: '0', help: '' };
const wait: Param = { name: 'wait', type: 'duration', default: '1h', help: '' };
const maker: Param = { name: 'maker', type: 'bool', default: 'true', help: '' };
const ratio: Param = { name: 'ratio', type: 'double', default: '1.5', help: '' };

test('a field says what is wrong with it', () => {
  assert.deepEqual(check(lower, ''), { kind: 'required' });
  assert.equal(check(levels, ''), null);
  assert.deepEqual(check(levels, '1'), { kind: 'min', min: '2' });
  assert.deepEqual(check(levels, '201'), { kind: 'max', max: '200' });
  assert.deepEqual(check(levels, '2.5'), { kind: 'whole' });
  assert.deepEqual(check(lower, '1e5'), { kind: 'number' });
  assert.deepEqual(check(lower, '-1'), { kind: 'min', min: '0' });
  assert.equal(check(wait, '30s'), null);
  assert.deepEqual(check(wait, 'soon'), { kind: 'number' });
});

test('values are written as a manifest writes them, a price never as a double', () => {
  assert.deepEqual(encodeAll([levels, lower, wait, maker, ratio], { levels: ' 40 ', lower: '64123.123456789012', wait: '5m', maker: 'false', ratio: '' }),
    { levels: 40, lower: '64123.123456789012', wait: '5m', maker: false });
});

test('a path of the controller finds its field', () => {
  assert.equal(fieldPath('bot.params.levels'), 'params.levels');
  assert.equal(fieldPath('args.bot.account'), 'account');
  assert.equal(fieldPath('bots[2].params.weights[3]'), 'params.weights');
  assert.equal(fieldPath(undefined), '');
});

test('a suggested name is free and a valid one', () => {
  assert.equal(freeName('BTC', 'sma_cross', new Set()), 'btc-sma-cross');
  assert.equal(freeName('BTC', 'grid', new Set(['btc-grid', 'btc-grid-2'])), 'btc-grid-3');
});

test('a suggested price lies on the tick', () => {
  assert.equal(nearPrice(64123.1, 0.97, '0.1'), '62200');
  assert.equal(nearPrice(0.00001234, 1.03, '0.00000001'), '0.0000127');
});
