package pgtest

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Pair is a primary and a standby that follows it. The primary acknowledges a commit when the
// standby has it on its disk, too (synchronous replication).
type Pair struct {
	primary, standby *Server
}

// FailsOver is what makes a driver find the primary of several hosts.
const FailsOver = "target_session_attrs=primary&connect_timeout=3"

// NewPair starts a pair. The end of the test stops it. Without binaries it skips the test, or fails it
// if CI is set.
func NewPair(t testing.TB) *Pair {
	t.Helper()
	p := &Pair{primary: &Server{Durable: true}, standby: &Server{Durable: true}}
	t.Cleanup(func() {
		p.standby.Stop() // first, because a primary waits for it
		p.primary.Stop()
	})
	p.primary.once.Do(func() { p.primary.err = p.primary.start() })
	skip(t, "PostgreSQL", "postgresql", p.primary.missing, p.primary.err)
	var err error
	p.standby.bin = p.primary.bin
	if p.standby.place, err = newPlace(); err != nil {
		t.Fatal(err)
	}
	if p.standby.port, err = freePort(); err != nil {
		t.Fatal(err)
	}
	p.Follow(t)
	return p
}

// DSN makes a new empty database and returns its data source name, which has both servers.
func (p *Pair) DSN(t testing.TB) string {
	t.Helper()
	name := p.primary.create(t)
	a, b := p.primary.port, p.standby.port
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/%s?sslmode=disable&%s", a, b, name, FailsOver)
}

// Follow makes a new standby from a backup of the primary, in the place of the one that there was, and
// makes the primary wait for it from now on.
func (p *Pair) Follow(t testing.TB) {
	t.Helper()
	s := p.standby
	if err := os.RemoveAll(s.data()); err != nil {
		t.Fatal(err)
	}
	from := fmt.Sprintf("host=127.0.0.1 port=%d user=postgres", p.primary.port)
	if out, err := s.place.run(filepath.Join(s.bin, "pg_basebackup"), "-D", s.data(), "-d", from, "-R", "-X", "stream", "-c", "fast", "--no-sync"); err != nil {
		t.Fatalf("pg_basebackup: %v\n%s", err, out)
	}
	if err := s.launch(); err != nil {
		t.Fatalf("start the standby: %v", err)
	}
	p.primary.exec(t, "ALTER SYSTEM SET synchronous_standby_names = '*'")
	p.primary.exec(t, "SELECT pg_reload_conf()")
	p.primary.await(t, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND current_setting('synchronous_standby_names') = '*'", "1")
}

// Kill kills all processes of the primary at once, as a machine does that stops. Its connections are
// closed, and nobody answers on its port. Before, the standby gets nothing for a moment: what is committed
// then is lost.
func (p *Pair) Kill(t testing.TB) {
	t.Helper()
	signal(t, p.primary.texts(t, "SELECT pid FROM pg_stat_replication"), syscall.SIGSTOP)
	time.Sleep(200 * time.Millisecond)
	signal(t, p.primary.processes(t), syscall.SIGKILL)
	p.primary.daemon.end("KILL")
}

// Freeze stops all processes of the primary at once, as a network does that is cut. Its connections
// stay, and nothing answers. fence kills them; so does the end of the test.
func (p *Pair) Freeze(t testing.TB) (fence func()) {
	t.Helper()
	frozen := p.primary
	pids := frozen.processes(t)
	fence = sync.OnceFunc(func() {
		signal(t, pids, syscall.SIGKILL)
		frozen.daemon.end("KILL")
	})
	t.Cleanup(fence)
	signal(t, pids, syscall.SIGSTOP)
	return fence
}

// processes lists the processes of a server. The first one is the parent of the others.
func (s *Server) processes(t testing.TB) []string {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(file), "\n")
	return append([]string{line}, s.texts(t, "SELECT pid FROM pg_stat_activity")...)
}

// signal sends a signal to processes.
func signal(t testing.TB, pids []string, signal syscall.Signal) {
	t.Helper()
	for i, pid := range pids {
		n, err := strconv.Atoi(pid)
		if err == nil {
			err = syscall.Kill(n, signal)
		}
		if err != nil && i == 0 { // others may have ended
			t.Errorf("process %s: %v", pid, err)
		}
	}
}

// Promote makes the standby the primary. The server that was it before is the next standby: see
// Follow.
func (p *Pair) Promote(t testing.TB) {
	t.Helper()
	p.standby.exec(t, "SELECT pg_promote()")
	p.primary, p.standby = p.standby, p.primary
}

// await waits until a query returns a text.
func (s *Server) await(t testing.TB, query, want string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		got := s.texts(t, query)
		if len(got) == 1 && got[0] == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %q, want %s\n%s", query, got, want, s.Log(t))
		}
	}
}

// texts returns the first column of a query of the superuser.
func (s *Server) texts(t testing.TB, query string) (all []string) {
	t.Helper()
	admin, err := sql.Open(Driver, s.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close() //nolint:errcheck // it is not used any more
	rows, err := admin.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // Err tells
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
