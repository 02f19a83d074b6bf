import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { told } from '../src/i18n/told.ts';
import { reader } from '../src/lib/told.ts';

const root = `${process.env.VECTORS}/../..`;
const folders = ['botnode', 'controller', 'engine', 'schemas', 'strategies'];
const source = folders.flatMap((folder) => readdirSync(`${root}/${folder}`).filter((name) => name.endsWith('.c')).map((name) => readFileSync(`${root}/${folder}/${name}`, 'utf8'))).join('\n');
const HOLE = /%[-0-9.]*(?:ll|l|z)?[sdugxf]/g;
const one = (text: string): string => text.replace(HOLE, '%s').replace(/%[tp]/g, '%s').replace(/(%s)+/g, '%s');
/** String literals as the compiler joins them, holes alike; what stands side by side is one hole. */
const literals = new Set([...source.matchAll(/"(?:[^"\\\n]|\\.)*"(?:\s*(?:PRI\w+|"(?:[^"\\\n]|\\.)*"))*/g)].map(([whole]) =>
  one([...whole.matchAll(/"((?:[^"\\\n]|\\.)*)"|PRI\w+/g)].map(([, part]) => part ?? 'd').join('').replace(/\\(.)/g, '$1'))));

test('each sentence of the table is written somewhere (change or drop its row in src/i18n/told.ts)', () => {
  assert.ok(literals.size > 1000, `${literals.size} literals found`);
  assert.deepEqual(Object.keys(told).filter((row) => !literals.has(one(row))), []);
});

test('and each Chinese one has all that the English one says', () => {
  const left = (text: string): number => text.replaceAll('%%', '').match(/%[stp]/g)?.length ?? 0;
  for (const [english, chinese] of Object.entries(told)) {
    if (english.includes('its clock is %t')) continue; // before or behind: the figure is on the node's page
    const used = new Set([...chinese.matchAll(/%(\d)/g)].map(([, n]) => Number(n)));
    assert.deepEqual([...used].sort(), Array.from({ length: left(english) }, (_, i) => i + 1), english);
    assert.ok(/\p{Script=Han}/u.test(chinese), english);
  }
});

test('a sentence is read with its names, and what is not known stays', () => {
  const read = reader(told, (name) => (name === 'stopping' ? '停止中' : name === 'trader' ? '交易员' : name));
  assert.equal(read('there is no bot btc-grid'), '没有机器人 btc-grid');
  assert.equal(read('lost 12.50 since 00:00 UTC, the limit is 10'), '自 00:00 UTC 起亏损 12.50，限额为 10');
  assert.equal(read('btc-1 is stopping'), 'btc-1 的状态为“停止中”');
  assert.equal(read('a step of 0.03% does not cover two fees of 0.1%'), '0.03% 的格距不足以覆盖两次 0.1% 的手续费');
  assert.equal(read('node-1: no market data from binance'), 'node-1：没有收到行情：binance');
  assert.equal(read('btc-1 waits: waits for the keys of account main'), 'btc-1 在等待：等待账户 main 的密钥');
  assert.equal(read('the disk is full'), undefined);
  assert.equal(read('btc is a coin'), undefined);
  assert.equal(read(''), undefined);
});
