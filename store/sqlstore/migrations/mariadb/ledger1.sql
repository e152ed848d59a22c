-- What the library granted, and which roles each group and each value stands for.
--
-- Keys are bytes: they compare byte by byte, whatever collation the server has, and keep spaces at
-- their end. An index has room for 3,072 bytes; a utf8mb4 text would take four for each character.
-- Each statement commits by itself, so each leaves alone what is there already.
CREATE TABLE IF NOT EXISTS {p}grants (
	tenant  varbinary(255) NOT NULL,
	user_id varbinary(512) NOT NULL,
	scope   varbinary(512) NOT NULL,
	role_id varbinary(512) NOT NULL,
	source  varbinary(1024) NOT NULL, -- scim.Source
	at      bigint NOT NULL, -- microseconds, UTC
	by_hand smallint NOT NULL, -- 0 or 1
	state   varbinary(64) NOT NULL, -- scim.GrantState
	`rank`  bigint NOT NULL,
	is_open tinyint AS (state <> '') STORED, -- no index can have some rows only
	PRIMARY KEY (tenant, user_id, scope, role_id, source),
	KEY {p}grants_source (source, tenant, user_id),
	KEY {p}grants_open (tenant, is_open, user_id, scope, role_id, source)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE IF NOT EXISTS {p}links (
	tenant varbinary(255) NOT NULL,
	source varbinary(1024) NOT NULL, -- scim.Source
	name   longtext NOT NULL, -- the name of the group for which the roles were looked up
	at     bigint NOT NULL, -- microseconds, UTC
	roles  longtext NOT NULL, -- JSON
	PRIMARY KEY (tenant, source)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
-- What guards, switches and unfinished changes keep.
CREATE TABLE IF NOT EXISTS {p}notes (
	tenant varbinary(255) NOT NULL,
	kind   varbinary(255) NOT NULL,
	`key`  varbinary(2048) NOT NULL,
	at     bigint NOT NULL, -- microseconds, UTC
	body   longtext NOT NULL,
	PRIMARY KEY (kind, tenant, `key`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
-- Rows to lock users by. That of the user U+0000 is the lock that Grants shares and that Fence takes alone.
CREATE TABLE IF NOT EXISTS {p}users (
	tenant  varbinary(255) NOT NULL,
	user_id varbinary(512) NOT NULL,
	PRIMARY KEY (user_id, tenant)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
-- Rows to lock names by. It has none but in transactions.
CREATE TABLE IF NOT EXISTS {p}locks (
	name bigint NOT NULL PRIMARY KEY
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
