package doctest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/oauth2"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// What follows, up to the end marker, is in docs/oauth.md.

func withOkta() (scim.Authenticator, error) {
	return oauth2.JWT(oauth2.Issuer{
		URL:       "https://example.okta.com/oauth2/default", // the claim iss, letter by letter
		Keys:      "https://example.okta.com/oauth2/default/v1/keys",
		Audiences: []string{"https://app.example.com/scim"}, // tokens for other services are refused
		Scope:     "scim",                                   // the token must have it
		Scopes:    map[string][]string{"scim": {scim.ScopeUsers, scim.ScopeGroups}},
	})
}

func manyCustomers(a *oauth2.Auth, db *Application) {
	a.Principal = func(ctx context.Context, p scim.Principal, t *oauth2.Token) (scim.Principal, error) {
		var err error
		p.Tenant, err = db.tenantOfClient(ctx, t.ClientID) // scim.ErrNotFound: 401
		return p, err
	}
}

var scopes = map[string][]string{"scim": {"users", "groups", "write"}, "scim.users": {"users"}}

func withEntra(db *Application) scim.Authenticator {
	return oauth2.Entra(oauth2.EntraCustomApp, db.tenantOfDirectory) // "" or scim.ErrNotFound: 401
}

func opaque(secret string) (scim.Authenticator, error) {
	return oauth2.Introspect(
		oauth2.Endpoint{URL: "https://id.example.com/introspect", ClientID: "scim", ClientSecret: secret},
		oauth2.Issuer{Audiences: []string{"https://app.example.com/scim"}, Scope: "scim", Scopes: scopes},
	)
}

// The end of what the page shows.

const acmeDirectory = "0b5c8f0e-5d4e-4a55-9a59-1f2c6a2f3c11"

func (*Application) tenantOfClient(_ context.Context, id string) (string, error) {
	if id != "okta" {
		return "", scim.ErrNotFound
	}
	return "acme", nil
}

func (*Application) tenantOfDirectory(_ context.Context, id string) (string, error) {
	return map[string]string{acmeDirectory: "acme"}[id], nil
}

// authority plays the authorization servers of the page: it signs tokens, and answers
// requests for keys and about tokens.
type authority struct {
	key  *ecdsa.PrivateKey
	urls []string
}

func (s *authority) RoundTrip(r *http.Request) (*http.Response, error) {
	s.urls = append(s.urls, r.URL.String())
	body := testhost.Must(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "1", Key: s.key.Public()}}}))
	if r.Method == http.MethodPost {
		body = []byte(`{"active": true, "aud": "https://app.example.com/scim", "scope": "scim", "client_id": "okta"}`)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(body)))}, nil
}

func (s *authority) token(claims map[string]any) string {
	claims["exp"] = time.Now().Add(time.Hour).Unix()
	signer := testhost.Must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: s.key}, (&jose.SignerOptions{}).WithHeader("kid", "1")))
	return testhost.Must(testhost.Must(signer.Sign(testhost.Must(json.Marshal(claims)))).CompactSerialize())
}

// TestOAuth sends tokens to a handler with each of the page's authenticators. Only the
// tenant "acme" exists.
func TestOAuth(t *testing.T) {
	s := &authority{key: testhost.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	db := &Application{}
	okta := testhost.Must(withOkta()).(*oauth2.Auth)
	manyCustomers(okta, db)
	entra := withEntra(db).(*oauth2.Auth)
	asked := testhost.Must(opaque("secret")).(*oauth2.Auth)
	asked.Principal = okta.Principal
	with := func(base map[string]any, name string, v any) map[string]any {
		c := maps.Clone(base)
		c[name] = v
		return c
	}
	oktaClaims := map[string]any{"iss": "https://example.okta.com/oauth2/default", "aud": "https://app.example.com/scim", "scp": []string{"scim"}, "cid": "okta"}
	entraClaims := map[string]any{"iss": "https://sts.windows.net/" + acmeDirectory + "/", "aud": oauth2.EntraCustomApp, "tid": acmeDirectory, "appid": "00000014-0000-0000-c000-000000000000"}
	other := "11111111-5d4e-4a55-9a59-1f2c6a2f3c11"
	for _, c := range []struct {
		name  string
		auth  *oauth2.Auth
		token string
		want  int
	}{
		{"Okta", okta, s.token(oktaClaims), 200},
		{"Okta, for another service", okta, s.token(with(oktaClaims, "aud", "https://mail.example.com")), 401},
		{"Okta, without the scope", okta, s.token(with(oktaClaims, "scp", []string{"mail"})), 401},
		{"Okta, of another client", okta, s.token(with(oktaClaims, "cid", "mail")), 401},
		{"Entra", entra, s.token(entraClaims), 200},
		{"Entra, another directory", entra, s.token(with(with(entraClaims, "iss", "https://sts.windows.net/"+other+"/"), "tid", other)), 401},
		{"Entra, another application", entra, s.token(with(entraClaims, "appid", other)), 401},
		{"opaque", asked, "opaque", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.auth.HTTP = &http.Client{Transport: s}
			h := handler(t, scim.Config{Auth: c.auth, TenantFor: func(_ context.Context, p scim.Principal) (*scim.Tenant, error) {
				if p.Tenant != "acme" {
					return nil, scim.ErrNotFound
				}
				return &scim.Tenant{ID: p.Tenant, Store: memory.New()}, nil
			}})
			r := httptest.NewRequest(http.MethodGet, "/Users", nil)
			r.Header.Set("Authorization", "Bearer "+c.token)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.want || (w.Code == 401) != (w.Header().Get("WWW-Authenticate") != "") {
				t.Errorf("%d %v %s, want %d", w.Code, w.Header(), w.Body, c.want)
			}
		})
	}
	want := []string{"https://example.okta.com/oauth2/default/v1/keys", "https://login.microsoftonline.com/common/discovery/keys", "https://id.example.com/introspect"}
	if !slices.Equal(want, s.urls) {
		t.Errorf("asked %v, want each once: %v", s.urls, want)
	}
	i := oauth2.Issuer{URL: "https://id.example.com", Keys: "https://id.example.com/keys", Audiences: []string{"x"}, Scopes: scopes}
	a := testhost.Must(oauth2.JWT(i))
	a.HTTP = &http.Client{Transport: s}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+s.token(map[string]any{"iss": i.URL, "aud": "x", "scope": "scim.users", "sub": "s"}))
	if p, err := a.Authenticate(r); err != nil || !slices.Equal(p.Scopes, []string{"users"}) {
		t.Errorf("scopes %v, error %v", p.Scopes, err)
	}
}
