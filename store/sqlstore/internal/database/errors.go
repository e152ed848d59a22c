package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// ErrMoved says that the application changed rows that a transaction had just read. The
// transaction can run again.
var ErrMoved = errors.New("sqlstore: the application's rows have changed meanwhile")

// kind is what the database says of a statement that fails.
type kind uint8

const (
	other       kind = iota
	duplicate        // A value that must be unique exists already.
	dangling         // A row refers to a row that does not exist.
	null             // A column that must not be NULL has no value.
	unfit            // A column cannot take a value.
	givenUp          // The transaction was given up in favour of another one.
	unable           // The database cannot do this now.
	unreachable      // The database cannot be reached, or went away.
)

// kindOf returns what err says. Each database has a function for its codes.
func kindOf(err error) kind {
	if err == nil {
		return other
	}
	if errors.Is(err, ErrMoved) {
		return givenUp
	}
	k := kindOfState(sqlState(err))
	if k == other {
		k = kindOfSQLite(sqliteCode(err))
	}
	if k == other {
		k = kindOfMariaDB(mariaErrorIn(err).number)
	}
	if k == other && isCutOff(err) {
		return unreachable
	}
	return k
}

// isRetryable reports whether the database gave a transaction up in favour of another one,
// so that it can run again. Causes are serialization failures, deadlocks and busy files.
func isRetryable(err error) bool { return kindOf(err) == givenUp }

// IsDuplicate reports whether a value that must be unique exists already.
func IsDuplicate(err error) bool { return kindOf(err) == duplicate }

// violation matches SQLite's message about a unique index: its name if it has expressions,
// otherwise its columns.
var violation = regexp.MustCompile(`UNIQUE constraint failed: (?:index '(.*)'|([^()]*))`)

// Violated returns the constraint that a duplicate violates, by its name or by its columns,
// each with its table. Both are empty if the driver does not tell.
func Violated(err error) (constraint string, columns []string) {
	var s sqlStater
	if errors.As(err, &s) {
		// Drivers have the name in a field: pgx in ConstraintName, lib/pq in Constraint.
		v := reflect.Indirect(reflect.ValueOf(s))
		for _, field := range []string{"ConstraintName", "Constraint"} {
			if v.Kind() != reflect.Struct {
				break
			}
			if f := v.FieldByName(field); f.Kind() == reflect.String {
				return f.String(), nil
			}
		}
		return "", nil
	}
	if m := duplicateKey.FindStringSubmatch(mariaErrorIn(err).message); m != nil {
		return m[1], nil
	}
	switch m := violation.FindStringSubmatch(err.Error()); {
	case m == nil:
		return "", nil
	case m[1] != "":
		return m[1], nil
	default:
		return "", strings.Split(strings.TrimSpace(m[2]), ", ")
	}
}

// IsDangling reports whether a row refers to a row that does not exist.
func IsDangling(err error) bool { return kindOf(err) == dangling }

// IsNull reports whether a column that must not be NULL has no value.
func IsNull(err error) bool { return kindOf(err) == null }

// IsUnfit reports whether a column cannot take a value: it is too long, also for an index,
// out of range, of another type, or rejected by a CHECK or a trigger of the application.
func IsUnfit(err error) bool { return kindOf(err) == unfit }

// isCutOff reports whether err is that of a connection, not an answer of the server.
//
// It does not ask what became of a statement. If a connection ends before the answer to a
// commit arrives, the transaction may be committed or not. Retry must not run it again,
// because a second run could change a resource twice. The client repeats the request
// instead.
func isCutOff(err error) bool {
	var n net.Error
	var c connError
	switch {
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &n), isInvalid(err), walk(err, isWrongServer):
		return true
	case errors.As(err, &c):
		// pgx says that a connection is closed with an error of its own, which wraps nothing
		// that other packages know. The result of SafeToRetry does not matter: only errors of
		// connections have the method. An error with an SQLSTATE is an answer of the server.
		return sqlState(err) == ""
	}
	return false
}

// isWrongServer reports whether err says that a server is not what target_session_attrs in the data
// source name asks for. So it is as long as no standby has been promoted. The errors of the
// drivers have no type and no code.
func isWrongServer(err error) bool {
	switch err.Error() {
	case "read only connection", "connection is not read only", "server is in standby mode", // pgx
		"session is read-only", "session is not read-only", "server is in hot standby mode", // lib/pq
		"server is not in hot standby mode": // both
		return true
	}
	return false
}

// Failure returns the error that a caller gets. If another attempt can help, it is an
// *scim.Error, 503 with RetryAfter. So it is if a RoleResolver could not do something because
// of its own statement in the transaction, which is 500 by then.
func (b *DB) Failure(ctx context.Context, err error) error {
	var e *scim.Error
	switch {
	case err == nil, errors.As(err, &e) && e.Status != http.StatusInternalServerError, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case ctx.Err() != nil:
		// If ctx ends just before a commit, database/sql reports that the transaction
		// "has already been committed or rolled back".
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case kindOf(err) == unable:
		return &scim.Error{Status: http.StatusServiceUnavailable, Detail: "the server cannot do this now: try again", RetryAfter: 30 * time.Second, Err: withPooler(err)}
	case kindOf(err) != givenUp && kindOf(err) != unreachable:
		return err
	}
	return &scim.Error{Status: http.StatusServiceUnavailable, Detail: "the server is busy: try again", RetryAfter: time.Second, Err: err}
}
