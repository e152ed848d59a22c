// Package pagetest starts the examples of products in tests, and plays their clients and their
// administrators over HTTP.
package pagetest

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim/store/sqlstore"
)

// Run is page.Program.Run.
type Run func(ctx context.Context, args []string, out, errOut io.Writer) error

// Running is a program that runs in this process.
type Running struct {
	t *testing.T
	// URL is the address. Password lets everybody log in. Token is the one that the terminal shows.
	URL, Password, Token string
	// Printed is all that the terminal shows.
	Printed string
	// Where is the flag -db, and Files the directory of the journal's key.
	Where, Files string
	stop         func()
}

// Each runs a test over SQLite in a temporary file, and over PostgreSQL in an empty database.
// dsn is the method DSN of a pgtest.Server.
func Each(t *testing.T, dsn func(testing.TB) string, test func(t *testing.T, where string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "app.db")) })
	t.Run("PostgreSQL", func(t *testing.T) {
		where := dsn(t)
		if !strings.HasPrefix(where, "postgres:") {
			where = "postgres:" + where
		}
		test(t, where)
	})
}

// Start starts a program over a database. It ends with the test.
func Start(t *testing.T, run Run, where string) *Running {
	t.Helper()
	r := &Running{t: t, Where: where, Files: t.TempDir()}
	r.Restart(run)
	t.Cleanup(func() { r.Stop() })
	return r
}

// Stop ends the program.
func (r *Running) Stop() { r.stop() }

// Restart starts the program over the same database. End it before with Stop.
func (r *Running) Restart(run Run) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	out, log := &terminal{wrote: make(chan struct{})}, &terminal{wrote: make(chan struct{})}
	done := make(chan error, 1)
	args := []string{"-addr", "127.0.0.1:0", "-db", r.Where, "-key", filepath.Join(r.Files, "key")}
	go func() { done <- run(ctx, args, out, log) }()
	var once sync.Once
	r.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				r.t.Errorf("the program: %v", err)
			}
			if r.t.Failed() {
				r.t.Logf("the program's log:\n%s", unusual(log.String()))
			}
		})
	}
	select {
	case <-out.wrote:
	case err := <-done:
		done <- err
		r.t.Fatalf("the program does not start: %v\n%s", err, log)
	case <-time.After(time.Minute):
		r.t.Fatal("the program does not start within a minute")
	}
	r.Printed = out.String()
	for name, into := range map[string]*string{"listening on ": &r.URL, "password: ": &r.Password, "token: ": &r.Token} {
		_, rest, _ := strings.Cut("\n"+r.Printed, "\n"+name)
		*into, _, _ = strings.Cut(rest, "\n")
	}
}

// Exec changes the application's tables, as another program could, or as a process leaves them that was killed.
func (r *Running) Exec(text string) {
	r.t.Helper()
	driver, dsn := "pgx", r.Where
	if file, isFile := strings.CutPrefix(dsn, "sqlite:"); isFile {
		driver, dsn = "sqlite", sqlstore.SQLiteDSN(file)
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // every change was committed
	if _, err := db.ExecContext(r.t.Context(), text); err != nil {
		r.t.Fatal(err)
	}
}

// unusual returns the lines of a log that may be why a test failed.
func unusual(log string) (lines string) {
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "level=INFO") {
			lines += line
		}
	}
	return lines
}

// terminal keeps what is written. wrote ends with the first text.
type terminal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{}
	once  sync.Once
}

func (w *terminal) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	w.once.Do(func() { close(w.wrote) })
	return len(p), nil
}

func (w *terminal) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// transport is that of clients and browsers alone: what the program itself sends takes http.DefaultTransport.
var transport = http.DefaultTransport.(*http.Transport).Clone()

// noRedirects is a client that shows each answer as it is.
func noRedirects() *http.Client {
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: time.Minute}
}

// Curl runs the curl commands that the terminal shows, in order, and returns the status of each answer.
func (r *Running) Curl(t *testing.T) (statuses []string) {
	t.Helper()
	for _, line := range strings.Split(r.Printed, "\n") {
		if !strings.HasPrefix(line, "curl ") {
			continue
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", line+" -o /dev/null -w '%{http_code}'").Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		statuses = append(statuses, string(out))
	}
	return statuses
}
