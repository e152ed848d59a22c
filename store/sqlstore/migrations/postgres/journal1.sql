-- The entries of journal.Journal, of all tenants. What is sealed is in detail, request and response.
CREATE TABLE {p}entries (
	tenant        text COLLATE "C" NOT NULL,
	id            text COLLATE "C" NOT NULL, -- UUIDv7: in order of time
	kind          text COLLATE "C" NOT NULL,
	at            bigint NOT NULL, -- microseconds, UTC, as all times
	request_id    text NOT NULL,
	method        text NOT NULL,
	status        bigint NOT NULL,
	type          text NOT NULL,
	events        text NOT NULL, -- JSON
	request_size  bigint NOT NULL,
	response_size bigint NOT NULL,
	size          bigint NOT NULL, -- what counts for the size of the tenant
	key_id        text COLLATE "C" NOT NULL, -- of entry_keys; empty: erased
	terms         bytea NOT NULL, -- those of entry_terms, 16 bytes each
	detail        bytea NOT NULL,
	request       bytea NOT NULL,
	response      bytea NOT NULL,
	PRIMARY KEY (tenant, id)
);
CREATE INDEX {p}entries_refused ON {p}entries (id) WHERE kind = 'refused';
-- Keyed hashes of what an entry is found by.
CREATE TABLE {p}entry_terms (
	tenant text COLLATE "C" NOT NULL,
	term   text COLLATE "C" NOT NULL, -- base64url
	id     text COLLATE "C" NOT NULL,
	PRIMARY KEY (tenant, term, id)
);
-- The keys that seal the entries and make the hashes, wrapped.
CREATE TABLE {p}entry_keys (
	tenant  text COLLATE "C" NOT NULL,
	id      text COLLATE "C" NOT NULL, -- a day, or search
	wrapped bytea NOT NULL,
	PRIMARY KEY (tenant, id)
);
-- The sum of size of the entries of a tenant, refused ones not counted.
CREATE TABLE {p}entry_sizes (
	tenant text COLLATE "C" NOT NULL PRIMARY KEY,
	bytes  bigint NOT NULL
);
-- When each process was alive.
CREATE TABLE {p}entry_beats (
	process text COLLATE "C" NOT NULL PRIMARY KEY,
	at      bigint NOT NULL
);
