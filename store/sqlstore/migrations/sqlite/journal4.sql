-- Keyed hashes of what an entry is found by. Those of entries of before are in entry_terms.
CREATE TABLE {p}entry_runs (
	tenant   text NOT NULL,
	run      text NOT NULL, -- UUIDv7
	level    bigint NOT NULL, -- how often it was merged
	bytes    bigint NOT NULL, -- of its parts
	since_id text NOT NULL, -- the least id of an entry
	until_id text NOT NULL, -- the greatest one
	PRIMARY KEY (tenant, run)
) WITHOUT ROWID;
-- The pairs of a run, in order, in parts.
CREATE TABLE {p}entry_parts (
	tenant text NOT NULL,
	run    text NOT NULL,
	begins text NOT NULL, -- the first pair: 16 digits of the hash, and the id of the entry
	pairs  blob NOT NULL, -- of each 8 bytes of the hash, and the id
	PRIMARY KEY (tenant, run, begins)
);
