package pgtest

import _ "github.com/jackc/pgx/v5/stdlib"

// Driver is the name of the driver. internal/drivers puts another file in the place of this
// one.
const Driver = "pgx"

// Pooled is what the driver needs behind PgBouncer in transaction mode: no statement is kept
// in a session.
const Pooled = "default_query_exec_mode=exec"
