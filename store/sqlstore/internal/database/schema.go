package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Schema are the tables of package sqlstore. They have parts, and each part a version.
type Schema struct {
	db    *DB
	files fs.FS
}

// NewSchema returns the schema. files has the steps in a folder "migrations".
func NewSchema(db *DB, files fs.FS) *Schema { return &Schema{db, files} }

// Migrate looks whether the driver is fit. Then it brings parts of the schema up to date, and
// calls last, if it is not nil. All of that is one transaction, but not in MariaDB.
func (s *Schema) Migrate(ctx context.Context, last func(context.Context, Querier) error, parts ...string) error {
	if Tx(ctx, s.db.Pool) != nil {
		return errors.New("sqlstore: Migrate is not for use within a transaction")
	}
	if err := s.db.Retry(ctx, func() error { return s.db.check(ctx, slices.Contains(parts, "mapped")) }); err != nil {
		return err
	}
	return s.db.Retry(ctx, func() error {
		if err := s.migrateOnce(ctx, last, parts); err != nil {
			return fmt.Errorf("sqlstore: migrate: %w", err)
		}
		return nil
	})
}

// migrateOnce is one attempt of Migrate.
func (s *Schema) migrateOnce(ctx context.Context, last func(context.Context, Querier) error, parts []string) error {
	if s.db.Dialect == dialect.MariaDB {
		return s.migrateMariaDB(ctx, last, parts)
	}
	tx, err := s.db.Pool.BeginTx(ctx, s.db.Dialect.Isolation())
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it does nothing after Commit
	if s.db.Dialect == dialect.Postgres {
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", s.lockKey()); err != nil {
			return err
		}
	}
	if err := s.migrateOn(ctx, tx, last, parts); err != nil {
		return err
	}
	return tx.Commit()
}

// migrateOn runs the statements of a migration.
func (s *Schema) migrateOn(ctx context.Context, tx Querier, last func(context.Context, Querier) error, parts []string) error {
	part := "text"
	if s.db.Dialect == dialect.MariaDB {
		part = "varbinary(700)"
	}
	if _, err := tx.ExecContext(ctx, s.db.Statement("CREATE TABLE IF NOT EXISTS {p}schema (part "+part+" PRIMARY KEY, version bigint NOT NULL)")); err != nil {
		return err
	}
	for _, part := range parts {
		if err := s.runSteps(ctx, tx, part); err != nil {
			return err
		}
	}
	if err := s.db.checkCodes(ctx, tx); err != nil {
		return err
	}
	if last != nil {
		return last(ctx, tx)
	}
	return nil
}

// lockKey is the key of the advisory lock of processes that change the schema.
func (s *Schema) lockKey() int64 {
	h := fnv.New64a()
	h.Write([]byte("sqlstore:" + s.db.Prefix)) //nolint:errcheck // never fails
	return int64(h.Sum64())
}

// runSteps runs the steps of a part that the database does not have yet.
func (s *Schema) runSteps(ctx context.Context, tx Querier, part string) error {
	version, _, err := s.Version(ctx, tx, part)
	if err != nil {
		return err
	}
	have := int(version)
	folder := "migrations/" + strings.ToLower(s.db.Dialect.String())
	if s.db.Dialect == dialect.Postgres {
		folder = "migrations/postgres"
	}
	latest := 0
	for ; ; latest++ {
		text, err := fs.ReadFile(s.files, folder+"/"+part+strconv.Itoa(latest+1)+".sql")
		if err != nil {
			break // There is no such step.
		}
		if latest < have {
			continue
		}
		for _, statement := range strings.Split(string(text), ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := tx.ExecContext(ctx, s.db.Statement(statement)); err != nil {
				return fmt.Errorf("%s, step %d: %w", part, latest+1, err)
			}
		}
	}
	if have > latest {
		return fmt.Errorf("the tables of %s have version %d, but this program knows versions up to %d", part, have, latest)
	}
	if have == latest {
		return nil
	}
	return s.SetVersion(ctx, tx, part, int64(latest))
}

// Exists reports whether something has been migrated.
func (s *Schema) Exists(ctx context.Context) (yes bool, err error) {
	w := s.db.Arguments()
	query := "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = "
	switch s.db.Dialect {
	case dialect.MariaDB:
		query = "SELECT 1 FROM information_schema.tables WHERE table_schema = database() AND table_name = "
	case dialect.Postgres:
		query = "SELECT 1 FROM pg_class WHERE oid = to_regclass("
	}
	query += w.Add(s.db.Statement("{p}schema"))
	if s.db.Dialect == dialect.Postgres {
		query += ")"
	}
	err = s.db.EachAppRow(ctx, w, query, func(func(...any) error) error { yes = true; return nil })
	return yes, err
}

// Version reads the version of a part of the schema. known is false if it has none.
func (s *Schema) Version(ctx context.Context, q Querier, part string) (version int64, known bool, err error) {
	err = QueryRowOn(ctx, s.db, q, "SELECT version FROM {p}schema WHERE part = $1", part).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return version, err == nil, err
}

// SetVersion stores the version of a part of the schema.
func (s *Schema) SetVersion(ctx context.Context, q Querier, part string, version int64) error {
	_, err := s.db.ExecOn(ctx, q, "INSERT INTO {p}schema (part, version) VALUES ($1, $2)"+s.db.Dialect.Upsert("part", "version"), part, version)
	return err
}
