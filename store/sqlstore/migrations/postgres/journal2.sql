-- How often each client did something on each day.
CREATE TABLE {p}entry_counts (
	tenant text COLLATE "C" NOT NULL,
	day    text COLLATE "C" NOT NULL, -- 2026-01-02
	client text COLLATE "C" NOT NULL, -- a keyed hash, base64url
	what   text COLLATE "C" NOT NULL, -- a word, or a status and a scimType
	n      bigint NOT NULL,
	at     bigint NOT NULL, -- the last time
	key_id text COLLATE "C" NOT NULL, -- of entry_keys
	name   bytea NOT NULL, -- sealed
	PRIMARY KEY (tenant, day, client, what)
);
