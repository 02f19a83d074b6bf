import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { params, strategies } from '../src/i18n/strategies.ts';

const folder = `${process.env.VECTORS}/../../strategies`;
const source = readdirSync(folder).filter((name) => /\.[ch]$/.test(name)).map((name) => readFileSync(`${folder}/${name}`, 'utf8')).join('\n');
const helps = [...source.matchAll(/\.help\s*=[\s\\]*((?:"(?:[^"\\]|\\.)*"[\s\\]*)+)/g)].map(([, text]) => [...text!.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, part]) => part).join(''));
const names = [...source.matchAll(/\bPARAM\((\w+),/g)].map(([, name]) => name!);

test('every sentence and parameter of the strategies is there in Chinese (src/i18n/strategies.ts)', () => {
  assert.ok(helps.length > 20 && names.length > 20, `${helps.length} sentences and ${names.length} parameters found`);
  assert.deepEqual([...new Set(helps)].filter((help) => !(help in strategies)), []);
  assert.deepEqual([...new Set(names)].filter((name) => !(name in params) && name.length > 1), []);
});

test('and none that no strategy says any more', () => {
  assert.deepEqual(Object.keys(strategies).filter((help) => !helps.includes(help)), []);
});
