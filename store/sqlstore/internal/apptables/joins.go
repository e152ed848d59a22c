package apptables

import (
	"context"
	"fmt"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/notes"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Joins are the memberships of users in groups, in a table of the application.
type Joins struct {
	*mapping.Join
	db     *database.DB
	notes  *notes.Notes
	groups *Table
}

// NewJoins returns the memberships in a table of the application. groups is the table of the groups.
func NewJoins(db *database.DB, j *mapping.Join, n *notes.Notes, groups *Table) *Joins {
	return &Joins{j, db, n, groups}
}

// DeleteAll deletes the memberships of a user or a group, given by its type.
func (s *Joins) DeleteAll(ctx context.Context, typ, key string) error {
	w := s.db.Arguments()
	switch {
	case typ == search.UserType:
		if err := s.db.ExecApp(ctx, w, s.delete(w)+" AND j."+s.User+" = "+w.Add(key)+s.inGroupsOfTenant(w)); err != nil {
			return err
		}
		return s.notes.DeleteOwn(ctx, notes.Membership, "", []string{key})
	case typ == search.GroupType:
		return s.notes.Silence(ctx, key, func() error {
			return s.db.ExecApp(ctx, w, s.delete(w)+" AND j."+s.Group+" = "+w.Add(key))
		})
	}
	return nil
}

// Change adds and removes memberships of a group, as this package's tables have done
// before. It returns the users whose membership the application rejects.
func (s *Joins) Change(ctx context.Context, group string, added, removed []scim.Ref) (rejected []scim.Ref, err error) {
	gone, fresh := usersOf(removed), usersOf(added)
	if len(gone)+len(fresh) == 0 {
		return nil, nil
	}
	err = s.notes.Silence(ctx, group, func() error {
		for part := range slices.Chunk(gone, dialect.MaxArguments) {
			w := s.db.Arguments()
			if err := s.db.ExecApp(ctx, w, s.delete(w)+" AND j."+s.Group+" = "+w.Add(group)+
				" AND j."+s.User+" IN ("+w.AddAll(part)+")"); err != nil {
				return err
			}
		}
		for part := range slices.Chunk(fresh, dialect.MaxArguments) {
			out, err := s.insertJoins(ctx, group, part)
			if err != nil {
				return err
			}
			rejected = append(rejected, out...)
		}
		return nil
	})
	if database.IsDangling(err) { // The application has just deleted a user or the group.
		err = fmt.Errorf("%w: %w", database.ErrMoved, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return rejected, nil
}

// delete begins a DELETE of memberships, as j, of the tenant.
func (s *Joins) delete(w *dialect.Arguments) string {
	return s.db.Dialect.Delete(s.Name, "j") + " WHERE " + OfTenant(s.db, w, "j", s.Tenant)
}

// inGroupsOfTenant is the condition that a membership, as j, is in a group of the tenant. The same
// user may be in groups of other tenants.
func (s *Joins) inGroupsOfTenant(w *dialect.Arguments) string {
	if s.Tenant != "" || s.groups.Tenant == "" {
		return ""
	}
	return " AND j." + s.Group + " IN (SELECT t." + s.groups.Key + " FROM " + s.groups.Name + " AS t WHERE " + s.groups.mine(w) + ")"
}

// insertJoins inserts memberships and returns the users whose membership does not exist
// afterwards.
func (s *Joins) insertJoins(ctx context.Context, group string, users []string) (rejected []scim.Ref, err error) {
	rows := make([][]mapping.Setting, len(users))
	for i, user := range users {
		rows[i] = []mapping.Setting{{Column: s.Group, Value: group}, {Column: s.User, Value: user}}
		if s.Tenant != "" {
			rows[i] = append(rows[i], mapping.Setting{Column: s.Tenant, Value: s.db.Tenant})
		}
		if s.Insert != nil {
			rows[i] = append(rows[i], mapping.SettingsOf(s.Insert(ctx, group, user))...)
		}
	}
	n, err := InsertMissing(ctx, s.db, s.Name, rows)
	if err != nil || n == int64(len(rows)) {
		return nil, err
	}
	there, err := s.ReadGroup(ctx, group, users)
	if err != nil {
		return nil, err
	}
	for _, user := range users {
		if !slices.ContainsFunc(there, func(m scim.Membership) bool { return m.Member.ID == user }) {
			rejected = append(rejected, scim.Ref{Type: search.UserType, ID: user})
		}
	}
	return rejected, nil
}

// usersOf returns the ids of the users among members.
func usersOf(members []scim.Ref) []string {
	var ids []string
	for _, r := range members {
		if r.Type == search.UserType {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// ReadAll reads the memberships of users or groups, given by their type.
func (s *Joins) ReadAll(ctx context.Context, typ string, ids []string) (all []scim.Membership, err error) {
	column := s.User
	if typ == search.GroupType {
		column = s.Group
	}
	for part := range slices.Chunk(ids, dialect.MaxArguments) {
		w := s.db.Arguments()
		some, err := s.read(ctx, w, w.In("j."+column, part))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// ReadGroup reads the memberships of some users in a group.
func (s *Joins) ReadGroup(ctx context.Context, group string, users []string) ([]scim.Membership, error) {
	w := s.db.Arguments()
	return s.read(ctx, w, "j."+s.Group+" = "+w.Add(group)+" AND "+w.In("j."+s.User, users))
}

// read reads the memberships, as j, that satisfy a condition.
func (s *Joins) read(ctx context.Context, w *dialect.Arguments, condition string) ([]scim.Membership, error) {
	since := "NULL"
	if s.Since != "" {
		since = "j." + s.Since
	}
	var all []scim.Membership
	now := s.db.Now()
	// A row without a user may be an invitation.
	condition += " AND " + mapping.NotNull("j", []string{s.Group, s.User}) + " AND " + OfTenant(s.db, w, "j", s.Tenant)
	err := s.db.EachAppRow(ctx, w, "SELECT "+s.db.Dialect.AsText("j."+s.Group)+", "+s.db.Dialect.AsText("j."+s.User)+", "+since+
		" FROM "+s.Name+" AS j WHERE "+condition, func(scan func(...any) error) error {
		m := scim.Membership{Member: scim.Ref{Type: search.UserType}, Since: now}
		var at any
		err := scan(&m.GroupID, &m.Member.ID, &at)
		if t := mapping.ParseInstant(at); !t.IsZero() {
			m.Since = t
		}
		all = append(all, m)
		return err
	})
	return all, err
}
