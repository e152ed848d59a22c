package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// The steps by which the tables came to be, in order: part, number, dialect. A step
// that was released never changes.
//
//go:embed migrations
var migrations embed.FS

// Migrate makes the tables, or brings those of an earlier version of this package up
// to date. Call it at every start: any number of processes may do so at once.
//
// With Tables it looks whether the tables and columns that Options names are there, all
// but those of Insert, makes triggers on the application's tables, and goes through the
// rows of the tenant that are new to it, before the first time all of them.
func (s *Store) Migrate(ctx context.Context) error {
	if len(s.app.tables) == 0 {
		return s.migrate(ctx, nil, "ledger", "store")
	}
	if err := s.check(ctx); err != nil {
		return err
	}
	if err := s.migrate(ctx, s.triggers.watch, "ledger", "store", "mapped"); err != nil {
		return err
	}
	if err := s.triggers.enrol(ctx); err != nil {
		return fmt.Errorf("sqlstore: migrate: %w", err)
	}
	return s.app.follow(ctx)
}

// check looks for the tables and columns of Options.Tables and Options.Members.
func (s *Store) check(ctx context.Context) error {
	return s.again(ctx, func() (err error) {
		for _, typ := range s.app.types {
			err = errors.Join(err, s.app.tables[typ].check(ctx))
		}
		if s.app.joins != nil {
			err = errors.Join(err, s.app.joins.check(ctx))
		}
		return err
	})
}

// Migrate makes the ledger's tables, or brings those of an earlier version of this
// package up to date. Call it at every start: any number of processes may do so at
// once.
func (l *Ledger) Migrate(ctx context.Context) error { return l.migrate(ctx, nil, "ledger") }

// migrate brings parts up to date, and then runs last, if there is one.
func (b *base) migrate(ctx context.Context, last func(context.Context, *sql.Tx) error, parts ...string) error {
	if Tx(ctx, b.db) != nil {
		return errors.New("sqlstore: Migrate is not for use within a transaction")
	}
	return b.again(ctx, func() error {
		if err := b.migrateOnce(ctx, last, parts); err != nil {
			return fmt.Errorf("sqlstore: migrate: %w", err)
		}
		return nil
	})
}

func (b *base) migrateOnce(ctx context.Context, last func(context.Context, *sql.Tx) error, parts []string) error {
	tx, err := b.db.BeginTx(ctx, b.d.Isolation())
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	if b.d == dialect.Postgres {
		h := fnv.New64a()
		h.Write([]byte("sqlstore:" + b.prefix)) //nolint:errcheck // never fails
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(h.Sum64())); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, b.statement("CREATE TABLE IF NOT EXISTS {p}schema (part text PRIMARY KEY, version bigint NOT NULL)")); err != nil {
		return err
	}
	for _, part := range parts {
		if err := b.steps(ctx, tx, part); err != nil {
			return err
		}
	}
	if last != nil {
		if err := last(ctx, tx); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// steps runs the steps of a part that are new to the database.
func (b *base) steps(ctx context.Context, tx *sql.Tx, part string) error {
	var have int
	err := tx.QueryRowContext(ctx, b.statement("SELECT version FROM {p}schema WHERE part = $1"), part).Scan(&have)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	folder := "migrations/" + strings.ToLower(b.d.String())
	if b.d == dialect.Postgres {
		folder = "migrations/postgres"
	}
	latest := 0
	for ; ; latest++ {
		text, err := migrations.ReadFile(folder + "/" + part + strconv.Itoa(latest+1) + ".sql")
		if err != nil {
			break // there is no such step
		}
		if latest < have {
			continue
		}
		for _, statement := range strings.Split(string(text), ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := tx.ExecContext(ctx, b.statement(statement)); err != nil {
				return fmt.Errorf("%s, step %d: %w", part, latest+1, err)
			}
		}
	}
	if have > latest {
		return fmt.Errorf("the tables of %s are of version %d, which this program, of version %d, does not know", part, have, latest)
	}
	if have == latest {
		return nil
	}
	_, err = tx.ExecContext(ctx, b.statement("INSERT INTO {p}schema (part, version) VALUES ($1, $2) ON CONFLICT (part) DO UPDATE SET version = excluded.version"), part, latest)
	return err
}
