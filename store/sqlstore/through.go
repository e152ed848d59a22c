package sqlstore

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/scimkit/scim"
)

// What clients write goes through to the tables of the application here.

// insertRow makes the row of a new resource and returns its key.
func (s *Store) insertRow(ctx context.Context, m *mapping, r *scim.Resource) (key string, err error) {
	all, err := m.settings(nil, r)
	if err != nil {
		return "", err
	}
	if m.KeepID {
		all = append(all, setting{m.Key, r.ID()})
	}
	if m.Tenant != "" {
		all = append(all, setting{m.Tenant, s.tenant})
	}
	if m.Insert != nil {
		all = append(all, extra(m.Insert(r))...)
	}
	err = s.inTx(ctx, func(ctx context.Context) error { // what is refused must not end the transaction
		err := insert(ctx, s.base, m.Name, all, " RETURNING CAST("+m.Key+" AS text)", func(scan func(...any) error) error { return scan(&key) })
		if err != nil {
			return err
		}
		return s.putChildren(ctx, m, key, nil, r, nil)
	})
	return key, err
}

// updateRow writes what changed.
func (s *Store) updateRow(ctx context.Context, m *mapping, key string, before, after *scim.Resource, row *appRow) error {
	all, err := m.settings(before, after)
	if err != nil {
		return err
	}
	if len(all) == 0 && len(m.children) == 0 {
		return nil
	}
	return s.inTx(ctx, func(ctx context.Context) error {
		if len(all) > 0 {
			if err := s.set(ctx, m, key, all); err != nil {
				return err
			}
		}
		return s.putChildren(ctx, m, key, before, after, row)
	})
}

func (s *Store) set(ctx context.Context, m *mapping, key string, all []setting) error {
	w := &words{d: s.d}
	var sets []string
	for _, c := range all {
		sets = append(sets, c.column+" = "+w.arg(c.value))
	}
	return s.eachApp(ctx, w, "UPDATE "+m.Name+" AS t SET "+strings.Join(sets, ", ")+
		" WHERE "+s.mine(w, m)+" AND t."+m.Key+" = "+w.arg(key), none)
}

// putChildren brings the rows of multi-valued attributes in line with after. row is what
// is there, nil for a new resource; what stays is not touched.
func (s *Store) putChildren(ctx context.Context, m *mapping, key string, before, after *scim.Resource, row *appRow) error {
	for i := range m.children {
		c := &m.children[i]
		if before != nil && reflect.DeepEqual(before.Get(c.Path), after.Get(c.Path)) {
			continue
		}
		want, err := c.rows(after)
		if err != nil {
			return err
		}
		there := make([]bool, len(want))
		if row != nil {
			for cells := range slices.Chunk(row.children[i], len(c.columns)) {
				// Several rows may say the same, and are one to clients.
				if j := slices.IndexFunc(want, func(r []setting) bool { return rowSays(r, cells) }); j >= 0 {
					there[j] = true
				} else if err := s.deleteChild(ctx, c, key, cells); err != nil {
					return err
				}
			}
		}
		for j, r := range want {
			if there[j] {
				continue
			}
			r = slices.DeleteFunc(r, func(c setting) bool { return c.value == nil }) // the column's default
			if err := insert(ctx, s.base, c.Name, append(r, setting{c.Parent, key}), "", none); err != nil {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
		}
	}
	return nil
}

func (s *Store) deleteChild(ctx context.Context, c *boundChild, key string, cells []any) error {
	w := &words{d: s.d}
	text := "DELETE FROM " + c.Name + " WHERE " + c.Parent + " = " + w.arg(key)
	for i, cell := range cells {
		if cell == nil {
			text += " AND " + c.columns[i].Name + " IS NULL"
		} else {
			text += " AND " + c.columns[i].Name + " = " + w.arg(cell)
		}
	}
	if err := s.eachApp(ctx, w, text, none); err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	return nil
}

// deleteRow erases the row, or retires it.
func (s *Store) deleteRow(ctx context.Context, m *mapping, key string) error {
	if err := s.deleteJoins(ctx, m, key); err != nil {
		return fmt.Errorf("%s: %w", s.join.Name, err)
	}
	if m.Retire != nil {
		return s.set(ctx, m, key, extra(m.Retire(s.now())))
	}
	for _, c := range m.children {
		w := &words{d: s.d}
		if err := s.eachApp(ctx, w, "DELETE FROM "+c.Name+" WHERE "+c.Parent+" = "+w.arg(key), none); err != nil {
			return err
		}
	}
	w := &words{d: s.d}
	return s.eachApp(ctx, w, "DELETE FROM "+m.Name+" AS t WHERE "+s.mine(w, m)+" AND t."+m.Key+" = "+w.arg(key), none)
}

// deleteJoins erases the application's memberships of a user or a group.
func (s *Store) deleteJoins(ctx context.Context, m *mapping, key string) error {
	w := &words{d: s.d}
	switch {
	case s.join == nil:
		return nil
	case m.Type == userType:
		err := s.eachApp(ctx, w, "DELETE FROM "+s.join.Name+" WHERE "+s.join.User+" = "+w.arg(key), none)
		if err != nil {
			return err
		}
		return s.followed(ctx, membership, "", []string{key})
	case m.Type == groupType:
		return s.unnoted(ctx, key, func() error {
			return s.eachApp(ctx, w, "DELETE FROM "+s.join.Name+" WHERE "+s.join.Group+" = "+w.arg(key), none)
		})
	}
	return nil
}

// joinRows brings the application's memberships of a group in line with a change that
// has been made in this package's tables, and returns whom the application keeps out.
func (s *Store) joinRows(ctx context.Context, group string, added, removed []scim.Ref) (kept []scim.Ref, err error) {
	gone, fresh := usersOf(removed), usersOf(added)
	if len(gone)+len(fresh) == 0 {
		return nil, nil
	}
	err = s.unnoted(ctx, group, func() error {
		for part := range slices.Chunk(gone, chunk) {
			w := &words{d: s.d}
			if err := s.eachApp(ctx, w, "DELETE FROM "+s.join.Name+" WHERE "+s.join.Group+" = "+w.arg(group)+
				" AND "+s.join.User+" IN ("+w.list(part)+")", none); err != nil {
				return err
			}
		}
		for part := range slices.Chunk(fresh, chunk) {
			out, err := s.insertJoins(ctx, group, part)
			if err != nil {
				return err
			}
			kept = append(kept, out...)
		}
		return nil
	})
	if dangling(err) { // the application has just deleted one of them
		err = fmt.Errorf("%w: %w", errMoved, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.join.Name, err)
	}
	return kept, nil
}

// unnoted changes the application's memberships of a group so that the triggers leave no
// notes: the caller has seen to the change, and in PostgreSQL each of 50,000 would be in
// everybody's way until the table is vacuumed.
func (s *Store) unnoted(ctx context.Context, group string, change func() error) (err error) {
	begin, end := "INSERT INTO {p}own (id) VALUES ($1)", "DELETE FROM {p}own WHERE id = $1"
	if s.d == Postgres {
		begin, end = "SELECT set_config('"+s.ownSetting()+"', $1, true)", "SELECT set_config('"+s.ownSetting()+"', left($1, 0), true)"
	}
	if _, err := s.DB(ctx).ExecContext(ctx, s.statement(begin), group); err != nil {
		return err
	}
	defer func() { // also if change panics, or time is up: the transaction may be the application's
		// In PostgreSQL an error has ended it, and this with it.
		if _, e := s.DB(ctx).ExecContext(context.WithoutCancel(ctx), s.statement(end), group); err == nil {
			err = e
		}
	}()
	return change()
}

// insertJoins makes memberships, and returns the users of those that are not there then.
func (s *Store) insertJoins(ctx context.Context, group string, users []string) (kept []scim.Ref, err error) {
	rows := make([][]setting, len(users))
	for i, user := range users {
		rows[i] = []setting{{s.join.Group, group}, {s.join.User, user}}
		if s.join.Insert != nil {
			rows[i] = append(rows[i], extra(s.join.Insert(group, user))...)
		}
	}
	n, err := insertAll(ctx, s.base, s.join.Name, rows)
	if err != nil || n == int64(len(rows)) {
		return nil, err
	}
	w := &words{d: s.d}
	edges, err := s.joins(ctx, w, "j."+s.join.Group+" = "+w.arg(group)+" AND j."+s.join.User+" IN ("+w.list(users)+")")
	if err != nil {
		return nil, err
	}
	for _, user := range users {
		if !slices.ContainsFunc(edges, func(e edge) bool { return e.user == user }) {
			kept = append(kept, scim.Ref{Type: userType, ID: user})
		}
	}
	return kept, nil
}

// usersOf are the ids of the users among members.
func usersOf(members []scim.Ref) []string {
	var ids []string
	for _, r := range members {
		if r.Type == userType {
			ids = append(ids, r.ID)
		}
	}
	return ids
}
