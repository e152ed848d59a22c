-- The entries of journal.Journal, of all tenants. What is sealed is in detail, request and response.
CREATE TABLE IF NOT EXISTS {p}entries (
	tenant        varbinary(255) NOT NULL,
	id            varbinary(64) NOT NULL, -- UUIDv7: in order of time
	kind          varbinary(16) NOT NULL,
	at            bigint NOT NULL, -- microseconds, UTC, as all times
	request_id    varbinary(64) NOT NULL,
	method        varbinary(16) NOT NULL,
	status        bigint NOT NULL,
	type          varbinary(255) NOT NULL,
	events        longtext NOT NULL, -- JSON
	request_size  bigint NOT NULL,
	response_size bigint NOT NULL,
	size          bigint NOT NULL, -- what counts for the size of the tenant
	key_id        varbinary(64) NOT NULL, -- of entry_keys; empty: erased
	terms         longblob NOT NULL, -- those of entry_terms, 16 bytes each
	detail        longblob NOT NULL,
	request       longblob NOT NULL,
	response      longblob NOT NULL,
	PRIMARY KEY (tenant, id),
	KEY {p}entries_refused (kind, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
-- Keyed hashes of what an entry is found by.
CREATE TABLE IF NOT EXISTS {p}entry_terms (
	tenant varbinary(255) NOT NULL,
	term   varbinary(32) NOT NULL, -- base64url
	id     varbinary(64) NOT NULL,
	PRIMARY KEY (tenant, term, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
-- The keys that seal the entries and make the hashes, wrapped.
CREATE TABLE IF NOT EXISTS {p}entry_keys (
	tenant  varbinary(255) NOT NULL,
	id      varbinary(64) NOT NULL, -- a day, or search
	wrapped longblob NOT NULL,
	PRIMARY KEY (tenant, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
-- The sum of size of the entries of a tenant, refused ones not counted.
CREATE TABLE IF NOT EXISTS {p}entry_sizes (
	tenant varbinary(255) NOT NULL PRIMARY KEY,
	bytes  bigint NOT NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
-- When each process was alive.
CREATE TABLE IF NOT EXISTS {p}entry_beats (
	process varbinary(64) NOT NULL PRIMARY KEY,
	at      bigint NOT NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
