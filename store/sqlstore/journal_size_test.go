package sqlstore_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore"
)

// Neither the files and the WAL of PostgreSQL nor its log, with all statements and their parameters, have a text of a client.
func TestJournalPostgresIsSealed(t *testing.T) {
	db := postgres.DB(t)
	s := newJournal(t, db, sqlstore.Postgres)
	var folder, name, oid, wal string
	err := db.QueryRow("SELECT current_setting('data_directory'), current_database(), (SELECT oid::text FROM pg_database WHERE datname = current_database()), pg_walfile_name(pg_current_wal_lsn())").Scan(&folder, &name, &oid, &wal)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"ALTER DATABASE " + name + " SET log_statement = 'all'", "ALTER DATABASE " + name + " SET log_parameter_max_length = -1"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	db.SetMaxIdleConns(0) // the next connection has the settings
	j, send := journaled(t, s, journal.Options{Keys: journal.NewEphemeralKeys()})
	sendSecrets(t, j, send)
	if _, err := db.Exec("CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
	log := postgres.Log(t)
	if !strings.Contains(log, "INSERT INTO scim_entries") {
		t.Error("the log has no statements: is this the log?")
	}
	expectSealed(t, "the log", []byte(log))
	files, err := filepath.Glob(filepath.Join(folder, "base", oid, "*"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	segments, err := filepath.Glob(filepath.Join(folder, "pg_wal", "0*"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("%d segments, %v", len(segments), err)
	}
	for _, s := range segments {
		if filepath.Base(s) >= wal {
			files = append(files, s)
		}
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if os.IsNotExist(err) {
			continue // PostgreSQL has removed it
		}
		if err != nil {
			t.Fatal(err)
		}
		expectSealed(t, f, text)
	}
}
