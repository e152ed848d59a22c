package oauth2_test

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
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

func BenchmarkAuthenticate(b *testing.B) {
	s := newServer(b)
	tokens := map[string]string{"RS256": good(b, nil), "ES256": sign(b, jose.ES256, ecKey(), "ec", with(nil))}
	public := map[string]any{"RS256": rsaKey().Public(), "ES256": ecKey().Public()}
	for alg, token := range tokens {
		r := request(token)
		run := func(a *oauth2.Auth) func(b *testing.B) {
			return func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := a.Authenticate(r); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		seen, first := s.jwt(b, s.issuer()), s.jwt(b, s.issuer())
		first.CacheSize = -1
		b.Run(alg+"/seen", run(seen))
		b.Run(alg+"/first", run(first))
		b.Run(alg+"/bare", func(b *testing.B) { // the peer: parse and verify with go-jose, nothing else
			b.ReportAllocs()
			for b.Loop() {
				jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := jws.Verify(public[alg]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
