-- Short texts that the processes of an application share.
CREATE TABLE {p}entry_memos (
	tenant  text NOT NULL,
	id      text NOT NULL, -- a keyed hash, base64url
	version bigint NOT NULL, -- how often it was written
	value   blob NOT NULL, -- sealed
	PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
