package tokens_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim/auth/tokens"
)

// A scanner computes the checksum by itself, so the form of a secret never changes.
func TestIsSecret(t *testing.T) {
	const sound = "scim_" + "0123456789abcdefghijABCDEFGHIJ" + "3OAibU"
	for _, c := range []struct {
		text, prefix string
		want         bool
		reason       string
	}{
		{sound, "scim_", true, "computed by another program"},
		{strings.Replace(sound, "a", "b", 1), "scim_", false, "another digit has another checksum"},
		{sound[:len(sound)-1] + "b", "scim_", false, "the checksum is another"},
		{sound, "acme_", false, "another prefix"},
		{sound, "scim", false, "a part of the prefix"},
		{sound + "0", "scim_", false, "too long"},
		{sound[:len(sound)-1], "scim_", false, "too short"},
		{"", "scim_", false, "empty"},
		{"scim_", "scim_", false, "the prefix alone"},
		{strings.Replace(sound, "0", "-", 1), "scim_", false, "a character that is no digit"},
	} {
		if got := tokens.IsSecret(c.text, c.prefix); got != c.want {
			t.Errorf("IsSecret(%q, %q) is %v: %s", c.text, c.prefix, got, c.reason)
		}
	}
}

func FuzzIsSecret(f *testing.F) {
	f.Add("scim_0123456789abcdefghijABCDEFGHIJ3OAibU", "scim_")
	f.Add("", "")
	f.Add("scim_\x80", "scim_")
	f.Fuzz(func(t *testing.T, text, prefix string) {
		if tokens.IsSecret(text, prefix) && (!strings.HasPrefix(text, prefix) || len(text) != len(prefix)+36) {
			t.Errorf("%q with prefix %q", text, prefix)
		}
	})
}

// Each digit of a secret is as likely as any other one.
func TestSecretsAreEven(t *testing.T) {
	all, err := tokens.New(tokens.NewMemory(), tokens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen, counts := map[string]bool{}, map[rune]int{}
	const n = 2000
	for range n {
		secret, x, err := all.Tenant("").Issue(t.Context(), tokens.Request{})
		if err != nil || seen[secret] || seen[x.ID] || !tokens.IsSecret(secret, "scim_") {
			t.Fatalf("secret %q, error %v", secret, err)
		}
		seen[secret], seen[x.ID] = true, true
		for _, digit := range secret[5:35] {
			counts[digit]++
		}
	}
	// 968 are expected of each; 220 is seven times the standard deviation.
	for digit, got := range counts {
		if got < 968-220 || got > 968+220 {
			t.Errorf("the digit %c is there %d times of %d", digit, got, n*30)
		}
	}
	if len(counts) != 62 {
		t.Errorf("%d digits", len(counts))
	}
}

func benchmarked(tb testing.TB, o tokens.Options) (*tokens.Tokens, *http.Request) {
	o.Scopes = []string{"users", "groups"}
	all, err := tokens.New(tokens.NewMemory(), o)
	if err != nil {
		tb.Fatal(err)
	}
	secret, _, err := all.Tenant("acme").Issue(tb.Context(), tokens.Request{Scopes: []string{"users"}, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		tb.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/Users", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	if _, err := all.Authenticate(r); err != nil {
		tb.Fatal(err)
	}
	return all, r
}

// BenchmarkAuthenticate has a budget: 2 µs and 4 allocations, in memory and from the cache.
func BenchmarkAuthenticate(b *testing.B) {
	for name, o := range map[string]tokens.Options{"cached": {CacheFor: tokens.MaxCacheFor}, "memory": {}} {
		b.Run(name, func(b *testing.B) {
			all, r := benchmarked(b, o)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := all.Authenticate(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
