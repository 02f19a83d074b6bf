-- Who may trade what: nodes that are emptied, bots on their way, and what a new owner goes on from.
ALTER TABLE nodes ADD COLUMN draining INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN place TEXT NOT NULL DEFAULT ''; -- of the lease's holder (presence)
ALTER TABLE bots ADD COLUMN moving_to TEXT NOT NULL DEFAULT ''; -- its node is to release it for this one
-- Its node may still hold it as sticky, and then trades on whatever we say.
ALTER TABLE bots ADD COLUMN held_sticky INTEGER NOT NULL DEFAULT 0;

-- The newest state of each bot that a stream told; `n`: its record's number in that stream.
CREATE TABLE snapshots (
  bot TEXT PRIMARY KEY,
  node TEXT NOT NULL,
  stream TEXT NOT NULL,
  n INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  ts_ms INTEGER NOT NULL,
  state TEXT NOT NULL
) WITHOUT ROWID;

-- What the owner of this epoch was given (schemas/types/resume.json), until it has said that it has it.
CREATE TABLE resumes (
  bot TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  doc TEXT NOT NULL
) WITHOUT ROWID;
