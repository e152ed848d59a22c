package sqlstore

import (
	"context"
	"database/sql"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
)

// DBTX is what *sql.DB and *sql.Tx have in common. Query builders and generated code accept
// it.
type DBTX interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// DBTX and database.Querier have the same methods: each implements the other.
var (
	_ database.Querier = DBTX(nil)
	_ DBTX             = database.Querier(nil)
)

// WithTx returns a context that carries a transaction on db. Calls of a Store or Ledger on
// db with this context join the transaction and leave its end to the caller. In SQLite the
// transaction must have begun with BEGIN IMMEDIATE: see SQLiteDSN. In MariaDB it must have begun with
// sql.LevelReadCommitted. At REPEATABLE READ, the default, it would not see what others have
// changed before it got a lock.
func WithTx(ctx context.Context, db *sql.DB, tx *sql.Tx) context.Context {
	return database.WithTx(ctx, db, tx)
}

// Tx returns the transaction on db that ctx carries, or nil. In a scim.RoleResolver it is
// the transaction that the Store on db has begun, so that roles commit together with the
// resources.
func Tx(ctx context.Context, db *sql.DB) *sql.Tx {
	return database.Tx(ctx, db)
}

// base is what Store and Ledger have in common.
type base struct {
	db     *database.DB
	schema *database.Schema
}

// DB returns the transaction that ctx carries, or else the pool. In SQLite do not write to
// the pool in a transaction: the write waits for the transaction, which waits for the
// write.
func (b *base) DB(ctx context.Context) DBTX { return b.db.Conn(ctx) }

// InTx implements scim.Transactor. fn runs again if the database gives the transaction up
// in favour of another one. A nested call joins the transaction. If only the nested call
// fails, its changes are rolled back.
func (s *Store) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.db.InTx(ctx, fn)
}
