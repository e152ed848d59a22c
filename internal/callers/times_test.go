package callers

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/internal/testhost"
)

// sent is a request of somebody to acme.
type sent struct {
	credential credential
	request
}

// TestTimesDoNotTell compares how long answers take that must not differ: the medians of 2,000 requests,
// interleaved, are within 10 %.
func TestTimesDoNotTell(t *testing.T) {
	if testhost.UnderRace {
		t.Skip("the race detector's own times are not those of users")
	}
	w := newWorld(t)
	strangers := w.strangers()
	full := bearer(w.issue("acme", tokens.Request{}))
	users, groups := bearer(w.issue("acme", tokens.Request{Scopes: []string{"users"}})), bearer(w.issue("acme", tokens.Request{Scopes: []string{"groups"}}))
	get := func(path string) request { return request{"GET", path, ""} }
	for _, tt := range []struct {
		name string
		a, b sent
	}{
		{"an unknown token and an expired one", sent{strangers["an unknown token"], get("/Users")}, sent{strangers["an expired token"], get("/Users")}},
		{"an unknown token and a revoked one", sent{strangers["an unknown token"], get("/Users")}, sent{strangers["a revoked token"], get("/Users")}},
		{"an unknown token and another tenant's", sent{strangers["an unknown token"], get("/Users")}, sent{strangers["another tenant's token"], get("/Users")}},
		{"an unknown user and a wrong password", sent{strangers["an unknown user"], get("/Users")}, sent{strangers["a wrong password"], get("/Users")}},
		{"a stranger on a user and on nothing", sent{strangers["an unknown token"], get("/Users/" + w.ids["acme/User"])}, sent{strangers["an unknown token"], get("/Users/" + nowhere)}},
		{"a stranger on a route and on none", sent{strangers["an unknown token"], get("/Users")}, sent{strangers["an unknown token"], get("/Nothing")}},
		{"another tenant's user and nobody", sent{full, get("/Users/" + w.ids["beta/User"])}, sent{full, get("/Users/" + nowhere)}},
		{"another tenant's group and none", sent{full, get("/Groups/" + w.ids["beta/Group"])}, sent{full, get("/Groups/" + nowhere)}},
		{"a group beyond the scope and none", sent{users, get("/Groups/" + w.ids["acme/Group"])}, sent{users, get("/Groups/" + nowhere)}},
		{"a user beyond the scope and nobody", sent{groups, get("/Users/" + w.ids["acme/User"])}, sent{groups, get("/Users/" + nowhere)}},
		{"a search for another tenant's user and for nobody", sent{full, get("/Users?filter=userName+eq+%22person-of-beta%22")}, sent{full, get("/Users?filter=userName+eq+%22person-of-none%22")}},
	} {
		t.Run(tt.name, func(t *testing.T) { w.takesAsLong(t, tt.a, tt.b) })
	}
	// The test sees a difference where there is one.
	if a, b := w.medians(sent{full, get("/Users/" + w.ids["acme/User"])}, sent{full, get("/Users/" + nowhere)}); float64(a) < 1.1*float64(b) {
		t.Errorf("%v for a user and %v for nobody: the test does not see that a user is written", a, b)
	}
}

// TestTimesOfOtherWaysDoNotTell does the same for what one look-up decides: a credential that another tenant
// has, and one that nobody has. An access token is not among them: one that is good at another tenant is
// remembered, which tells its holder nothing new.
func TestTimesOfOtherWaysDoNotTell(t *testing.T) {
	if testhost.UnderRace {
		t.Skip("the race detector's own times are not those of users")
	}
	var l *lab
	w := newWorldWith(t, "{tenant}.example.com/scim/v2", func(w *world) scim.Authenticator {
		l = newLab(w)
		return l.way("")
	})
	strangers := l.strangers()
	for _, tt := range []struct{ a, b string }{
		{"another tenant's certificate", "an unknown certificate"},
		{"another tenant's certificate over a proxy", "an unknown certificate over a proxy"},
	} {
		t.Run(tt.a+" and "+tt.b, func(t *testing.T) {
			w.takesAsLong(t, sent{strangers[tt.a], request{"GET", "/Users", ""}}, sent{strangers[tt.b], request{"GET", "/Users", ""}})
		})
	}
}

// takesAsLong fails if the medians are more than 10 % apart. What differs by construction does so in every
// round. Other work of the machine does not.
func (w *world) takesAsLong(t *testing.T, a, b sent) {
	t.Helper()
	var ratio float64
	for range 3 {
		tookA, tookB := w.medians(a, b)
		ratio = float64(max(tookA, tookB)) / float64(min(tookA, tookB))
		t.Logf("%v and %v", tookA, tookB)
		if ratio <= 1.1 {
			return
		}
	}
	t.Errorf("one takes %.2f times as long as the other", ratio)
}

// medians sends both requests 2,000 times, one after the other.
func (w *world) medians(a, b sent) (medianA, medianB time.Duration) {
	const times = 2000
	both := [2]sent{a, b}
	var took [2][]time.Duration
	for i := range 2 * times {
		which := i % 2
		if i/2%2 == 1 {
			which = 1 - which // neither is always the one after the other
		}
		in, out := w.make("acme", both[which].credential, both[which].request), httptest.NewRecorder()
		start := time.Now()
		w.handler.ServeHTTP(out, in)
		took[which] = append(took[which], time.Since(start))
	}
	slices.Sort(took[0])
	slices.Sort(took[1])
	return took[0][times/2], took[1][times/2]
}
