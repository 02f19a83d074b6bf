// Bad days of a real fleet, under an open page: its broker, controller or a node is killed, a password changes, the
// clock of a browser is wrong. The one who would start again what was killed is stopped meanwhile, so that nothing
// here is a race; it goes on afterwards, and the page has to come back by itself.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { until } from './rig.mjs';
import { count, isOff, isOn, openPage, phaseIs, says as told, shot, signIn } from './steps.mjs';

const LONG = { timeout: 90000 };
const HOUR_MS = 3600000;

const text = (page, selector) => page.evaluate((where) => [...document.querySelectorAll(where)].map((el) => el.textContent).join(' | '), selector);
const says = (page, selector, words) => told(page, selector, words, LONG);
/** 3.2 s, 4 min: as milliseconds. */
const span = (words) => { const [, n, unit] = /([\d.]+) (ms|s|min|h|d)/.exec(words) ?? []; return Number(n) * { ms: 1, s: 1000, min: 60000, h: HOUR_MS, d: 24 * HOUR_MS }[unit]; };

class Fleet {
  constructor(program, dir) {
    this.program = program;
    this.dir = dir;
  }

  cli(...words) {
    const done = spawnSync(this.program, ['--dir', this.dir, '-o', 'json', ...words], { encoding: 'utf8', timeout: 120000, env: { FLOTILLA_TIMEOUT: '30s', ...process.env } });
    assert.equal(done.status, 0, done.stderr);
    return done.stdout.trim() ? JSON.parse(done.stdout) : null;
  }

  /** The process that runs under this name now: one that died a moment ago is started again, with another pid. */
  pid(name) {
    return until(`a process ${name}`, () => {
      const pid = Number(fs.readFileSync(`${this.dir}/run/${name}.pid`, 'utf8').split(' ')[0]);
      const state = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)[0]; // no such process: it is asked again
      return state !== 'Z' && state !== 'X' && pid;
    });
  }

  /** Runs `then` with one process killed and nobody to start it again; afterwards somebody does. */
  async without(name, then) {
    const [up, pid] = [await this.pid('up'), await this.pid(name)];
    process.kill(up, 'SIGSTOP');
    try {
      process.kill(pid, 'SIGKILL');
      await then();
    } finally { process.kill(up, 'SIGCONT'); }
  }

  /** Bots of this node stay with it, however long it is away. */
  keepOn(node) {
    const bots = this.cli('bot', 'ls').items.filter((row) => row.node === node).map((row) => this.cli('bot', 'show', row.bot).spec);
    const file = `${this.dir}/sticky.json`;
    fs.writeFileSync(file, JSON.stringify({ bots: bots.map((spec) => ({ ...spec, placement: { ...spec.placement, failover: 'sticky' } })) }));
    this.cli('apply', '-f', file, '--yes');
    return bots.length;
  }

  audited(verb, bot) { return this.cli('audit', '--verb', verb, '--target', bot).items.length; }
}

/** A browser whose clock is off, in the page and in its worker. */
async function withClock(browser, skewMs) {
  const page = await openPage(browser);
  const shift = `{ const Real = Date, now = () => Real.now() + ${skewMs}; globalThis.Date = new Proxy(Real, { construct: (real, a) => new real(...(a.length ? a : [now()])), get: (real, key) => (key === 'now' ? now : real[key]) }); }\n`;
  await page.context().addInitScript(shift);
  await page.context().grantPermissions(['local-network-access']); // a reply that was changed counts as from elsewhere
  let workers = 0;
  await page.context().route(/worker-[^/]*\.js$/, async (route) => {
    const reply = await route.fetch();
    workers++;
    await route.fulfill({ response: reply, body: shift + await reply.text() });
  });
  return { page, patched: () => workers };
}

async function brokerGone(fleet, page, url, bot, shots) {
  await page.goto(`${url}/#/fleet`);
  await page.waitForSelector('table.fleet tbody a');
  await fleet.without('broker', async () => {
    await says(page, '.banner.warn', 'Disconnected');
    await page.waitForSelector('[data-testid=conn].off');
    await isOff(page, '[data-testid=halt]'); // none can be sent
    await page.waitForFunction(() => document.querySelectorAll('table.fleet tr.stale').length === document.querySelectorAll('table.fleet tbody a').length);
    const before = await until('an age', async () => span(await text(page, '[data-testid=conn] .num')));
    await until('an older age', async () => span(await text(page, '[data-testid=conn] .num')) > before);
    await page.check('table.fleet tbody tr input >> nth=0');
    for (const act of ['bot-start', 'bot-pause', 'bot-stop', 'flatten']) await isOff(page, `[data-act=${act}]`);
    await shot(page, shots, 'day-broker');
    await page.goto(`${url}/#/bot/${bot}`);
    await says(page, '.empty.failed', 'no connection');
  });
  await page.waitForSelector('.banner.warn', { state: 'detached', ...LONG });
  await page.waitForSelector('[data-testid=conn].live', LONG);
  await page.waitForSelector('[data-testid=pause]:not([disabled])', LONG); // the view came by itself too
}

/** The bot's page, with the bot in this state whatever the test before has left. */
async function botIs(fleet, page, url, bot, phase) {
  fleet.cli('bot', phase === 'running' ? 'start' : 'pause', bot, '--yes');
  await page.goto(`${url}/#/bot/${bot}`);
  await phaseIs(page, phase);
  await isOn(page, phase === 'running' ? '[data-testid=pause]' : '[data-testid=resume]');
}

async function controllerGone(fleet, page, url, bot, shots) {
  await botIs(fleet, page, url, bot, 'running');
  const before = fleet.audited('bot-pause', bot);
  await fleet.without('controller', async () => {
    await says(page, '.banner.warn', 'controller is offline.*not at all');
    await page.click('[data-testid=pause]');
    await says(page, '.notice.unsure', 'no answer.*nothing is sent again');
    await isOff(page, '[data-testid=pause]'); // not while nobody knows
    assert.equal(await page.locator('[data-testid=again]').count(), 0, 'nor offered again before it is looked up');
    await shot(page, shots, 'day-controller');
  });
  await says(page, '.notice.unsure', 'no record of it.*running');
  assert.equal(fleet.audited('bot-pause', bot), before, 'what was late was not done');
  await page.click('[data-testid=again]');
  await phaseIs(page, 'paused');
  assert.equal(await until('an audit', () => fleet.audited('bot-pause', bot) - before), 1, 'and then it was done once');
}

async function killedMeanwhile(fleet, page, url, bot) { // the answer, or the request, is on its way when the controller dies
  await botIs(fleet, page, url, bot, 'paused');
  const before = fleet.audited('bot-resume', bot);
  const pid = await fleet.pid('controller');
  await Promise.all([page.click('[data-testid=resume]'), process.kill(pid, 'SIGKILL')]);
  await page.waitForFunction(() => document.querySelector('[data-testid=again]') || document.querySelector('[data-testid=phase]')?.dataset.phase === 'running', null, LONG)
    .catch(async () => assert.fail(await text(page, '.notice, [data-testid=phase]')));
  if (await page.locator('[data-testid=again]').count()) { // the dead one had it, and nothing of it was recorded
    assert.equal(fleet.audited('bot-resume', bot), before);
    await page.click('[data-testid=again]');
    await phaseIs(page, 'running');
  }
  await page.waitForSelector('.notice.pending', { state: 'detached', ...LONG });
  assert.equal(await until('an audit', () => fleet.audited('bot-resume', bot) - before), 1, 'done once');
}

async function nodeGone(fleet, page, url, shots) {
  assert.ok(fleet.keepOn('node-1') > 0);
  const bots = fleet.cli('bot', 'ls').items;
  const on = (node) => bots.filter((row) => row.node === node).length;
  await page.goto(`${url}/#/fleet`);
  await page.waitForSelector('table.fleet tbody a');
  await fleet.without('node-1', async () => {
    await page.fill('input[type=search]', 'node=node-1');
    await count(page, 'tr.stale .badge.ph-lost', on('node-1'), LONG);
    await shot(page, shots, 'day-node');
    const lost = await page.textContent('table.fleet tbody a');
    await page.fill('input[type=search]', 'node=node-2');
    await count(page, 'table.fleet tbody a', on('node-2'));
    await count(page, '.badge.ph-lost', 0); // only its own
    await page.fill('input[type=search]', '');
    await page.goto(`${url}/#/bot/${lost}`);
    await says(page, '[data-testid=lost]', 'No word of node-1');
  });
  await page.waitForSelector('[data-testid=lost]', { state: 'detached', ...LONG });
  await page.goto(`${url}/#/fleet`);
  await page.waitForSelector('table.fleet tbody a');
  await page.waitForSelector('.badge.ph-lost', { state: 'detached', ...LONG });
}

async function wrongClock(fleet, browser, url, user, password, bot, skewMs, shots) {
  const { page, patched } = await withClock(browser, skewMs);
  await signIn(page, url, user, password);
  await page.waitForSelector('table.fleet tbody a');
  await until('the worker has that clock too', () => patched() === 1);
  await says(page, '[data-testid=clock]', '60 min|1 h');
  await page.waitForSelector('[data-testid=conn].live');
  let ages;
  await until('ages', async () => {
    ages = (await page.$$eval('table.fleet td.c-age', (cells) => cells.map((cell) => cell.textContent))).map(span).filter((ms) => !Number.isNaN(ms));
    return ages.length > 0 && ages.every((ms) => ms < 120000);
  }).catch(() => assert.fail(`${ages}`));
  await count(page, 'tr.stale', 0, LONG); // none of the day before either
  await botIs(fleet, page, url, bot, 'running');
  await page.click('[data-testid=pause]');
  await phaseIs(page, 'paused');
  await page.click('[data-testid=resume]');
  await phaseIs(page, 'running');
  await shot(page, shots, `day-clock${skewMs < 0 ? '-behind' : ''}`);
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

async function passwordChanged(fleet, browser, url, shots) {
  const { password } = fleet.cli('user', 'add', 'watcher', '--role', 'viewer');
  const page = await openPage(browser);
  await signIn(page, url, 'watcher', password);
  await page.waitForSelector('table.fleet tbody a');
  fleet.cli('user', 'passwd', 'watcher');
  await page.waitForSelector('[data-testid=signin-error]', LONG);
  await shot(page, shots, 'day-password');
  await page.waitForFunction(() => sessionStorage.length === 0);
  await page.context().close();
}

export async function badDays(tap, browser, page, { url, user, password, bot, dir, flotilla, shots }) {
  const fleet = new Fleet(flotilla, dir);
  await tap.test('the broker is killed: it is said, ages go on, nothing can be done, and all comes back', () => brokerGone(fleet, page, url, bot, shots));
  await tap.test('the controller is killed: what got no answer is looked up when it is back, and done once', () => controllerGone(fleet, page, url, bot, shots));
  await tap.test('the controller is killed while an action is on its way: it is done once, or said not to be', () => killedMeanwhile(fleet, page, url, bot));
  await tap.test('a node is killed: its bots are shown as lost, others not, until it is heard again', () => nodeGone(fleet, page, url, shots));
  for (const skew of [HOUR_MS, -HOUR_MS])
    await tap.test(`a browser's clock is ${skew / HOUR_MS} h off: ages are right, actions work`, () => wrongClock(fleet, browser, url, user, password, bot, skew, shots));
  await tap.test('a password is changed: the session ends, with words', () => passwordChanged(fleet, browser, url, shots));
}
