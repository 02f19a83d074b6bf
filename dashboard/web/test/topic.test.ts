import { test } from 'node:test';
import assert from 'node:assert/strict';
import { isLevel, isName, matches, root } from '../src/lib/topic.ts';
import { compile } from '../src/lib/filter.ts';

test('filters match as MQTT says', () => {
  const rows: [string, string, boolean][] = [
    ['a/b', 'a/b', true], ['a/+', 'a/b', true], ['a/+', 'a/b/c', false], ['a/#', 'a/b/c', true], ['a/#', 'a', true], ['#', 'a/b', true],
    ['+/b', 'a/b', true], ['+', 'a/b', false], ['a/b', 'a/c', false], ['a/b/c', 'a/b', false], ['n/+/b/x/live', 'n/node-1/b/x/live', true],
    ['n/+/b/x/live', 'n/node-1/b/x2/live', false],
  ];
  for (const [filter, topic, want] of rows) assert.equal(matches(filter, topic), want, `${filter} ~ ${topic}`);
});

test('names cannot carry wildcards or levels', () => {
  for (const bad of ['a/b', '+', '#', '', 'A', '-a', 'a'.repeat(33)]) assert.ok(!isName(bad), bad);
  assert.ok(isName('btc-grid-1') && isLevel('BTC-USDT') && !isLevel('a.b'));
  assert.equal(root('main'), 'flt/v1/main/');
});

test('the fleet filter takes words and key:value, all of which must match', () => {
  const row = { name: 'btc-grid-1', node: 'node-2', strategy: 'grid', instrument: 'BTC-USDT', phase: 'running', mode: 'live' };
  for (const yes of ['', 'btc', 'grid node:node-2', 'state:run pair:usdt', 'GRID', 'mode:live']) assert.ok(compile(yes)(row), yes);
  for (const no of ['eth', 'node:btc', 'btc state:error', 'unknown:btc']) assert.ok(!compile(no)(row), no);
});
