package scenarios

import (
	"context"
	"net/http"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// sameHolders lists the same holders again and again.
type sameHolders struct{ *testhost.Roles }

func (h sameHolders) RoleHolders(ctx context.Context, role scim.Role, _ string, limit int) ([]string, error) {
	return h.Roles.RoleHolders(ctx, role, "", limit)
}

// TestHoldersThatDoNotEnd is S95 with an application whose list of holders has no end.
func TestHoldersThatDoNotEnd(t *testing.T) {
	for _, kind := range []string{joint, separate, bare} {
		t.Run(kind, func(t *testing.T) {
			w := inMemorySetting(kind).world(t, scim.Roles{KeepLastHolder: true})
			w.user("U")
			w.admins("G", "Admin", "U")
			w.roles.Resolver = sameHolders{w.app}
			w.restart()
			w.diff("status", http.StatusInternalServerError, w.send("PATCH", "/Groups/G", patchBody(removeOp("U"))).status)
			w.wantRoles("U", "Admin")
		})
	}
}
