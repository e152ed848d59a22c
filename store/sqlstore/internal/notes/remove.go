package notes

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Removal returns the statements that drop the triggers of a prefix.
func Removal(ctx context.Context, db *database.DB) (all []string, err error) {
	err = eachTrigger(ctx, db, db.Conn(ctx), func(_, text string) { all = append(all, text) })
	return all, err
}

// dropStray drops triggers that no table of the mapping has, and of which {p}schema knows nothing. They
// may be older than the table of notes: then the application could not write its own.
func dropStray(ctx context.Context, s *Triggers, tx database.Querier) error {
	var known, stray []string
	for _, t := range s.targets() {
		known = append(known, s.name(t))
	}
	err := eachTrigger(ctx, s.db, tx, func(name, text string) {
		if !slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(name, k) }) {
			stray = append(stray, text)
		}
	})
	if err != nil {
		return err
	}
	for _, text := range stray {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// eachTrigger calls found with the name of each trigger of a prefix, in PostgreSQL of each function of
// triggers, and the statement that drops it. It asks the database which
// there are: no mapping may know them any more, and nothing may say that they were created.
//
// A prefix may begin with another one. So a trigger belongs to the prefix if its name begins
// with it and its text writes into the table of notes of this prefix.
func eachTrigger(ctx context.Context, db *database.DB, q database.Querier, found func(name, text string)) error {
	w := db.Arguments()
	prefix, text := w.Add(db.Prefix), w.Add(db.Statement("INSERT INTO {p}stale ("))
	query := `SELECT m.name, 'DROP TRIGGER IF EXISTS "' || m.name || '"' FROM sqlite_master m
		WHERE m.type = 'trigger' AND substr(m.name, 1, length(` + prefix + `)) = ` + prefix + ` AND instr(m.sql, ` + text + `) > 0 ORDER BY m.name`
	if db.Dialect == dialect.Postgres {
		// The triggers depend on their function, also those of partitions. A function is left if the application drops its table.
		query = `SELECT f.proname, format('DROP FUNCTION IF EXISTS %I.%I() CASCADE', current_schema(), f.proname) FROM pg_proc f
			WHERE f.pronamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = current_schema())
			AND left(f.proname, length(CAST(` + prefix + ` AS text))) = ` + prefix + ` AND (strpos(f.prosrc, ` + text + `) > 0 OR strpos(f.prosrc, '.' || substr(CAST(` + text + ` AS text), length('INSERT INTO ') + 1)) > 0) ORDER BY f.proname`
	}
	if db.Dialect == dialect.MariaDB {
		query = "SELECT t.trigger_name, concat('DROP TRIGGER IF EXISTS `', t.trigger_name, '`') FROM information_schema.triggers t WHERE t.trigger_schema = database()" +
			" AND left(t.trigger_name, char_length(" + prefix + ")) = " + prefix + " AND instr(t.action_statement, " + text + ") > 0 ORDER BY t.trigger_name"
	}
	query, args := db.Dialect.Bind(query, w.Values)
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err reports it
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return err
		}
		found(name, text)
	}
	return rows.Err()
}
