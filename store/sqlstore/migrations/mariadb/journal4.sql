-- Keyed hashes of what an entry is found by. Those of entries of before are in entry_terms.
CREATE TABLE IF NOT EXISTS {p}entry_runs (
	tenant   varbinary(255) NOT NULL,
	run      varbinary(64) NOT NULL, -- UUIDv7
	level    bigint NOT NULL, -- how often it was merged
	bytes    bigint NOT NULL, -- of its parts
	since_id varbinary(64) NOT NULL, -- the least id of an entry
	until_id varbinary(64) NOT NULL, -- the greatest one
	PRIMARY KEY (tenant, run)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
-- The pairs of a run, in order, in parts.
CREATE TABLE IF NOT EXISTS {p}entry_parts (
	tenant varbinary(255) NOT NULL,
	run    varbinary(64) NOT NULL,
	begins varbinary(128) NOT NULL, -- the first pair: 16 digits of the hash, and the id of the entry
	pairs  longblob NOT NULL, -- of each 8 bytes of the hash, and the id
	PRIMARY KEY (tenant, run, begins)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
