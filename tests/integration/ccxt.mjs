// The public library ccxt drives flotilla-sim with nothing changed but its base URLs (and told to
// load spot markets only). Prints TAP. Usage: node ccxt.mjs FLOTILLA_SIM
import { spawn } from 'node:child_process';
import assert from 'node:assert/strict';
import ccxt from 'ccxt';

const SIM = process.argv[2];
const children = [];
process.on('exit', () => { for (const child of children) child.kill('SIGKILL'); });
let count = 0;
let failed = 0;

function startSim() {
  const child = spawn(SIM, [
    '--market', 'BTC-USDT=random:price=60000,seed=3,rate=20', '--market',
    'ETH-USDT=random:price=3000,seed=4,rate=20', '--api-key', 'k', '--secret', 's',
    '--balance', 'USDT=100000,BTC=1', '--history', '60', '--log-level', 'error'],
  { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
      const ready = /ready rest=(\S+) stream=(\S+) control=(\S+)/.exec(text);
      if (ready) resolve({ rest: ready[1], stream: ready[2], control: ready[3] });
    });
    child.on('exit', () => reject(new Error('flotilla-sim ended')));
  });
}

function connect(sim, secret = 's') {
  const exchange = new ccxt.pro.binance({
    apiKey: 'k', secret, enableRateLimit: false,
    options: { defaultType: 'spot', fetchMarkets: { types: ['spot'] }, fetchMargins: false,
      fetchCurrencies: false, adjustForTimeDifference: true },
  });
  exchange.urls.api.public = `${sim.rest}/api/v3`;
  exchange.urls.api.private = `${sim.rest}/api/v3`;
  exchange.urls.api.ws.spot = `${sim.stream}/ws`;
  exchange.urls.api.ws['ws-api'].spot = `${sim.stream}/ws-api/v3`;
  return exchange;
}

function within(promise, ms, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took over ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function test(name, fn) {
  count += 1;
  try {
    await within(fn(), 60000, name);
    console.log(`ok ${count} - ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok ${count} - ${name}`);
    console.log(String(error.stack || error).replace(/^/gm, '# '));
  }
}

const sim = await startSim();
const ex = connect(sim);
await ex.loadHttpProxyAgent(); // ccxt wants it before its first ws:// (not wss://) connection
const symbol = 'BTC/USDT';

await test('loadMarkets reads filters as limits and precision', async () => {
  const markets = await ex.loadMarkets();
  assert.deepEqual(Object.keys(markets).sort(), ['BTC/USDT', 'ETH/USDT']);
  assert.equal(markets[symbol].precision.price, 0.01);
  assert.equal(markets[symbol].limits.cost.min, 5);
});
await test('fetchTime is the wall clock', async () => {
  assert.ok(Math.abs(await ex.fetchTime() - Date.now()) < 20000);
});
await test('fetchTicker and fetchTickers', async () => {
  const ticker = await ex.fetchTicker(symbol);
  assert.ok(ticker.bid > 0 && ticker.ask > ticker.bid && ticker.last > 0);
  assert.equal(Object.keys(await ex.fetchTickers()).length, 2);
});
await test('fetchOHLCV has the history before the start', async () => {
  const bars = await ex.fetchOHLCV(symbol, '1m', undefined, 50);
  assert.equal(bars.length, 50);
  for (let i = 1; i < bars.length; i += 1) assert.equal(bars[i][0] - bars[i - 1][0], 60000);
});
await test('fetchOrderBook is sorted and not crossed', async () => {
  const book = await ex.fetchOrderBook(symbol, 20);
  assert.ok(book.bids.length >= 10 && book.bids[0][0] < book.asks[0][0]);
  assert.ok(book.bids[0][0] > book.bids[1][0] && book.asks[0][0] < book.asks[1][0]);
});
await test('fetchTrades', async () => {
  assert.ok((await ex.fetchTrades(symbol, undefined, 10)).length === 10);
});
await test('fetchBalance', async () => {
  const balance = await ex.fetchBalance();
  assert.equal(balance.USDT.total, 100000);
  assert.equal(balance.BTC.free, 1);
});
let resting;
await test('createOrder: a limit order rests and locks its funds', async () => {
  resting = await ex.createOrder(symbol, 'limit', 'buy', 0.01, 30000);
  assert.equal(resting.status, 'open');
  assert.equal((await ex.fetchBalance()).USDT.used, 300);
});
await test('createOrder: a market order fills with fees', async () => {
  const order = await ex.createOrder(symbol, 'market', 'buy', 0.02);
  assert.equal(order.status, 'closed');
  assert.equal(order.filled, 0.02);
  assert.equal(order.fees[0].currency, 'BTC');
});
await test('createOrder: post-only is refused when it would take', async () => {
  await assert.rejects(ex.createOrder(symbol, 'limit', 'buy', 0.01, 90000, { postOnly: true }),
    ccxt.OrderImmediatelyFillable);
  const order = await ex.createOrder(symbol, 'limit', 'buy', 0.01, 31000, { postOnly: true });
  await ex.cancelOrder(order.id, symbol);
});
await test('fetchOrder, fetchOpenOrders, cancelOrder, fetchOrders', async () => {
  assert.equal((await ex.fetchOrder(resting.id, symbol)).price, 30000);
  assert.equal((await ex.fetchOpenOrders(symbol)).length, 1);
  assert.equal((await ex.cancelOrder(resting.id, symbol)).status, 'canceled');
  assert.equal((await ex.fetchOpenOrders(symbol)).length, 0);
  await assert.rejects(ex.cancelOrder(resting.id, symbol), ccxt.OrderNotFound);
  assert.ok((await ex.fetchOrders(symbol)).length >= 3);
});
await test('fetchMyTrades', async () => {
  const trades = await ex.fetchMyTrades(symbol);
  assert.equal(trades.reduce((sum, trade) => sum + trade.amount, 0), 0.02);
  assert.equal(trades[0].takerOrMaker, 'taker');
});
await test('a wrong signature is an AuthenticationError', async () => {
  const wrong = connect(sim, 'other');
  await assert.rejects(wrong.fetchBalance(), ccxt.AuthenticationError);
  await wrong.close();
});
await test('an order beyond the balance is InsufficientFunds', async () => {
  await assert.rejects(ex.createOrder(symbol, 'limit', 'buy', 50, 30000), ccxt.InsufficientFunds);
});
await test('a fault refuses with 429 and ccxt calls it so', async () => {
  const fault = { kind: 'http_status', params: { status: 429 }, count: 1, match: { path: '/depth' } };
  const reply = await fetch(`${sim.control}/fault`, { method: 'POST', body: JSON.stringify(fault) });
  assert.equal(reply.status, 200);
  await assert.rejects(ex.fetchOrderBook(symbol), ccxt.DDoSProtection);
  await ex.fetchOrderBook(symbol);
});
await test('watchTicker', async () => {
  const ticker = await ex.watchTicker(symbol);
  assert.ok(ticker.last > 0);
});
await test('watchTrades', async () => {
  const trades = await ex.watchTrades(symbol);
  assert.ok(trades.length > 0 && trades[0].price > 0);
});
await test('watchOrderBook follows the diffs', async () => {
  for (let i = 0; i < 3; i += 1) {
    const book = await ex.watchOrderBook(symbol);
    assert.ok(book.bids[0][0] < book.asks[0][0]);
  }
});
await test('watchOrders tells placing, filling and cancelling', async () => {
  const seen = [];
  const pairs = setInterval(() => { // again and again: the subscription may come after the first
    ex.createOrder(symbol, 'limit', 'buy', 0.01, 30000)
      .then((order) => ex.cancelOrder(order.id, symbol)).catch(() => {});
    ex.createOrder(symbol, 'market', 'sell', 0.001).catch(() => {});
  }, 200);
  try {
    while (!['open', 'closed', 'canceled'].every((status) => seen.includes(status))) {
      for (const order of await ex.watchOrders(symbol)) seen.push(order.status);
    }
  } finally {
    clearInterval(pairs);
  }
});

console.log(`1..${count}`);
await ex.close();
process.exit(failed ? 1 : 0);
