package database

import (
	"errors"
	"reflect"
)

// These interfaces tell errors of drivers apart without importing the drivers.
type (
	sqlStater interface{ SQLState() string }  // PostgreSQL: pgx, lib/pq
	coder     interface{ Code() int }         // SQLite: modernc.org/sqlite
	connError interface{ SafeToRetry() bool } // pgx: a connection failed; the result is false if the server may have the statement
)

// sqlState returns the SQLSTATE of an error of PostgreSQL, or an empty text.
func sqlState(err error) string {
	var s sqlStater
	if errors.As(err, &s) {
		return s.SQLState()
	}
	return ""
}

// kindOfState returns what an SQLSTATE of PostgreSQL says.
func kindOfState(state string) kind {
	switch state {
	case "":
		return other
	case "23505":
		return duplicate
	case "23503":
		return dangling
	case "23502":
		return null
	case "23514", "54000", "P0001": // a CHECK, an index without room for the value, a RAISE
		return unfit
	case "40001", "40P01", "0A000": // 0A000: the type of a column has changed since the statement was prepared
		return givenUp
	case "25006", // a read-only transaction
		"26000", "42P05": // see isLost
		return unable
	case "55P03", "25P03", "25P04": // a lock timeout, timeouts of a transaction
		return unreachable
	}
	switch state[:min(2, len(state))] {
	case "22": // a value out of range, or of another type
		return unfit
	case "53", "58": // no resources, an error of the system such as one of the disk
		return unable
	case "08", "57": // a connection exception, a shutdown or statement timeout
		return unreachable
	}
	return other
}

// These are result codes of SQLite: primary ones, and extended ones of constraints.
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteNoMemory   = 7
	sqliteReadOnly   = 8 // the file, or its directory
	sqliteIO         = 10
	sqliteFull       = 13 // the disk
	sqliteCantOpen   = 14 // the file, or the files beside it, if the disk is full
	sqliteTooBig     = 18
	sqliteMismatch   = 20 // an integer primary key cannot take the value
	sqliteCheck      = 275
	sqliteForeignKey = 787
	sqliteNotNull    = 1299
	sqlitePrimaryKey = 1555
	sqliteTrigger    = 1811
	sqliteUnique     = 2067
	sqliteRowID      = 2579
	sqliteDataType   = 3091 // a column of a STRICT table
)

// kindOfSQLite returns what an extended result code says.
func kindOfSQLite(code int) kind {
	switch code {
	case sqliteUnique, sqlitePrimaryKey, sqliteRowID:
		return duplicate
	case sqliteForeignKey:
		return dangling
	case sqliteNotNull:
		return null
	case sqliteCheck, sqliteTrigger, sqliteDataType:
		return unfit
	}
	switch code & 0xff {
	case sqliteTooBig, sqliteMismatch:
		return unfit
	case sqliteBusy, sqliteLocked:
		return givenUp
	case sqliteNoMemory, sqliteReadOnly, sqliteIO, sqliteFull, sqliteCantOpen:
		return unable
	}
	return other
}

// sqliteCode returns the extended result code of an error of SQLite, or 0. It looks at err
// and at all that it wraps.
func sqliteCode(err error) (code int) {
	walk(err, func(e error) bool {
		code = ownCode(e)
		return code != 0
	})
	return code
}

// ownCode returns the code in an error itself. Two drivers have it in types of their own,
// which no interface can name without an import of the driver:
//
//	mattn/go-sqlite3    Error has a field ExtendedCode, an integer
//	ncruces/go-sqlite3  *Error and ErrorCode have a method ExtendedCode; an
//	                    ExtendedErrorCode is the code
func ownCode(err error) int {
	if c, ok := err.(coder); ok {
		return c.Code()
	}
	v := reflect.ValueOf(err)
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return 0
	}
	if m := v.MethodByName("ExtendedCode"); m.IsValid() && m.Type().NumIn() == 0 && m.Type().NumOut() == 1 {
		v = m.Call(nil)[0]
	} else if s := reflect.Indirect(v); s.Kind() == reflect.Struct {
		v = s.FieldByName("ExtendedCode")
	} else if v.Type().Name() != "ExtendedErrorCode" {
		return 0
	}
	switch {
	case v.IsValid() && v.CanInt():
		return int(v.Int())
	case v.IsValid() && v.CanUint():
		return int(v.Uint())
	}
	return 0
}
