// What the page weighs, gzipped, against its budget; over it, the build fails. Usage: sizes.mjs DIST
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const KB = 1024;
const BUDGET = { first: 130 * KB, view: 10 * KB, chart: 60 * KB };
const dist = process.argv[2];
const manifest = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8'));
const size = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
const kb = (bytes) => `${(bytes / KB).toFixed(1)} KB`.padStart(9);

/** A chunk with all it imports at once, and their styles. */
function closure(key, seen = new Set()) {
  const { file, css = [], imports = [] } = manifest[key];
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const style of css) seen.add(style);
  for (const each of imports) closure(each, seen);
  return seen;
}
const sum = (files) => [...files].reduce((total, file) => total + size(file), 0);

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const first = closure(entry);
const worker = readdirSync(join(dist, 'assets')).find((name) => /^worker-.*\.js$/.test(name));
const language = closure('src/i18n/en.ts');
const total = sum(new Set([...first, ...language, `assets/${worker}`])) + size('index.html') + size('theme.js');
const rows = [['first load (with mqtt.js)', total, BUDGET.first]];
for (const key of Object.keys(manifest).filter((name) => /^src\/(views|chart)\//.test(name) && manifest[name].isDynamicEntry).sort()) {
  const own = [...closure(key)].filter((file) => !first.has(file));
  rows.push([key, sum(own), key.startsWith('src/chart/') ? BUDGET.chart : BUDGET.view]);
}
for (const [what, bytes, limit] of rows) console.log(`${kb(bytes)} of ${kb(limit)}  ${what}`);
const over = rows.filter(([, bytes, limit]) => bytes > limit);
if (over.length || rows.length < 4) {
  console.error(over.map(([what]) => `sizes: ${what} is over its budget`).join('\n') || 'sizes: the manifest was not understood');
  process.exit(1);
}
