package main

import (
	"context"
	"strings"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// The attributes that name roles: Okta sends the first one for a person who is assigned directly, and the
// second one for a person who is assigned through a group.
const (
	personalAttribute = "jotform_user_role"
	groupAttribute    = "jotform_group_role"
)

// The scopes of the two kinds of roles. A person has one of each.
const (
	personal = "personal"
	group    = "group"
)

var (
	personalRoles = []scim.Role{{ID: "Creator", Name: "Creator"}, {ID: "Editor", Name: "Editor"}, {ID: "Viewer", Name: "Viewer"}}
	groupRoles    = []scim.Role{{ID: "Team Editor", Name: "Team Editor"}, {ID: "Team Viewer", Name: "Team Viewer"}}
)

// userType is the type of users. Its core schema has the two attributes, because Okta's external namespace
// for them is that of the core User.
func userType() (*scim.ResourceType, error) {
	c := scim.UserConfig()
	for name, description := range map[string]string{personalAttribute: "Roles", groupAttribute: "Group Roles"} {
		c.Schema.Attributes = append(c.Schema.Attributes, schema.SimpleCoreAttribute(schema.SimpleStringParams(
			schema.StringParams{Name: name, Description: optional.NewString(description), CaseExact: true})))
	}
	return scim.NewResourceType(c)
}

// accounts maps the accounts of a company.
var accounts = sqlstore.Table{
	Type: "User", Name: "accounts", Key: "id", Created: "created_at", Tenant: "company", Unclaimed: sqlstore.FindUnclaimed,
	Columns: []sqlstore.Column{
		{Name: "email", Path: "userName", To: func(v any) (any, error) { return strings.ToLower(v.(string)), nil }},
		{Name: "name", Path: "displayName", Empty: ""},
		sqlstore.ActiveWhen("status", "active", "deactivated"),
	},
}

// slot is a column for roles of one kind, which one attribute names. NULL is nothing given: the person then has
// the company's default role.
func slot(scope, column, attribute string, roles []scim.Role) sqlstore.RoleColumn {
	return sqlstore.RoleColumn{
		Table: "accounts", User: "id", UserTenant: "company", Column: column,
		Scope: sqlstore.RoleScope{Name: scope}, List: roles,
		Match: func(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
			if src.Attribute != attribute {
				return nil, nil // a role of the other kind
			}
			return []scim.Role{{Name: src.Value}}, nil
		},
	}
}

// rolesOf says how the two attributes give roles. A switch straight from one role to another is refused.
func rolesOf(ctx context.Context, store *sqlstore.Store) (*scim.Roles, error) {
	resolver, err := store.RoleResolver(ctx, slot(personal, "personal_role", personalAttribute, personalRoles),
		slot(group, "group_role", groupAttribute, groupRoles))
	return &scim.Roles{Resolver: resolver, Attributes: []string{personalAttribute, groupAttribute},
		Exclusive: true, SwitchNeedsUnassign: true}, err
}

// endpoint returns a company's endpoint.
func (a *app) endpoint(c *company) *scim.Tenant {
	t := &scim.Tenant{ID: c.slug, Store: c.store, Types: a.types, Roles: c.roles}
	if c.removes {
		t.OnWrite = func(ctx context.Context, w *scim.Written) error { return a.remove(ctx, c, w) }
	}
	return t
}

// remove deletes the account of a person who was unassigned, in the transaction of the request. The forms stay
// with the company. The last administrator is deactivated only: nobody else could make another one.
func (a *app) remove(ctx context.Context, c *company, w *scim.Written) error {
	if w.Before == nil || w.After == nil || w.After.Active() {
		return nil
	}
	if err := c.store.LockTenant(ctx, "administrators"); err != nil { // of two who leave at the same time, one stays
		return err
	}
	_, err := c.store.DB(ctx).ExecContext(ctx, `DELETE FROM accounts WHERE id = $1 AND company = $2
		AND (NOT is_admin OR EXISTS (SELECT 1 FROM accounts o WHERE o.company = $2 AND o.is_admin AND o.id <> accounts.id))`, w.After.ID(), c.slug)
	return err
}
