-- One tree instead of a table, an index and a sequence: a note is one write. A row has one note of each kind.
CREATE TABLE {p}stale_before (tenant text, type text, id text, member text);
INSERT INTO {p}stale_before SELECT DISTINCT tenant, type, id, member FROM {p}stale;
DROP TABLE {p}stale;
CREATE TABLE {p}stale (
	tenant text NOT NULL,
	type   text NOT NULL, -- or 'Members'
	id     text NOT NULL, -- the row's key; of a membership the group's
	member text NOT NULL, -- of a membership the user's, else ''
	PRIMARY KEY (tenant, type, id, member)
) WITHOUT ROWID;
INSERT INTO {p}stale SELECT tenant, type, id, member FROM {p}stale_before;
DROP TABLE {p}stale_before;
