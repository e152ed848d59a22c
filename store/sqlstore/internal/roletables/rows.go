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
	take := places(edits, func(e edit) []string { return e.take })
	for _, p := range sorted(take) {
		for part := range slices.Chunk(dialect.Distinct(take[p]), dialect.MaxArguments) {
			w := s.db.Arguments()
			if err := s.db.ExecApp(ctx, w, s.db.Dialect.Delete(s.Holders, "h")+" WHERE "+s.ofUsers(w, p, part)); err != nil {
				return err
			}
		}
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

// ofUsers is the condition that a row, as h, gives these users a role in a scope.
func (s *shape) ofUsers(w *dialect.Arguments, p place, users []string) string {
	return s.id() + " = " + w.Add(p.role) + " AND " + s.inScope(w, p.scope) + " AND " + ofTenant(s, w) + " AND h." + s.User + " IN (" + w.AddAll(users) + ")"
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
