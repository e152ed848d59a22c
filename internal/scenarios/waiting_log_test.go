package scenarios

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/scimkit/scim"
)

// Somebody must act when a protected role waits, so the log says it, also where nobody reads
// events.
func TestWaitingGroupIsLogged(t *testing.T) {
	for _, kind := range []string{joint, separate, bare} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, kind, scim.Roles{})
			var log strings.Builder
			c := w.config()
			c.Log, c.OnEvent = slog.New(slog.NewTextHandler(&log, nil)), nil
			w.h = []*scim.Handler{w.handler(c)}
			w.protectedRole("Admin")
			w.user("U")
			w.group("G", "Admin", "U")
			if !strings.Contains(log.String(), "waits for Reconciler.Confirm") || !strings.Contains(log.String(), "group=G") {
				t.Errorf("the log does not say that the role waits:\n%s", log.String())
			}
		})
	}
}
