-- The tokens that tokens.Tokens issues, of all tenants. Of the secret there is only the hash.
CREATE TABLE {p}tokens (
	hash      text COLLATE "C" NOT NULL PRIMARY KEY, -- SHA-256, in hexadecimal digits
	id        text COLLATE "C" NOT NULL UNIQUE,
	tenant    text COLLATE "C" NOT NULL,
	client    text COLLATE "C" NOT NULL,
	label     text NOT NULL,
	maker     text NOT NULL,
	prefix    text NOT NULL,
	last4     text NOT NULL,
	scopes    text, -- JSON; NULL: all
	created   bigint NOT NULL, -- microseconds, UTC, as all times; the zero time: never
	expires   bigint NOT NULL,
	revoked   bigint NOT NULL,
	last_used bigint NOT NULL,
	successor text COLLATE "C" NOT NULL -- the id of the token that replaces it, or empty
);
CREATE INDEX {p}tokens_tenant ON {p}tokens (tenant, created, id);
