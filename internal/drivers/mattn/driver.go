// Package sqlitetest is internal/sqlitetest with another driver.
package sqlitetest

import _ "github.com/mattn/go-sqlite3"

// Driver is the name of the driver.
const Driver = "sqlite3"
