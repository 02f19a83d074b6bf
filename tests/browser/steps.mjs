// What a person does, as steps over a page: they need an address, a login and a fleet that trades, real or
// made up. Each waits for what the person would see, and fails with what was seen instead.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { until } from './rig.mjs';

const WAIT = 60000; // for what never comes: a slow machine is no failure

/** A page whose errors are kept: scripts that fail, and anything the policy refused. */
export async function openPage(browser, { width = 1440, height = 900, theme = 'dark', locale = 'en-US' } = {}) {
  const phone = width < 500;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale, isMobile: phone, hasTouch: phone, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT);
  page.problems = [];
  page.hosts = new Set();
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text())) page.problems.push(message.text()); });
  page.on('request', (request) => page.hosts.add(new URL(request.url()).host));
  return page;
}

export async function shot(page, dir, name) {
  if (!dir) return;
  fs.mkdirSync(dir, { recursive: true });
  await page.screenshot({ path: path.join(dir, `${name}.png`) });
}

const texts = (page, selector) => page.evaluate((where) => [...document.querySelectorAll(where)].map((el) => el.textContent).join(' | '), selector);

/** Waits until something that is there says it; else the failure has what was said instead. */
export function says(page, selector, words, options) {
  const wanted = words instanceof RegExp ? words.source : words;
  return page.waitForFunction(([where, pattern]) => [...document.querySelectorAll(where)].some((el) => new RegExp(pattern).test(el.textContent)), [selector, wanted], options)
    .catch(async () => assert.fail(`${selector} says "${await texts(page, selector)}", not /${wanted}/`));
}

/** Waits until so many are there. */
export const count = (page, selector, wanted, options) => page.waitForFunction(([where, n]) => document.querySelectorAll(where).length === n, [selector, wanted], options)
  .catch(async () => assert.fail(`${await page.locator(selector).count()} of ${selector}, not ${wanted}`));

/** Waits until it is there and cannot be used, or can. */
export const isOff = (page, selector) => page.waitForSelector(`${selector}:disabled`).catch(() => assert.fail(`${selector} is not off`));
export const isOn = (page, selector) => page.waitForSelector(`${selector}:enabled`).catch(() => assert.fail(`${selector} is not on`));

/** Closes what is on top, and waits until it is gone. */
export async function escape(page, selector) {
  await page.keyboard.press('Escape');
  await page.waitForSelector(selector, { state: 'detached' });
}

/** Waits until the text of a selector is a number, and then until it is another one. */
export async function changes(page, selector, what) {
  await says(page, selector, /\d/);
  const before = await page.textContent(selector);
  await page.waitForFunction(([where, old]) => document.querySelector(where)?.textContent !== old, [selector, before])
    .catch(() => assert.fail(`${what} stayed ${before}`));
}

export async function signIn(page, url, user, password) {
  await page.goto(url);
  await page.fill('input[name=username]', user);
  await page.fill('input[name=password]', password);
  await page.click('button.primary');
  await page.waitForSelector('header.bar');
}

/** The fleet is listed, the data is young, and the number of fills goes up. */
export async function fleetIsAlive(page, url) {
  await page.goto(`${url}/#/fleet`);
  await page.waitForSelector('table.fleet tbody a');
  await page.waitForSelector('[data-testid=conn].live');
  await changes(page, '[data-testid=fleet-fills]', 'the number of fills');
  return page.$$eval('table.fleet tbody tr', (rows) => rows.map((row) => row.querySelector('a')?.textContent).filter(Boolean));
}

/** The chart has candles and its last one moves; the price beside it too. */
export async function chartIsAlive(page, url, bot) {
  await page.goto(`${url}/#/bot/${bot}`);
  await page.waitForSelector('[data-testid=chart] canvas');
  await page.waitForFunction(() => Number(document.querySelector('[data-testid=chart]')?.dataset.bars) > 0 && document.querySelector('[data-testid=chart]').dataset.last);
  const last = () => document.querySelector('[data-testid=chart]').dataset.last;
  const before = await page.evaluate(last);
  await page.waitForFunction((old) => document.querySelector('[data-testid=chart]').dataset.last !== old, before)
    .catch(() => assert.fail(`the last candle stayed at ${before}`));
  const one = await page.locator('[data-testid=chart]').screenshot();
  for (const end = Date.now() + WAIT; one.equals(await page.locator('[data-testid=chart]').screenshot());)
    assert.ok(Date.now() < end, 'the picture of the chart moves');
}

export const phaseIs = (page, phase) =>
  page.waitForFunction((want) => document.querySelector('[data-testid=phase]')?.dataset.phase === want, phase)
    .catch(async () => assert.fail(`the phase is ${await page.evaluate(() => document.querySelector('[data-testid=phase]')?.dataset.phase)}, not ${phase}; the notices: ${await texts(page, '.notice')}`));

/** The form has its strategy's table, and proposes what it can from the price. */
export const proposed = (page) => page.waitForFunction(() => {
  const inputs = [...document.querySelectorAll('[data-testid=deploy-form] [name^="params."]')];
  return inputs.length > 0 && inputs.every((el) => el.value !== '' || !el.closest('.field').querySelector('.req'));
}).catch(async () => assert.fail(`the form proposes ${await page.$$eval('[name^="params."]', (all) => all.map((el) => `${el.name}=${el.value}`).join(' '))}`));

/** A refused form says so beside the field; then it is put right and the bot runs. Returns its name. */
export async function deployByForm(page, url, { strategy = 'grid', wrong = {}, params = {}, name } = {}) {
  await page.goto(`${url}/#/deploy`);
  await page.waitForSelector('[data-testid=deploy-form]');
  await page.locator('.strategies button', { has: page.locator(`b:text-is("${strategy}")`) }).click();
  await page.waitForSelector(`.strategies button[aria-pressed=true] b:text-is("${strategy}")`);
  await proposed(page);
  if (name) await page.fill('input[name=name]', name);
  const bot = await page.inputValue('input[name=name]');
  for (const [field, value] of Object.entries(wrong)) {
    await page.waitForSelector(`[name="params.${field}"]`);
    const good = await page.inputValue(`[name="params.${field}"]`);
    await page.fill(`[name="params.${field}"]`, value);
    await page.click('[data-testid=check]');
    await page.waitForSelector(`[id="wrong-params.${field}"]`);
    await page.waitForSelector(`[name="params.${field}"][aria-invalid=true]`);
    await page.fill(`[name="params.${field}"]`, good);
  }
  for (const [field, value] of Object.entries(params)) await page.fill(`[name="params.${field}"]`, value);
  await page.click('[data-testid=check]');
  await page.waitForSelector('[data-testid=checked]');
  await page.click('[data-testid=deploy]');
  await page.waitForFunction((want) => location.hash === `#/bot/${want}`, bot);
  await phaseIs(page, 'running');
  return bot;
}

export async function pauseAndResume(page) {
  await page.click('[data-testid=pause]');
  await phaseIs(page, 'paused');
  await page.click('[data-testid=resume]');
  await phaseIs(page, 'running');
}

/** The button works only after the reason and the typed word. */
export async function haltFleet(page, word, reason = 'a drill', how = 'cancel') {
  await page.click('[data-testid=halt]');
  await page.check('[data-testid=halt-form] input[value=fleet]');
  await page.check(`[data-testid=halt-form] input[value=${how}]`);
  await page.fill('[data-testid=halt-form] input[name=reason]', reason);
  await isOff(page, '[data-testid=halt-go]'); // not before the word is typed
  await page.fill('[data-testid=halt-form] input[name=confirm]', word);
  await page.click('[data-testid=halt-go]');
  await says(page, '[data-testid=halted]', reason);
  await page.waitForSelector('[data-testid=work][data-done=true]'); // each bot has confirmed
  await escape(page, '[data-testid=work]');
}

export async function liftHalt(page, reason = 'the drill is over') {
  await page.click('[data-testid=lift]');
  await page.fill('[data-testid=lift-form] input[name=reason]', reason);
  await page.click('[data-testid=lift-form] button.primary');
  await page.waitForSelector('[data-testid=halted]', { state: 'detached' });
}

/** Nothing is wider than the screen: a phone must not scroll sideways. */
export const fits = (page) =>
  page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth && document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth)
    .catch(() => assert.fail('the page scrolls sideways'));

/** What was asked for is drawn: nothing still loads, and the canvas has had its frame. */
export async function drawn(page) {
  await page.waitForFunction(() => !document.querySelector('main .skeleton'));
  await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
}

/** Waits until `look` finds no fault; the failure has the last ones. For what is drawn anew while it is looked at. */
export async function clean(look) {
  let faults = [];
  await until('no fault', async () => {
    faults = await look();
    return faults.length === 0;
  }, 15000).catch(() => assert.deepEqual(faults, []));
}
