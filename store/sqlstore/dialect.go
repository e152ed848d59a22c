package sqlstore

import "github.com/scimkit/scim/store/sqlstore/internal/dialect"

// Dialect is the SQL that a database speaks. The package imports no driver: open
// the *sql.DB with any one for that database.
type Dialect uint8

// The dialects.
const (
	// SQLite is SQLite 3.38 or later. Open it with SQLiteDSN.
	SQLite Dialect = iota + 1
	// Postgres is PostgreSQL 12 or later, with UTF8 as the database's encoding, and
	// what speaks its language.
	Postgres
)

// String is the dialect's name.
func (d Dialect) String() string { return dialect.Dialect(d).String() }
