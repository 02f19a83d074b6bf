// Every view, as it stands in a fleet that runs: no violation that axe knows, nothing wider than the screen,
// no number cut off, no key in place of words. Usage: demo.mjs URL USER PASSWORD [--all] [--shots FOLDER]
// [--only VIEW] [--in WIDTH-LANGUAGE-THEME]. Without --all: desktop dark in English and phone light in Chinese; with it all eight.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { Rig, Tap } from './rig.mjs';
import { clean, drawn, escape, openPage, shot, signIn } from './steps.mjs';

const [url, user, password, ...options] = process.argv.slice(2);
const option = (name) => (options.includes(name) ? options[options.indexOf(name) + 1] : undefined);
const [shots, only] = [option('--shots'), option('--only')];
const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const KEYS = [...fs.readFileSync(path.join(import.meta.dirname, '../../dashboard/web/src/i18n/en.ts'), 'utf8').matchAll(/^ {2}'([^']+)':/gm)].map(([, key]) => key);
const VIEWS = ['fleet', 'nodes', 'node', 'bot', 'deploy', 'portfolio', 'orders', 'accounts', 'market', 'alerts', 'logs', 'audit', 'users', 'tokens', 'backtests', 'halt', 'menu'];
const TABS = ['orders', 'fills', 'days', 'events', 'history', 'config', 'log', 'raw']; // of a bot, those that it has

const COMBINATIONS = [1280, 390].flatMap((width) => ['en', 'zh'].flatMap((language) => ['dark', 'light'].map((theme) => ({ width, language, theme }))));
const one = option('--in')?.split('-'); // 1440-en-light
const chosen = one ? [{ width: Number(one[0]), language: one[1], theme: one[2] }] : options.includes('--all') ? COMBINATIONS : COMBINATIONS.filter(({ width, language, theme }) => (width === 1280 ? language === 'en' && theme === 'dark' : language === 'zh' && theme === 'light'));

/** What a person would wince at, found in the page itself. */
const faults = (page) => page.evaluate((keys) => {
  const found = [];
  const main = document.querySelector('main');
  const seen = (el) => el.getClientRects().length > 0 && !el.closest('.sr');
  if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  if (main && main.scrollWidth > main.clientWidth) {
    const wide = [...main.querySelectorAll('*')].filter((el) => el.getBoundingClientRect().right > innerWidth + 1 && !el.closest('.grid-box,.table-box,pre'));
    found.push(`main is ${main.scrollWidth} px wide in ${main.clientWidth}: ${wide.slice(0, 3).map((el) => `${el.tagName}.${el.className}`).join(', ')}`);
  }
  for (const el of document.querySelectorAll('.num, td.r')) { // a cell's own scrollWidth says nothing of text under an ellipsis
    if (!seen(el) || !/\d/.test(el.textContent)) continue;
    const box = getComputedStyle(el).display === 'inline' ? el.parentElement : el;
    const style = getComputedStyle(box);
    if (style.overflowX === 'visible' || style.overflowX === 'auto') continue;
    const range = document.createRange();
    range.selectNodeContents(box);
    const room = box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (range.getBoundingClientRect().width > room + 1 || box.scrollWidth > box.clientWidth + 1) found.push(`cut off: ${el.textContent.slice(0, 40)} (${box.tagName}.${box.className})`);
  }
  const text = document.body.innerText;
  for (const key of keys) if (key.includes('.') && new RegExp(`(^|\\s)${key.replaceAll('.', '\\.')}($|\\s)`).test(text)) found.push(`untranslated: ${key}`);
  if (/\bundefined\b|\bNaN\b|\[object Object\]/.test(text)) found.push(`says ${/.{0,30}(\bundefined\b|\bNaN\b|\[object Object\]).{0,30}/.exec(text)[0]}`);
  return found;
}, KEYS);

const violations = async (page) => {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const rows = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((result) => result.violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 4).map(({ html, any }) => `${html.slice(0, 150)} ${any[0]?.message ?? ''}`).join(' | ')}`)));
  return rows;
};

const settled = async (page) => {
  await page.waitForFunction(() => document.querySelector('main h1,main h2,main .empty'));
  await drawn(page);
};

async function look(page, name, where) {
  await shot(page, shots, `${name}-${where}`);
  await clean(async () => [...await faults(page), ...await violations(page)].map((text) => `${name}: ${text}`));
}

async function visit(page, view, names, where) {
  if (view === 'halt') {
    await page.click('[data-testid=halt]');
    await page.waitForSelector('[data-testid=halt-form]');
  } else if (view === 'menu') {
    await page.click('details.menu:last-of-type summary');
    await page.waitForSelector('details.menu[open] .pop');
  } else {
    await page.evaluate((hash) => { location.hash = hash; }, `#/${view}${names[view] ? `/${names[view]}` : ''}`);
    await settled(page);
  }
  await look(page, view, where);
  if (view === 'bot') {
    await page.waitForSelector('[data-testid=chart] canvas');
    for (const tab of TABS) {
      if (!(await page.$(`#tab-${tab}`))) continue;
      await page.click(`#tab-${tab}`);
      await settled(page);
      await look(page, `bot-${tab}`, where);
    }
  }
  if (view === 'halt') await escape(page, '[data-testid=halt-form]');
  if (view === 'menu') await page.click('details.menu[open] summary');
}

const tap = new Tap();
const rig = new Rig();
try {
  const browser = await rig.startBrowser();
  for (const { width, language, theme } of chosen) {
    const where = `${width}-${language}-${theme}`;
    const page = await openPage(browser, { width, height: width < 500 ? 844 : 800, theme, locale: language === 'zh' ? 'zh-CN' : 'en-US' });
    page.on('dialog', (dialog) => dialog.dismiss());
    await tap.test(`sign-in, ${where}`, async () => {
      await page.goto(url);
      await page.waitForSelector('input[name=username]');
      await look(page, 'signin', where);
      await signIn(page, url, user, password);
      await page.waitForSelector('table.fleet tbody a');
    });
    const names = { bot: await (await page.waitForFunction(() => [...document.querySelectorAll('table.fleet tbody a')].map((a) => a.textContent).find((name) => name.includes('grid')))).jsonValue(), node: 'node-1' };
    if (tap.failed && !(await page.$('header.bar'))) throw new Error('nobody is signed in: nothing to look at');
    for (const view of VIEWS)
      if (!only || view === only) await tap.test(`${view}, ${where}`, () => visit(page, view, names, where));
    await tap.test(`no script failed, ${where}`, () => assert.deepEqual(page.problems.filter((text) => !/axe/.test(text)), []));
    await page.context().close();
  }
} finally {
  await rig.stop();
}
tap.done();
