package roletables

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/apptables"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// changeRows deletes and inserts rows of Holders. It compares the role as a text. This keeps
// the database from reading everybody who has the role, because the users are few.
func (s *shape) changeRows(ctx context.Context, edits []edit) error {
	if err := deleteRows(ctx, s, places(edits, func(e edit) []string { return e.take })); err != nil {
		return err
	}
	give := places(edits, func(e edit) []string { return e.give })
	for _, p := range sorted(give) {
		for part := range slices.Chunk(dialect.Distinct(give[p]), dialect.MaxArguments) {
			if err := s.insert(ctx, p, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteRows takes roles from users. The roles of one user are taken in one statement: the application may delete all
// rows of the user at the same time, and if their orders differed, both would wait for each other.
func deleteRows(ctx context.Context, s *shape, take map[place][]string) error {
	all := sorted(take)
	if len(all) > 1 && len(all) <= mostPlaces && isOneUser(take) {
		w := s.db.Arguments()
		var any []string
		for _, p := range all {
			any = append(any, ofRole(s, w, p))
		}
		return s.db.ExecApp(ctx, w, s.db.Dialect.Delete(s.Holders, "h")+" WHERE ("+strings.Join(any, " OR ")+") AND "+amongUsers(s, w, take[all[0]][:1]))
	}
	for _, p := range all {
		for part := range slices.Chunk(dialect.Distinct(take[p]), dialect.MaxArguments) {
			w := s.db.Arguments()
			if err := s.db.ExecApp(ctx, w, s.db.Dialect.Delete(s.Holders, "h")+" WHERE "+s.ofUsers(w, p, part)); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostPlaces is how many roles one statement takes at most.
const mostPlaces = 100

// isOneUser reports whether all lists name one user only.
func isOneUser(users map[place][]string) bool {
	one := ""
	for _, list := range users {
		for _, u := range list {
			if one != "" && u != one {
				return false
			}
			one = u
		}
	}
	return true
}

// ofRole is the condition that a row, as h, gives a role in a scope.
func ofRole(s *shape, w *dialect.Arguments, p place) string {
	return s.id() + " = " + w.Add(p.role) + " AND " + s.inScope(w, p.scope) + " AND " + ofTenant(s, w)
}

// amongUsers is the condition that a row, as h, belongs to one of some users.
func amongUsers(s *shape, w *dialect.Arguments, users []string) string {
	return "h." + s.User + " IN (" + w.AddAll(users) + ")"
}

// ofUsers is the condition that a row, as h, gives these users a role in a scope.
func (s *shape) ofUsers(w *dialect.Arguments, p place, users []string) string {
	return ofRole(s, w, p) + " AND " + amongUsers(s, w, users)
}

// insert gives a role to those users who do not have it. The table may have no unique index.
func (s *shape) insert(ctx context.Context, p place, users []string) error {
	has, err := s.having(ctx, p, users)
	if err != nil {
		return err
	}
	var rows [][]mapping.Setting
	for _, user := range users {
		if has[user] {
			continue
		}
		row := []mapping.Setting{{Column: s.User, Value: user}, {Column: s.Role, Value: s.cell(p.role)}}
		if s.Scope.Column != "" {
			row = append(row, mapping.Setting{Column: s.Scope.Column, Value: strings.TrimPrefix(p.scope, s.Scope.Name)})
		}
		if s.UserTenant != "" {
			row = append(row, mapping.Setting{Column: s.UserTenant, Value: s.db.Tenant})
		}
		if s.Insert != nil {
			row = append(row, mapping.SettingsOf(s.Insert(ctx, user, p.role))...)
		}
		rows = append(rows, row)
	}
	n, err := apptables.InsertMissing(ctx, s.db, s.Holders, rows)
	if err != nil || n == int64(len(rows)) {
		return err
	}
	if has, err = s.having(ctx, p, users); err != nil || len(has) == len(users) {
		return err // Somebody else has given the role meanwhile.
	}
	return fmt.Errorf("%w: a unique index or a trigger of %s keeps role %q from %d users: does scope %q need Exclusive?", errTaken, s.Holders, p.role, len(users)-len(has), p.scope)
}

// having returns those of the users who have a role.
func (s *shape) having(ctx context.Context, p place, users []string) (has map[string]bool, err error) {
	has = make(map[string]bool)
	w := s.db.Arguments()
	err = s.db.EachAppRow(ctx, w, "SELECT "+s.db.Dialect.AsText("h."+s.User)+" FROM "+s.Holders+" AS h WHERE "+s.ofUsers(w, p, users), func(scan func(...any) error) error {
		var user string
		err := scan(&user)
		has[user] = true
		return err
	})
	return has, err
}
