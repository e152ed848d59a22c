package upgrades

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/store/sqlstore"
)

// recordVar names the folder into which TestHistory records databases of this version.
const recordVar = "SCIM_RECORD"

// The history has the same result in this version as in the versions whose databases are
// kept.
func TestHistory(t *testing.T) {
	for _, w := range worlds {
		t.Run(w.name+"/SQLite", func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "scim.db")
			p := &place{world: w, db: openSQLite(t, file), d: sqlstore.SQLite}
			p.play(t)
			if os.Getenv(recordVar) != "" {
				keepSQLite(t, p.db, w.name+".db.gz")
				if w.alone {
					keepSQLite(t, p.users, w.name+"-users.db.gz")
				}
			}
		})
		t.Run(w.name+"/PostgreSQL", func(t *testing.T) {
			dsn := postgres.DSN(t)
			db, err := sql.Open("pgx", dsn)
			check(t, err)
			t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
			p := &place{world: w, db: db, d: sqlstore.Postgres}
			p.play(t)
			if os.Getenv(recordVar) != "" {
				keepPostgres(t, dsn, w.name+".sql")
			}
		})
	}
}

// play plays the history in an empty place and compares what it shows with what is kept.
func (p *place) play(t *testing.T) {
	t.Helper()
	_, err := p.db.Exec(appTables)
	check(t, err)
	if p.alone {
		p.users = openSQLite(t, filepath.Join(t.TempDir(), "users.db"))
	}
	got := map[string]view{}
	for name, exclusive := range tenants {
		n := p.open(t, name, exclusive)
		n.history(t)
		got[name] = n.look(t)
	}
	if p.mapped { // The store has not seen this row yet.
		_, err := p.db.Exec("INSERT INTO people (id, org, email, status) VALUES ('zoe', 'first', 'zoe@example.com', 'active')")
		check(t, err)
	}
	if os.Getenv(recordVar) != "" && p.name == "own" && p.d == sqlstore.SQLite {
		text, err := json.MarshalIndent(got, "", "\t")
		check(t, err)
		keep(t, "shown.json", append(text, '\n'))
		return
	}
	if diff := cmp.Diff(golden(t), comparable(t, got)); diff != "" {
		t.Errorf("the history shows (-kept +now):\n%s", diff)
	}
}

// comparable is a value as JSON has it.
func comparable(t *testing.T, views map[string]view) (v map[string]any) {
	t.Helper()
	text, err := json.Marshal(views)
	check(t, err)
	check(t, json.Unmarshal(text, &v))
	return v
}

// keep writes a file into the folder for recording.
func keep(t *testing.T, name string, text []byte) {
	t.Helper()
	check(t, os.WriteFile(filepath.Join(os.Getenv(recordVar), name), text, 0o644))
}

func keepSQLite(t *testing.T, db *sql.DB, name string) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy.db")
	_, err := db.Exec("VACUUM INTO $1", copied)
	check(t, err)
	text, err := os.ReadFile(copied)
	check(t, err)
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	check(t, err)
	_, err = w.Write(text)
	check(t, err)
	check(t, w.Close())
	keep(t, name, b.Bytes())
}

// keepPostgres keeps a dump as statements that any version of PostgreSQL reads.
func keepPostgres(t *testing.T, dsn, name string) {
	t.Helper()
	out, err := exec.Command("pg_dump", "--no-owner", "--no-privileges", "--inserts", "--dbname="+dsn).Output()
	check(t, err)
	var lines []string
	for line := range strings.Lines(string(out)) {
		isSetting := strings.HasPrefix(line, "SET ") || strings.HasPrefix(line, "SELECT pg_catalog.set_config")
		if isSetting || strings.HasPrefix(line, "--") || strings.HasPrefix(line, `\`) || strings.TrimSpace(line) == "" {
			continue
		}
		lines = append(lines, line)
	}
	keep(t, name, []byte(strings.Join(lines, "")))
}
