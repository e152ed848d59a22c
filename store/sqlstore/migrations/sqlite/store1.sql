-- Texts are compared byte by byte, which is the default.
-- No index begins with the tenant: a planner that knows nothing of one, or only what was so
-- yesterday, would go through all its rows in the place of any look-up. Only lists name the
-- collection.
CREATE TABLE {p}resources (
	tenant       text NOT NULL,
	type         text NOT NULL,
	id           text NOT NULL,
	collection   text NOT NULL, -- type:tenant
	deleted      bigint NOT NULL, -- microseconds; 0: it is there
	created      bigint NOT NULL, -- microseconds, UTC
	modified     bigint NOT NULL,
	version      text NOT NULL,
	user_name    text, -- folded
	external_id  text,
	display_name text, -- folded
	doc          text NOT NULL,  -- what clients see
	search       text NOT NULL, -- the same, as filters compare it
	seen         text, -- what was seen of the application's row; NULL: it has none
	claimed      smallint NOT NULL, -- 0 or 1: a client has written the application's row
	PRIMARY KEY (id, type, tenant, deleted)
);
CREATE UNIQUE INDEX {p}resources_user_name ON {p}resources (user_name, type, tenant) WHERE deleted = 0 AND seen IS NULL;
CREATE INDEX {p}resources_mapped_name ON {p}resources (user_name, type, tenant) WHERE deleted = 0 AND seen IS NOT NULL;
CREATE INDEX {p}resources_former_name ON {p}resources (user_name, type, tenant) WHERE deleted <> 0;
CREATE INDEX {p}resources_external_id ON {p}resources (external_id, type, tenant) WHERE deleted = 0;
CREATE INDEX {p}resources_display_name ON {p}resources (display_name, type, tenant) WHERE deleted = 0;
CREATE INDEX {p}resources_created ON {p}resources (collection, created, id) WHERE deleted = 0;
CREATE TABLE {p}lookups (
	tenant text NOT NULL,
	type   text NOT NULL,
	path   text NOT NULL, -- of a multi-valued attribute
	value  text NOT NULL, -- folded
	id     text NOT NULL,
	PRIMARY KEY (value, path, type, tenant, id)
) WITHOUT ROWID;
CREATE INDEX {p}lookups_id ON {p}lookups (id, type, tenant);
CREATE TABLE {p}members (
	tenant      text NOT NULL,
	group_id    text NOT NULL,
	member_type text NOT NULL,
	member_id   text NOT NULL,
	since       bigint NOT NULL, -- microseconds, UTC
	PRIMARY KEY (group_id, tenant, member_type, member_id)
) WITHOUT ROWID;
CREATE INDEX {p}members_member ON {p}members (member_id, member_type, tenant, since);
