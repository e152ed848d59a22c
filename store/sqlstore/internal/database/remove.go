package database

import (
	"context"
	"fmt"
	"slices"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// ownTable is a table that the steps create. Its columns tell it from a table of the application
// that has its name.
type ownTable struct {
	name    string
	columns []string
	grows   bool            // grows says that steps may have added columns.
	only    dialect.Dialect // only is the database that has it; 0: all.
}

// owned are the tables in the order in which they are dropped. The last one says what is
// installed.
var owned = []ownTable{
	{name: "stale", columns: []string{"tenant", "type", "id", "member"}, grows: true},
	{name: "own", columns: []string{"id"}, only: dialect.SQLite},
	{name: "lookups", columns: []string{"tenant", "type", "path", "value", "id"}},
	{name: "members", columns: []string{"tenant", "group_id", "member_type", "member_id"}, grows: true},
	{name: "resources", columns: []string{"tenant", "type", "id", "collection", "search"}, grows: true},
	{name: "grants", columns: []string{"tenant", "user_id", "role_id", "source"}, grows: true},
	{name: "links", columns: []string{"tenant", "source", "roles"}, grows: true},
	{name: "links", columns: []string{"tenant", "group_id", "role_id", "role_name"}, grows: true}, // before the second step
	{name: "notes", columns: []string{"tenant", "kind", "key", "at", "body"}},
	{name: "users", columns: []string{"tenant", "user_id"}, only: dialect.Postgres},
	{name: "users", columns: []string{"tenant", "user_id"}, only: dialect.MariaDB},
	{name: "locks", columns: []string{"name"}, only: dialect.MariaDB},
	{name: "tokens", columns: []string{"tenant", "hash", "client", "last4", "last_used"}, grows: true},
	{name: "shares", columns: []string{"tenant", "sec", "given", "demand", "total"}, grows: true},
	{name: "entries", columns: []string{"tenant", "id", "key_id", "detail", "response"}, grows: true},
	{name: "entry_terms", columns: []string{"tenant", "term", "id"}, grows: true},
	{name: "entry_runs", columns: []string{"tenant", "run", "level", "bytes", "since_id", "until_id"}, grows: true},
	{name: "entry_parts", columns: []string{"tenant", "run", "begins", "pairs"}, grows: true},
	{name: "entry_keys", columns: []string{"tenant", "id", "wrapped"}, grows: true},
	{name: "entry_sizes", columns: []string{"tenant", "bytes"}, grows: true},
	{name: "entry_counts", columns: []string{"tenant", "day", "client", "what", "n", "at", "key_id", "name"}, grows: true},
	{name: "entry_beats", columns: []string{"process", "at"}, grows: true},
	{name: "entry_memos", columns: []string{"tenant", "id", "version", "value"}, grows: true},
	{name: "schema", columns: []string{"part", "version"}},
}

// is reports whether a table with these columns is t.
func (t *ownTable) is(columns []string) bool {
	isMissing := func(c string) bool { return !slices.Contains(columns, c) }
	return len(columns) > 0 && !slices.ContainsFunc(t.columns, isMissing) && (t.grows || len(columns) == len(t.columns))
}

// checkOwn returns an error if the application has a table with the name of one of ours. In MariaDB
// no statement of a migration fails if the table exists.
func (s *Schema) checkOwn(ctx context.Context) error {
	columns, _, err := s.tables(ctx)
	if err != nil {
		return err
	}
	for name, of := range columns {
		isMeant := func(t ownTable) bool { return s.db.Prefix+t.name == name }
		if slices.ContainsFunc(owned, isMeant) && !slices.ContainsFunc(owned, func(t ownTable) bool { return isMeant(t) && t.is(of) }) {
			return fmt.Errorf("the application has a table %s: use another Prefix", name)
		}
	}
	return nil
}

// Removal returns the statements that drop the tables. It asks the database which of them there
// are.
func (s *Schema) Removal(ctx context.Context) (all []string, err error) {
	columns, drop, err := s.tables(ctx)
	for _, t := range owned {
		name := s.db.Prefix + t.name
		if (t.only == 0 || t.only == s.db.Dialect) && t.is(columns[name]) {
			all = append(all, drop[name])
		}
	}
	return all, err
}

// tables lists the tables whose names begin with the prefix: their columns, and the statements that
// drop them.
func (s *Schema) tables(ctx context.Context) (columns map[string][]string, drop map[string]string, err error) {
	w := s.db.Arguments()
	prefix := w.Add(s.db.Prefix)
	query := `SELECT m.name, i.name, 'DROP TABLE IF EXISTS "' || m.name || '"' FROM sqlite_master m JOIN pragma_table_info(m.name) i
		WHERE m.type = 'table' AND substr(m.name, 1, length(` + prefix + `)) = ` + prefix
	if s.db.Dialect == dialect.Postgres {
		query = `SELECT c.relname, a.attname, format('DROP TABLE IF EXISTS %I.%I', current_schema(), c.relname)
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = current_schema()) AND c.relkind IN ('r', 'p')
			AND left(c.relname, length(CAST(` + prefix + ` AS text))) = ` + prefix
	}
	if s.db.Dialect == dialect.MariaDB {
		query = "SELECT c.table_name, c.column_name, concat('DROP TABLE IF EXISTS `', c.table_name, '`') FROM information_schema.columns c" +
			" JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE'" +
			" WHERE c.table_schema = database() AND left(c.table_name, char_length(" + prefix + ")) = " + prefix
	}
	columns, drop = make(map[string][]string), make(map[string]string)
	err = s.db.EachAppRow(ctx, w, query, func(scan func(...any) error) error {
		var table, column, text string
		err := scan(&table, &column, &text)
		columns[table], drop[table] = append(columns[table], column), text
		return err
	})
	return columns, drop, err
}

// LockSchema excludes processes that migrate, until the transaction ends, or, in MariaDB, until
// unlock is called.
func (s *Schema) LockSchema(ctx context.Context) (unlock func(), err error) {
	switch s.db.Dialect { // In SQLite a transaction has the database to itself.
	case dialect.MariaDB:
		return s.lockSession(ctx, s.db.Conn(ctx))
	case dialect.Postgres:
		_, err = s.db.Conn(ctx).ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", s.lockKey())
	}
	return func() {}, err
}
