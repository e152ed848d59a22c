package main

import (
	"path/filepath"
	"testing"

	"github.com/scimkit/scim/examples/internal/pagetest"
)

// What a process that was killed has left after it deleted a role is done at the next start.
func TestUnfinishedRole(t *testing.T) {
	app := pagetest.Start(t, program.Run, "sqlite:"+filepath.Join(t.TempDir(), "app.db"))
	okta := pagetest.Okta{Client: app.Client("/scim/v2", app.Token), Patches: true}
	okta.Push("Sales", okta.Assign("mia@example.com", "Mia", "Day", ""))
	app.Stop()
	app.Exec("DELETE FROM roles WHERE name = 'Sales'")
	app.Restart(program.Run)
	ann, _ := app.LogIn("ann@example.com")
	if got, want := ann.Line("/groups", "Sales"), "Sales | SCIM | 1 | nothing"; got != want {
		t.Errorf("after the next start: %q, want %q", got, want)
	}
}
