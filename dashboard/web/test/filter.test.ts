import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { compile, type Filterable } from '../src/lib/filter.ts';

interface Vectors { rows: Record<string, string>[]; cases: { query: string; bots: string[] }[] }

// VECTORS: set by scripts/test.mjs
const vectors = JSON.parse(readFileSync(`${process.env.VECTORS}/filter.json`, 'utf8')) as Vectors;

test('the filter keeps the bots that the command line keeps', () => {
  assert.ok(vectors.cases.length > 30);
  const rows = vectors.rows.map((row) => ({ ...row, name: row.bot, phase: row.state } as unknown as Filterable));
  for (const { query, bots } of vectors.cases) {
    const fits = compile(query);
    assert.deepEqual(rows.filter(fits).map((row) => row.name), bots, query);
  }
});
