package notes

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// changesBytes is changes for MariaDB, which otherwise compares as the column's collation does.
func changesBytes(columns []string) string {
	var any []string
	for _, c := range columns {
		any = append(any, "NOT (CAST(OLD."+c+" AS BINARY) <=> CAST(NEW."+c+" AS BINARY))")
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// mariadb returns the statements that create the triggers of a table in MariaDB. They run for each
// row, with the rights of the account that migrated.
//
// A statement INSERT ... SELECT reads what is committed now, also in a transaction at
// REPEATABLE READ. So a trigger knows of a tenant that was enrolled after its transaction began.
func (s *Triggers) mariadb(t target) []string {
	trigger := func(event, when, condition string, statements ...string) string {
		body := strings.Join(statements, "; ") + ";"
		if condition != "" {
			body = "IF " + condition + " THEN " + body + " END IF;"
		}
		// The order of the columns lets the transaction come first.
		body = strings.ReplaceAll(body, "INSERT INTO {p}stale (tenant, type, id, member) SELECT ",
			"INSERT INTO {p}stale (tx, tenant, type, id, member) SELECT coalesce("+database.Mark+", 0), ")
		return fmt.Sprintf("CREATE OR REPLACE TRIGGER %s_%s %s ON %s FOR EACH ROW BEGIN %s END",
			inDatabaseOf(t.table, s.name(t)), event, when, t.table, body)
	}
	unless := func(row string) string {
		if !t.isBulk {
			return ""
		}
		return "NOT (" + s.db.Dialect.AsText(row+"."+t.place[0]) + " <=> " + ownVariable + ")" // see Notes.Silence
	}
	changes := ""
	if t.only != nil {
		changes = s.changes(t.only)
	}
	all := []string{
		trigger("insert", "AFTER INSERT", unless("NEW"), t.insert("NEW")),
		trigger("update", "AFTER UPDATE", changes, "IF "+s.changes(t.place)+" THEN "+t.insertGone("OLD")+"; END IF", t.insert("NEW")),
		trigger("delete", t.whenErased()+" DELETE", unless("OLD"), t.insertGone("OLD")),
	}
	if t.isUnder {
		all = append(all, trigger("before", "BEFORE UPDATE", "", t.insertGone("OLD")))
	}
	return all
}

// inDatabaseOf returns the name of a trigger with that of the database of its table.
func inDatabaseOf(table, trigger string) string {
	return strings.TrimSuffix(table, lastName.FindString(table)) + trigger
}

// unsettle stores that a table has no triggers, before they are replaced. In MariaDB each statement
// commits by itself, and the next Migrate must not take them for complete.
func (s *Triggers) unsettle(ctx context.Context, tx database.Querier, t target, known bool) error {
	if s.db.Dialect != dialect.MariaDB || !known {
		return nil
	}
	return s.schema.SetVersion(ctx, tx, t.part(), -1)
}

// existInMariaDB is exist for MariaDB.
func (s *Triggers) existInMariaDB(ctx context.Context, tx database.Querier, t target) (bool, error) {
	schema, table := dialect.SchemaAndTable(t.table)
	n := 0
	err := database.QueryRowOn(ctx, s.db, tx, "SELECT count(*) FROM information_schema.triggers WHERE event_object_schema = coalesce(nullif($1, ''), database())"+
		" AND event_object_table = $2 AND trigger_name IN (concat($3, '_insert'), concat($3, '_update'), concat($3, '_delete'), concat($3, '_before'))", schema, table, s.name(t)).Scan(&n)
	return n == len(t.events(s.db.Dialect)), err
}

// awaitInMariaDB is awaitWriters for MariaDB.
func (s *Triggers) awaitInMariaDB(ctx context.Context, t target) error {
	conn, err := s.db.Pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	if _, err := conn.ExecContext(ctx, "LOCK TABLES "+t.table+" READ"); err != nil {
		return err
	}
	if _, err = conn.ExecContext(context.WithoutCancel(ctx), "UNLOCK TABLES"); err != nil {
		conn.Raw(func(any) error { return driver.ErrBadConn }) //nolint:errcheck // it closes the connection, and with it the lock
	}
	return err
}
