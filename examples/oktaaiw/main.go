// Command oktaaiw is an application to which an administrator of Okta adds SCIM in the App
// Integration Wizard: with a base address and a unique identifier field of their choice, four
// provisioning actions, and three modes of authentication. It plans the visits of service teams.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/auth/oauth2"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore"

	"github.com/scimkit/scim/examples/internal/page"
)

func main() { program().Main() }

// issuer is the authorization server whose access tokens count, as the flags name it.
type issuer struct{ url, keys, audience string }

func program() page.Program {
	i := &issuer{}
	return page.Program{Name: "oktaaiw", Start: i.start, Flags: func(f *flag.FlagSet) {
		f.StringVar(&i.url, "issuer", "", "`address` of the authorization server, for OAuth 2; see examples/oktaaiw/authserver")
		f.StringVar(&i.keys, "keys", "", "`address` of its key set")
		f.StringVar(&i.audience, "audience", "", "`name` of this endpoint in its tokens")
	}}
}

// app is the application.
type app struct {
	db     *sql.DB
	store  *sqlstore.Store
	tokens *tokens.Tokens
	basic  *auth.BasicAuth
	oauth  *oauth2.Auth // nil without an authorization server
	last   atomic.Pointer[settings]
	log    *slog.Logger
}

func (i *issuer) start(ctx context.Context, e *page.Env) (*page.App, error) {
	if err := e.Install(ctx, "people", tables); err != nil {
		return nil, err
	}
	a := &app{db: e.DB, log: e.Log}
	a.basic = auth.BasicFunc(a.account)
	a.basic.Cost = 0 // its secret is generated
	if i.url != "" {
		var err error
		if a.oauth, err = i.auth(); err != nil {
			return nil, err
		}
	}
	o := options
	o.Log = e.Log
	var err error
	if a.store, err = sqlstore.New(e.DB, e.Dialect, o); err != nil {
		return nil, err
	}
	if err := a.store.Migrate(ctx); err != nil {
		return nil, err
	}
	if a.tokens, err = e.Tokens(ctx, tokens.Options{Prefix: "fieldbook_"}); err != nil {
		return nil, err
	}
	if _, err := a.load(ctx); err != nil {
		return nil, err
	}
	j, err := e.Journal(ctx, journal.Options{})
	if err != nil {
		return nil, err
	}
	h, err := scim.New(j.Config(scim.Config{
		Auth: modes{a}, Log: e.Log,
		TenantFor: func(ctx context.Context, _ scim.Principal) (*scim.Tenant, error) {
			s, err := of(ctx)
			if err != nil {
				return nil, err
			}
			return a.tenant(s), nil
		},
	}))
	if err != nil {
		return nil, err
	}
	site, err := a.site(e, j)
	if err != nil {
		return nil, err
	}
	hints, err := a.hints(ctx, e)
	return &page.App{Handler: a.mount(j.Handler(h), site.Handler()), Hints: hints}, err
}

// auth checks the access tokens of the authorization server.
func (i *issuer) auth() (*oauth2.Auth, error) {
	if i.keys == "" || i.audience == "" {
		return nil, errors.New("-issuer needs -keys and -audience")
	}
	return oauth2.JWT(oauth2.Issuer{
		URL: i.url, Keys: i.keys, Audiences: []string{i.audience},
		Scope: "scim", Scopes: map[string][]string{"scim": {scim.ScopeUsers, scim.ScopeGroups}},
	})
}

// hints makes what the terminal shows.
func (a *app) hints(ctx context.Context, e *page.Env) (string, error) {
	token, err := e.StartToken(ctx, a.tokens, "")
	if err != nil {
		return "", err
	}
	s := a.last.Load()
	return fmt.Sprintf(`log in as ada@fieldbook.example (an administrator) or ben@fieldbook.example
token: %[2]s

API=%[1]s%[3]s
H=(-sS -H 'Content-Type: application/scim+json' -H 'Authorization: Bearer %[2]s')
# Okta's look-up before each push, by the unique identifier field
curl "${H[@]}" -G $API/Users --data-urlencode '%[4]s eq "ben@fieldbook.example"'
# a deactivation goes through, also if "Push Profile Updates" is off
curl "${H[@]}" -X PUT $API/Users/2 -d '{"userName":"ben@fieldbook.example","active":false}'
# without a credential: the challenge of each mode that is on
curl -sSi $API/Users | grep -i www-authenticate
`, e.URL, token, s.Base, "filter="+s.Field), nil
}
