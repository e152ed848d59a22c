// Package pgtest is internal/pgtest with another driver.
package pgtest

import _ "github.com/lib/pq"

// Driver is the name of the driver.
const Driver = "postgres"
