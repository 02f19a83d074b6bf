// Lighthouse over the sign-in page and the live fleet, on both presets. Usage: run.mjs DASHBOARD
import lighthouse, { desktopConfig } from 'lighthouse';
import { startFleet } from '../fake.mjs';
import { Rig, USERS } from '../rig.mjs';

const [program] = process.argv.slice(2);
const AIM = 95;
const rig = new Rig();
let fleet;
let low = 0;
try {
  await rig.startBroker();
  await rig.startDashboard(program);
  fleet = startFleet({ socketPath: rig.socket, username: 'controller', password: USERS.controller, bots: 200 });
  await fleet.ready;
  const { chromium } = await import('playwright-core');
  const port = 9300 + (process.pid % 500);
  const context = await chromium.launchPersistentContext(`${rig.dir}/profile`, { executablePath: '/usr/bin/chromium', headless: true, args: ['--no-sandbox', '--disable-gpu', `--remote-debugging-port=${port}`] });
  const page = await context.newPage();
  await page.goto(rig.url);
  for (const [preset, config] of [['mobile', undefined], ['desktop', desktopConfig]]) {
    const result = await lighthouse(rig.url, { port, logLevel: 'error', output: 'json', onlyCategories: ['performance', 'accessibility', 'best-practices', 'seo'], disableStorageReset: true }, config);
    const scores = Object.values(result.lhr.categories).map(({ id, score }) => [id, Math.round((score ?? 0) * 100)]);
    console.log(`${preset.padEnd(8)} ${scores.map(([id, score]) => `${id} ${score}`).join('  ')}`);
    for (const { id, auditRefs } of Object.values(result.lhr.categories)) for (const ref of auditRefs) {
      const audit = result.lhr.audits[ref.id];
      if (ref.weight > 0 && audit.score !== null && audit.score < 0.9) console.log(`#   ${id}: ${audit.title} (${audit.displayValue ?? audit.score})`);
    }
    low += scores.filter(([, score]) => score < AIM).length;
  }
  await context.close();
} finally {
  await fleet?.stop();
  await rig.stop();
}
process.exitCode = low ? 1 : 0;
