// Package sqlitetest is internal/sqlitetest with another driver.
package sqlitetest

import _ "github.com/ncruces/go-sqlite3/driver"

// Driver is the name of the driver.
const Driver = "sqlite3"
