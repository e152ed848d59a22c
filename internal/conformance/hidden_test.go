package conformance

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// versionless is a store that does not keep Meta.Version.
type versionless struct{ *testhost.BareStore }

func (s versionless) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	return withoutVersion(s.BareStore.Get(ctx, ref))
}

func (s versionless) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	return withoutVersion(s.BareStore.Create(ctx, r))
}

func (s versionless) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	return withoutVersion(s.BareStore.Update(ctx, ref, func(before *scim.Resource) (*scim.Resource, error) {
		shown, err := withoutVersion(before, nil)
		if err != nil {
			return nil, err
		}
		after, err := fn(shown)
		if after == shown {
			after = before
		}
		return after, err
	}))
}

func withoutVersion(r *scim.Resource, err error) (*scim.Resource, error) {
	if err != nil {
		return nil, err
	}
	m := r.Meta()
	m.Version = ""
	return r.WithMeta(m), nil
}

// hiddenStores are stores for the tests of hidden attributes. kept says that the store
// keeps versions.
var hiddenStores = []struct {
	name string
	make func() scim.Store
	kept bool
}{
	{"memory", func() scim.Store { return memory.New() }, true},
	{"five methods", func() scim.Store { return testhost.NewBareStore() }, true},
	{"no versions", func() scim.Store { return versionless{testhost.NewBareStore()} }, false},
}

// clock is a handler's time. It moves by a second at each call.
type clock struct{ now time.Time }

func (c *clock) next() time.Time {
	c.now = c.now.Add(time.Second)
	return c.now
}

// hiddenHandler is a handler on which the times and ids of equal requests are equal.
func hiddenHandler(t *testing.T, store scim.Store) *scim.Handler {
	t.Helper()
	at := &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	return conformanceHandler(t, store, func(c *scim.Config) {
		c.Now, c.NewID = at.next, func() string { return "1" }
	})
}

func etagOf(t *testing.T, h http.Handler, method, target, body string) string {
	t.Helper()
	res := testhost.Do(t, h, method, target, body)
	if res.StatusCode >= 300 || res.Header.Get("Etag") == "" {
		t.Fatalf("%s %s: %d, ETag %q", method, target, res.StatusCode, res.Header.Get("Etag"))
	}
	return res.Header.Get("Etag")
}

// A reader who knows all that a client can see must not find out what it cannot see: he
// would try every value, and compare what comes out with the ETag.
func TestVersionSaysNothingOfHiddenValues(t *testing.T) {
	for _, attribute := range []string{"hidden", "secret"} {
		for _, s := range hiddenStores {
			t.Run(attribute+" "+s.name, func(t *testing.T) {
				tags := map[string]bool{}
				for _, pin := range []string{"1111", "2222", "1111"} {
					h := hiddenHandler(t, s.make())
					tags[etagOf(t, h, "POST", "/Probes", `{"text":"ann","`+attribute+`":"`+pin+`"}`)] = true
				}
				if want := map[bool]int{true: 3, false: 1}[s.kept]; len(tags) != want {
					t.Errorf("%d tags of three resources that look the same, want %d: %v", len(tags), want, tags)
				}
			})
		}
	}
}

// If only a hidden value changes, the tag shows that something did.
func TestVersionShowsThatHiddenValuesChanged(t *testing.T) {
	for _, s := range hiddenStores {
		t.Run(s.name, func(t *testing.T) {
			store := s.make()
			h := hiddenHandler(t, store)
			first := etagOf(t, h, "POST", "/Probes", `{"text":"ann","hidden":"1111"}`)
			const set = `{"Operations":[{"op":"replace","path":"hidden","value":"2222"}]}`
			second := etagOf(t, h, "PATCH", "/Probes/1", set)
			if second == first {
				t.Errorf("the tag is %s before and after", first)
			}
			if again := etagOf(t, h, "PATCH", "/Probes/1", set); again != second {
				t.Errorf("the tag changed from %s to %s, but the resource did not", second, again)
			}
			other := hiddenHandler(t, store) // another server on the same store
			if there := etagOf(t, other, "GET", "/Probes/1", ""); there != second {
				t.Errorf("another server gives the tag %s, want %s", there, second)
			}
			r, err := store.Get(t.Context(), scim.Ref{Type: "Probe", ID: "1"})
			if err != nil || r.String("hidden") != "2222" {
				t.Errorf("the store has %q, error %v", r.String("hidden"), err)
			}
		})
	}
}
