package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
)

// trail is what the console shows: what clients have sent, and the tokens. Both live in memory, until the program ends.
type trail struct {
	journal *journal.Journal
	tokens  *tokens.Tokens
}

// newTrail returns a trail whose first token is the one that the program prints.
func newTrail(ctx context.Context, token string, log *slog.Logger) (*trail, error) {
	store := tokens.NewMemory()
	known := auth.TokenOf(token)
	err := store.Insert(ctx, tokens.Token{ID: "terminal", Client: known.ID, Hash: known.Hash, Label: "The terminal's token", Maker: "quickstart",
		Last4: token[max(0, len(token)-4):], Created: time.Now().UTC()})
	if err != nil {
		return nil, err
	}
	t := &trail{}
	if t.tokens, err = tokens.New(store, tokens.Options{Log: log}); err != nil {
		return nil, err
	}
	t.journal, err = journal.New(journal.NewMemory(64<<20), journal.Options{Keys: journal.NewEphemeralKeys(), Log: log, Label: t.label})
	return t, err
}

// label returns the label of a client's newest token.
func (t *trail) label(ctx context.Context, tenant, client string) string {
	list, err := t.tokens.Tenant(tenant).List(ctx)
	if err != nil {
		return ""
	}
	label := ""
	for _, x := range list {
		if x.Client == client {
			label = cmp.Or(label, x.Label)
		}
	}
	return label
}

// consoleOf returns the console of the server at url. The guard in front of it is its log-in: whoever has the key is an
// administrator. Set-up links end with the program, because their key does.
func (t *trail) consoleOf(url string, where *place, roles *scim.Reconciler, endpoint http.Handler, log *slog.Logger) (*console.Console, error) {
	key := make([]byte, 32)
	rand.Read(key) // It never returns an error.
	return console.New(console.Options{
		Authorize: func(*http.Request) (console.Viewer, error) {
			return console.Viewer{ID: "you", Tenants: []string{""}, May: console.May{Tokens: true, Roles: true, Bodies: true}}, nil
		},
		Tenant: func(context.Context, string) (console.Tenant, error) {
			return console.Tenant{Name: "SCIM quickstart", Address: url + scimPath, Tokens: t.tokens.Tenant(""), Directory: where.store,
				Roles: roles, Links: where.store, AllRoles: where.app.list, Endpoint: endpoint, Preview: roles}, nil
		},
		Journal: t.journal,
		Home:    "/",
		Setup: &console.Setup{Address: url + setupPath, Keys: [][]byte{key},
			MayStill: func(context.Context, string, string) (bool, error) { return true, nil }},
		Log: log,
	})
}
