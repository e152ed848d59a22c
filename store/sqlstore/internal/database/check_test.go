package database

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// secondLibrary stands for another SQLite library in the program.
type secondLibrary struct{}

func (secondLibrary) Open(string) (driver.Conn, error) { return nil, errors.New("not opened here") }

// Two SQLite libraries in one program are warned of. This test stands here because a driver
// stays registered, and other tests look at the log.
func TestTwoLibraries(t *testing.T) {
	pool, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(t.TempDir(), "scim.db"))+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() }) //nolint:errcheck // the test is over
	var log bytes.Buffer
	db := New(pool, dialect.SQLite, "", "scim_", time.Now)
	db.Log = slog.New(slog.NewTextHandler(&log, nil))
	if !slices.Contains(sql.Drivers(), "sqlite-second") { // -count runs this again
		if err := db.check(t.Context(), false); err != nil || log.Len() > 0 {
			t.Errorf("with one library: error %v, log %s", err, &log)
		}
		sql.Register("sqlite-second", secondLibrary{})
		sql.Register("sqlite-again", secondLibrary{}) // the same library under another name
	}
	if err := db.check(t.Context(), false); err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "several SQLite libraries"); n != 1 || !strings.Contains(log.String(), "modernc.org/sqlite") {
		t.Errorf("%d warnings with two libraries, want 1 that names them:\n%s", n, &log)
	}
	if got := sqliteLibraries(); len(got) != 2 {
		t.Errorf("libraries %q, want 2", got)
	}
}
