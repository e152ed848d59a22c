-- Short texts that the processes of an application share.
CREATE TABLE IF NOT EXISTS {p}entry_memos (
	tenant  varbinary(255) NOT NULL,
	id      varbinary(64) NOT NULL, -- a keyed hash, base64url
	version bigint NOT NULL, -- how often it was written
	value   longblob NOT NULL, -- sealed
	PRIMARY KEY (tenant, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
