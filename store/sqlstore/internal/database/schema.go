package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"strconv"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Migrate brings parts up to date, and then runs last, if there is one.
func (b *DB) Migrate(ctx context.Context, files fs.FS, last func(context.Context, *sql.Tx) error, parts ...string) error {
	if Tx(ctx, b.Pool) != nil {
		return errors.New("sqlstore: Migrate is not for use within a transaction")
	}
	return b.Again(ctx, func() error {
		if err := b.migrateOnce(ctx, files, last, parts); err != nil {
			return fmt.Errorf("sqlstore: migrate: %w", err)
		}
		return nil
	})
}

func (b *DB) migrateOnce(ctx context.Context, files fs.FS, last func(context.Context, *sql.Tx) error, parts []string) error {
	tx, err := b.Pool.BeginTx(ctx, b.Dialect.Isolation())
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	if b.Dialect == dialect.Postgres {
		h := fnv.New64a()
		h.Write([]byte("sqlstore:" + b.Prefix)) //nolint:errcheck // never fails
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(h.Sum64())); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, b.Statement("CREATE TABLE IF NOT EXISTS {p}schema (part text PRIMARY KEY, version bigint NOT NULL)")); err != nil {
		return err
	}
	for _, part := range parts {
		if err := b.steps(ctx, tx, files, part); err != nil {
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
func (b *DB) steps(ctx context.Context, tx *sql.Tx, files fs.FS, part string) error {
	version, _, err := b.Version(ctx, tx, part)
	if err != nil {
		return err
	}
	have := int(version)
	folder := "migrations/" + strings.ToLower(b.Dialect.String())
	if b.Dialect == dialect.Postgres {
		folder = "migrations/postgres"
	}
	latest := 0
	for ; ; latest++ {
		text, err := fs.ReadFile(files, folder+"/"+part+strconv.Itoa(latest+1)+".sql")
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
			if _, err := tx.ExecContext(ctx, b.Statement(statement)); err != nil {
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
	return b.SetVersion(ctx, tx, part, int64(latest))
}

// Version reads the version of a part of the schema. known is false if it has none.
func (b *DB) Version(ctx context.Context, q Querier, part string) (version int64, known bool, err error) {
	err = q.QueryRowContext(ctx, b.Statement("SELECT version FROM {p}schema WHERE part = $1"), part).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return version, err == nil, err
}

// SetVersion stores the version of a part of the schema.
func (b *DB) SetVersion(ctx context.Context, q Querier, part string, version int64) error {
	_, err := q.ExecContext(ctx, b.Statement("INSERT INTO {p}schema (part, version) VALUES ($1, $2) ON CONFLICT (part) DO UPDATE SET version = excluded.version"), part, version)
	return err
}
