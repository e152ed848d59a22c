package sqlstore

import (
	"context"
	"database/sql"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
)

// DBTX is what *sql.DB and *sql.Tx have in common, and what query builders and generated
// code take in their place.
type DBTX interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// WithTx puts a transaction on db into a context: calls of a Store or Ledger on db
// that are made with it join the transaction and leave its end to the caller. In
// SQLite it must have been begun with BEGIN IMMEDIATE: see SQLiteDSN.
func WithTx(ctx context.Context, db *sql.DB, tx *sql.Tx) context.Context {
	return database.WithTx(ctx, db, tx)
}

// Tx is the transaction on db that ctx carries, nil if there is none. In a
// scim.RoleResolver it is the one that the Store on db has begun, so that roles
// commit with the resources.
func Tx(ctx context.Context, db *sql.DB) *sql.Tx {
	return database.Tx(ctx, db)
}

// base is what Store and Ledger have in common.
type base struct{ db *database.DB }

// DB is the transaction that ctx carries, else the pool. In SQLite a write to the
// pool from within a transaction waits for that transaction, which waits for it.
func (b *base) DB(ctx context.Context) DBTX { return b.db.Conn(ctx) }

// InTx implements scim.Transactor. fn runs again if the database gave the
// transaction up for another one. A nested call joins; if only that one fails, what
// it did is taken back.
func (s *Store) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if Tx(ctx, s.db.Pool) == nil {
		// What the application has changed is followed in transactions of its own: if there
		// is more of it than a request has time for, the next one goes on from there.
		if err := s.app.Follow(ctx); err != nil {
			return err
		}
	}
	return s.db.InTx(ctx, fn)
}
