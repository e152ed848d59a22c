package callers

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/auth/oauth2"
)

const (
	audience          = "https://app.example.com/scim"
	acmeDirectory     = "0b5c8f0e-5d4e-4a55-9a59-1f2c6a2f3c11"
	betaDirectory     = "99999999-5d4e-4a55-9a59-1f2c6a2f3c11"
	nobodysDirectory  = "77777777-5d4e-4a55-9a59-1f2c6a2f3c11"
	entraProvisioning = "00000014-0000-0000-c000-000000000000"
	nearby, far       = "10.0.0.9:4711", "192.0.2.1:4711"
)

type claims = map[string]any

// lab is everything outside of the server that gives clients credentials: an authorization server for
// each tenant, Microsoft Entra, one that is asked about tokens, and an authority for certificates.
type lab struct {
	t       *testing.T
	w       *world
	keys    map[string]ed25519.PrivateKey // by the host name of the authorization server
	opaque  map[string]claims             // what is said about a token
	ca, ca2 tls.Certificate
}

func newLab(w *world) *lab {
	l := &lab{t: w.t, w: w, keys: map[string]ed25519.PrivateKey{}, opaque: map[string]claims{}}
	for i, host := range []string{"id.acme.example", "id.beta.example", "login.microsoftonline.com", "nobody"} {
		l.keys[host] = ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune('a'+i)), ed25519.SeedSize)))
	}
	l.ca, l.ca2 = l.certify(nil, "authority", 0, 24*time.Hour), l.certify(nil, "other authority", 0, 24*time.Hour)
	return l
}

// RoundTrip implements http.RoundTripper: it is the authorization servers.
func (l *lab) RoundTrip(r *http.Request) (*http.Response, error) {
	var body any
	if r.Method == http.MethodPost {
		l.w.calls.add("Introspect")
		if err := r.ParseForm(); err != nil {
			return nil, err
		}
		body = claims{"active": false}
		if c, ok := l.opaque[r.PostForm.Get("token")]; ok {
			body = c
		}
	} else {
		l.w.calls.add("Keys")
		body = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "k", Key: l.keys[r.URL.Host].Public()}}}
	}
	text, err := json.Marshal(body)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(text)))}, err
}

// prepare sets what is the same for all authenticators of access tokens.
func (l *lab) prepare(a *oauth2.Auth) *oauth2.Auth {
	a.Now, a.HTTP = func() time.Time { return l.w.now }, &http.Client{Transport: l}
	return a
}

func (l *lab) jwt() *oauth2.Auth {
	return l.prepare(oauth2.JWTFunc(func(_ context.Context, url string) (oauth2.Issuer, error) {
		l.w.calls.add("Issuer")
		for _, tenant := range []string{"acme", "beta"} {
			if url == "https://id."+tenant+".example" {
				return oauth2.Issuer{URL: url, Keys: url + "/keys", Audiences: []string{audience}, Scope: "scim", Clients: []string{"okta"}, Tenant: tenant,
					Scopes: map[string][]string{"scim": {}, "scim.users": {"users"}, "scim.groups": {"groups"}}}, nil
			}
		}
		return oauth2.Issuer{}, scim.ErrNotFound
	}))
}

func (l *lab) entra() *oauth2.Auth {
	return l.prepare(oauth2.Entra(oauth2.EntraCustomApp, func(_ context.Context, directory string) (string, error) {
		l.w.calls.add("Directory")
		return map[string]string{acmeDirectory: "acme", betaDirectory: "beta"}[directory], nil
	}))
}

func (l *lab) introspection() *oauth2.Auth {
	a, err := oauth2.Introspect(oauth2.Endpoint{URL: "https://id.example/introspect", ClientID: "app", ClientSecret: "secret"},
		oauth2.Issuer{Audiences: []string{audience}, Scope: "scim", Scopes: map[string][]string{"scim": {}, "scim.users": {"users"}, "scim.groups": {"groups"}}})
	if err != nil {
		l.t.Fatal(err)
	}
	a.Principal = func(_ context.Context, p scim.Principal, t *oauth2.Token) (scim.Principal, error) {
		p.Tenant, _ = t.Claims["org"].(string)
		if p.Tenant != "acme" && p.Tenant != "beta" {
			return p, scim.ErrNotFound
		}
		return p, nil
	}
	return l.prepare(a)
}

func (l *lab) certificates() *auth.CertificateAuth {
	a := auth.Certificate(func(_ context.Context, subject string, _ *x509.Certificate) (auth.Token, error) {
		l.w.calls.add("Certificate")
		known := map[string]auth.Token{
			"CN=acme": {ID: "acme", Tenant: "acme"}, "CN=beta": {ID: "beta", Tenant: "beta"}, "CN=ended": {ID: "ended", Tenant: "acme", Expires: l.w.now},
			"CN=users": {ID: "users", Tenant: "acme", Scopes: []string{"users"}}, "CN=groups": {ID: "groups", Tenant: "acme", Scopes: []string{"groups"}},
			"CN=none": {ID: "none", Tenant: "acme", Scopes: []string{}},
		}
		return known[subject], nil
	})
	a.Now = func() time.Time { return l.w.now }
	a.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	return a
}

// sign signs claims by the key of an authorization server.
func (l *lab) sign(host, kid string, c claims) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: l.keys[host], KeyID: kid}}, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		l.t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		l.t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		l.t.Fatal(err)
	}
	return token
}

// with changes claims. A nil value deletes one.
func with(c, change claims) claims {
	c = maps.Clone(c)
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// claims are those of a good token of a tenant.
func (l *lab) claims(tenant string) claims {
	return claims{"iss": "https://id." + tenant + ".example", "aud": audience, "client_id": "okta", "sub": "s", "scope": "scim scim.users scim.groups",
		"exp": l.w.now.Add(time.Hour).Unix()}
}

// token is a JWT of a tenant's authorization server, with changes.
func (l *lab) token(tenant string, change claims) string {
	return l.sign("id."+tenant+".example", "k", with(l.claims(tenant), change))
}

// entraToken is a token of Entra's provisioning service for a directory, with changes.
func (l *lab) entraToken(directory string, change claims) string {
	return l.sign("login.microsoftonline.com", "k", with(claims{"iss": "https://sts.windows.net/" + directory + "/", "tid": directory,
		"aud": oauth2.EntraCustomApp, "appid": entraProvisioning, "sub": "s", "exp": l.w.now.Add(time.Hour).Unix()}, change))
}

// ask makes a token of which only the authorization server knows what it says.
func (l *lab) ask(token, tenant string, change claims) string {
	l.opaque[token] = with(l.claims(tenant), with(claims{"active": true, "org": tenant, "iss": nil}, change))
	return token
}

// unsigned is a JWT with a header of the caller's choice and a signature that is none.
func (l *lab) unsigned(header string, signature []byte) string {
	text, err := json.Marshal(l.claims("acme"))
	if err != nil {
		l.t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode(text) + "." + encode(signature)
}

// certify makes a certificate. It is valid from and until these times after now. Without an issuer
// it is its own.
func (l *lab) certify(issuer *tls.Certificate, name string, from, until time.Duration) tls.Certificate {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		l.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: l.w.now.Add(from - time.Hour), NotAfter: l.w.now.Add(until),
		IsCA: issuer == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	parent, signer := template, private
	if issuer != nil {
		parent, signer = issuer.Leaf, issuer.PrivateKey.(ed25519.PrivateKey)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		l.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		l.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}
}

// connects is the connection of a client with a certificate: what the server's side of a handshake
// says of it. The server verifies certificates if verify is set, and only asks for them otherwise.
func (l *lab) connects(c tls.Certificate, verify tls.ClientAuthType) credential {
	pool := x509.NewCertPool()
	pool.AddCert(l.ca.Leaf)
	clock := func() time.Time { return l.w.now }
	ours, theirs := net.Pipe()
	server := tls.Server(ours, &tls.Config{Certificates: []tls.Certificate{l.ca}, ClientCAs: pool, ClientAuth: verify, Time: clock})
	client := tls.Client(theirs, &tls.Config{InsecureSkipVerify: true, Time: clock, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c, nil }})
	done := make(chan error, 1)
	go func() { done <- client.HandshakeContext(l.t.Context()) }()
	if err := server.HandshakeContext(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	if err := <-done; err != nil {
		l.t.Fatal(err)
	}
	state := server.ConnectionState()
	ours.Close()   //nolint:errcheck // only its state counts
	theirs.Close() //nolint:errcheck // only the other side's state counts
	return func(r *http.Request) { r.TLS = &state }
}

// forwards is a request that came over a proxy, or pretends to.
func forwards(from string, certificates ...tls.Certificate) credential {
	return func(r *http.Request) {
		r.RemoteAddr = from
		for _, c := range certificates {
			r.Header.Add("Client-Cert", ":"+base64.StdEncoding.EncodeToString(c.Certificate[0])+":")
		}
	}
}

// both shows several credentials in one request.
func both(all ...credential) credential {
	return func(r *http.Request) {
		for _, c := range all {
			c(r)
		}
	}
}
