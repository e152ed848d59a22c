package rules

import (
	"testing"

	"github.com/scimkit/scim"
)

func TestIsGiven(t *testing.T) {
	role := scim.Role{Scope: "space", ID: "7"}
	grant := func(change func(g *scim.Grant)) scim.Grant {
		g := scim.Grant{UserID: "u", Scope: "space", RoleID: "7", Source: "group:g"}
		change(&g)
		return g
	}
	given := grant(func(*scim.Grant) {})
	for _, row := range []struct {
		reason string
		grants []scim.Grant
		want   bool
	}{
		{"nothing gives it: it is by hand", nil, false},
		{"a group gives it", []scim.Grant{given}, true},
		{"a guard keeps what a group gave", []scim.Grant{grant(func(g *scim.Grant) { g.State = scim.GrantRetained })}, true},
		{"another role", []scim.Grant{grant(func(g *scim.Grant) { g.RoleID = "8" })}, false},
		{"a role of another scope with the same id", []scim.Grant{grant(func(g *scim.Grant) { g.Scope = "other" })}, false},
		{"by hand too", []scim.Grant{given, grant(func(g *scim.Grant) { g.Source, g.ByHand = "group:h", true })}, false},
		{"one group's waits, another one's does not", []scim.Grant{grant(func(g *scim.Grant) { g.State = scim.GrantWaitsForReturn }), given}, true},
		{"it waits, so it is held by hand", []scim.Grant{grant(func(g *scim.Grant) { g.State = scim.GrantWaitsForReturn })}, false},
		{"it waits for a place", []scim.Grant{grant(func(g *scim.Grant) { g.State = scim.GrantWaitsForPlace })}, false},
		{"the application has declined it", []scim.Grant{grant(func(g *scim.Grant) { g.State = scim.GrantDeclined })}, false},
	} {
		if got := isGiven(row.grants, role); got != row.want {
			t.Errorf("isGiven is %v, want %v, because %s", got, row.want, row.reason)
		}
	}
}
