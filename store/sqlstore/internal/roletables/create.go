package roletables

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"

	"golang.org/x/text/unicode/norm"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/apptables"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// RoleNames implements scim.RoleNamer. With a Match, the values of an attribute are those
// names of roles for which Match finds a role.
func (r *resolver) RoleNames(ctx context.Context, attribute string) ([]string, error) {
	var all []string
	for _, s := range r.shapes {
		names, err := s.names(ctx, math.MaxInt32)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			isNamed := true
			if attribute != "" && s.Match != nil {
				if isNamed, err = isValue(ctx, s, attribute, name); err != nil {
					return nil, err
				}
			}
			if isNamed && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all, nil
}

// isValue reports whether Match finds a role for a value of an attribute.
func isValue(ctx context.Context, s *shape, attribute, value string) (bool, error) {
	found, err := s.Match(ctx, scim.RoleSource{Attribute: attribute, Value: value})
	var refusal *scim.Error
	if errors.Is(err, scim.ErrNoRole) || errors.As(err, &refusal) && refusal.Status < http.StatusInternalServerError {
		return false, nil
	}
	return len(found) > 0, err
}

// creator is a resolver that creates roles in the table of one of its shapes.
type creator struct {
	*resolver
	s *shape
}

// withCreator returns the resolver, with CreateRole if a shape has Create.
func (r *resolver) withCreator() (scim.RoleResolver, error) {
	var c *creator
	for _, s := range r.shapes {
		switch {
		case s.Create == nil:
		case c != nil:
			return nil, fmt.Errorf("sqlstore: %s: Create: only one shape can have it", s.Type)
		case s.Roles == "" || s.Scope.Column != "":
			return nil, fmt.Errorf("sqlstore: %s: Create: needs Roles, and a scope without a column", s.Type)
		default:
			c = &creator{r, s}
		}
	}
	if c == nil {
		return r, nil
	}
	return c, nil
}

// CreateRole implements scim.RoleCreator. If the role exists by now, it returns that role.
func (c *creator) CreateRole(ctx context.Context, src scim.RoleSource) (role scim.Role, err error) {
	s, name := c.s, norm.NFC.String(src.Name())
	row := []mapping.Setting{{Column: s.Name, Value: name}}
	if s.Tenant != "" {
		row = append(row, mapping.Setting{Column: s.Tenant, Value: s.db.Tenant})
	}
	row = append(row, mapping.SettingsOf(s.Create(name))...)
	err = s.db.Write(ctx, func(ctx context.Context) error {
		if _, err := apptables.InsertMissing(ctx, s.db, s.Roles, [][]mapping.Setting{row}); err != nil {
			return err
		}
		var exists bool
		if role, exists, err = s.byName(ctx, name); err == nil && !exists {
			err = fmt.Errorf("the new row of %s does not satisfy Where", s.Roles)
		}
		return err
	})
	if err != nil {
		return role, fmt.Errorf("sqlstore: create role %q: %w", name, err)
	}
	role.Scope = s.Scope.Name
	return role, nil
}
