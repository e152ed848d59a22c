package roletables

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
)

var _ scim.RoleHolders = (*resolver)(nil)

// RoleHolders implements scim.RoleHolders.
func (r *resolver) RoleHolders(ctx context.Context, role scim.Role, after string, limit int) ([]string, error) {
	s := r.owner(role.Scope)
	if s == nil || s.isBase(role.ID) {
		return nil, ctx.Err()
	}
	w := s.db.Arguments()
	user := s.db.Dialect.Text(s.db.Dialect.AsText("h." + s.User))
	text := "SELECT DISTINCT " + user + " AS holder FROM " + s.Holders + " AS h"
	if s.Roles != "" && !s.IsColumn {
		text += " JOIN " + s.Roles + " AS t ON t." + s.ID + " = h." + s.Role
	}
	text += " WHERE " + s.id() + " = " + w.Add(role.ID) + " AND " + s.inScope(w, role.Scope) + " AND " + ofTenant(s, w) + " AND " + user + " > " + w.Add(after)
	if s.Tenant != "" && !s.IsColumn {
		text += " AND t." + s.Tenant + " = " + w.Add(s.db.Tenant)
	}
	var ids []string
	if err := s.db.EachAppRow(ctx, w, text+" ORDER BY holder LIMIT "+fmt.Sprint(limit), database.Texts(&ids)); err != nil {
		return nil, fmt.Errorf("sqlstore: holders of role %q: %w", role.ID, err)
	}
	return ids, nil
}
