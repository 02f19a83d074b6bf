import { test } from 'node:test';
import assert from 'node:assert/strict';
import { parse, round, text } from '../src/lib/dec.ts';

test('a decimal goes in and out without a digit lost', () => {
  for (const exact of ['0', '1', '-1', '64123.1', '0.000000000000000001', '-0.5', '170000000000000000000.123456789012345678'])
    assert.equal(text(parse(exact)!), exact);
});

test('what is not a plain decimal is refused', () => {
  for (const bad of ['', '1e5', '.5', '5.', '+1', '1,000', 'NaN', '1.1234567890123456789', ' 1', null, undefined]) assert.equal(parse(bad), null);
});

test('a sum of tenths is exact, as doubles are not', () => {
  let sum = 0n;
  for (let i = 0; i < 10; i++) sum += parse('0.1')!;
  assert.equal(text(sum), '1');
});

test('rounding goes half away from zero, both ways', () => {
  assert.equal(text(round(parse('1.005')!, 2)), '1.01');
  assert.equal(text(round(parse('-1.005')!, 2)), '-1.01');
  assert.equal(text(round(parse('1.0049')!, 2)), '1');
  assert.equal(text(round(parse('-0.004')!, 2)), '0');
});
