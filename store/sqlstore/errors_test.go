package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/store/sqlstore"
)

// A database that is away is no fault of the server: clients are told to come again.
func TestLostDatabase(t *testing.T) {
	db, err := sql.Open(pgtest.Driver, "postgres://127.0.0.1:1/none") // it is not asked
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	s, err := sqlstore.New(db, sqlstore.Postgres, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	state := func(code string) error { return &pgconn.PgError{Code: code} }
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	number := func(n uint16) error { return &mysql.MySQLError{Number: n} }
	for _, row := range []struct {
		name string
		err  error
		want bool
	}{
		{"terminated by an administrator, or a fast shutdown", state("57P01"), true},
		{"an immediate shutdown", state("57P02"), true},
		{"starting up", state("57P03"), true},
		{"no more connections", state("53300"), true},
		{"a connection failure", state("08006"), true},
		{"a disk full", state("53100"), true},
		{"an error of the disk", state("58030"), true},
		{"a standby, after a failover", state("25006"), true},
		{"a protocol violation, which PgBouncer says if its server is away", state("08P01"), true},
		{"a connection that was refused by the server", state("08004"), true},
		{"a database that is being dropped", state("57P04"), true},
		{"a lock timeout", state("55P03"), true},
		{"cut off before an answer", io.EOF, true},
		{"a statement that a pooler has lost", state("26000"), true},
		{"a statement that a pooler has already", state("42P05"), true},
		{"pgx: only a standby, read-write wanted", errors.Join(refused, fmt.Errorf("ValidateConnect failed: %w", pgconn.ErrReadOnlyConnection)), true},
		{"pgx: only a standby, primary wanted", fmt.Errorf("ValidateConnect failed: %w", pgconn.ErrStandbyConnection), true},
		{"lib/pq: only a standby, read-write wanted", fmt.Errorf("connecting to a:5432: %w", errors.New("session is read-only")), true},
		{"lib/pq: only a standby, primary wanted", errors.New("server is in hot standby mode"), true},
		{"one host is gone, and the other one starts", errors.Join(refused, state("57P03")), true},
		{"one host starts, and the other one is gone", errors.Join(state("57P03"), refused), true},
		{"a wrong password", state("28P01"), false},
		{"no such database", state("3D000"), false},
		{"a statement timeout", state("57014"), true},
		{"a transaction that was idle for too long", state("25P03"), true},
		{"nobody listens", refused, true},
		{"written to a connection that is gone", &net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}, true},
		{"read from a connection that is gone", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, true},
		{"cut off within a message", io.ErrUnexpectedEOF, true},
		{"the pool's word for a broken connection", driver.ErrBadConn, true},
		{"a connection that the driver has found closed", closed(t), true},
		{"a connection that was closed on this side", net.ErrClosed, true},
		{"a connection that ended after a statement was sent", connError{errors.New("conn closed")}, true},
		{"an answer of the server in an error of a connection", connError{state("42601")}, false},
		{"a RoleResolver that could not reach it", &scim.Error{Status: http.StatusInternalServerError, Err: io.ErrUnexpectedEOF}, true},
		{"MariaDB: a lock timeout", number(1205), true},
		{"MariaDB: a deadlock", number(1213), true},
		{"MariaDB: a shutdown", number(1053), true},
		{"MariaDB: killed by an administrator", number(1927), true},
		{"MariaDB: a statement timeout", number(1969), true},
		{"MariaDB: no more connections", number(1040), true},
		{"MariaDB: a replica", number(1290), true},
		{"MariaDB: a connection that has ended", mysql.ErrInvalidConn, true},
		{"MariaDB: a syntax error", number(1064), false},
		{"MariaDB: a violated constraint", number(4025), false},
		{"a syntax error", state("42601"), false},
		{"a violated constraint", state("23514"), false},
		{"a transaction that has failed before", state("25P02"), false},
		{"any other", errors.New("other"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := sqlstore.Failure(s, fmt.Errorf("sqlstore: commit: %w", row.err))
			var e *scim.Error
			switch again := errors.As(err, &e); {
			case again != row.want:
				t.Errorf("%v: to be tried again %t, want %t", row.err, again, row.want)
			case again && (e.Status != http.StatusServiceUnavailable || e.RetryAfter <= 0):
				t.Errorf("%v: status %d, retry after %v", row.err, e.Status, e.RetryAfter)
			}
		})
	}
}

// If no server is what target_session_attrs asks for, one will be soon: a standby is being
// promoted. Here a standby is asked for, and the server is none.
func TestNoServerFits(t *testing.T) {
	dsn := postgres.DSN(t)
	for _, attrs := range []string{"standby", "read-only"} {
		s, err := sqlstore.New(openDB(t, pgtest.Driver, dsn+"&target_session_attrs="+attrs), sqlstore.Postgres, sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Get(t.Context(), scim.Ref{Type: "User", ID: "1"})
		_, err2 := s.Create(t.Context(), user(t, "ann", nil))
		for _, err := range []error{err, err2} {
			var e *scim.Error
			if !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable || e.RetryAfter <= 0 {
				t.Errorf("%s: error %v, want 503 with Retry-After", attrs, err)
			}
		}
	}
}

// connError is how pgx reports a connection that failed after it sent a statement.
type connError struct{ error }

func (connError) SafeToRetry() bool { return false }
func (e connError) Unwrap() error   { return e.error }

// closed is what pgx says of a connection that has ended.
func closed(t *testing.T) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), postgres.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = conn.Begin(context.Background())
	if err == nil {
		t.Fatal("a closed connection began a transaction")
	}
	return err
}

// A request whose time is up just before its commit is told so, as at any other moment.
func TestTimeUpAtCommit(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := s.InTx(ctx, func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(100 * time.Millisecond) // for the pool to roll back
			return nil
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

// cutter opens connections to PostgreSQL. While it is armed, the next connection that
// sends a commit ends before the answer is read.
type cutter struct{ isArmed atomic.Bool }

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	return &cutConn{Conn: conn, cutter: c}, err
}

type cutConn struct {
	net.Conn
	cutter *cutter
	isCut  atomic.Bool
}

func (c *cutConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if bytes.Contains(b, []byte("commit\x00")) && c.cutter.isArmed.CompareAndSwap(true, false) {
		c.isCut.Store(true)
	}
	return n, err
}

// Read waits for the answer to a commit, so that the transaction is committed, and drops it.
func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.isCut.Load() {
		return 0, io.EOF
	}
	return n, err
}

// TestLostCommit loses the answer to a commit. The store does not run the transaction
// again, and the client is told to repeat the request.
func TestLostCommit(t *testing.T) {
	config, err := pgx.ParseConfig(postgres.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	var c cutter
	config.DialFunc = c.dial
	db := stdlib.OpenDB(*config)
	defer db.Close() //nolint:errcheck // the test is over
	s := newStore(t, db, sqlstore.Postgres, sqlstore.Options{})

	c.isArmed.Store(true)
	runs := 0
	err = s.InTx(t.Context(), func(ctx context.Context) error {
		runs++
		_, err := s.Create(ctx, user(t, "ada", nil))
		return err
	})
	var e *scim.Error
	if !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable || e.RetryAfter <= 0 {
		t.Errorf("error %v, want 503 with RetryAfter", err)
	}
	if c.isArmed.Load() || runs != 1 {
		t.Errorf("%d runs of the transaction, want 1; a commit was sent: %t", runs, !c.isArmed.Load())
	}
	if _, err := s.Create(t.Context(), user(t, "ada", nil)); !conflict(err) {
		t.Errorf("repeated: error %v, want a conflict", err)
	}
	if got := names(t, s); len(got) != 1 {
		t.Errorf("users %v, want ada", got)
	}
}
