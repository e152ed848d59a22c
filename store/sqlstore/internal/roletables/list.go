package roletables

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"golang.org/x/text/unicode/norm"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// columns are those of a role in the table of roles, as t, that scanRole scans.
func (s *shape) columns() string {
	if s.Roles == "" {
		return "NULL, NULL, NULL, NULL"
	}
	text := s.db.Dialect.AsText("t."+s.ID) + ", t." + s.Name
	for _, c := range []string{s.Weight, s.Protected} {
		if c == "" {
			text += ", NULL"
		} else {
			text += ", t." + c
		}
	}
	return text
}

// scanRole scans a role, and more. Without a table of roles, the role is empty.
func scanRole(scan func(dest ...any) error, more ...any) (role scim.Role, err error) {
	var id, name *string
	var weight *float64 // The column may be numeric.
	var protected *bool
	if err := scan(append([]any{&id, &name, &weight, &protected}, more...)...); err != nil {
		return role, err
	}
	if id != nil {
		role.ID = *id
	}
	if name != nil {
		role.Name = *name
	}
	if weight != nil {
		role.Weight = int(*weight)
	}
	role.Protected = protected != nil && *protected
	return role, nil
}

// offered is the condition that users of the tenant can get a role in the table of roles,
// as t.
func (s *shape) offered(w *dialect.Arguments) string {
	text := "1 = 1"
	if s.Tenant != "" {
		text = "t." + s.Tenant + " = " + w.Add(s.db.Tenant)
	}
	if s.Where != "" {
		text += " AND (" + s.Where + ")"
	}
	return text
}

// find lists the roles that satisfy a condition, in order of id.
func (s *shape) find(ctx context.Context, w *dialect.Arguments, condition, lock string) (all []scim.Role, err error) {
	err = s.db.EachAppRow(ctx, w, "SELECT "+s.columns()+" FROM "+s.Roles+" AS t WHERE "+s.offered(w)+" AND "+condition+" ORDER BY t."+s.ID+lock,
		func(scan func(...any) error) error {
			role, err := scanRole(scan)
			all = append(all, role)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: roles: %w", err)
	}
	return all, nil
}

// byID returns the role with this id, if it exists.
func (s *shape) byID(ctx context.Context, id, lock string) (role scim.Role, exists bool, err error) {
	if s.Roles == "" {
		i := slices.IndexFunc(s.List, func(r scim.Role) bool { return r.ID == id })
		if i < 0 {
			return role, false, nil
		}
		return s.List[i], true, nil
	}
	w := s.db.Arguments()
	found, err := s.find(ctx, w, s.db.Dialect.AsText("t."+s.ID)+" = "+w.Add(id), lock)
	if err != nil || len(found) == 0 {
		return role, false, err
	}
	return found[0], true, nil
}

// byName returns the role with this name, if it exists, or a twinsError. The names are compared exactly,
// because the column's collation may compare otherwise.
func (s *shape) byName(ctx context.Context, name string) (role scim.Role, exists bool, err error) {
	some := s.List
	if s.Roles != "" {
		w := s.db.Arguments()
		some, err = s.find(ctx, w, s.db.Dialect.AsText("t."+s.Name)+" IN ("+w.AddAll([]string{name, norm.NFC.String(name), norm.NFD.String(name)})+")", "")
		if err != nil {
			return role, false, err
		}
	}
	for _, r := range some {
		if norm.NFC.String(r.Name) != norm.NFC.String(name) {
			continue
		}
		if exists {
			return scim.Role{}, false, twinsError(name)
		}
		role, exists = r, true
	}
	return role, exists, nil
}

// twinsError is the error that several roles have a name. A guess could give somebody else's role.
type twinsError string

func (e twinsError) Error() string {
	return fmt.Sprintf("several roles have the name %.100q", string(e))
}

// refuse makes an answer for the client of a name that several roles have.
func refuse(src scim.RoleSource, err error) error {
	var twins twinsError
	if !errors.As(err, &twins) {
		return err
	}
	path := src.Attribute
	if src.Group != nil {
		path = "displayName"
	}
	return &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Err: scim.ErrNoRole, Detail: path + ": " + twins.Error()}
}

// names lists the names of up to limit roles.
func (s *shape) names(ctx context.Context, limit int) (names []string, err error) {
	if s.Roles == "" {
		for _, role := range s.List[:min(limit, len(s.List))] {
			names = append(names, role.Name)
		}
		return names, nil
	}
	w := s.db.Arguments()
	err = s.db.EachAppRow(ctx, w, "SELECT t."+s.Name+" FROM "+s.Roles+" AS t WHERE "+s.offered(w)+" AND t."+s.Name+" IS NOT NULL ORDER BY t."+s.ID+
		" LIMIT "+fmt.Sprint(limit), database.Texts(&names))
	if err != nil {
		return nil, fmt.Errorf("sqlstore: roles: %w", err)
	}
	return names, nil
}

// match returns the roles that a source stands for. asked says that the source names a role
// of this shape, whether it exists or not.
func (s *shape) match(ctx context.Context, src scim.RoleSource) (roles []scim.Role, asked bool, err error) {
	wanted := []scim.Role{{Name: src.Name()}}
	if s.Match != nil {
		if wanted, err = s.Match(ctx, src); err != nil {
			return nil, true, err
		}
	} else if roles, err = s.complete(ctx, s.mine(src.Linked)); err != nil || len(roles) > 0 {
		return roles, true, err
	}
	roles, err = s.complete(ctx, wanted)
	return roles, len(wanted) > 0, refuse(src, err)
}

// mine returns the roles of the shape's scopes.
func (s *shape) mine(roles []scim.Role) (own []scim.Role) {
	for _, role := range roles {
		if s.owns(role.Scope) {
			own = append(own, role)
		}
	}
	return own
}

// complete looks roles up by id, or by name where the id is empty. It leaves out those that
// do not exist.
func (s *shape) complete(ctx context.Context, wanted []scim.Role) (roles []scim.Role, err error) {
	for _, want := range wanted {
		if s.Scope.Column == "" {
			want.Scope = s.Scope.Name
		}
		var role scim.Role
		exists := false
		switch {
		case want.ID != "":
			role, exists, err = s.byID(ctx, want.ID, "")
		case want.Name != "":
			role, exists, err = s.byName(ctx, want.Name)
		}
		if err == nil && exists {
			exists, err = s.hasScope(ctx, want.Scope, "")
		}
		if err != nil {
			return nil, err
		}
		role.Scope = want.Scope
		if exists && !slices.ContainsFunc(roles, func(r scim.Role) bool { return r.Scope == role.Scope && r.ID == role.ID }) {
			roles = append(roles, role)
		}
	}
	return roles, nil
}

// hasScope reports whether a scope exists, as far as the declaration says.
func (s *shape) hasScope(ctx context.Context, scope, lock string) (exists bool, err error) {
	if !s.owns(scope) {
		return false, nil
	}
	if s.Scope.Table == "" {
		return true, nil
	}
	w := s.db.Arguments()
	text := "SELECT 1 FROM " + s.Scope.Table + " AS t WHERE t." + s.Scope.Key + " = " + w.Add(scope[len(s.Scope.Name):])
	if s.Scope.Tenant != "" {
		text += " AND t." + s.Scope.Tenant + " = " + w.Add(s.db.Tenant)
	}
	err = s.db.EachAppRow(ctx, w, text+lock, func(func(...any) error) error { exists = true; return nil })
	if err != nil {
		return false, fmt.Errorf("sqlstore: scope %q of roles: %w", scope, err)
	}
	return exists, nil
}

// lockExisting returns scim.ErrNoRole if a role does not exist. In PostgreSQL nobody can
// delete it before the transaction ends.
func (s *shape) lockExisting(ctx context.Context, p place) error {
	lock := s.db.Dialect.Lock(" FOR KEY SHARE")
	_, exists, err := s.byID(ctx, p.role, lock)
	if err == nil && exists {
		exists, err = s.hasScope(ctx, p.scope, lock)
	}
	if err == nil && !exists {
		err = fmt.Errorf("role %q of scope %q: %w", p.role, p.scope, scim.ErrNoRole)
	}
	return err
}
