package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// This file knows MariaDB's codes, settings and migrations.

// mariaError is what an error of MariaDB says.
type mariaError struct {
	number  int // 0: it is no error of MariaDB
	message string
}

// mariaErrorIn finds an error of MariaDB in err. The type of go-sql-driver/mysql has fields
// only, which no interface can name without an import of the driver:
//
//	type MySQLError struct { Number uint16; SQLState [5]byte; Message string }
func mariaErrorIn(err error) (found mariaError) {
	walk(err, func(e error) bool {
		v := reflect.Indirect(reflect.ValueOf(e))
		if v.Kind() != reflect.Struct || v.Type().Name() != "MySQLError" {
			return false
		}
		number, message := v.FieldByName("Number"), v.FieldByName("Message")
		if !number.IsValid() || !number.CanUint() || message.Kind() != reflect.String {
			return false
		}
		found = mariaError{int(number.Uint()), message.String()}
		return true
	})
	return found
}

// walk calls visit for err and all that it wraps, until visit returns true.
func walk(err error, visit func(error) bool) bool {
	for err != nil {
		if visit(err) {
			return true
		}
		switch w := err.(type) {
		case interface{ Unwrap() error }:
			err = w.Unwrap()
		case interface{ Unwrap() []error }:
			for _, e := range w.Unwrap() {
				if walk(e, visit) {
					return true
				}
			}
			return false
		default:
			return false
		}
	}
	return false
}

// deadlock is the error after which MariaDB has rolled back the whole transaction. The next
// statements would each be a transaction of their own.
const deadlock = 1213

// noNumber is what becomes of a deadlock where an AUTO_INCREMENT column waits for its number.
const noNumber = 1467

// kindOfMariaDB returns what the number of an error says.
func kindOfMariaDB(number int) kind {
	switch number {
	case 1022, 1062, 1169, 1586:
		return duplicate
	case 1216, 1217, 1451, 1452:
		return dangling
	case 1048, 1364, 1566:
		return null
	case 1118, 1264, 1265, 1292, 1366, 1367, 1406, 1411, 1525, 1644, 1690, 3819, 4025, 4078: // 3819, 4025: a CHECK; 1644: a SIGNAL
		return unfit
	case 1020, 1205, deadlock, noNumber, 1412, 1614, 1615, 1637: // 1205: a lock timeout; 1020, 1412: the row or its table has changed meanwhile
		return givenUp
	case 3, 1021, 1026, 1030, 1037, 1038, 1041, 1114, 1135, 1290, 1792, 1836: // the disk, memory; 1290, 1792, 1836: it only reads
		return unable
	case 1040, 1053, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1226, 1317, 1927, 1969, 3024: // too many connections, a shutdown, a cut connection, a timeout
		return unreachable
	}
	return other
}

// invalid is what go-sql-driver/mysql says of a connection that has ended.
const invalid = "invalid connection"

// isInvalid reports whether err says that a connection of MariaDB has ended.
func isInvalid(err error) bool {
	return walk(err, func(e error) bool { return e.Error() == invalid })
}

// Mark is the variable of a session that holds the number of its transaction, in MariaDB. Triggers
// read it. No two transactions have the same number.
const Mark = "@{p}tx"

// SetMark gives the transaction that ctx carries a number, unless it has one.
func SetMark(ctx context.Context, b *DB) error {
	j := b.Transaction(ctx)
	if b.Dialect != dialect.MariaDB || !j.IsFirst(b.Prefix+"mark") {
		return nil
	}
	_, err := b.ExecOn(ctx, j.tx, "SET "+Mark+" = "+strconv.FormatInt(rand.Int64(), 10))
	return err
}

// noticed returns err. If it says that the database has rolled back the transaction that ctx
// carries, the transaction is lost.
func noticed(ctx context.Context, b *DB, err error) error {
	if err == nil {
		return nil
	}
	if j := b.Transaction(ctx); j != nil && slices.Contains([]int{deadlock, noNumber}, mariaErrorIn(err).number) {
		j.lost = err
	}
	return err
}

// duplicateKey matches the end of MariaDB's message about a unique index.
var duplicateKey = regexp.MustCompile(`for key '(?:[^']*\.)?([^'.]*)'$`)

// checkMariaDB looks for mistakes in the settings of a connection to MariaDB.
func checkMariaDB(ctx context.Context, b *DB) error {
	var version, mode, client, connection, results, binlog string
	var autocommit, isLogging bool
	err := b.Pool.QueryRowContext(ctx, `SELECT version(), @@sql_mode, @@character_set_client, @@character_set_connection, coalesce(@@character_set_results, ''),
		@@autocommit, @@log_bin, @@binlog_format`).Scan(&version, &mode, &client, &connection, &results, &autocommit, &isLogging, &binlog)
	if err != nil {
		return fmt.Errorf("sqlstore: settings of MariaDB: %w", err)
	}
	var all error
	if !isAtLeast(version, 10, 6) {
		all = errors.Join(all, fmt.Errorf("sqlstore: the server is %s: use MariaDB 10.6 or later", version))
	}
	if !strings.Contains(mode, "STRICT_TRANS_TABLES") && !strings.Contains(mode, "STRICT_ALL_TABLES") {
		all = errors.Join(all, errors.New("sqlstore: MariaDB would cut values that do not fit (sql_mode is not strict): add sql_mode=%27STRICT_TRANS_TABLES%27 to the data source name"))
	}
	if strings.Contains(mode, "NO_BACKSLASH_ESCAPES") {
		all = errors.Join(all, errors.New("sqlstore: sql_mode has NO_BACKSLASH_ESCAPES, and JSON could not be read: remove it"))
	}
	if client != "utf8mb4" || connection != "utf8mb4" || results != "utf8mb4" {
		all = errors.Join(all, fmt.Errorf("sqlstore: the character set of the connection is %s: add charset=utf8mb4 to the data source name", client))
	}
	if !autocommit {
		all = errors.Join(all, errors.New("sqlstore: autocommit is off, and reads would never see what others change: remove it from the data source name"))
	}
	if isLogging && binlog == "STATEMENT" {
		all = errors.Join(all, errors.New("sqlstore: MariaDB refuses writes at READ COMMITTED with binlog_format=STATEMENT: use MIXED or ROW"))
	}
	return all
}

// isAtLeast reports whether the version of a server is MariaDB's, and not earlier.
func isAtLeast(version string, major, minor int) bool {
	version = strings.TrimPrefix(version, "5.5.5-") // a prefix for old clients
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 3 || !strings.Contains(version, "MariaDB") {
		return false
	}
	x, err := strconv.Atoi(parts[0])
	y, err2 := strconv.Atoi(parts[1])
	return err == nil && err2 == nil && (x > major || x == major && y >= minor)
}

// migrateMariaDB is migrateOnce for MariaDB, where each statement that changes a table commits
// by itself. A lock of the session keeps others from migrating. If the connection ends, the next call
// goes on: each statement finds what it would make.
func (s *Schema) migrateMariaDB(ctx context.Context, last func(context.Context, Querier) error, parts []string) error {
	conn, err := s.db.Pool.Conn(ctx)
	if err != nil {
		return err
	}
	// The connection is closed, because the session has another isolation level.
	defer conn.Raw(func(any) error { return driver.ErrBadConn }) //nolint:errcheck // so it is meant
	unlock, err := s.lockSession(ctx, conn)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.checkOwn(ctx); err != nil {
		return err
	}
	// Otherwise a statement that notes all rows of a table would lock them.
	if _, err := conn.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"); err != nil {
		return err
	}
	return s.migrateOn(ctx, conn, last, parts)
}

// lockSession excludes processes that change the schema, by a lock of the session.
func (s *Schema) lockSession(ctx context.Context, q Querier) (unlock func(), err error) {
	name := fmt.Sprintf("scim %x ", uint64(s.lockKey()))
	var locked sql.NullInt64
	if err := q.QueryRowContext(ctx, "SELECT get_lock(concat(?, sha1(database())), 3600)", name).Scan(&locked); err != nil {
		return nil, err
	}
	if locked.Int64 != 1 {
		return nil, errors.New("another process migrates for an hour already")
	}
	return func() {
		q.ExecContext(context.WithoutCancel(ctx), "DO release_lock(concat(?, sha1(database())))", name) //nolint:errcheck // it ends with the session, too
	}, nil
}
