package apptables

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// Visible may say something else than the application means. The rows that are there tell, as they
// would be after a change of some columns.

// checkRetired looks whether Visible excludes a row into which Retire has written these values. It
// says nothing about a condition that may read any column, or one that the database computes.
func checkRetired(ctx context.Context, m *Table, values map[string]any) error {
	if m.Visible == "" || m.VisibleColumns == nil || len(values) == 0 || m.IsView {
		return nil
	}
	all, err := columnsOf(ctx, m.db, m.Name)
	if err != nil {
		return fmt.Errorf("sqlstore: table %s: %w", m.Name, err)
	}
	if slices.ContainsFunc(all, func(c column) bool { return c.fill == computed && visibleReads(m, c.name) }) {
		return nil
	}
	seen := !visibleReads(m, slices.Collect(maps.Keys(values))...)
	if !seen {
		seen, err = remainVisible(ctx, m, values)
	}
	if err == nil && seen {
		err = finding(m.Name, "clients would still see a row that Retire has written: Visible must exclude it")
	}
	return err
}

// visibleReads reports whether Visible reads one of these columns.
func visibleReads(m *Table, columns ...string) bool {
	return slices.ContainsFunc(m.VisibleColumns, func(read string) bool {
		return slices.ContainsFunc(columns, func(c string) bool { return isSame(read, c) })
	})
}

// remainVisible reports whether clients would see one of the rows that they see, if columns had these values.
func remainVisible(ctx context.Context, m *Table, values map[string]any) (found bool, err error) {
	all, err := columnsOf(ctx, m.db, m.Name)
	if err != nil {
		return false, fmt.Errorf("sqlstore: table %s: %w", m.Name, err)
	}
	w := m.db.Arguments()
	columns := make([]string, len(all))
	for i, c := range all {
		name := dialect.QuoteName(m.db.Dialect, c.name)
		columns[i] = "t." + name
		for given, v := range values {
			if isSame(given, c.name) && visibleReads(m, given) { // CASE gives the value the type of the column.
				columns[i] = "CASE WHEN 1 = 0 THEN t." + name + " ELSE " + w.Add(v) + " END AS " + name
			}
		}
	}
	text := "SELECT 1 FROM (SELECT " + strings.Join(columns, ", ") + " FROM " + m.Name + " AS t WHERE " + m.Visible + ") AS t WHERE " + m.Visible + " LIMIT 1"
	err = m.db.EachAppRow(ctx, w, text, func(func(...any) error) error { found = true; return nil })
	if err != nil {
		err = fmt.Errorf("sqlstore: table %s: Visible: %w", m.Name, err)
	}
	return found, err
}

// holdsOtherWords reports whether the table has rows, and none of them the value of an active user.
func holdsOtherWords(ctx context.Context, m *Table, c *mapping.BoundColumn) (yes bool, err error) {
	if len(c.Values) == 0 {
		return false, nil
	}
	table := placeOf(m, c).table
	has := func(condition string) (found bool) {
		if err == nil {
			err = m.db.EachAppRow(ctx, m.db.Arguments(), "SELECT 1 FROM "+table+" AS t WHERE "+condition+" LIMIT 1", func(func(...any) error) error { found = true; return nil })
		}
		return found
	}
	users := "1 = 1"
	if m.Visible != "" && c.Beside == 0 { // The table may hold the rows of another type, too.
		users = m.Visible
	}
	yes = !has("t."+c.Name+" = "+literal(c.Values[0])) && has(users)
	if err != nil {
		err = fmt.Errorf("sqlstore: table %s: %w", table, err)
	}
	return yes, err
}
