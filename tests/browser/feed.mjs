// A controller that only tells digest pages, in its own process, so that thousands of bots cost the one who measures
// nothing. Each bot's price, profit and age changes in each page, which is more than a real fleet does.
// Usage: feed.mjs SOCKET PASSWORD BOTS EVERY_MS; says "ready" when the first pages are at the broker
import net from 'node:net';
import mqtt from 'mqtt';

const [path, password, count, everyMs] = process.argv.slice(2);
const [bots, every] = [Number(count), Number(everyMs)];
const A_PAGE = 20; // as many as the controller puts on one, with names like these
const ROOT = 'flt/v1/main/';
const KINDS = ['grid', 'grid', 'dca', 'pmm_simple', 'sma_cross'];
const names = Array.from({ length: bots }, (_, i) => `${i % 2 ? 'eth' : 'btc'}-${KINDS[i % 5].replace('_', '-')}-${i + 1}`).sort();
const fixed = names.map((name, i) => {
  const n = Number(name.split('-').at(-1)) - 1;
  return `{"n":"${name}","s":"${KINDS[n % 5]}","i":"${n % 2 ? 'ETH' : 'BTC'}-USDT","nd":"node-${(n % 4) + 1}","m":"live","run":"${i % 17 ? 'running' : 'paused'}","ph":"${i % 17 ? 'running' : 'paused'}","pos":"${(0.0015 * (i % 9)).toFixed(4)}","oo":${i % 20},"fills":${100 + (i % 900)}`;
});
let turn = 0;
const client = new mqtt.MqttClient(() => net.createConnection(path), { protocolVersion: 5, clean: true, username: 'controller', password, clientId: 'controller', reconnectPeriod: 300 });
const say = (topic, body, options) => client.publish(ROOT + topic, `{"v":1,"id":"${turn}","ts_ms":${Date.now()},"src":"controller","seq":${turn},${body}}`, options);

function digest() {
  turn++;
  const pages = Math.ceil(bots / A_PAGE);
  for (let page = 0; page < pages; page++) {
    const rows = fixed.slice(page * A_PAGE, (page + 1) * A_PAGE).map((text, i) => {
      const wave = Math.sin(turn / 9 + page + i);
      return `${text},"px":"${text.includes('ETH') ? (3100 + wave * 9).toFixed(2) : (64000 + wave * 99).toFixed(1)}","pnl":"${(12.5 + i).toFixed(4)}","eq":"${(12.5 + i + wave * 7).toFixed(4)}","age_ms":${120 + i}}`;
    });
    say(`ui/digest/${page}`, `"page":${page},"pages":${pages},${page ? '' : `"fleet":{"nodes":4,"nodes_up":4,"bots":${bots},"running":${bots},"fills":${turn},"halt":0,"alerts":0},`}"bots":[${rows.join(',')}]`, { retain: true });
  }
}

client.on('message', (topic, payload, packet) => {
  const { id } = JSON.parse(payload);
  const [, user, verb] = /u\/([^/]+)\/req\/([^/]+)$/.exec(topic) ?? [];
  const result = verb === 'whoami' ? `"ok":true,"result":{"user":"${user}","role":"viewer","tenant":"main","verbs":["whoami","status","bot-ls"]}` : '"ok":false,"error":{"code":"unavailable","message":"only digests here"}';
  say(packet.properties?.responseTopic?.slice(ROOT.length) ?? `u/${user}/res/${id}`, `"re":"${id}","verb":"${verb}",${result}`, { qos: 1 });
});
client.once('connect', () => client.subscribe(`${ROOT}u/+/req/+`, { qos: 1 }, () => {
  say('ctl/state', '"state":"online","term":1,"incarnation":1,"version":"0.1.0"', { qos: 1, retain: true });
  digest();
  setInterval(digest, every);
  console.log('ready');
}));
client.on('error', (error) => { console.error(error.message); process.exit(1); });
