package callers

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

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
		t.Run(tt.name, func(t *testing.T) {
			// What differs by construction differs in every round. Other work of the machine does not.
			var ratio float64
			for range 3 {
				a, b := w.medians(tt.a, tt.b)
				ratio = float64(max(a, b)) / float64(min(a, b))
				t.Logf("%v and %v", a, b)
				if ratio <= 1.1 {
					return
				}
			}
			t.Errorf("one takes %.2f times as long as the other", ratio)
		})
	}
	// The test sees a difference where there is one.
	if a, b := w.medians(sent{full, get("/Users/" + w.ids["acme/User"])}, sent{full, get("/Users/" + nowhere)}); float64(a) < 1.1*float64(b) {
		t.Errorf("%v for a user and %v for nobody: the test does not see that a user is written", a, b)
	}
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
