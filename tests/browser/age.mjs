// How old a number in the browser is, over the whole chain of a real fleet: the node says a state or a live word with
// its time, and the page is watched for when it draws that price. Printed, never asserted.
// Usage: age.mjs URL USER PASSWORD --dir FOLDER [--rows] (fleet.py gives them)
import net from 'node:net';
import mqtt from 'mqtt';
import { Rig, until } from './rig.mjs';
import { openPage, signIn } from './steps.mjs';

const [url, user, password, ...options] = process.argv.slice(2);
const dir = options[options.indexOf('--dir') + 1];
const WATCH_MS = 12000;

const said = { state: new Map(), live: new Map() }; // bot -> [{ price, at }], each time the price was another one
const client = new mqtt.MqttClient(() => net.createConnection(`${dir}/broker/mosquitto.sock`), { protocolVersion: 5, clean: true, username: user, password, clientId: `age-${process.pid}` });
client.on('connect', () => client.subscribe(['flt/v1/main/n/+/b/+/state', 'flt/v1/main/n/+/b/+/live']));
client.on('message', (topic, payload) => {
  const [bot, kind] = topic.split('/').slice(-2);
  const { price, ts_ms: at } = JSON.parse(payload);
  const list = said[kind].get(bot) ?? [];
  if (price !== undefined && list.at(-1)?.price !== Number(price)) list.push({ price: Number(price), at });
  said[kind].set(bot, list);
});

/** Prices as they come into the page, with the time of each. */
const watch = (page, where, nameOf, cell) => page.evaluate(([box, name, number, ms]) => new Promise((resolve) => {
  const seen = [];
  const last = new Map();
  const look = () => {
    const at = Date.now();
    for (const el of document.querySelectorAll(box)) {
      const bot = name ? el.querySelector(name)?.textContent : location.hash.split('/').at(-1);
      const text = el.querySelector(number)?.textContent;
      if (!bot || !text || last.get(bot) === text) continue;
      if (last.has(bot)) seen.push({ bot, price: Number(text.replaceAll(',', '')), at });
      last.set(bot, text);
    }
  };
  look();
  const observer = new MutationObserver(look);
  observer.observe(document.querySelector('main'), { subtree: true, childList: true, characterData: true });
  setTimeout(() => { observer.disconnect(); resolve(seen); }, ms);
}), [where, nameOf, cell, WATCH_MS]);

/** Of each price that was drawn: how long before it the node had said it. */
function ages(seen, words) {
  const found = [];
  for (const { bot, price, at } of seen) {
    const word = words.get(bot)?.findLast((each) => each.price === price && each.at <= at + 5);
    if (word) found.push(at - word.at);
  }
  return found.sort((a, b) => a - b);
}

function put(what, list) {
  const part = (share) => list[Math.min(list.length - 1, Math.floor(list.length * share))] ?? NaN;
  const compared = `p99 ${part(0.99)}, worst ${list.at(-1) ?? NaN} of ${list.length}; aim: at most 1500`;
  console.log(options.includes('--rows') ? `browser: ${what}\t${part(0.5)}\tms\t${compared}` : `${what}: ${part(0.5)} ms, ${compared}`);
}

const rig = new Rig();
try {
  const page = await openPage(await rig.startBrowser());
  await signIn(page, url, user, password);
  await page.waitForSelector('table.fleet tbody a');
  await until('words of the nodes', () => said.state.size > 10, 30000);
  const bot = (await page.$$eval('table.fleet tbody a', (links) => links.map((link) => link.textContent))).find((name) => name.includes('grid'));
  put('a price in the fleet table, after the node said it', ages(await watch(page, 'table.fleet tbody tr', 'a', 'td.c-num'), said.state));
  await page.goto(`${url}/#/bot/${bot}`);
  await page.waitForSelector('[data-testid=price]');
  await until('live words', () => said.live.has(bot), 30000);
  put('a price on a bot\'s page, after the node said it', ages(await watch(page, '.bot-kpis', '', '[data-testid=price]'), said.live));
} finally {
  client.end(true);
  await rig.stop();
}
