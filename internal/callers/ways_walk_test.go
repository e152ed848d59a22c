package callers

import (
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/internal/testhost"
)

// way is a way in, or all of them.
func (l *lab) way(only string) scim.Authenticator {
	switch only {
	case "token":
		return l.w.tokens
	case "password":
		return l.w.basic()
	case "JWT":
		return l.jwt()
	case "Entra":
		return l.entra()
	case "introspection":
		return l.introspection()
	case "certificate":
		return l.certificates()
	}
	return auth.Any(l.w.tokens, l.w.basic(), l.jwt(), l.entra(), l.introspection(), l.certificates())
}

// members returns good credentials of acme, by the way in to which they belong.
func (l *lab) members() map[string]credential {
	return map[string]credential{
		"token":         bearer(l.w.issue("acme", tokens.Request{})),
		"password":      authorization("Basic " + base64.StdEncoding.EncodeToString([]byte("ann:the-secret-of-acme"))),
		"JWT":           bearer(l.token("acme", nil)),
		"Entra":         bearer(l.entraToken(acmeDirectory, nil)),
		"introspection": bearer(l.ask("opaque-of-acme", "acme", nil)),
		"certificate":   l.connects(l.certify(&l.ca, "acme", 0, time.Hour), tls.RequireAndVerifyClientCert),
	}
}

// strangers returns more credentials that are worth nothing at acme, whatever ways in there are.
func (l *lab) strangers() map[string]credential {
	all := map[string]credential{}
	for name, token := range map[string]string{
		"a JWT without signature":             l.unsigned(`{"alg":"none"}`, nil),
		"a JWT with the public key as HMAC":   l.unsigned(`{"alg":"HS256","kid":"k"}`, make([]byte, 32)),
		"a JWT with an empty signature":       l.unsigned(`{"alg":"EdDSA","kid":"k"}`, make([]byte, 64)),
		"a JWT with a wrong key":              l.sign("nobody", "k", l.claims("acme")),
		"a JWT with an unknown key":           l.sign("nobody", "unknown", l.claims("acme")),
		"a JWT of acme, with beta's key":      l.sign("id.beta.example", "k", l.claims("acme")),
		"a JWT of beta, with acme's key":      l.sign("id.acme.example", "k", l.claims("beta")),
		"an expired JWT":                      l.token("acme", claims{"exp": l.w.now.Add(-2 * time.Minute).Unix()}),
		"a JWT of the future":                 l.token("acme", claims{"nbf": l.w.now.Add(time.Hour).Unix()}),
		"a JWT without end":                   l.token("acme", claims{"exp": nil}),
		"a JWT for another audience":          l.token("acme", claims{"aud": "https://other.example"}),
		"a JWT of an unknown issuer":          l.token("acme", claims{"iss": "https://id.none.example"}),
		"a JWT of another client":             l.token("acme", claims{"client_id": "other"}),
		"a JWT that is bound to a key":        l.token("acme", claims{"cnf": claims{"jkt": "x"}}),
		"a JWT with too little scope":         l.token("acme", claims{"scope": "scim.users scim.groups"}),
		"a JWT with a scope of no meaning":    l.token("acme", claims{"scope": "scim openid"}),
		"another tenant's JWT":                l.token("beta", nil),
		"another tenant's JWT, named acme":    l.token("beta", claims{"tenant": "acme", "tid": acmeDirectory, "org": "acme"}),
		"Entra of nobody's directory":         l.entraToken(nobodysDirectory, nil),
		"Entra of another tenant":             l.entraToken(betaDirectory, nil),
		"Entra with another tenant's tid":     l.entraToken(acmeDirectory, claims{"tid": betaDirectory}),
		"Entra of another issuer":             l.entraToken(acmeDirectory, claims{"iss": "https://sts.windows.net/" + betaDirectory + "/"}),
		"Entra without tid":                   l.entraToken(acmeDirectory, claims{"tid": nil}),
		"Entra for another application":       l.entraToken(acmeDirectory, claims{"appid": "11111111-1111-1111-1111-111111111111"}),
		"Entra for another audience":          l.entraToken(acmeDirectory, claims{"aud": "https://graph.microsoft.com"}),
		"Entra's token, expired":              l.entraToken(acmeDirectory, claims{"exp": l.w.now.Add(-2 * time.Minute).Unix()}),
		"Entra's directory, with acme's key":  l.sign("id.acme.example", "k", claims{"iss": "https://sts.windows.net/" + acmeDirectory + "/", "tid": acmeDirectory, "aud": "x"}),
		"an inactive token":                   "opaque-inactive",
		"a token inactive although it exists": l.ask("opaque-revoked", "acme", claims{"active": false}),
		"an opaque token, expired":            l.ask("opaque-expired", "acme", claims{"exp": l.w.now.Add(-2 * time.Minute).Unix()}),
		"an opaque token for others":          l.ask("opaque-audience", "acme", claims{"aud": "https://other.example"}),
		"an opaque token of too little scope": l.ask("opaque-scope", "acme", claims{"scope": "scim.users"}),
		"an opaque token of nobody":           l.ask("opaque-nobody", "acme", claims{"org": "none"}),
		"another tenant's opaque token":       l.ask("opaque-of-beta", "beta", nil),
		"a certificate as a token":            base64.StdEncoding.EncodeToString(l.certify(&l.ca, "acme", 0, time.Hour).Certificate[0]),
	} {
		all[name] = bearer(token)
	}
	acme, beta, verified := l.certify(&l.ca, "acme", 0, time.Hour), l.certify(&l.ca, "beta", 0, time.Hour), tls.RequireAndVerifyClientCert
	short := l.connects(l.certify(&l.ca, "acme", 0, time.Minute), verified)
	l.w.now = l.w.now.Add(2 * time.Minute) // the connection outlasts the certificate
	all["an unknown certificate"] = l.connects(l.certify(&l.ca, "somebody", 0, time.Hour), verified)
	all["an expired certificate"] = short
	all["a certificate of an ended client"] = l.connects(l.certify(&l.ca, "ended", 0, time.Hour), verified)
	all["another tenant's certificate"] = l.connects(beta, verified)
	all["a certificate that nobody verified"] = l.connects(acme, tls.RequestClientCert)
	all["a certificate of another authority"] = l.connects(l.certify(&l.ca2, "acme", 0, time.Hour), tls.RequireAnyClientCert)
	all["a forged header"] = forwards(far, acme)
	all["a forged header beside another tenant's certificate"] = both(l.connects(beta, verified), forwards(far, acme))
	all["a forged header with a false way"] = both(forwards(far, acme), func(r *http.Request) {
		r.Header.Set("X-Forwarded-For", "10.0.0.9")
		r.Header.Set("Forwarded", "for=10.0.0.9")
	})
	all["a header of nginx that nobody set up"] = func(r *http.Request) {
		r.RemoteAddr = nearby
		r.Header.Set("X-Client-Cert", ":"+base64.StdEncoding.EncodeToString(acme.Certificate[0])+":")
	}
	all["a proxy without a certificate"] = forwards(nearby)
	all["a proxy's own certificate"] = both(l.connects(acme, verified), forwards(nearby))
	all["two certificates over a proxy"] = forwards(nearby, acme, beta)
	all["the same certificate twice over a proxy"] = forwards(nearby, acme, acme)
	all["an unknown certificate over a proxy"] = forwards(nearby, l.certify(&l.ca, "somebody", 0, time.Hour))
	all["another tenant's certificate over a proxy"] = forwards(nearby, beta)
	all["a certificate over a proxy, expired"] = forwards(nearby, l.certify(&l.ca, "acme", 0, -time.Minute))
	all["another tenant's JWT at a forged host"] = both(bearer(l.token("beta", nil)), func(r *http.Request) {
		r.Header.Set("X-Forwarded-Host", "beta.example.com")
		r.Header.Set("Forwarded", "host=beta.example.com")
	})
	return all
}

// credentials returns credentials that are worth nothing at acme if its only way in is the named one.
func (l *lab) credentials(only string) map[string]credential {
	all := l.w.strangers()
	for name, c := range l.strangers() {
		all[name] = c
	}
	for name, c := range l.members() {
		if only != "" && only != name {
			all["a good credential for another way in: "+name] = c
		}
	}
	return all
}

// TestStrangersOfEveryWaySeeOneAnswer sends the credentials of every way in to servers that have all
// ways, and to servers that have one. Who is a stranger there sees the same bytes on every route with
// every method, and no store of a tenant is asked.
func TestStrangersOfEveryWaySeeOneAnswer(t *testing.T) {
	const byHost, byPath = "{tenant}.example.com/scim/v2", "/customers/{tenant}/scim/v2"
	for _, tt := range []struct {
		name, only, address string
		every               int // Of so many requests one is sent. Its greatest common divisor with the number of methods is 1.
	}{
		{"all, by host", "", byHost, 1}, {"all, by path", "", byPath, 8},
		{"tokens", "token", byHost, 8}, {"passwords", "password", byHost, 8}, {"JWT", "JWT", byHost, 8}, {"Entra", "Entra", byHost, 8},
		{"introspection", "introspection", byHost, 8}, {"certificates", "certificate", byHost, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if testhost.UnderRace {
				tt.every *= 16 // requests come one after the other
			}
			var l *lab
			w := newWorldWith(t, tt.address, func(w *world) scim.Authenticator {
				l = newLab(w)
				return l.way(tt.only)
			})
			for name, c := range l.members() {
				if tt.only != "" && tt.only != name {
					continue
				}
				if a := w.send("acme", c, request{"GET", "/Users", ""}); a.status != http.StatusOK {
					t.Errorf("a member with a good %s: %s", name, a)
				}
			}
			some := slices.Concat(oneOf(tt.every, routes(w.ids["acme/User"], w.ids["acme/Group"])), oneOf(4*tt.every, routes(nowhere, nowhere)))
			t.Logf("%d credentials, %d requests with each", w.refuses(l.credentials(tt.only), some), len(some))
		})
	}
}

// oneOf returns one of so many requests.
func oneOf(every int, all []request) (some []request) {
	for i := 0; i < len(all); i += every {
		some = append(some, all[i])
	}
	return some
}

// refuses fails if one of the credentials sees another answer than no credential does, or makes other
// calls on one route than on others. It returns the number of credentials.
func (w *world) refuses(strangers map[string]credential, all []request) (n int) {
	w.t.Helper()
	want := w.send("acme", nothing, request{"GET", "/Users", ""})
	// A connection ends with a body that nobody has read.
	unread := w.send("acme", nothing, request{"POST", "/Nothing", "{}"})
	if want.status != http.StatusUnauthorized || unread.body != want.body {
		w.t.Fatal(want, unread)
	}
	for name, c := range strangers {
		w.send("acme", c, request{"GET", "/Users", ""}) // a token notes the time of its use, and keys are fetched
		_, calls := w.counting("acme", c, request{"GET", "/Users", ""})
		for _, r := range all {
			got, made := w.counting("acme", c, r)
			expected := want
			if r.body != "" {
				expected = unread
			}
			if r.method == "HEAD" {
				expected.body, got.body = "", "" // a recorder keeps what a connection does not send
			}
			if expected != got {
				w.t.Errorf("%s: %s %s differs from no credential (-want +got)\n%s", name, r.method, r.path, cmp.Diff(expected.String(), got.String()))
			}
			if made != calls {
				w.t.Errorf("%s: %s %s makes the calls %q, and GET /Users %q", name, r.method, r.path, made, calls)
			}
		}
		for call := range strings.SplitSeq(calls, ", ") {
			if !slices.Contains([]string{"", "ByHash 1", "Issuer 1", "Directory 1", "Introspect 1", "Certificate 1"}, call) {
				w.t.Errorf("%s makes the call %q", name, call)
			}
		}
	}
	w.unchanged()
	return len(strangers)
}

// TestOthersCostWhatTheUnknownCost compares the calls that another tenant's credential makes, at first
// sight and later, with those of an unknown one and of others that are refused.
func TestOthersCostWhatTheUnknownCost(t *testing.T) {
	for _, tt := range []struct {
		only, unknown string
		isFirst       bool // only calls at first sight are compared
		others        []string
	}{
		{"JWT", "a JWT of an unknown issuer", false, []string{"another tenant's JWT", "an expired JWT", "a JWT with a wrong key", "a JWT with an unknown key", "a JWT for another audience",
			"a JWT with too little scope", "a JWT of acme, with beta's key", "a JWT of beta, with acme's key"}},
		{"Entra", "Entra of nobody's directory", false, []string{"Entra of another tenant", "Entra with another tenant's tid", "Entra without tid", "Entra for another application", "Entra's token, expired"}},
		// What the authorization server calls active is kept for a minute. Another one is asked about again.
		{"introspection", "an inactive token", true, []string{"another tenant's opaque token", "an opaque token of nobody", "an opaque token for others", "an opaque token, expired"}},
		{"certificate", "an unknown certificate", false, []string{"another tenant's certificate", "a certificate of an ended client", "another tenant's certificate over a proxy", "an unknown certificate over a proxy"}},
	} {
		t.Run(tt.only, func(t *testing.T) {
			var l *lab
			w := newWorldWith(t, "{tenant}.example.com/scim/v2", func(w *world) scim.Authenticator {
				l = newLab(w)
				return l.way(tt.only)
			})
			strangers := l.strangers()
			for _, name := range []string{"a JWT with a wrong key", "another tenant's JWT", "Entra's token, expired"} {
				w.send("acme", strangers[name], request{"GET", "/Users", ""}) // the keys of all issuers are there
			}
			rounds := 2
			if tt.isFirst {
				rounds = 1
			}
			for round := range rounds {
				_, want := w.counting("acme", strangers[tt.unknown], request{"GET", "/Users", ""})
				if want == "" {
					t.Fatalf("%s makes no calls: this shows nothing", tt.unknown)
				}
				for _, name := range tt.others {
					if _, got := w.counting("acme", strangers[name], request{"GET", "/Users", ""}); got != want {
						t.Errorf("round %d: %s makes the calls %q, %s %q", round, name, got, tt.unknown, want)
					}
				}
			}
		})
	}
}

// TestScopesAreOneForEveryWay plays every request on every route with a token, a JWT, an opaque token and
// a certificate of the same scopes. The answers are the same, and so are the calls of the tenant's store.
func TestScopesAreOneForEveryWay(t *testing.T) {
	for _, scopes := range [][]string{{"users"}, {"groups"}, {}} {
		name := strings.Join(append(scopes, "none")[:1], "")
		play := func(way string) []string {
			var l *lab
			w := newWorldWith(t, "{tenant}.example.com/scim/v2", func(w *world) scim.Authenticator {
				l = newLab(w)
				return l.way("")
			})
			scope := claims{"scope": strings.Join(append([]string{"scim"}, "scim."+name), " ")}
			c := map[string]credential{
				"token":         bearer(w.issue("acme", tokens.Request{Scopes: scopes})),
				"JWT":           bearer(l.token("acme", scope)),
				"introspection": bearer(l.ask("opaque", "acme", scope)),
				"certificate":   l.connects(l.certify(&l.ca, name, 0, time.Hour), tls.RequireAndVerifyClientCert),
			}[way]
			var lines []string
			every := 1
			if testhost.UnderRace {
				every = 16
			}
			for _, r := range oneOf(every, slices.Concat(routes(w.ids["beta/User"], w.ids["beta/Group"]), routes(nowhere, nowhere), routes(w.ids["acme/User"], w.ids["acme/Group"]))) {
				a, calls := w.counting("acme", c, r)
				calls = strings.Join(slices.DeleteFunc(strings.Split(calls, ", "), func(call string) bool {
					return slices.Contains([]string{"ByHash 1", "SetLastUsed 1", "Issuer 1", "Keys 1", "Introspect 1", "Certificate 1"}, call)
				}), ", ")
				lines = append(lines, r.method+" "+changing.ReplaceAllString(r.path, "*")+" "+calls, changing.ReplaceAllString(strings.ReplaceAll(a.String(), "https://", "http://"), "*"))
			}
			return lines
		}
		want := play("token")
		for _, way := range []string{"JWT", "introspection", "certificate"} {
			if way != "certificate" && len(scopes) == 0 {
				continue // such an access token is refused: see "a JWT with a scope of no meaning"
			}
			if diff := cmp.Diff(want, play(way)); diff != "" {
				t.Errorf("scopes %q: a %s differs from a token (-token +%[2]s)\n%s", scopes, way, diff)
			}
		}
	}
}
