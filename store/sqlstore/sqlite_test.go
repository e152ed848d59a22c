package sqlstore_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// sqliteDB is a new database in a file.
func sqliteDB(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "50% of #1?.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	return db
}

// newStore is a Store with its tables made.
func newStore(t testing.TB, db *sql.DB, d sqlstore.Dialect, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.New(db, d, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// databases are those that a test runs on, each new.
func databases(t *testing.T, test func(t *testing.T, db *sql.DB, d sqlstore.Dialect)) {
	t.Run("SQLite", func(t *testing.T) {
		db := sqliteDB(t)
		db.SetMaxOpenConns(20)
		test(t, db, sqlstore.SQLite)
	})
	t.Run("PostgreSQL", func(t *testing.T) { test(t, postgres.DB(t), sqlstore.Postgres) })
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) scim.Store {
		return newStore(t, sqliteDB(t), sqlstore.SQLite, sqlstore.Options{})
	})
}
