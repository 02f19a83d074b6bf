// The same steps against a fleet that runs already: sign in, live fleet and chart, deploy by form, pause, halt;
// with the fleet's folder (fleet.py gives it) also what happens when its processes are killed (days.mjs).
// Usage: live.mjs URL USER PASSWORD [FOLDER_FOR_SCREENSHOTS [BOT [STRATEGY [TENANT]]]] [--dir FOLDER --flotilla PROGRAM]
import { badDays } from './days.mjs';
import { Rig, Tap } from './rig.mjs';
import { chartIsAlive, deployByForm, fleetIsAlive, haltFleet, liftHalt, openPage, pauseAndResume, phaseIs, shot, signIn } from './steps.mjs';
import assert from 'node:assert/strict';

const words = process.argv.slice(2);
const option = (name) => (words.includes(name) ? words.splice(words.indexOf(name), 2)[1] : undefined);
const [dir, flotilla] = [option('--dir'), option('--flotilla')];
const [url, user, password, shots, chosen, strategy = 'grid', tenant = 'main'] = words;
const tap = new Tap();
const rig = new Rig();

try {
  const browser = await rig.startBrowser();
  const page = await openPage(browser);
  let bot = chosen;
  await tap.test('sign in', () => signIn(page, url, user, password));
  await tap.test('the fleet is alive', async () => {
    const names = await fleetIsAlive(page, url);
    bot ??= names.find((name) => name.includes('grid')) ?? names[0];
    await shot(page, shots, 'live-fleet');
  });
  await tap.test('a chart is alive', async () => {
    await chartIsAlive(page, url, bot);
    await shot(page, shots, 'live-bot');
  });
  await tap.test('deploy by form', async () => {
    await deployByForm(page, url, { strategy, name: `form-${Date.now().toString(36)}` });
    await shot(page, shots, 'live-deployed');
  });
  await tap.test('pause and resume', () => pauseAndResume(page));
  await tap.test('halt the fleet, and lift it', async () => {
    await haltFleet(page, tenant, 'a drill', 'pause');
    await phaseIs(page, 'paused');
    await shot(page, shots, 'live-halted');
    await liftHalt(page);
    await phaseIs(page, 'running');
  });
  if (dir) await badDays(tap, browser, page, { url, user, password, bot, dir, flotilla, shots });
  await tap.test('no script failed and the policy refused nothing', () => assert.deepEqual(page.problems, []));
} finally {
  await rig.stop();
}
tap.done();
