package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// txKey finds in a context the transaction on one database; another database's is
// none of its business.
type txKey struct{ db *sql.DB }

// withTx puts a transaction on db into a context.
func withTx(ctx context.Context, db *sql.DB, tx *sql.Tx) context.Context {
	return context.WithValue(ctx, txKey{db}, &joined{tx: tx})
}

// joined is a transaction, with what the stores in it have done.
type joined struct {
	tx       *sql.Tx
	followed sync.Map // by prefix and tenant: see follow
}

// isFirst reports whether nobody has asked in this transaction with the same key, since
// its last savepoint was rolled back.
func (j *joined) isFirst(key string) bool {
	_, again := j.followed.LoadOrStore(key, true)
	return !again
}

// txOf is the transaction on db that ctx carries, nil if there is none.
func txOf(ctx context.Context, db *sql.DB) *sql.Tx {
	if j, ok := ctx.Value(txKey{db}).(*joined); ok {
		return j.tx
	}
	return nil
}

// transaction is the one that ctx carries, nil if there is none.
func (b *tenantDB) transaction(ctx context.Context) *joined {
	j, _ := ctx.Value(txKey{b.db}).(*joined)
	return j
}

// attempts bounds how often a transaction is run that the database gives up.
const attempts = 12

// again runs fn until the database does not give it up for the sake of others.
func (b *tenantDB) again(ctx context.Context, fn func() error) error {
	for n := 1; ; n++ {
		err := fn()
		if err == nil || n == attempts || !yielded(err) || ctx.Err() != nil {
			return b.failure(ctx, err)
		}
		most := min(5*time.Millisecond<<n, 500*time.Millisecond)
		select {
		case <-time.After(rand.N(most)):
		case <-ctx.Done():
			return b.failure(ctx, err)
		}
	}
}

// read runs fn, which only reads, by itself or in the transaction of ctx.
func (b *tenantDB) read(ctx context.Context, fn func() error) error {
	if txOf(ctx, b.db) != nil {
		return fn()
	}
	return b.again(ctx, fn)
}

// write runs fn in a transaction, that of ctx if it has one.
func (b *tenantDB) write(ctx context.Context, fn func(ctx context.Context) error) error {
	if txOf(ctx, b.db) != nil {
		return fn(ctx)
	}
	return b.inTx(ctx, fn)
}

// inTx is InTx.
func (b *tenantDB) inTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if j := b.transaction(ctx); j != nil {
		return b.savepoint(ctx, j, fn)
	}
	return b.again(ctx, func() error { return b.once(ctx, fn) })
}

// wait lets the transactions of this Store write one after the other, in SQLite. It
// does so by itself, but who finds the file taken there sleeps for up to 100 ms, also
// while it is free again; here the next one is woken. Who has waited for long goes on to
// hear from the database that it is busy.
func (b *tenantDB) wait(ctx context.Context) (done func()) {
	if b.d != dialect.SQLite {
		return func() {}
	}
	select {
	case b.turn <- struct{}{}:
		return func() { <-b.turn }
	case <-time.After(10 * time.Second):
	case <-ctx.Done():
	}
	return func() {}
}

func (b *tenantDB) once(ctx context.Context, fn func(ctx context.Context) error) error {
	defer b.wait(ctx)()
	tx, err := b.db.BeginTx(ctx, b.d.Isolation())
	if err != nil {
		return fmt.Errorf("sqlstore: begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	if first := b.d.Begin(); first != "" {
		if _, err := tx.ExecContext(ctx, b.statement(first)); err != nil {
			return fmt.Errorf("sqlstore: begin (has Migrate been called?): %w", err)
		}
	}
	if err := fn(withTx(ctx, b.db, tx)); err != nil {
		return err
	}
	err = tx.Commit()
	if duplicate(err) { // a constraint that is looked at now
		return &scim.Error{Status: http.StatusConflict, Type: "uniqueness", Err: err, Detail: "the application has one of these values already"}
	}
	if err != nil {
		return fmt.Errorf("sqlstore: commit: %w", err)
	}
	return nil
}

// savepoint runs fn in tx, so that if it fails what it did is taken back, and
// PostgreSQL takes further statements.
func (b *tenantDB) savepoint(ctx context.Context, j *joined, fn func(ctx context.Context) error) error {
	tx := j.tx
	if _, err := tx.ExecContext(ctx, "SAVEPOINT scim"); err != nil {
		return fmt.Errorf("sqlstore: savepoint: %w", err)
	}
	done := false
	defer func() { // also if fn panics, or ends its goroutine
		if !done {
			// Also after ctx has ended: who began tx may yet commit it.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			j.followed.Clear()
			tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT scim") //nolint:errcheck // the error of fn counts
			tx.ExecContext(ctx, "RELEASE SAVEPOINT scim")     //nolint:errcheck // as above
		}
	}()
	if err := fn(ctx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "RELEASE SAVEPOINT scim"); err != nil {
		return fmt.Errorf("sqlstore: release savepoint: %w", err)
	}
	done = true
	return nil
}
