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

// These interfaces tell errors of drivers apart without importing the drivers.
type (
	sqlStater interface{ SQLState() string }  // PostgreSQL: pgx, lib/pq
	coder     interface{ Code() int }         // SQLite: modernc.org/sqlite
	connError interface{ SafeToRetry() bool } // pgx: a connection failed; the result is false if the server may have the statement
)

// These are result codes of SQLite: primary ones, and extended ones of constraints.
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteNoMemory   = 7
	sqliteReadOnly   = 8 // the file, or its directory
	sqliteIO         = 10
	sqliteFull       = 13 // the disk
	sqliteCantOpen   = 14 // the file, or the files beside it, if the disk is full
	sqliteCheck      = 275
	sqliteForeignKey = 787
	sqliteNotNull    = 1299
	sqlitePrimaryKey = 1555
	sqliteTrigger    = 1811
	sqliteUnique     = 2067
	sqliteRowID      = 2579
)

// sqlState returns the SQLSTATE of an error of PostgreSQL, or an empty text.
func sqlState(err error) string {
	var s sqlStater
	if errors.As(err, &s) {
		return s.SQLState()
	}
	return ""
}

// sqliteCode returns the result code of an error of SQLite, or 0.
func sqliteCode(err error) int {
	var c coder
	if errors.As(err, &c) {
		return c.Code()
	}
	return 0
}

// ErrMoved says that the application changed rows that a transaction had just read. The
// transaction can run again.
var ErrMoved = errors.New("sqlstore: the application's rows have changed meanwhile")

// isRetryable reports whether the database gave a transaction up in favour of another one,
// so that it can run again. Causes are serialization failures, deadlocks and busy files.
func isRetryable(err error) bool {
	if errors.Is(err, ErrMoved) {
		return true
	}
	switch sqlState(err) {
	case "40001", "40P01", "0A000": // 0A000: the type of a column has changed since the statement was prepared
		return true
	}
	code := sqliteCode(err) & 0xff
	return code == sqliteBusy || code == sqliteLocked
}

// IsDuplicate reports whether a value that must be unique exists already.
func IsDuplicate(err error) bool {
	code := sqliteCode(err)
	return sqlState(err) == "23505" || code == sqliteUnique || code == sqlitePrimaryKey || code == sqliteRowID
}

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
func IsDangling(err error) bool {
	return sqlState(err) == "23503" || sqliteCode(err) == sqliteForeignKey
}

// IsNull reports whether a column that must not be NULL has no value.
func IsNull(err error) bool { return sqlState(err) == "23502" || sqliteCode(err) == sqliteNotNull }

// IsUnfit reports whether a column cannot take a value: it is too long, also for an index,
// out of range, or rejected by a CHECK or a trigger of the application.
func IsUnfit(err error) bool {
	state, code := sqlState(err), sqliteCode(err)
	return strings.HasPrefix(state, "22") || state == "23514" || state == "54000" || state == "P0001" || code == sqliteCheck || code == sqliteTrigger
}

// isUnable reports whether the database answers, but cannot carry out a statement now. It
// has no resources left, such as space on the disk, or only reads, as after a failover.
func isUnable(err error) bool {
	switch state := sqlState(err); {
	case strings.HasPrefix(state, "53"), strings.HasPrefix(state, "58"), state == "25006":
		return true // no resources, an error of the system such as one of the disk, a read-only transaction
	}
	switch sqliteCode(err) & 0xff {
	case sqliteNoMemory, sqliteReadOnly, sqliteIO, sqliteFull, sqliteCantOpen:
		return true
	}
	return false
}

// isUnreachable reports whether the database cannot be reached, or went away.
//
// It does not ask what became of a statement. If a connection ends before the answer to a
// commit arrives, the transaction may be committed or not. Retry must not run it again,
// because a second run could change a resource twice. The client repeats the request
// instead.
func isUnreachable(err error) bool {
	state := sqlState(err)
	var n net.Error
	var c connError
	switch {
	case strings.HasPrefix(state, "08"), strings.HasPrefix(state, "57"), state == "55P03", state == "25P03", state == "25P04":
		return true // a connection exception, a shutdown or statement timeout, a lock timeout, a timeout of a transaction
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &n):
		return true
	case errors.As(err, &c):
		// pgx says that a connection is closed with an error of its own, which wraps nothing
		// that other packages know. The result of SafeToRetry does not matter: only errors of
		// connections have the method. An error with an SQLSTATE is an answer of the server.
		return state == ""
	}
	return false
}

// Failure returns the error that a caller gets. If another attempt can help, it is an
// *scim.Error, 503 with RetryAfter.
func (b *DB) Failure(ctx context.Context, err error) error {
	var e *scim.Error
	switch {
	case err == nil, errors.As(err, &e), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case ctx.Err() != nil:
		// If ctx ends just before a commit, database/sql reports that the transaction
		// "has already been committed or rolled back".
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case isUnable(err):
		return &scim.Error{Status: http.StatusServiceUnavailable, Detail: "the server cannot do this now: try again", RetryAfter: 30 * time.Second, Err: err}
	case !isRetryable(err) && !isUnreachable(err):
		return err
	}
	return &scim.Error{Status: http.StatusServiceUnavailable, Detail: "the server is busy: try again", RetryAfter: time.Second, Err: err}
}
