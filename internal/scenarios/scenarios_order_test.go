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
