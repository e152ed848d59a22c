package sqlstore

import "github.com/scimkit/scim/store/sqlstore/internal/dialect"

// Dialect is the SQL that a database speaks. The package imports no driver: open the
// *sql.DB with a driver whose errors it understands: modernc.org/sqlite, mattn/go-sqlite3 or
// ncruces/go-sqlite3; pgx or lib/pq; go-sql-driver/mysql.
type Dialect uint8

// These are the dialects.
const (
	// SQLite is SQLite 3.38 or later. Open it with SQLiteDSN.
	SQLite Dialect = iota + 1
	// Postgres is PostgreSQL 12 or later, and databases that speak its SQL. The database's
	// encoding must be UTF8.
	Postgres
	// MariaDB is MariaDB 10.6 or later. Its tables are InnoDB.
	MariaDB
)

// String returns the dialect's name.
func (d Dialect) String() string { return dialect.Dialect(d).String() }
