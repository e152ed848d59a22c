-- Short texts that the processes of an application share.
CREATE TABLE {p}entry_memos (
	tenant  text COLLATE "C" NOT NULL,
	id      text COLLATE "C" NOT NULL, -- a keyed hash, base64url
	version bigint NOT NULL, -- how often it was written
	value   bytea NOT NULL, -- sealed
	PRIMARY KEY (tenant, id)
);
