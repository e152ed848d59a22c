package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// errPooler says what to set behind a pooler such as PgBouncer in transaction mode.
var errPooler = errors.New("sqlstore: the connections share sessions of PostgreSQL, as behind PgBouncer in transaction mode, and the driver parses a statement in one round trip and executes it in a later one, perhaps in another session: add default_query_exec_mode=exec (pgx) or binary_parameters=yes (lib/pq) to the data source name")

// isLost reports whether a session does not have the statement that the driver has prepared, or
// has one that another connection has prepared. Only a pooler brings that about.
func isLost(err error) bool {
	state := sqlState(err)
	return state == "26000" || state == "42P05"
}

// withPooler returns err with what to set, if a pooler is its cause.
func withPooler(err error) error {
	if isLost(err) {
		return fmt.Errorf("%w: %w", errPooler, err)
	}
	return err
}

// session is what a connection says of the session that serves it.
type session struct {
	pid     int  // pid is the process of the session.
	isWhole bool // isWhole says that the statement was parsed and executed in one transaction, so in one round trip.
	isKept  bool // isKept says that the session keeps the statement.
}

// sessionQuery is the question for a session. PostgreSQL evaluates the constant 'now' when it
// parses the statement, and now() is when the transaction began.
const sessionQuery = `SELECT pg_backend_pid(), timestamptz 'now' = now(), EXISTS (SELECT 1 FROM pg_prepared_statements WHERE statement LIKE '%%%[1]d%%')
	FROM (SELECT CAST($1 AS integer)) AS argument`

// checkPooler looks whether connections share sessions, if the driver needs sessions of its own. It
// provokes no error where there is no pooler. A pooler may keep prepared statements, as PgBouncer can
// from version 1.21 on: then the driver may use them.
//
// It knows nothing if the pool has one connection, or the others are in use. Then requests
// fail later, and the log says the same.
func checkPooler(ctx context.Context, b *DB) error {
	query := fmt.Sprintf(sessionQuery, rand.Uint64())
	one, err := b.Pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer one.Close() //nolint:errcheck // it goes back to the pool
	s, err := ask(ctx, one, query)
	if err != nil || s.isWhole || b.Pool.Stats().MaxOpenConnections == 1 {
		return understood(err)
	}
	short, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err = compare(short, b, one, s, query); short.Err() != nil {
		return ctx.Err() // the others are in use
	}
	return err
}

// compare compares the session of a connection with that of another one.
func compare(ctx context.Context, b *DB, one *sql.Conn, first session, query string) error {
	other, err := b.Pool.Conn(ctx)
	if err != nil { // Nobody knows then. Migrate needs one connection only.
		b.Log.DebugContext(ctx, "sqlstore: no second connection to look for a pooler with", "error", err)
		return nil
	}
	defer other.Close() //nolint:errcheck // it goes back to the pool
	for range 4 {       // Other programs may use the session meanwhile.
		next, err := ask(ctx, other, query)
		if err != nil {
			return understood(err)
		}
		again, err := ask(ctx, one, query)
		if err != nil {
			return understood(err)
		}
		if isShared := again.pid != first.pid || next.pid == first.pid; isShared && !first.isKept {
			return errPooler
		}
	}
	return nil
}

// ask asks a connection for its session.
func ask(ctx context.Context, conn *sql.Conn, query string) (s session, err error) {
	err = conn.QueryRowContext(ctx, query, 1).Scan(&s.pid, &s.isWhole, &s.isKept)
	return s, err
}

// understood returns the error of a session, or nil if it is that of a relative of PostgreSQL that does
// not understand the question.
func understood(err error) error {
	if isLost(err) || kindOf(err) != other || sqlState(err) == "" {
		return withPooler(err)
	}
	return nil
}
