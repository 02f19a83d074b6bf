-- What a request changed, in words, and which commands it sent to nodes.
ALTER TABLE audit ADD COLUMN changes TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN request TEXT NOT NULL DEFAULT ''; -- its id
ALTER TABLE commands ADD COLUMN request TEXT NOT NULL DEFAULT '';
CREATE INDEX commands_request ON commands (request) WHERE request <> '';
