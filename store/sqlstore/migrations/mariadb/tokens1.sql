-- The tokens that tokens.Tokens issues, of all tenants. Of the secret there is only the hash.
CREATE TABLE IF NOT EXISTS {p}tokens (
	hash      varbinary(64) NOT NULL PRIMARY KEY, -- SHA-256, in hexadecimal digits
	id        varbinary(64) NOT NULL,
	tenant    varbinary(255) NOT NULL,
	client    varbinary(255) NOT NULL,
	label     longtext NOT NULL,
	maker     longtext NOT NULL,
	prefix    longtext NOT NULL,
	last4     longtext NOT NULL,
	scopes    longtext, -- JSON; NULL: all
	created   bigint NOT NULL, -- microseconds, UTC, as all times; the zero time: never
	expires   bigint NOT NULL,
	revoked   bigint NOT NULL,
	last_used bigint NOT NULL,
	successor varbinary(64) NOT NULL, -- the id of the token that replaces it, or empty
	UNIQUE KEY {p}tokens_id (id),
	KEY {p}tokens_tenant (tenant, created, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
