package console_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
)

// unlisted are tokens that can be made, and not listed any more after some times.
type unlisted struct {
	console.Tokens
	times int
}

func (u *unlisted) List(ctx context.Context) ([]tokens.Token, error) {
	if u.times--; u.times < 0 {
		return nil, errors.New("internal")
	}
	return u.Tokens.List(ctx)
}

// The secret of a token is shown also if its list then fails. With no overlap the old token has ended already.
func TestSecretWithoutList(t *testing.T) {
	w := newWorld(t, "").start()
	_, old := w.issue("Okta")
	w.tenant.Tokens = &unlisted{w.tokens.Tenant(""), 1}
	w.wants(w.post(200, "/connection/tokens/"+old.ID+"/rotate", url.Values{"overlap": {"0"}}), `id="secret"`, "The list of tokens cannot be read now", "!internal")
	w.wants(w.post(200, "/connection/tokens", url.Values{"label": {"Entra"}, "life": {"90"}}), `id="secret"`, "!No token is valid")
	w.get(503, "/connection")
}
