// A fleet made of one process: publishes digest pages, heartbeats, states and live detail, and answers
// requests, by the words of schemas/. For tests of the page alone; the end-to-end test has the real ones.
import net from 'node:net';
import mqtt from 'mqtt';
import { moreAnswers } from './answers.mjs';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
let counter = 0;
function ulid() {
  let time = '';
  for (let i = 0, rest = Date.now(); i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  return time + String(++counter).padStart(16, '0');
}
let seed = 7;
const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
const dec = (n, places) => n.toFixed(places).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '').replace(/^-0$/, '0');

const MARKETS = { 'BTC-USDT': { price: 64123.1, places: 1, qty: 0.0015, tick: '0.1', lot: '0.00001' },
  'ETH-USDT': { price: 3101.72, places: 2, qty: 0.03, tick: '0.01', lot: '0.0001' } };
const PHASE_OF = { running: 'running', paused: 'paused', stopped: 'stopped', flat: 'flat' };
const TIMEFRAME_S = { '1m': 60, '5m': 300, '15m': 900, '1h': 3600 };

const STRATEGIES = {
  grid: { help: 'Buys below and sells above on a ladder of prices.', params: [
    { name: 'lower', type: 'decimal', min: '0', unit: 'quote', help: 'Lowest price of the ladder.' },
    { name: 'upper', type: 'decimal', min: '0', unit: 'quote', help: 'Highest price of the ladder.' },
    { name: 'levels', type: 'int', default: '20', min: '2', max: '200', step: '1', unit: '', help: 'Prices on the ladder.' },
    { name: 'budget', type: 'decimal', default: '1000', min: '10', unit: 'quote', help: 'Money it may use.', hot: true },
    { name: 'spacing', type: 'enum', default: 'geometric', choices: ['arithmetic', 'geometric'], help: 'Equal steps in price or in percent.' },
    { name: 'post_only', type: 'bool', default: 'true', help: 'Never take.' } ] },
  dca: { help: 'Buys at intervals, takes profit, adds safety orders.', params: [
    { name: 'interval', type: 'duration', default: '1h', min: '1000', unit: '', help: 'Between two buys.' },
    { name: 'order_quote', type: 'decimal', default: '50', min: '10', unit: 'quote', help: 'Money of a buy.' },
    { name: 'take_profit', type: 'double', default: '1.5', min: '0.1', max: '50', unit: '%', help: 'Above the average price.' } ] },
  rsi: { help: 'Buys when oversold, sells when overbought.', params: [{ name: 'period', type: 'int', default: '14', min: '2', max: '500', help: 'Bars of the RSI.' }] },
  sma_cross: { help: 'Holds while the fast average is above the slow one.', params: [{ name: 'fast', type: 'int', default: '20', min: '1', max: '500', help: 'Bars.' }, { name: 'slow', type: 'int', default: '50', min: '2', max: '1000', help: 'Bars.' }] },
  pmm_simple: { help: 'Quotes both sides around the mid price.', params: [{ name: 'spread', type: 'double', default: '10', min: '1', max: '1000', unit: 'bps', help: 'Off the mid, each side.', hot: true }] },
};
const READS = ['status', 'whoami', 'node-ls', 'node-show', 'bot-ls', 'bot-show', 'bot-orders', 'bot-fills', 'bot-logs', 'bot-equity', 'bot-watch', 'candles', 'account-ls', 'strategy-ls', 'strategy-show', 'instrument-ls', 'pnl', 'halt-ls', 'audit-ls', 'reconcile', 'command-show', 'account-key', 'account-check', 'alert-ls', 'bot-history', 'halt-show', 'health', 'log-ls', 'market-ls', 'order-ls', 'pnl-days', 'portfolio', 'token-add', 'token-ls', 'token-rm'];
const TRADES = ['bot-deploy', 'apply', 'bot-start', 'bot-stop', 'bot-pause', 'bot-resume', 'bot-rm', 'halt', 'resume', 'alert-ack', 'bot-move', 'bot-reconcile'];
const ROLES = { viewer: READS, trader: [...READS, ...TRADES], admin: [...READS, ...TRADES, 'account-add', 'account-rm', 'account-test', 'user-add', 'user-ls', 'user-passwd', 'user-rm', 'user-role', 'node-drain', 'rebalance', 'node-rm', 'bot-adopt', 'notify-ls', 'notify-add', 'notify-rm', 'notify-test'] };

class Bot {
  constructor(name, strategy, instrument, node, run = 'running', phase) {
    Object.assign(this, { name, strategy, instrument, node, run, phase: phase ?? PHASE_OF[run], generation: 1, epoch: 1, since: Date.now() - 4e6 * random(), fills: [], equity: [], log: [], history: [], watchUntil: 0, position: 0, cost: 0, realised: 0, fees: 0 });
    this.market = MARKETS[instrument];
    const mid = this.market.price;
    this.orders = strategy === 'grid' || strategy === 'pmm_simple' ? Array.from({ length: 12 }, (_, i) => this.order(i < 6 ? 'buy' : 'sell', mid * (1 + (i < 6 ? i - 6 : i - 5) * 0.0011), i)) : [];
    this.mode = 'live';
    this.account = 'demo';
    this.spec = { name, strategy, account: 'demo', instrument, mode: 'live', params: { levels: 20 } };
  }

  order(side, price, key) {
    return { instrument: this.instrument, client_order_id: `f${this.name}${++counter}`, order_id: String(9000 + counter), key, label: `cell ${key} ${side}`, side, type: 'limit', tif: 'gtc', post_only: true,
      price: dec(price, this.market.places), qty: dec(this.market.qty, 6), filled_qty: '0', status: 'open', ts_ms: Date.now() - 60000 };
  }

  fill(side, price, tsMs) {
    const qty = this.market.qty;
    const fee = price * qty * 0.001;
    if (side === 'buy') {
      this.position += qty;
      this.cost += price * qty;
    } else if (this.position >= qty) {
      const paid = (this.cost / this.position) * qty;
      this.realised += price * qty - paid;
      this.position -= qty;
      this.cost -= paid;
    }
    this.realised -= fee;
    this.fees += fee;
    const fill = { instrument: this.instrument, trade_id: String(++counter), order_id: String(8000 + counter), side, price: dec(price, this.market.places), qty: dec(qty, 6), fee: dec(fee, 8), fee_asset: 'USDT', liquidity: 'maker', ts_ms: tsMs };
    this.fills.unshift(fill);
    this.log.push({ ts_ms: tsMs, level: 'info', event: 'fill_applied', text: `${side} ${fill.qty} at ${fill.price}, fee ${fill.fee} USDT` });
    return fill;
  }

  unrealised() { return this.position * this.market.price - this.cost; }
  total() { return this.realised + this.unrealised(); }
  book() { return { position: dec(this.position, 6), cash: dec(this.realised - this.cost, 8), cost: dec(this.cost, 8), realised: dec(this.realised, 8), volume: '0', fees: { USDT: dec(this.fees, 8) }, fills: this.fills.length }; }
}

export function startFleet({ socketPath, username, password, tenant = 'main', bots: count = 24, quiet = [], silent = () => false, extra = [], answers = {}, digestMs = 500 }) {
  const root = `flt/v1/${tenant}/`;
  const client = new mqtt.MqttClient(() => net.createConnection(socketPath), { protocolVersion: 5, clean: true, username, password, clientId: 'controller', reconnectPeriod: 300 });
  const bots = new Map();
  const history = {};
  let halts = [];
  let haltNumber = 0;
  const timers = [];
  const clock = { skew: 0 };
  const lost = new Set(); // nodes whose heart stands still
  const roles = { admin: 'admin', trader: 'trader', viewer: 'viewer' };
  const say = (path, body, options = {}) => client.publish(root + path, JSON.stringify({ v: 1, id: ulid(), ts_ms: Date.now() + clock.skew, src: 'controller', seq: counter, ...body }), options);

  const kinds = Object.keys(STRATEGIES);
  const more = moreAnswers({ bots, nodes: () => nodes(), users: roles, halts: () => ({ halts, haltNumber }) });
  for (let i = 0; i < count; i++) {
    const strategy = kinds[i % 3 === 2 ? (i % kinds.length) : 0];
    const instrument = i % 2 ? 'ETH-USDT' : 'BTC-USDT';
    const name = `${instrument.slice(0, 3).toLowerCase()}-${strategy.replace('_', '-')}-${String(i + 1)}`;
    const run = i === 5 ? 'paused' : i === 11 ? 'stopped' : 'running';
    bots.set(name, new Bot(name, strategy, instrument, `node-${(i % 2) + 1}`, run, i === 17 ? 'error' : undefined));
  }
  for (const odd of extra) bots.set(odd.name, Object.assign(new Bot(odd.name, 'grid', 'BTC-USDT', 'node-1'), odd));
  for (const [name, market] of Object.entries(MARKETS)) {
    const list = [];
    let price = market.price;
    const now = Math.floor(Date.now() / 60000) * 60;
    for (let i = 0; i < 1500; i++) {
      const close = price;
      const open = price * (1 + (random() - 0.5) * 0.0018 + Math.sin(i / 70) * 0.00012);
      list.unshift({ time: now - i * 60, open, close, high: Math.max(open, close) * (1 + random() * 0.0005), low: Math.min(open, close) * (1 - random() * 0.0005), volume: 1 + random() * 6 });
      price = open;
    }
    history[name] = list;
  }
  for (const bot of bots.values()) {
    const list = history[bot.instrument];
    if (bot.run === 'stopped') continue;
    for (let i = list.length - 400; i < list.length; i += 4 + Math.floor(random() * 14)) {
      const side = bot.position < bot.market.qty * 2 || random() < 0.45 ? 'buy' : 'sell';
      bot.fill(side, list[i].close, list[i].time * 1000 + 30000);
      bot.equity.push({ ts_ms: list[i].time * 1000 + 30000, equity: dec(bot.realised + bot.position * list[i].close - bot.cost, 8), position: dec(bot.position, 6) });
    }
    bot.history.push({ ts_ms: Date.now() - 3.6e6, kind: 'desired', text: 'deployed, running', by: 'admin', generation: 1 });
    if (bot.phase === 'error') bot.reason = { code: 'books_differ', message: 'executed 0.02, booked 0.015: paused until an operator looks' };
  }

  const sendState = (bot) => /^[\w-]{1,48}$/.test(bot.name) && say(`n/${bot.node}/b/${bot.name}/state`, { src: `node/${bot.node}`, epoch: bot.epoch, bot: bot.name, incarnation: 1, generation: bot.generation, run: bot.run, phase: bot.phase, reason: bot.reason, since_ms: Math.round(bot.since), strategy: bot.strategy, mode: bot.mode, venue: 'binance', account: bot.account, instrument: bot.instrument, book: bot.book(),
    average_price: bot.position > 0 ? dec(bot.cost / bot.position, 2) : undefined, price: dec(bot.market.price, bot.market.places), unrealised: dec(bot.unrealised(), 8), equity: dec(bot.total(), 8), orders_open: bot.orders.length }, { qos: 1, retain: true });
  const row = (bot) => ({ bot: bot.name, strategy: bot.strategy, venue: 'binance', account: bot.account, instrument: bot.instrument, mode: bot.mode, node: bot.node, run: bot.run, phase: bot.phase, reason: bot.reason, generation: bot.generation, applied: bot.generation, epoch: bot.epoch, position: dec(bot.position, 6), price: dec(bot.market.price, bot.market.places), realised: dec(bot.realised, 8), unrealised: dec(bot.unrealised(), 8), equity: dec(bot.total(), 8), fees: { USDT: dec(bot.fees, 8) }, fills: bot.fills.length, orders_open: bot.orders.length, age_ms: 200 });
  const nodes = () => ['node-1', 'node-2'].map((node, i) => {
    const own = [...bots.values()].filter((bot) => bot.node === node);
    return { node, state: lost.has(node) ? 'lost' : 'up', age_ms: lost.has(node) ? 61000 : 300, incarnation: 3, version: '0.1.0', draining: more.drained.has(node) || undefined, lease: { state: 'held', age_ms: 310, ends_ms: 16840, host: `rack${i + 1}`, pid: 4000 + i }, host: `rack${i + 1}`, pid: 4000 + i, started_ms: Date.now() - 7.4e6, bots: own.length, running: own.filter((bot) => bot.phase === 'running').length, capacity: 200, rss_bytes: 18e6 + i * 3e6, loop_lag_us: 310, load: 0.04 + i * 0.01, clock_offset_ms: i ? 2 : -1, head: 88213, committed: 88213, strategies: kinds, venues: [{ venue: 'binance', up: true, age_ms: 100 }] };
  });
  const digest = () => {
    const all = [...bots.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const size = 24;
    const pages = Math.max(1, Math.ceil(all.length / size));
    for (let page = 0; page < pages; page++) {
      const list = all.slice(page * size, (page + 1) * size).map((bot) => ({ n: bot.name, s: bot.strategy, i: bot.instrument, nd: bot.node, m: bot.mode, run: bot.run, ph: bot.phase, rc: bot.reason?.code, pos: dec(bot.position, 6), pnl: dec(bot.realised, 4), eq: dec(bot.total(), 4), px: dec(bot.market.price, bot.market.places), fills: bot.fills.length, oo: bot.orders.length, age_ms: 120 }));
      const fleet = { nodes: 2, nodes_up: 2, bots: all.length, running: all.filter((bot) => bot.phase === 'running').length, fills: all.reduce((sum, bot) => sum + bot.fills.length, 0), halt: halts.length, alerts: more.alerts.filter((alert) => !alert.cleared_ms && !alert.acked_ms).length };
      say(`ui/digest/${page}`, { page, pages, ...(page === 0 ? { fleet } : {}), bots: list }, { retain: true });
    }
  };
  const live = (bot) => say(`n/${bot.node}/b/${bot.name}/live`, { src: `node/${bot.node}`, bot: bot.name, phase: bot.phase, price: dec(bot.market.price, bot.market.places), bid: dec(bot.market.price - 0.1, 2), ask: dec(bot.market.price + 0.1, 2), book: bot.book(), unrealised: dec(bot.unrealised(), 8), equity: dec(bot.total(), 8), orders: bot.orders });

  const halted = () => halts.some((halt) => halt.scope === 'fleet');
  const sendHalts = () => say('ctl/halt', { term: 1, number: haltNumber, halts }, { qos: 1, retain: true });
  function desire(bot, run, phase) {
    bot.run = run;
    bot.generation++;
    bot.history.unshift({ ts_ms: Date.now(), kind: 'desired', text: run, by: 'admin', generation: bot.generation });
    timers.push(setTimeout(() => {
      bot.phase = phase;
      bot.reason = undefined;
      bot.since = Date.now();
      if (phase !== 'running') bot.orders = [];
      sendState(bot);
      digest();
    }, 400));
    return { bot: bot.name, node: bot.node, generation: bot.generation, epoch: bot.epoch, run };
  }

  const fail = (code, message, field, hint) => Object.assign(new Error(message), { wire: { code, message, field, hint } });
  const need = (name) => bots.get(name) ?? (() => { throw fail('not_found', `there is no bot ${name}`, 'bot', 'flotilla bot ls'); })();
  const page = (items) => ({ items });
  function checkSpec(spec) {
    const strategy = STRATEGIES[spec.strategy];
    if (!strategy) throw fail('invalid_argument', `no strategy ${spec.strategy}`, 'bot.strategy');
    if (!MARKETS[spec.instrument]) throw fail('invalid_argument', `binance lists no ${spec.instrument}`, 'bot.instrument', 'did you mean BTC-USDT?');
    if (bots.has(spec.name)) throw fail('conflict', `${spec.name} exists with another strategy, account, instrument or mode`, 'bot.name', 'choose another name, or remove the bot first');
    const { lower, upper, levels } = spec.params;
    if (spec.strategy !== 'grid') return;
    if (Number(upper) <= Number(lower)) throw fail('invalid_argument', 'upper must be above lower', 'bot.params.upper', 'swap the two');
    if ((Number(upper) / Number(lower) - 1) / levels < 0.0004) throw fail('invalid_argument', 'a step of 0.03 % does not cover two fees of 0.1 %', 'bot.params.levels', 'use fewer levels or a wider range');
  }
  const ANSWERS = {
    whoami: (_, user) => ({ user, role: roles[user] ?? 'viewer', tenant, verbs: ROLES[roles[user] ?? 'viewer'] }),
    'bot-show': ({ bot }) => ({ bot: row(need(bot)), spec: need(bot).spec, history: need(bot).history }),
    'bot-orders': ({ bot }) => ({ orders: need(bot).orders, as_of_ms: Date.now() }),
    'bot-fills': ({ bot, limit = 100, after = 0 }) => { const all = need(bot).fills; return { items: all.slice(after, after + limit).map((fill, i) => ({ ...fill, id: after + i + 1, bot, node: need(bot).node, venue: 'binance', account: 'demo', mode: 'live', epoch: 1 })), ...(after + limit < all.length ? { next: after + limit } : {}) }; },
    'bot-logs': ({ bot }) => ({ lines: need(bot).log.slice(-100) }),
    'bot-equity': ({ bot }) => ({ points: need(bot).equity }),
    'bot-watch': ({ bot, ttl_s: ttl = 30 }) => { need(bot).watchUntil = Date.now() + ttl * 1000; return { bot, node: need(bot).node, until_ms: need(bot).watchUntil }; },
    candles: ({ instrument, timeframe, limit = 500 }) => {
      const list = history[instrument];
      if (!list) throw fail('not_found', `binance lists no ${instrument}`, 'instrument');
      const merged = new Map();
      for (const bar of list) {
        const time = Math.floor(bar.time / TIMEFRAME_S[timeframe]) * TIMEFRAME_S[timeframe];
        const old = merged.get(time);
        merged.set(time, old ? { ...old, high: Math.max(old.high, bar.high), low: Math.min(old.low, bar.low), close: bar.close, volume: old.volume + bar.volume } : { ...bar, time });
      }
      const places = MARKETS[instrument].places;
      return { candles: [...merged.values()].slice(-limit).map((bar) => ({ ts_ms: bar.time * 1000, open: dec(bar.open, places), high: dec(bar.high, places), low: dec(bar.low, places), close: dec(bar.close, places), volume: dec(bar.volume, 4) })) };
    },
    'node-ls': () => page(nodes()),
    'account-ls': () => page([{ name: 'demo', venue: 'binance', sandbox: true, version: 1, created_ms: 1772366400000, bots: bots.size, keyed: true }, { name: 'real', venue: 'binance', version: 1, created_ms: 1772366400000, bots: 0, keyed: true }]),
    'strategy-ls': () => page(Object.entries(STRATEGIES).map(([strategy, { help }]) => ({ strategy, help }))),
    'strategy-show': ({ strategy }) => ({ strategy, help: STRATEGIES[strategy].help, params: STRATEGIES[strategy].params, schema: {} }),
    'instrument-ls': () => page(Object.entries(MARKETS).map(([name, { tick, lot }]) => ({ name, venue_symbol: name.replace('-', ''), kind: 'spot', status: 'trading', base: name.split('-')[0], quote: 'USDT', tick, lot }))),
    'bot-pause': ({ bot }) => desire(need(bot), 'paused', 'paused'),
    'bot-resume': ({ bot }) => desire(need(bot), 'running', 'running'),
    'bot-start': ({ bot }) => desire(need(bot), 'running', 'running'),
    'bot-stop': ({ bot, how }) => desire(need(bot), how === 'flatten' ? 'flat' : 'stopped', how === 'flatten' ? 'flat' : 'stopped'),
    'bot-rm': ({ bot }) => { bots.delete(need(bot).name); digest(); return { bot, removed: true }; },
    'bot-deploy': ({ bot: spec, dry_run: dry, live: real }) => {
      checkSpec(spec);
      if (spec.mode === 'live' && spec.account === 'real' && !real) throw fail('denied', 'live on a real account needs live: true', 'live');
      const result = { bot: spec.name, node: spec.placement?.node ?? 'node-1', generation: 1, epoch: 1, run: 'running', created: true, changed: true };
      if (dry) return result;
      const bot = new Bot(spec.name, spec.strategy, spec.instrument, result.node, 'running', 'recovering');
      Object.assign(bot, { mode: spec.mode, spec, since: Date.now(), generation: 0 });
      bots.set(spec.name, bot);
      return { ...desire(bot, 'running', 'running'), created: true, changed: true };
    },
    halt: ({ scope, target, how = 'pause', reason }, user) => {
      halts = [...halts, { number: ++haltNumber, scope, target, how, reason, by: user, ts_ms: Date.now() }];
      for (const bot of bots.values()) if (scope === 'fleet' && bot.phase === 'running') { bot.phase = 'paused'; bot.reason = { code: 'halted', message: `fleet is halted: ${reason}` }; bot.orders = how === 'pause' ? bot.orders : []; sendState(bot); }
      sendHalts();
      digest();
      return { number: haltNumber, halts };
    },
    resume: ({ scope, target }) => {
      halts = halts.filter((halt) => halt.scope !== scope || halt.target !== target);
      haltNumber++;
      for (const bot of bots.values()) if (bot.run === 'running' && bot.reason?.code === 'halted') { bot.phase = 'running'; bot.reason = undefined; sendState(bot); }
      sendHalts();
      digest();
      return { number: haltNumber, halts };
    },
    'halt-ls': () => ({ number: haltNumber, halts }),
    ...more,
    ...answers,
  };

  const requests = [];
  client.on('message', (topic, payload, packet) => {
    const [, user, verb] = /u\/([^/]+)\/req\/([^/]+)$/.exec(topic) ?? [];
    const message = JSON.parse(payload.toString());
    requests.push({ user, verb, ...message });
    if (silent(verb, message)) return;
    const to = packet.properties?.responseTopic?.slice(root.length) ?? `u/${user}/res/${message.id}`;
    try {
      const allowed = ROLES[roles[user] ?? 'viewer'];
      if (!allowed.includes(verb)) throw fail('denied', `${verb} needs another role`);
      if (!ANSWERS[verb]) throw fail('invalid_argument', `no verb ${verb}`);
      say(to, { re: message.id, verb, ok: true, result: ANSWERS[verb](message.args ?? {}, user) }, { qos: 1 });
    } catch (error) {
      say(to, { re: message.id, verb, ok: false, error: error.wire ?? { code: 'internal', message: error.message } }, { qos: 1 });
    }
  });

  const ready = new Promise((resolve, reject) => {
    client.on('error', reject);
    client.once('connect', () => client.subscribe(`${root}u/+/req/+`, { qos: 1 }, () => {
      say('ctl/state', { state: 'online', term: 1, incarnation: 1, version: '0.1.0' }, { qos: 1, retain: true });
      sendHalts();
      for (const bot of bots.values()) sendState(bot);
      digest();
      resolve();
    }));
  });

  timers.push(setInterval(() => {
    for (const [name, market] of Object.entries(MARKETS)) {
      market.price *= 1 + (random() - 0.5) * 0.0005;
      const list = history[name];
      const time = Math.floor(Date.now() / 60000) * 60;
      let bar = list.at(-1);
      if (bar.time < time) list.push(bar = { time, open: bar.close, high: bar.close, low: bar.close, close: bar.close, volume: 0 });
      Object.assign(bar, { close: market.price, high: Math.max(bar.high, market.price), low: Math.min(bar.low, market.price), volume: bar.volume + 0.02 });
    }
    for (const bot of bots.values()) {
      if (bot.phase === 'running' && !halted() && random() < 0.02) {
        const fill = bot.fill(bot.position < bot.market.qty * 2 || random() < 0.5 ? 'buy' : 'sell', bot.market.price, Date.now());
        if (bot.watchUntil > Date.now()) say(`n/${bot.node}/b/${bot.name}/fill`, { bot: bot.name, fill });
      }
      if (bot.watchUntil > Date.now() && !quiet.includes(bot.name)) live(bot);
    }
  }, 250));
  timers.push(setInterval(digest, digestMs));
  timers.push(setInterval(() => {
    for (const node of nodes()) if (!lost.has(node.node)) say(`n/${node.node}/hb`, { src: `node/${node.node}`, k: ++counter, incarnation: 3, boot: ulid(), mono_ms: 1, boot_ms: 1, stream: ulid(), head: node.head, bots: node.bots, running: node.running, bots_hash: '0', load: node.load, rss_bytes: node.rss_bytes, loop_lag_us: node.loop_lag_us, clock_offset_ms: node.clock_offset_ms, venues: node.venues });
  }, 1000));

  return { ready, bots, requests, client, say, lost, clock, stop: () => new Promise((resolve) => { for (const timer of timers) clearTimeout(timer), clearInterval(timer); client.end(true, {}, resolve); }) };
}
