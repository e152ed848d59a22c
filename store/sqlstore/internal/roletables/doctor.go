package roletables

import (
	"context"
	"fmt"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/apptables"
)

// A declaration may name only what exists, and yet fail when the first role is given or taken.
// diagnose and its parts look for what would fail then. Each finding says what to do.

func diagnose(ctx context.Context, s *shape) error {
	place, err := apptables.Describe(ctx, s.db, s.Holders, s.Role)
	if err != nil {
		return err
	}
	switch {
	case !s.IsColumn || s.Base != nil || !place.IsNotNull:
	case s.isBool:
		s.Base, s.base = false, "false" // There is no other value for nobody.
	default:
		return fmt.Errorf("sqlstore: %s: %s.%s is NOT NULL: set Base, the value for a user who has been given nothing", s.Type, s.Holders, s.Role)
	}
	if i := slices.IndexFunc(s.List, func(r scim.Role) bool { return r.Protected && s.IsColumn && s.isBase(r.ID) }); i >= 0 {
		return protectedBase(s, s.List[i])
	}
	if s.Roles == "" {
		return doubtBase(ctx, s)
	}
	if err := checkRoles(ctx, s, place); err != nil || !s.IsColumn || s.Base == nil {
		return err
	}
	if err := checkBase(ctx, s); err != nil {
		return err
	}
	return doubtBase(ctx, s)
}

// doubtBase logs that no row holds Base, although many rows hold another value: it would count as
// a role that was given by hand. A column of booleans has no other value for nobody.
func doubtBase(ctx context.Context, s *shape) error {
	if !s.IsColumn || s.Base == nil || s.isBool {
		return nil
	}
	w, isThere := s.db.Arguments(), false
	text := "SELECT 1 FROM " + s.Holders + " AS h WHERE " + ofTenant(s, w) + " AND (h." + s.Role + " = " + w.Add(s.cell(s.base)) + " OR h." + s.Role + " IS NULL) LIMIT 1"
	err := s.db.EachAppRow(ctx, w, text, func(func(...any) error) error { isThere = true; return nil })
	if err != nil || isThere {
		return err
	}
	w = s.db.Arguments()
	text = "SELECT " + s.id() + ", count(*) AS n FROM " + s.Holders + " AS h WHERE " + ofTenant(s, w) + " GROUP BY h." + s.Role + " HAVING count(*) > 1 ORDER BY n DESC LIMIT 1"
	return s.db.EachAppRow(ctx, w, text, func(scan func(...any) error) error {
		value, n := "", 0
		if err := scan(&value, &n); err != nil {
			return err
		}
		s.db.Log.WarnContext(ctx, fmt.Sprintf("sqlstore: %s: no row of %s holds the Base %q in %s, and %d hold %q, which counts as a role that was given by hand: set Base to what a user without a role has",
			s.Type, s.Holders, s.base, s.Role, n, value))
		return nil
	})
}

// checkRoles looks at the columns of the table of roles.
func checkRoles(ctx context.Context, s *shape, place apptables.Description) error {
	for _, c := range []struct {
		field, column string
		fits          func(d apptables.Description) bool
		must          string
	}{
		{"Weight", s.Weight, func(d apptables.Description) bool { return d.IsNumber() }, "numbers"},
		{"Protected", s.Protected, func(d apptables.Description) bool { return d.IsBoolean() || d.IsNumber() && s.ID != s.Protected }, "booleans"},
		{"ID", s.ID, func(d apptables.Description) bool { return d.IsNumber() == place.IsNumber() }, ""},
	} {
		if c.column == "" {
			continue
		}
		d, err := apptables.Describe(ctx, s.db, s.Roles, c.column)
		switch {
		case err != nil:
			return err
		case d.Kind == "" || place.Kind == "" && c.must == "" || c.fits(d):
			continue
		case c.must == "":
			return fmt.Errorf("sqlstore: %s: table %s: ID: column %s holds %s, and %s.%s holds %s: name the column that it refers to",
				s.Type, s.Roles, c.column, d.Kind, s.Holders, s.Role, place.Kind)
		}
		return fmt.Errorf("sqlstore: %s: table %s: %s: column %s holds %s, and must hold %s", s.Type, s.Roles, c.field, c.column, d.Kind, c.must)
	}
	return nil
}

// checkBase looks at the role that stands for none.
func checkBase(ctx context.Context, s *shape) error {
	refers, err := apptables.References(ctx, s.db, s.Holders, s.Role)
	if err != nil {
		return err
	}
	w, isThere := s.db.Arguments(), false
	var base scim.Role
	err = s.db.EachAppRow(ctx, w, "SELECT "+s.columns()+" FROM "+s.Roles+" AS t WHERE "+s.db.Dialect.AsText("t."+s.ID)+" = "+w.Add(s.base),
		func(scan func(...any) error) (err error) {
			base, err = scanRole(scan)
			isThere = true
			return err
		})
	switch {
	case err != nil:
		return fmt.Errorf("sqlstore: roles: %w", err)
	case base.Protected:
		return protectedBase(s, base)
	case !isThere && refers:
		return fmt.Errorf("sqlstore: %s: Base %q: table %s has no such row, and %s.%s refers to one", s.Type, s.base, s.Roles, s.Holders, s.Role)
	}
	return nil
}

func protectedBase(s *shape, role scim.Role) error {
	return fmt.Errorf("sqlstore: %s: Base %q is the protected role %q, and whoever loses a role would get it: name the role of a user who has been given nothing", s.Type, s.base, role.Name)
}

// RolePlaces returns the scopes that have one place, a column, and the id of the role that stands
// there for none. A column that can hold one role only needs no policy.
func (r *resolver) RolePlaces() map[string]string {
	all := map[string]string{}
	for _, s := range r.shapes {
		if s.IsColumn && s.Scope.Column == "" && len(s.List) != 1 {
			all[s.Scope.Name] = s.base
		}
	}
	return all
}
