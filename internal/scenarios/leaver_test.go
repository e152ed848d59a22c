package scenarios

import (
	"context"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// hanging is a resolver that does not answer before its context ends.
type hanging struct {
	*testhost.Roles
	asked chan string // the values that it was asked for; nil: it answers
}

func (h *hanging) ResolveRoles(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
	if h.asked == nil {
		return h.Roles.ResolveRoles(ctx, src)
	}
	h.asked <- src.Name()
	<-ctx.Done()
	return nil, ctx.Err()
}

// A request that deactivates a user waits a second for the resolver, and holds no lock
// meanwhile. Then it goes on without the value (S49, S113).
func TestDeactivationOutlastsTheResolver(t *testing.T) {
	for _, kind := range []string{joint, separate, bare} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, kind, scim.Roles{Attributes: []string{"roles"}})
			resolver := &hanging{Roles: w.app}
			w.roles.Resolver = resolver
			w.restart()
			w.role("Viewer")
			w.userNamed("U", "Viewer")
			w.mark()
			resolver.asked = make(chan string, 10)
			start, done := time.Now(), make(chan reply)
			go func() { done <- w.send("PUT", "/Users/U", with(userWithRoles("U", "New", "Newer"), "active", false)) }()
			w.diff("asked", "New", <-resolver.asked)
			w.do("PATCH", "/Users/U", patchBody(map[string]any{"op": "replace", "path": "title", "value": "x"}))
			if d := time.Since(start); d > 500*time.Millisecond {
				t.Errorf("another request about the user waited for %v", d)
			}
			r := <-done
			if d := time.Since(start); d < 900*time.Millisecond || d > 3*time.Second {
				t.Errorf("it took %v, want one second", d)
			}
			w.diff("status", 200, r.status)
			w.diff("active", any(false), r.body["active"])
			w.diff("calls after the first", 0, len(resolver.asked))
			w.wantRoles("U")
			w.wantStored("U", "Viewer")
			w.wantEvents("user updated U", "role unknown U attr:roles", "user deactivated U", "role revoked U Viewer attr:roles")
			resolver.asked = nil
			w.activate("U")
			w.wantRoles("U", "Viewer")
			w.checkSettled()
		})
	}
}
