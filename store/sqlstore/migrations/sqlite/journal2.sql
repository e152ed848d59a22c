-- How often each client did something on each day.
CREATE TABLE {p}entry_counts (
	tenant text NOT NULL,
	day    text NOT NULL, -- 2026-01-02
	client text NOT NULL, -- a keyed hash, base64url
	what   text NOT NULL, -- a word, or a status and a scimType
	n      bigint NOT NULL,
	at     bigint NOT NULL, -- the last time
	key_id text NOT NULL, -- of entry_keys
	name   blob NOT NULL, -- sealed
	PRIMARY KEY (tenant, day, client, what)
) WITHOUT ROWID;
