package conformance

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { postgres.Main(m) }

// scopedStores are the stores of the tests of scopes. What a token may not know could show in how a
// database orders, compares and counts, so SQLite is among them, and with SCIM_LONG=1 PostgreSQL. The
// race detector is not for them: one goroutine has no races.
func scopedStores() map[string]func(*testing.T) scim.Store {
	stores := map[string]func(*testing.T) scim.Store{
		"memory": func(*testing.T) scim.Store { return memory.New() },
		"bare":   func(*testing.T) scim.Store { return testhost.NewBareStore() },
	}
	if testhost.UnderRace {
		return stores
	}
	stores["SQLite"] = func(t *testing.T) scim.Store {
		return overSQL(t, sqlitetest.Driver, sqlitetest.FastDSN(filepath.Join(t.TempDir(), "scim.db")), sqlstore.SQLite)
	}
	stores["tables of the application"] = mappedForScopes
	if os.Getenv("SCIM_LONG") != "" {
		stores["PostgreSQL"] = func(t *testing.T) scim.Store { return overSQL(t, "pgx", postgres.DSN(t), sqlstore.Postgres) }
	}
	return stores
}

// overSQL opens a new database.
func overSQL(t *testing.T, driver, dsn string, dialect sqlstore.Dialect) scim.Store {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	s, err := sqlstore.New(db, dialect, sqlstore.Options{})
	if err == nil {
		err = s.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mappedForScopes is a store over tables of an application, in which columns and a table of children have
// what gives roles.
func mappedForScopes(t *testing.T) scim.Store {
	t.Helper()
	db, err := sql.Open(sqlitetest.Driver, sqlitetest.FastDSN(filepath.Join(t.TempDir(), "scim.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	for _, statement := range []string{
		"CREATE TABLE people (id text PRIMARY KEY, email text NOT NULL UNIQUE, title text, kind text, prefix text, cost text, status text NOT NULL)",
		"CREATE TABLE people_roles (person text NOT NULL REFERENCES people (id) ON DELETE CASCADE, role text NOT NULL, label text, main integer)",
		"CREATE TABLE teams (id text PRIMARY KEY, name text NOT NULL)",
		"CREATE TABLE team_people (team text NOT NULL REFERENCES teams (id) ON DELETE CASCADE, person text NOT NULL REFERENCES people (id) ON DELETE CASCADE, PRIMARY KEY (team, person))",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	s, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{
		Tables: []sqlstore.Table{
			{Type: "User", Name: "people", Key: "id", KeepID: true,
				Columns: []sqlstore.Column{{Name: "email", Path: "userName"}, {Name: "title", Path: "title"}, {Name: "kind", Path: "userType"},
					{Name: "prefix", Path: "name.honorificPrefix"}, {Name: "cost", Path: enterprise + ":costCenter"}, sqlstore.ActiveWhen("status", "on", "off")},
				Children: []sqlstore.Child{{Path: "roles", Name: "people_roles", Parent: "person",
					Columns: []sqlstore.Column{{Name: "role", Path: "value"}, {Name: "label", Path: "display"}, {Name: "main", Path: "primary"}}}}},
			{Type: "Group", Name: "teams", Key: "id", KeepID: true, Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
		},
		Members: &sqlstore.Join{Name: "team_people", Group: "team", User: "person"},
	})
	if err == nil {
		err = s.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}
