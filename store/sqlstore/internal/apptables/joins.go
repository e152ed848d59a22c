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

// Joins are the application's memberships of users in groups.
type Joins struct {
	*mapping.Join
	db    *database.DB
	notes *notes.Notes
}

// NewJoins are the memberships in a table of the application.
func NewJoins(db *database.DB, j *mapping.Join, n *notes.Notes) *Joins { return &Joins{j, db, n} }

// DeleteAll erases the application's memberships of a user or a group.
func (s *Joins) DeleteAll(ctx context.Context, typ, key string) error {
	w := s.db.Arguments()
	switch {
	case typ == search.UserType:
		err := s.db.EachAppRow(ctx, w, "DELETE FROM "+s.Name+" WHERE "+s.User+" = "+w.Add(key), NoRow)
		if err != nil {
			return err
		}
		return s.notes.DeleteOwn(ctx, notes.Membership, "", []string{key})
	case typ == search.GroupType:
		return s.notes.Silence(ctx, key, func() error {
			return s.db.EachAppRow(ctx, w, "DELETE FROM "+s.Name+" WHERE "+s.Group+" = "+w.Add(key), NoRow)
		})
	}
	return nil
}

// Change brings the application's memberships of a group in line with a change that
// has been made in this package's tables, and returns whom the application keeps out.
func (s *Joins) Change(ctx context.Context, group string, added, removed []scim.Ref) (kept []scim.Ref, err error) {
	gone, fresh := usersOf(removed), usersOf(added)
	if len(gone)+len(fresh) == 0 {
		return nil, nil
	}
	err = s.notes.Silence(ctx, group, func() error {
		for part := range slices.Chunk(gone, dialect.MaxArguments) {
			w := s.db.Arguments()
			if err := s.db.EachAppRow(ctx, w, "DELETE FROM "+s.Name+" WHERE "+s.Group+" = "+w.Add(group)+
				" AND "+s.User+" IN ("+w.AddAll(part)+")", NoRow); err != nil {
				return err
			}
		}
		for part := range slices.Chunk(fresh, dialect.MaxArguments) {
			out, err := s.insertJoins(ctx, group, part)
			if err != nil {
				return err
			}
			kept = append(kept, out...)
		}
		return nil
	})
	if database.IsDangling(err) { // the application has just deleted one of them
		err = fmt.Errorf("%w: %w", database.ErrMoved, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return kept, nil
}

// insertJoins makes memberships, and returns the users of those that are not there then.
func (s *Joins) insertJoins(ctx context.Context, group string, users []string) (kept []scim.Ref, err error) {
	rows := make([][]mapping.Setting, len(users))
	for i, user := range users {
		rows[i] = []mapping.Setting{{Column: s.Group, Value: group}, {Column: s.User, Value: user}}
		if s.Insert != nil {
			rows[i] = append(rows[i], mapping.SettingsOf(s.Insert(group, user))...)
		}
	}
	n, err := InsertMissing(ctx, s.db, s.Name, rows)
	if err != nil || n == int64(len(rows)) {
		return nil, err
	}
	w := s.db.Arguments()
	edges, err := s.Read(ctx, w, "j."+s.Group+" = "+w.Add(group)+" AND j."+s.User+" IN ("+w.AddAll(users)+")")
	if err != nil {
		return nil, err
	}
	for _, user := range users {
		if !slices.ContainsFunc(edges, func(m scim.Membership) bool { return m.Member.ID == user }) {
			kept = append(kept, scim.Ref{Type: search.UserType, ID: user})
		}
	}
	return kept, nil
}

// usersOf are the ids of the users among members.
func usersOf(members []scim.Ref) []string {
	var ids []string
	for _, r := range members {
		if r.Type == search.UserType {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// joins reads memberships of the application, as j, that satisfy a condition.
func (s *Joins) Read(ctx context.Context, w *dialect.Arguments, condition string) ([]scim.Membership, error) {
	since := "NULL"
	if s.Since != "" {
		since = "j." + s.Since
	}
	var all []scim.Membership
	now := s.db.Now()
	// One without a user is an invitation, or whatever the application makes of it.
	condition += " AND " + mapping.NotNull("j", []string{s.Group, s.User})
	err := s.db.EachAppRow(ctx, w, "SELECT CAST(j."+s.Group+" AS text), CAST(j."+s.User+" AS text), "+since+
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
