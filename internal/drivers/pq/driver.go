// Package pgtest is internal/pgtest with another driver.
package pgtest

import _ "github.com/lib/pq"

// Driver is the name of the driver.
const Driver = "postgres"

// Pooled is what the driver needs behind PgBouncer in transaction mode: a statement is parsed
// and executed in one round trip.
const Pooled = "binary_parameters=yes"
