package sqlstore_test

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// Migrate refuses settings with which requests would fail, and says what to write.
func TestSettings(t *testing.T) {
	file := func() string { return "file:" + filepath.ToSlash(filepath.Join(t.TempDir(), "scim.db")) }
	for _, row := range []struct {
		name     string
		settings []string // of the one connection
		dsn      string
		open     int
		mapped   bool
		want     []string // parts of the error; none if Migrate succeeds
	}{
		{"SQLiteDSN", nil, sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "scim.db")), 1, true, nil},
		{"no waiting", []string{"busy_timeout = 0", "foreign_keys = 1"}, file(), 1, true,
			[]string{"busy_timeout is 0", "_pragma=busy_timeout(10000)", "_busy_timeout=10000", "sqlstore.SQLiteDSN"}},
		{"no foreign keys", []string{"busy_timeout = 10000", "foreign_keys = 0"}, file(), 1, true,
			[]string{"foreign_keys is off", "_pragma=foreign_keys(ON)", "_foreign_keys=on"}},
		{"no foreign keys, and no tables of the application", []string{"busy_timeout = 10000", "foreign_keys = 0"}, file(), 1, false, nil},
		{"neither", []string{"busy_timeout = 0", "foreign_keys = 0"}, file(), 1, true, []string{"busy_timeout is 0", "foreign_keys is off"}},
		{"in memory", []string{"busy_timeout = 10000", "foreign_keys = 1"}, ":memory:", 1, true, nil},
		{"in memory, two connections", nil, "file::memory:?_pragma=busy_timeout(10000)&_busy_timeout=10000", 2, false, []string{"SetMaxOpenConns(1)"}},
		{"in memory, shared", nil, "file:shared?mode=memory&cache=shared&_pragma=busy_timeout(10000)&_busy_timeout=10000", 2, false, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			db := openDB(t, sqlitetest.Driver, row.dsn)
			db.SetMaxOpenConns(row.open)
			if row.name == "in memory, shared" && strings.Contains(fmt.Sprintf("%T", db.Driver()), "driver.SQLite") {
				t.Skip("ncruces/go-sqlite3 has no shared cache")
			}
			for _, s := range row.settings {
				if _, err := db.Exec("PRAGMA " + s); err != nil {
					t.Fatal(err)
				}
			}
			o := sqlstore.Options{}
			if row.mapped {
				makeApp(t, db, sqlstore.SQLite)
				o = appOptions("o")
			}
			migrate := func() error {
				s, err := sqlstore.New(db, sqlstore.SQLite, o)
				if err != nil {
					t.Fatal(err)
				}
				return s.Migrate(t.Context())
			}
			err := migrate()
			for _, want := range row.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q in it", err, want)
				}
			}
			if len(row.want) == 0 && err != nil {
				t.Error(err)
			}
			if o.AnyDriver = true; row.open == 1 {
				if err := migrate(); err != nil {
					t.Errorf("with AnyDriver: %v", err)
				}
			}
		})
	}
}

// opaque is a driver.Connector whose driver reports errors as texts.
type opaque struct{ storetest.Failing }

func (o *opaque) Driver() driver.Driver { return opaqueDriver{} }

type opaqueDriver struct{ driver.Driver }

// A driver whose errors say nothing is refused at the start, unless AnyDriver says otherwise.
func TestUnknownDriver(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		o := &opaque{storetest.Failing{Base: db.Driver(), DSN: newDSN(t, d), HidesCodes: true}}
		db = sql.OpenDB(o)
		t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
		s, err := sqlstore.New(db, d, sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "AnyDriver") || !strings.Contains(err.Error(), "sqlstore_test are not understood") {
			t.Errorf("Migrate: error %v, want one that names the driver and AnyDriver", err)
		}
		newStore(t, db, d, sqlstore.Options{AnyDriver: true})
		o.HidesCodes = false // a driver of another name, whose errors are understood
		newStore(t, db, d, sqlstore.Options{})
	})
}

// An application may switch foreign keys off. Then it matters only whether mapped tables have any.
func TestReferencesOfOthers(t *testing.T) {
	db := openDB(t, sqlitetest.Driver, "file:"+filepath.ToSlash(filepath.Join(t.TempDir(), "scim.db")))
	db.SetMaxOpenConns(1)
	for _, text := range []string{"PRAGMA busy_timeout = 10000", "PRAGMA foreign_keys = 0",
		`CREATE TABLE "user" (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE)`,
		"CREATE TABLE memo (id integer PRIMARY KEY)", "CREATE TABLE share (memo_id integer REFERENCES memo (id) ON DELETE CASCADE)"} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	migrate := func(beside ...sqlstore.Beside) error {
		s, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{Tables: []sqlstore.Table{
			{Type: "User", Name: `"user"`, Key: "id", Beside: beside, Columns: []sqlstore.Column{{Name: "name", Path: "userName"}}}}})
		if err != nil {
			t.Fatal(err)
		}
		return s.Migrate(t.Context())
	}
	if err := migrate(); err != nil {
		t.Errorf("no foreign key is about users: %v", err)
	}
	if err := migrate(sqlstore.Beside{Name: "share", Key: "memo_id"}); err == nil || !strings.Contains(err.Error(), "foreign_keys is off") {
		t.Errorf("a table beside that of users refers to another one: %v", err)
	}
	if _, err := db.Exec("CREATE TABLE session (user_id integer REFERENCES User (id))"); err != nil {
		t.Fatal(err)
	}
	if err := migrate(); err == nil || !strings.Contains(err.Error(), "foreign_keys is off") {
		t.Errorf("a table refers to users: %v", err)
	}
}
