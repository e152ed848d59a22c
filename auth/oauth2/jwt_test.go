package oauth2_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/oauth2"
)

func TestClaims(t *testing.T) {
	s := newServer(t)
	limited := func(change func(*oauth2.Issuer)) oauth2.Issuer {
		i := s.issuer()
		change(&i)
		return i
	}
	plain := s.issuer()
	scoped := limited(func(i *oauth2.Issuer) { i.Scope = "scim  openid" })
	client := limited(func(i *oauth2.Issuer) { i.Clients = []string{"okta", "entra"} })
	tid := limited(func(i *oauth2.Issuer) { i.Claims = map[string]string{"tid": "t1"} })
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for _, c := range []struct {
		name   string
		issuer oauth2.Issuer
		change fields
		status int
		reason string // in the log
		why    string
	}{
		{"all is right", plain, nil, 200, "", "issuer, audience and time are right"},
		{"expired within the skew", plain, fields{"exp": at(-59 * time.Second)}, 200, "", "a minute is the default skew"},
		{"expired", plain, fields{"exp": at(-60 * time.Second)}, 401, "expired", "the skew has passed"},
		{"no exp", plain, fields{"exp": nil}, 401, "no exp", "a stolen token would be good for ever"},
		{"exp null", plain, fields{"exp": json.RawMessage("null")}, 401, "claim exp", "null is no time"},
		{"exp a text", plain, fields{"exp": "4102444800"}, 401, "claim exp", "a NumericDate is a number"},
		{"exp huge", plain, fields{"exp": json.RawMessage("1e300")}, 401, "claim exp", "it would overflow into the past or the future"},
		{"exp negative", plain, fields{"exp": -1}, 401, "claim exp", "no server issued that"},
		{"exp with a fraction", plain, fields{"exp": float64(at(time.Hour)) + 0.5}, 200, "", "NumericDate may have one"},
		{"EXP in capitals", plain, fields{"exp": nil, "EXP": at(time.Hour)}, 401, "no exp", "names of claims are case-sensitive"},
		{"not yet, within the skew", plain, fields{"nbf": at(time.Minute)}, 200, "", "the server's clock may be ahead"},
		{"not yet", plain, fields{"nbf": at(61 * time.Second)}, 401, "not valid yet", "the skew is not enough"},
		{"several audiences", plain, fields{"aud": []string{"other", audience}}, 200, "", "one of them is this endpoint"},
		{"another audience", plain, fields{"aud": "https://mail.example.com"}, 401, "another audience", "a token for another service"},
		{"other audiences", plain, fields{"aud": []string{"a", "b"}}, 401, "another audience", "none is this endpoint"},
		{"part of the audience", plain, fields{"aud": audience + "/"}, 401, "another audience", "compared letter by letter"},
		{"no audience", plain, fields{"aud": nil}, 401, "another audience", "it may be for any service"},
		{"empty audience", plain, fields{"aud": ""}, 401, "another audience", "a text, and nothing in it"},
		{"AUD in capitals", plain, fields{"aud": "x", "AUD": audience}, 401, "another audience", "a server may let clients add claims"},
		{"audience a number", plain, fields{"aud": 5}, 401, "claim aud", "RFC 7519, Section 4.1.3"},
		{"audience with a number", plain, fields{"aud": []any{audience, 5}}, 401, "claim aud", "RFC 7519, Section 4.1.3"},
		{"another issuer", plain, fields{"iss": "https://evil.example.com"}, 401, "unknown issuer", "the list is closed"},
		{"issuer with a slash", plain, fields{"iss": issuerURL + "/"}, 401, "unknown issuer", "compared letter by letter"},
		{"no issuer", plain, fields{"iss": nil}, 401, "no issuer", "nobody to trust"},
		{"issuer a list", plain, fields{"iss": []string{issuerURL}}, 401, "claim iss", "RFC 7519, Section 4.1.1"},
		{"both scopes", scoped, nil, 200, "", "all scopes are there"},
		{"one scope", scoped, fields{"scope": "scim"}, 401, "lacks the scope openid", "all scopes are needed"},
		{"no scope", scoped, fields{"scope": nil}, 401, "lacks the scope", "all scopes are needed"},
		{"part of a scope", scoped, fields{"scope": "scim.read openid"}, 401, "lacks the scope scim", "scopes are compared whole"},
		{"scp list", scoped, fields{"scope": nil, "scp": []string{"openid", "scim"}}, 200, "", "Okta sends a list"},
		{"scp text", scoped, fields{"scope": nil, "scp": "openid scim"}, 200, "", "Entra sends a text"},
		{"scope beats scp", scoped, fields{"scope": "", "scp": "openid scim"}, 401, "lacks the scope", "RFC 9068 names scope"},
		{"a listed client", client, nil, 200, "", "client_id is in the list"},
		{"another client", client, fields{"client_id": "mail"}, 401, "another client", "not in the list"},
		{"no client", client, fields{"client_id": nil}, 401, "another client", "not in the list"},
		{"azp", client, fields{"client_id": nil, "azp": "okta"}, 200, "", "Keycloak and Auth0 send azp"},
		{"cid", client, fields{"client_id": nil, "cid": "okta"}, 200, "", "Okta sends cid"},
		{"client_id beats azp", client, fields{"client_id": "mail", "azp": "okta"}, 401, "another client", "the first name counts"},
		{"a claim", tid, fields{"tid": "t1"}, 200, "", "the claim is right"},
		{"another claim", tid, fields{"tid": "t2"}, 401, "another tid", "the claim differs"},
		{"no claim", tid, nil, 401, "another tid", "the claim is missing"},
		{"bound to a key", plain, fields{"cnf": fields{"jkt": "x"}}, 401, "bound to a key", "a thief does not have the key (RFC 9449), and nobody checks"},
		{"nobody", plain, fields{"client_id": nil, "sub": nil}, 401, "neither client nor subject", "a principal needs an ID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.jwt(t, c.issuer)
			token := good(t, c.change)
			for range 2 { // the second time from the cache
				expect(t, a, token, c.status, c.reason, c.why)
			}
		})
	}
}

// An issuer that no address can be is of nobody. The application is not asked, because PostgreSQL
// answers a text with a NUL by an error: the client would get 503.
func TestIssuerThatIsNoText(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct{ name, issuer, why string }{
		{"NUL", issuerURL + "\x00", "databases refuse it"},
		{"a line", issuerURL + "\n", "it is no address"},
		{"a control character behind ASCII", issuerURL + "\u0085", "it is no address"},
		{"long", issuerURL + "/" + strings.Repeat("x", 2048), "longer than an address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := oauth2.JWTFunc(func(_ context.Context, url string) (oauth2.Issuer, error) {
				t.Errorf("the application is asked for %.50q", url)
				return oauth2.Issuer{}, errors.New("invalid byte sequence for encoding UTF8: 0x00")
			})
			a.Now = s.clock
			expect(t, a, good(t, fields{"iss": c.issuer}), 401, "unknown issuer", c.why)
		})
	}
}

func TestSignatures(t *testing.T) {
	s := newServer(t)
	s.keys = append(s.keys,
		jose.JSONWebKey{KeyID: "short", Key: rsaShort().Public()},
		jose.JSONWebKey{KeyID: "enc", Key: rsaOther().Public(), Use: "enc"},
		jose.JSONWebKey{KeyID: "oct", Key: []byte("0123456789abcdef0123456789abcdef")},
		jose.JSONWebKey{KeyID: "private", Key: ecKey()})
	only := s.issuer()
	only.Algorithms = []string{"ES256"}
	token := good(t, nil)
	parts := strings.Split(token, ".")
	header := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	full := must(must(jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: rsaKey()}, nil)).Sign(must(json.Marshal(with(nil))))).FullSerialize()
	for _, c := range []struct {
		name   string
		issuer oauth2.Issuer
		token  string
		status int
		reason string
		why    string
	}{
		{"RS256", s.issuer(), token, 200, "", "the server signed it"},
		{"ES256", s.issuer(), sign(t, jose.ES256, ecKey(), "ec", with(nil)), 200, "", "the server signed it"},
		{"EdDSA", s.issuer(), sign(t, jose.EdDSA, edKey(), "ed", with(nil)), 200, "", "the server signed it"},
		{"a private key in the set", s.issuer(), sign(t, jose.ES256, ecKey(), "private", with(nil)), 200, "", "its public part counts"},
		{"allowed", only, sign(t, jose.ES256, ecKey(), "ec", with(nil)), 200, "", "the list has it"},
		{"not allowed", only, token, 401, "kind RS256", "the list does not have it"},
		{"alg none", s.issuer(), header(`{"alg":"none","kid":"rsa"}`) + "." + parts[1] + ".", 401, "no signed JWT", "no signature"},
		{"alg None", s.issuer(), header(`{"alg":"None"}`) + "." + parts[1] + "." + parts[2], 401, "no signed JWT", "spelling does not help"},
		{"no alg", s.issuer(), header(`{"kid":"rsa"}`) + "." + parts[1] + "." + parts[2], 401, "no signed JWT", "RFC 7515, Section 4.1.1"},
		{"HMAC with the public key", s.issuer(), sign(t, jose.HS256, publicBytes(rsaKey().Public()), "rsa", with(nil)), 401, "no signed JWT", "everybody knows the public key"},
		{"HMAC with a key of the set", s.issuer(), sign(t, jose.HS256, []byte("0123456789abcdef0123456789abcdef"), "oct", with(nil)), 401, "no signed JWT", "a published secret is none"},
		{"wrong key", s.issuer(), sign(t, jose.RS256, rsaOther(), "rsa", with(nil)), 401, "wrong signature", "another server signed it"},
		{"unknown key", s.issuer(), sign(t, jose.RS256, rsaOther(), "x", with(nil)), 401, "unknown key", "the set does not have it"},
		{"another kind of key", s.issuer(), sign(t, jose.ES256, ecKey(), "rsa", with(nil)), 401, "unknown key", "rsa makes no ES256"},
		{"another algorithm than the key's", s.issuer(), sign(t, jose.PS256, rsaKey(), "rsa", with(nil)), 401, "unknown key", "the set says RS256: RFC 7517, Section 4.4"},
		{"a short key", s.issuer(), sign(t, jose.RS256, rsaShort(), "short", with(nil)), 401, "unknown key", "RFC 7518, Section 3.3: 2,048 bits or more"},
		{"a key for encryption", s.issuer(), sign(t, jose.RS256, rsaOther(), "enc", with(nil)), 401, "unknown key", "RFC 7517, Section 4.2"},
		{"without kid", s.issuer(), sign(t, jose.EdDSA, edKey(), "", with(nil)), 200, "", "only one key can be meant"},
		{"without kid, two keys", s.issuer(), sign(t, jose.ES256, ecKey(), "", with(nil)), 401, "unknown key", "OpenID Connect Core, Section 10.1"},
		{"changed claims", s.issuer(), parts[0] + "." + header(string(must(json.Marshal(with(fields{"client_id": "boss"}))))) + "." + parts[2], 401, "wrong signature", "the signature is of other claims"},
		{"no signature", s.issuer(), parts[0] + "." + parts[1] + ".", 401, "wrong signature", "nobody signed it"},
		{"key in the header", s.issuer(), embedded(t), 401, "wrong signature", "the attacker chose it"},
		{"unknown critical header", s.issuer(), critical(t), 401, "", "RFC 7515, Section 4.1.11"},
		{"JSON form", s.issuer(), full, 401, "", "an access token has the compact form"},
		{"no JWT", s.issuer(), "abc", 401, "no signed JWT", "an opaque token"},
		{"claims are a list", s.issuer(), sign(t, jose.RS256, rsaKey(), "rsa", []byte("[]")), 401, "no JSON object", "RFC 7519, Section 4"},
		{"claims are null", s.issuer(), sign(t, jose.RS256, rsaKey(), "rsa", []byte("null")), 401, "no JSON object", "RFC 7519, Section 4"},
		{"17 kB", s.issuer(), good(t, fields{"pad": strings.Repeat("x", 12_500)}), 401, "too long", "refused before parsing"},
		{"100 kB", s.issuer(), good(t, fields{"pad": strings.Repeat("x", 100_000)}), 401, "no usable Authorization header", "the header is too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, p, reason := outcome(t, s.jwt(t, c.issuer), request(c.token))
			if got != c.status || !strings.Contains(reason, c.reason) {
				t.Errorf("got %d %q (%v), want %d %q: %s", got, reason, p, c.status, c.reason, c.why)
			}
			if strings.Contains(reason, parts[1]) {
				t.Errorf("the log has the token: %s", reason)
			}
		})
	}
}

// embedded is a token with the attacker's key in its header.
func embedded(t *testing.T) string {
	options := (&jose.SignerOptions{EmbedJWK: true})
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: rsaOther(), KeyID: "mine"}}, options))
	return must(must(signer.Sign(must(json.Marshal(with(nil))))).CompactSerialize())
}

// critical is a token with a header that its reader must understand, and does not.
func critical(t *testing.T) string {
	options := (&jose.SignerOptions{}).WithHeader("kid", "rsa").WithHeader("crit", []string{"exact"}).WithHeader("exact", true)
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: rsaKey()}, options))
	return must(must(signer.Sign(must(json.Marshal(with(nil))))).CompactSerialize())
}

func TestSkew(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		name        string
		skew        time.Duration
		claims      fields
		status      int
		reason, why string
	}{
		{name: "none, expires now", skew: -1, claims: fields{"exp": noon.Unix()}, status: 401, reason: "expired", why: "exp is the first moment without"},
		{name: "none, valid from now", skew: -1, claims: fields{"nbf": noon.Unix()}, status: 200, why: "nbf is the first moment with"},
		{name: "none, valid in a second", skew: -1, claims: fields{"nbf": noon.Unix() + 1}, status: 401, reason: "not valid yet", why: "no skew"},
		{name: "ten minutes, expired", skew: 10 * time.Minute, claims: fields{"exp": noon.Unix() - 599}, status: 200, why: "within the skew"},
		{name: "ten minutes, not yet", skew: 10 * time.Minute, claims: fields{"nbf": noon.Unix() + 600}, status: 200, why: "within the skew; go-oidc's own five minutes do not count"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.jwt(t, s.issuer())
			a.Skew = c.skew
			expect(t, a, good(t, c.claims), c.status, c.reason, c.why)
		})
	}
}

func TestPrincipal(t *testing.T) {
	s := newServer(t)
	down := errors.New("connection refused")
	byClaim := func(_ context.Context, p scim.Principal, t *oauth2.Token) (scim.Principal, error) {
		switch org, _ := t.Claims["org"].(string); org {
		case "":
			return p, fmt.Errorf("no org: %w", scim.ErrNotFound)
		case "down":
			return p, down
		case "busy":
			return p, &scim.Error{Status: 503, Detail: "the token cannot be checked at the moment: try again", RetryAfter: time.Minute}
		default:
			p.Tenant = org
			return p, nil
		}
	}
	mapping := map[string][]string{"scim": {"write", "read"}, "scim.read": {"read"}}
	for _, c := range []struct {
		name   string
		f      func(context.Context, scim.Principal, *oauth2.Token) (scim.Principal, error)
		scopes map[string][]string
		change fields
		want   scim.Principal
		status int
		why    string
	}{
		{"by itself", nil, nil, nil, scim.Principal{ID: "okta", Tenant: "acme", Scopes: []string{"scim", "openid"}}, 200, "the scopes as they are"},
		{"without client", nil, nil, fields{"client_id": nil}, scim.Principal{ID: "s1", Tenant: "acme", Scopes: []string{"scim", "openid"}}, 200, "the subject names it"},
		{"without scopes", nil, nil, fields{"scope": nil}, scim.Principal{ID: "okta", Tenant: "acme", Scopes: []string{}}, 200, "not nil, which an application may take for all"},
		{"mapped", nil, mapping, fields{"scope": "openid scim scim.read"}, scim.Principal{ID: "okta", Tenant: "acme", Scopes: []string{"read", "write"}}, 200, "each once"},
		{"mapped to nothing", nil, mapping, fields{"scope": "openid"}, scim.Principal{}, 401, "no scope means something"},
		{"an empty mapping", nil, map[string][]string{}, nil, scim.Principal{}, 401, "nothing means something"},
		{"tenant from a claim", byClaim, nil, fields{"org": "beta"}, scim.Principal{ID: "okta", Tenant: "beta", Scopes: []string{"scim", "openid"}}, 200, "the application decides"},
		{"no tenant", byClaim, nil, nil, scim.Principal{}, 401, "401, not the 404 of an endpoint that is not there"},
		{"outage", byClaim, nil, fields{"org": "down"}, scim.Principal{}, 503, "the application cannot say now"},
		{"own answer", byClaim, nil, fields{"org": "busy"}, scim.Principal{}, 503, "sent as it is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := s.issuer()
			i.Scopes = c.scopes
			a := s.jwt(t, i)
			a.Principal = c.f
			token := good(t, c.change)
			for range 2 {
				status, p, _ := outcome(t, a, request(token))
				if diff := cmp.Diff(c.want, p); diff != "" || status != c.status {
					t.Errorf("got %d, want %d: %s (-want +got):\n%s", status, c.status, c.why, diff)
				}
				if len(p.Scopes) > 0 {
					p.Scopes[0] = "changed" // a request's own copy
				}
			}
		})
	}
}

// What was verified before must not outlive exp, or what the application decides.
func TestCache(t *testing.T) {
	s := newServer(t)
	i := s.issuer()
	var lookedUp error
	a := oauth2.JWTFunc(func(context.Context, string) (oauth2.Issuer, error) { return i, lookedUp })
	a.Now, a.Skew = s.clock, -1
	token := good(t, nil)
	expect(t, a, token, 200, "", "seen first")

	i.Audiences = []string{"other"}
	expect(t, a, token, 401, "another audience", "the audience was changed")
	i = s.issuer()
	i.Algorithms = []string{"ES256"}
	expect(t, a, token, 401, "kind RS256", "the algorithms were changed")
	i = oauth2.Issuer{}
	expect(t, a, token, 401, "unknown issuer", "the issuer was deleted, and the look-up returns nothing")
	i = s.issuer()
	lookedUp = scim.ErrNotFound
	expect(t, a, token, 401, "unknown issuer", "the issuer was deleted")
	lookedUp = errors.New("connection refused")
	expect(t, a, token, 503, "connection refused", "the table is down")
	lookedUp = nil

	other := newServer(t)
	other.set(func() { other.keys = other.keys[1:] })
	i.Keys = other.URL
	expect(t, a, token, 401, "unknown key", "the address of the keys was changed")
	i = s.issuer()
	expect(t, a, token, 200, "", "as before")

	s.pass(time.Hour - time.Second)
	expect(t, a, token, 200, "", "a second before exp")
	s.pass(time.Second)
	expect(t, a, token, 401, "expired", "exp")
}

// A cache that is full makes place, and one that is off works.
func TestCacheSize(t *testing.T) {
	s := newServer(t)
	for _, size := range []int{-1, 1, 3} {
		a := s.jwt(t, s.issuer())
		a.CacheSize = size
		for n := range 20 {
			token := good(t, fields{"jti": n})
			for range 2 {
				expect(t, a, token, 200, "", "a small cache is no reason")
			}
		}
		if got, want := oauth2.Cached(a), max(size, 0); got != want {
			t.Errorf("size %d: %d tokens are kept, want %d", size, got, want)
		}
	}
	a := s.jwt(t, s.issuer())
	a.CacheSize = 2
	short, long := good(t, fields{"exp": noon.Unix() + 10}), good(t, nil)
	expect(t, a, short, 200, "", "valid")
	expect(t, a, long, 200, "", "valid")
	s.pass(11 * time.Second)
	expect(t, a, good(t, fields{"jti": 1}), 200, "", "valid")
	if !oauth2.IsCached(a, long) || oauth2.IsCached(a, short) {
		t.Error("the token that has expired should make place")
	}
}

func TestMistakes(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		name   string
		change func(*oauth2.Issuer)
		want   string
	}{
		{"no URL", func(i *oauth2.Issuer) { i.URL = "" }, "no URL"},
		{"no keys", func(i *oauth2.Issuer) { i.Keys = "" }, "https"},
		{"keys over http", func(i *oauth2.Issuer) { i.Keys = "http://id.example.com/keys" }, "https"},
		{"keys of a local name", func(i *oauth2.Issuer) { i.Keys = "http://localhost.example.com/keys" }, "https"},
		{"keys in a file", func(i *oauth2.Issuer) { i.Keys = "file:///keys" }, "https"},
		{"no audience", func(i *oauth2.Issuer) { i.Audiences = nil }, "Audiences is empty"},
		{"empty audience", func(i *oauth2.Issuer) { i.Audiences = []string{""} }, "Audiences has an empty text"},
		{"empty client", func(i *oauth2.Issuer) { i.Clients = []string{""} }, "Clients has an empty text"},
		{"HMAC", func(i *oauth2.Issuer) { i.Algorithms = []string{"HS256"} }, `"HS256" is not possible`},
		{"none", func(i *oauth2.Issuer) { i.Algorithms = []string{"RS256", "none"} }, `"none" is not possible`},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := s.issuer()
			c.change(&i)
			_, err := oauth2.JWT(i)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if i.URL == "" {
				return // the zero Issuer stands for none
			}
			a := oauth2.JWTFunc(func(context.Context, string) (oauth2.Issuer, error) { return i, nil })
			a.Now = s.clock
			expect(t, a, good(t, nil), http.StatusServiceUnavailable, c.want, "a mistake of the application is not the client's")
		})
	}
	if _, err := oauth2.JWT(); err == nil {
		t.Error("without issuers there should be an error")
	}
	if _, err := oauth2.JWT(s.issuer(), s.issuer()); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("one issuer twice: error %v", err)
	}
}

func TestHeaderAndDiscovery(t *testing.T) {
	s := newServer(t)
	a := s.jwt(t, s.issuer())
	r := request("x")
	r.Header.Del("Authorization")
	if status, _, reason := outcome(t, a, r); status != 401 || !strings.Contains(reason, "header") {
		t.Errorf("no header: %d %q", status, reason)
	}
	r.Header.Set("Authorization", good(t, nil))
	if status, _, reason := outcome(t, a, r); status != 200 {
		t.Errorf("without a scheme, as Okta's header mode sends it: %d %q", status, reason)
	}
	if c := a.Challenge(); !strings.HasPrefix(c, "Bearer ") {
		t.Errorf("challenge %q: RFC 6750, Section 3", c)
	}
	schemes := a.Schemes()
	if len(schemes) != 1 || schemes[0].Type != "oauthbearertoken" || schemes[0].Name == "" || schemes[0].Description == "" {
		t.Errorf("schemes %+v: RFC 7643, Section 5 requires type, name and description", schemes)
	}
}
