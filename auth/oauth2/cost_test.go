package oauth2_test

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"github.com/scimkit/scim/auth/oauth2"
)

// FuzzAuthenticate sends any header, and any claims under a right signature. A token counts
// only if its claims are right in the eyes of a second reader, and the cache changes nothing.
func FuzzAuthenticate(f *testing.F) {
	s := newServer(f)
	// Seeds are short, because the fuzzer shortens what it keeps before it goes on.
	token := sign(f, jose.EdDSA, edKey(), "", fields{"iss": issuerURL, "aud": audience, "exp": 4102444800, "sub": "x"})
	for _, claims := range []string{`{"iss":"https://id.example.com","aud":"https://app.example.com/scim","exp":4102444800,"scope":"a","client_id":"x"}`, "{}", "[]", "null", `{"iss":"https://id.example.com","aud":["a","https://app.example.com/scim"],"exp":1e300,"sub":"x"}`,
		`{"iss":"https://id.example.com","AUD":"https://app.example.com/scim","exp":4102444800,"sub":"x"}`} {
		f.Add("", []byte(claims))
	}
	for _, header := range []string{"", token, "Bearer " + token + ".", "Bearer " + token[1:], "Bearer a.b.c", "Bearer ..", `Bearer {"payload":"e30"}`} {
		f.Add(header, []byte("{}"))
	}
	a := s.jwt(f, s.issuer())
	f.Fuzz(func(t *testing.T, header string, claims []byte) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", header)
		if status, _, reason := outcome(t, a, r); status != 200 && status != 401 || !utf8.ValidString(reason) {
			t.Errorf("header %q: %d %q", header, status, reason)
		}
		signed := sign(t, jose.EdDSA, edKey(), "ed", claims)
		first, p, reason := outcome(t, a, request(signed))
		if again, _, _ := outcome(t, a, request(signed)); again != first {
			t.Errorf("%q: %d, and then %d", claims, first, again)
		}
		if first != 200 {
			if first != 401 || !utf8.ValidString(reason) {
				t.Errorf("%q: %d %q", claims, first, reason)
			}
			return
		}
		var c map[string]json.RawMessage
		var iss string
		var exp float64
		var all any
		if json.Unmarshal(claims, &c) != nil || json.Unmarshal(c["iss"], &iss) != nil || json.Unmarshal(c["exp"], &exp) != nil || json.Unmarshal(c["aud"], &all) != nil {
			t.Fatalf("%q counts", claims)
		}
		list, isList := all.([]any)
		isFor := all == audience
		for _, x := range list {
			isFor = isFor || x == audience
		}
		if iss != issuerURL || exp <= float64(noon.Unix()-60) || !isFor || isList && len(list) == 0 || p.ID == "" || p.Scopes == nil || c["cnf"] != nil && string(c["cnf"]) != "null" {
			t.Errorf("%q counts, as %+v", claims, p)
		}
	})
}

// signed is a token and the key that it is signed with.
type signed struct {
	alg    jose.SignatureAlgorithm
	token  string
	public any
}

func signedTokens(t testing.TB) []signed {
	return []signed{{jose.RS256, good(t, nil), rsaKey().Public()}, {jose.ES256, sign(t, jose.ES256, ecKey(), "ec", with(nil)), ecKey().Public()}}
}

// works are what is compared: "bare" parses and verifies with go-jose and does nothing else, "first" is
// a token at first sight, and "seen" one that was seen before.
func (s signed) works(t testing.TB) map[string]func() {
	server := newServer(t)
	seen, first := server.jwt(t, server.issuer()), server.jwt(t, server.issuer())
	first.CacheSize = -1
	r := request(s.token)
	authenticate := func(a *oauth2.Auth) func() {
		return func() {
			if _, err := a.Authenticate(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	return map[string]func(){"seen": authenticate(seen), "first": authenticate(first), "bare": func() {
		jws, err := jose.ParseSignedCompact(s.token, []jose.SignatureAlgorithm{s.alg})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jws.Verify(s.public); err != nil {
			t.Fatal(err)
		}
	}}
}

// inTurn does works n times, one after the other, and returns the median of what each takes. What
// else the machine does slows all of them down.
func inTurn(n int, works map[string]func()) map[string]time.Duration {
	took := map[string][]time.Duration{}
	for range n {
		for name, work := range works { // Go begins at a random place
			begun := time.Now()
			work()
			took[name] = append(took[name], time.Since(begun))
		}
	}
	medians := map[string]time.Duration{}
	for name, all := range took {
		slices.Sort(all)
		medians[name] = all[len(all)/2]
	}
	return medians
}

// BenchmarkAuthenticate compares a token at first sight, and one that was seen before, with the bare
// verification: medians, in turn.
func BenchmarkAuthenticate(b *testing.B) {
	for _, s := range signedTokens(b) {
		b.Run(string(s.alg), func(b *testing.B) {
			works := s.works(b)
			inTurn(20, works)
			b.ResetTimer()
			m := inTurn(b.N, works)
			b.StopTimer()
			b.ReportMetric(0, "ns/op") // the sum of all says nothing
			for name, took := range m {
				b.ReportMetric(float64(took), name+"-ns")
				b.ReportMetric(testing.AllocsPerRun(20, works[name]), name+"-allocs")
			}
			b.ReportMetric(float64(m["first"])/float64(m["bare"]), "first/bare")
		})
	}
}
