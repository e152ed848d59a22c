package sqlstore_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// behindPooler has the settings of each driver that work behind a pooler, and those that do
// not.
var behindPooler = map[string]struct{ works, fails []string }{
	"pgx": {
		works: []string{"default_query_exec_mode=exec", "default_query_exec_mode=simple_protocol", "default_query_exec_mode=cache_describe"},
		fails: []string{"", "default_query_exec_mode=cache_statement", "default_query_exec_mode=describe_exec"},
	},
	"postgres": {works: []string{"binary_parameters=yes"}, fails: []string{""}},
}

// The contract holds behind PgBouncer in transaction mode, which keeps no prepared statements.
func TestPgBouncer(t *testing.T) {
	db := openDB(t, pgtest.Driver, postgres.PooledDSN(t, pgtest.Pooled))
	db.SetMaxOpenConns(20)
	storetest.Run(t, func(t *testing.T) scim.Store {
		return newStore(t, db, sqlstore.Postgres, sqlstore.Options{Tenant: t.Name()})
	})
}

// Migrate refuses a driver that expects its statements in the same session later, if connections
// share sessions, and says what to set.
func TestPgBouncerMigrate(t *testing.T) {
	migrate := func(t *testing.T, dsn string, open int, anyDriver bool) error {
		t.Helper()
		db := openDB(t, pgtest.Driver, dsn)
		db.SetMaxOpenConns(open)
		s, err := sqlstore.New(db, sqlstore.Postgres, sqlstore.Options{AnyDriver: anyDriver})
		if err != nil {
			t.Fatal(err)
		}
		return s.Migrate(t.Context())
	}
	settings := behindPooler[pgtest.Driver]
	shared := postgres.PooledDSN(t, "")
	for _, setting := range settings.works {
		if err := migrate(t, shared+setting, 20, false); err != nil {
			t.Errorf("%q behind PgBouncer: %v", setting, err)
		}
	}
	for _, setting := range settings.fails {
		dsn := postgres.PooledDSN(t, setting)
		err := migrate(t, dsn, 20, false)
		for _, want := range []string{"PgBouncer", "default_query_exec_mode=exec", "binary_parameters=yes"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q behind PgBouncer: error %v, want %q in it", setting, err, want)
			}
		}
		if err := migrate(t, dsn, 20, true); err != nil && !strings.Contains(err.Error(), "PgBouncer") {
			t.Errorf("%q behind PgBouncer, with AnyDriver: %v", setting, err)
		}
		if err := migrate(t, postgres.PooledDSN(t, setting), 1, false); err != nil {
			t.Errorf("%q behind PgBouncer, one connection: %v", setting, err)
		}
	}
	direct := postgres.DSN(t)
	for _, setting := range append(settings.works, settings.fails...) {
		if err := migrate(t, direct+"&"+setting, 20, false); err != nil {
			t.Errorf("%q without PgBouncer: %v", setting, err)
		}
	}
}

// Migrate needs a second connection only to look for a pooler. It does without if it gets none.
func TestPgBouncerUnknown(t *testing.T) {
	dsn := postgres.DSN(t)
	admin := openDB(t, pgtest.Driver, dsn)
	for _, text := range []string{"CREATE ROLE poor LOGIN CONNECTION LIMIT 1", "GRANT CREATE ON SCHEMA public TO poor"} {
		if _, err := admin.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.WithoutCancel(t.Context()), "DROP OWNED BY poor; DROP ROLE poor"); err != nil {
			t.Error(err)
		}
	})
	newStore(t, openDB(t, pgtest.Driver, strings.Replace(dsn, "postgres@", "poor@", 1)), sqlstore.Postgres, sqlstore.Options{})

	busy := openDB(t, pgtest.Driver, dsn) // the application uses the other connection
	busy.SetMaxOpenConns(2)
	conn, err := busy.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the test is over
	newStore(t, busy, sqlstore.Postgres, sqlstore.Options{Prefix: "busy_"})
}

// A request whose statement is not in the session is answered 503, and the cause says what to
// set. Migrate cannot find this out if it has one connection only.
func TestPgBouncerLostStatement(t *testing.T) {
	if pgtest.Driver != "pgx" {
		t.Skip("lib/pq does not keep statements")
	}
	dsn := postgres.PooledDSN(t, "")
	var stores []*sqlstore.Store
	for range 2 {
		db := openDB(t, pgtest.Driver, dsn)
		db.SetMaxOpenConns(1)
		s, err := sqlstore.New(db, sqlstore.Postgres, sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
	}
	if err := stores[0].Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, s := range stores { // Both connections share one session.
		_, err := s.Get(t.Context(), scim.Ref{Type: "User", ID: "1"})
		if i == 0 {
			if !errors.Is(err, scim.ErrNotFound) {
				t.Errorf("the first connection: %v", err)
			}
			continue
		}
		var e *scim.Error
		if !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable || e.RetryAfter <= 0 || strings.Contains(e.Detail, "PgBouncer") ||
			!strings.Contains(e.Err.Error(), "default_query_exec_mode=exec") {
			t.Errorf("the second connection: %#v, want 503 with Retry-After, and a cause that says what to set", err)
		}
	}
}
