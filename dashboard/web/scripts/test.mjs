// The page's pure pieces under node:test: compiled by tsc into a folder of the build, run, printed as TAP.
// Usage: node test.mjs OUT_DIR
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = process.argv[2];
rmSync(out, { recursive: true, force: true });
execFileSync(join(web, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.test.json', '--outDir', out], { cwd: web, stdio: 'inherit' });
const { writeFileSync } = await import('node:fs');
writeFileSync(join(out, 'package.json'), '{ "type": "module" }\n');
const files = readdirSync(join(out, 'test')).filter((name) => name.endsWith('.test.js')).sort();
let count = 0;
let failed = 0;
for (const name of files) { // one file after the other: each prints its own plan, so count them into one
  const run = spawnSync(process.execPath, ['--test-reporter=tap', join(out, 'test', name)],
    { encoding: 'utf8', env: { ...process.env, VECTORS: join(web, '../../tests/vectors') } });
  const rows = run.stdout.split('\n').filter((line) => /^(not )?ok \d+ - /.test(line));
  for (const row of rows) console.log(row.replace(/^((?:not )?ok) \d+ - /, (_, word) => `${word} ${++count} - ${name}: `));
  if (run.status !== 0) {
    failed++;
    console.log((run.stdout + run.stderr).split('\n').map((line) => `# ${line}`).join('\n'));
    if (!rows.some((row) => row.startsWith('not'))) console.log(`not ok ${++count} - ${name}`);
  }
}
console.log(`1..${count}`);
process.exit(failed || !count ? 1 : 0);
