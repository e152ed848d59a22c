-- Texts are compared byte by byte, whatever the database's collation.
-- No index begins with the tenant: a planner that knows nothing of one, or only what was so
-- yesterday, would go through all its rows in the place of any look-up. Only lists name the
-- collection. No index of some rows only is of use to a query that names its first column
-- not: before there are statistics PostgreSQL thinks such an index tiny, goes through all of
-- it in the place of a look-up, and keeps to that plan while the table grows.
CREATE TABLE {p}resources (
	tenant       text COLLATE "C" NOT NULL,
	type         text COLLATE "C" NOT NULL,
	id           text COLLATE "C" NOT NULL,
	collection   text COLLATE "C" NOT NULL, -- type:tenant
	deleted      bigint NOT NULL, -- microseconds; 0: it is there
	created      bigint NOT NULL, -- microseconds, UTC
	modified     bigint NOT NULL,
	version      text NOT NULL,
	user_name    text COLLATE "C", -- folded
	external_id  text COLLATE "C",
	display_name text COLLATE "C", -- folded
	doc          text NOT NULL,  -- what clients see
	search       jsonb NOT NULL, -- the same, as filters compare it
	seen         text, -- what was seen of the application's row; NULL: it has none
	claimed      smallint NOT NULL, -- 0 or 1: a client has written the application's row
	PRIMARY KEY (id, type, tenant, deleted)
);
CREATE UNIQUE INDEX {p}resources_user_name ON {p}resources (user_name, type, tenant) WHERE deleted = 0 AND seen IS NULL;
CREATE INDEX {p}resources_mapped_name ON {p}resources (user_name, type, tenant) WHERE deleted = 0 AND seen IS NOT NULL;
CREATE INDEX {p}resources_former_name ON {p}resources (user_name, type, tenant) WHERE deleted <> 0;
CREATE INDEX {p}resources_external_id ON {p}resources (external_id, type, tenant);
CREATE INDEX {p}resources_display_name ON {p}resources (display_name, type, tenant);
CREATE INDEX {p}resources_created ON {p}resources (collection, deleted, created, id);
CREATE TABLE {p}lookups (
	tenant text COLLATE "C" NOT NULL,
	type   text COLLATE "C" NOT NULL,
	path   text COLLATE "C" NOT NULL, -- of a multi-valued attribute
	value  text COLLATE "C" NOT NULL, -- folded
	id     text COLLATE "C" NOT NULL,
	PRIMARY KEY (value, path, type, tenant, id)
);
CREATE INDEX {p}lookups_id ON {p}lookups (id, type, tenant);
CREATE TABLE {p}members (
	tenant      text COLLATE "C" NOT NULL,
	group_id    text COLLATE "C" NOT NULL,
	member_type text COLLATE "C" NOT NULL,
	member_id   text COLLATE "C" NOT NULL,
	since       bigint NOT NULL, -- microseconds, UTC
	PRIMARY KEY (group_id, tenant, member_type, member_id)
);
CREATE INDEX {p}members_member ON {p}members (member_id, member_type, tenant);
