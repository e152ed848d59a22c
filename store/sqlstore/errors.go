package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// What drivers tell of an error, without importing one.
type (
	sqlStater interface{ SQLState() string } // PostgreSQL: pgx, lib/pq
	coder     interface{ Code() int }        // SQLite: modernc.org/sqlite
)

// Primary result codes of SQLite.
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteConstraint = 19
)

func sqlState(err error) string {
	var s sqlStater
	if errors.As(err, &s) {
		return s.SQLState()
	}
	return ""
}

func sqliteCode(err error) int {
	var c coder
	if errors.As(err, &c) {
		return c.Code() & 0xff
	}
	return 0
}

// yielded reports whether the database gave a transaction up for another one, so
// that it can be run again: a serialization failure, a deadlock, a busy file.
func yielded(err error) bool {
	switch sqlState(err) {
	case "40001", "40P01":
		return true
	}
	code := sqliteCode(err)
	return code == sqliteBusy || code == sqliteLocked
}

// duplicate reports whether a value is there that must be unique.
func duplicate(err error) bool {
	return sqlState(err) == "23505" || sqliteCode(err) == sqliteConstraint
}

// lost reports whether the database could not be reached, or went away.
func lost(err error) bool {
	state := sqlState(err)
	var n net.Error
	switch {
	case strings.HasPrefix(state, "08"), strings.HasPrefix(state, "57P"), strings.HasPrefix(state, "53"):
		return true // connection exceptions, shutdown, no resources
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &n):
		return true
	}
	return false
}

// failure is the error that a client may try again after, where that can help.
func (b *base) failure(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var e *scim.Error
	if errors.As(err, &e) || !yielded(err) && !lost(err) {
		return err
	}
	return &scim.Error{Status: http.StatusServiceUnavailable, Detail: "the server is busy: try again", RetryAfter: time.Second, Err: err}
}
