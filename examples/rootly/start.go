package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/examples/internal/page"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/tenants"
)

// start makes the application with its endpoint. All teams have one address.
func start(ctx context.Context, e *page.Env) (*page.App, error) {
	if err := e.Install(ctx, "teams", schema); err != nil {
		return nil, err
	}
	a := &app{db: e.DB, url: e.URL, customers: make(map[string]*customer)}
	rows, err := page.Texts(ctx, e.DB, "SELECT id FROM teams ORDER BY id")
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if a.customers[row[0]], err = newCustomer(ctx, e, row[0]); err != nil {
			return nil, err
		}
	}
	if a.tokens, err = e.Tokens(ctx, tokens.Options{Prefix: "rootly_"}); err != nil {
		return nil, err
	}
	log, err := e.Journal(ctx, journal.Options{})
	if err != nil {
		return nil, err
	}
	a.handler, err = tenants.New(tenants.Options{Address: "/scim", Settings: a, Journal: log}, scim.Config{Auth: a.tokens, Log: e.Log})
	if err != nil {
		return nil, err
	}
	for _, c := range a.customers {
		roles, err := a.handler.Reconciler(c.tenant)
		if err != nil {
			return nil, err
		}
		c.directory = &page.Directory{Store: c.store, User: scim.UserType(), Group: scim.GroupType(), Reconciler: roles, Roles: c.all, RoleOf: nameOf}
		if err := c.followSettings(ctx); err != nil {
			return nil, err
		}
	}
	site, err := a.site(e, log)
	if err != nil {
		return nil, err
	}
	token, err := e.StartToken(ctx, a.tokens, "acme")
	if err != nil {
		return nil, err
	}
	return &page.App{Handler: a.handler.Mount(site.Handler()), Hints: hints(e.URL, token)}, nil
}

// all lists what an administrator can give by hand: roles, and memberships of groups.
func (c *customer) all(ctx context.Context) (roles []scim.Role, err error) {
	for _, r := range rolesInTeam {
		r.Scope = roleScope
		roles = append(roles, r)
	}
	rows, err := page.Texts(ctx, c.store.DB(ctx), "SELECT id, name FROM groups WHERE team_id = $1 AND in_app ORDER BY name", c.id)
	for _, row := range rows {
		roles = append(roles, scim.Role{Scope: groupScope, ID: row[0], Name: row[1]})
	}
	return roles, err
}

func nameOf(r scim.Role) string {
	if r.Scope == groupScope {
		return "in group " + r.Name
	}
	return r.Name
}

// give and take write a role or a membership by hand, in the transaction that ctx carries.
func (c *customer) give(ctx context.Context, userID string, r scim.Role) (err error) {
	if r.Scope == roleScope {
		if !isRole(r.ID) {
			return scim.ErrNoRole
		}
		if err := c.keepAdmin(ctx, userID, r); err != nil {
			return err
		}
		_, err = c.store.DB(ctx).ExecContext(ctx, "UPDATE memberships SET role = $1 WHERE team_id = $2 AND CAST(user_id AS text) = $3", r.ID, c.id, userID)
		return err
	}
	rows, err := page.Texts(ctx, c.store.DB(ctx), "SELECT 1 FROM groups WHERE team_id = $1 AND CAST(id AS text) = $2", c.id, r.ID)
	if err == nil && len(rows) == 0 {
		err = scim.ErrNoRole
	}
	if err != nil {
		return err
	}
	_, err = c.store.DB(ctx).ExecContext(ctx, `INSERT INTO group_members (team_id, group_id, user_id) SELECT m.team_id, g.id, m.user_id FROM memberships m JOIN groups g ON g.team_id = m.team_id
		WHERE m.team_id = $1 AND CAST(g.id AS text) = $2 AND CAST(m.user_id AS text) = $3 ON CONFLICT DO NOTHING`, c.id, r.ID, userID)
	return err
}

// keepAdmin refuses to give a person another role than Admin if nobody else who is active is one.
func (c *customer) keepAdmin(ctx context.Context, userID string, next scim.Role) error {
	if next.ID == "admin" {
		return nil
	}
	db := c.store.DB(ctx)
	if err := lockTeam(ctx, db, c.id); err != nil {
		return err
	}
	admins, err := page.Texts(ctx, db, "SELECT user_id FROM memberships WHERE team_id = $1 AND role = 'admin' AND status = 'active'", c.id)
	if err == nil && len(admins) == 1 && admins[0][0] == userID {
		err = page.Refused("This is the last Admin of the team. Make another one first.")
	}
	return err
}

// isRole reports whether there is a role with this id.
func isRole(id string) bool {
	return slices.ContainsFunc(rolesInTeam, func(r scim.Role) bool { return r.ID == id })
}

func (c *customer) take(ctx context.Context, userID string, r scim.Role) (err error) {
	if r.Scope == roleScope {
		if err := c.keepAdmin(ctx, userID, scim.Role{}); err != nil {
			return err
		}
		_, err = c.store.DB(ctx).ExecContext(ctx, "UPDATE memberships SET role = 'member' WHERE team_id = $1 AND CAST(user_id AS text) = $2 AND role = $3", c.id, userID, r.ID)
		return err
	}
	_, err = c.store.DB(ctx).ExecContext(ctx, "DELETE FROM group_members WHERE team_id = $1 AND CAST(group_id AS text) = $2 AND CAST(user_id AS text) = $3", c.id, r.ID, userID)
	return err
}

// isSupport reports whether somebody is of the vendor's support.
func (a *app) isSupport(ctx context.Context, p page.Person) bool {
	rows, err := page.Texts(ctx, a.db, "SELECT 1 FROM users WHERE CAST(id AS text) = $1 AND is_support", p.ID)
	return err == nil && len(rows) > 0
}

func hints(url, token string) string {
	return fmt.Sprintf(`token: %s
log in at %s as ann@acme.test (Admin of Acme), gus@globex.test (Admin of Globex, where nothing is set up), con@partner.test (in both) or help@rootly.test (support)

# Ada gets a number as people write it. SCIM returns it as it was sent. The page has it as E.164, if support has switched that on.
curl -sS -H 'Authorization: Bearer %[1]s' -H 'Content-Type: application/scim+json' %[2]s/scim/Users -d '{"userName":"ada@acme.test","name":{"givenName":"Ada"},"phoneNumbers":[{"value":"(201) 555-0123","type":"mobile"}]}'
# The application's own groups are in the list before any push.
curl -sS -H 'Authorization: Bearer %[1]s' %[2]s/scim/Groups
# Push a group. Map it to a role on the page, put Ada into it, and rename it: it keeps the role.
curl -sS -H 'Authorization: Bearer %[1]s' -H 'Content-Type: application/scim+json' %[2]s/scim/Groups -d '{"displayName":"On-call"}'
`, token, url)
}
