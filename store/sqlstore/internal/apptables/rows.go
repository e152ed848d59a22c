// Package apptables reads and writes the tables of the application, as their mappings say.
package apptables

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// Table is a table of the application that a type is mapped onto.
type Table struct {
	*mapping.Mapping
	db *database.DB
	// unique are the unique indexes with the column of userName. Check stores them, also while
	// requests run.
	unique atomic.Pointer[[]nameIndex]
	// updatedIsText says that the column Updated holds texts. Check stores it.
	updatedIsText atomic.Bool
}

// NewTable returns the table of a mapping.
func NewTable(db *database.DB, m *mapping.Mapping) *Table { return &Table{Mapping: m, db: db} }

// mine is the condition that a row, as t, belongs to the tenant. Every statement on the
// table has it.
func (m *Table) mine(w *dialect.Arguments) string { return OfTenant(m.db, w, "t", m.Tenant) }

// OfTenant is the condition that a row, given by its alias, belongs to the tenant. column may be
// empty: Bind allows it for one tenant only, or where keys tell tenants apart.
func OfTenant(db *database.DB, w *dialect.Arguments, row, column string) string {
	if column == "" {
		return "1 = 1"
	}
	column, tenant := row+"."+column, w.Add(db.Tenant)
	mine := column + " = " + tenant
	if db.Dialect == dialect.MariaDB { // Its collations do not tell "a" from "A", and it reads a number in "7x".
		mine += " AND " + db.Dialect.AsText(column) + " = " + tenant
	}
	return mine
}

// from is the FROM clause for the tenant's rows with some keys, with a condition to which others
// may be added. SQLite looks them up by their keys. Without statistics it would otherwise go
// through all rows of the tenant, if their column has an index.
func from(m *Table, w *dialect.Arguments, keys []string) string {
	if m.db.Dialect == dialect.SQLite { // Visible may name columns without t, such as key.
		return " FROM (SELECT value AS scim_wanted FROM json_each(" + w.Add(dialect.List(keys)) + ")) AS w CROSS JOIN " + m.Name + " AS t ON t." + m.Key + " = w.scim_wanted" +
			" WHERE " + m.mine(w)
	}
	return " FROM " + m.Name + " AS t WHERE " + m.mine(w) + " AND " + w.In("t."+m.Key, keys)
}

// These are locks on rows in PostgreSQL. ToUpdate excludes other writers. ToBeErased also
// excludes transactions that insert rows that refer to the locked ones.
const (
	Unlocked   = ""
	ToUpdate   = " FOR NO KEY UPDATE"
	ToBeErased = " FOR UPDATE"
)

// Invisible lists those of these keys that no visible row has.
func (m *Table) Invisible(ctx context.Context, keys []string) ([]string, error) {
	visible := make(map[string]bool, len(keys))
	for part := range slices.Chunk(keys, dialect.MaxArguments) {
		w := m.db.Arguments()
		text := "SELECT " + m.db.Dialect.AsText("t."+m.Key) + from(m, w, part)
		if m.Visible != "" {
			text += " AND (" + m.Visible + ")"
		}
		err := m.db.EachAppRow(ctx, w, text, func(scan func(...any) error) error {
			var key string
			err := scan(&key)
			visible[key] = true
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("sqlstore: rows of %s: %w", m.Name, err)
		}
	}
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return visible[key] }), nil
}

// Keys lists keys of the tenant's rows in their order, at most limit, from one of them on. The
// list begins with that one: keys may be equal to the database.
func Keys(ctx context.Context, m *Table, from string, limit int) (keys []string, err error) {
	w := m.db.Arguments()
	text := "SELECT " + m.db.Dialect.AsText("t."+m.Key) + " FROM " + m.Name + " AS t WHERE " + m.mine(w) + " AND " + mapping.NotNull("t", []string{m.Key})
	if from != "" {
		text += " AND t." + m.Key + " >= " + w.Add(from)
	}
	if err := m.db.EachAppRow(ctx, w, text+" ORDER BY t."+m.Key+" LIMIT "+strconv.Itoa(limit), database.Texts(&keys)); err != nil {
		return nil, fmt.Errorf("sqlstore: keys of %s: %w", m.Name, err)
	}
	return keys, nil
}

// Read reads the rows with these keys.
func (m *Table) Read(ctx context.Context, keys []string, lock string) (map[string]*mapping.Row, error) {
	rows, err := ReadUnseen(ctx, m, keys, lock)
	for _, row := range rows {
		row.Seen = mapping.See(m.Mapping, row)
	}
	return rows, err
}

// ReadUnseen is Read for rows of which nothing was seen before. They have no Seen.
func ReadUnseen(ctx context.Context, m *Table, keys []string, lock string) (map[string]*mapping.Row, error) {
	rows := make(map[string]*mapping.Row, len(keys))
	for len(keys) > 0 {
		n := min(len(keys), dialect.MaxArguments)
		if err := m.readChunk(ctx, keys[:n], lock, rows); err != nil {
			return nil, fmt.Errorf("sqlstore: rows of %s: %w", m.Name, err)
		}
		keys = keys[n:]
	}
	return rows, nil
}

// ReadExempt returns those of up to MaxArguments keys whose rows are Exempt.
func (m *Table) ReadExempt(ctx context.Context, keys []string) (exempt []string, err error) {
	w := m.db.Arguments()
	err = m.db.EachAppRow(ctx, w, "SELECT "+m.db.Dialect.AsText("t."+m.Key)+from(m, w, keys)+" AND ("+m.Exempt+")", database.Texts(&exempt))
	if err != nil {
		return nil, fmt.Errorf("sqlstore: Exempt of %s: %w", m.Name, err)
	}
	return exempt, nil
}

// readChunk reads up to MaxArguments rows, with their children.
func (m *Table) readChunk(ctx context.Context, keys []string, lock string, rows map[string]*mapping.Row) error {
	visible, created := "1", "NULL"
	if m.Visible != "" {
		visible = "CASE WHEN (" + m.Visible + ") THEN 1 ELSE 0 END"
	}
	if m.Created != "" {
		created = "t." + m.Created
	}
	if m.IsView {
		if err := besidesOf(m).lockUnder(ctx, keys, lock); err != nil {
			return err
		}
		lock = Unlocked
	}
	own := m.ColumnsOf(0)
	text := "SELECT " + m.db.Dialect.AsText("t."+m.Key) + ", " + visible + ", " + created
	for i := range own {
		text += ", t." + own[i].Name
	}
	for _, ref := range refsOf(m) {
		text += ", " + m.db.Dialect.AsText("t."+ref)
	}
	w := m.db.Arguments()
	text += from(m, w, keys) + m.db.Dialect.Lock(lock)
	read := make(map[string]*mapping.Row, len(keys))
	err := m.db.EachAppRow(ctx, w, text, func(scan func(...any) error) error {
		key, r, err := scanRow(m, scan, len(own))
		read[key] = r
		return err
	})
	if err != nil {
		return err
	}
	for i := range m.Beside {
		if err := besidesOf(m).read(ctx, i, lock, read); err != nil {
			return err
		}
	}
	maps.Copy(rows, read)
	for i := range m.Children {
		if err := m.readChildren(ctx, i, keys, rows); err != nil {
			return fmt.Errorf("%s: %w", m.Children[i].Name, err)
		}
	}
	return nil
}

// scanRow scans a row whose own columns are so many.
func scanRow(m *Table, scan func(...any) error, own int) (key string, r *mapping.Row, err error) {
	r = &mapping.Row{Cells: make([]any, len(m.Columns)), Beside: make([]mapping.Other, len(m.Beside)), Children: make([][]any, len(m.Children))}
	var at any
	dest := []any{&key, &r.Visible, &at}
	for i := range own {
		dest = append(dest, &r.Cells[i])
	}
	refs := make([]*string, len(m.Beside)) // NULL refers to no row.
	for i := range m.Beside {
		if m.Beside[i].Ref != "" {
			dest = append(dest, &refs[i])
		}
	}
	if err := scan(dest...); err != nil {
		return "", nil, err
	}
	r.Created = mapping.ParseInstant(at)
	for i := range own {
		r.Cells[i] = mapping.PlainCell(r.Cells[i])
	}
	for i, ref := range refs {
		if ref != nil {
			r.Beside[i].Key = *ref
		}
	}
	return key, r, nil
}

// readChildren reads the rows of the i-th child table.
func (m *Table) readChildren(ctx context.Context, i int, keys []string, rows map[string]*mapping.Row) error {
	c := m.Children[i]
	text := "SELECT " + m.db.Dialect.AsText("c."+c.Parent)
	for _, column := range c.Columns {
		text += ", c." + column.Name
	}
	order := c.Order
	if order == "" {
		order = c.Columns[0].Name
	}
	w := m.db.Arguments()
	text += " FROM " + c.Name + " AS c WHERE " + OfTenant(m.db, w, "c", c.Tenant) + " AND " + w.In("c."+c.Parent, keys) + " ORDER BY c." + c.Parent + ", c." + order
	return m.db.EachAppRow(ctx, w, text, func(scan func(...any) error) error {
		cells := make([]any, len(c.Columns))
		var key string
		dest := []any{&key}
		for i := range cells {
			dest = append(dest, &cells[i])
		}
		if err := scan(dest...); err != nil {
			return err
		}
		for i := range cells {
			cells[i] = mapping.PlainCell(cells[i])
		}
		if r := rows[key]; r != nil {
			r.Children[i] = append(r.Children[i], cells...)
		}
		return nil
	})
}
