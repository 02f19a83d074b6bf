// The page in headless Chromium, over a real mosquitto and the real server, with a made-up fleet behind.
// Usage: dashboard.mjs DASHBOARD [FOLDER_FOR_SCREENSHOTS]
import assert from 'node:assert/strict';
import { startFleet } from './fake.mjs';
import { freePort, Rig, Tap, USERS } from './rig.mjs';
import { chartIsAlive, count, deployByForm, fits, fleetIsAlive, haltFleet, isOff, isOn, liftHalt, openPage, pauseAndResume, phaseIs, proposed, says, shot, signIn } from './steps.mjs';

const [program, shots] = process.argv.slice(2);
const tap = new Tap();
const rig = new Rig();
let fleet;
const mute = new Set(); // verbs that get no answer

try {
  await rig.startBroker();
  await rig.startDashboard(program, { listen: `127.0.0.1:${await freePort()}` }); // it is started again on that one
  fleet = startFleet({ socketPath: rig.socket, username: 'controller', password: USERS.controller, bots: 1000, silent: (verb) => mute.has(verb) });
  await fleet.ready;
  const browser = await rig.startBrowser();
  const page = await openPage(browser);
  const { url } = rig;
  const bot = 'btc-grid-1';

  await tap.test('a wrong password is said, the right one lets in', async () => {
    await page.goto(url);
    await page.fill('input[name=username]', 'admin');
    await page.fill('input[name=password]', 'wrong');
    await page.click('button.primary');
    await page.waitForSelector('[data-testid=signin-error]');
    await shot(page, shots, 'signin-wrong');
    await signIn(page, url, 'admin', USERS.admin);
  });

  await tap.test('the fleet is listed, live, and only the rows in sight are in the page', async () => {
    await fleetIsAlive(page, url);
    await page.waitForSelector('table.fleet[aria-rowcount="1001"]');
    await page.waitForFunction(() => document.querySelectorAll('table.fleet tbody a').length > 8); // by then all pages are there
    const drawn = await page.locator('table.fleet tbody a').count();
    assert.ok(drawn < 80, `${drawn} rows in the page`);
    await shot(page, shots, 'fleet');
  });

  await tap.test('it can be filtered and sorted', async () => {
    await page.fill('input[type=search]', 'eth state:running');
    await page.waitForFunction(() => [...document.querySelectorAll('table.fleet tbody tr a')].filter((a, i, all) => all.every((each) => each.textContent.startsWith('eth-'))).length > 2);
    await page.fill('input[type=search]', 'nothing-like-this');
    await page.waitForSelector('.table-box .empty');
    await page.click('.table-box .empty button');
    await page.click('[data-sort=pnl]');
    await page.waitForSelector('th[aria-sort=descending] [data-sort=pnl]');
    const isSorted = () => {
      const sums = [...document.querySelectorAll('table.fleet tbody td.c-pnl')].map((cell) => Number(cell.firstChild.textContent.replace(/,/g, '').replace('\u2212', '-')));
      return sums.length > 5 && [...sums].sort((a, b) => b - a).slice(0, 5).every((sum, i) => sum === sums[i]);
    };
    await page.waitForFunction(isSorted).catch(() => assert.fail('the largest are not on top')); // the numbers move meanwhile
    await page.click('[data-sort=bot]');
  });

  await tap.test('the chart of a bot moves, with its orders and fills below', async () => {
    await chartIsAlive(page, url, bot);
    await count(page, '[data-testid=grid-bot-orders] tbody tr', fleet.bots.get(bot).orders.length);
    await page.click('#tab-fills');
    await page.waitForSelector('[data-testid=grid-bot-fills] tbody tr');
    await shot(page, shots, 'bot');
    await page.click('#tab-log');
    await page.waitForSelector('[data-testid=grid-bot-log]');
    await page.click('text="15m"');
    await page.waitForFunction(() => { const bars = Number(document.querySelector('[data-testid=chart]').dataset.bars); return bars >= 100 && bars <= 103; }); // 1,500 minutes and those of this test
  });

  await tap.test('a bot is deployed by form; a fault of the controller stands beside its field', async () => {
    await deployByForm(page, url, { strategy: 'grid', wrong: { levels: '180' }, name: 'form-grid' });
    const sent = fleet.requests.filter((request) => request.verb === 'bot-deploy').at(-1).args;
    assert.equal(sent.bot.params.levels, 20);
    assert.equal(typeof sent.bot.params.lower, 'string');
    assert.equal(fleet.requests.filter((request) => request.verb === 'bot-deploy' && !request.args.dry_run).length, 1, 'sent once');
  });

  await tap.test('it is paused and resumed, each said by the bot itself', async () => {
    await pauseAndResume(page);
    await shot(page, shots, 'deployed');
  });

  await tap.test('real money is asked for twice', async () => {
    await page.goto(`${url}/#/deploy`);
    await page.waitForSelector('[data-testid=deploy-form]');
    await isOn(page, '[data-testid=deploy]');
    await page.selectOption('select[name=account]', 'real');
    await isOff(page, '[data-testid=deploy]');
    await page.check('.real input');
    await isOn(page, '[data-testid=deploy]');
    await shot(page, shots, 'deploy');
    await page.selectOption('select[name=account]', 'demo');
  });

  await tap.test('no answer is an unknown outcome, looked up, and nothing is sent again', async () => {
    await page.goto(`${url}/#/bot/${bot}`);
    await page.waitForSelector('[data-testid=pause]');
    mute.add('bot-pause');
    try {
      await page.click('[data-testid=pause]');
      await says(page, '.notice.unsure', /no record.*running/);
    } finally { mute.delete('bot-pause'); }
    assert.equal(fleet.requests.filter((request) => request.verb === 'bot-pause' && request.args.bot === bot).length, 1);
    await shot(page, shots, 'unknown');
    await page.click('.notice.unsure button.ghost');
  });

  await tap.test('the fleet is halted with a typed word, and the halt is lifted', async () => {
    await haltFleet(page, 'main');
    await phaseIs(page, 'paused');
    await shot(page, shots, 'halted');
    await liftHalt(page);
    await phaseIs(page, 'running');
  });

  await tap.test('nodes are shown with heartbeats', async () => {
    await page.goto(`${url}/#/nodes`);
    await count(page, '.node', 2);
    await shot(page, shots, 'nodes');
  });

  await tap.test('a viewer sees all and can change nothing', async () => {
    const other = await openPage(browser, { theme: 'light', width: 1280, height: 800 });
    await signIn(other, url, 'viewer', USERS.viewer);
    await fleetIsAlive(other, url);
    await other.waitForSelector('[data-testid=halt]:disabled[title*=viewer]'); // its role is known by then
    await shot(other, shots, 'fleet-light');
    await chartIsAlive(other, url, bot);
    await other.waitForSelector('[data-testid=pause]:disabled[title*=viewer]');
    await shot(other, shots, 'bot-light');
    await other.context().close();
    assert.deepEqual(other.problems, []);
  });

  await tap.test('Chinese, red up, on a phone: everything fits', async () => {
    const phone = await openPage(browser, { width: 390, height: 844, locale: 'zh-CN' });
    await phone.addInitScript(() => localStorage.setItem('flotilla.updown', 'red'));
    await signIn(phone, url, 'admin', USERS.admin);
    await phone.waitForSelector('table.fleet tbody a');
    await says(phone, 'nav.side', '机队.*部署.*节点');
    await fits(phone);
    await shot(phone, shots, 'phone-fleet');
    await chartIsAlive(phone, url, bot);
    await fits(phone);
    await shot(phone, shots, 'phone-bot');
    await phone.goto(`${url}/#/deploy`);
    await phone.waitForSelector('[data-testid=deploy-form]');
    await fits(phone);
    await shot(phone, shots, 'phone-deploy');
    await proposed(phone);
    await phone.selectOption('select[name=account]', 'demo');
    await phone.fill('input[name=name]', bot); // there is one
    await phone.click('[data-testid=check]');
    await says(phone, '#wrong-name', 'btc-grid-1 已存在.*换个名称');
    await phone.fill('[name=instrument]', 'XXX-USDT');
    await phone.click('[data-testid=check]');
    await says(phone, '#wrong-instrument [lang=en]', 'binance lists no XXX-USDT'); // the made-up fleet's own words
    await phone.context().close();
    assert.deepEqual(phone.problems, []);
  });

  await tap.test('when the server goes, the page says so with the time of its data, and comes back by itself', async () => {
    await page.goto(`${url}/#/bot/${bot}`);
    await page.waitForSelector('[data-testid=pause]');
    const { port } = rig;
    await rig.end(rig.dashboard);
    await page.waitForSelector('.banner.warn');
    await isOff(page, '[data-testid=pause]');
    await shot(page, shots, 'offline');
    await rig.startDashboard(program, { listen: `127.0.0.1:${port}` });
    await page.waitForSelector('.banner.warn', { state: 'detached' });
    await page.waitForSelector('[data-testid=conn].live');
    await isOn(page, '[data-testid=pause]');
  });

  await tap.test('signing out forgets the password; a reload asks again', async () => {
    await page.click('details.menu summary');
    await page.click('details.menu .pop button:last-of-type');
    await page.waitForSelector('input[name=username]');
    await page.waitForFunction(() => sessionStorage.length === 0);
    await page.reload();
    await page.waitForSelector('input[name=username]');
  });

  await tap.test('no script failed, the policy refused nothing, and no other host was asked', async () => {
    assert.deepEqual(page.problems, []);
    assert.deepEqual([...page.hosts].filter((host) => host !== `127.0.0.1:${rig.port}` && host !== ''), []);
  });
} finally {
  await fleet?.stop();
  await rig.stop();
}
tap.done();
