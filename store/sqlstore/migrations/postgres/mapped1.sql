-- Which rows of the application's tables have changed; triggers write it.
CREATE TABLE {p}stale (
	seq    bigint GENERATED ALWAYS AS IDENTITY,
	tenant text COLLATE "C" NOT NULL,
	type   text COLLATE "C" NOT NULL, -- or 'Members'
	id     text COLLATE "C" NOT NULL, -- the row's key; of a membership the group's
	member text COLLATE "C" NOT NULL, -- of a membership the user's, else ''
	tx     bigint NOT NULL DEFAULT txid_current(),
	PRIMARY KEY (tenant, type, id, seq)
);
