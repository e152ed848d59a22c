package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// A database that is away is no fault of the server: clients are told to come again.
func TestLostDatabase(t *testing.T) {
	db, err := sql.Open("pgx", "postgres://127.0.0.1:1/none") // it is not asked
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	s, err := sqlstore.New(db, sqlstore.Postgres, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	state := func(code string) error { return &pgconn.PgError{Code: code} }
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
		{"nobody listens", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, true},
		{"written to a connection that is gone", &net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}, true},
		{"read from a connection that is gone", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, true},
		{"cut off within a message", io.ErrUnexpectedEOF, true},
		{"the pool's word for a broken connection", driver.ErrBadConn, true},
		{"a connection that the driver has found closed", closed(t), true},
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
