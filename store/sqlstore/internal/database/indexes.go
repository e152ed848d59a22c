package database

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Indexes brings the indexes of resources that the application asks for up to date: it drops those that
// are not wanted, and creates those that are missing. wanted lists what follows ON and the table.
// trigrams stands in it for the schema of pg_trgm. The name of an index has a sum of its text, so an
// index with another text is another one.
//
// PostgreSQL builds an index while others write. That is not possible in a transaction. SQLite lets
// others read.
func (s *Schema) Indexes(ctx context.Context, wanted []string, trigrams string) error {
	want := make(map[string]string)
	for _, text := range wanted {
		want[fmt.Sprintf("%s%x", s.indexPrefix(), sha256.Sum256([]byte(text)))[:len(s.indexPrefix())+8]] = text
	}
	var err error
	if s.db.Dialect == dialect.Postgres {
		err = s.db.Retry(ctx, func() error { return s.indexPostgres(ctx, want, trigrams) })
	} else {
		err = s.indexSQLite(ctx, want)
	}
	if err != nil {
		return fmt.Errorf("sqlstore: indexes for searches: %w", err)
	}
	return nil
}

// indexPrefix begins the names of the indexes.
func (s *Schema) indexPrefix() string { return s.db.Prefix + "resources_by_" }

// onResources is the table as CREATE INDEX names it.
func (s *Schema) onResources(name string) string { return name + " ON " + s.db.Prefix + "resources " }

// indexSQLite is Indexes for SQLite.
func (s *Schema) indexSQLite(ctx context.Context, want map[string]string) error {
	const query = "SELECT name, 1 FROM sqlite_master WHERE type = 'index' AND tbl_name = ?1 AND substr(name, 1, length(?2)) = ?2"
	have, err := s.listIndexes(ctx, s.db.Pool, query)
	if err != nil || isSame(have, want) {
		return err
	}
	return s.db.WriteAlone(ctx, func(ctx context.Context) error {
		conn := s.db.Conn(ctx)
		have, err := s.listIndexes(ctx, conn, query)
		if err != nil {
			return err
		}
		drop, create := differences(have, want)
		for _, name := range drop {
			if _, err := conn.ExecContext(ctx, "DROP INDEX "+name); err != nil {
				return err
			}
		}
		for _, name := range create {
			if _, err := conn.ExecContext(ctx, "CREATE INDEX "+s.onResources(name)+want[name]); err != nil {
				return err
			}
		}
		return nil
	})
}

// listIndexes lists the indexes that a query finds, and whether they are valid.
func (s *Schema) listIndexes(ctx context.Context, q Querier, query string) (map[string]bool, error) {
	rows, err := q.QueryContext(ctx, query, s.db.Prefix+"resources", s.indexPrefix())
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	have := make(map[string]bool)
	for rows.Next() {
		var name string
		var isValid bool
		if err := rows.Scan(&name, &isValid); err != nil {
			return nil, err
		}
		have[name] = isValid
	}
	return have, rows.Err()
}

// isSame reports whether nothing has to change.
func isSame(have map[string]bool, want map[string]string) bool {
	drop, create := differences(have, want)
	return len(drop)+len(create) == 0
}

// differences lists the indexes to drop and to create. One that is not valid is made again: whoever
// created it has failed.
func differences(have map[string]bool, want map[string]string) (drop, create []string) {
	for name, isValid := range have {
		if _, ok := want[name]; !ok || !isValid {
			drop = append(drop, name)
		}
	}
	for name := range maps.Keys(want) {
		if !have[name] {
			create = append(create, name)
		}
	}
	slices.Sort(drop)
	slices.Sort(create)
	return drop, create
}

// turnPause is how long a process waits before it looks again whether another one is done.
const turnPause = 200 * time.Millisecond

// indexPostgres is Indexes for PostgreSQL. One process at a time does this.
func (s *Schema) indexPostgres(ctx context.Context, want map[string]string, trigrams string) error {
	const query = `SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE i.indrelid = to_regclass(CAST($1 AS text)) AND left(c.relname, length(CAST($2 AS text))) = CAST($2 AS text)`
	have, err := s.listIndexes(ctx, s.db.Pool, query)
	if err != nil || isSame(have, want) {
		return err
	}
	turn, err := s.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer turn.Rollback() //nolint:errcheck // it does nothing after Commit
	if have, err = s.listIndexes(ctx, turn, query); err != nil {
		return err
	}
	on, word, err := s.builder(ctx, turn)
	if err != nil {
		return err
	}
	if err := s.build(ctx, on, word, have, want, trigrams); err != nil {
		return err
	}
	return turn.Commit()
}

// takeTurn returns a transaction that has the turn to change indexes. To wait for the lock inside of a
// transaction would be to hold a snapshot, and whoever creates an index waits for all snapshots.
func (s *Schema) takeTurn(ctx context.Context) (*sql.Tx, error) {
	for {
		turn, err := s.db.Pool.BeginTx(ctx, s.db.Dialect.Isolation())
		if err != nil {
			return nil, err
		}
		var hasTurn bool
		if err = turn.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock($1)", s.lockKey()+1).Scan(&hasTurn); hasTurn {
			return turn, nil
		}
		turn.Rollback() //nolint:errcheck // it has done nothing
		if err != nil {
			return nil, err
		}
		select {
		case <-time.After(turnPause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// builder returns what creates and drops indexes, and a word for that. While the transaction turn is open,
// the indexes are made outside of it, so that others can write. A pool of one connection has none
// left for that, and indexes of a partitioned table cannot be made so.
func (s *Schema) builder(ctx context.Context, turn *sql.Tx) (on Querier, word string, err error) {
	var isPartitioned bool
	err = turn.QueryRowContext(ctx, "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(CAST($1 AS text))", s.db.Prefix+"resources").Scan(&isPartitioned)
	if err != nil || isPartitioned || s.db.Pool.Stats().MaxOpenConnections == 1 {
		return turn, "", err
	}
	// The session keeps the snapshot of the last query until another statement comes, and the index would
	// wait for it. This one has no snapshot.
	_, err = turn.ExecContext(ctx, "SAVEPOINT turn")
	return s.db.Pool, "CONCURRENTLY ", err
}

// build drops and creates indexes.
func (s *Schema) build(ctx context.Context, on Querier, word string, have map[string]bool, want map[string]string, trigrams string) error {
	drop, create := differences(have, want)
	for _, name := range drop {
		if _, err := on.ExecContext(ctx, "DROP INDEX "+word+"IF EXISTS "+name); err != nil {
			return err
		}
	}
	for _, name := range create {
		text := want[name]
		if strings.Contains(text, trigrams) {
			schema, err := trigramSchema(ctx, on)
			if err != nil {
				return err
			}
			text = strings.ReplaceAll(text, trigrams, schema+".")
		}
		if _, err := on.ExecContext(ctx, "CREATE INDEX "+word+s.onResources(name)+text); err != nil {
			return err
		}
	}
	return nil
}

// trigramSchema installs the extensions that an index of trigrams needs, and returns the schema of
// pg_trgm.
func trigramSchema(ctx context.Context, q Querier) (schema string, err error) {
	const query = `SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
		WHERE e.extname = 'pg_trgm' AND EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'btree_gin')`
	err = q.QueryRowContext(ctx, query).Scan(&schema)
	if !errors.Is(err, sql.ErrNoRows) {
		return schema, err
	}
	for _, name := range []string{"pg_trgm", "btree_gin"} {
		if _, err := q.ExecContext(ctx, "CREATE EXTENSION IF NOT EXISTS "+name); err != nil {
			return "", fmt.Errorf("an index with Contains needs the extensions pg_trgm and btree_gin: install PostgreSQL's contrib modules, and let a role that may do so call "+
				"CREATE EXTENSION %s in this database; or leave Contains out: %w", name, err)
		}
	}
	err = q.QueryRowContext(ctx, query).Scan(&schema)
	return schema, err
}
