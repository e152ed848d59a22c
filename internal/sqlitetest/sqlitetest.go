// Package sqlitetest has the SQLite driver of tests. The tests of some packages
// run with each driver that sqlstore understands: see internal/drivers.
package sqlitetest

import (
	"strings"

	"github.com/scimkit/scim/store/sqlstore"
)

// fast are the settings of SQLiteDSN that FastDSN changes.
var fast = strings.NewReplacer("synchronous(FULL)", "synchronous(OFF)", "synchronous=FULL", "synchronous=OFF")

// FastDSN is sqlstore.SQLiteDSN for a database that does not wait for the disk.
func FastDSN(file string) string { return fast.Replace(sqlstore.SQLiteDSN(file)) }
