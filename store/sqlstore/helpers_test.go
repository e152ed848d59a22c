package sqlstore_test

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scimkit/scim/store/sqlstore"
)

// relaxed is an SQLite database that does not wait for the disk.
func relaxed(t testing.TB) *sql.DB {
	t.Helper()
	dsn := strings.Replace(sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "scim.db")), "synchronous(FULL)", "synchronous(OFF)", 1)
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	return db
}

func jsonString(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

func number(text string) json.Number { return json.Number(text) }
