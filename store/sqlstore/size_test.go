package sqlstore_test

import (
	"database/sql"
	"os"
	"strings"
	"testing"

	"github.com/scimkit/scim/store/sqlstore"
)

// largePages is SQL of docs/databases.md.
const largePages = `PRAGMA journal_mode = DELETE;
PRAGMA page_size = 8192;
VACUUM;
PRAGMA journal_mode = WAL;
`

// A user takes a few times the bytes of its JSON: the document, the same as filters compare it, and indexes. A
// row of that size leaves half of a page of SQLite empty, unless the pages are larger.
func TestBytesOfUser(t *testing.T) {
	const n = 3000
	inFile := "SELECT (SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count) * (SELECT page_size FROM pragma_page_size)"
	measure := func(t *testing.T, db *sql.DB, d sqlstore.Dialect, size string) (ratio func(name string, most float64)) {
		ask := func(text string) (x float64) {
			t.Helper()
			if err := db.QueryRow(text).Scan(&x); err != nil {
				t.Fatal(err)
			}
			return x
		}
		s := newStore(t, db, d, sqlstore.Options{})
		populate(t, db, d, s, n)
		return func(name string, most float64) {
			t.Helper()
			user, doc := ask(size)/n, ask("SELECT avg(length(doc)) FROM scim_resources")
			t.Logf("%s: a user of %.0f bytes of JSON takes %.0f, %.2f times as many", name, doc, user, user/doc)
			if user > most*doc {
				t.Errorf("%s: %.2f times the bytes of the JSON, at most %.1f", name, user/doc, most)
			}
		}
	}
	t.Run("SQLite", func(t *testing.T) {
		db := sqliteDB(t)
		ratio := measure(t, db, sqlstore.SQLite, inFile)
		ratio("pages of 4 KB", 4.5)
		db.SetMaxOpenConns(1) // the mode of the journal changes only while nobody else has the file
		for line := range strings.SplitSeq(strings.TrimSpace(largePages), "\n") {
			if _, err := db.Exec(line); err != nil {
				t.Fatal(line, err)
			}
		}
		ratio("pages of 8 KB", 3.5)
		var mode string
		if err := db.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
			t.Errorf("the journal's mode is %s: %v", mode, err)
		}
		if page, err := os.ReadFile("../../docs/databases.md"); err != nil || !strings.Contains(string(page), "```sql\n"+largePages+"```\n") {
			t.Errorf("docs/databases.md does not show what makes pages larger: %v", err)
		}
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		measure(t, postgres.DB(t), sqlstore.Postgres, "SELECT pg_total_relation_size('scim_resources') + pg_total_relation_size('scim_lookups')")("PostgreSQL", 3)
	})
}
