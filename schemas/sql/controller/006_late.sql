-- Fills of an earlier owner that came after its bot had moved, until a snapshot of the present owner
-- has them. `done`: it says that it has booked it; `fill` as types/fill.json.
CREATE TABLE late_fills (
  bot TEXT NOT NULL,
  instrument TEXT NOT NULL,
  trade_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  fill TEXT NOT NULL,
  done INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (bot, instrument, trade_id, order_id)
) WITHOUT ROWID;
