-- How often each client did something on each day.
CREATE TABLE IF NOT EXISTS {p}entry_counts (
	tenant varbinary(255) NOT NULL,
	day    varbinary(16) NOT NULL, -- 2026-01-02
	client varbinary(32) NOT NULL, -- a keyed hash, base64url
	what   varbinary(64) NOT NULL, -- a word, or a status and a scimType
	n      bigint NOT NULL,
	at     bigint NOT NULL, -- the last time
	key_id varbinary(64) NOT NULL, -- of entry_keys
	name   longblob NOT NULL, -- sealed
	PRIMARY KEY (tenant, day, client, what)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
