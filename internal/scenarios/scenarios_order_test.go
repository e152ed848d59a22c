package scenarios

import (
	"cmp"
	"slices"

	"github.com/scimkit/scim"
)

// pickByWeight picks all roles, the heaviest first.
func pickByWeight(candidates []scim.Candidate) (picked []scim.Role) {
	slices.SortStableFunc(candidates, func(a, b scim.Candidate) int { return cmp.Compare(b.Weight, a.Weight) })
	for _, c := range candidates {
		picked = append(picked, c.Role)
	}
	return picked
}

// reportScenarios are about what the application reports, and about the order of roles.
func reportScenarios() []scenario {
	return []scenario{
		{name: "S105 a role that comes from another group moves back",
			given:  "U in G1 and in G2→R, in this order",
			when:   "G1 stands for S, reported; then G2 stands for R and S, and G1 for nothing, reported twice",
			then:   "ChangeRoles gets the new order, R and S, once.",
			reason: "the ledger has the new grant before the application knows of it",
			kinds:  []string{joint, separate}, only: "the store does not know when members joined",
			run: func(w *world) {
				r, s := scim.Role{ID: "R", Name: "R"}, scim.Role{ID: "S", Name: "S"}
				names := map[string][]scim.Role{"Two": {r}}
				w.standsFor(names)
				w.user("U")
				w.group("G1", "One", "U")
				w.group("G2", "Two", "U")
				w.app.Put(s)
				names["One"] = []scim.Role{s}
				w.reportChange()
				names["Two"], names["One"] = []scim.Role{r, s}, nil
				w.mark()
				w.reportChange()
				w.reportChange()
				w.wantChanges("U = R S")
				w.wantLedger("U", "R group:G2", "S group:G2")
			}},
		{name: "S105 the primary membership ends, the roles stay",
			given:  "U joined G1→A, then G2→B, then G3→A",
			when:   "U is removed from G1; everybody is reconciled",
			then:   "ChangeRoles is called once, with no Grant, no Revoke and `Roles` B, A.",
			reason: "\"primary first\" is part of what is promised",
			run: func(w *world) {
				w.role("A")
				w.role("B")
				w.user("U")
				w.group("G1", "A", "U")
				w.group("G2", "B", "U")
				w.mark()
				w.group("G3", "A", "U")
				w.wantChanges()
				w.remove("G1", "U")
				w.wantChanges("U = B A")
				w.wantRoles("U", "A", "B")
				w.all()
				w.wantChanges()
			}},
		{name: "S105 a weight changes, the roles stay",
			given:  "Pick returns all roles, the heaviest first; U in G1→A (20) and in G2→B (10), V in G1",
			when:   "B gets the weight 30, reported twice",
			then:   "ChangeRoles is called once, for U, with no Grant, no Revoke and `Roles` B, A.",
			reason: "\"primary first\" is part of what is promised",
			roles:  scim.Roles{Pick: pickByWeight},
			run: func(w *world) {
				w.role("A", 20)
				w.role("B", 10)
				w.user("U", "V")
				w.group("G1", "A", "U", "V")
				w.group("G2", "B", "U")
				w.mark()
				w.role("B", 30)
				w.reportChange()
				w.wantChanges("U = B A")
				w.reportChange()
				w.all()
				w.wantChanges()
			}},
		{name: "S105 the change of the order fails",
			given:  "as in the first one; ChangeRoles fails",
			when:   "U is removed from G1; the request is sent again once ChangeRoles works",
			then:   "500. Then ChangeRoles is called with `Roles` B, A.",
			reason: "the application must not miss the order",
			run: func(w *world) {
				w.role("A")
				w.role("B")
				w.user("U")
				w.group("G1", "A", "U")
				w.group("G2", "B", "U")
				w.group("G3", "A", "U")
				repair := w.breakChanges(1, errDown)
				w.diff("removal", 500, w.send("PATCH", "/Groups/G1", patchBody(removeOp("U"))).status)
				repair()
				w.mark()
				w.remove("G1", "U")
				w.wantChanges("U = B A")
			}},
		{name: "S105 a source gives the role that was given by hand",
			given:  "Pick returns all roles, the heaviest first; U is given A (20) by hand, and B (10) through G2; C (30) is by hand, too",
			when:   "G1→A and then G3→C get U; everybody is reconciled; U is removed from G1 and G3",
			then:   "ChangeRoles is called with no Grant and `Roles` A, B, then with C, A, B, and not again. U keeps all.",
			reason: "the primary role is another one, although U gets no role",
			roles:  scim.Roles{Pick: pickByWeight},
			run: func(w *world) {
				w.role("A", 20)
				w.role("B", 10)
				w.role("C", 30)
				w.user("U")
				w.byHand("U", "A")
				w.byHand("U", "C")
				w.group("G2", "B", "U")
				w.mark()
				w.group("G1", "A", "U")
				w.wantChanges("U = A B")
				w.group("G3", "C", "U")
				w.wantChanges("U = C A B")
				w.all()
				w.wantChanges()
				w.remove("G1", "U")
				w.remove("G3", "U")
				w.wantRoles("U", "A", "B", "C")
				w.wantChanges()
			}},
		{name: "S106 the list of role attributes changes",
			given:  "`Attributes` has userType and title; U's userType names R, U's title names S; V is inactive with userType R",
			when:   "`Attributes` loses userType, reported; gets it again, reported; becomes empty, reported",
			then:   "The first report revokes R, the second one grants it again, the third one revokes R and S.",
			reason: "a setting that is switched off must not leave access behind",
			roles:  scim.Roles{Attributes: []string{"userType", "title"}},
			run:    attributesChange},
		{name: "S107 roles off, a rename, roles on",
			given:  "G→A with U; the tenant's roles are switched off; G is renamed to B, and V joins",
			when:   "roles are on again, reported",
			then:   "U and V hold B, and nobody holds A.",
			reason: "a link says for which name it was made",
			run: func(w *world) {
				w.role("A")
				w.role("B")
				w.user("U", "V")
				w.group("G", "A", "U")
				w.withoutRoles(func() {
					w.rename("G", "B")
					w.add("G", "V")
				})
				w.wantRoles("U", "A")
				w.reportChange()
				w.wantRoles("U", "B")
				w.wantRoles("V", "B")
				w.wantLink("G", "B")
			}},
		{name: "S107 roles off, a rename to a protected role, roles on",
			given:  "as before, and B is protected",
			when:   "roles are on again, reported; later the application confirms",
			then:   "U loses A. U and V hold B only after the confirmation.",
			reason: "whoever can rename a group must not thereby make administrators",
			run: func(w *world) {
				w.role("A")
				w.protectedRole("B")
				w.user("U", "V")
				w.group("G", "A", "U")
				w.withoutRoles(func() { w.rename("G", "B"); w.add("G", "V") })
				w.reportChange()
				w.wantRoles("U")
				w.wantLink("G", "B unconfirmed")
				w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "B"}))
				w.wantRoles("V", "B")
			}},
		{name: "S108 two reasons to wait",
			given:  "Exclusive; Owner is protected and confirmed; U holds Viewer by hand and is added to G→Owner",
			when:   "Viewer is taken by hand, and U is reconciled",
			then:   "Owner waited for the place, and Explain said so. Now U holds it.",
			reason: "the reasons are kept apart",
			roles:  scim.Roles{Exclusive: true},
			run: func(w *world) {
				w.protectedRole("Owner")
				w.role("Viewer")
				w.user("U")
				w.byHand("U", "Viewer")
				w.group("G", "Owner")
				w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Owner"}))
				w.add("G", "U")
				w.wantRoles("U", "Viewer")
				w.wantReason("U", "Owner", "holds Viewer by hand")
				w.app.Take("U", "Viewer")
				w.reconcile("U")
				w.wantRoles("U", "Owner")
			}},
		{name: "S108 both reasons, one after the other",
			given:  "as before, but U is deactivated, reactivated, and the place is taken by hand meanwhile",
			when:   "Viewer is taken by hand, and U is reconciled; then a PATCH names U in G",
			then:   "Owner still waits for the return, and Explain says so. Then U holds it.",
			reason: "the reasons are kept apart",
			roles:  scim.Roles{Exclusive: true},
			run: func(w *world) {
				w.protectedRole("Owner")
				w.role("Viewer")
				w.user("U")
				w.group("G", "Owner", "U")
				w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Owner"}))
				w.wantRoles("U", "Owner")
				w.deactivate("U")
				w.byHand("U", "Viewer")
				w.activate("U")
				w.all()
				w.wantRoles("U", "Viewer")
				w.app.Take("U", "Viewer")
				w.reconcile("U")
				w.wantRoles("U")
				w.wantReason("U", "Owner", "name the user as a member again")
				w.add("G", "U")
				w.wantRoles("U", "Owner")
			}},
		{name: "a person is confirmed before the link is",
			given:  "R is protected, and its link to G is not confirmed; U and V in G",
			when:   "the application confirms G, R and U; later G and R; then U and an unknown group",
			then:   "The first call grants R to U alone, and the link goes on waiting. The second one grants R to both. The third one returns an error.",
			reason: "the application decides about a group or about one of its members",
			run: func(w *world) {
				role := scim.Role{ID: "R"}
				w.protectedRole("R")
				w.user("U", "V")
				w.group("G", "R", "U", "V")
				w.must(w.reconciler().Confirm(ctx(), "G", role, "U"))
				w.reconcile("U", "V")
				w.wantRoles("U", "R")
				w.wantRoles("V")
				w.wantLink("G", "R unconfirmed")
				w.must(w.reconciler().Confirm(ctx(), "G", role))
				w.wantRoles("U", "R")
				w.wantRoles("V", "R")
				if err := w.reconciler().Confirm(ctx(), "none", role, "U"); err == nil {
					w.t.Errorf("a group that does not exist was confirmed")
				}
			}},
		{name: "a person is confirmed before the value is",
			given:  "R is protected, and its link to a value is not confirmed; U and V have the value",
			when:   "the application confirms the value, R and U; later the value and R",
			then:   "The first call grants R to U and not to V. The second one grants R to both.",
			reason: "as before",
			roles:  scim.Roles{Attributes: []string{"roles"}},
			run: func(w *world) {
				role := scim.Role{ID: "R"}
				w.protectedRole("R")
				w.userNamed("U", "R")
				w.userNamed("V", "R")
				w.must(w.reconciler().ConfirmValue(ctx(), "roles", "R", role, "U"))
				w.reconcile("U", "V")
				w.wantRoles("U", "R")
				w.wantRoles("V")
				w.must(w.reconciler().ConfirmValue(ctx(), "roles", "R", role))
				w.wantRoles("U", "R")
				w.wantRoles("V", "R")
			}},
		{name: "a user loses the confirmed one of two values",
			given:  "values R and Boss stand for the protected role R; R is confirmed, Boss is not; U has both",
			when:   "the client takes the value R from U",
			then:   "U loses R: what was confirmed for one value is not confirmed for another.",
			reason: "nobody decided that Boss gives the role",
			roles:  scim.Roles{Attributes: []string{"roles"}},
			run: func(w *world) {
				w.protectedRole("R")
				w.app.Resolve = func(scim.RoleSource) ([]scim.Role, error) {
					return []scim.Role{{ID: "R", Name: "R", Protected: true}}, nil
				}
				w.userNamed("U", "R", "Boss")
				w.must(w.reconciler().ConfirmValue(ctx(), "roles", "R", scim.Role{ID: "R"}))
				w.wantRoles("U", "R")
				w.putNamed("U", "Boss")
				w.wantRoles("U")
				w.must(w.reconciler().ConfirmValue(ctx(), "roles", "Boss", scim.Role{ID: "R"}, "U"))
				w.wantRoles("U", "R")
				w.putNamed("U")
				w.wantRoles("U")
			}},
		{name: "Pick names a role twice, and one that no source gives",
			given:  "Pick returns each role twice, and a role that U holds by hand",
			when:   "U joins G→R, and leaves it",
			then:   "ChangeRoles grants R once, with `Roles` R, and revokes it once. The other role is never touched.",
			reason: "a mistake of the application must not become a grant",
			roles: scim.Roles{Pick: func(all []scim.Candidate) (picked []scim.Role) {
				for _, c := range all {
					picked = append(picked, c.Role, c.Role)
				}
				return append(picked, scim.Role{ID: "H", Name: "H"})
			}},
			run: func(w *world) {
				w.role("R")
				w.role("H")
				w.user("U")
				w.byHand("U", "H")
				w.group("G", "R")
				w.mark()
				w.add("G", "U")
				w.wantChanges("U +R = R")
				w.wantLedger("U", "R group:G")
				w.remove("G", "U")
				w.wantChanges("U -R")
				w.wantRoles("U", "H")
			}},
		{name: "of a held and a waiting role the held one is picked",
			given:  "Pick is the heaviest; U in G1→Owner (30), which is protected, and in G2→Viewer (10)",
			when:   "U is deactivated and reactivated; later a PATCH names U in G1",
			then:   "U holds Viewer while Owner waits. Then U holds Owner.",
			reason: "a role that waits gives nothing, so it must not take another one away",
			roles:  scim.Roles{Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.app.Put(scim.Role{ID: "Owner", Name: "Owner", Protected: true, Weight: 30})
				w.role("Viewer", 10)
				w.user("U")
				w.group("G1", "Owner", "U")
				w.must(w.reconciler().Confirm(ctx(), "G1", scim.Role{ID: "Owner"}))
				w.group("G2", "Viewer", "U")
				w.wantRoles("U", "Owner")
				w.deactivate("U")
				w.activate("U")
				w.wantRoles("U", "Viewer")
				w.wantExplain("U", "Owner waiting group:G1", "Viewer granted group:G2")
				w.add("G2", "U")
				w.wantRoles("U", "Viewer")
				w.mark()
				w.add("G1", "U")
				w.wantRoles("U", "Owner")
				w.wantChanges("U +Owner -Viewer = Owner")
			}},
		{name: "S112 who waited behind a role that is deleted",
			given:  "Exclusive; U holds Admin by hand, and Viewer of G waits; V holds Admin by hand and is in no group",
			when:   "Admin is deleted in the application, reported",
			then:   "The report grants Viewer to U.",
			reason: "nothing occupies the place any more",
			roles:  scim.Roles{Exclusive: true},
			run: func(w *world) {
				w.role("Admin")
				w.role("Viewer")
				w.user("U", "V")
				w.byHand("U", "Admin")
				w.byHand("V", "Admin")
				w.group("G", "Viewer", "U")
				w.wantRoles("U", "Admin")
				w.app.Drop("Admin")
				w.mark()
				w.reportChange()
				w.wantRoles("U", "Viewer")
				w.wantRoles("V")
				w.wantChanges("U +Viewer = Viewer")
			}},
	}
}

// withoutRoles runs fn while the tenant has no roles.
func (w *world) withoutRoles(fn func()) {
	w.t.Helper()
	c := w.config()
	c.Roles = nil
	w.h = []*scim.Handler{w.handler(c)}
	fn()
	w.restart()
}

func attributesChange(w *world) {
	w.role("R")
	w.role("S")
	w.post("/Users", "U", with(with(profile("U"), "userType", "R"), "title", "S"))
	w.post("/Users", "V", with(with(profile("V"), "userType", "R"), "active", false))
	w.byHand("V", "R")
	w.wantRoles("U", "R", "S")
	for _, c := range []struct {
		attributes []string
		want       []string
	}{
		{[]string{"title"}, []string{"S"}}, {[]string{"userType", "title"}, []string{"R", "S"}}, {nil, nil}, {[]string{"title"}, []string{"S"}},
	} {
		w.roles.Attributes = c.attributes
		w.restart()
		w.reportChange()
		w.wantRoles("U", c.want...)
		w.wantRoles("V", "R")
		w.mark()
		w.reportChange()
		w.wantChanges()
	}
}
