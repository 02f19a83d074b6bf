// The answers of the made-up fleet for the views around the bots: portfolio, orders, market, alerts, logs,
// accounts, users, tokens, audit, progress of halts. By the words of schemas/req.
const DAY = 86400000;
const fixed = (n, places = 2) => n.toFixed(places);
const fail = (code, message, field) => Object.assign(new Error(message), { wire: { code, message, field } });

export function moreAnswers({ bots, nodes, users, halts }) {
  const now = Date.now();
  const all = () => [...bots.values()];
  const alerts = [
    { id: 3, alert: 'books-btc', severity: 'critical', code: 'books_differ', message: 'bot eth-grid-18: executed 0.02, booked 0.015. It is paused until somebody looks.', target: 'bot/eth-grid-18', since_ms: now - 420000, last_ms: now - 2000, count: 3 },
    { id: 2, alert: 'feed-old', severity: 'warning', code: 'feed_stale', message: 'binance ETH-USDT: no price for 14 s', target: 'node/node-2', since_ms: now - 65000, last_ms: now - 1000, count: 1 },
    { id: 1, alert: 'node-2-up', severity: 'info', code: 'node_up', message: 'node-2 is up', target: 'node/node-2', since_ms: now - 7.2e6, last_ms: now - 7.2e6, count: 1, cleared_ms: now - 7.1e6 },
  ];
  const tokens = [{ name: 'grafana', user: 'token-grafana', role: 'viewer', made_by: 'admin', created_ms: now - 5 * DAY, expires_ms: now + 25 * DAY, used_ms: now - 4000 }];
  const hooks = [];
  const audit = Array.from({ length: 40 }, (_, i) => ({ n: 400 - i, ts_ms: now - i * 173000, user: ['admin', 'trader', 'viewer'][i % 3], verb: ['bot-pause', 'bot-deploy', 'halt', 'user-add'][i % 4], target: ['btc-grid-1', 'btc-grid-1', '', 'ops'][i % 4] || undefined,
    args: '{"bot":"btc-grid-1","reason":"a drill"}', ...(i % 4 === 0 ? { changes: 'run: running -> paused; params.levels: 12 -> 20; risk.max_daily_loss: - -> 50' } : {}), digest: 'ab'.repeat(32), ok: i % 5 !== 4, ...(i % 5 === 4 ? { code: 'denied', message: 'bot-pause needs the role trader' } : {}) }));
  const drained = new Set();
  const sum = (pick) => all().reduce((total, bot) => total + pick(bot), 0);
  const account = (quote = 'USDT') => ({ account: 'demo', venue: 'binance', mode: 'live', quote, net: fixed(sum((bot) => bot.total()), 4), exposure: fixed(sum((bot) => Math.abs(bot.position) * bot.market.price), 2), today: fixed(sum((bot) => bot.total()) / 5, 4), d7: fixed(sum((bot) => bot.total()) / 2, 4), d30: fixed(sum((bot) => bot.total()), 4), bots: bots.size, fills: sum((bot) => bot.fills.length) });
  const asset = (name, instrument) => { const list = all().filter((bot) => bot.instrument === instrument); const qty = list.reduce((total, bot) => total + bot.position, 0); const { price } = list[0]?.market ?? { price: 1 };
    return { account: 'demo', venue: 'binance', mode: 'live', asset: name, qty: fixed(qty, 6), quote: 'USDT', price: fixed(price), value: fixed(qty * price), realised: fixed(list.reduce((total, bot) => total + bot.realised, 0), 4), unrealised: fixed(list.reduce((total, bot) => total + bot.unrealised(), 0), 4), bots: list.length }; };
  const lines = (bot) => (bot ? bot.log : all()[0].log).slice(-120).map((line) => ({ ...line, source: 'node/node-1', ...(bot ? { bot: bot.name } : {}) }));

  return Object.assign(Object.create({ alerts, drained }), {
    portfolio: () => ({ accounts: [account()], items: [asset('BTC', 'BTC-USDT'), asset('ETH', 'ETH-USDT')], total: [account()], as_of_ms: Date.now() }),
    'pnl-days': () => { let total = 0; return { items: Array.from({ length: 21 }, (_, i) => { const net = Math.sin(i * 1.7) * 30 + 8; total += net; const from = Math.floor(now / DAY) * DAY - (20 - i) * DAY; return { day: new Date(from).toISOString().slice(0, 10), from_ms: from, quote: 'USDT', net: fixed(net, 4), realised: fixed(net + 2, 4), unrealised: '-2', fees: { USDT: '1.9' }, volume: '18233.5', fills: 40 + i, total: fixed(total, 4) }; }) }; },
    'order-ls': ({ open = true }) => (open ? { items: all().filter((bot) => bot.orders.length).slice(0, 12).flatMap((bot) => bot.orders.map((order) => ({ ...order, bot: bot.name, node: bot.node, venue: 'binance', account: 'demo', mode: 'live', open: true, as_of_ms: Date.now() }))), silent: [{ bot: 'eth-grid-18', node: 'node-2', message: 'no answer in 2 s' }] } : { items: [] }),
    'market-ls': () => ({ items: ['BTC-USDT', 'ETH-USDT'].map((instrument, i) => { const list = all().filter((bot) => bot.instrument === instrument); const { price, tick } = list[0].market; return { venue: 'binance', instrument, bid: fixed(price - 0.1), ask: fixed(price + 0.1), last: fixed(price), spread_bps: 0.31 + i, age_ms: i ? 14200 : 120, node: 'node-1', bots: list.length, status: 'trading', tick }; }) }),
    'alert-ls': ({ active }) => ({ items: alerts.filter((alert) => active === undefined || active === !alert.cleared_ms) }),
    'alert-ack': ({ alert, note }, user) => { const row = alerts.find((each) => each.alert === alert); if (!row) throw fail('not_found', `no alert ${alert}`, 'alert'); Object.assign(row, { acked_ms: Date.now(), acked_by: user, note }); return { alert: row }; },
    'log-ls': ({ bot, node, text, level }) => ({ items: [...lines(bot ? bots.get(bot) : null), { ts_ms: Date.now(), source: node ? `node/${node}` : 'controller', level: 'warn', event: 'odd_line', text: 'bell \u0007 escape \u001b[31mred\u001b[0m right-to-left \u202egpj.exe <script>alert(1)</script>' }].filter((line) => (!text || (line.event + line.text).includes(text)) && (level !== 'error' || line.level === 'error')) }),
    'audit-ls': ({ who, target, ok }) => ({ items: audit.filter((row) => (!who || row.user === who) && (!target || row.target === target) && (ok === undefined || row.ok === ok)) }),
    'bot-history': ({ bot }) => ({ items: [{ id: 2, ts_ms: audit[1].ts_ms, generation: 2, epoch: 1, by: 'user/admin', origin: 'user/admin', what: 'deploy', run: 'running', node: 'node-1', changes: [{ path: 'params.levels', old: '12', new: '20' }, { path: 'risk.max_daily_loss', new: '50' }], spec: bots.get(bot)?.spec ?? {} }, { id: 1, ts_ms: now - 3.6e6, generation: 1, epoch: 1, by: 'user/admin', what: 'deploy', run: 'running', node: 'node-1', changes: [], spec: { ...bots.get(bot)?.spec, params: { levels: 12 } } }] }),
    'account-key': () => ({ box_key: '09'.padEnd(64, '0') }),
    'account-add': (args) => ({ account: { name: args.name, venue: args.venue, sandbox: !!args.sandbox, version: 1, created_ms: Date.now() } }),
    'account-test': ({ name }) => ({ account: name, venue: 'binance', node: 'node-1', ok: true, checks: [{ check: 'reach', state: 'ok', message: 'binance answers, 2 instruments' }, { check: 'keys', state: 'ok', message: 'the venue takes the keys, 3 balances' }, { check: 'withdraw', state: 'warn', message: 'the key can withdraw money', hint: 'make one without that right at the venue' }] }),
    'account-rm': ({ name }) => ({ name, removed: true }),
    'account-test': ({ name }) => ({ account: name, venue: 'binance', node: 'node-1', ok: true, checks: [{ check: 'reach', state: 'ok', message: 'binance answers: 2 instruments' }, { check: 'clock', state: 'ok', message: 'the clocks are 3 ms apart' }, { check: 'keys', state: 'ok', message: 'binance takes the keys: 3 balances' }, { check: 'trade', state: 'ok', message: 'the key may trade' }, { check: 'withdraw', state: 'warn', message: 'the key can withdraw money', hint: 'make one without that right, at the venue: bots never need it' }] }),
    'account-check': () => ({ items: [{ account: 'demo', venue: 'binance', node: 'node-1', state: 'short', why: 'BTC', checked_ms: Date.now() - 3000, checks: 17, assets: [{ asset: 'BTC', venue_total: '0.101', claims: '0.102', bots: 9, short: '0.001', surplus: '0' }, { asset: 'USDT', venue_total: '40010.5', claims: '39000', bots: 24, short: '0', surplus: '1010.5' }], foreign_orders: [], foreign_fills: 0 }] }),
    'user-ls': () => ({ items: Object.entries(users).map(([name, role]) => ({ name, role, created_ms: now - DAY })) }),
    'user-add': ({ name, role }) => { if (users[name]) throw fail('conflict', `there is a user ${name} already`, 'name'); users[name] = role; return { name, role, password: 'correct-horse-battery' }; },
    'user-passwd': ({ name }) => ({ name, password: 'another-horse-battery' }),
    'user-role': ({ name, role }) => { users[name] = role; return { name, role }; },
    'user-rm': ({ name }) => { delete users[name]; return { name }; },
    'token-ls': () => ({ items: tokens }),
    'token-add': ({ name, role = 'viewer', ttl_s: ttl = 2592000 }, user) => { const row = { name, user: `token-${name}`, role, made_by: user, created_ms: Date.now(), expires_ms: Date.now() + ttl * 1000 }; tokens.push(row); return { token: `flt_${name}_0123456789abcdef`, row }; },
    'token-rm': ({ name }) => { tokens.splice(tokens.findIndex((row) => row.name === name), 1); return { name }; },
    'node-show': ({ node }) => { const row = nodes().find((each) => each.node === node); if (!row) throw fail('not_found', `no node ${node}`, 'node');
      return { node: row, bots: all().filter((bot) => bot.node === node).map((bot) => ({ bot: bot.name, strategy: bot.strategy, instrument: bot.instrument, mode: 'live', node, run: bot.run, phase: bot.phase, generation: bot.generation, epoch: 1, equity: fixed(bot.total(), 4), fills: bot.fills.length, orders_open: bot.orders.length, age_ms: 200 })) }; },
    'node-drain': ({ node, undo }) => { if (undo) drained.delete(node); else drained.add(node); return { node, draining: !undo, bots: 3 }; },
    'halt-show': ({ number }) => { const { halts: list, haltNumber } = halts(); const halt = list.find((each) => each.number === (number ?? haltNumber)); const rows = all().slice(0, 300).map((bot) => ({ bot: bot.name, node: bot.node, confirmed: bot.phase !== 'running', phase: bot.phase, orders_open: bot.orders.length, why: bot.phase === 'running' ? 'not_seen' : undefined }));
      return { number: number ?? haltNumber, in_force: !!halt, halt, covered: rows.length, confirmed: rows.filter((row) => row.confirmed).length, waiting: rows.filter((row) => !row.confirmed), bots: rows }; },
    'bot-move': ({ bot, node }) => ({ bot, from: 'node-1', to: node ?? 'node-2', epoch: 2, generation: 2, state: 'releasing' }),
    'bot-reconcile': ({ bot, accept_venue: accept }) => ({ bot, node: 'node-1', as_of_ms: Date.now(), in_step: !!accept, orders: [],
      legs: [{ instrument: 'BTC-USDT', asset: 'BTC', position: '0.015', account_claims: '0.04', venue_total: accept ? '0.04' : '0.035', short: accept ? '0' : '0.005' }] }),
    rebalance: ({ dry_run: dry }) => ({ moves: [{ bot: 'btc-grid-1', from: 'node-1', to: 'node-2' }], started: !dry }),
    'node-rm': ({ node }) => ({ node, removed: true }),
    'notify-ls': () => ({ items: hooks }),
    'notify-add': ({ name, url, severity }) => { const row = { name, url, severity, sent: 0, failed: 0 }; hooks.push(row); return { row }; },
    'notify-rm': ({ name }) => { hooks.splice(hooks.findIndex((row) => row.name === name), 1); return { name }; },
    'notify-test': ({ name }) => ({ name, status: 200 }),
    'command-show': ({ id }) => { throw fail('not_found', `no request ${id}`, 'id'); },
  });
}
