package apptables

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// Names of the application's that are not there are found when a program starts, not
// when a client first needs them.

// Check looks for the table, its columns and those of its children.
func (m *Table) Check(ctx context.Context) (err error) {
	columns := mapping.NonEmpty(m.Key, m.Tenant, m.Created)
	for _, c := range m.Columns {
		columns = append(columns, c.Name)
	}
	if m.Retire != nil {
		columns = slices.AppendSeq(columns, maps.Keys(m.Retire(time.Now())))
	}
	columns = slices.AppendSeq(columns, maps.Keys(m.Revive))
	err = errors.Join(err, CheckNames(ctx, m.db, m.Name, m.Visible, columns...))
	if err == nil {
		err = typesOf(ctx, m.db, m.Name, m.Columns)
	}
	if err == nil && m.Visible != "" {
		m.VisibleColumns, err = m.LookedAt(ctx)
	}
	for _, c := range m.Children {
		columns := mapping.NonEmpty(c.Parent, c.Order)
		for _, b := range c.Columns {
			columns = append(columns, b.Name)
		}
		err = errors.Join(err, CheckNames(ctx, m.db, c.Name, "", columns...))
		if err == nil {
			err = typesOf(ctx, m.db, c.Name, c.Columns)
		}
	}
	return err
}

// Check looks for the table and its columns.
func (s *Joins) Check(ctx context.Context) error {
	return CheckNames(ctx, s.db, s.Name, "", mapping.NonEmpty(s.Group, s.User, s.Since)...)
}

// CheckNames asks the database for a table, its columns, and a condition on a row called t.
func CheckNames(ctx context.Context, db *database.DB, table, condition string, columns ...string) error {
	ask := func(what string) error {
		// t. also because SQLite takes an unknown "name" for a text.
		return db.EachAppRow(ctx, db.Arguments(), "SELECT "+what+" FROM "+table+" AS t WHERE 1 = 0", func(func(...any) error) error { return nil })
	}
	if err := ask("1"); err != nil {
		return fmt.Errorf("sqlstore: table %s: %w", table, err)
	}
	var all error
	for _, c := range columns {
		if err := ask("t." + c); err != nil {
			all = errors.Join(all, fmt.Errorf("sqlstore: table %s: column %s: %w", table, c, err))
		}
	}
	if condition != "" {
		if err := ask("CASE WHEN " + condition + " THEN 1 END"); err != nil {
			all = errors.Join(all, fmt.Errorf("sqlstore: table %s: Visible: %w", table, err))
		}
	}
	return all
}

// whole matches what may look at more than the columns that it names: the row as a whole,
// or other tables.
var whole = regexp.MustCompile(`(?i)\bt\s*([^\s.\w]|$)|\bselect\b`)

// calls matches what looks like a call, and ofArguments are those that look at their arguments
// only.
var (
	calls       = regexp.MustCompile(`(\w+)\s*\(`)
	ofArguments = []string{"and", "or", "not", "in", "case", "when", "coalesce", "nullif", "lower", "upper", "trim", "length", "cast", "abs"}
)

var word = regexp.MustCompile(`\w+`)

// LookedAt lists the columns that Visible is about, so that changes of others, such as the
// time when somebody was last here, need not be noted. Nil: any.
func (m *Table) LookedAt(ctx context.Context) ([]string, error) {
	if whole.MatchString(m.Visible) {
		return nil, nil
	}
	for _, call := range calls.FindAllStringSubmatch(m.Visible, -1) {
		if !slices.Contains(ofArguments, strings.ToLower(call[1])) {
			return nil, nil
		}
	}
	rows, err := m.db.Conn(ctx).QueryContext(ctx, "SELECT * FROM "+m.Name+" AS t WHERE 1 = 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // there are none
	all, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	named := word.FindAllString(strings.ToLower(m.Visible), -1)
	found := []string{}
	for _, c := range all {
		if len(word.FindString(c)) != len(c) { // has a blank, or the like
			return nil, nil
		}
		if slices.Contains(named, strings.ToLower(c)) {
			found = append(found, `"`+c+`"`)
		}
	}
	return found, rows.Err()
}

// typesOf asks for the types of columns.
func typesOf(ctx context.Context, db *database.DB, table string, columns []mapping.BoundColumn) error {
	text := "SELECT 1"
	for i := range columns {
		text += ", t." + columns[i].Name
	}
	rows, err := db.Conn(ctx).QueryContext(ctx, text+" FROM "+table+" AS t WHERE 1 = 0")
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // there are none
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	for i := range columns {
		columns[i].DatabaseType = types[i+1].DatabaseTypeName()
	}
	return rows.Err()
}
