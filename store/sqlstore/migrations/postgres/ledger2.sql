-- A role has a scope, a grant says what it waits for, a source has several roles. The tables
-- are altered, not replaced: they keep their privileges, and views of the application.
ALTER TABLE {p}grants ADD COLUMN scope text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE {p}grants ADD COLUMN state text COLLATE "C" NOT NULL DEFAULT ''; -- scim.GrantState
ALTER TABLE {p}grants ADD COLUMN rank bigint NOT NULL DEFAULT 0;
-- Earlier steps did not record why a grant waits. A protected role that waits for a place
-- may wait for the return of its user too, so it is assumed. For other roles it means nothing.
UPDATE {p}grants SET state = 'return' WHERE waiting = 1;
ALTER TABLE {p}grants DROP COLUMN waiting;
ALTER TABLE {p}grants DROP CONSTRAINT {p}grants_pkey;
ALTER TABLE {p}grants ADD PRIMARY KEY (tenant, user_id, scope, role_id, source);
CREATE INDEX {p}grants_open ON {p}grants (tenant, user_id, scope, role_id, source) WHERE state <> '';
ALTER TABLE {p}links RENAME COLUMN group_id TO source; -- scim.Source
ALTER TABLE {p}links ADD COLUMN name text NOT NULL DEFAULT ''; -- the name of the group for which the roles were looked up
ALTER TABLE {p}links ADD COLUMN at bigint NOT NULL DEFAULT -62135596800000000; -- microseconds, UTC; by default the zero time
ALTER TABLE {p}links ADD COLUMN roles text NOT NULL DEFAULT '[]'; -- JSON
-- A group stood there by its id alone, unless the id began like a source.
UPDATE {p}links SET source = CASE WHEN source LIKE 'group:%' OR source LIKE 'attr:%' THEN source ELSE 'group:' || source END,
	roles = json_build_array(json_build_object('id', role_id, 'name', role_name, 'weight', weight,
		'protected', protected = 1, 'confirmed', confirmed = 1));
ALTER TABLE {p}links DROP COLUMN role_id, DROP COLUMN role_name, DROP COLUMN weight, DROP COLUMN protected, DROP COLUMN confirmed;
ALTER TABLE {p}links DROP CONSTRAINT {p}links_pkey;
ALTER TABLE {p}links ADD PRIMARY KEY (tenant, source);
-- What guards, switches and unfinished changes keep.
CREATE TABLE {p}notes (
	tenant text COLLATE "C" NOT NULL,
	kind   text COLLATE "C" NOT NULL,
	key    text COLLATE "C" NOT NULL,
	at     bigint NOT NULL, -- microseconds, UTC
	body   text NOT NULL,
	PRIMARY KEY (kind, tenant, key)
);
