// Package pgtest starts a PostgreSQL server for the tests of a package. It uses the
// binaries that the machine has.
package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
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
	missing   bool // the machine has no PostgreSQL binaries
	cmd       *exec.Cmd
	alive     io.WriteCloser // takes a signal's name; closing it, or the end of this process, ends the server
	bin, dir  string
	as        *syscall.SysProcAttr
	port      int
	mu        sync.Mutex
	databases int
}

// DSN makes a new empty database and returns its data source name for the driver
// Driver.
// Without binaries it skips the test, or fails it if CI is set.
func (s *Server) DSN(t testing.TB) string {
	t.Helper()
	s.once.Do(func() { s.err = s.start() })
	switch {
	case s.missing && os.Getenv("CI") == "":
		t.Skipf("PostgreSQL is not installed: %v (apt-get install postgresql)", s.err)
	case s.err != nil:
		t.Fatalf("start PostgreSQL: %v", s.err)
	}
	s.mu.Lock()
	s.databases++
	name := "t" + strconv.Itoa(s.databases)
	s.mu.Unlock()
	admin, err := sql.Open(Driver, s.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close() //nolint:errcheck // it is not used any more
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return s.dsn(name)
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

func (s *Server) dsn(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

func (s *Server) start() (err error) {
	if s.bin, err = find(); err != nil {
		s.missing = true
		return err
	}
	if s.dir, err = os.MkdirTemp("", "pgtest"); err != nil {
		return err
	}
	if s.as, err = asOtherUser(s.dir); err != nil {
		return err
	}
	// This collation does not order by bytes. So SQL that needs the order of bytes fails
	// unless it says so.
	init := exec.Command(filepath.Join(s.bin, "initdb"), "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync")
	init.SysProcAttr, init.Dir = s.as, s.dir
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	return s.launch()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// launch starts the server on its data and port, and waits until it answers.
func (s *Server) launch() error {
	s.cmd = exec.Command("/bin/sh", "-c", `"$0" "$@" </dev/null & read signal; kill -"${signal:-INT}" $!; wait`,
		filepath.Join(s.bin, "postgres"), "-D", s.data(), "-h", "127.0.0.1", "-p", strconv.Itoa(s.port),
		"-k", s.dir, "-c", "max_connections=300")
	if !s.Durable {
		s.cmd.Args = append(s.cmd.Args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	s.cmd.SysProcAttr, s.cmd.Dir = s.as, s.dir
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // the server has its own handle
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if s.alive, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	return s.wait()
}

// Crash ends the server immediately and without a checkpoint, as "pg_ctl stop -m immediate"
// does. Then it starts the server again on the same data and port, which recovers.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	if _, err := io.WriteString(s.alive, "QUIT\n"); err != nil {
		t.Fatal(err)
	}
	s.cmd.Wait() //nolint:errcheck // the signal ended it, so Wait returns an error
	if err := s.launch(); err != nil {
		t.Fatalf("start PostgreSQL again: %v", err)
	}
}

// wait waits until the server answers.
func (s *Server) wait() error {
	db, err := sql.Open(Driver, s.dsn("postgres"))
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
			out, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("no answer: %w\n%s", err, out)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Log returns what the server has logged so far.
func (s *Server) Log(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Stop ends the server and removes its files.
func (s *Server) Stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		s.alive.Close() //nolint:errcheck // Wait tells
		s.cmd.Wait()    //nolint:errcheck // the tests have their result
	}
	if s.dir != "" {
		os.RemoveAll(s.dir) //nolint:errcheck // it is a temporary directory
	}
}

// Main runs the tests of a package and then stops the server, for TestMain.
func (s *Server) Main(m *testing.M) {
	code := m.Run()
	s.Stop()
	os.Exit(code)
}

// find finds the directory of the newest binaries.
func find() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	path, err := exec.LookPath("postgres")
	if err == nil {
		_, err = exec.LookPath("initdb")
	}
	return filepath.Dir(path), err
}

// asOtherUser makes the server run as another user if this process is root, because
// PostgreSQL refuses to run as root. It gives dir to that user.
func asOtherUser(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			return nil, err
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, errors.New("running as root, and there is no user postgres or nobody to run the server")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close() //nolint:errcheck // the port is free again
	return l.Addr().(*net.TCPAddr).Port, nil
}
