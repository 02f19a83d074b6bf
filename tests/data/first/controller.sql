-- The controller's database: what the fleet should be, and its books. Times are UTC Unix
-- milliseconds; decimals and amounts are canonical text; JSON columns hold messages of schemas/.
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE nodes (
  node TEXT PRIMARY KEY,
  first_ms INTEGER NOT NULL,
  incarnation INTEGER NOT NULL DEFAULT 0, -- highest seen
  boot TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;

CREATE TABLE accounts (
  name TEXT PRIMARY KEY,
  venue TEXT NOT NULL,
  sandbox INTEGER NOT NULL,
  version INTEGER NOT NULL,
  sealed BLOB, -- AES-256-GCM under the key file; aad tenant:account:credentials:version
  created_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- A removed bot keeps its row, so that its name never sees an old epoch or generation again.
CREATE TABLE bots (
  bot TEXT PRIMARY KEY,
  spec TEXT NOT NULL, -- schemas/bot.json
  venue TEXT NOT NULL,
  sandbox INTEGER NOT NULL,
  node TEXT NOT NULL,
  generation INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  run TEXT NOT NULL,
  how TEXT NOT NULL DEFAULT 'cancel',
  release INTEGER NOT NULL DEFAULT 0,
  removed INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE desired_history (
  id INTEGER PRIMARY KEY,
  bot TEXT NOT NULL,
  ts_ms INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  run TEXT NOT NULL,
  node TEXT NOT NULL,
  by TEXT NOT NULL,
  what TEXT NOT NULL,
  spec TEXT NOT NULL
);
CREATE INDEX desired_history_bot ON desired_history (bot, id);

CREATE TABLE commands (
  id TEXT PRIMARY KEY,
  node TEXT NOT NULL,
  op TEXT NOT NULL,
  bot TEXT,
  state TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  result TEXT,
  error TEXT
) WITHOUT ROWID;

CREATE TABLE halts (
  number INTEGER PRIMARY KEY,
  scope TEXT NOT NULL,
  target TEXT NOT NULL,
  how TEXT NOT NULL,
  reason TEXT NOT NULL,
  by TEXT NOT NULL,
  ts_ms INTEGER NOT NULL,
  UNIQUE (scope, target)
);

CREATE TABLE audit (
  n INTEGER PRIMARY KEY,
  ts_ms INTEGER NOT NULL,
  user TEXT NOT NULL,
  verb TEXT NOT NULL,
  target TEXT,
  args TEXT NOT NULL,
  digest TEXT NOT NULL,
  ok INTEGER NOT NULL,
  code TEXT,
  message TEXT
);

CREATE TABLE users (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- How far each node's numbered stream is in these books.
CREATE TABLE streams (
  stream TEXT PRIMARY KEY,
  node TEXT NOT NULL,
  committed INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE fills (
  id INTEGER PRIMARY KEY,
  stream TEXT NOT NULL,
  n INTEGER NOT NULL,
  node TEXT NOT NULL,
  bot TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  mode TEXT NOT NULL,
  venue TEXT NOT NULL,
  account TEXT NOT NULL,
  instrument TEXT NOT NULL,
  trade_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  client_order_id TEXT NOT NULL,
  side TEXT NOT NULL,
  price TEXT NOT NULL,
  qty TEXT NOT NULL,
  fee TEXT NOT NULL,
  fee_asset TEXT NOT NULL,
  liquidity TEXT NOT NULL,
  ts_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX fills_stream ON fills (stream, n);
-- A live trade is booked once, whichever node or stream brings it. Paper venues count their own
-- trades in each node, so their ids say nothing beyond a stream.
CREATE UNIQUE INDEX fills_trade ON fills (venue, account, instrument, trade_id, order_id)
  WHERE mode = 'live';
CREATE INDEX fills_bot ON fills (bot, id);

CREATE TABLE orders (
  stream TEXT NOT NULL,
  n INTEGER NOT NULL,
  bot TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  client_order_id TEXT NOT NULL,
  instrument TEXT NOT NULL,
  side TEXT NOT NULL,
  price TEXT NOT NULL,
  qty TEXT NOT NULL,
  filled_qty TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  ts_ms INTEGER NOT NULL,
  PRIMARY KEY (stream, n)
) WITHOUT ROWID;

-- Transitions, risk events, funding and alarms, in words; `data` is the record's own part.
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  stream TEXT NOT NULL,
  n INTEGER NOT NULL,
  bot TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  kind TEXT NOT NULL,
  ts_ms INTEGER NOT NULL,
  text TEXT NOT NULL,
  data TEXT NOT NULL,
  UNIQUE (stream, n)
);
CREATE INDEX events_bot ON events (bot, id);

-- Sums of the fills, changed in the same transaction as they.
CREATE TABLE books (
  bot TEXT NOT NULL,
  venue TEXT NOT NULL,
  account TEXT NOT NULL,
  instrument TEXT NOT NULL,
  mode TEXT NOT NULL,
  node TEXT NOT NULL, -- of the last fill
  position TEXT NOT NULL,
  cash TEXT NOT NULL,
  cost TEXT NOT NULL,
  volume TEXT NOT NULL,
  fees TEXT NOT NULL, -- {"USDT":"1.5"}
  price TEXT NOT NULL, -- of the last fill
  fills INTEGER NOT NULL,
  PRIMARY KEY (bot, venue, account, instrument, mode)
) WITHOUT ROWID;

CREATE TABLE equity (
  bot TEXT NOT NULL,
  ts_ms INTEGER NOT NULL,
  equity TEXT NOT NULL,
  position TEXT NOT NULL,
  price TEXT NOT NULL,
  PRIMARY KEY (bot, ts_ms)
) WITHOUT ROWID;
CREATE INDEX equity_age ON equity (ts_ms);
