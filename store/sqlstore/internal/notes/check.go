package notes

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Check looks for triggers that Migrate has created, and that are gone or disabled, or follow
// columns that were renamed. Its error has a line for each table.
func (s *Triggers) Check(ctx context.Context) (err error) {
	q := s.db.Conn(ctx)
	isThere, err := s.schema.Exists(ctx)
	if err != nil || !isThere {
		return err
	}
	path, err := s.searchPath(ctx, q)
	if err != nil {
		return err
	}
	for _, t := range s.targets() {
		what, failed := checkTarget(ctx, s, q, t, path)
		if failed != nil {
			return fmt.Errorf("sqlstore: table %s: triggers: %w", t.table, failed)
		}
		if what != "" {
			err = errors.Join(err, fmt.Errorf("sqlstore: table %s: triggers %s, so clients do not see changes of the application: call Migrate, which creates them again", t.table, what))
		}
	}
	return err
}

// checkTarget returns what is wrong with the triggers of a table, or an empty text. If the mapping
// is another one since they were created, it does not look which columns they follow.
func checkTarget(ctx context.Context, s *Triggers, q database.Querier, t target, path string) (what string, err error) {
	have, created, err := s.schema.Version(ctx, q, t.part())
	if err != nil || !created {
		return "", err
	}
	exist, err := s.exist(ctx, q, t)
	if err != nil {
		return "", err
	}
	if !exist {
		return "are gone or disabled", nil
	}
	if err := lookAt(ctx, s, q, &t); err != nil {
		return "", err
	}
	current := true
	if have == versionOf(t, s.replace(t), path) {
		current, err = areCurrent(ctx, s, q, t)
	}
	if err != nil || current {
		return "", err
	}
	return "follow a column that was renamed", nil
}

// exist reports whether a table has its triggers. A table that is dropped and created
// anew, which is how SQLite's tables are altered, has none.
func (s *Triggers) exist(ctx context.Context, q database.Querier, t target) (bool, error) {
	query := "SELECT count(*) FROM pg_trigger WHERE tgname IN ($1 || '_insert', $1 || '_update', $1 || '_moved', $1 || '_delete', $1 || '_before', $1 || '_truncate') AND tgrelid = to_regclass($2) AND tgenabled IN ('O', 'A')"
	table := t.table
	if t.isView {
		return true, nil
	}
	switch s.db.Dialect {
	case dialect.MariaDB:
		return s.existInMariaDB(ctx, q, t)
	case dialect.SQLite:
		query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN ($1 || '_insert', $1 || '_update', $1 || '_moved', $1 || '_delete', $1 || '_before') AND lower(tbl_name) = lower($2)"
		table = strings.Trim(lastName.FindString(t.table), `"`)
	}
	n := 0
	err := q.QueryRowContext(ctx, query, s.name(t), table).Scan(&n)
	return n == len(t.events(s.db.Dialect)), err
}

// areCurrent reports whether the mapped columns of a table are those for which its triggers were
// created. If a column is renamed, triggers of SQLite and PostgreSQL follow it, and another column may
// get the name. Its values were never noted.
func areCurrent(ctx context.Context, s *Triggers, q database.Querier, t target) (bool, error) {
	is, err := placesOf(ctx, s, q, t)
	if err != nil {
		return false, err
	}
	was, known, err := s.schema.Version(ctx, q, t.placesPart())
	return was == is || !known, err
}

// columnQueries list the columns of a table, and the places where the table has them. In PostgreSQL a
// column keeps its place for ever, and in the other databases until a column before it is dropped.
var columnQueries = map[dialect.Dialect]string{
	dialect.SQLite:   "SELECT lower(x.name), x.cid FROM (SELECT $1 AS unused) JOIN pragma_table_xinfo($2) AS x", // mattn's driver wants $1 first
	dialect.Postgres: "SELECT attname, attnum FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND CAST($2 AS text) = $2",
	dialect.MariaDB: "SELECT lower(column_name), ordinal_position FROM information_schema.columns" +
		" WHERE table_schema = coalesce(nullif($1, ''), database()) AND table_name = $2",
}

// placesOf returns a number that stands for the places of the mapped columns in their table.
func placesOf(ctx context.Context, s *Triggers, q database.Querier, t target) (int64, error) {
	if t.isView {
		return 0, nil
	}
	first, table := dialect.SchemaAndTable(t.table)
	if s.db.Dialect == dialect.Postgres {
		first = t.table
	}
	text, args := s.db.Dialect.Bind(columnQueries[s.db.Dialect], []any{first, table})
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", t.table, err)
	}
	defer rows.Close() //nolint:errcheck // Err reports it
	places := make(map[string]int)
	for rows.Next() {
		var name string
		var place int
		if err := rows.Scan(&name, &place); err != nil {
			return 0, err
		}
		places[name] = place
	}
	h := fnv.New64a()
	for _, c := range t.columns {
		fmt.Fprint(h, c, "\x00", places[plainName(s.db.Dialect, c)], "\x00") //nolint:errcheck // never fails
	}
	return int64(h.Sum64() >> 1), rows.Err()
}

// plainName returns the name of a column as columnQueries do.
func plainName(d dialect.Dialect, column string) string {
	if d == dialect.Postgres && strings.HasPrefix(column, `"`) {
		return strings.ReplaceAll(strings.Trim(column, `"`), `""`, `"`)
	}
	return strings.ToLower(strings.Trim(column, "`\""))
}
