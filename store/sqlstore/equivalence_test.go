package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// Every filter and order that can be asked for gives exactly what scim.Scan gives.
func TestEquivalence(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		// What is lost in a crash does not matter here.
		if d == sqlstore.SQLite {
			db = relaxed(t)
		}
		storetest.RunFilters(t, func(t *testing.T, typ *scim.ResourceType) scim.Store {
			return newStore(t, db, d, sqlstore.Options{Types: []*scim.ResourceType{typ}})
		}, 1000)
	})
}
