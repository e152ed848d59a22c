package conformance

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// busy is a handler with the tenants a and b, whose tokens are their names. Each
// creation of a user sends to begun, and ends when free is closed.
func busy(t *testing.T, limits scim.Limits) (h http.Handler, begun chan struct{}, free chan struct{}) {
	begun, free = make(chan struct{}, 100), make(chan struct{})
	tenants := map[string]*scim.Tenant{}
	var tokens []auth.Token
	for _, id := range []string{"a", "b"} {
		tenants[id] = &scim.Tenant{ID: id, Store: memory.New(), Allow: func(_ context.Context, a scim.Access) error {
			if a.Op == scim.OpCreate {
				begun <- struct{}{}
				<-free
			}
			return nil
		}}
		token := auth.TokenOf(id)
		token.Tenant = id
		tokens = append(tokens, token)
	}
	h = testhost.New(t, scim.Config{Auth: auth.Bearer(tokens...), Limits: limits,
		TenantFor: func(_ context.Context, p scim.Principal) (*scim.Tenant, error) { return tenants[p.Tenant], nil }})
	return h, begun, free
}

// bodyOf is the body of a user, of a length.
func bodyOf(name string, length int) string {
	return fmt.Sprintf("%-*s", length, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`"}`)
}

// One tenant has at most half of the places for requests. A further request waits for at
// most a second and is then 429; other tenants do not notice.
func TestOneTenantLeavesPlacesForOthers(t *testing.T) {
	for name, c := range map[string]struct {
		limits scim.Limits
		length int
	}{
		"requests":         {scim.Limits{Requests: 4}, 100},
		"memory of bodies": {scim.Limits{BodyMemory: 8000}, 2000},
	} {
		t.Run(name, func(t *testing.T) {
			h, begun, free := busy(t, c.limits)
			done := make(chan int)
			for i := range 2 {
				go func() {
					done <- testhost.Do(t, h, "POST", "/Users", bodyOf(fmt.Sprint("u", i), c.length), "Authorization: Bearer a").StatusCode
				}()
				<-begun
			}
			start := time.Now()
			res := testhost.Do(t, h, "POST", "/Users", bodyOf("third", c.length), "Authorization: Bearer a")
			if took := time.Since(start); res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "1" || took < time.Second || took > 3*time.Second {
				t.Errorf("a third request is answered %d after %s, Retry-After %q", res.StatusCode, took, res.Header.Get("Retry-After"))
			}
			start = time.Now()
			if res := testhost.Do(t, h, "GET", "/Users", "", "Authorization: Bearer b"); res.StatusCode != http.StatusOK || time.Since(start) > 500*time.Millisecond {
				t.Errorf("another tenant is answered %d after %s", res.StatusCode, time.Since(start))
			}
			if res := testhost.Do(t, h, "GET", "/Schemas", "", "Authorization: Bearer a"); res.StatusCode != http.StatusOK {
				t.Errorf("a description is answered %d", res.StatusCode)
			}
			go func() {
				done <- testhost.Do(t, h, "POST", "/Users", bodyOf("waits", c.length), "Authorization: Bearer a").StatusCode
			}()
			time.Sleep(200 * time.Millisecond)
			close(free)
			for range 3 {
				if got := <-done; got != http.StatusCreated {
					t.Errorf("a request that has its turn is answered %d", got)
				}
			}
		})
	}
}
