package main

import (
	"context"
	"fmt"
	"time"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/examples/internal/page"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/tenants"
)

// extension is the schema that tells clients which teams are the application's own, and madeHere its attribute.
const (
	extension = "urn:ietf:params:scim:schemas:extension:officernd:2.0:Group"
	madeHere  = extension + ":madeHere"
)

// teamType is the type of teams, with the attribute.
func teamType() (*scim.ResourceType, error) {
	c := scim.GroupConfig()
	c.Extensions = append(c.Extensions, schema.Schema{ID: extension, Name: optional.NewString("OfficeRnD Team"),
		Attributes: []schema.CoreAttribute{schema.SimpleCoreAttribute(schema.SimpleBooleanParams(schema.BooleanParams{
			Name: "madeHere", Description: optional.NewString("The team was made in OfficeRnD, and cannot be deleted."), Mutability: schema.AttributeMutabilityReadOnly()}))}})
	return scim.NewResourceType(c)
}

// people maps the employees. Who is deactivated or deleted is a Former. Who is deleted and comes back is the
// same employee.
var people = sqlstore.Table{
	Type: "User", Name: "employees", Key: "id", Created: "created_at", Visible: "NOT t.is_gone", Unclaimed: sqlstore.FindUnclaimed,
	Columns: []sqlstore.Column{
		{Name: "email", Path: "userName"}, {Name: "first_name", Path: "name.givenName"}, {Name: "last_name", Path: "name.familyName"},
		sqlstore.ActiveWhen("status", "active", "former"),
	},
	Retire: func(context.Context, *scim.Resource, time.Time) map[string]any {
		return map[string]any{"status": "former", "is_gone": true}
	},
	Revive: func(context.Context, *scim.Resource) map[string]any {
		return map[string]any{"status": "active", "is_gone": false}
	},
}

// memberships are the teams of employees. The oldest one is primary.
var memberships = sqlstore.Join{Name: "employee_teams", Group: "team_id", User: "employee_id", Since: "joined_at"}

// teams maps the teams. Clients list those that the application has made, too.
var teams = sqlstore.Table{
	Type: "Group", Name: "teams", Key: "id",
	Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}, {Name: "made_here", Path: madeHere, ReadOnly: true}},
}

// employees is the store, which ends what a Former could do.
type employees struct{ *sqlstore.Store }

// Deactivate implements scim.Deactivator: who comes back has neither the teams nor the rights of before.
func (s *employees) Deactivate(ctx context.Context, user *scim.Resource) error {
	for _, text := range []string{"DELETE FROM employee_teams WHERE CAST(employee_id AS text) = $1", "UPDATE employees SET is_admin = FALSE WHERE CAST(id AS text) = $1"} {
		if _, err := s.DB(ctx).ExecContext(ctx, text, user.ID()); err != nil {
			return err
		}
	}
	return nil
}

// activate is the switch "SCIM User Provisioning". The first time it makes the secret.
func (a *app) activate(ctx context.Context) (page.Flash, error) {
	err := a.change(ctx, func(s *settings) error {
		if !s.hasSSO {
			return page.Refused("Configure single sign-on first: SCIM needs it.")
		}
		return s.TurnOn()
	})
	if err != nil {
		return page.Flash{}, err
	}
	if current, err := a.secret(ctx); err != nil || current != nil {
		return page.Flash{Text: "SCIM is on, with the secret of before."}, err
	}
	secret, _, err := a.tokens.Tenant(office).Issue(ctx, tokens.Request{Label: secretLabel, Maker: "the application"})
	return page.Flash{Text: "SCIM is on. The base URL is " + a.url + "/scim/v2. Copy the secret now: it is not shown again.", Secret: secret}, err
}

const secretLabel = "SCIM secret"

// secret returns what is kept of the secret, or nil.
func (a *app) secret(ctx context.Context) (*tokens.Token, error) {
	all, err := a.tokens.Tenant(office).List(ctx)
	for i := range all {
		if all[i].Label == secretLabel && all[i].IsValid(time.Now()) {
			return &all[i], err
		}
	}
	return nil, err
}

// Setting implements tenants.Settings.
func (a *app) Setting(ctx context.Context, id string) (tenants.Setting, error) {
	if id != office {
		return tenants.Setting{}, scim.ErrNotFound
	}
	s, err := readSettings(ctx, a.store.DB(ctx))
	if !s.hasSSO {
		s.TurnOff()
	}
	return tenants.Setting{Switch: s.Switch, Tenant: a.tenant()}, err
}

// tenant is the application's part of SCIM. A team that the application has made is neither deleted nor renamed.
func (a *app) tenant() *scim.Tenant {
	isOurs := func(team *scim.Resource) bool { return team.Bool(madeHere) }
	return &scim.Tenant{ID: office, Store: a.store, Types: []*scim.ResourceType{scim.UserType(), a.directory.Group}, Rules: []scim.Rule{
		a.store.Adopt(sqlstore.SamePerson), rules.EmailUserName, rules.DropPasswords, rules.KeepGroups(isOurs), rules.Unique("Group", "displayName")}}
}

// start makes the application with its endpoint.
func start(ctx context.Context, e *page.Env) (*page.App, error) {
	if err := e.Install(ctx, "settings", tables); err != nil {
		return nil, err
	}
	team, err := teamType()
	if err != nil {
		return nil, err
	}
	store, err := sqlstore.New(e.DB, e.Dialect, sqlstore.Options{Tenant: "", Log: e.Log, Types: []*scim.ResourceType{scim.UserType(), team},
		Tables: []sqlstore.Table{people, teams}, Members: &memberships})
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	a := &app{db: e.DB, store: &employees{store}, url: e.URL}
	a.directory = &page.Directory{Store: store, User: scim.UserType(), Group: team}
	if a.tokens, err = e.Tokens(ctx, tokens.Options{Prefix: "officernd_"}); err != nil {
		return nil, err
	}
	log, err := e.Journal(ctx, journal.Options{})
	if err != nil {
		return nil, err
	}
	h, err := tenants.New(tenants.Options{Address: "/scim/v2", Settings: a, Journal: log}, scim.Config{Auth: a.tokens, Log: e.Log})
	if err != nil {
		return nil, err
	}
	site, err := a.site(e, log)
	if err != nil {
		return nil, err
	}
	token, err := e.StartToken(ctx, a.tokens, office)
	if err != nil {
		return nil, err
	}
	return &page.App{Handler: h.Mount(site.Handler()), Hints: hints(e.URL, token)}, nil
}

func hints(url, token string) string {
	return fmt.Sprintf(`token: %s
log in at %s as ola@example.com (administrator) or nat@example.com

# Teams from before are in the list. They cannot be deleted.
curl -sS -H 'Authorization: Bearer %[1]s' %[2]s/scim/v2/Groups
curl -sS -H 'Authorization: Bearer %[1]s' %[2]s/scim/v2/Groups/1 -X DELETE
# Nat leaves, is labelled Former, and keeps the bookings. Sent a second time as "active": true, Nat is back, without teams.
curl -sS -H 'Authorization: Bearer %[1]s' -H 'Content-Type: application/scim+json' %[2]s/scim/v2/Users/2 -X PATCH -d '{"Operations":[{"op":"replace","value":{"active":false}}]}'
`, token, url)
}
