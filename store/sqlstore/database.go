package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// querier is what *sql.DB and *sql.Tx have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// tenantDB is the database as one tenant uses it.
type tenantDB struct {
	db     *sql.DB
	d      dialect.Dialect
	tenant string
	prefix string
	now    func() time.Time
	turn   chan struct{} // held by the transaction that writes, in SQLite
}

// newTenantDB returns the database of a tenant.
func newTenantDB(db *sql.DB, d dialect.Dialect, tenant, prefix string, now func() time.Time) *tenantDB {
	return &tenantDB{db: db, d: d, tenant: tenant, prefix: prefix, now: now, turn: make(chan struct{}, 1)}
}

// DB is the transaction that ctx carries, else the pool.
func (b *tenantDB) DB(ctx context.Context) querier {
	if tx := txOf(ctx, b.db); tx != nil {
		return tx
	}
	return b.db
}

// exec and query run a statement, for one tenant: $1 is bound to it in every one.
func (b *tenantDB) exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return b.DB(ctx).ExecContext(ctx, b.statement(text), b.bound(args)...)
}

func (b *tenantDB) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return b.DB(ctx).QueryContext(ctx, b.statement(text), b.bound(args)...)
}

func (b *tenantDB) bound(args []any) []any {
	return append([]any{b.tenant}, args...)
}

// each runs a query and calls row for each of its rows.
func (b *tenantDB) each(ctx context.Context, row func(scan func(dest ...any) error) error, text string, args ...any) error {
	rows, err := b.query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// eachApp runs a query on tables of the application and calls row for each of its rows.
func (b *tenantDB) eachApp(ctx context.Context, w *dialect.Arguments, text string, row func(scan func(dest ...any) error) error) error {
	rows, err := b.DB(ctx).QueryContext(ctx, text, w.Values...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// advise takes a lock of the tenant's, until the transaction ends, where transactions do
// not exclude one another anyway.
func (b *tenantDB) advise(ctx context.Context, what string) error {
	if b.d == dialect.SQLite {
		return nil
	}
	h := fnv.New64a()
	fmt.Fprint(h, "sqlstore:", b.prefix, "\x00", b.tenant, "\x00", what) //nolint:errcheck // never fails
	_, err := b.DB(ctx).ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(h.Sum64()))
	return err
}

// statement is text in the dialect, with the names of the tables.
func (b *tenantDB) statement(text string) string {
	return b.d.Adapt(text, b.prefix)
}
