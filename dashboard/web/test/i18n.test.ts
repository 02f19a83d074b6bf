import { test } from 'node:test';
import assert from 'node:assert/strict';
import { en } from '../src/i18n/en.ts';
import { zh } from '../src/i18n/zh.ts';

test('both languages have the same keys, none empty', () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  for (const [key, text] of Object.entries({ ...en, ...zh })) assert.ok(text.trim() !== '', key);
});

test('Chinese is Chinese: only names, units and commands stay Latin', () => {
  const same = Object.keys(en).filter((key) => en[key as keyof typeof en] === zh[key as keyof typeof zh]);
  assert.deepEqual(same.sort(), ['liq.unknown']);
});
