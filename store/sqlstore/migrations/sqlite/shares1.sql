-- How many requests of each tenant the processes have asked for in a second.
CREATE TABLE {p}shares (
	tenant text NOT NULL PRIMARY KEY,
	sec    bigint NOT NULL, -- since 1970, by the clock of the database
	given  bigint NOT NULL, -- requests that processes have asked for in this second
	demand bigint NOT NULL, -- requests that they have told of in this second
	total  bigint NOT NULL  -- the same in the second before
) WITHOUT ROWID;
