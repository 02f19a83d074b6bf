// Every view at the width of a desk and of a phone, in both languages and themes: drawn, nothing wider than the
// screen, no accessibility rule broken (axe-core, WCAG 2.2 AA), a picture of each in the folder.
// Usage: views.mjs DASHBOARD [FOLDER_FOR_SCREENSHOTS [all]]; without "all" two of the eight combinations.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { startFleet } from './fake.mjs';
import { Rig, Tap, USERS } from './rig.mjs';
import { clean, drawn, escape, fits, openPage, shot, signIn } from './steps.mjs';

const [program, shots, how] = process.argv.slice(2);
const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const VIEWS = {
  fleet: 'table.fleet tbody a', 'bot/btc-grid-1': '[data-testid=chart] canvas', deploy: '[data-testid=preview] canvas', nodes: '.node', 'node/node-1': '[data-testid=grid-node-bots]',
  portfolio: '[data-testid=grid-portfolio-assets]', orders: '[data-testid=grid-orders]', market: '[data-testid=grid-market]', alerts: '[data-testid=grid-alerts]', logs: '[data-testid=grid-logs]',
  backtests: '.empty, [data-testid=grid-backtests]', accounts: '[data-testid=grid-accounts]', users: '[data-testid=grid-users]', tokens: '[data-testid=grid-tokens]', audit: '[data-testid=grid-audit]',
};
const ALL = [1280, 390].flatMap((width) => ['en-US', 'zh-CN'].flatMap((locale) => ['dark', 'light'].map((theme) => ({ width, locale, theme }))));
const COMBOS = how === 'all' ? ALL : ALL.filter(({ width, locale, theme }) => (width === 1280 ? locale === 'en-US' && theme === 'dark' : locale === 'zh-CN' && theme === 'light'));
const tap = new Tap();
const rig = new Rig();
let fleet;

async function axe(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE); // by the debugger, so that the page's policy stays as it is
  await clean(() => page.evaluate((rules) => window.axe.run(document, { runOnly: rules }).then((result) => result.violations.map(({ id, nodes }) => ({ id, where: nodes.slice(0, 3).map((node) => `${node.target.join(' ')}: ${node.failureSummary?.split('\n')[1]?.trim() ?? ''}`) }))), RULES));
}

/** No number and no button text is cut off: what is shown fits its box. */
const whole = (page) => clean(() => page.$$eval('.num, .kpi p, button', (all) => all.filter((el) => el.checkVisibility() && el.scrollWidth > el.clientWidth + 1 && getComputedStyle(el).overflow !== 'visible' && !el.closest('.cut, .wrap')).map((el) => `${el.className}: ${el.textContent}`)));

try {
  await rig.startBroker();
  await rig.startDashboard(program);
  fleet = startFleet({ socketPath: rig.socket, username: 'controller', password: USERS.controller, bots: 60 });
  await fleet.ready;
  const browser = await rig.startBrowser();
  for (const { width, locale, theme } of COMBOS) {
    const name = `${width} ${locale.slice(0, 2)} ${theme}`;
    const page = await openPage(browser, { width, height: width < 500 ? 844 : 800, locale, theme });
    await tap.test(`${name}: sign-in`, async () => {
      await page.goto(rig.url);
      await page.waitForSelector('input[name=username]');
      await axe(page);
      await shot(page, shots, `${name} signin`.replace(/ /g, '-'));
      await signIn(page, rig.url, 'admin', USERS.admin);
    });
    for (const [view, sign] of Object.entries(VIEWS)) {
      await tap.test(`${name}: ${view}`, async () => {
        await page.goto(`${rig.url}/#/${view}`);
        await page.waitForSelector(sign);
        if (view.startsWith('bot/')) await page.waitForFunction(() => Number(document.querySelector('[data-testid=chart]')?.dataset.bars) > 0);
        await drawn(page);
        await shot(page, shots, `${name} ${view}`.replace(/[ /]/g, '-'));
        await fits(page);
        await whole(page);
        await axe(page);
      });
    }
    await tap.test(`${name}: the halt dialog and the sheet of keys`, async () => {
      await page.click('[data-testid=halt]');
      await page.waitForSelector('[data-testid=halt-form]');
      await shot(page, shots, `${name} halt`.replace(/ /g, '-'));
      await axe(page);
      await escape(page, '[data-testid=halt-form]');
      await page.locator('body').press('?');
      await page.waitForSelector('[data-testid=keys]');
      await axe(page);
      await escape(page, '[data-testid=keys]');
      assert.deepEqual(page.problems, []);
    });
    await page.context().close();
  }
} finally {
  await fleet?.stop();
  await rig.stop();
}
tap.done();
