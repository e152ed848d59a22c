package sqlstore_test

import (
	"os"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// postgres is the server of this test process.
var postgres pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	mariadb.Stop()
	os.Exit(code)
}

func TestPostgres(t *testing.T) {
	db := postgres.DB(t) // each step is a tenant of its own
	storetest.Run(t, func(t *testing.T) scim.Store {
		return newStore(t, db, sqlstore.Postgres, sqlstore.Options{Tenant: t.Name()})
	})
}
