-- What people ask for: where a request came from, days of profit and loss, alerts with their
-- history, tokens of programs, places that are told of alerts.
ALTER TABLE audit ADD COLUMN origin TEXT NOT NULL DEFAULT '';
ALTER TABLE desired_history ADD COLUMN origin TEXT NOT NULL DEFAULT '';

ALTER TABLE orders ADD COLUMN venue TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN account TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN mode TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN type TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN order_id TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN label TEXT NOT NULL DEFAULT '';
CREATE INDEX orders_age ON orders (ts_ms, stream, n);
CREATE INDEX orders_bot ON orders (bot, ts_ms, stream, n);

-- Sums of a book as they stood when a day (UTC) ended; of the running day, as last written.
CREATE TABLE book_days (
  day INTEGER NOT NULL, -- days since 1970-01-01
  bot TEXT NOT NULL,
  venue TEXT NOT NULL,
  account TEXT NOT NULL,
  instrument TEXT NOT NULL,
  mode TEXT NOT NULL,
  quote TEXT NOT NULL,
  realised TEXT NOT NULL,
  unrealised TEXT NOT NULL,
  volume TEXT NOT NULL,
  fees TEXT NOT NULL,
  fills INTEGER NOT NULL,
  PRIMARY KEY (bot, venue, account, instrument, mode, day)
) WITHOUT ROWID;

CREATE TABLE alerts (
  id INTEGER PRIMARY KEY,
  alert TEXT NOT NULL,
  severity TEXT NOT NULL,
  code TEXT NOT NULL,
  target TEXT NOT NULL,
  message TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  count INTEGER NOT NULL,
  cleared_ms INTEGER, -- null: in force
  acked_ms INTEGER,
  acked_by TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX alerts_active ON alerts (alert) WHERE cleared_ms IS NULL;

-- A token is a login of the broker, which alone keeps its (hashed) password.
CREATE TABLE tokens (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  made_by TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  used_ms INTEGER
) WITHOUT ROWID;

CREATE TABLE notify (
  name TEXT PRIMARY KEY,
  url TEXT NOT NULL,
  severity TEXT NOT NULL,
  sent INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  last_ms INTEGER,
  last_error TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
