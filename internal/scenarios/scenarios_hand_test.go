package scenarios

import (
	"strings"

	"github.com/scimkit/scim"
)

func handScenarios() []scenario {
	exclusive := scim.Roles{Exclusive: true}
	return []scenario{
		{name: "S14 by hand only, the group knows nothing",
			given:  "U holds R by hand and is not in G→R",
			when:   "G is PUT, loses a member, and is deleted",
			then:   "U keeps R, and is never listed in `members`.",
			reason: "what groups do not give, groups do not take",
			run: func(w *world) {
				w.role("R")
				w.user("U", "V", "W")
				w.byHand("U", "R")
				w.group("G", "R", "V")
				w.put("G", "R", "V", "W")
				w.wantMembers("G", "V", "W")
				w.wantRoles("U", "R")
				w.remove("G", "W")
				w.wantRoles("U", "R")
				w.wantMembers("G", "V")
				w.deleteGroup("G")
				w.wantRoles("U", "R")
				w.wantRoles("V")
				w.wantLedger("U")
			}},
		{name: "S15 by hand first, then the group",
			given:  "U holds R by hand",
			when:   "U is added to G→R, then removed",
			then:   "After the addition the grant is marked by hand. After the removal there is no grant, and U keeps R.",
			reason: "it was held before the group gave it",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.byHand("U", "R")
				w.group("G", "R")
				w.mark()
				w.add("G", "U")
				w.wantMembers("G", "U")
				w.wantLedger("U", "R group:G by hand")
				w.wantEvents("member added G U")
				w.remove("G", "U")
				w.wantLedger("U")
				w.wantRoles("U", "R")
				w.wantEvents("member added G U", "member removed G U", "role retained U R G")
				w.wantChanges()
			}},
		{name: "S16 group first, then by hand",
			given:  "two users in G→R; both are also given R by hand, but only one of these is reported",
			when:   "G loses both",
			then:   "The reported one keeps R. The other one loses it.",
			reason: "the entry was marked when the application reported it",
			run: func(w *world) {
				w.role("R")
				w.user("told", "untold")
				w.group("G", "R", "told", "untold")
				w.byHand("told", "R")
				w.app.Give("untold", "R")
				w.wantLedger("told", "R group:G by hand")
				w.remove("G", "told", "untold")
				w.wantRoles("told", "R")
				w.wantRoles("untold")
			}},
		{name: "S17 by hand and through the group, the hand-given share is taken back",
			given:  "U holds R by hand and is in G→R",
			when:   "R is taken by hand; U is reconciled, then removed from G",
			then:   "The reconciliation grants R without the mark. The removal revokes it.",
			reason: "the group still says so, and the hand-given share has ended",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.byHand("U", "R")
				w.group("G", "R", "U")
				w.app.Take("U", "R")
				w.mark()
				w.reconcile("U")
				w.wantRoles("U", "R")
				w.wantLedger("U", "R group:G")
				w.wantEvents("role granted U R G")
				w.remove("G", "U")
				w.wantRoles("U")
			}},
		{name: "S18 given by the group only, taken by hand",
			given:  "U in G→R",
			when:   "R is taken by hand",
			then:   "Explain says `due`. The next reconciliation grants R again.",
			reason: "this cannot be told from drift, which is healed",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.group("G", "R", "U")
				w.app.Take("U", "R")
				w.wantExplain("U", "R due group:G")
				w.mark()
				w.reconcile("U")
				w.wantRoles("U", "R")
				w.wantEvents("role granted U R G")
				w.wantExplain("U", "R granted group:G")
			}},
		{name: "S19 S21 a hand-given higher role occupies the place, and goes",
			given:  "Exclusive; U holds Admin by hand",
			when:   "U is added to G→Viewer; then Admin is taken by hand, and U is reconciled",
			then:   "Viewer waits behind Admin. Then U holds Viewer.",
			reason: "the only place must not be overwritten",
			roles:  exclusive,
			run: func(w *world) {
				w.role("Admin", 30)
				w.role("Viewer", 10)
				w.user("U")
				w.byHand("U", "Admin")
				w.group("G", "Viewer")
				w.mark()
				w.add("G", "U")
				w.wantRoles("U", "Admin")
				w.wantLedger("U", "Viewer group:G waiting")
				w.wantEvents("member added G U", "role waiting U Viewer G")
				w.wantExplain("U", "Admin by hand", "Viewer waiting group:G")
				w.wantReason("U", "Viewer", "waiting: the user holds Admin by hand")
				w.app.Take("U", "Admin")
				w.reconcile("U")
				w.wantRoles("U", "Viewer")
				w.wantLedger("U", "Viewer group:G")
			}},
		{name: "S20 a hand-given lower role occupies the place",
			given:  "Exclusive; U holds Viewer by hand",
			when:   "U is added to G→Admin, then removed",
			then:   "Admin waits. U keeps Viewer throughout.",
			reason: "giving less is safer than overwriting",
			roles:  exclusive,
			run: func(w *world) {
				w.role("Admin", 30)
				w.role("Viewer", 10)
				w.user("U")
				w.byHand("U", "Viewer")
				w.group("G", "Admin")
				w.mark()
				w.add("G", "U")
				w.wantRoles("U", "Viewer")
				w.wantEvents("member added G U", "role waiting U Admin G")
				w.wantExplain("U", "Viewer by hand", "Admin waiting group:G")
				w.mark()
				w.remove("G", "U")
				w.wantRoles("U", "Viewer")
				w.wantLedger("U")
				w.wantChanges()
			}},
		{name: "S22 a base role is not hand-given",
			given:  "Exclusive; HeldRoles leaves out the base role, which everybody has",
			when:   "U is added to G→Editor, then removed",
			then:   "U holds Editor, and then only the base role.",
			reason: "a default is what remains when nothing is given",
			roles:  exclusive,
			run: func(w *world) {
				// HeldRoles does not return a default role. The application shows it for
				// users without a role.
				w.role("Editor")
				w.user("U")
				w.group("G", "Editor")
				w.add("G", "U")
				w.wantRoles("U", "Editor")
				w.remove("G", "U")
				w.wantRoles("U")
			}},
		{name: "S23 no fall-back to former roles",
			given:  "Exclusive; U was in G1→Viewer and moved to G2→Editor",
			when:   "U is removed from G2",
			then:   "U holds nothing.",
			reason: "history gives nothing",
			roles:  exclusive,
			run: func(w *world) {
				w.role("Viewer", 10)
				w.role("Editor", 20)
				w.user("U")
				w.group("G1", "Viewer", "U")
				w.group("G2", "Editor")
				w.remove("G1", "U")
				w.add("G2", "U")
				w.wantRoles("U", "Editor")
				w.remove("G2", "U")
				w.wantRoles("U")
			}},
		{name: "S24 users and roles from before SCIM",
			given:  "users who held roles before SCIM, and one who held none",
			when:   "groups with all of them are pushed, and deleted again",
			then:   "Everybody holds what they held before SCIM.",
			reason: "held and not in the ledger at first sight is hand-given",
			run: func(w *world) {
				w.role("R")
				w.role("S")
				for user, role := range map[string]string{"A": "R", "B": "R", "C": "S"} {
					w.app.Give(user, role)
				}
				w.user("A", "B", "C", "D")
				w.group("G1", "R", "A", "B", "D")
				w.group("G2", "S", "A", "C")
				w.wantRoles("A", "R", "S")
				w.deleteGroup("G1")
				w.deleteGroup("G2")
				for user, role := range map[string]string{"A": "R", "B": "R", "C": "S"} {
					w.wantRoles(user, role)
				}
				w.wantRoles("D")
			}},
		{name: "S100 Explain agrees",
			given:  "Exclusive; U holds Admin by hand and is in G→Viewer; V is in G and holds Viewer by hand too; W is in G",
			when:   "Explain is asked, and everybody is reconciled",
			then:   "U: Admin is by hand, Viewer waits. V: Viewer is both. W: Viewer is granted. The reconciliation changes nothing.",
			reason: "a state that cannot be explained cannot be trusted",
			roles:  exclusive,
			run: func(w *world) {
				w.role("Admin")
				w.role("Viewer")
				w.user("U", "V", "W")
				w.byHand("U", "Admin")
				w.byHand("V", "Viewer")
				w.group("G", "Viewer", "U", "V", "W")
				w.wantExplain("U", "Admin by hand", "Viewer waiting group:G")
				w.wantExplain("V", "Viewer both group:G")
				w.wantExplain("W", "Viewer granted group:G")
				w.app.Take("W", "Viewer")
				w.wantExplain("W", "Viewer due group:G")
				w.reconcile("W")
				w.wantExplain("W", "Viewer granted group:G")
				w.mark()
				w.all()
				w.wantChanges()
				w.wantEvents()
			}},
	}
}

// wantReason checks the reason that Explain gives.
func (w *world) wantReason(user, role, reason string) {
	w.t.Helper()
	list, err := w.reconciler().Explain(ctx(), user)
	w.must(err)
	for _, s := range list {
		if s.Role.ID == role && strings.Contains(s.Reason, reason) {
			return
		}
	}
	w.t.Errorf("Explain(%s) does not say %q of %s: %v", user, reason, role, list)
}
