package upgrades

import (
	"database/sql"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

// openJournal returns the journal in a database, whose tables it brings up to date.
func openJournal(t *testing.T, db *sql.DB, d sqlstore.Dialect) *journal.Journal {
	t.Helper()
	s, err := sqlstore.NewJournal(db, d, sqlstore.Options{})
	check(t, err)
	for range 2 {
		check(t, s.Migrate(t.Context()))
	}
	keys, err := journal.NewKeys([]byte("the key of the recorded journals."[:32]))
	check(t, err)
	j, err := journal.New(s, journal.Options{Keys: keys, Log: slog.New(slog.DiscardHandler)})
	check(t, err)
	return j
}

// sendToJournal sends requests of a client: two that succeed, and one that fails.
func sendToJournal(t *testing.T, j *journal.Journal) {
	t.Helper()
	h, err := scim.New(j.Config(scim.Config{Store: memory.New(), Auth: auth.Bearer(auth.TokenOf("good")), Log: slog.New(slog.DiscardHandler)}))
	check(t, err)
	for _, request := range [][3]string{
		{"POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann@example.com","title":"Dr"}`},
		{"POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann@example.com"}`},
		{"GET", "/Users", ""},
	} {
		r := httptest.NewRequest(request[0], request[1], strings.NewReader(request[2]))
		r.Header.Set("Authorization", "Bearer good")
		r.Header.Set("Content-Type", "application/scim+json")
		j.Handler(h).ServeHTTP(httptest.NewRecorder(), r)
	}
	check(t, j.Flush(t.Context()))
}

// entriesOf returns all entries with their bodies, as JSON.
func entriesOf(t *testing.T, j *journal.Journal) string {
	t.Helper()
	list, err := j.Find(t.Context(), journal.Query{Limit: 1000})
	check(t, err)
	var all []journal.Entry
	for _, e := range list {
		whole, err := j.Get(t.Context(), "", e.ID)
		check(t, err)
		all = append(all, whole)
	}
	text, err := json.MarshalIndent(all, "", "\t")
	check(t, err)
	return string(text) + "\n"
}

// TestJournalHistory makes a journal, and records it if recordVar says so.
func TestJournalHistory(t *testing.T) {
	record := func(t *testing.T, db *sql.DB, d sqlstore.Dialect, name string) {
		j := openJournal(t, db, d)
		sendToJournal(t, j)
		if n := strings.Count(entriesOf(t, j), `"requestId"`); n != 3 {
			t.Errorf("%d entries", n)
		}
		if os.Getenv(recordVar) != "" {
			keep(t, name, []byte(entriesOf(t, j)))
		}
	}
	t.Run("SQLite", func(t *testing.T) {
		db := openSQLite(t, filepath.Join(t.TempDir(), "journal.db"))
		record(t, db, sqlstore.SQLite, "journal-sqlite.json")
		if os.Getenv(recordVar) != "" {
			keepSQLite(t, db, "journal.db.gz")
		}
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		dsn := postgres.DSN(t)
		db, err := sql.Open("pgx", dsn)
		check(t, err)
		t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
		record(t, db, sqlstore.Postgres, "journal-postgres.json")
		if os.Getenv(recordVar) != "" {
			keepPostgres(t, dsn, "journal.sql")
		}
	})
}

// A journal of before its counters has its entries, and counts from now on.
func TestJournal(t *testing.T) {
	const folder = "../before-journal2/" // beside the others
	for name, row := range map[string]struct {
		d    sqlstore.Dialect
		open func(t *testing.T) *sql.DB
	}{
		"sqlite": {sqlstore.SQLite, func(t *testing.T) *sql.DB { return openSQLite(t, unpack(t, folder+"journal.db.gz")) }},
		"postgres": {sqlstore.Postgres, func(t *testing.T) *sql.DB {
			db, err := sql.Open("pgx", loadPostgres(t, folder+"journal.sql"))
			check(t, err)
			t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
			return db
		}},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile("testdata/before-journal2/journal-" + name + ".json")
			check(t, err)
			j := openJournal(t, row.open(t), row.d)
			if diff := cmp.Diff(string(want), entriesOf(t, j)); diff != "" {
				t.Errorf("entries (-kept +now):\n%s", diff)
			}
			found, err := j.Find(t.Context(), journal.Query{Person: "ann@example.com"})
			if err != nil || len(found) == 0 {
				t.Errorf("a person is not found: %v", err)
			}
			yesterday, tomorrow := time.Now().AddDate(0, 0, -1), time.Now().AddDate(0, 0, 1)
			if before, err := j.Summary(t.Context(), "", time.Time{}, tomorrow); len(before) != 0 || err != nil {
				t.Errorf("counters of before: %+v, %v", before, err)
			}
			sendToJournal(t, j)
			now, err := j.Summary(t.Context(), "", yesterday, tomorrow)
			if err != nil || len(now) == 0 || now[0].Creates != 1 || now[0].Reads != 1 || len(now[0].Failures) != 1 {
				t.Errorf("counters of now: %+v, %v", now, err)
			}
			if done, err := j.Memos().Swap(t.Context(), "", journal.Memo{Name: "a", Text: "b"}); !done || err != nil {
				t.Errorf("a memo: %t, %v", done, err)
			}
		})
	}
}
