-- Which rows of the application's tables have changed; triggers write it.
CREATE TABLE {p}stale (
	seq    integer PRIMARY KEY AUTOINCREMENT,
	tenant text NOT NULL,
	type   text NOT NULL, -- or 'Members'
	id     text NOT NULL, -- the row's key; of a membership the group's
	member text NOT NULL  -- of a membership the user's, else ''
);
CREATE INDEX {p}stale_tenant ON {p}stale (tenant, type, id, seq);
-- The group whose memberships this package is changing: they are not noted.
CREATE TABLE {p}own (id text PRIMARY KEY) WITHOUT ROWID;
