package scenarios

import (
	"context"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

func ctx() context.Context { return context.Background() }

func renameScenarios() []scenario {
	refuse := scim.Roles{Missing: scim.RefuseGroup}
	return []scenario{
		{name: "S33 renamed to another role's name",
			given:  "G→Viewer with three members; a role Admin that is not protected",
			when:   "the client renames G to Admin",
			then:   "Viewer is revoked and Admin granted for all three, in one change each.",
			reason: "the name is the mapping; both roles would leave stale access",
			run: func(w *world) {
				viewers(w)
				w.role("Admin")
				w.rename("G", "Admin")
				for _, u := range []string{"A", "B", "C"} {
					w.wantRoles(u, "Admin")
					w.wantLedger(u, "Admin group:G")
				}
				w.wantEvents("group updated G", "group unlinked G Viewer", "group linked G Admin",
					"role revoked A Viewer G", "role revoked B Viewer G", "role revoked C Viewer G",
					"role granted A Admin G", "role granted B Admin G", "role granted C Admin G")
				if w.kind != bare { // a bare world revokes it before the write and grants it after the write
					w.wantChanges("A +Admin -Viewer = Admin", "B +Admin -Viewer = Admin", "C +Admin -Viewer = Admin")
				}
			}},
		{name: "S34 renamed to a protected role's name",
			given:  "G→Viewer with three members; a protected role Owner",
			when:   "the client renames G to Owner and PUTs the members; later the application confirms",
			then:   "Viewer is revoked at once. Nobody holds Owner before the confirmation.",
			reason: "whoever can rename a group must not thereby make administrators",
			run: func(w *world) {
				viewers(w)
				w.protectedRole("Owner")
				w.rename("G", "Owner")
				for _, u := range []string{"A", "B", "C"} {
					w.wantRoles(u)
				}
				w.wantLink("G", "Owner unconfirmed")
				w.wantEvents("group updated G", "group unlinked G Viewer", "group waiting G Owner",
					"role revoked A Viewer G", "role revoked B Viewer G", "role revoked C Viewer G")
				w.put("G", "Owner", "A", "B", "C") // naming the members again does not confirm the link
				w.wantRoles("A")
				w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Owner"}))
				w.wantRoles("A", "Owner")
			}},
		{name: "S35 S36 renamed to a name without a role, and back",
			given:  "`Missing` is RefuseGroup; G→Ops with three members",
			when:   "the client renames G to Opps, and later to Ops",
			then:   "The first rename is accepted: G is unlinked, and Ops revoked. The second one grants Ops again.",
			reason: "refusing would leave everybody with the role and block removals",
			roles:  refuse,
			run: func(w *world) {
				w.role("Ops")
				w.user("A", "B", "C")
				w.group("G", "Ops", "A", "B", "C")
				w.mark()
				w.rename("G", "Opps")
				noOps(w)
				w.wantMembers("G", "A", "B", "C")
				w.wantEvents("group updated G", "group unlinked G Ops",
					"role revoked A Ops G", "role revoked B Ops G", "role revoked C Ops G")
				w.rename("G", "Ops")
				w.wantLink("G", "Ops")
				w.wantRoles("A", "Ops")
			}},
		{name: "S35 in a PUT that also drops members",
			given:  "`Missing` is RefuseGroup; G→Ops with three members",
			when:   "one PUT renames G to Opps and lists one member",
			then:   "Accepted: Ops is revoked from all, and G has one member.",
			reason: "the drop is done",
			roles:  refuse,
			run: func(w *world) {
				w.role("Ops")
				w.user("A", "B", "C")
				w.group("G", "Ops", "A", "B", "C")
				w.put("G", "Opps", "A")
				noOps(w)
				w.wantMembers("G", "A")
			}},
		{name: "S37 an unchanged rename again and again",
			given:  "G→Ops with one member",
			when:   "a PATCH sets the displayName Ops before each change of members",
			then:   "The PATCH changes nothing: no event, the same version, no call of ResolveRoles.",
			reason: "clients send one before each membership change",
			run: func(w *world) {
				w.role("Ops")
				w.user("A", "B")
				w.group("G", "Ops", "A")
				was, asked := w.version("G"), w.app.Count("resolve")
				w.mark()
				same := patchBody(map[string]any{"op": "replace", "value": map[string]any{"id": "G", "displayName": "Ops"}})
				w.do("PATCH", "/Groups/G", same)
				w.wantEvents()
				w.diff("version", was, w.version("G"))
				w.add("G", "B")
				w.do("PATCH", "/Groups/G", same)
				w.wantRoles("B", "Ops")
				w.diff("resolutions", asked, w.app.Count("resolve"))
			}},
	}
}

func viewers(w *world) {
	w.t.Helper()
	w.role("Viewer")
	w.user("A", "B", "C")
	w.group("G", "Viewer", "A", "B", "C")
	w.mark()
}

func noOps(w *world) {
	w.t.Helper()
	w.wantLink("G", "")
	for _, u := range []string{"A", "B", "C"} {
		w.wantRoles(u)
		w.wantLedger(u)
	}
}

// leaver is S58: U was in G→R, holds S by hand, and is deactivated.
func leaver(w *world) {
	w.t.Helper()
	w.role("S")
	w.user("U")
	w.byHand("U", "S")
	w.group("G", "R", "U")
	if w.link("G") == "R unconfirmed" {
		w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "R"}))
	}
	w.wantRoles("U", "R", "S")
	w.mark()
	w.deactivate("U")
	w.wantRoles("U", "S")
	w.wantMembers("G", "U")
	w.diff("active", any(false), w.do("GET", "/Users/U", nil).body["active"])
}

func accountScenarios() []scenario {
	return []scenario{
		{name: "S58 S60 deactivated while in a group, and reactivated",
			given:  "U in G→R, holds S by hand",
			when:   "U is deactivated, then reactivated",
			then:   "R is revoked, and U keeps S and stays in `members`. Then R is granted again.",
			reason: "several clients do not send memberships again",
			run: func(w *world) {
				w.role("R")
				leaver(w)
				w.wantLedger("U")
				w.wantEvents("user deactivated U", "role revoked U R G")
				w.mark()
				w.activate("U")
				w.wantRoles("U", "R", "S")
				w.wantEvents("user reactivated U", "role granted U R G")
			}},
		{name: "S59 added to a group while inactive",
			given:  "U is inactive",
			when:   "U is added to G→R",
			then:   "U is a member, and gets nothing.",
			reason: "nothing is wanted for somebody who is not active",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.deactivate("U")
				w.group("G", "R")
				w.mark()
				w.add("G", "U")
				w.wantMembers("G", "U")
				w.wantRoles("U")
				w.wantChanges()
			}},
		{name: "S61 reactivated, the role is protected, named by an add",
			given:  "U was deactivated in G→R, R is protected and confirmed",
			when:   "U is reactivated; then a PATCH adds U to G, where U is already",
			then:   "R waits after the reactivation. The addition grants it.",
			reason: "an old list must not bring an administrator back",
			run:    func(w *world) { w.waitsForName(func() { w.add("G", "U") }) }},
		{name: "S61 reactivated, the role is protected, named by a PUT",
			given:  "as before",
			when:   "U is reactivated; then a PUT of G lists U",
			then:   "R waits after the reactivation. The PUT grants it.",
			reason: "a list with the user in it names the user",
			run:    func(w *world) { w.waitsForName(func() { w.put("G", "R", "U") }) }},
		{name: "S61 reactivated, the role is protected, confirmed",
			given:  "as before",
			when:   "U is reactivated; then the application confirms G, R and U",
			then:   "R waits after the reactivation. The confirmation grants it.",
			reason: "the application may decide",
			run: func(w *world) {
				w.waitsForName(func() { w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "R"}, "U")) })
			}},
		{name: "S61 another member is named",
			given:  "as before",
			when:   "U is reactivated; then a PATCH adds V to G",
			then:   "V holds R. It still waits for U.",
			reason: "only the user who is named comes back",
			run: func(w *world) {
				w.user("V")
				w.protectedRole("R")
				leaver(w)
				w.activate("U")
				w.add("G", "V")
				w.rename("G", "R")
				w.wantRoles("V", "R")
				w.wantRoles("U", "S")
				w.wantLedger("U", "R group:G waiting")
			}},
		{name: "S62 removed from the group while inactive",
			given:  "U was deactivated in G→R",
			when:   "U is removed from G, then reactivated",
			then:   "U does not hold R.",
			reason: "nothing gives the role any more",
			run: func(w *world) {
				w.role("R")
				leaver(w)
				w.remove("G", "U")
				w.activate("U")
				w.wantRoles("U", "S")
				w.wantLedger("U")
			}},
		{name: "S62 removed while inactive, the role is protected",
			given:  "U was deactivated in G→R, R is protected",
			when:   "U is removed from G, then reactivated",
			then:   "The waiting grant is gone, and U does not hold R.",
			reason: "what waits goes with the membership",
			run: func(w *world) {
				w.protectedRole("R")
				leaver(w)
				w.remove("G", "U")
				w.wantLedger("U")
				w.activate("U")
				w.wantRoles("U", "S")
			}},
		{name: "S63 the group is deleted while the user is inactive",
			given:  "U was deactivated in G→R",
			when:   "G is deleted, then U is reactivated",
			then:   "U does not hold R.",
			reason: "nothing gives the role any more",
			run: func(w *world) {
				w.role("R")
				leaver(w)
				w.deleteGroup("G")
				w.activate("U")
				w.wantRoles("U", "S")
				w.wantLedger("U")
			}},
		{name: "S65 active removed, null or absent",
			given:  "one active and one inactive user in G→R",
			when:   "`active` is removed, null, or absent in a PUT",
			then:   "The active one stays active and holds R. The inactive one stays inactive.",
			reason: "absence never changes the state",
			run: func(w *world) {
				w.role("R")
				w.user("on", "off")
				w.group("G", "R", "on", "off")
				w.deactivate("off")
				for _, u := range []string{"on", "off"} {
					w.do("PATCH", "/Users/"+u, patchBody(map[string]any{"op": "remove", "path": "active"}))
					w.do("PUT", "/Users/"+u, profile(u))
					null := profile(u)
					null["active"] = nil
					w.do("PUT", "/Users/"+u, null)
				}
				w.wantRoles("on", "R")
				w.wantRoles("off")
				w.diff("active", any(true), w.do("GET", "/Users/on", nil).body["active"])
				w.diff("active", any(false), w.do("GET", "/Users/off", nil).body["active"])
			}},
		{name: "S66 S67 deleted and provisioned again",
			given:  "U in G→R, holds S by hand",
			when:   "U is deleted; a user with the same userName is POSTed; G is changed with the old id",
			then:   "R and S are revoked, and U is in no `members`. The new user has another id and no role. The old id is an unknown member.",
			reason: "the person left; nothing is inherited by a name",
			run: func(w *world) {
				w.role("R")
				w.role("S")
				w.user("U", "V")
				w.byHand("U", "S")
				w.group("G", "R", "U", "V")
				w.mark()
				w.deleteUser("U")
				w.wantMembers("G", "V")
				w.wantRoles("U")
				w.wantLedger("U")
				w.diff("status", 404, w.send("GET", "/Users/U", nil).status)
				w.wantEvents("user deleted U", "member removed G U", "role revoked U R G", "role revoked U S")
				w.post("/Users", "U'", profile("U"))
				w.wantRoles("U'")
				w.wantMembers("G", "V")
				w.wantRefused(w.send("PATCH", "/Groups/G", patchBody(addOp("U"))), 400, "invalidValue", `"U"`)
				w.put("G", "R", "U") // this removes V, so the server must carry it out
				w.wantMembers("G")
				w.wantRoles("U'")
			}},
		{name: "S70 the userName changes",
			given:  "U in G→R, holds S by hand",
			when:   "a PUT changes the userName to a free one, then to a taken one",
			then:   "U keeps the id, R and S. The second PUT is 409, and nothing changes.",
			reason: "roles hang on the id",
			run: func(w *world) {
				w.role("R")
				w.role("S")
				w.user("U", "V")
				w.byHand("U", "S")
				w.group("G", "R", "U")
				w.mark()
				w.do("PUT", "/Users/U", profile("free"))
				w.wantRoles("U", "R", "S")
				w.wantEvents("user updated U")
				w.wantRefused(w.send("PUT", "/Users/U", profile("V")), 409, "uniqueness")
				w.diff("userName", any("free@example.com"), w.do("GET", "/Users/U", nil).body["userName"])
				w.wantRoles("U", "R", "S")
				w.wantChanges()
				w.wantMembers("G", "U")
			}},
		{name: "S94 a ledger that forgets beside a store that does not",
			given:  "a durable store and a ledger in memory",
			when:   "the handler is built",
			then:   "`New` returns an error.",
			reason: "with a forgotten ledger no role could ever be revoked",
			run: func(w *world) {
				c := w.config()
				c.Roles = &scim.Roles{Resolver: w.app, Ledger: memory.NewLedger()}
				if _, err := scim.New(c); err == nil {
					w.t.Errorf("New accepted it")
				}
			}},
	}
}

// waitsForName is S61: a protected role returns only when name runs.
func (w *world) waitsForName(name func()) {
	w.t.Helper()
	w.protectedRole("R")
	leaver(w)
	w.wantLedger("U", "R group:G waiting")
	w.activate("U")
	w.all()
	w.wantRoles("U", "S")
	w.wantExplain("U", "R waiting group:G", "S by hand")
	name()
	w.wantRoles("U", "R", "S")
	w.wantLedger("U", "R group:G")
}
