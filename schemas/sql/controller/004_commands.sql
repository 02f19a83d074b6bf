-- Requests that change something, by the id their user gave: a repeat is answered from here for a
-- day. `term`: of the controller that took it; an answer that carries a password is sealed.
CREATE TABLE requests (
  user TEXT NOT NULL,
  id TEXT NOT NULL,
  verb TEXT NOT NULL,
  digest TEXT NOT NULL, -- SHA-256 of its arguments
  state TEXT NOT NULL,  -- accepted, done, failed
  term INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  answer BLOB,
  PRIMARY KEY (user, id)
) WITHOUT ROWID;
CREATE INDEX requests_age ON requests (created_ms);
ALTER TABLE commands ADD COLUMN accepted_ms INTEGER;
ALTER TABLE commands ADD COLUMN ended_ms INTEGER;
