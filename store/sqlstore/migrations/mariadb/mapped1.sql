-- Which rows of the application's tables have changed; triggers write it.
CREATE TABLE IF NOT EXISTS {p}stale (
	-- AUTO_INCREMENT would lock the table for each INSERT ... SELECT of a trigger.
	seq    bigint NOT NULL DEFAULT (uuid_short() & 9223372036854775807) PRIMARY KEY,
	tenant varbinary(255) NOT NULL,
	type   varbinary(128) NOT NULL, -- or 'Members'
	id     varbinary(512) NOT NULL, -- the row's key; of a membership the group's
	member varbinary(512) NOT NULL, -- of a membership the user's, else ''
	tx     bigint NOT NULL DEFAULT 0, -- the store's transaction that has caused it; 0: none
	KEY {p}stale_tenant (tenant, type, id, seq)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
