-- No index begins with the tenant, but for lists: see the tables of PostgreSQL.
CREATE TABLE IF NOT EXISTS {p}resources (
	tenant       varbinary(255) NOT NULL,
	type         varbinary(128) NOT NULL,
	id           varbinary(512) NOT NULL,
	collection   varbinary(400) NOT NULL, -- type:tenant
	deleted      bigint NOT NULL, -- microseconds; 0: it is there
	created      bigint NOT NULL, -- microseconds, UTC
	modified     bigint NOT NULL,
	version      longtext NOT NULL,
	user_name    varbinary(1100), -- folded
	external_id  varbinary(1100),
	display_name varbinary(1100), -- folded
	doc          longtext NOT NULL, -- what clients see
	search       longtext NOT NULL, -- the same, as filters compare it
	seen         longtext, -- what was seen of the application's row; NULL: it has none
	claimed      smallint NOT NULL, -- 0 or 1: a client has written the application's row
	display      longtext, -- JSON of displayName, or else of userName; empty if the resource has neither
	client       longtext NOT NULL, -- the client that wrote the resource last
	own_name     varbinary(1100) AS (CASE WHEN deleted = 0 AND seen IS NULL THEN user_name END) STORED, -- which is unique
	id_length    bigint AS (char_length(convert(id USING utf8mb4))) STORED, -- of ids with one time of creation the shorter one comes first
	PRIMARY KEY (id, type, tenant, deleted),
	UNIQUE KEY {p}resources_user_name (own_name, type, tenant),
	KEY {p}resources_any_name (user_name, type, tenant),
	KEY {p}resources_external_id (external_id, type, tenant),
	KEY {p}resources_display_name (display_name, type, tenant),
	KEY {p}resources_created (collection, deleted, created, id_length, id),
	KEY {p}resources_claimed (collection, deleted, claimed, created, id_length, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE IF NOT EXISTS {p}lookups (
	tenant varbinary(255) NOT NULL,
	type   varbinary(128) NOT NULL,
	path   varbinary(255) NOT NULL, -- of a multi-valued attribute
	value  varbinary(1100) NOT NULL, -- folded
	id     varbinary(512) NOT NULL,
	PRIMARY KEY (value, path, type, tenant, id),
	KEY {p}lookups_id (id, type, tenant)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE IF NOT EXISTS {p}members (
	tenant      varbinary(255) NOT NULL,
	group_id    varbinary(512) NOT NULL,
	member_type varbinary(128) NOT NULL,
	member_id   varbinary(512) NOT NULL,
	since       bigint NOT NULL, -- microseconds, UTC
	claimed     smallint NOT NULL DEFAULT 1, -- 0 or 1: a client has named the member
	PRIMARY KEY (group_id, tenant, member_type, member_id),
	KEY {p}members_member (member_id, member_type, tenant)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
