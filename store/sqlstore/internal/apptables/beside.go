package apptables

import (
	"context"
	"fmt"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// A resource may have rows in tables beside that of its type. The row of a Beside with a Ref exists
// before the resource's row, which refers to it; another one exists after it.

// Written says where a write has put a resource.
type Written struct {
	Key string // Key is the key of its row.
	// kept says, by the number of a table beside, that the write left a shared row alone. keys are the
	// keys there, empty for none.
	kept []bool
	keys []string
}

// besides are the tables beside that of a type.
type besides struct{ m *Table }

func besidesOf(m *Table) besides { return besides{m} }

// newWritten returns what is known of a write before it begins. row is nil for a new resource.
func newWritten(m *Table, key string, row *mapping.Row) *Written {
	w := &Written{Key: key, kept: make([]bool, len(m.Beside)), keys: make([]string, len(m.Beside))}
	if row != nil {
		for i, o := range row.Beside {
			w.keys[i] = o.Key
		}
	}
	return w
}

// IsKept reports whether a write left a column alone because others share the row. What the client
// wrote is then kept for the tenant.
func (w *Written) IsKept(c *mapping.BoundColumn) bool { return c.Beside > 0 && w.kept[c.Beside-1] }

// refs are the columns that refer to tables beside this one.
func refsOf(m *Table) (all []string) {
	for i := range m.Beside {
		if m.Beside[i].Ref != "" {
			all = append(all, m.Beside[i].Ref)
		}
	}
	return all
}

// read reads the rows of the i-th table beside this one.
func (t besides) read(ctx context.Context, i int, lock string, rows map[string]*mapping.Row) error {
	m := t.m
	b := &m.Beside[i]
	of := make(map[string][]*mapping.Row, len(rows))
	var keys []string
	for key, r := range rows {
		if b.Ref == "" {
			r.Beside[i].Key = key
		}
		if key = r.Beside[i].Key; key != "" {
			of[key], keys = append(of[key], r), append(keys, key)
		}
	}
	columns, first := m.ColumnsOf(i+1), firstOf(m, i+1)
	if len(keys) == 0 || b.IsWatched() {
		return nil
	}
	if b.Shared && lock == ToBeErased { // It is not erased.
		lock = ToUpdate
	}
	w := m.db.Arguments()
	text := "SELECT " + m.db.Dialect.AsText("b."+b.Key)
	for i := range columns {
		text += ", b." + columns[i].Name
	}
	text += " FROM " + b.Name + " AS b WHERE " + OfTenant(m.db, w, "b", b.Tenant) + " AND " + w.In("b."+b.Key, dialect.Distinct(keys)) + m.db.Dialect.Lock(lock)
	err := m.db.EachAppRow(ctx, w, text, func(scan func(...any) error) error {
		var key string
		cells := make([]any, len(columns))
		dest := []any{&key}
		for i := range cells {
			dest = append(dest, &cells[i])
		}
		if err := scan(dest...); err != nil {
			return err
		}
		for _, r := range of[key] {
			r.Beside[i].Exists = true
			for j := range cells {
				r.Cells[first+j] = mapping.PlainCell(cells[j])
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", b.Name, err)
	}
	return nil
}

// firstOf returns where the columns of the n-th table beside this one begin.
func firstOf(m *Table, n int) int {
	for i := range m.Columns {
		if m.Columns[i].Beside == n {
			return i
		}
	}
	return len(m.Columns)
}

// insertReferred inserts, or finds, the rows that a new row refers to, and returns the settings of
// the references.
func (t besides) insertReferred(ctx context.Context, r *scim.Resource, to *Written) (refs []mapping.Setting, err error) {
	m := t.m
	for i := range m.Beside {
		if b := &m.Beside[i]; b.Ref != "" && !b.IsWatched() {
			if err := t.putReferred(ctx, i, r, to); err != nil {
				return nil, err
			}
			refs = append(refs, mapping.Setting{Column: b.Ref, Value: to.keys[i]})
		}
	}
	return refs, nil
}

// putReferred inserts the row that a resource refers to, or finds it.
func (t besides) putReferred(ctx context.Context, i int, r *scim.Resource, to *Written) error {
	m := t.m
	b := &m.Beside[i]
	if b.Find != nil {
		key, err := b.Find(ctx, r)
		if err != nil {
			return err
		}
		if key != nil {
			to.kept[i] = true
			return t.join(ctx, i, key, to)
		}
	}
	all, err := newBeside(ctx, m, i, r)
	if err != nil {
		return err
	}
	if m.KeepID && b.Ref == m.Key {
		all = append(all, mapping.Setting{Column: b.Key, Value: r.ID()})
	}
	return besideErr(b, insert(ctx, m.db, b.Name, all, " RETURNING "+m.db.Dialect.AsText(b.Key), func(scan func(...any) error) error { return scan(&to.keys[i]) }))
}

// join gives a new resource a row that exists, and locks the row. No other resource of the tenant
// may have the same key.
func (t besides) join(ctx context.Context, i int, key any, to *Written) error {
	m := t.m
	b := &m.Beside[i]
	w := m.db.Arguments()
	found := ""
	err := m.db.EachAppRow(ctx, w, "SELECT "+m.db.Dialect.AsText("b."+b.Key)+" FROM "+b.Name+" AS b WHERE "+OfTenant(m.db, w, "b", b.Tenant)+" AND b."+b.Key+" = "+w.Add(key)+
		m.db.Dialect.Lock(ToUpdate), func(scan func(...any) error) error { return scan(&found) })
	if err != nil {
		return besideErr(b, err)
	}
	if found == "" {
		return fmt.Errorf("%s: Find: no row has the key %v", b.Name, key)
	}
	to.keys[i] = found
	if b.Ref != m.Key {
		return nil
	}
	w = m.db.Arguments()
	isTaken := false
	err = m.db.EachAppRow(ctx, w, "SELECT 1 FROM "+m.Name+" AS t WHERE "+m.mine(w)+" AND t."+m.Key+" = "+w.Add(found), func(func(...any) error) error { isTaken = true; return nil })
	if err == nil && isTaken {
		return scim.Conflict(namePath)
	}
	return err
}

// newBeside returns the settings of a new row in the i-th table beside this one.
func newBeside(ctx context.Context, m *Table, i int, r *scim.Resource) ([]mapping.Setting, error) {
	b := &m.Beside[i]
	all, err := m.Changes(i+1, nil, r)
	if err != nil {
		return nil, err
	}
	if b.Tenant != "" {
		all = append(all, mapping.Setting{Column: b.Tenant, Value: m.db.Tenant})
	}
	if b.Insert != nil {
		all = append(all, mapping.SettingsOf(b.Insert(ctx, r))...)
	}
	return all, nil
}

// insertReferring inserts the rows that refer to a new row.
func (t besides) insertReferring(ctx context.Context, r *scim.Resource, to *Written) error {
	m := t.m
	for i := range m.Beside {
		if b := &m.Beside[i]; b.Ref == "" && !b.IsWatched() {
			if err := t.putReferring(ctx, i, r, to); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t besides) putReferring(ctx context.Context, i int, r *scim.Resource, to *Written) error {
	m := t.m
	all, err := newBeside(ctx, m, i, r)
	if err != nil {
		return err
	}
	b := &m.Beside[i]
	to.keys[i] = to.Key
	return besideErr(b, insert(ctx, m.db, b.Name, append(all, mapping.Setting{Column: b.Key, Value: to.Key}), "", nil))
}

// update writes what a client changed in the tables beside this one. It returns the references
// to new rows.
func (t besides) update(ctx context.Context, before, after *scim.Resource, row *mapping.Row, to *Written) (refs []mapping.Setting, wrote bool, err error) {
	m := t.m
	for i := range m.Beside {
		b := &m.Beside[i]
		all, err := m.Changes(i+1, before, after)
		if err != nil {
			return nil, false, err
		}
		if len(all) == 0 {
			continue
		}
		switch {
		case !row.Beside[i].Exists && !hasValue(all): // NULL already
		case !row.Beside[i].Exists && b.Ref == "":
			wrote, err = true, t.putReferring(ctx, i, after, to)
		case !row.Beside[i].Exists:
			if err = t.putReferred(ctx, i, after, to); err == nil {
				refs, wrote = append(refs, mapping.Setting{Column: b.Ref, Value: to.keys[i]}), true
			}
		default:
			if to.kept[i], err = t.isShared(ctx, i, to); err == nil && !to.kept[i] {
				wrote, err = true, t.set(ctx, i, to.keys[i], all)
			}
		}
		if err != nil {
			return nil, false, err
		}
	}
	return refs, wrote, nil
}

// hasValue reports whether a setting is not NULL.
func hasValue(all []mapping.Setting) bool {
	for _, s := range all {
		if s.Value != nil {
			return true
		}
	}
	return false
}

// isShared reports whether another row refers to the row of a resource beside this table. That row is
// locked, so nobody joins it meanwhile.
func (t besides) isShared(ctx context.Context, i int, to *Written) (yes bool, err error) {
	m := t.m
	b := &m.Beside[i]
	if !b.Shared {
		return false, nil
	}
	w := m.db.Arguments()
	text := "SELECT 1 FROM " + m.Name + " AS t WHERE t." + b.Ref + " = " + w.Add(to.keys[i]) + " AND (NOT (t." + m.Key + " = " + w.Add(to.Key) + " AND " + m.mine(w) + ")"
	if m.Tenant != "" {
		text += " OR t." + m.Tenant + " IS NULL"
	}
	err = m.db.EachAppRow(ctx, w, text+") LIMIT 1", func(func(...any) error) error { yes = true; return nil })
	return yes, err
}

// set writes columns of a row beside this table.
func (t besides) set(ctx context.Context, i int, key string, all []mapping.Setting) error {
	m := t.m
	b := &m.Beside[i]
	w := m.db.Arguments()
	var sets []string
	for _, c := range all {
		sets = append(sets, c.Column+" = "+w.Add(c.Value))
	}
	return besideErr(b, m.db.ExecApp(ctx, w, "UPDATE "+b.Name+" AS b SET "+strings.Join(sets, ", ")+" WHERE "+ofBeside(m, w, b, key)))
}

// ofBeside is the condition that a row beside this table, as b, has a key.
func ofBeside(m *Table, w *dialect.Arguments, b *mapping.Beside, key string) string {
	return OfTenant(m.db, w, "b", b.Tenant) + " AND b." + b.Key + " = " + w.Add(key)
}

// delete deletes the rows beside a row that is about to be deleted, or, isAfter, that was
// deleted. Shared rows stay.
func (t besides) delete(ctx context.Context, row *mapping.Row, isAfter bool) error {
	m := t.m
	for i := range m.Beside {
		b := &m.Beside[i]
		if b.Shared || b.IsWatched() || !row.Beside[i].Exists || isAfter != (b.Ref != "") {
			continue
		}
		w := m.db.Arguments()
		if err := m.db.ExecApp(ctx, w, m.db.Dialect.Delete(b.Name, "b")+" WHERE "+ofBeside(m, w, b, row.Beside[i].Key)); err != nil {
			return besideErr(b, err)
		}
	}
	return nil
}

// besideErr names the table of an error.
func besideErr(b *mapping.Beside, err error) error {
	if err != nil {
		err = fmt.Errorf("%s: %w", b.Name, err)
	}
	return err
}

// lockUnder locks the rows under those of a view, which may be unable to lock them itself.
func (t besides) lockUnder(ctx context.Context, keys []string, lock string) error {
	m := t.m
	for i := range m.Beside {
		b := &m.Beside[i]
		if b.Ref != "" || m.db.Dialect.Lock(lock) == "" {
			continue
		}
		w := m.db.Arguments()
		text := "SELECT 1 FROM " + b.Name + " AS b WHERE " + OfTenant(m.db, w, "b", b.Tenant) + " AND " + w.In("b."+b.Key, keys) + " ORDER BY b." + b.Key + m.db.Dialect.Lock(lock)
		if err := m.db.EachAppRow(ctx, w, text, func(func(...any) error) error { return nil }); err != nil {
			return besideErr(b, err)
		}
	}
	return nil
}
