// Package database runs statements and transactions for one tenant. It retries what the
// database gave up, and migrates the tables.
package database

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"log/slog"
	"time"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Querier is what *sql.DB and *sql.Tx have in common.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// DB is the database as one tenant uses it.
type DB struct {
	Pool    *sql.DB
	Dialect dialect.Dialect
	Tenant  string
	Prefix  string
	Now     func() time.Time
	Before  func(ctx context.Context) error // Before, if it is not nil, runs before each new transaction.
	// AnyDriver says that Migrate does not look whether the driver and its settings are fit.
	AnyDriver bool
	Tables    []string // Tables are those of the application that are mapped.
	Log       *slog.Logger
	turn      chan struct{} // In SQLite, the transaction that writes holds it.
}

// New returns the database of a tenant.
func New(db *sql.DB, d dialect.Dialect, tenant, prefix string, now func() time.Time) *DB {
	return &DB{Pool: db, Dialect: d, Tenant: tenant, Prefix: prefix, Now: now, Log: slog.Default(), turn: make(chan struct{}, 1)}
}

// Conn returns the transaction that ctx carries, or else the pool.
func (b *DB) Conn(ctx context.Context) Querier {
	if tx := Tx(ctx, b.Pool); tx != nil {
		return tx
	}
	return b.Pool
}

// Exec runs a statement for one tenant. In every statement $1 is the tenant.
func (b *DB) Exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return b.ExecOn(ctx, b.Conn(ctx), text, b.Bound(args)...)
}

// ExecOn runs a statement of this package. Its arguments begin with $1.
func (b *DB) ExecOn(ctx context.Context, q Querier, text string, args ...any) (sql.Result, error) {
	text, args = b.Dialect.Bind(b.Statement(text), args)
	r, err := q.ExecContext(ctx, text, args...)
	return r, noticed(ctx, b, err)
}

// QueryRowOn is ExecOn for a query of one row.
func QueryRowOn(ctx context.Context, b *DB, q Querier, text string, args ...any) *sql.Row {
	text, args = b.Dialect.Bind(b.Statement(text), args)
	return q.QueryRowContext(ctx, text, args...)
}

// Count is Exec for a statement of which the caller needs the number of rows.
func (b *DB) Count(ctx context.Context, text string, args ...any) (int64, error) {
	r, err := b.Exec(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Bound returns the arguments of a statement. They begin with the tenant.
func (b *DB) Bound(args []any) []any {
	return append([]any{b.Tenant}, args...)
}

// Each runs a query for one tenant and calls row for each of its rows.
func (b *DB) Each(ctx context.Context, row func(scan func(dest ...any) error) error, text string, args ...any) error {
	return b.each(ctx, row, b.Statement(text), b.Bound(args))
}

// EachAppRow runs a query on tables of the application and calls row for each of its rows.
// The text is sent as it is.
func (b *DB) EachAppRow(ctx context.Context, w *dialect.Arguments, text string, row func(scan func(dest ...any) error) error) error {
	return b.each(ctx, row, text, w.Values)
}

// ExecApp runs a statement on tables of the application. The text is sent as it is.
func (b *DB) ExecApp(ctx context.Context, w *dialect.Arguments, text string) error {
	return b.EachAppRow(ctx, w, text, func(func(...any) error) error { return nil })
}

// CountApp is ExecApp for a statement of which the caller needs the number of rows.
func CountApp(ctx context.Context, b *DB, w *dialect.Arguments, text string) (int64, error) {
	text, args := b.Dialect.Bind(text, w.Values)
	r, err := b.Conn(ctx).ExecContext(ctx, text, args...)
	if err != nil {
		return 0, noticed(ctx, b, err)
	}
	return r.RowsAffected()
}

// each runs a query and calls row for each of its rows.
func (b *DB) each(ctx context.Context, row func(scan func(dest ...any) error) error, text string, args []any) error {
	text, args = b.Dialect.Bind(text, args)
	rows, err := b.Conn(ctx).QueryContext(ctx, text, args...)
	if err != nil {
		return noticed(ctx, b, err)
	}
	defer rows.Close() //nolint:errcheck // Err reports it
	scan := rows.Scan  // one function for all rows
	for rows.Next() {
		if err := row(scan); err != nil {
			return err
		}
	}
	return noticed(ctx, b, rows.Err())
}

// ReadAll runs a query for one tenant, of which it expects size rows, and returns what row
// makes of each of them. It retries the query as Read does.
func ReadAll[T any](ctx context.Context, b *DB, size int, row func(scan func(dest ...any) error) (T, error), text string, args ...any) ([]T, error) {
	all := make([]T, 0, size)
	err := b.Read(ctx, func() error {
		all = all[:0]
		return b.Each(ctx, func(scan func(...any) error) error {
			x, err := row(scan)
			all = append(all, x)
			return err
		}, text, args...)
	})
	return all, err
}

// HasAny reports whether a query for one tenant returns a row.
func (b *DB) HasAny(ctx context.Context, text string, args ...any) (yes bool, err error) {
	err = b.Each(ctx, func(func(...any) error) error { yes = true; return nil }, text, args...)
	return yes, err
}

// Texts returns a function for Each that appends the text in each row to all.
func Texts(all *[]string) func(scan func(dest ...any) error) error {
	return func(scan func(...any) error) error {
		var text string
		err := scan(&text)
		*all = append(*all, text)
		return err
	}
}

// Arguments returns an empty list of arguments for a statement on tables of the
// application.
func (b *DB) Arguments() *dialect.Arguments { return &dialect.Arguments{Dialect: b.Dialect} }

// LockName locks a name in the tenant until the transaction ends. It does nothing in
// SQLite, where transactions exclude one another.
func (b *DB) LockName(ctx context.Context, name string) error {
	return b.lock(ctx, b.Tenant+"\x00"+name)
}

// LockNameOfAll is LockName for all tenants.
func (b *DB) LockNameOfAll(ctx context.Context, name string) error {
	return b.lock(ctx, name)
}

func (b *DB) lock(ctx context.Context, name string) error {
	switch b.Dialect {
	case dialect.SQLite:
		return nil
	case dialect.MariaDB:
		return lockRow(ctx, b, b.lockKey(name))
	}
	_, err := b.Conn(ctx).ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", b.lockKey(name))
	return err
}

// lockRow locks a row of a table that has no other use, because locks of MariaDB's GET_LOCK do not
// end with the transaction. The row is deleted at once: the lock stays until the transaction
// ends, and nothing is left then.
func lockRow(ctx context.Context, b *DB, key int64) error {
	for _, text := range []string{
		"INSERT INTO {p}locks (name) VALUES ($1) ON DUPLICATE KEY UPDATE name = name",
		"DELETE FROM {p}locks WHERE name = $1",
	} {
		if _, err := b.ExecOn(ctx, b.Conn(ctx), text, key); err != nil {
			return err
		}
	}
	return nil
}

// NameKey is the key of the advisory lock that LockName takes.
func (b *DB) NameKey(name string) int64 { return b.lockKey(b.Tenant + "\x00" + name) }

func (b *DB) lockKey(name string) int64 {
	h := fnv.New64a()
	fmt.Fprint(h, "sqlstore:", b.Prefix, "\x00", name) //nolint:errcheck // never fails
	return int64(h.Sum64())
}

// Statement returns text in the dialect, with the names of the tables. In MariaDB its
// placeholders still need Dialect.Bind.
func (b *DB) Statement(text string) string {
	return b.Dialect.Adapt(text, b.Prefix)
}
