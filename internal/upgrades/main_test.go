package upgrades

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/scimkit/scim/store/sqlstore"
)

// TestMain is also the main function of processes that migrate.
func TestMain(m *testing.M) {
	text := os.Getenv(jobVar)
	if text == "" {
		postgres.Main(m)
		return
	}
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		err = j.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// kept is the folder with the databases. Their tables are those of ledger1.sql, store3.sql
// and mapped1.sql.
const kept = "testdata/before-scopes"

// golden is what each world showed when its databases were recorded.
func golden(t *testing.T) (v map[string]any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(kept, "shown.json"))
	check(t, err)
	check(t, json.Unmarshal(text, &v))
	return v
}

func openSQLite(t testing.TB, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(file))
	check(t, err)
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	return db
}

// unpack writes a kept SQLite file into a folder of the test and returns its name.
func unpack(t testing.TB, name string) (file string) {
	t.Helper()
	f, err := os.Open(filepath.Join(kept, name))
	check(t, err)
	defer f.Close() //nolint:errcheck // it is only read
	r, err := gzip.NewReader(f)
	check(t, err)
	var b bytes.Buffer
	_, err = io.Copy(&b, r)
	check(t, err)
	file = filepath.Join(t.TempDir(), "scim.db")
	check(t, os.WriteFile(file, b.Bytes(), 0o600))
	return file
}

// loadPostgres loads a kept dump into a new database and returns its data source name.
func loadPostgres(t testing.TB, name string) (dsn string) {
	t.Helper()
	dsn = postgres.DSN(t)
	text, err := os.ReadFile(filepath.Join(kept, name))
	check(t, err)
	db, err := sql.Open("pgx", dsn)
	check(t, err)
	defer db.Close() //nolint:errcheck // the test opens it again
	_, err = db.Exec(string(text))
	check(t, err)
	return dsn
}
