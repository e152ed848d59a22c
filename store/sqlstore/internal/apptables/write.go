package apptables

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// InsertRow inserts the rows of a new resource. namesakes have its userName.
func (m *Table) InsertRow(ctx context.Context, r *scim.Resource, namesakes Namesakes) (*Written, error) {
	all, err := m.Changes(0, nil, r)
	if err != nil {
		return nil, err
	}
	if m.KeepID && !slices.Contains(refsOf(m), m.Key) {
		all = append(all, mapping.Setting{Column: m.Key, Value: r.ID()})
	}
	if m.Tenant != "" {
		all = append(all, mapping.Setting{Column: m.Tenant, Value: m.db.Tenant})
	}
	if m.Insert != nil {
		all = append(all, mapping.SettingsOf(m.Insert(ctx, r))...)
	}
	all = m.withUpdated(all)
	to := newWritten(m, "", nil)
	err = m.db.InTx(ctx, func(ctx context.Context) error { // A row that the database rejects must not end the transaction.
		refs, err := besidesOf(m).insertReferred(ctx, r, to)
		if err != nil {
			return err
		}
		err = insert(ctx, m.db, m.Name, append(all, refs...), " RETURNING "+m.db.Dialect.AsText(m.Key), func(scan func(...any) error) error { return scan(&to.Key) })
		if err != nil {
			return err
		}
		if err := besidesOf(m).insertReferring(ctx, r, to); err != nil {
			return err
		}
		if err := m.putChildren(ctx, to.Key, nil, r, nil); err != nil {
			return err
		}
		return m.checkLookAlikes(ctx, to, nil, r, namesakes)
	})
	return to, err
}

// UpdateRow writes what a client changed. row is what was read. namesakes have the new userName.
func (m *Table) UpdateRow(ctx context.Context, key string, before, after *scim.Resource, row *mapping.Row, namesakes Namesakes) (*Written, error) {
	to := newWritten(m, key, row)
	own, err := m.Changes(0, before, after)
	if err != nil || len(own) == 0 && len(m.Children) == 0 && len(m.Beside) == 0 {
		return to, err
	}
	return to, m.db.InTx(ctx, func(ctx context.Context) error {
		refs, wrote, err := besidesOf(m).update(ctx, before, after, row, to)
		if err != nil {
			return err
		}
		all := append(slices.Clone(own), refs...)
		if len(all) > 0 || wrote || m.changesChildren(before, after) {
			all = m.withUpdated(all)
		}
		if len(all) > 0 {
			if err := m.Set(ctx, key, all); err != nil {
				return err
			}
		}
		if err := m.putChildren(ctx, key, before, after, row); err != nil {
			return err
		}
		return m.checkLookAlikes(ctx, to, before, after, namesakes)
	})
}

// withUpdated adds the time of the last change, unless the application gives it.
func (m *Table) withUpdated(all []mapping.Setting) []mapping.Setting {
	if m.Updated == "" || slices.ContainsFunc(all, func(s mapping.Setting) bool { return s.Column == m.Updated }) {
		return all
	}
	now := m.db.Now()
	if m.updatedIsText.Load() {
		return append(all, mapping.Setting{Column: m.Updated, Value: mapping.TextOf(now)})
	}
	return append(all, mapping.Setting{Column: m.Updated, Value: now})
}

// changesChildren reports whether rows of child tables change.
func (m *Table) changesChildren(before, after *scim.Resource) bool {
	return slices.ContainsFunc(m.Children, func(c mapping.BoundChild) bool { return !reflect.DeepEqual(before.Get(c.Path), after.Get(c.Path)) })
}

// Set writes columns of a row.
func (m *Table) Set(ctx context.Context, key string, all []mapping.Setting) error {
	w := m.db.Arguments()
	var sets []string
	for _, c := range all {
		sets = append(sets, c.Column+" = "+w.Add(c.Value))
	}
	target, row := aliased(m)
	return m.db.ExecApp(ctx, w, "UPDATE "+target+" SET "+strings.Join(sets, ", ")+
		" WHERE "+OfTenant(m.db, w, row, m.Tenant)+" AND "+row+"."+m.Key+" = "+w.Add(key))
}

// aliased returns the table as a statement writes it, and the name of its rows there. SQLite does not
// know the alias of a view that is written.
func aliased(m *Table) (target, row string) {
	if m.IsView && m.db.Dialect == dialect.SQLite {
		return m.Name, m.Name
	}
	return m.Name + " AS t", "t"
}

// putChildren brings the rows of multi-valued attributes in line with after. row is what
// was read, or nil for a new resource. Rows that stay are not written.
func (m *Table) putChildren(ctx context.Context, key string, before, after *scim.Resource, row *mapping.Row) error {
	for i := range m.Children {
		c := &m.Children[i]
		if before != nil && reflect.DeepEqual(before.Get(c.Path), after.Get(c.Path)) {
			continue
		}
		want, err := c.Rows(after)
		if err != nil {
			return err
		}
		there := make([]bool, len(want))
		if row != nil {
			for cells := range slices.Chunk(row.Children[i], len(c.Columns)) {
				// Rows with the same contents are one element to clients.
				if j := slices.IndexFunc(want, func(r []mapping.Setting) bool { return mapping.IsSameRow(r, cells) }); j >= 0 {
					there[j] = true
				} else if err := m.deleteChild(ctx, c, key, cells); err != nil {
					return err
				}
			}
		}
		for j, r := range want {
			if there[j] {
				continue
			}
			r = slices.DeleteFunc(r, func(c mapping.Setting) bool { return c.Value == nil }) // The column has its default.
			if r = append(r, mapping.Setting{Column: c.Parent, Value: key}); c.Tenant != "" {
				r = append(r, mapping.Setting{Column: c.Tenant, Value: m.db.Tenant})
			}
			if err := insert(ctx, m.db, c.Name, r, "", nil); err != nil {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
		}
	}
	return nil
}

// deleteChild deletes one row of a child table.
func (m *Table) deleteChild(ctx context.Context, c *mapping.BoundChild, key string, cells []any) error {
	w := m.db.Arguments()
	text := deleteOfParent(m, w, c, key)
	for i, cell := range cells {
		if cell == nil {
			text += " AND c." + c.Columns[i].Name + " IS NULL"
		} else {
			text += " AND c." + c.Columns[i].Name + " = " + w.Add(cell)
		}
	}
	if err := m.db.ExecApp(ctx, w, text); err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	return nil
}

// deleteOfParent begins a DELETE of the rows of a child table, as c, that belong to a resource.
func deleteOfParent(m *Table, w *dialect.Arguments, c *mapping.BoundChild, key string) string {
	return m.db.Dialect.Delete(c.Name, "c") + " WHERE " + OfTenant(m.db, w, "c", c.Tenant) + " AND c." + c.Parent + " = " + w.Add(key)
}

// DeleteRow deletes the row of a resource, as it was read, with the rows beside it, or retires it.
func (m *Table) DeleteRow(ctx context.Context, r *scim.Resource, was *mapping.Row) error {
	key := r.ID()
	if m.Retire != nil {
		return m.Set(ctx, key, m.withUpdated(mapping.SettingsOf(m.Retire(ctx, r, m.db.Now()))))
	}
	if err := besidesOf(m).delete(ctx, was, false); err != nil {
		return err
	}
	for i := range m.Children {
		w := m.db.Arguments()
		if err := m.db.ExecApp(ctx, w, deleteOfParent(m, w, &m.Children[i], key)); err != nil {
			return err
		}
	}
	w := m.db.Arguments()
	begin, row := m.db.Dialect.Delete(m.Name, "t"), "t"
	if target, alias := aliased(m); alias != "t" {
		begin, row = "DELETE FROM "+target, alias
	}
	if err := m.db.ExecApp(ctx, w, begin+" WHERE "+OfTenant(m.db, w, row, m.Tenant)+" AND "+row+"."+m.Key+" = "+w.Add(key)); err != nil {
		return err
	}
	return besidesOf(m).delete(ctx, was, true)
}
