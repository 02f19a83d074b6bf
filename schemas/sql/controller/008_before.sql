-- A new bot with a removed one's name begins with nothing: what that one left in the sums, and the epoch
-- from which on fills are the new one's.
ALTER TABLE books ADD COLUMN birth INTEGER NOT NULL DEFAULT 0;
ALTER TABLE books ADD COLUMN before_position TEXT NOT NULL DEFAULT '0';
ALTER TABLE books ADD COLUMN before_cash TEXT NOT NULL DEFAULT '0';
ALTER TABLE books ADD COLUMN before_cost TEXT NOT NULL DEFAULT '0';
