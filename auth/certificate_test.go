package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
)

// authority signs certificates.
type authority struct {
	tls.Certificate
	pool *x509.CertPool
}

var certified = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	a.Certificate = a.issue(t, name)
	a.pool.AddCert(a.Leaf)
	return a
}

// issue makes a certificate for a year, signed by the authority. The first one is its own.
func (a *authority) issue(t testing.TB, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Organization: []string{"Acme"}},
		NotBefore: certified, NotAfter: certified.AddDate(100, 0, 0), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		IsCA: a.Leaf == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	parent, signer := a.Leaf, a.PrivateKey
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// inHeader is how RFC 9440 writes a certificate, and escaped how nginx does.
func inHeader(c tls.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(c.Certificate[0]) + ":"
}

func escaped(c tls.Certificate) string {
	return url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})))
}

// clients finds the clients of the certificates of these tests.
func clients(_ context.Context, subject string, _ *x509.Certificate) (auth.Token, error) {
	switch subject {
	case "CN=okta,O=Acme":
		return auth.Token{ID: "okta", Tenant: "acme", Scopes: []string{scim.ScopeUsers}}, nil
	case "CN=ended,O=Acme":
		return auth.Token{ID: "ended", Expires: certified.Add(time.Hour)}, nil
	case "CN=norows,O=Acme":
		return auth.Token{}, sql.ErrNoRows
	case "CN=zero,O=Acme":
		return auth.Token{}, nil
	case "CN=down,O=Acme":
		return auth.Token{}, errors.New("the database is down")
	}
	return auth.Token{}, scim.ErrNotFound
}

// Certificates of real connections. The server verifies them, or only asks for them.
func TestCertificate(t *testing.T) {
	ours, other := newAuthority(t, "ours"), newAuthority(t, "other")
	for _, tt := range []struct {
		name   string
		client *tls.Certificate
		ask    tls.ClientAuthType
		now    time.Time
		want   int
		reason string
	}{
		{"known", new(ours.issue(t, "okta")), tls.VerifyClientCertIfGiven, certified.AddDate(1, 0, 0), 200, "the client of the subject"},
		{"none", nil, tls.VerifyClientCertIfGiven, certified.AddDate(1, 0, 0), 401, "a client without one may have a token"},
		{"unknown", new(ours.issue(t, "somebody")), tls.VerifyClientCertIfGiven, certified.AddDate(1, 0, 0), 401, "another service of the company"},
		{"not verified", new(ours.issue(t, "okta")), tls.RequestClientCert, certified.AddDate(1, 0, 0), 401, "anybody can make one with this subject"},
		{"not verified, of another authority", new(other.issue(t, "okta")), tls.RequireAnyClientCert, certified.AddDate(1, 0, 0), 401, "the same"},
		{"expired meanwhile", new(ours.issue(t, "okta")), tls.VerifyClientCertIfGiven, certified.AddDate(100, 0, 1), 401, "the connection lasts longer"},
		{"not valid yet", new(ours.issue(t, "okta")), tls.VerifyClientCertIfGiven, certified.AddDate(0, 0, -1), 401, "clocks differ"},
		{"expired client", new(ours.issue(t, "ended")), tls.VerifyClientCertIfGiven, certified.AddDate(1, 0, 0), 401, "its Token has ended"},
		{"no rows", new(ours.issue(t, "norows")), tls.VerifyClientCertIfGiven, certified.AddDate(1, 0, 0), 401, "a look-up in a database"},
		{"zero Token", new(ours.issue(t, "zero")), tls.VerifyClientCertIfGiven, certified.AddDate(1, 0, 0), 401, "nil scopes would be all"},
		{"outage", new(ours.issue(t, "down")), tls.VerifyClientCertIfGiven, certified.AddDate(1, 0, 0), 503, "401 would say that it was revoked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := auth.Certificate(clients)
			a.Now = func() time.Time { return tt.now }
			var used []string
			a.Used = func(_ context.Context, token auth.Token, _ time.Time) { used = append(used, token.ID) }
			var got scim.Principal
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				p, err := a.Authenticate(r)
				got = p
				w.WriteHeader(statusOf(err))
			}))
			server.TLS = &tls.Config{ClientCAs: ours.pool, ClientAuth: tt.ask}
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			client := server.Client()
			if tt.client != nil {
				// Also one that the server does not ask for.
				client.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return tt.client, nil }
			}
			res, err := client.Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close() //nolint:errcheck // it is empty
			want := scim.Principal{}
			if tt.want == 200 {
				want = scim.Principal{ID: "okta", Tenant: "acme", Scopes: []string{scim.ScopeUsers}}
			}
			if diff := cmp.Diff(want, got); res.StatusCode != tt.want || diff != "" || (len(used) == 1) != (tt.want == 200) {
				t.Errorf("%d, want %d: %s; used %q, (-want +got)\n%s", res.StatusCode, tt.want, tt.reason, used, diff)
			}
		})
	}
}

// statusOf is the status that a client gets.
func statusOf(err error) int {
	e, ok := errors.AsType[*scim.Error](err)
	switch {
	case err == nil:
		return 200
	case ok:
		return e.Status
	}
	return 500
}

// The subject has all names of the certificate, in their order. crypto/x509 keeps one common name: a
// second one would make one client another.
func TestCertificateSubject(t *testing.T) {
	name, unit, org := asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.ObjectIdentifier{2, 5, 4, 11}, asn1.ObjectIdentifier{2, 5, 4, 10}
	part := func(pairs ...any) (set pkix.RelativeDistinguishedNameSET) {
		for i := 0; i < len(pairs); i += 2 {
			set = append(set, pkix.AttributeTypeAndValue{Type: pairs[i].(asn1.ObjectIdentifier), Value: pairs[i+1]})
		}
		return set
	}
	ours := newAuthority(t, "ours")
	for _, tt := range []struct {
		name    string
		subject pkix.RDNSequence
		want    string
		reason  string
	}{
		{"as usual", pkix.RDNSequence{part(org, "Acme"), part(name, "okta")}, "CN=okta,O=Acme", "RFC 2253 writes the last part first"},
		{"two common names", pkix.RDNSequence{part(org, "Acme"), part(name, "mallory"), part(name, "okta")}, "CN=okta,CN=mallory,O=Acme", "not okta"},
		{"two common names in one part", pkix.RDNSequence{part(org, "Acme"), part(name, "mallory", name, "okta")}, "CN=okta+CN=mallory,O=Acme", "not okta"},
		{"another order", pkix.RDNSequence{part(name, "okta"), part(org, "Acme")}, "O=Acme,CN=okta", "another name in the directory"},
		{"two parts of one kind", pkix.RDNSequence{part(unit, "a"), part(unit, "b"), part(name, "okta")}, "CN=okta,OU=b,OU=a", "not one part with both"},
		{"a comma", pkix.RDNSequence{part(org, "Acme"), part(name, "x,CN=okta")}, `CN=x\,CN=okta,O=Acme`, "it is escaped"},
		{"nobody", pkix.RDNSequence{}, "", "a certificate with other names only"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			raw, err := asn1.Marshal(tt.subject)
			if err != nil {
				t.Fatal(err)
			}
			der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(2), RawSubject: raw, NotBefore: certified, NotAfter: certified.AddDate(1, 0, 0)},
				ours.Leaf, ours.Leaf.PublicKey, ours.PrivateKey)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			a := auth.Certificate(func(_ context.Context, subject string, _ *x509.Certificate) (auth.Token, error) {
				got = subject
				return auth.Token{ID: "somebody"}, nil
			})
			a.Now = func() time.Time { return certified.Add(time.Hour) }
			a.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
			r := httptest.NewRequest("GET", "/Users", nil)
			r.RemoteAddr = "10.0.0.9:4711"
			r.Header.Set("Client-Cert", inHeader(tls.Certificate{Certificate: [][]byte{der}}))
			if _, err := a.Authenticate(r); err != nil || got != tt.want {
				t.Errorf("subject %q, want %q: %s; error %v", got, tt.want, tt.reason, err)
			}
		})
	}
}

// Certificates that a proxy has verified. Only proxies that the application names may send them.
func TestCertificateBehindProxy(t *testing.T) {
	ours := newAuthority(t, "ours")
	okta, proxy := ours.issue(t, "okta"), ours.issue(t, "okta")
	verified := &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{proxy.Leaf}}}
	const near, far = "10.0.0.9:4711", "192.0.2.1:4711"
	for _, tt := range []struct {
		name, from, header string
		values             []string
		state              *tls.ConnectionState
		want               int
		reason             string
	}{
		{"RFC 9440", near, "", []string{inHeader(okta)}, nil, 200, "the default"},
		{"nginx", near, "X-Client-Cert", []string{escaped(okta)}, nil, 200, "escaped PEM"},
		{"a mapped address", "[::ffff:10.0.0.9]:4711", "", []string{inHeader(okta)}, nil, 200, "the same proxy over IPv6"},
		{"not from a proxy", far, "", []string{inHeader(okta)}, nil, 401, "anybody can send this header"},
		{"not from a proxy, with a certificate", far, "", nil, verified, 200, "a client with its own connection"},
		{"the proxy's own certificate", near, "", nil, verified, 401, "it is not that of a client"},
		{"twice", near, "", []string{inHeader(okta), inHeader(okta)}, nil, 401, "the first one may come from the client"},
		{"empty", near, "", []string{""}, nil, 401, "no certificate"},
		{"not base64", near, "", []string{":a b:"}, nil, 401, "no certificate"},
		{"unfinished", near, "", []string{inHeader(okta)[:200]}, nil, 401, "no certificate"},
		{"something behind it", near, "", []string{escaped(okta) + escaped(okta)}, nil, 401, "two certificates"},
		{"a key", near, "", []string{url.PathEscape("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")}, nil, 401, "no certificate"},
		{"another header", near, "X-Client-Cert", nil, nil, 401, "the one that is set counts"},
		{"long", near, "", []string{escaped(okta) + string(make([]byte, 16<<10))}, nil, 401, "bounded work"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := auth.Certificate(clients)
			a.TrustedProxies, a.Header = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, tt.header
			a.Now = func() time.Time { return certified.AddDate(1, 0, 0) }
			r := httptest.NewRequest("GET", "/Users", nil)
			r.RemoteAddr, r.TLS = tt.from, tt.state
			for _, v := range tt.values {
				name := tt.header
				if name == "" {
					name = "Client-Cert"
				}
				r.Header.Add(name, v)
			}
			if _, err := a.Authenticate(r); statusOf(err) != tt.want {
				t.Errorf("%v, want %d: %s", err, tt.want, tt.reason)
			}
		})
	}
	r := httptest.NewRequest("GET", "/Users", nil)
	r.RemoteAddr = near
	r.Header.Set("Client-Cert", inHeader(okta))
	if _, err := auth.Certificate(clients).Authenticate(r); statusOf(err) != 401 {
		t.Errorf("without TrustedProxies a header counts: %v", err)
	}
}

// A request may show a certificate and a token. The first Authenticator that knows its own one decides, and
// what the other one opens is not added.
func TestCertificateAndToken(t *testing.T) {
	ours := newAuthority(t, "ours")
	certificate := auth.Certificate(clients)
	certificate.Now = func() time.Time { return certified.AddDate(1, 0, 0) }
	tokens := auth.Bearer(token("full", "s", time.Time{}), token("old", "o", certified))
	tokens.Now = certificate.Now
	byCertificate := scim.Principal{ID: "okta", Tenant: "acme", Scopes: []string{scim.ScopeUsers}}
	byToken := scim.Principal{ID: "full", Tenant: "tenant of full", Scopes: []string{"scim"}}
	for _, tt := range []struct {
		name    string
		all     scim.Authenticator
		subject string
		headers []string
		want    scim.Principal
		reason  string
	}{
		{"certificate first", auth.Any(certificate, tokens), "okta", []string{"Bearer s"}, byCertificate, "the order decides"},
		{"token first", auth.Any(tokens, certificate), "okta", []string{"Bearer s"}, byToken, "the order decides"},
		{"unknown certificate", auth.Any(certificate, tokens), "somebody", []string{"Bearer s"}, byToken, "the certificate may be that of a proxy of the client"},
		{"unknown token", auth.Any(tokens, certificate), "okta", []string{"Bearer x"}, byCertificate, "nobody knows the token"},
		{"expired token first", auth.Any(tokens, certificate), "okta", []string{"Bearer o"}, scim.Principal{}, "it is known, and refused"},
		{"two tokens", auth.Any(tokens, certificate), "okta", []string{"Bearer s", "Bearer s"}, byCertificate, "two headers are no token"},
		{"two tokens alone", tokens, "okta", []string{"Bearer s", "Bearer s"}, scim.Principal{}, "two headers are no token"},
		{"a token and a password", auth.Any(tokens, certificate), "somebody", []string{"Bearer s", basic("u", "s")}, scim.Principal{}, "two headers are no credential"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(tt.headers...)
			r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{ours.issue(t, tt.subject).Leaf}}}
			got, err := tt.all.Authenticate(r)
			if diff := cmp.Diff(tt.want, got); diff != "" || (err != nil) != (tt.want.ID == "") {
				t.Errorf("error %v: %s (-want +got)\n%s", err, tt.reason, diff)
			}
		})
	}
}

// FuzzCertificateHeader sends any header. Only the certificate itself is the client's.
func FuzzCertificateHeader(f *testing.F) {
	ours := newAuthority(f, "ours")
	okta := ours.issue(f, "okta")
	for _, seed := range []string{"", ":", "::", ":AAAA:", "%", "-----BEGIN CERTIFICATE-----", inHeader(okta), escaped(okta)} {
		f.Add(seed)
	}
	a := auth.Certificate(func(_ context.Context, _ string, c *x509.Certificate) (auth.Token, error) {
		if !c.Equal(okta.Leaf) {
			return auth.Token{}, scim.ErrNotFound
		}
		return auth.Token{ID: "okta"}, nil
	})
	a.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "/Users", nil)
		r.Header.Set("Client-Cert", header)
		if _, err := a.Authenticate(r); statusOf(err) != 200 && statusOf(err) != 401 {
			t.Errorf("header %q: %v", header, err)
		}
	})
}
