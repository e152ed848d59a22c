package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// check looks whether the driver and the settings of its connections are fit. Its error
// lists every mistake. isMapped says that the store has tables of the application.
func (b *DB) check(ctx context.Context, isMapped bool) error {
	if b.AnyDriver {
		return nil
	}
	switch b.Dialect {
	case dialect.Postgres:
		return checkPostgres(ctx, b)
	case dialect.MariaDB:
		return checkNumbers(ctx, b)
	}
	if libraries := sqliteLibraries(); len(libraries) > 1 {
		b.Log.WarnContext(ctx, "sqlstore: this program has several SQLite libraries. Open a file with one of them only: they do not see each other's locks, and can destroy the file.",
			"libraries", libraries)
	}
	return checkPragmas(ctx, b, isMapped)
}

// errUnknownDriver says that errors of a driver are not understood.
func errUnknownDriver(b *DB, cause error) error {
	return fmt.Errorf("sqlstore: errors of the driver %s are not understood, so a conflict would be answered with 500: use a driver that the documentation lists, or accept this with Options.AnyDriver: %w",
		driverPackage(b.Pool), cause)
}

// checkPostgres looks at the driver, and whether it can use the connections.
func checkPostgres(ctx context.Context, b *DB) error {
	if err := checkStates(ctx, b); err != nil {
		return err
	}
	return checkPooler(ctx, b)
}

// checkStates provokes an error in PostgreSQL, whose code must be found. It does not ask the
// usual drivers, because the server logs the error.
func checkStates(ctx context.Context, b *DB) error {
	if path := driverPackage(b.Pool); strings.Contains(path, "github.com/jackc/pgx/") || strings.HasSuffix(path, "github.com/lib/pq") {
		return nil
	}
	_, err := b.Pool.ExecContext(ctx, "SELECT CAST('sqlstore tests whether it understands errors of the driver' AS integer)")
	if kindOf(err) == other {
		return errUnknownDriver(b, err)
	}
	return nil
}

// checkNumbers provokes an error in MariaDB, whose number must be found. Then it looks at the
// settings.
func checkNumbers(ctx context.Context, b *DB) error {
	_, err := b.Pool.ExecContext(ctx, "SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1644, MESSAGE_TEXT = 'sqlstore tests whether it understands errors of the driver'")
	if kindOf(err) == unreachable || ctx.Err() != nil {
		return err
	}
	if kindOf(err) != unfit {
		return errUnknownDriver(b, err)
	}
	return checkMariaDB(ctx, b)
}

// checkCodes provokes an error in SQLite, whose code must be found. The statement fails, and
// changes nothing.
func (b *DB) checkCodes(ctx context.Context, tx Querier) error {
	if b.AnyDriver || b.Dialect != dialect.SQLite {
		return nil
	}
	_, err := tx.ExecContext(ctx, b.Statement("INSERT INTO {p}schema (part, version) SELECT part, version FROM {p}schema LIMIT 1"))
	if !IsDuplicate(err) {
		return errUnknownDriver(b, err)
	}
	return nil
}

// checkPragmas asks a connection for its settings.
func checkPragmas(ctx context.Context, b *DB, isMapped bool) error {
	var wait int
	var file sql.NullString
	err := errors.Join(
		b.Pool.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&wait),
		b.Pool.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&file))
	if err != nil {
		return fmt.Errorf("sqlstore: settings of SQLite: %w", err)
	}
	var all error
	if wait == 0 {
		all = errors.Join(all, errors.New("sqlstore: connections to SQLite do not wait for locks (busy_timeout is 0)"+
			inDSN("_pragma=busy_timeout(10000)", "_busy_timeout=10000")))
	}
	if references, err := countReferences(ctx, b); err != nil {
		return fmt.Errorf("sqlstore: settings of SQLite: %w", err)
	} else if isMapped && references > 0 {
		all = errors.Join(all, errors.New("sqlstore: SQLite does not obey the REFERENCES of the tables (foreign_keys is off), so a deleted user would leave rows behind"+
			inDSN("_pragma=foreign_keys(ON)", "_foreign_keys=on")))
	}
	if most := b.Pool.Stats().MaxOpenConnections; file.String == "" && most != 1 && !isShared(ctx, b) {
		all = errors.Join(all, errors.New("sqlstore: each connection has a database of its own in memory: use a file, or call SetMaxOpenConns(1)"))
	}
	return all
}

// countReferences counts the REFERENCES of the mapped tables, and those to them, that SQLite does not
// obey. It says nothing of others, which an application may have switched off on purpose.
func countReferences(ctx context.Context, b *DB) (n int, err error) {
	if len(b.Tables) == 0 {
		return 0, nil
	}
	names := make([]any, len(b.Tables))
	for i, table := range b.Tables {
		_, name := dialect.SchemaAndTable(table)
		names[i] = strings.ToLower(name)
	}
	is := " IN (?" + strings.Repeat(", ?", len(names)-1) + ")"
	err = b.Pool.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) AS k
		WHERE m.type = 'table' AND (SELECT foreign_keys FROM pragma_foreign_keys) = 0 AND (lower(m.name)`+is+` OR lower(k."table")`+is+`)`,
		append(names, names...)...).Scan(&n)
	return n, err
}

// isShared reports whether the connections of the pool share a database in memory: whether
// one connection sees a table that another one has made.
func isShared(ctx context.Context, b *DB) bool {
	one, err := b.Pool.Conn(ctx)
	if err != nil {
		return false
	}
	defer one.Close() //nolint:errcheck // it goes back to the pool
	other, err := b.Pool.Conn(ctx)
	if err != nil {
		return false
	}
	defer other.Close() //nolint:errcheck // as above
	name := b.Statement("{p}shared")
	if _, err := one.ExecContext(ctx, "CREATE TABLE "+name+" (n integer)"); err != nil {
		return false
	}
	defer one.ExecContext(ctx, "DROP TABLE "+name) //nolint:errcheck // the next call creates it again
	var n int
	return other.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = '"+name+"'").Scan(&n) == nil && n == 1
}

// inDSN says how to write a setting for the drivers.
func inDSN(pragma, short string) string {
	return ": open the file with sqlstore.SQLiteDSN, or add " + pragma + " (modernc.org/sqlite, ncruces/go-sqlite3) or " +
		short + " (mattn/go-sqlite3) to the data source name"
}

// driverPackage returns the path of the package that has the driver of a pool.
func driverPackage(db *sql.DB) string {
	t := reflect.TypeOf(db.Driver())
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath()
}

// sqliteLibraries returns the packages of the drivers in this program that are called after
// SQLite. It opens no database.
func sqliteLibraries() []string {
	var all []string
	for _, name := range sql.Drivers() {
		if !strings.Contains(name, "sqlite") {
			continue
		}
		db, err := sql.Open(name, "")
		if err != nil {
			continue
		}
		path := driverPackage(db)
		db.Close() //nolint:errcheck // it was never connected
		if !strings.Contains(strings.Join(all, " ")+" ", path+" ") {
			all = append(all, path)
		}
	}
	return all
}
