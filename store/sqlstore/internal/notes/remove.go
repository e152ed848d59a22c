package notes

import (
	"context"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Removal returns the statements that drop the triggers of a prefix. It asks the database which
// there are: no mapping may know them any more, and nothing may say that they were created.
//
// A prefix may begin with another one. So a trigger belongs to the prefix if its name begins
// with it and its text writes into the table of notes of this prefix.
func Removal(ctx context.Context, db *database.DB) (all []string, err error) {
	w := db.Arguments()
	prefix, text := w.Add(db.Prefix), w.Add(db.Statement("INSERT INTO {p}stale ("))
	query := `SELECT 'DROP TRIGGER IF EXISTS "' || m.name || '"' FROM sqlite_master m
		WHERE m.type = 'trigger' AND substr(m.name, 1, length(` + prefix + `)) = ` + prefix + ` AND instr(m.sql, ` + text + `) > 0 ORDER BY m.name`
	if db.Dialect == dialect.Postgres {
		// The triggers depend on their function, also those of partitions. A function is left if the application drops its table.
		query = `SELECT format('DROP FUNCTION IF EXISTS %I.%I() CASCADE', current_schema(), f.proname) FROM pg_proc f
			WHERE f.pronamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = current_schema())
			AND left(f.proname, length(CAST(` + prefix + ` AS text))) = ` + prefix + ` AND strpos(f.prosrc, ` + text + `) > 0 ORDER BY f.proname`
	}
	if db.Dialect == dialect.MariaDB {
		query = "SELECT concat('DROP TRIGGER IF EXISTS `', t.trigger_name, '`') FROM information_schema.triggers t WHERE t.trigger_schema = database()" +
			" AND left(t.trigger_name, char_length(" + prefix + ")) = " + prefix + " AND instr(t.action_statement, " + text + ") > 0 ORDER BY t.trigger_name"
	}
	err = db.EachAppRow(ctx, w, query, database.Texts(&all))
	return all, err
}
