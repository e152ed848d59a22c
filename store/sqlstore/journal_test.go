package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

func newJournal(t *testing.T, db *sql.DB, d sqlstore.Dialect) *sqlstore.Journal {
	t.Helper()
	s, err := sqlstore.NewJournal(db, d, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestJournal(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		storetest.RunJournal(t, func(t *testing.T) journal.Store { return newJournal(t, relaxed(t), sqlstore.SQLite) })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		storetest.RunJournal(t, func(t *testing.T) journal.Store { return newJournal(t, postgres.DB(t), sqlstore.Postgres) })
	})
	t.Run("MariaDB", func(t *testing.T) {
		storetest.RunJournal(t, func(t *testing.T) journal.Store { return newJournal(t, mariadb.DB(t), sqlstore.MariaDB) })
	})
}
