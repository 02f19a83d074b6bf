// Bad days and odd data: what each view says when something is gone, refused, unknown, old or hostile; bulk
// actions, keys, and that nothing is ever sent twice. Usage: states.mjs DASHBOARD [FOLDER_FOR_SCREENSHOTS]
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { startFleet } from './fake.mjs';
import { Rig, Tap, until, USERS } from './rig.mjs';
import { count, escape, fits, isOff, openPage, says, shot, signIn } from './steps.mjs';

const [program, shots] = process.argv.slice(2);
const tap = new Tap();
const rig = new Rig();
const mute = new Set();
const HTML = '<img src=x onerror=alert(1)>';
let fleet;

/** Opens lib/crypto.h's box with the private key, as the controller does. */
function openBox(text, pair, publicRaw, aad) {
  const box = Buffer.from(text, 'base64');
  const theirs = crypto.createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), box.subarray(0, 32)]), format: 'der', type: 'spki' });
  const secret = crypto.diffieHellman({ privateKey: pair.privateKey, publicKey: theirs });
  const info = Buffer.concat([Buffer.from('flotilla box 1'), box.subarray(0, 32), publicRaw]);
  const cipher = crypto.createDecipheriv('aes-256-gcm', Buffer.from(crypto.hkdfSync('sha256', secret, '', info, 32)), box.subarray(32, 44));
  cipher.setAAD(Buffer.from(aad));
  cipher.setAuthTag(box.subarray(-16));
  return cipher.update(box.subarray(44, -16), null, 'utf8') + cipher.final('utf8');
}

try {
  const pair = crypto.generateKeyPairSync('x25519');
  const publicRaw = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  await rig.startBroker();
  await rig.startDashboard(program);
  fleet = startFleet({ socketPath: rig.socket, username: 'controller', password: USERS.controller, bots: 40, silent: (verb) => mute.has(verb),
    answers: { 'account-key': () => ({ box_key: publicRaw.toString('hex') }) },
    extra: [{ name: HTML, phase: 'running' }, { name: 'x'.repeat(10000), phase: 'error', reason: { code: 'odd', message: `${HTML} \u001b[31m\u202e` } }] });
  await fleet.ready;
  const browser = await rig.startBrowser();
  const page = await openPage(browser, { width: 1280, height: 800 });
  const { url } = rig;
  const sent = (verb) => fleet.requests.filter((request) => request.verb === verb);
  await signIn(page, url, 'admin', USERS.admin);
  /** Runs `then` while these verbs get no answer. */
  const silently = async (verbs, then) => {
    for (const verb of verbs) mute.add(verb);
    try { await then(); } finally { for (const verb of verbs) mute.delete(verb); }
  };
  const open = async (view, sign) => {
    await page.goto(`${url}/#/${view}`);
    if (sign) await page.waitForSelector(sign);
  };

  await tap.test('a bot id like HTML is text, a name of 10,000 characters breaks nothing', async () => {
    await page.waitForSelector('table.fleet tbody a');
    await page.fill('input[type=search]', 'img');
    await page.waitForFunction((text) => document.querySelector('table.fleet tbody a')?.textContent === text, HTML);
    assert.equal(await page.locator('table.fleet img').count(), 0);
    await page.fill('input[type=search]', 'xxxxxxxxxxxx');
    await page.waitForFunction(() => document.querySelector('table.fleet tbody a')?.textContent.length === 10000);
    await fits(page);
    await shot(page, shots, 'odd-names');
    await page.goto(`${url}/#/bot/${encodeURIComponent(HTML)}`);
    await page.waitForSelector('table.fleet');
    await page.fill('input[type=search]', '');
  });

  await tap.test('control characters in a log line are shown, not obeyed', async () => {
    await open('logs', '[data-testid=grid-logs]');
    await says(page, '[data-testid=grid-logs]', /\\u0007 escape \\u001b\[31mred.*\\u202egpj\.exe <script>/);
    assert.equal(await page.locator('[data-testid=grid-logs] script').count(), 0);
  });

  await tap.test('selected by key, paused together: each bot is asked once and confirms by itself', async () => {
    await open('fleet', 'table.fleet tbody a');
    await page.fill('input[type=search]', 'btc-grid state=running orders>0');
    await page.waitForFunction(() => [...document.querySelectorAll('table.fleet tbody tr:not(.spacer) a')].length > 2);
    await page.press('input[type=search]', 'Enter'); // out of the field
    await page.locator('body').press('j');
    await page.locator('body').press('Space');
    await count(page, 'tr.picked', 1);
    await page.locator('body').press('j');
    await page.locator('body').press('j');
    await page.locator('body').press('Shift+Space');
    await count(page, 'tr.picked', 3);
    await page.click('[data-act=bot-pause]');
    await says(page, '[data-testid=bulk-effect]', /3 of 3 run and will cancel 36 orders/);
    await shot(page, shots, 'bulk-preview');
    await page.click('[data-testid=bulk-go]');
    await page.waitForSelector('[data-testid=work][data-done=true]');
    await says(page, '[data-testid=work-sum]', /3 of 3 confirmed/);
    await shot(page, shots, 'bulk-done');
    assert.equal(sent('bot-pause').length, 3);
    assert.equal(new Set(sent('bot-pause').map((request) => request.args.bot)).size, 3);
    await escape(page, '[data-testid=work]');
  });

  await tap.test('what got no answer is looked up and said to be unclear; nothing goes twice', async () => {
    await page.fill('input[type=search]', '');
    await silently(['bot-start', 'command-show'], async () => {
      await page.click('[data-act=bot-start]');
      await page.click('[data-testid=bulk-go]');
      await page.waitForSelector('[data-testid=work][data-done=true]');
      await says(page, '[data-testid=work-sum]', /0 of 3 confirmed · 3 unclear/);
    });
    assert.equal(sent('bot-start').length, 3);
    await escape(page, '[data-testid=work]');
    await escape(page, 'tr.picked');
  });

  await tap.test('a filter is saved under a name and comes back after a reload', async () => {
    await page.fill('input[type=search]', 'node:node-2 pnl<0');
    await page.click('.saved summary');
    await page.fill('.saved input', 'losing on two');
    await page.click('.saved form button');
    await page.waitForSelector('text="losing on two"');
    await page.reload();
    await page.waitForSelector('table.fleet tbody a');
    await page.click('.saved summary');
    await page.click('text="losing on two"');
    await page.waitForFunction(() => document.querySelector('input[type=search]').value === 'node:node-2 pnl<0');
    await page.fill('input[type=search]', '');
  });

  await tap.test('a key of an account is sealed before it leaves, and opens only with the private key', async () => {
    await open('accounts', '[data-testid=account-add]');
    await page.click('[data-testid=account-add]');
    await page.fill('[name=account-name]', 'main-2');
    await page.fill('[name=api-key]', 'THE-KEY');
    await page.fill('[name=api-secret]', 'THE-SECRET');
    await shot(page, shots, 'account-add');
    await page.click('[data-testid=account-form] button.primary');
    const { args } = await until('account-add', () => sent('account-add').at(-1));
    assert.ok(!JSON.stringify(args).includes('THE-'));
    assert.deepEqual(JSON.parse(openBox(args.credentials_sealed, pair, publicRaw, 'account-add:main:main-2')), { key: 'THE-KEY', secret: 'THE-SECRET' });
    assert.throws(() => openBox(args.credentials_sealed, pair, publicRaw, 'account-add:main:other'));
    assert.equal(sent('account-test').at(-1).args.credentials_sealed, args.credentials_sealed, 'tried before they were kept');
  });

  await tap.test('alerts are acknowledged with a note, a node is drained, a user and a token are made once', async () => {
    await open('alerts', '[data-testid=grid-alerts]');
    await page.click('[data-testid=grid-alerts] tbody button');
    await page.fill('[data-testid=ack-form] input', 'on it');
    await page.click('[data-testid=ack-form] button.primary');
    await page.waitForSelector('text="on it"');
    await open('node/node-1', '[data-testid=drain]');
    await page.click('[data-testid=drain]');
    await page.click('[data-testid=drain-form] button.primary');
    await page.waitForSelector('.head .tag');
    await open('users', '[data-testid=user-add]');
    await page.click('[data-testid=user-add]');
    await page.fill('[name=new-user]', 'ops');
    await page.click('[data-testid=user-form] button.primary');
    await says(page, '[data-testid=secret]', 'correct-horse-battery');
    await shot(page, shots, 'user-made');
    assert.deepEqual([sent('alert-ack').length, sent('node-drain').length, sent('user-add').length], [1, 1, 1]);
  });

  await tap.test('a bot is moved and set right, the fleet is evened out, a webhook is added: each asked once', async () => {
    await open('bot/btc-grid-1', '[data-testid=move]');
    await page.click('[data-testid=move]');
    await page.selectOption('[data-testid=move-form] select', 'node-2');
    await shot(page, shots, 'move');
    await page.click('[data-testid=move-form] button.primary');
    assert.deepEqual((await until('bot-move', () => sent('bot-move').at(-1))).args, { bot: 'btc-grid-1', node: 'node-2' });
    await page.click('[data-testid=reconcile]:not([disabled])');
    await page.waitForSelector('[data-testid=reconcile-form] tbody td');
    await isOff(page, '[data-testid=reconcile-form] button.primary'); // a reason is needed
    await page.fill('[data-testid=reconcile-form] [name=reason]', 'a fee in BTC');
    await shot(page, shots, 'reconcile');
    await page.click('[data-testid=reconcile-form] button.primary');
    await until('accepted', () => sent('bot-reconcile').find(({ args }) => args.accept_venue && args.reason === 'a fee in BTC'));
    await open('nodes', '[data-testid=rebalance]');
    await page.click('[data-testid=rebalance]');
    await page.waitForSelector('[data-testid=rebalance-form] li');
    await page.click('[data-testid=rebalance-form] button.primary');
    await until('rebalance', () => sent('rebalance').find(({ args }) => !args.dry_run));
    await open('alerts', '[data-testid=notify]');
    await page.click('[data-testid=notify] button:has-text("webhook")');
    await page.fill('[data-testid=notify-form] [name=name]', 'pager');
    await page.fill('[data-testid=notify-form] [name=url]', 'https://hooks.example.com/x');
    await page.click('[data-testid=notify-form] button.primary');
    await page.waitForSelector('[data-testid=notify] tbody td');
    await shot(page, shots, 'notify');
    assert.deepEqual(['bot-move', 'notify-add'].map((verb) => sent(verb).length), [1, 1]);
  });

  await tap.test('a bot is edited from its own manifest; a term of its profit leads to its fills', async () => {
    await open('deploy/edit/btc-grid-1', '[data-testid=deploy-form]');
    await page.waitForFunction(() => document.querySelector('input[name=name]')?.value === 'btc-grid-1' && document.querySelector('input[name=name]').readOnly);
    await page.waitForFunction(() => Number(document.querySelector('[data-testid=preview]')?.dataset.levels) === 20);
    await open('bot/btc-grid-1', '.identity button');
    await page.click('.identity button');
    await page.waitForSelector('#tab-fills[aria-selected=true]');
    for (const tab of ['days', 'events', 'risk', 'config', 'log', 'raw']) {
      await page.click(`#tab-${tab}`);
      await page.waitForSelector(`#tab-${tab}[aria-selected=true]`);
      await page.waitForFunction(() => document.querySelector('#tab-panel').textContent.length > 20 && !document.querySelector('#tab-panel .skeleton'));
      await shot(page, shots, `bot-${tab}`);
    }
  });

  await tap.test('a table is exported whole, and a spreadsheet runs nothing of it', async () => {
    await open('audit', '[data-testid=grid-audit]');
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('[data-testid=csv-audit]')]);
    const chunks = [];
    for await (const chunk of await file.createReadStream()) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).toString().trim().split('\r\n').length, 41);
  });

  await tap.test('the audit draws what a request changed, old and new', async () => {
    await open('audit', '[data-testid=grid-audit]');
    await says(page, '[data-testid=said]', /run − running \+ paused.*params\.levels − 12 \+ 20.*risk\.max_daily_loss\s+\+ 50/);
  });

  await tap.test('prices and quantities have the places of their instrument, and zero has no sign', async () => {
    await open('orders', '[data-testid=grid-orders] tbody tr');
    const cells = (column) => page.$$eval('[data-testid=grid-orders] tbody tr', (rows, at) => rows.map((row) => [row.children[1].textContent, row.children[at].textContent]), column);
    const places = { 'BTC-USDT': [1, 5], 'ETH-USDT': [2, 4] };
    await page.waitForFunction((want) => [...document.querySelectorAll('[data-testid=grid-orders] tbody tr')].every(({ children }) => [3, 4].every((at, i) => (children[at].textContent.split('.')[1] ?? '').length === want[children[1].textContent][i])), places)
      .catch(async () => assert.fail(`prices ${JSON.stringify((await cells(3)).slice(0, 3))}, quantities ${JSON.stringify((await cells(4)).slice(0, 3))}`));
    await says(page, '[data-testid=grid-orders] tbody tr:first-child td:nth-child(3)', /^[▲▼] /);
    await open('fleet', 'table.fleet tbody a');
    await page.fill('input[type=search]', 'state:stopped');
    await page.waitForFunction(() => [...document.querySelectorAll('table.fleet tbody td.c-pnl')].map((cell) => cell.firstChild.textContent).join() === '0.00');
    await page.fill('input[type=search]', '');
  });

  await tap.test('a viewer is told which right is missing, and by whom it can be given', async () => {
    const other = await openPage(browser, { width: 1280, height: 800, theme: 'light' });
    await signIn(other, url, 'viewer', USERS.viewer);
    await other.goto(`${url}/#/users`);
    await says(other, '[data-testid=denied]', /user-ls.*viewer/);
    await shot(other, shots, 'denied');
    await other.context().close();
  });

  await tap.test('a verb that fails or stays silent leaves the view with a reason and a way to try again', async () => {
    await page.evaluate(() => { // what is drawn before the answer, or the want of one
      window.loading = false;
      new MutationObserver(() => { window.loading ||= !!document.querySelector('main .skeleton'); }).observe(document.querySelector('main'), { childList: true, subtree: true });
    });
    await silently(['portfolio'], async () => {
      await open('portfolio', '.empty.failed button');
      assert.ok(await page.evaluate(() => window.loading), 'it said that it was loading');
      await shot(page, shots, 'no-answer');
      await page.click('.empty.failed button'); // while it is there: it asks by itself too
    });
    await page.waitForSelector('[data-testid=grid-portfolio-assets]');
  });

  await tap.test('the controller gone, a node lost, a clock that is wrong: each is said', async () => {
    try {
      fleet.say('ctl/state', { state: 'offline', term: 1, incarnation: 1 }, { qos: 1, retain: true });
      await says(page, '.banner.warn', 'controller is offline');
      await shot(page, shots, 'controller-gone');
    } finally { fleet.say('ctl/state', { state: 'online', term: 1, incarnation: 1, version: '0.1.0' }, { qos: 1, retain: true }); }
    await page.waitForSelector('.banner.warn', { state: 'detached' });
    try {
      fleet.lost.add('node-2');
      await open('node/node-2', '.banner.bad');
      await shot(page, shots, 'node-lost');
    } finally { fleet.lost.clear(); }
    try {
      fleet.clock.skew = 3600000;
      await says(page, '[data-testid=clock]', '60 min|1 h');
      await page.waitForSelector('[data-testid=conn].live'); // ages go by the fleet's clock
      await shot(page, shots, 'clock-wrong');
    } finally { fleet.clock.skew = 0; }
    await page.waitForSelector('[data-testid=clock]', { state: 'detached' });
  });

  await tap.test('a fleet of another protocol is not misread', async () => {
    fleet.client.publish('flt/v1/main/ctl/state', JSON.stringify({ v: 2, id: '0', ts_ms: Date.now(), state: 'online' }), { qos: 1 });
    await page.waitForSelector('[data-testid=protocol]');
    await shot(page, shots, 'protocol');
  });

  await tap.test('a password that changed ends the session, with words', async () => {
    execFileSync('mosquitto_passwd', ['-b', path.join(rig.dir, 'passwords'), 'admin', 'other-secret'], { stdio: 'ignore' });
    await rig.end(rig.broker);
    rig.broker = rig.child('mosquitto', 'mosquitto', ['-c', path.join(rig.dir, 'mosquitto.conf')]);
    await page.waitForSelector('[data-testid=signin-error]');
    await shot(page, shots, 'session-ended');
    await page.waitForFunction(() => sessionStorage.length === 0);
  });

  await tap.test('no script failed and the policy refused nothing', () => assert.deepEqual(page.problems, []));
} finally {
  await fleet?.stop();
  await rig.stop();
}
tap.done();
