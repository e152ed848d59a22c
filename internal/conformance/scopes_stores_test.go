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
