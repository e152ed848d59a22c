package pgtest

import _ "github.com/jackc/pgx/v5/stdlib"

// Driver is the name of the driver. internal/drivers puts another file in the place of this
// one.
const Driver = "pgx"
