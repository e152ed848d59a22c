package roletables

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// errTaken says that another role is where the one to give should be.
var errTaken = errors.New("another role has the place")

// slot is where a user has a role of a scope. It has one row, or several if the table has no
// unique index, or none.
type slot struct{ user, scope string }

// changeCells updates the column of the role. If a user has no row, there is nothing to
// update. The user then gets the role at the first reconciliation that finds a row.
func (s *shape) changeCells(ctx context.Context, edits []edit) error {
	users := make([]string, len(edits))
	for i, e := range edits {
		users[i] = e.user
	}
	now := map[slot][]string{}
	for part := range slices.Chunk(dialect.Distinct(users), dialect.MaxArguments) {
		if err := s.lockCells(ctx, part, now); err != nil {
			return err
		}
	}
	give, take := map[place][]string{}, map[place][]string{}
	for _, e := range edits {
		has := now[slot{e.user, e.scope}]
		role, err := s.roleToGive(e, has)
		switch {
		case err != nil:
			return err
		case role == "":
			for _, taken := range dialect.Distinct(has) {
				if taken != "" && slices.Contains(e.take, taken) {
					p := place{e.scope, taken}
					take[p] = append(take[p], e.user)
				}
			}
		case slices.ContainsFunc(has, func(h string) bool { return h != role }):
			p := place{e.scope, role}
			give[p] = append(give[p], e.user)
		}
	}
	for _, p := range sorted(take) {
		if err := s.update(ctx, p, s.baseCell(), take[p], true); err != nil {
			return err
		}
	}
	for _, p := range sorted(give) {
		if err := s.update(ctx, p, s.cell(p.role), give[p], false); err != nil {
			return err
		}
	}
	return nil
}

// lockCells adds the roles in the rows of users to now, "" for none. In PostgreSQL it locks
// the rows.
func (s *shape) lockCells(ctx context.Context, users []string, now map[slot][]string) error {
	w := s.db.Arguments()
	text := "SELECT " + s.db.Dialect.AsText("h."+s.User) + ", COALESCE(" + s.scope() + ", ''), COALESCE(" + s.id() + ", '') FROM " + s.Holders +
		" AS h WHERE " + ofTenant(s, w) + " AND h." + s.User + " IN (" + w.AddAll(users) + ") ORDER BY h." + s.User
	text += s.db.Dialect.Lock(" FOR NO KEY UPDATE")
	return s.db.EachAppRow(ctx, w, text, func(scan func(...any) error) error {
		var user, scope, role string
		err := scan(&user, &scope, &role)
		if s.isBase(role) {
			role = ""
		}
		k := slot{user, s.Scope.Name + scope}
		now[k] = append(now[k], role)
		return err
	})
}

// roleToGive returns the role of an edit, or "" if it gives none. The column must not hold
// another role that the edit does not take, because that one may be given by hand.
func (s *shape) roleToGive(e edit, has []string) (role string, err error) {
	give := slices.DeleteFunc(dialect.Distinct(e.give), s.isBase)
	if len(give) == 0 {
		return "", nil
	}
	if len(give) > 1 {
		return "", fmt.Errorf("%s.%s holds one role, not %q: scope %q needs Exclusive", s.Holders, s.Role, give, e.scope)
	}
	for _, h := range has {
		if h != "" && h != give[0] && !slices.Contains(e.take, h) {
			return "", fmt.Errorf("%w: %s.%s holds %q, so it cannot hold %q: scope %q needs Exclusive", errTaken, s.Holders, s.Role, h, give[0], e.scope)
		}
	}
	return give[0], nil
}

// update writes a value for users in a scope, if only then in the rows that hold the role.
func (s *shape) update(ctx context.Context, p place, value any, users []string, only bool) error {
	for part := range slices.Chunk(users, dialect.MaxArguments) {
		w := s.db.Arguments()
		text := "UPDATE " + s.Holders + " AS h SET " + s.Role + " = " + w.Add(value) + " WHERE "
		if only {
			text += s.id() + " = " + w.Add(p.role) + " AND "
		}
		if err := s.db.ExecApp(ctx, w, text+s.inScope(w, p.scope)+" AND "+ofTenant(s, w)+" AND h."+s.User+" IN ("+w.AddAll(part)+")"); err != nil {
			return err
		}
	}
	return nil
}

// baseCell returns the value of the column for a user without a role.
func (s *shape) baseCell() any {
	if s.Base == nil {
		return nil
	}
	return s.cell(s.base)
}
