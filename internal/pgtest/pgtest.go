// Package pgtest starts PostgreSQL servers for the tests of a package, PgBouncer in front of
// them, and pairs of a primary and a standby. It uses the binaries that the machine has.
//
// With SCIM_PGBOUNCER set, the tests use PgBouncer in transaction mode wherever they ask for a
// database. Its value is a setting of the driver, such as
// default_query_exec_mode=simple_protocol, or 1 for the constant Pooled:
//
//	SCIM_PGBOUNCER=1 go test -run '^TestRoles$/PostgreSQL' ./internal/scenarios
package pgtest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Server is one PostgreSQL server. The first DB starts it, and Stop stops it.
type Server struct {
	// Durable leaves fsync, synchronous_commit and full_page_writes on, as in PostgreSQL's
	// defaults. Otherwise they are off, and a crash may lose data.
	Durable bool

	once      sync.Once
	err       error
	missing   bool // missing says that the machine has no PostgreSQL binaries.
	bin       string
	place     place
	daemon    *daemon
	port      int
	mu        sync.Mutex
	databases int
	bouncer   bouncer
	bench     struct {
		sync.Once
		name string
	}
}

// DSN makes a new empty database and returns its data source name for the driver
// Driver.
// Without binaries it skips the test, or fails it if CI is set.
func (s *Server) DSN(t testing.TB) string {
	t.Helper()
	if settings := pooled(); settings != "" {
		return s.PooledDSN(t, settings)
	}
	return s.dsn(s.create(t))
}

// create makes a new empty database and returns its name.
func (s *Server) create(t testing.TB) (name string) {
	t.Helper()
	s.once.Do(func() { s.err = s.start() })
	skip(t, "PostgreSQL", "postgresql", s.missing, s.err)
	s.mu.Lock()
	s.databases++
	name = "t" + strconv.Itoa(s.databases)
	s.mu.Unlock()
	s.exec(t, "CREATE DATABASE "+name)
	return name
}

// skip ends a test if a program did not start. It skips it if the program is not installed, unless
// CI is set.
func skip(t testing.TB, program, packet string, isMissing bool, err error) {
	t.Helper()
	switch {
	case isMissing && os.Getenv("CI") == "":
		t.Skipf("%s is not installed: %v (apt-get install %s)", program, err, packet)
	case err != nil:
		t.Fatalf("start %s: %v", program, err)
	}
}

// exec runs a statement of the superuser.
func (s *Server) exec(t testing.TB, text string) {
	t.Helper()
	admin, err := sql.Open(Driver, s.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close() //nolint:errcheck // it is not used any more
	if _, err := admin.Exec(text); err != nil {
		t.Fatal(err)
	}
}

// DB is a new empty database. The end of the test closes it.
func (s *Server) DB(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(Driver, s.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(20)
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	return db
}

// Benchmark runs pgbench, which comes with the server, on a database of its own and returns the
// transactions a second of one client. Its simple update (-N) is a transaction with one change, one
// read and one insert.
func (s *Server) Benchmark(t testing.TB, of time.Duration) float64 {
	t.Helper()
	s.bench.Do(func() {
		name := s.create(t)
		s.bench.name = name
		s.pgbench(t, "-i", "-q", "-s", "10", name)
	})
	out := s.pgbench(t, "-n", "-N", "-c", "1", "-T", strconv.Itoa(int(of.Seconds())), s.bench.name)
	found := tps.FindSubmatch(out)
	if found == nil {
		t.Fatalf("pgbench: %s", out)
	}
	n, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// tps finds what pgbench has measured.
var tps = regexp.MustCompile(`(?m)^tps = ([0-9.]+)`)

func (s *Server) pgbench(t testing.TB, args ...string) []byte {
	t.Helper()
	out, err := s.place.run(filepath.Join(s.bin, "pgbench"), append([]string{"-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", "postgres"}, args...)...)
	if err != nil {
		t.Fatalf("pgbench: %v: %s", err, out)
	}
	return out
}

func (s *Server) dsn(database string) string { return dsn(s.port, database) }

func dsn(port int, database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", port, database)
}

func (s *Server) start() (err error) {
	if s.bin, err = find(); err != nil {
		s.missing = true
		return err
	}
	if s.place, err = newPlace(); err != nil {
		return err
	}
	// This collation does not order by bytes. So SQL that needs the order of bytes fails
	// unless it says so.
	out, err := s.place.run(filepath.Join(s.bin, "initdb"), "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync")
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	return s.launch()
}

func (s *Server) data() string { return filepath.Join(s.place.dir, "data") }

// launch starts the server on its data and port, and waits until it answers.
func (s *Server) launch() (err error) {
	args := []string{"-D", s.data(), "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-k", s.place.dir, "-c", "max_connections=300"}
	if !s.Durable {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	if s.daemon, err = s.place.start("INT", filepath.Join(s.bin, "postgres"), args...); err != nil {
		return err
	}
	return s.place.wait(s.dsn("postgres"))
}

// Crash ends the server immediately and without a checkpoint, as "pg_ctl stop -m immediate"
// does. Then it starts the server again on the same data and port, which recovers.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	s.daemon.end("QUIT")
	if err := s.launch(); err != nil {
		t.Fatalf("start PostgreSQL again: %v", err)
	}
}

// wait waits until a server answers.
func (p place) wait(dsn string) error {
	db, err := sql.Open(Driver, dsn)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // it is not used any more
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			out, _ := os.ReadFile(p.log())
			return fmt.Errorf("no answer: %w\n%s", err, out)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Log returns what the server has logged so far.
func (s *Server) Log(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(s.place.log())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Stop ends the server and removes its files.
func (s *Server) Stop() {
	s.bouncer.stop()
	s.daemon.end("")
	s.place.remove()
}

// Main runs the tests of a package and then stops the server, for TestMain.
func (s *Server) Main(m *testing.M) {
	code := m.Run()
	s.Stop()
	os.Exit(code)
}
