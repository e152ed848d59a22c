package sqlstore_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/internal/sqlitetest"
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
		setting     string // of the database, for later connections
		pragma      string // of a connection
	}{
		"SQLite, disk full": {sqlitetest.Driver, sqlstore.SQLiteDSN(file), sqlstore.SQLite, "", "PRAGMA max_page_count = "},
		"SQLite, read-only": {sqlitetest.Driver, sqlstore.SQLiteDSN(file + "2"), sqlstore.SQLite, "", "PRAGMA query_only = "},
		"PostgreSQL, read-only": {pgtest.Driver, postgres.DSN(t), sqlstore.Postgres,
			"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$", ""},
	} {
		t.Run(name, func(t *testing.T) {
			db := openDB(t, test.driver, test.dsn)
			s := newStore(t, db, test.d, sqlstore.Options{})
			ann := create(t, s, user(t, "ann", nil))
			if _, err := db.Exec(test.setting); err != nil {
				t.Fatal(err)
			}
			later := openDB(t, test.driver, test.dsn)
			if test.pragma != "" {
				pages := 0
				if err := db.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
					t.Fatal(err)
				}
				later.SetMaxOpenConns(1)
				if _, err := later.Exec(test.pragma + strconv.Itoa(pages)); err != nil {
					t.Fatal(err)
				}
			}
			s, err := sqlstore.New(later, test.d, sqlstore.Options{})
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
			// lib/pq begins a transaction with READ WRITE, and so overrides this default.
			if refused == 0 && test.driver != "postgres" {
				t.Error("the database could write everything")
			}
		})
	}
}

// A statement that takes too long gives 503, whichever table it waits for. PostgreSQL
// refuses all further statements of the transaction, so no caller may ignore the error.
func TestStatementTimeout(t *testing.T) {
	dsn := postgres.DSN(t)
	db := openDB(t, pgtest.Driver, dsn)
	makeApp(t, db, sqlstore.Postgres)
	a := app{t: t, db: db, d: sqlstore.Postgres}
	a.exec("CREATE TABLE jobs (id integer PRIMARY KEY, title text)")
	a.exec("INSERT INTO jobs VALUES (1, 'Sales'), (2, 'Support')")
	a.exec("CREATE TABLE job_people (job_id integer REFERENCES jobs, person_id bigint REFERENCES people, PRIMARY KEY (job_id, person_id))")
	connect := func(dsn string) client {
		pool := openDB(t, pgtest.Driver, dsn)
		s := newStore(t, pool, a.d, appOptions("o"))
		jobs, err := s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "jobs", ID: "id", Name: "title", Holders: "job_people", User: "person_id", Role: "job_id"})
		if err != nil {
			t.Fatal(err)
		}
		return newClient(t, scim.Config{Store: s, Roles: &scim.Roles{Resolver: jobs, Attributes: []string{"userType"}}, Rules: []scim.Rule{s.Adopt(sqlstore.SamePerson)}})
	}
	patient, hasty := connect(dsn), connect(dsn+"&statement_timeout=40ms")

	var tables []string
	rows, err := db.Query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	timeouts := 0
	for i, table := range tables {
		made := func(path, body string) string { return fmt.Sprint(patient.do("POST", path, body, 201)["id"]) }
		ann := made("/Users", fmt.Sprintf(`{"userName":"ann%d","userType":"Sales"}`, i))
		bob := made("/Users", fmt.Sprintf(`{"userName":"bob%d"}`, i))
		nobody := made("/Groups", fmt.Sprintf(`{"displayName":"Nobody","members":[{"value":%q}]}`, ann))
		sales := made("/Groups", fmt.Sprintf(`{"displayName":"Sales","members":[{"value":%q}]}`, ann))
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		patch := func(ops string) string { return `{"Operations":[` + ops + `]}` }
		for _, r := range []struct{ method, path, body string }{
			{"GET", "/Users/" + ann, ""},
			{"GET", "/Groups", ""},
			{"POST", "/Users", `{"userName":"new","userType":"Support"}`},
			{"PATCH", "/Users/" + ann, patch(`{"op":"replace","path":"title","value":"x"}`)},
			{"PATCH", "/Users/" + ann, patch(`{"op":"replace","path":"userName","value":"other"}`)},
			{"PATCH", "/Users/" + bob, patch(`{"op":"replace","path":"userType","value":"Support"}`)},
			{"PATCH", "/Users/" + bob, patch(`{"op":"replace","path":"active","value":false}`)},
			{"POST", "/Groups", `{"displayName":"Support","members":[{"value":"` + ann + `"}]}`},
			{"PATCH", "/Groups/" + nobody, patch(`{"op":"add","path":"members","value":[{"value":"` + bob + `"}]}`)},
			{"PATCH", "/Groups/" + nobody, patch(`{"op":"remove","path":"members","value":[{"value":"` + ann + `"}]}`)},
			{"PATCH", "/Groups/" + sales, patch(`{"op":"replace","path":"displayName","value":"Support"}`)},
			{"DELETE", "/Users/" + ann, ""},
			{"DELETE", "/Groups/" + sales, ""},
		} {
			hasty.log.Reset()
			w := httptest.NewRecorder()
			hasty.h.ServeHTTP(w, httptest.NewRequest(r.method, r.path, strings.NewReader(r.body)))
			if w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") != "" {
				timeouts++
			} else if w.Code >= 300 {
				t.Errorf("%s is locked, %s %s %s: %d %s\n%s", table, r.method, r.path, r.body, w.Code, w.Body, hasty.log)
			}
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/Users/" + ann, "/Users/" + bob, "/Groups/" + nobody, "/Groups/" + sales} {
			serve(t, patient.h, "DELETE", path, "") // unless it is gone
		}
		for _, name := range []string{"new", "other"} {
			a.exec("DELETE FROM job_people WHERE person_id IN (SELECT id FROM people WHERE email = $1)", name)
			a.exec("DELETE FROM team_people WHERE person_id IN (SELECT id FROM people WHERE email = $1)", name)
			a.exec("DELETE FROM people WHERE email = $1", name)
		}
	}
	if timeouts < len(tables) {
		t.Errorf("%d timeouts with %d tables", timeouts, len(tables))
	}
}
