// Package mariatest starts a MariaDB server for the tests of a package. It uses the binaries
// that the machine has.
package mariatest

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/otheruser"
)

// Server is one MariaDB server. The first DB starts it, and Stop stops it.
type Server struct {
	// Durable makes commits wait for the disk, as by default. Otherwise a crash of the machine
	// may lose data.
	Durable bool

	once      sync.Once
	err       error
	missing   bool // the machine has no MariaDB binaries
	cmd       *exec.Cmd
	alive     io.WriteCloser // a line, closing it, or the end of this process ends the server
	dir       string
	as        *syscall.SysProcAttr
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
		t.Skipf("MariaDB is not installed: %v (apt-get install mariadb-server)", s.err)
	case s.err != nil:
		t.Fatalf("start MariaDB: %v", s.err)
	}
	s.mu.Lock()
	s.databases++
	name := "t" + strconv.Itoa(s.databases)
	s.mu.Unlock()
	admin, err := sql.Open(Driver, s.dsn(""))
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

// In is the data source name of a database of the server.
func (s *Server) In(database string) string { return s.dsn(database) }

func (s *Server) dsn(database string) string {
	return "root@unix(" + s.file("socket") + ")/" + database + "?parseTime=true"
}

func (s *Server) file(name string) string { return filepath.Join(s.dir, name) }

func (s *Server) start() (err error) {
	install, err := exec.LookPath("mariadb-install-db")
	if err == nil {
		_, err = find()
	}
	if err != nil {
		s.missing = true
		return err
	}
	if s.dir, err = os.MkdirTemp("", "mariatest"); err != nil {
		return err
	}
	if s.as, err = otheruser.Attr(s.dir, "mysql", "nobody"); err != nil {
		return err
	}
	init := exec.Command(install, "--no-defaults", "--datadir="+s.file("data"), "--auth-root-authentication-method=normal", "--skip-test-db")
	init.SysProcAttr, init.Dir = s.as, s.dir
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb-install-db: %w\n%s", err, out)
	}
	return s.launch()
}

// find finds the server, which is often not on the PATH of users.
func find() (string, error) {
	path, err := exec.LookPath("mariadbd")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/mariadbd")
	}
	return path, err
}

// launch starts the server on its data, and waits until it answers.
func (s *Server) launch() error {
	server, err := find()
	if err != nil {
		return err
	}
	// By default this collation compares texts without case and accents, and ignores spaces at
	// their end. So SQL that needs the bytes fails unless it says so.
	s.cmd = exec.Command("/bin/sh", "-c", `"$0" "$@" </dev/null & read line; kill -KILL $!; wait`,
		server, "--no-defaults", "--datadir="+s.file("data"), "--socket="+s.file("socket"), "--skip-networking", "--tmpdir="+s.dir, // another server that starts would remove temporary tables in /tmp
		"--max-connections=300", "--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci")
	if !s.Durable {
		s.cmd.Args = append(s.cmd.Args, "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--sync-frm=0", "--innodb-flush-method=nosync")
	}
	s.cmd.SysProcAttr, s.cmd.Dir = s.as, s.dir
	log, err := os.OpenFile(s.file("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
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

// Crash kills the server. Then it starts the server again on the same data, which recovers.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	s.kill()
	if err := s.launch(); err != nil {
		t.Fatalf("start MariaDB again: %v", err)
	}
}

// kill kills the server, and waits for its end.
func (s *Server) kill() {
	s.alive.Close() //nolint:errcheck // Wait tells
	s.cmd.Wait()    //nolint:errcheck // the signal ended it, so Wait returns an error
}

// wait waits until the server answers.
func (s *Server) wait() error {
	db, err := sql.Open(Driver, s.dsn(""))
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
			out, _ := os.ReadFile(s.file("log"))
			return fmt.Errorf("no answer: %w\n%s", err, out)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop ends the server and removes its files.
func (s *Server) Stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		s.kill()
	}
	if s.dir != "" {
		os.RemoveAll(s.dir) //nolint:errcheck // it is a temporary directory
	}
}
