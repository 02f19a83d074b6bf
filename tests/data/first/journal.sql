-- A node's journal (engine/journal.h). Times are UTC Unix milliseconds; bodies, specs, states,
-- results and docs are JSON text.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE streams (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ts_ms INTEGER NOT NULL);

-- id is the stream's number * 2^40 + the record's number in it, so that appends go to the end.
CREATE TABLE records (
  id INTEGER PRIMARY KEY,
  bot TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  ts_ms INTEGER NOT NULL
);

-- The keys of what was booked; two bots of ours can meet in one trade, hence the order's id.
CREATE TABLE trades (
  number INTEGER PRIMARY KEY,
  bot TEXT NOT NULL,
  account TEXT NOT NULL,
  instrument TEXT NOT NULL,
  trade_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  ts_ms INTEGER NOT NULL,
  UNIQUE (account, instrument, trade_id, order_id)
);
CREATE INDEX trades_bot ON trades (bot, number);
CREATE INDEX trades_last ON trades (account, instrument, ts_ms);

CREATE TABLE bots (
  name TEXT PRIMARY KEY,
  spec TEXT NOT NULL,
  desired TEXT NOT NULL,
  how TEXT NOT NULL,
  generation INTEGER NOT NULL,
  epoch INTEGER NOT NULL
) WITHOUT ROWID;
-- Apart from bots, as it changes with every fill and a spec does not.
CREATE TABLE snapshots (bot TEXT PRIMARY KEY, state TEXT NOT NULL, ts_ms INTEGER NOT NULL);

CREATE TABLE commands (
  id TEXT PRIMARY KEY,
  op TEXT NOT NULL,
  state TEXT NOT NULL,
  result TEXT,
  ts_ms INTEGER NOT NULL
);
CREATE INDEX commands_ts ON commands (ts_ms);

CREATE TABLE halts (
  scope TEXT NOT NULL,
  target TEXT NOT NULL,
  how TEXT NOT NULL,
  reason TEXT NOT NULL,
  number INTEGER NOT NULL,
  ts_ms INTEGER NOT NULL,
  PRIMARY KEY (scope, target)
) WITHOUT ROWID;

CREATE TABLE accounts (name TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
