-- A role has a scope, a grant says what it waits for, a source has several roles. No table is
-- renamed: SQLite would change views of the application that read it, and then refuse them.
CREATE TABLE {p}grants_before AS SELECT * FROM {p}grants;
DROP TABLE {p}grants;
CREATE TABLE {p}grants (
	tenant  text NOT NULL,
	user_id text NOT NULL,
	scope   text NOT NULL,
	role_id text NOT NULL,
	source  text NOT NULL,
	at      bigint NOT NULL, -- microseconds, UTC
	by_hand smallint NOT NULL, -- 0 or 1
	state   text NOT NULL, -- scim.GrantState
	rank    bigint NOT NULL,
	PRIMARY KEY (tenant, user_id, scope, role_id, source)
) WITHOUT ROWID;
-- Earlier steps did not record why a grant waits. A protected role that waits for a place
-- may wait for the return of its user too, so it is assumed. For other roles it means nothing.
INSERT INTO {p}grants (tenant, user_id, scope, role_id, source, at, by_hand, state, rank)
	SELECT tenant, user_id, '', role_id, source, at, by_hand, CASE waiting WHEN 1 THEN 'return' ELSE '' END, 0 FROM {p}grants_before;
DROP TABLE {p}grants_before;
CREATE INDEX {p}grants_source ON {p}grants (source, tenant, user_id);
CREATE INDEX {p}grants_open ON {p}grants (tenant, user_id, scope, role_id, source) WHERE state <> '';
CREATE TABLE {p}links_before AS SELECT * FROM {p}links;
DROP TABLE {p}links;
CREATE TABLE {p}links (
	tenant text NOT NULL,
	source text NOT NULL, -- scim.Source
	name   text NOT NULL, -- the name of the group for which the roles were looked up
	at     bigint NOT NULL, -- microseconds, UTC
	roles  text NOT NULL, -- JSON
	PRIMARY KEY (tenant, source)
) WITHOUT ROWID;
-- A group stood there by its id alone, unless the id began like a source. LIKE would ignore
-- case here.
INSERT INTO {p}links (tenant, source, name, at, roles)
	SELECT tenant, CASE WHEN group_id GLOB 'group:*' OR group_id GLOB 'attr:*' THEN group_id ELSE 'group:' || group_id END, '', -62135596800000000, -- the zero time
		json_array(json_object('id', role_id, 'name', role_name, 'weight', weight,
			'protected', json(CASE protected WHEN 1 THEN 'true' ELSE 'false' END), 'confirmed', json(CASE confirmed WHEN 1 THEN 'true' ELSE 'false' END)))
	FROM {p}links_before;
DROP TABLE {p}links_before;
-- What guards, switches and unfinished changes keep.
CREATE TABLE {p}notes (
	tenant text NOT NULL,
	kind   text NOT NULL,
	key    text NOT NULL,
	at     bigint NOT NULL, -- microseconds, UTC
	body   text NOT NULL,
	PRIMARY KEY (kind, tenant, key)
) WITHOUT ROWID;
