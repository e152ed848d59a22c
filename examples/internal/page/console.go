package page

import (
	"context"
	"errors"
	"net/http"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
)

// Console adds the console of package console for administrators, each for their own tenant: what clients sent, what
// failed, and tokens. tenant returns what it shows of a tenant beside the tokens.
func (s *Site) Console(title string, j *journal.Journal, all *tokens.Tokens, tenant func(ctx context.Context, id string) (console.Tenant, error)) error {
	c, err := console.New(console.Options{
		Authorize: func(r *http.Request) (console.Viewer, error) {
			p, ok := PersonOf(r.Context())
			if !ok {
				return console.Viewer{}, errors.New("nobody has logged in")
			}
			return console.Viewer{ID: p.Email, Tenants: []string{p.Tenant}, May: console.May{Tokens: true, Bodies: true}}, nil
		},
		Tenant: func(ctx context.Context, id string) (console.Tenant, error) {
			t, err := tenant(ctx, id)
			t.Tokens = all.Tenant(id)
			return t, err
		},
		Journal: j, Log: s.Log,
	})
	if err != nil {
		return err
	}
	s.Handle("/provisioning/", title, http.StripPrefix("/provisioning", c))
	return nil
}
