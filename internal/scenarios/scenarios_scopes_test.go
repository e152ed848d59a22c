package scenarios

import (
	"github.com/scimkit/scim"
)

// scopeScenarios are about sources with several roles, and about roles of different scopes.
func scopeScenarios() []scenario {
	return []scenario{
		{name: "S101 one source, several roles",
			given:  "G stands for R1 of project 1 and R2 of project 2; U in G; V in G, and holds R2 by hand",
			when:   "G is mapped to R1 alone, reported; later to both again",
			then:   "U held both, with a grant for each, and holds R1; later both again. V keeps R2.",
			reason: "removing one pair must not touch the other",
			run:    severalRoles},
		{name: "S101 one of several roles is protected",
			given:  "G stands for R and for Owner, which is protected; U in G",
			when:   "the application confirms Owner for G; U is deactivated and reactivated, and named again",
			then:   "U holds R before, and Owner too afterwards. After the return Owner waits alone.",
			reason: "a role of a source waits alone",
			run:    oneOfSeveralWaits},
		{name: "S101 one of several roles is gone",
			given:  "G stands for R and S; U in G; S was deleted, not reported",
			when:   "V is added to G",
			then:   "The request succeeds. U and V hold R, and G is linked to R alone.",
			reason: "a role of a source is unlinked alone",
			run:    oneOfSeveralGoes},
		{name: "S102 roles of different scopes do not compete",
			given:  "Pick is the heaviest; G1→Admin (30) and G2→Viewer (10) of project 1, G3→Viewer (10) of project 2; U in all",
			when:   "U is removed from G1",
			then:   "U held Admin of 1 and Viewer of 2, and holds Viewer of both.",
			reason: "a role is a role of something",
			roles:  scim.Roles{Pick: scim.PickHeaviest},
			run:    scopesApart},
		{name: "S102 the same id in two scopes",
			given:  "G1→Viewer of project 1, G2→Viewer of project 2, with the same id; U in both, and holds that of project 2 by hand",
			when:   "U is removed from both",
			then:   "U keeps only that of project 2.",
			reason: "scope and id are the identity of a role",
			run:    sameIDTwice},
		{name: "S103 one permission beside many roles",
			given:  "the scope \"permission\" is exclusive, others are not; U's permission Editor was given by hand",
			when:   "the attribute says Viewer, a permission, and U is added to G1→R1 and G2→R2; then Editor is taken by hand, and U is reconciled",
			then:   "U holds R1, R2 and Editor, and Viewer waits. Then U holds Viewer instead of Editor.",
			reason: "a place is occupied only within its scope",
			roles: scim.Roles{Attributes: []string{"roles"}, PolicyOf: func(scope string) scim.RolePolicy {
				return scim.RolePolicy{Exclusive: scope == "permission"}
			}},
			run: permissionBeside},
	}
}

// standsFor makes groups and values stand for roles by their name.
func (w *world) standsFor(names map[string][]scim.Role) {
	w.t.Helper()
	for _, roles := range names {
		for _, r := range roles {
			w.app.Put(r)
		}
	}
	w.app.Resolve = func(src scim.RoleSource) ([]scim.Role, error) {
		if roles := names[src.Name()]; len(roles) > 0 {
			return roles, nil
		}
		return nil, scim.ErrNoRole
	}
}

func severalRoles(w *world) {
	one, two := scim.Role{ID: "R1", Name: "R1", Scope: "1"}, scim.Role{ID: "R2", Name: "R2", Scope: "2"}
	names := map[string][]scim.Role{"Team": {two, one}}
	w.standsFor(names)
	w.user("U", "V")
	w.app.Give("V", "2/R2")
	w.mark()
	w.group("G", "Team", "U", "V")
	w.wantRoles("U", "R1", "R2")
	w.wantLedger("U", "1/R1 group:G", "2/R2 group:G")
	w.wantLedger("V", "1/R1 group:G", "2/R2 group:G by hand")
	w.wantLink("G", "1/R1, 2/R2")
	w.wantChanges("U +1/R1 +2/R2 = 1/R1 2/R2", "V +1/R1 = 1/R1 2/R2")
	names["Team"] = []scim.Role{one}
	w.mark()
	w.reportChange()
	w.wantRoles("U", "R1")
	w.wantRoles("V", "R1", "R2")
	w.wantLedger("U", "1/R1 group:G")
	w.wantLedger("V", "1/R1 group:G")
	w.wantChanges("U -2/R2 = 1/R1")
	names["Team"] = []scim.Role{one, two}
	w.reportChange()
	w.wantRoles("U", "R1", "R2")
	w.wantLedger("V", "1/R1 group:G", "2/R2 group:G by hand")
	w.deleteGroup("G")
	w.wantRoles("U")
	w.wantRoles("V", "R2")
}

func oneOfSeveralWaits(w *world) {
	owner := scim.Role{ID: "Owner", Name: "Owner", Protected: true}
	w.standsFor(map[string][]scim.Role{"Team": {{ID: "R", Name: "R"}, owner}})
	w.user("U")
	w.group("G", "Team", "U")
	w.wantRoles("U", "R")
	w.wantLink("G", "Owner unconfirmed, R")
	w.wantExplain("U", "Owner waiting group:G", "R granted group:G")
	w.must(w.reconciler().Confirm(ctx(), "G", owner))
	w.wantRoles("U", "Owner", "R")
	w.deactivate("U")
	w.activate("U")
	w.wantRoles("U", "R")
	w.add("G", "U")
	w.wantRoles("U", "Owner", "R")
}

func oneOfSeveralGoes(w *world) {
	w.standsFor(map[string][]scim.Role{"Team": {{ID: "R", Name: "R"}, {ID: "S", Name: "S"}}})
	w.user("U", "V")
	w.group("G", "Team", "U")
	w.wantRoles("U", "R", "S")
	w.app.Drop("S")
	w.mark()
	w.add("G", "V")
	w.wantMembers("G", "U", "V")
	w.wantLink("G", "R")
	for _, u := range []string{"U", "V"} {
		w.wantRoles(u, "R")
		w.wantLedger(u, "R group:G")
	}
	w.wantEvents("member added G V", "group unlinked G S", "role granted V R G")
}

func scopesApart(w *world) {
	w.standsFor(map[string][]scim.Role{
		"admins": {{ID: "Admin", Name: "Admin 1", Scope: "1", Weight: 30}}, "viewers": {{ID: "Viewer", Name: "Viewer 1", Scope: "1", Weight: 10}},
		"others": {{ID: "Viewer", Name: "Viewer 2", Scope: "2", Weight: 10}}})
	w.user("U")
	w.group("G1", "admins", "U")
	w.group("G2", "viewers", "U")
	w.group("G3", "others", "U")
	w.wantRoles("U", "Admin 1", "Viewer 2")
	w.mark()
	w.remove("G1", "U")
	w.wantRoles("U", "Viewer 1", "Viewer 2")
	w.wantLedger("U", "1/Viewer group:G2", "2/Viewer group:G3")
	w.wantChanges("U +1/Viewer -1/Admin = 1/Viewer 2/Viewer")
}

func sameIDTwice(w *world) {
	w.standsFor(map[string][]scim.Role{
		"one": {{ID: "Viewer", Name: "Viewer 1", Scope: "1"}}, "two": {{ID: "Viewer", Name: "Viewer 2", Scope: "2"}}})
	w.user("U")
	w.app.Give("U", "2/Viewer")
	w.must(w.reconciler().GiveByHand(ctx(), "U", scim.Role{ID: "Viewer", Scope: "2"}, nil))
	w.group("G1", "one", "U")
	w.group("G2", "two", "U")
	w.wantLedger("U", "1/Viewer group:G1", "2/Viewer group:G2 by hand")
	w.wantExplain("U", "1/Viewer granted group:G1", "2/Viewer both group:G2")
	w.remove("G1", "U")
	w.remove("G2", "U")
	w.wantRoles("U", "Viewer 2")
	w.wantLedger("U")
}

func permissionBeside(w *world) {
	permission := func(id string) scim.Role { return scim.Role{ID: id, Name: id, Scope: "permission"} }
	w.standsFor(map[string][]scim.Role{"Viewer": {permission("Viewer")}, "Editor": {permission("Editor")},
		"R1": {{ID: "R1", Name: "R1"}}, "R2": {{ID: "R2", Name: "R2"}}})
	w.user("U")
	w.app.Give("U", "permission/Editor")
	w.must(w.reconciler().GiveByHand(ctx(), "U", permission("Editor"), nil))
	w.putNamed("U", "Viewer")
	w.group("G1", "R1", "U")
	w.group("G2", "R2", "U")
	w.wantRoles("U", "Editor", "R1", "R2")
	w.wantExplain("U", "permission/Editor by hand", "permission/Viewer waiting attr:roles", "R1 granted group:G1", "R2 granted group:G2")
	w.app.Take("U", "permission/Editor")
	w.reconcile("U")
	w.wantRoles("U", "R1", "R2", "Viewer")
	w.remove("G1", "U")
	w.wantRoles("U", "R2", "Viewer")
}
