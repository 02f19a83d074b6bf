// The speed of the page on this machine, printed, never asserted: first paint, first live row, what 1,000 bots at 4
// digests a second and 10,000 at one (the controller's own pace for so many) cost, frames a second while they are
// scrolled, how long a filter takes. Beside each figure the same of an empty page or of 100 bots, in the same run.
// Usage: speed.mjs DASHBOARD [--rows]; with --rows tab-separated, as bench/run.py reads them
import { fork } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Rig, USERS } from './rig.mjs';
import { openPage, signIn } from './steps.mjs';

const [program] = process.argv.slice(2);
const asRows = process.argv.includes('--rows');
const ROUNDS = 5;
const CPU_MS = 5000;
const SCROLL_MS = 4000;

function put(what, value, unit, compared) {
  if (asRows) console.log(`browser: ${what}\t${value}\t${unit}\t${compared}`);
  else console.log(`${what.padEnd(52)} ${String(value).padStart(8)} ${unit.padEnd(11)} ${compared}`);
}
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Frames a second, and the share of slow ones, while `selector` (or nothing) is scrolled. */
const frames = (page, selector) => page.evaluate(([where, time]) => new Promise((resolve) => {
  const box = where ? document.querySelector(where) : document.body;
  const most = Math.max(1, box.scrollHeight - box.clientHeight);
  const times = [];
  const start = performance.now();
  let last = start;
  const step = (now) => {
    times.push(now - last);
    last = now;
    box.scrollTop = (now - start) % most; // 1,000 px a second
    if (now - start < time) requestAnimationFrame(step);
    else resolve({ fps: times.length / ((now - start) / 1000), slow: times.filter((each) => each > 33.4).length / times.length });
  };
  requestAnimationFrame(step);
}), [selector, SCROLL_MS]);

/** From a word typed into the filter to the frame after the table shows it, in ms; the worst of several. */
const filtering = (page) => page.evaluate(async () => {
  const input = document.querySelector('input[type=search]');
  const taken = [];
  for (const query of ['b', 'btc', 'btc grid', 'state=paused', 'pnl<0 node=node-2', '-btc orders>3', '']) {
    const start = performance.now();
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, query);
    input.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise((resolve) => { requestAnimationFrame(() => { const channel = new MessageChannel(); channel.port1.onmessage = resolve; channel.port2.postMessage(0); }); });
    taken.push(performance.now() - start);
    await new Promise((resolve) => { setTimeout(resolve, 120); });
  }
  return { worst: Math.max(...taken), middle: taken.sort((a, b) => a - b)[taken.length >> 1] };
});

/** CPU of the browser's processes over a while: the busiest renderer (the page and its worker), and all together. */
async function cpu(session) {
  const read = async () => new Map((await session.send('SystemInfo.getProcessInfo')).processInfo.map((each) => [each.id, each]));
  const [before, start] = [await read(), performance.now()];
  await wait(CPU_MS);
  const [after, seconds] = [await read(), (performance.now() - start) / 1000];
  const used = [...after.values()].map((each) => ({ ...each, share: (100 * (each.cpuTime - (before.get(each.id)?.cpuTime ?? 0))) / seconds }));
  const page = used.filter((each) => each.type === 'renderer').sort((a, b) => b.share - a.share)[0];
  return { page: page.share, all: used.reduce((sum, each) => sum + each.share, 0), pid: page.id };
}
const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

async function feed(rig, bots, everyMs) {
  const child = fork(path.join(import.meta.dirname, 'feed.mjs'), [rig.socket, USERS.controller, bots, everyMs], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve, reject) => { child.stdout.once('data', resolve); child.once('exit', () => reject(new Error('the feed ended'))); });
  return async () => { child.kill(); await gone; };
}

/** Milliseconds from navigation to the first paint with content, in fresh windows; the median. */
async function firstPaint(browser, url, prepare) {
  const taken = [];
  for (let i = 0; i <= ROUNDS; i++) {
    const page = await openPage(browser, { width: 1280, height: 800 });
    await prepare?.(page);
    await page.goto(url);
    taken.push(await page.evaluate(() => new Promise((resolve) => { new PerformanceObserver((list) => { for (const entry of list.getEntriesByName('first-contentful-paint')) resolve(entry.startTime); }).observe({ type: 'paint', buffered: true }); })));
    await page.context().close();
  }
  return median(taken.slice(1)); // the browser's own first one is its start
}

/** From a reload with a session to the first row of a bot in the table, as the page's own clock has it. */
async function firstRow(page) {
  await page.addInitScript(() => {
    const look = new MutationObserver(() => {
      if (!document.querySelector('table.fleet tbody a')) return;
      look.disconnect();
      requestAnimationFrame(() => { window.firstRow = performance.now(); });
    });
    look.observe(document, { childList: true, subtree: true });
  });
  const taken = [];
  for (let i = 0; i < ROUNDS; i++) {
    await page.reload();
    taken.push(await (await page.waitForFunction(() => window.firstRow, null, { timeout: 60000 })).jsonValue());
  }
  return median(taken);
}

async function measure(browser, session, rig, bots, everyMs) {
  const stop = await feed(rig, bots, everyMs);
  const page = await openPage(browser, { width: 1280, height: 800 });
  await signIn(page, rig.url, 'viewer', USERS.viewer);
  await page.waitForFunction((count) => Number(document.querySelector('table.fleet')?.getAttribute('aria-rowcount')) > count, bots, { timeout: 60000 });
  await wait(2000); // what follows the first draw
  const found = { cpu: await cpu(session), scroll: await frames(page, '.table-box'), filter: await filtering(page) };
  found.heap = (await (await page.context().newCDPSession(page)).send('Runtime.getHeapUsage')).usedSize / 1048576;
  found.rss = rss(found.cpu.pid);
  found.row = await firstRow(page);
  await page.context().close();
  await stop();
  return found;
}

const rig = new Rig();
try {
  await rig.startBroker();
  await rig.startDashboard(program);
  const browser = await rig.startBrowser();
  const session = await browser.newBrowserCDPSession();
  const empty = await firstPaint(browser, `${rig.url}/empty`, (page) => page.route('**/empty', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><p>An empty page' })));
  const paint = await firstPaint(browser, rig.url);
  put('first paint with content, loopback', paint.toFixed(0), 'ms', `${(paint / empty).toFixed(1)}x an empty page (${empty.toFixed(0)}); aim: under 300`);
  const blank = await openPage(browser, { width: 1280, height: 800 });
  const idle = await frames(blank, null);
  await blank.context().close();
  const few = await measure(browser, session, rig, 100, 250);
  const many = await measure(browser, session, rig, 1000, 250);
  put('first live row after a reload, 1000 bots', many.row.toFixed(0), 'ms', `${(many.row / few.row).toFixed(2)}x 100 bots (${few.row.toFixed(0)}); aim: under 1000`);
  for (const [bots, hz, found] of [[1000, 4, many], [10000, 1, await measure(browser, session, rig, 10000, 1000)]]) {
    const what = `${bots} bots at ${hz} Hz`;
    const aim = (words) => (bots === 1000 ? `; aim: ${words}` : '');
    put(`${what}: CPU of the page and its worker`, found.cpu.page.toFixed(1), '% of a core', `${(found.cpu.page / few.cpu.page).toFixed(1)}x 100 bots at 4 Hz (${few.cpu.page.toFixed(1)})${aim('under 15')}; all processes ${found.cpu.all.toFixed(1)}`);
    put(`${what}: frames a second, scrolling`, found.scroll.fps.toFixed(1), '/s', `an empty page ${idle.fps.toFixed(1)}; over 33 ms: ${(100 * found.scroll.slow).toFixed(1)} %${aim('55')}`);
    put(`${what}: a word in the filter, shown`, found.filter.middle.toFixed(0), 'ms', `worst ${found.filter.worst.toFixed(0)}; 100 bots ${few.filter.middle.toFixed(0)}`);
    put(`${what}: memory of the page's process`, found.rss.toFixed(0), 'MB', `heap ${found.heap.toFixed(1)}; 100 bots ${few.rss.toFixed(0)} and ${few.heap.toFixed(1)}`);
    if (bots === 10000) put('first live row after a reload, 10000 bots', found.row.toFixed(0), 'ms', `${(found.row / few.row).toFixed(2)}x 100 bots`);
  }
  put('load average meanwhile', os.loadavg()[0].toFixed(1), '', `on ${os.cpus().length} cores`);
} finally {
  await rig.stop();
}
