-- Keyed hashes of what an entry is found by. Those of entries of before are in entry_terms.
CREATE TABLE {p}entry_runs (
	tenant   text COLLATE "C" NOT NULL,
	run      text COLLATE "C" NOT NULL, -- UUIDv7
	level    bigint NOT NULL, -- how often it was merged
	bytes    bigint NOT NULL, -- of its parts
	since_id text COLLATE "C" NOT NULL, -- the least id of an entry
	until_id text COLLATE "C" NOT NULL, -- the greatest one
	PRIMARY KEY (tenant, run)
);
-- The pairs of a run, in order, in parts.
CREATE TABLE {p}entry_parts (
	tenant text COLLATE "C" NOT NULL,
	run    text COLLATE "C" NOT NULL,
	begins text COLLATE "C" NOT NULL, -- the first pair: 16 digits of the hash, and the id of the entry
	pairs  bytea NOT NULL, -- of each 8 bytes of the hash, and the id
	PRIMARY KEY (tenant, run, begins)
);
