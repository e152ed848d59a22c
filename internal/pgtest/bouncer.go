package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// bouncer is PgBouncer in front of a server.
type bouncer struct {
	once    sync.Once
	err     error
	missing bool // missing says that the machine has no PgBouncer.
	place   place
	daemon  *daemon
	port    int
}

// pooled returns the driver's settings if the environment asks for PgBouncer.
func pooled() string {
	if value := os.Getenv("SCIM_PGBOUNCER"); value != "1" {
		return value
	}
	return Pooled
}

// IsPooled reports whether DSN returns the address of PgBouncer.
func IsPooled() bool { return pooled() != "" }

// PooledDSN is DSN behind PgBouncer in transaction mode. settings are added to the data source
// name: Pooled is what works.
//
// There are few connections to the server, so the sessions of a pool share them.
func (s *Server) PooledDSN(t testing.TB, settings string) string {
	t.Helper()
	name := s.create(t)
	s.bouncer.once.Do(func() { s.bouncer.err = s.bouncer.start(s.port) })
	skip(t, "PgBouncer", "pgbouncer", s.bouncer.missing, s.bouncer.err)
	return dsn(s.bouncer.port, name) + "&" + settings
}

// The defaults of PgBouncer, but for the mode of the pool. It runs in the foreground, and gives up
// connections soon that it does not use, because each database has its own.
const bouncerConfig = `[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = 8
max_client_conn = 1000
server_idle_timeout = 5
log_connections = 0
log_disconnections = 0
`

func (b *bouncer) start(server int) error {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/pgbouncer") // it is not in everybody's PATH
	}
	if err != nil {
		b.missing = true
		return err
	}
	if b.place, err = newPlace(); err != nil {
		return err
	}
	if b.port, err = freePort(); err != nil {
		return err
	}
	users, config := filepath.Join(b.place.dir, "users"), filepath.Join(b.place.dir, "pgbouncer.ini")
	for file, text := range map[string]string{users: `"postgres" ""`, config: fmt.Sprintf(bouncerConfig, server, b.port, users)} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil { // another user reads it
			return err
		}
	}
	if b.daemon, err = b.place.start("TERM", program, config); err != nil {
		return err
	}
	return b.place.wait(dsn(b.port, "postgres") + "&" + Pooled)
}

func (b *bouncer) stop() {
	b.daemon.end("")
	b.place.remove()
}
