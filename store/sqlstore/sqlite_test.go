package sqlstore_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// sqliteDB is a new database in a file.
func sqliteDB(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(sqlitetest.Driver, sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "50% of #1?.db")))
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
	t.Run("MariaDB", func(t *testing.T) {
		if os.Getenv("SCIM_LONG") != "1" {
			t.Skip("SCIM_LONG is not set: the server takes a quarter of an hour; TestMariaDB runs always")
		}
		test(t, mariadb.DB(t), sqlstore.MariaDB)
	})
}

// unlessLong skips the storetest of one more mapping on a server, which takes minutes. TestMapped runs
// always, and .ci/long runs all.
func unlessLong(a app) {
	a.t.Helper()
	if a.d != sqlstore.SQLite && os.Getenv("SCIM_LONG") != "1" {
		a.t.Skip("SCIM_LONG is not set")
	}
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) scim.Store {
		return newStore(t, sqliteDB(t), sqlstore.SQLite, sqlstore.Options{})
	})
}

// Without SQLiteDSN, transactions take the write lock before they read all the same.
func TestWithoutImmediate(t *testing.T) {
	dsn := strings.Replace(sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "scim.db")), "_txlock=immediate", "_txlock=deferred", 1)
	db, err := sql.Open(sqlitetest.Driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	s := newStore(t, db, sqlstore.SQLite, sqlstore.Options{})
	made := create(t, s, user(t, "count", map[string]any{"nickName": "0"}))
	const n = 30
	runs := make(chan int, 10*n)
	parallel(t, n, func(int) error {
		_, err := s.Update(t.Context(), made.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
			runs <- 1
			count, err := strconv.Atoi(before.String("nickName"))
			if err != nil {
				return nil, err
			}
			return before.With(map[string]any{"nickName": strconv.Itoa(count + 1)})
		})
		return err
	})
	got, err := s.Get(t.Context(), made.Ref())
	if err != nil || got.String("nickName") != strconv.Itoa(n) || len(runs) != n {
		t.Errorf("%s, error %v, after %d counted in %d runs", got.String("nickName"), err, n, len(runs))
	}
}

func TestSQLiteDSN(t *testing.T) {
	db := sqliteDB(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "10000", "foreign_keys": "1"} {
		var got string
		if err := db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, error %v, want %s", pragma, got, err, want)
		}
	}
	var file string
	if err := db.QueryRow("SELECT file FROM pragma_database_list").Scan(&file); err != nil || filepath.Base(file) != "50% of #1?.db" {
		t.Errorf("the file is %s, error %v", file, err)
	}
}
