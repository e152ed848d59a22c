-- A role has a scope, a grant says what it waits for, a source has several roles.
ALTER TABLE {p}grants ADD COLUMN scope text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE {p}grants ADD COLUMN state text COLLATE "C" NOT NULL DEFAULT ''; -- scim.GrantState
ALTER TABLE {p}grants ADD COLUMN rank bigint NOT NULL DEFAULT 0;
UPDATE {p}grants SET state = 'return' WHERE waiting = 1;
ALTER TABLE {p}grants DROP COLUMN waiting;
ALTER TABLE {p}grants DROP CONSTRAINT {p}grants_pkey;
ALTER TABLE {p}grants ADD PRIMARY KEY (user_id, tenant, scope, role_id, source);
CREATE INDEX {p}grants_open ON {p}grants (tenant, user_id, scope, role_id, source) WHERE state <> '';
ALTER TABLE {p}links RENAME TO {p}links_before;
CREATE TABLE {p}links (
	tenant text COLLATE "C" NOT NULL,
	source text COLLATE "C" NOT NULL, -- scim.Source
	name   text NOT NULL, -- the name of the group for which the roles were looked up
	at     bigint NOT NULL, -- microseconds, UTC
	roles  text NOT NULL, -- JSON
	CONSTRAINT {p}links_key PRIMARY KEY (source, tenant)
);
INSERT INTO {p}links (tenant, source, name, at, roles)
	SELECT tenant, CASE WHEN group_id LIKE 'group:%' OR group_id LIKE 'attr:%' THEN group_id ELSE 'group:' || group_id END, '', 0,
		json_build_array(json_build_object('id', role_id, 'name', role_name, 'weight', weight,
			'protected', protected = 1, 'confirmed', confirmed = 1))
	FROM {p}links_before;
DROP TABLE {p}links_before;
CREATE INDEX {p}links_all ON {p}links (tenant, source);
-- What guards, switches and unfinished changes keep.
CREATE TABLE {p}notes (
	tenant text COLLATE "C" NOT NULL,
	kind   text COLLATE "C" NOT NULL,
	key    text COLLATE "C" NOT NULL,
	at     bigint NOT NULL, -- microseconds, UTC
	body   text NOT NULL,
	PRIMARY KEY (kind, tenant, key)
);
