-- What the library granted, and which role each group stands for.
CREATE TABLE {p}grants (
	tenant  text COLLATE "C" NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	role_id text COLLATE "C" NOT NULL,
	source  text COLLATE "C" NOT NULL,
	at      bigint NOT NULL, -- microseconds, UTC
	by_hand smallint NOT NULL, -- 0 or 1
	waiting smallint NOT NULL, -- 0 or 1
	PRIMARY KEY (user_id, tenant, role_id, source)
);
CREATE INDEX {p}grants_source ON {p}grants (source, tenant, user_id);
CREATE TABLE {p}links (
	tenant    text COLLATE "C" NOT NULL,
	group_id  text COLLATE "C" NOT NULL,
	role_id   text NOT NULL,
	role_name text NOT NULL,
	weight    bigint NOT NULL,
	protected smallint NOT NULL, -- 0 or 1
	confirmed smallint NOT NULL, -- 0 or 1
	PRIMARY KEY (group_id, tenant)
);
-- Rows to lock users by.
CREATE TABLE {p}users (
	tenant  text COLLATE "C" NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	PRIMARY KEY (user_id, tenant)
);
