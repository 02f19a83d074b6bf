// Lighthouse over the sign-in page, the live fleet and a bot with its chart, each loaded anew, on both presets.
// The session lives in the tab's storage, as a person's does: Lighthouse is given that tab. Usage: run.mjs DASHBOARD
import lighthouse, { desktopConfig } from 'lighthouse';
import { startFleet } from '../fake.mjs';
import { Rig, USERS } from '../rig.mjs';

const [program] = process.argv.slice(2);
const AIM = 95;
async function enter(page) {
  await page.goto(rig.url);
  await page.waitForSelector('input[name=username]');
  await page.type('input[name=username]', 'admin');
  await page.type('input[name=password]', USERS.admin);
  await page.click('button.primary');
  await page.waitForSelector('table.fleet tbody a');
}

const rig = new Rig();
let fleet;
let low = 0;
try {
  await rig.startBroker();
  await rig.startDashboard(program);
  fleet = startFleet({ socketPath: rig.socket, username: 'controller', password: USERS.controller, bots: 200 });
  await fleet.ready;
  const puppeteer = (await import('puppeteer-core')).default;
  const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, userDataDir: `${rig.dir}/profile`, args: ['--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage();
  const views = [['sign-in', ''], ['fleet', '#/fleet'], ['bot', '#/bot/btc-grid-1']];
  for (const [view, hash] of views) {
    if (view === 'fleet') await enter(page);
    for (const [preset, config] of [['mobile', undefined], ['desktop', desktopConfig]]) {
      await page.goto('about:blank');
      const result = await lighthouse(`${rig.url}/${hash}`, { logLevel: 'error', output: 'json', onlyCategories: ['performance', 'accessibility', 'best-practices', 'seo'], disableStorageReset: true }, config, page);
      const { lhr } = result;
      const inside = await page.$('header.bar') !== null;
      if (inside !== (view !== 'sign-in')) throw new Error(`${view} was not what was looked at`);
      const scores = Object.values(lhr.categories).map(({ id, score }) => [id, Math.round((score ?? 0) * 100)]);
      console.log(`${view.padEnd(8)} ${preset.padEnd(8)} ${scores.map(([id, score]) => `${id} ${score}`).join('  ')}`);
      for (const { id, auditRefs } of Object.values(lhr.categories)) for (const ref of auditRefs) {
        const audit = lhr.audits[ref.id];
        if (ref.weight > 0 && audit.score !== null && audit.score < 0.9) console.log(`#   ${id}: ${audit.title} (${audit.displayValue ?? audit.score})`);
      }
      low += scores.filter(([, score]) => score < AIM).length;
    }
  }
  await browser.close();
} finally {
  await fleet?.stop();
  await rig.stop();
}
process.exitCode = low ? 1 : 0;
