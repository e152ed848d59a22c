package main

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/store/sqlstore"
)

// options maps the tables.
var options = sqlstore.Options{
	Tables: []sqlstore.Table{
		{
			Type: "User", Name: "people", Key: "id", Created: "created_at",
			Columns: []sqlstore.Column{
				{Name: "login", Path: "userName"},
				{Name: "email", Path: "emails.value"},
				{Name: "given_name", Path: "name.givenName", Empty: ""},
				{Name: "family_name", Path: "name.familyName", Empty: ""},
				sqlstore.ActiveWhen("status", "active", "deactivated"),
			},
		},
		{Type: "Group", Name: "teams", Key: "id", Created: "created_at", Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
	},
	Members: &sqlstore.Join{Name: "team_members", Group: "team_id", User: "person_id"},
}

// tenant returns the endpoint as the administrator has set it.
func (a *app) tenant(s *settings) *scim.Tenant {
	t := &scim.Tenant{Store: a.store, Rules: []scim.Rule{rules.Unique("Group", "displayName")}}
	for column, action := range map[string]rules.Action{pushUsers: rules.CreateUsers, pushUpdates: rules.UpdateUsers, pushGroups: rules.PushGroups} {
		if !s.on[column] {
			t.Rules = append(t.Rules, named(rules.Off(action), nameOf(column)))
		}
	}
	if s.Field != "userName" { // which is unique anyway
		t.Rules = append(t.Rules, rules.Unique("User", s.Field))
	}
	if !s.on[importUsers] {
		t.Store = lookUps{a.store}
	}
	return t
}

// named refuses what a rule refuses, and names Okta's action, which administrators know.
func named(rule scim.Rule, action string) scim.Rule {
	return func(ctx context.Context, c *scim.Change) error {
		err := rule(ctx, c)
		if e, ok := errors.AsType[*scim.Error](err); ok {
			return &scim.Error{Status: e.Status, Type: e.Type, Detail: action + " is switched off in Fieldbook"}
		}
		return err
	}
}

// lookUps is the store while the import is off. Clients find whom they name, and list nobody. It keeps
// the other methods, and so all that the handler can do with them.
type lookUps struct{ *sqlstore.Store }

// List implements scim.Store.
func (l lookUps) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	if !q.ForClient || isLookUp(q.Filter) {
		return l.Store.List(ctx, t, q)
	}
	return &scim.Page{}, nil
}

// isLookUp reports whether a client names what it looks for.
func isLookUp(f *scim.Filter) bool {
	for _, path := range []string{"id", "userName", "externalId", "emails.value", "displayName"} {
		if _, ok := f.Eq(path); ok {
			return true
		}
	}
	return false
}

// modes authenticates clients in each mode that the administrator has switched on.
type modes struct{ a *app }

var (
	_ scim.Challenger   = modes{}
	_ scim.SchemeLister = modes{}
)

func (m modes) in(s *settings) scim.Authenticator {
	var on []scim.Authenticator
	if s.on[headerMode] {
		on = append(on, m.a.tokens)
	}
	if s.on[oauthMode] && m.a.oauth != nil {
		on = append(on, m.a.oauth)
	}
	if s.on[basicMode] {
		on = append(on, m.a.basic)
	}
	return auth.Any(on...)
}

// Authenticate implements scim.Authenticator.
func (m modes) Authenticate(r *http.Request) (scim.Principal, error) {
	s, err := of(r.Context())
	if err != nil {
		return scim.Principal{}, err
	}
	return m.in(s).Authenticate(r)
}

// Challenge implements scim.Challenger. The settings are those that the last request read.
func (m modes) Challenge() string { return m.in(m.a.last.Load()).(scim.Challenger).Challenge() }

// Schemes implements scim.SchemeLister.
func (m modes) Schemes() []scim.AuthScheme {
	return m.in(m.a.last.Load()).(scim.SchemeLister).Schemes()
}

// account finds the account for Basic authentication. Its secret was generated, so its SHA-256 is enough.
func (a *app) account(ctx context.Context, user string) (auth.Account, error) {
	var text string
	if err := a.db.QueryRowContext(ctx, "SELECT basic_hash FROM provisioning").Scan(&text); err != nil {
		return auth.Account{}, err
	}
	hash, err := hex.DecodeString(text)
	if err != nil || len(hash) == 0 || user != basicUser {
		return auth.Account{}, scim.ErrNotFound
	}
	return auth.Account{User: user, Token: auth.Token{ID: "basic:" + user, Hash: [32]byte(hash)}}, nil
}

// newSecret replaces the secret for Basic authentication.
func (a *app) newSecret(ctx context.Context) (string, error) {
	secret, token := auth.NewToken()
	_, err := a.db.ExecContext(ctx, "UPDATE provisioning SET basic_hash = $1", hex.EncodeToString(token.Hash[:]))
	return secret, err
}

const basicUser = "okta"

// mount serves the endpoint at the path that the administrator has chosen, and next everywhere else.
func (a *app) mount(endpoint, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := a.load(r.Context())
		if err != nil {
			a.log.ErrorContext(r.Context(), "the settings cannot be read", "error", err)
			scim.WriteError(w, &scim.Error{Status: http.StatusServiceUnavailable, Detail: "the settings cannot be read at the moment: try again"})
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), settingsKey{}, s))
		scim.Mount(s.Base, endpoint, next).ServeHTTP(w, r)
	})
}
