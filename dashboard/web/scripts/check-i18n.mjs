// Fails the build on a key that nobody uses, or that a view uses and no language has. That both languages
// have the same keys, tsc checks by type; that placeholders agree, this does.
import { readdirSync, readFileSync } from 'node:fs';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');
const read = (path) => readFileSync(join(src, path), 'utf8');
const table = (path) => new Map([...read(path).matchAll(/^ {2}'([^']+)': '((?:[^'\\]|\\.)*)',$/gm)].map((m) => [m[1], m[2]]));
const files = (folder) => readdirSync(join(src, folder), { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? (['i18n', 'gen'].includes(entry.name) ? [] : files(join(folder, entry.name)))
    : /\.tsx?$/.test(entry.name) ? [join(folder, entry.name)] : []);

const en = table('i18n/en.ts');
const zh = table('i18n/zh.ts');
const code = files('').map(read).join('\n');
const problems = [];

const stems = new Set([...code.matchAll(/(?:word|plural)\('([\w.]+)'|`([a-z][\w.]*)\.\$\{/g)].map((m) => m[1] ?? m[2]));
for (const key of en.keys()) {
  const dynamic = [...stems].some((stem) => key.startsWith(stem + '.'));
  if (!code.includes(`'${key}'`) && !dynamic) problems.push(`nobody uses ${key}`);
  const holes = (text) => [...(text ?? '').matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join();
  if (!zh.has(key)) problems.push(`zh lacks ${key}`);
  else if (holes(en.get(key)) !== holes(zh.get(key))) problems.push(`${key}: other placeholders in zh`);
}
for (const key of zh.keys()) if (!en.has(key)) problems.push(`en lacks ${key}`);
for (const [, key] of code.matchAll(/\bt\('([\w.]+)'/g)) if (!en.has(key)) problems.push(`no language has ${key}`);
if (en.size < 50) problems.push('the tables were not understood');

if (problems.length) {
  console.error(problems.map((problem) => `i18n: ${problem}`).join('\n'));
  process.exit(1);
}
