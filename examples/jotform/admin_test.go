package main

import (
	"path/filepath"
	"testing"
)

// An administrator has chosen that unassigned people are removed. The last administrator is only deactivated, and comes
// back as one.
func TestLastAdministrator(t *testing.T) {
	w := begin(t, "sqlite:"+filepath.Join(t.TempDir(), "app.db"))
	set(w.ana, "sign_on", true)
	w.okta.Header.Set("Authorization", set(w.ana, "scim", true))
	set(w.ana, "removes", true)
	id, _ := w.assign("ana@acme.example", nil)
	w.okta.Unassign(id)
	if got := w.okta.Want(200, "GET", "/Users/"+id, "").String("active"); got != "false" {
		t.Errorf("active is %s", got)
	}
	w.expect(t, "ana@acme.example", "cannot log in", "unassigned")
	w.okta.Reassign(id)
	if got := w.admin(t, acme, "ana@acme.example").Status("/security"); got != 200 {
		t.Errorf("the administrators' page is %d", got)
	}
	w.Exec("UPDATE accounts SET is_admin = TRUE WHERE email = 'sam@acme.example'")
	w.okta.Unassign(id)
	w.okta.Want(404, "GET", "/Users/"+id, "")
}
