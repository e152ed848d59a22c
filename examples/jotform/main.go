// Command jotform is an application for forms, whose customers each have a sub-domain. An attribute of the
// user gives a role: one for a person who is assigned directly, another one for a person who is assigned
// through a group. There are no SCIM groups.
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/tenants"

	"github.com/scimkit/scim/examples/internal/page"
)

func main() { program().Main() }

func program() page.Program {
	a := &app{}
	return page.Program{Name: "jotform", Start: a.start, Flags: func(f *flag.FlagSet) {
		f.StringVar(&a.domain, "domain", "localhost", "`name` below which each company has a host")
	}}
}

// path is where the endpoint of each company is.
const path = "/API/enterprise/scim"

// app is the application.
type app struct {
	domain  string
	db      *sql.DB
	dialect sqlstore.Dialect
	types   []*scim.ResourceType
	tokens  *tokens.Tokens
	handler *tenants.Handler
	log     *slog.Logger

	mu    sync.Mutex
	parts map[string]part // by the company
}

func (a *app) start(ctx context.Context, e *page.Env) (*page.App, error) {
	if err := e.Install(ctx, "companies", tables); err != nil {
		return nil, err
	}
	user, err := userType()
	if err != nil {
		return nil, err
	}
	a.db, a.dialect, a.log, a.types, a.parts = e.DB, e.Dialect, e.Log, []*scim.ResourceType{user}, make(map[string]part)
	if a.tokens, err = e.Tokens(ctx, tokens.Options{Prefix: "formhouse_"}); err != nil {
		return nil, err
	}
	j, err := e.Journal(ctx, journal.Options{})
	if err != nil {
		return nil, err
	}
	a.handler, err = tenants.New(tenants.Options{Address: "{tenant}." + a.domain + path, Settings: a, Journal: j},
		scim.Config{Auth: a.tokens, Log: e.Log})
	if err != nil {
		return nil, err
	}
	site, err := a.site(e, j)
	if err != nil {
		return nil, err
	}
	return &page.App{Handler: a.handler.Mount(site.Handler()), Hints: a.hints(e)}, nil
}

// slugOf returns the company to whose host a request was sent, or "".
func (a *app) slugOf(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	slug, ok := strings.CutSuffix(strings.ToLower(host), "."+a.domain)
	if !ok || strings.Contains(slug, ".") {
		return ""
	}
	return slug
}

// hints makes what the terminal shows.
func (a *app) hints(e *page.Env) string {
	port := e.URL[strings.LastIndex(e.URL, ":"):]
	return fmt.Sprintf(`open http://acme.%[1]s%[2]s and log in as ana@acme.example (an administrator) or sam@acme.example
open http://birch.%[1]s%[2]s and log in as bea@birch.example
turn on "Single sign-on" and then "SCIM Provisioning" on the page Security: it shows the token

TOKEN= # paste it here
API=http://acme.%[1]s%[2]s%[3]s
# before SCIM is on: 404 to everybody
curl -sS -o /dev/null -w '%%{http_code}\n' "$API/Users"
# a role of the wrong kind is refused, and the answer lists the right ones
curl -sS -H "Authorization: $TOKEN" -H 'Content-Type: application/scim+json' -X POST "$API/Users" -d '{"userName":"kim@acme.example","jotform_user_role":"Team Editor"}'
# groups are not supported
curl -sS -H "Authorization: $TOKEN" -H 'Content-Type: application/scim+json' -X POST "$API/Groups" -d '{"displayName":"Sales"}'
`, a.domain, port, path)
}
