package sqlstore_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// openDB opens a database until the end of the test.
func openDB(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	return db
}

// A client is told to come again if the database cannot write now. Reading goes on.
func TestDatabaseCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scim.db")
	for name, test := range map[string]struct {
		driver, dsn string
		d           sqlstore.Dialect
		then        func(pages int) string // the data source name afterwards
		settings    string
	}{
		"SQLite, disk full": {"sqlite", sqlstore.SQLiteDSN(file), sqlstore.SQLite, func(pages int) string {
			return sqlstore.SQLiteDSN(file) + fmt.Sprintf("&_pragma=max_page_count(%d)", pages)
		}, ""},
		"SQLite, read-only": {"sqlite", sqlstore.SQLiteDSN(file + "2"), sqlstore.SQLite, func(int) string {
			return sqlstore.SQLiteDSN(file+"2") + "&_pragma=query_only(1)"
		}, ""},
		"PostgreSQL, read-only": {"pgx", postgres.DSN(t), sqlstore.Postgres, nil,
			"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$"},
	} {
		t.Run(name, func(t *testing.T) {
			db := openDB(t, test.driver, test.dsn)
			s := newStore(t, db, test.d, sqlstore.Options{})
			ann := create(t, s, user(t, "ann", nil))
			dsn, pages := test.dsn, 0
			if test.settings != "" {
				if _, err := db.Exec(test.settings); err != nil {
					t.Fatal(err)
				}
			} else {
				if err := db.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
					t.Fatal(err)
				}
				dsn = test.then(pages)
			}
			s, err := sqlstore.New(openDB(t, test.driver, dsn), test.d, sqlstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			c := newClient(t, scim.Config{Store: s})
			refused := 0
			for i := range 20 { // the last pages may have room for some
				title := strings.Repeat("x", 900)
				for _, r := range []*http.Request{
					httptest.NewRequest("POST", "/Users", strings.NewReader(fmt.Sprintf(`{"userName":"u%d","title":%q,"displayName":%q}`, i, title, title))),
					httptest.NewRequest("PATCH", "/Users/"+ann.ID(), strings.NewReader(fmt.Sprintf(`{"Operations":[{"op":"replace","path":"title","value":"%d%s"}]}`, i, title))),
					httptest.NewRequest("DELETE", "/Users/"+ann.ID(), nil),
				} {
					if r.Method == "DELETE" && i < 19 {
						continue
					}
					w := httptest.NewRecorder()
					c.log.Reset()
					c.h.ServeHTTP(w, r)
					switch {
					case w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") != "":
						refused++
					case w.Code >= 300:
						t.Errorf("%s %s: %d, Retry-After %q, %s\n%s", r.Method, r.URL, w.Code, w.Header().Get("Retry-After"), w.Body, c.log)
					}
				}
				if i == 0 {
					c.do("GET", "/Users/"+ann.ID(), "", 200)
					c.do("GET", "/Users?filter=userName+eq+%22ann%22", "", 200)
				}
			}
			if refused == 0 {
				t.Error("the database could write everything")
			}
		})
	}
}
