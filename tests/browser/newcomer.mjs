// A newcomer's walk in a real fleet: sign in, a grid bot in four clicks, why it stopped, its fills as CSV.
// Usage: newcomer.mjs URL USER PASSWORD --dir FOLDER --flotilla PROGRAM (fleet.py gives them)
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { Rig, Tap, until } from './rig.mjs';
import { openPage, phaseIs, proposed, says, signIn } from './steps.mjs';

const [url, user, password, ...options] = process.argv.slice(2);
const option = (name) => options[options.indexOf(name) + 1];
const flotilla = (...words) => {
  const done = spawnSync(option('--flotilla'), ['--dir', option('--dir'), '-o', 'json', ...words], { encoding: 'utf8', timeout: 120000, env: { FLOTILLA_TIMEOUT: '30s', ...process.env } });
  assert.equal(done.status, 0, done.stderr);
  return JSON.parse(done.stdout);
};
const tap = new Tap();
const rig = new Rig();
let bot;
try {
  const page = await openPage(await rig.startBrowser());
  await tap.test('sign in, and a grid bot in four clicks', async () => {
    await signIn(page, url, user, password);
    await page.waitForSelector('table.fleet tbody a');
    await page.click('a.btn.primary[href="#/deploy"]');
    await page.locator('.strategies button', { has: page.locator('b:text-is("grid")') }).click();
    await page.waitForSelector('.strategies button[aria-pressed=true] b:text-is("grid")');
    await proposed(page);
    await page.click('[data-testid=check]');
    await page.waitForSelector('[data-testid=checked]');
    bot = await page.inputValue('input[name=name]');
    await page.click('[data-testid=deploy]');
    await page.waitForFunction((want) => location.hash === `#/bot/${want}`, bot);
    await phaseIs(page, 'running');
  });
  await tap.test('why it stopped is said on its page, in words and with the numbers', async () => {
    await page.waitForFunction(() => Number(document.querySelector('[data-testid=bot-fills]')?.textContent) > 0);
    const spec = flotilla('bot', 'show', bot).spec;
    const params = Object.entries(spec.params).flatMap(([key, value]) => ['--param', `${key}=${value}`]);
    flotilla('bot', 'deploy', '--name', bot, '--strategy', 'grid', '--account', spec.account, '--instrument', spec.instrument, ...params, '--risk', 'max_daily_loss=0.001');
    await says(page, '.banner', /lost [\d.]+ since .* the limit is 0\.001/);
  });
  await tap.test('its fills come as CSV, the same trades as the command line tells', async () => {
    await page.click('#tab-fills');
    await page.waitForSelector('[data-testid=grid-bot-fills] tbody tr');
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('[data-testid=csv-bot-fills]')]);
    const [head, ...lines] = fs.readFileSync(await file.path(), 'utf8').replace(/^\ufeff/, '').trim().split('\r\n').map((line) => line.split(','));
    assert.ok(lines.length > 0 && head.length === 8, `${head}`);
    const told = () => { const found = flotilla('fills', bot); return Array.isArray(found) ? found : found.items; };
    const rows = await until('all of them in the books', () => { const all = told(); return lines.every((line) => all.some((each) => String(each.trade_id) === line.at(-1))) && all; });
    for (const line of lines) {
      const fill = rows.find((each) => String(each.trade_id) === line.at(-1));
      assert.deepEqual(line.slice(2, 4), [fill.price, fill.qty]);
    }
  });
  await tap.test('a node says how its clock and its venue stand; the market has bid, ask and spread', async () => {
    await page.evaluate(() => { location.hash = '#/node/node-1'; });
    await page.waitForFunction(() => /[0-9] ms/.test([...document.querySelectorAll('.facts-grid div')].find((div) => /Clock/.test(div.textContent))?.textContent ?? ''));
    await page.waitForSelector('.links .ns-up');
    await page.evaluate(() => { location.hash = '#/market'; });
    await page.waitForFunction(() => [...document.querySelectorAll('[data-testid=grid-market] tbody tr')].some(({ children }) => [3, 4, 5].every((at) => /[0-9]/.test(children[at].textContent))));
  });
  await tap.test('it is stopped with its position closed, and removed once it rests', async () => {
    await page.evaluate((name) => { location.hash = `#/bot/${name}`; }, bot);
    await page.click('[data-testid=stop]');
    await page.check('[data-testid=stop-form] label:nth-of-type(2) input');
    await page.click('[data-testid=stop-form] button.danger');
    await page.click('[data-testid=remove]'); // not before it can be
    await page.click('[data-testid=remove-form] button.danger');
    await page.waitForFunction(() => location.hash === '#/fleet');
    await until('it is off the list', () => !flotilla('bot', 'ls').items.some((row) => row.bot === bot));
  });
  await tap.test('no script failed', () => assert.deepEqual(page.problems, []));
} finally {
  await rig.stop();
}
tap.done();
