package doctest

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/store/sqlstore"
)

// What follows, up to the end marker, is in docs/run-it.md.

// openPooled opens a database behind PgBouncer, such as postgres://app@localhost:6432/app.
func openPooled(address string) (*sql.DB, error) {
	return sql.Open("pgx", address+"?default_query_exec_mode=exec") // lib/pq: binary_parameters=yes
}

// openPair opens a database of two hosts, such as app@db1:5432,db2:5432.
func openPair(hosts, database string) (*sql.DB, error) {
	db, err := sql.Open("pgx", "postgres://"+hosts+"/"+database+"?target_session_attrs=primary&connect_timeout=3")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20) // the default is 2: most requests would look for the primary again
	return db, nil
}

// The end of what the page shows.

// postgres is the server of this test process.
var postgres pgtest.Server

func TestMain(m *testing.M) { postgres.Main(m) }

// A store works behind PgBouncer, and on the host of two that is there. What the page says is what
// the long tests use.
func TestRunItOnPostgreSQL(t *testing.T) {
	pooled, _, _ := strings.Cut(postgres.PooledDSN(t, ""), "?")
	direct, err := url.Parse(postgres.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (*sql.DB, error){
		"behind PgBouncer": func() (*sql.DB, error) { return openPooled(pooled) },
		"one host of two": func() (*sql.DB, error) {
			return openPair(fmt.Sprintf("postgres@127.0.0.1:1,%s", direct.Host), strings.TrimPrefix(direct.Path, "/"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := open()
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close() //nolint:errcheck // the test is over
			store, err := sqlstore.New(db, sqlstore.Postgres, sqlstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := store.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			request(t, handler(t, scim.Config{Store: store}), http.StatusCreated, "POST", "/Users", `{"userName": "ann"}`)
		})
	}
	for _, settings := range []string{pgtest.Pooled, pgtest.FailsOver} {
		if !strings.Contains(read(t, "docs/run-it.md"), "?"+settings+"\"") {
			t.Errorf("docs/run-it.md does not show %s", settings)
		}
	}
}
