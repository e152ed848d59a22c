package main

import (
	"path/filepath"
	"testing"

	"github.com/scimkit/scim/examples/internal/pagetest"
)

// What a process that was killed has left after it saved a switch is done at the next start.
func TestUnfinishedSwitch(t *testing.T) {
	app := pagetest.Start(t, program.Run, "sqlite:"+filepath.Join(t.TempDir(), "app.db"))
	okta := func() pagetest.Okta { return pagetest.Okta{Client: app.Client("/scim", app.Token), Patches: true} }
	group := okta().Push("On-call", okta().Assign("ada@acme.test", "Ada", "Bo", ""))
	roles := func() string {
		ann, _ := app.LogIn("ann@acme.test")
		return ann.Line("/members", "ada@acme.test")
	}
	if got, want := roles(), "ada@acme.test · Ada Bo | SCIM | none"; got != want {
		t.Errorf("before the switches: %q, want %q", got, want)
	}
	app.Stop()
	app.Exec("UPDATE teams SET group_sync = TRUE, group_roles = TRUE WHERE id = 'acme'")
	app.Exec("UPDATE groups SET in_app = TRUE WHERE scim_name = 'On-call'")
	app.Exec("INSERT INTO role_mappings (team_id, group_id, role) VALUES ('acme', '" + group + "', 'responder')")
	app.Restart(program.Run)
	if got, want := roles(), "ada@acme.test · Ada Bo | SCIM | Responder: group On-call in group On-call: group On-call"; got != want {
		t.Errorf("after the next start: %q, want %q", got, want)
	}
}
