-- A fill that a second stream told too: the owner of today found at the venue what the one before had
-- booked and not yet told. It is in the state of both, so the next owner must know both places.
CREATE TABLE fills_again (
  fill INTEGER NOT NULL,
  stream TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (fill, stream, n)
) WITHOUT ROWID;
