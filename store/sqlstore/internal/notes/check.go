package notes

import (
	"context"
	"errors"
	"fmt"
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
		what, failed := s.checkTarget(ctx, q, t, path)
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
func (s *Triggers) checkTarget(ctx context.Context, q database.Querier, t target, path string) (what string, err error) {
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
	if err := s.lookAt(ctx, q, &t); err != nil {
		return "", err
	}
	current := true
	if have == versionOf(t, s.replace(t), path) {
		current, err = s.areCurrent(ctx, q, t)
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

// areCurrent reports whether the triggers of a table are those that were created. If a column is
// renamed, the database lets triggers follow it, and another column may get the name. In MariaDB
// a trigger is a text, and reads the column that has the name.
func (s *Triggers) areCurrent(ctx context.Context, q database.Querier, t target) (bool, error) {
	switch {
	case t.isView:
		return true, nil
	case s.db.Dialect == dialect.SQLite:
		return s.haveTexts(ctx, q, t)
	case s.db.Dialect == dialect.Postgres && !t.isBulk: // Triggers of statements name no columns.
		return s.compareColumns(ctx, q, t)
	}
	return true, nil
}

// haveTexts reports whether the triggers of a table have the texts by which they were created.
func (s *Triggers) haveTexts(ctx context.Context, q database.Querier, t target) (bool, error) {
	for _, text := range s.sqlite(t) {
		n := 0
		err := q.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND sql = $1", strings.ReplaceAll(text, "{p}", s.db.Prefix)).Scan(&n)
		if err != nil || n == 0 {
			return false, err
		}
	}
	return true, nil
}

// compareColumns reports whether the conditions of triggers in PostgreSQL are about the columns that
// have the names now.
func (s *Triggers) compareColumns(ctx context.Context, q database.Querier, t target) (bool, error) {
	for event, columns := range map[string][]string{"update": t.only, "moved": t.place} {
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = plainName(c)
		}
		n := 0
		err := q.QueryRowContext(ctx, `SELECT count(*) FROM (
			SELECT d.refobjsubid FROM pg_trigger g JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = g.oid
			AND d.refclassid = 'pg_class'::regclass AND d.refobjid = g.tgrelid AND d.refobjsubid <> 0 WHERE g.tgrelid = to_regclass($1) AND g.tgname = $2
			EXCEPT SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attname IN (SELECT json_array_elements_text(CAST($3 AS json)))) x`,
			t.table, s.name(t)+"_"+event, dialect.List(names)).Scan(&n)
		if err != nil || n > 0 {
			return false, err
		}
	}
	return true, nil
}

// plainName returns the name of a column of PostgreSQL as the database keeps it.
func plainName(column string) string {
	if name, isQuoted := strings.CutPrefix(column, `"`); isQuoted {
		return strings.ReplaceAll(strings.TrimSuffix(name, `"`), `""`, `"`)
	}
	return strings.ToLower(column)
}
