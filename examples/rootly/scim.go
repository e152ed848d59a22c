package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/examples/internal/page"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/tenants"
)

// members maps the members of a team. The person is in the table users, which the teams share.
func members(mayJoin func(context.Context, *scim.Resource) (any, error)) sqlstore.Table {
	return sqlstore.Table{
		Type: "User", Name: "memberships", Key: "user_id", Tenant: "team_id", Created: "created_at",
		Visible: "t.status <> 'left'", Unclaimed: sqlstore.FindUnclaimed,
		Columns: []sqlstore.Column{sqlstore.ActiveWhen("status", "active", "inactive"), {Name: "external_id", Path: "externalId"}},
		Beside: []sqlstore.Beside{{Name: "users", Key: "id", Ref: "user_id", Shared: true, Find: mayJoin, Columns: []sqlstore.Column{
			{Name: "email", Path: "userName"}, {Name: "first_name", Path: "name.givenName"},
			{Name: "last_name", Path: "name.familyName"}, {Name: "preferred_name", Path: "displayName"}}}},
		Retire: func(context.Context, *scim.Resource, time.Time) map[string]any {
			return map[string]any{"status": "left"}
		},
		Revive: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"status": "active"} },
	}
}

// groups maps the groups, also those that the application made: clients list them. A group that a client
// deletes stays in the application.
var groups = sqlstore.Table{
	Type: "Group", Name: "groups", Key: "id", Tenant: "team_id", Visible: "NOT t.released",
	Columns: []sqlstore.Column{{Name: "scim_name", Path: "displayName"}, {Name: "name", Path: "displayName", SetOnce: true}},
	Retire: func(context.Context, *scim.Resource, time.Time) map[string]any {
		return map[string]any{"released": true}
	},
	Revive: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"released": false} },
}

// customer is a team's part of SCIM.
type customer struct {
	id        string
	store     *sqlstore.Store
	tenant    *scim.Tenant
	directory *page.Directory
}

// newCustomer makes the store, the roles and the rules of a team.
func newCustomer(ctx context.Context, e *page.Env, id string) (*customer, error) {
	c := &customer{id: id}
	var err error
	c.store, err = sqlstore.New(e.DB, e.Dialect, sqlstore.Options{Tenant: id, Log: e.Log, Tables: []sqlstore.Table{members(c.mayJoin), groups}})
	if err != nil {
		return nil, err
	}
	if err := c.store.Migrate(ctx); err != nil {
		return nil, err
	}
	resolver, err := c.store.RoleResolver(ctx, c.memberships(), c.roles())
	if err != nil {
		return nil, err
	}
	c.tenant = &scim.Tenant{ID: id, Store: c.store, OnWrite: c.follow,
		Roles:   &scim.Roles{Resolver: resolver, PolicyOf: policy},
		Members: scim.MemberPolicy{Nested: true},
		Rules:   []scim.Rule{c.store.Adopt(sqlstore.SamePerson, "User", "Group"), rules.EmailUserName, rules.Unique("Group", "displayName")},
	}
	return c, nil
}

// mayJoin finds the person of an address, if the team has verified its domain or has invited the person.
func (c *customer) mayJoin(ctx context.Context, r *scim.Resource) (any, error) {
	email := strings.ToLower(r.String("userName"))
	_, domain, _ := strings.Cut(email, "@")
	rows, err := page.Texts(ctx, c.store.DB(ctx), `SELECT u.id FROM users u WHERE lower(u.email) = $1 AND (
		EXISTS (SELECT 1 FROM domains d WHERE d.team_id = $2 AND d.domain = $3) OR EXISTS (SELECT 1 FROM invitations i WHERE i.team_id = $2 AND lower(i.email) = $1))`,
		email, c.id, domain)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0][0], nil
}

// Setting implements tenants.Settings: the token tells the team. Without single sign-on there is no endpoint.
func (a *app) Setting(ctx context.Context, id string) (tenants.Setting, error) {
	c := a.customers[id]
	if c == nil {
		return tenants.Setting{}, scim.ErrNotFound
	}
	t, err := readTeam(ctx, c.store.DB(ctx), id)
	if !t.SSO { // it was set up before: clients come back later
		t.Switch.TurnOff()
	}
	return tenants.Setting{Switch: t.Switch, Tenant: c.tenant}, err
}

var errNoSignOn = page.Refused("Configure single sign-on first: provisioned people could not sign in.")

// turnOn is the administrators' switch of SCIM, and startSync that of Google Directory Sync.
func (a *app) turnOn(ctx context.Context, id string) error {
	return a.change(ctx, id, func(_ context.Context, t *team) error {
		if !t.SSO {
			return errNoSignOn
		}
		return excluded(t.Switch.TurnOn())
	})
}

func (a *app) startSync(ctx context.Context, id string) error {
	return a.change(ctx, id, func(_ context.Context, t *team) error { return excluded(t.Switch.StartSync("Google Directory Sync")) })
}

// excluded shows the reason to the administrator.
func excluded(err error) error {
	if errors.Is(err, tenants.ErrExcluded) {
		return page.Refused(strings.TrimPrefix(err.Error(), "tenants: "))
	}
	return err
}
