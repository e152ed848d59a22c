package notes

import (
	"context"
	"fmt"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
)

// sqlite returns the statements that create the triggers of a table in SQLite. It compiles a trigger
// each time that a statement is prepared which may fire it, and that costs more than the note. So an
// update has one trigger for what it changes and one for moved rows, each only for updates that
// name such a column.
func (s *Triggers) sqlite(t target) []string {
	name := s.name(t)
	insert := func(text string) string { return text + onceInSQLite(s.db.Dialect) }
	unless := func(row string) string {
		if !t.isBulk {
			return ""
		}
		return " WHEN NOT EXISTS (SELECT 1 FROM {p}own WHERE id = CAST(" + row + "." + t.place[0] + " AS text))" // see Notes.Silence
	}
	all := []string{
		fmt.Sprintf("CREATE TRIGGER %s_insert AFTER INSERT ON %s%s BEGIN %s; END", name, t.table, unless("NEW"), insert(t.insert("NEW"))),
		fmt.Sprintf("CREATE TRIGGER %s_update AFTER UPDATE%s ON %s%s BEGIN %s; END", name, t.named(t.only), t.table, s.when(t), insert(t.insert("NEW"))),
		fmt.Sprintf("CREATE TRIGGER %s_moved AFTER UPDATE%s ON %s WHEN %s BEGIN %s; END", name, t.named(t.place), t.table, s.changes(t.place), insert(t.insertGone("OLD"))),
		fmt.Sprintf("CREATE TRIGGER %s_delete %s DELETE ON %s%s BEGIN %s; END", name, t.whenErased(), t.table, unless("OLD"), insert(t.insertGone("OLD"))),
	}
	if t.isUnder {
		all = append(all, fmt.Sprintf("CREATE TRIGGER %s_before BEFORE UPDATE ON %s BEGIN %s; END", name, t.table, insert(t.insertGone("OLD"))))
	}
	return all
}

// rowNumbers are what SQLite calls the key of a table whose key is a number, besides its name.
var rowNumbers = []string{"rowid", "_rowid_", "oid"}

// named is the clause that limits a trigger to updates that name one of the columns; nil: all
// columns. An update changes others too if one is computed.
func (t *target) named(columns []string) string {
	if columns == nil || t.isComputed {
		return ""
	}
	return " OF " + strings.Join(append(columns[:len(columns):len(columns)], rowNumbers...), ", ")
}

// changesRow is changes for SQLite. It compiles one comparison of two rows faster than one of each column.
// The column's own collation may take two spellings for one.
func changesRow(columns []string) string {
	return "(OLD." + strings.Join(columns, " COLLATE BINARY, OLD.") + " COLLATE BINARY) IS NOT (NEW." + strings.Join(columns, ", NEW.") + ")"
}

// findComputed finds out whether a table has a column whose value comes from others.
func (s *Triggers) findComputed(ctx context.Context, q database.Querier, t *target) error {
	n := 0
	err := q.QueryRowContext(ctx, "SELECT count(*) FROM pragma_table_xinfo($1) c WHERE c.hidden IN (2, 3)", strings.Trim(lastName.FindString(t.table), "`\"")).Scan(&n)
	if err != nil {
		return fmt.Errorf("%s: %w", t.table, err)
	}
	t.isComputed = n > 0
	return nil
}
