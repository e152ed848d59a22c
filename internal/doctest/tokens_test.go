package doctest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

// What follows, up to the end marker, is in docs/tokens.md.

func openTokens(ctx context.Context, db *sql.DB, d sqlstore.Dialect) (*tokens.Tokens, error) {
	store, err := sqlstore.NewTokens(db, d, sqlstore.Options{})
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil { // at each start
		return nil, err
	}
	return tokens.New(store, tokens.Options{Prefix: "acme_scim_", Scopes: []string{"write"}, CacheFor: 5 * time.Second})
}

// tokenPage is a page of the tenant's administrators. Protect it as you protect your other pages.
func tokenPage(all *tokens.Tokens, who func(*http.Request) (tenant, admin string)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /tokens", func(w http.ResponseWriter, r *http.Request) {
		tenant, _ := who(r)
		list, err := all.Tenant(tenant).List(r.Context())
		for _, t := range list {
			fmt.Fprintf(w, "%s %s…%s %s by %s, used %v, valid %t\n", t.ID, t.Prefix, t.Last4, t.Label, t.Maker, t.LastUsed, t.IsValid(time.Now()))
		}
		answer(w, err)
	})
	mux.HandleFunc("POST /tokens", func(w http.ResponseWriter, r *http.Request) {
		tenant, admin := who(r)
		secret, _, err := all.Tenant(tenant).Issue(r.Context(), tokens.Request{
			Label: r.FormValue("label"), Maker: admin, Expires: time.Now().AddDate(1, 0, 0)})
		showOnce(w, secret, err)
	})
	mux.HandleFunc("POST /tokens/{id}/rotate", func(w http.ResponseWriter, r *http.Request) {
		tenant, admin := who(r)
		secret, _, err := all.Tenant(tenant).Rotate(r.Context(), r.PathValue("id"), tokens.Rotation{Overlap: 24 * time.Hour, Maker: admin})
		showOnce(w, secret, err)
	})
	mux.HandleFunc("POST /tokens/{id}/revoke", func(w http.ResponseWriter, r *http.Request) {
		tenant, _ := who(r)
		answer(w, all.Tenant(tenant).Revoke(r.Context(), r.PathValue("id")))
	})
	return mux
}

func basicAccount(tenant, user, password string) (auth.Account, error) {
	hash, err := auth.HashPassword(password) // bcrypt
	return auth.Account{User: user, Password: hash, Token: auth.Token{ID: user, Tenant: tenant}}, err
}

func generatedAccount(tenant, user string) (secret string, a auth.Account) {
	secret, t := auth.NewToken()
	t.ID, t.Tenant = user, tenant
	return secret, auth.Account{User: user, Token: t}
}

// certificates lets clients in by the subjects of their certificates, over connections to this server
// and behind its proxy.
func certificates(clients map[string]auth.Token, proxy netip.Prefix) scim.Authenticator {
	a := auth.Certificate(func(_ context.Context, subject string, _ *x509.Certificate) (auth.Token, error) {
		return clients[subject], nil // such as "CN=okta,O=Acme"
	})
	a.TrustedProxies = []netip.Prefix{proxy}
	return a
}

func severalWays(all *tokens.Tokens, accounts func(ctx context.Context, user string) (auth.Account, error)) scim.Authenticator {
	return auth.Any(all, auth.BasicFunc(accounts), auth.Bearer(auth.TokenOf(os.Getenv("SCIM_TOKEN"))))
}

// The end of what the page shows.

// showOnce shows the secret of a new token.
func showOnce(w http.ResponseWriter, secret string, err error) {
	if err == nil {
		fmt.Fprintln(w, secret)
	}
	answer(w, err)
}

func answer(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, scim.ErrNotFound):
		http.Error(w, "no such token", http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// The page issues, rotates and revokes tokens of its tenant, and the endpoint obeys.
func TestTokenPage(t *testing.T) {
	t.Setenv("SCIM_TOKEN", "of-the-settings")
	all, err := openTokens(t.Context(), database(t), sqlstore.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	tenant := "acme"
	page := tokenPage(all, func(*http.Request) (string, string) { return tenant, "ann" })
	call := func(method, path string) (int, string) {
		out := httptest.NewRecorder()
		page.ServeHTTP(out, httptest.NewRequest(method, path, nil))
		return out.Code, strings.TrimSpace(out.Body.String())
	}
	ping, err := basicAccount("acme", "ping", "chosen")
	if err != nil {
		t.Fatal(err)
	}
	generated, okta := generatedAccount("acme", "okta")
	a := severalWays(all, func(_ context.Context, user string) (auth.Account, error) {
		for _, a := range []auth.Account{ping, okta} {
			if a.User == user {
				return a, nil
			}
		}
		return auth.Account{}, sql.ErrNoRows
	})
	h, err := scim.New(scim.Config{Store: memory.New(), Auth: a})
	if err != nil {
		t.Fatal(err)
	}
	want := func(why string, want int, set func(r *http.Request)) {
		t.Helper()
		r, out := httptest.NewRequest("GET", "/Users", nil), httptest.NewRecorder()
		set(r)
		h.ServeHTTP(out, r)
		if out.Code != want {
			t.Errorf("%s: %d, want %d", why, out.Code, want)
		}
	}
	bearer := func(secret string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }
	}
	basic := func(user, secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, secret) }
	}
	_, secret := call("POST", "/tokens?label=Okta")
	if !strings.HasPrefix(secret, "acme_scim_") || !tokens.IsSecret(secret, "acme_scim_") {
		t.Fatalf("secret %q", secret)
	}
	want("new token", 200, bearer(secret))
	want("password", 200, basic("ping", "chosen"))
	want("generated secret", 200, basic("okta", generated))
	want("the settings' token", 200, bearer("of-the-settings"))
	want("unknown user", 401, basic("nobody", "chosen"))
	_, list := call("GET", "/tokens")
	if !strings.Contains(list, "acme_scim_…"+secret[len(secret)-4:]+" Okta by ann") || strings.Contains(list, secret) {
		t.Errorf("list: %s", list)
	}
	id, _, _ := strings.Cut(list, " ")
	_, next := call("POST", "/tokens/"+id+"/rotate")
	want("old token in the overlap", 200, bearer(secret))
	want("successor", 200, bearer(next))
	if code, text := call("POST", "/tokens/"+id+"/rotate"); code != 400 || !strings.Contains(text, "rotated already") {
		t.Errorf("rotated twice: %d %s", code, text)
	}
	tenant = "other"
	if code, _ := call("POST", "/tokens/"+id+"/revoke"); code != 404 {
		t.Errorf("another tenant revokes: %d", code)
	}
	want("after another tenant's try", 200, bearer(secret))
	tenant = "acme"
	if code, text := call("POST", "/tokens/"+id+"/revoke"); code != 200 {
		t.Errorf("revoke: %d %s", code, text)
	}
	want("revoked", 401, bearer(secret))
	want("its successor", 200, bearer(next))
}

// The proxy sends the certificate of a client, and anybody else cannot.
func TestCertificates(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "okta", Organization: []string{"Acme"}}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, public, private)
	if err != nil {
		t.Fatal(err)
	}
	a := certificates(map[string]auth.Token{"CN=okta,O=Acme": {ID: "okta", Tenant: "acme"}}, netip.MustParsePrefix("192.0.2.1/32"))
	r := httptest.NewRequest("GET", "/Users", nil) // from 192.0.2.1
	r.Header.Set("Client-Cert", ":"+base64.StdEncoding.EncodeToString(der)+":")
	if p, err := a.Authenticate(r); err != nil || p.ID != "okta" || p.Tenant != "acme" {
		t.Errorf("from the proxy: %+v, %v", p, err)
	}
	r.RemoteAddr = "192.0.2.2:1234"
	if p, err := a.Authenticate(r); err == nil {
		t.Errorf("from elsewhere: %+v", p)
	}
}
