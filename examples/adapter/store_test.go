package adapter_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/examples/adapter"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { postgres.Main(m) }

func TestStore(t *testing.T) {
	for name, c := range map[string]struct {
		db      func(t *testing.T) *sql.DB
		dialect sqlstore.Dialect
		lock    string
	}{
		"SQLite": {func(t *testing.T) *sql.DB {
			// Nothing here is about power loss, so nothing waits for the disk.
			db, err := sql.Open("sqlite", strings.Replace(sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "app.db")), "synchronous(FULL)", "synchronous(OFF)", 1))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
			return db
		}, sqlstore.SQLite, ""},
		"PostgreSQL": {func(t *testing.T) *sql.DB { return postgres.DB(t) }, sqlstore.Postgres, " FOR UPDATE"},
	} {
		t.Run(name, func(t *testing.T) {
			db := c.db(t)
			if _, err := db.Exec(adapter.Schema); err != nil {
				t.Fatal(err)
			}
			storetest.Run(t, func(t *testing.T) scim.Store {
				if _, err := db.Exec("DELETE FROM accounts"); err != nil {
					t.Fatal(err)
				}
				ledger, err := sqlstore.NewLedger(db, c.dialect, sqlstore.Options{Tenant: t.Name()})
				if err != nil {
					t.Fatal(err)
				}
				if err := ledger.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
				return &adapter.Store{Ledger: ledger, DB: db, Lock: c.lock}
			})
		})
	}
}
