// The speed of the page on this machine, printed, never asserted: first paint, first live row, scrolling 1,000 and
// 10,000 live bots at 4 digests a second, what the browser's processes cost meanwhile, and how old a number is.
// Usage: speed.mjs DASHBOARD [table]; with "table" the rows as Markdown.
import fs from 'node:fs';
import { execFileSync } from 'node:child_process';
import { startFleet } from './fake.mjs';
import { Rig, USERS } from './rig.mjs';
import { openPage, signIn } from './steps.mjs';

const [program] = process.argv.slice(2);
const TICKS = Number(execFileSync('getconf', ['CLK_TCK']).toString());
const rows = [];
const put = (what, value, aim) => { rows.push([what, value, aim]); console.log(`${what.padEnd(58)} ${String(value).padStart(12)}   aim ${aim}`); };

/** CPU seconds of every process under `pid`. */
function cpu(pid) {
  const stats = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => {
    try {
      const text = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
      const rest = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return { pid: Number(name), parent: Number(rest[1]), used: (Number(rest[11]) + Number(rest[12])) / TICKS };
    } catch { return null; }
  }).filter(Boolean);
  const mine = new Set([pid]);
  for (let grown = true; grown;) {
    grown = false;
    for (const each of stats) if (mine.has(each.parent) && !mine.has(each.pid)) grown = !!mine.add(each.pid);
  }
  return stats.filter((each) => mine.has(each.pid)).reduce((sum, each) => sum + each.used, 0);
}

/** Frames a second and the share of slow ones while the table is scrolled for `ms`. */
const scroll = (page, ms) => page.evaluate((time) => new Promise((resolve) => {
  const box = document.querySelector('.table-box');
  const times = [];
  const start = performance.now();
  let last = start;
  const step = (now) => {
    times.push(now - last);
    last = now;
    box.scrollTop = ((now - start) / 2) % Math.max(1, box.scrollHeight - box.clientHeight);
    if (now - start < time) requestAnimationFrame(step);
    else resolve({ fps: times.length / ((now - start) / 1000), slow: times.filter((each) => each > 33.4).length / times.length });
  };
  requestAnimationFrame(step);
}), ms);

async function measure(browserPid, browser, url, bots) {
  const page = await openPage(browser, { width: 1280, height: 800 });
  await signIn(page, url, 'admin', USERS.admin);
  await page.waitForSelector('table.fleet tbody a', { timeout: 60000 });
  await page.waitForTimeout(2000);
  const before = cpu(browserPid);
  await page.waitForTimeout(6000);
  put(`${bots} bots live at 4 Hz: CPU of all browser processes`, `${(((cpu(browserPid) - before) / 6) * 100).toFixed(1)} %`, bots === 1000 ? '< 15 % of a core' : 'usable');
  const { fps, slow } = await scroll(page, 5000);
  put(`${bots} bots live, scrolling: frames a second`, fps.toFixed(1), bots === 1000 ? '>= 55' : 'usable');
  put(`${bots} bots live, scrolling: frames over 33 ms`, `${(slow * 100).toFixed(1)} %`, '-');
  await page.context().close();
}

const rig = new Rig();
try {
  await rig.startBroker();
  await rig.startDashboard(program);
  const server = await (await import('playwright-core')).chromium.launchServer({ executablePath: '/usr/bin/chromium', headless: true, args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'] });
  const browser = await (await import('playwright-core')).chromium.connect(server.wsEndpoint());
  const { pid } = server.process();
  for (const bots of [1000, 10000]) {
    const fleet = startFleet({ socketPath: rig.socket, username: 'controller', password: USERS.controller, bots, digestMs: 250 });
    await fleet.ready;
    if (bots === 1000) {
      const page = await openPage(browser, { width: 1280, height: 800 });
      await page.goto(rig.url);
      await page.waitForSelector('input[name=username]');
      put('first contentful paint, loopback', `${(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN)).toFixed(0)} ms`, '< 300 ms');
      await signIn(page, rig.url, 'admin', USERS.admin);
      await page.waitForSelector('table.fleet tbody a');
      const start = Date.now(); // a reload with the session: from navigation to a live row
      await page.reload({ waitUntil: 'commit' });
      await page.waitForSelector('table.fleet tbody a');
      put('first live row after a reload', `${Date.now() - start} ms`, '< 1000 ms');
      await page.context().close();
    }
    await measure(pid, browser, rig.url, bots);
    await fleet.stop();
  }
  await browser.close();
  await server.close();
} finally {
  await rig.stop();
}
if (process.argv.includes('table')) console.log(['', '| what | measured | aim |', '|---|---|---|', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n'));
