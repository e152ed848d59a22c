package scenarios

import (
	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

func lastHolderScenarios() []scenario {
	keep := scim.Roles{KeepLastHolder: true}
	return []scenario{
		{name: "S95 the last holder of a protected role leaves the group",
			given:  "KeepLastHolder; U is the only holder of the protected role Admin, through G",
			when:   "U is removed from G; then V is added to G",
			then:   "The removal succeeds, and U keeps Admin: retained. When V has it, U loses it.",
			reason: "neither a lock-out nor a client that fails for ever",
			roles:  keep, run: lastHolder},
		{name: "S95 all holders leave the group in one request",
			given:  "KeepLastHolder; U, V and W hold Admin through G",
			when:   "G is PUT without members; then W is given Admin by hand",
			then:   "U, the first in order of id, keeps Admin. W's Admin by hand releases it.",
			reason: "one holder is enough to get back in",
			roles:  keep,
			run: func(w *world) {
				w.user("U", "V", "W")
				w.admins("G", "Admin", "U", "V", "W")
				w.put("G", "Admin")
				w.wantRoles("U", "Admin")
				w.wantRoles("V")
				w.wantRoles("W")
				w.byHand("W", "Admin")
				w.wantRoles("U")
				w.wantRoles("W", "Admin")
			}},
		{name: "S95 more holders than a batch leave in one request",
			given:  "KeepLastHolder; 2,500 users hold Admin through G",
			when:   "G is emptied; they are all put into it again; G is deleted",
			then:   "Exactly one keeps Admin each time.",
			reason: "what the first batch leaves to the second one counts",
			roles:  keep,
			run: func(w *world) {
				all := w.many(w.size(2500, 1100))
				w.admins("G", "Admin", all...)
				w.put("G", "Admin")
				w.diff("holders", 1, len(w.app.Holders("Admin")))
				w.put("G", "Admin", all...)
				w.diff("holders", len(all), len(w.app.Holders("Admin")))
				w.deleteGroup("G")
				last := w.app.Holders("Admin")
				w.diff("holders", 1, len(last))
				w.wantExplain(last[0], "Admin retained group:G")
			}},
		{name: "S95 the successor is named in the same request",
			given:  "KeepLastHolder; U holds Admin through G",
			when:   "G is PUT with V as its only member",
			then:   "V holds Admin, and U does not.",
			reason: "there is an active holder at every moment",
			roles:  keep,
			run: func(w *world) {
				w.user("U", "V")
				w.admins("G", "Admin", "U")
				w.put("G", "Admin", "V")
				w.wantRoles("U")
				w.wantRoles("V", "Admin")
			}},
		{name: "S95 who counts as another holder",
			given:  "KeepLastHolder; U holds Admin through G, V by hand, and V is inactive; an account that SCIM does not know holds Admin",
			when:   "that account loses Admin and V comes back, each followed by a removal of U from G",
			then:   "U loses Admin each time, but not while only V, inactive, holds it too.",
			reason: "an inactive holder cannot get in; the application looks after an account that is not SCIM's",
			roles:  keep,
			run: func(w *world) {
				w.user("U", "V")
				w.admins("G", "Admin", "U")
				w.byHand("V", "Admin")
				w.deactivate("V")
				w.app.Give("unknown", "Admin")
				w.remove("G", "U")
				w.wantRoles("U")
				w.add("G", "U")
				w.app.Take("unknown", "Admin")
				w.remove("G", "U")
				w.wantRoles("U", "Admin")
				w.wantLedger("U", "Admin group:G retained")
				w.activate("V")
				w.reconcile("U")
				w.wantRoles("U")
			}},
		{name: "S95 another holder comes back",
			given:  "KeepLastHolder; U holds Admin through G; V, who is not active, is given Admin by hand; U is removed from G",
			when:   "V is activated",
			then:   "U loses Admin at once.",
			reason: "an active holder is there again",
			roles:  keep,
			run: func(w *world) {
				w.user("U", "V")
				w.admins("G", "Admin", "U")
				w.deactivate("V")
				w.byHand("V", "Admin")
				w.remove("G", "U")
				w.wantRoles("U", "Admin")
				w.wantNotes("retained", 1)
				w.activate("V")
				w.wantRoles("U")
				w.wantRoles("V", "Admin")
				w.wantNotes("retained", 0)
			}},
		{name: "S95 the group of the last holder is deleted or renamed",
			given:  "KeepLastHolder; U holds Admin through G1, and V holds Owner, protected too, through G2",
			when:   "G1 is deleted, and G2 is renamed to a name without a role; then a new group gives both roles to W",
			then:   "Each keeps the role, still SCIM's, until W has it.",
			reason: "the end of a source is no other end than that of a membership",
			roles:  keep,
			run: func(w *world) {
				w.user("U", "V", "W")
				w.admins("G1", "Admin", "U")
				w.admins("G2", "Owner", "V")
				w.deleteGroup("G1")
				w.rename("G2", "Nothing")
				w.wantRoles("U", "Admin")
				w.wantLedger("U", "Admin group:G1 retained")
				w.wantRoles("V", "Owner")
				w.all()
				w.admins("G3", "Admin", "W")
				w.admins("G4", "Owner", "W")
				w.wantRoles("U")
				w.wantRoles("V")
				w.wantRoles("W", "Admin", "Owner")
			}},
		{name: "S95 another role waits for the last holder's",
			given:  "KeepLastHolder, Exclusive; U holds Admin through G1",
			when:   "U is moved to G2→Viewer; then V is added to G1",
			then:   "U keeps Admin, and Viewer waits. When V holds Admin, U holds Viewer.",
			reason: "the scope has one place",
			roles:  scim.Roles{KeepLastHolder: true, Exclusive: true},
			run: func(w *world) {
				w.role("Viewer", 10)
				w.user("U", "V")
				w.admins("G1", "Admin", "U")
				w.group("G2", "Viewer")
				w.remove("G1", "U")
				w.add("G2", "U")
				w.wantRoles("U", "Admin")
				w.wantLedger("U", "Admin group:G1 retained", "Viewer group:G2 waiting")
				w.add("G1", "V")
				w.wantRoles("U", "Viewer")
			}},
		{name: "S95 who keeps one role cannot take another one",
			given:  "KeepLastHolder, Exclusive; A holds Owner through G1, and B, after A in order of id, the lighter Admin through G2",
			when:   "G1 is PUT with B as its only member",
			then:   "B keeps Admin, and Owner waits. So A keeps Owner.",
			reason: "what B would get counts only if B gets it",
			roles:  scim.Roles{KeepLastHolder: true, Exclusive: true},
			run: func(w *world) {
				w.user("A", "B")
				w.admins("G1", "Owner", "A")
				w.admins("G2", "Admin", "B")
				w.app.Put(scim.Role{ID: "Owner", Name: "Owner", Weight: 40, Protected: true})
				w.reportChange()
				w.put("G1", "Owner", "B")
				w.wantRoles("A", "Owner")
				w.wantRoles("B", "Admin")
				w.wantLedger("A", "Owner group:G1 retained")
				w.wantLedger("B", "Admin group:G2 retained", "Owner group:G1 waiting")
			}},
		{name: "S95 the application confirmed the last holder by name",
			given:  "KeepLastHolder, Exclusive, Pick is the heaviest; G→Owner, protected, confirmed for U alone; U is its only holder",
			when:   "U is added to H→Boss, which is heavier; V gets Owner by hand; U leaves H",
			then:   "U keeps Owner until V has it, then holds Boss, and Owner again.",
			reason: "the decision is about U in G, and U is in G all the time",
			roles:  scim.Roles{KeepLastHolder: true, Exclusive: true, Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.app.Put(scim.Role{ID: "Owner", Name: "Owner", Weight: 10, Protected: true})
				w.role("Boss", 20)
				w.user("U", "V")
				w.group("G", "Owner", "U")
				w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Owner"}, "U"))
				w.wantRoles("U", "Owner")
				w.group("H", "Boss", "U")
				w.wantRoles("U", "Owner")
				w.byHand("V", "Owner")
				w.wantRoles("U", "Boss")
				w.remove("H", "U")
				w.wantRoles("U", "Owner")
			}},
		{name: "S95 the application confirms the last holder by name",
			given:  "KeepLastHolder; G→Admin, confirmed; U in G; a client renames G, so U's Admin is retained, and names it Admin again",
			when:   "the application confirms U alone",
			then:   "G gives Admin to U, also after the next report. U leaves G: Admin is retained.",
			reason: "the decision about U is newer than the link",
			roles:  keep,
			run: func(w *world) {
				w.user("U")
				w.admins("G", "Admin", "U")
				w.put("G", "Other", "U")
				w.put("G", "Admin", "U")
				w.wantLedger("U", "Admin group:G retained")
				w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Admin"}, "U"))
				w.wantExplain("U", "Admin granted group:G")
				w.reconcile("U")
				w.wantExplain("U", "Admin granted group:G")
				w.reportChange()
				w.wantExplain("U", "Admin granted group:G")
				w.remove("G", "U")
				w.wantLedger("U", "Admin group:G retained")
			}},
		{name: "S95 two last holders leave in one bulk request",
			given:  "KeepLastHolder; U holds Admin through G1, V through G2",
			when:   "one bulk request removes U from G1 and V from G2",
			then:   "V keeps Admin. A preview says so.",
			reason: "each operation is a request of its own",
			roles:  keep,
			run: func(w *world) {
				w.user("U", "V")
				w.admins("G1", "Admin", "U")
				w.admins("G2", "Admin", "V")
				w.do("POST", "/Bulk", map[string]any{
					"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"},
					"Operations": []any{
						map[string]any{"method": "PATCH", "path": "/Groups/G1", "data": patchBody(removeOp("U"))},
						map[string]any{"method": "PATCH", "path": "/Groups/G2", "data": patchBody(removeOp("V"))},
					}})
				w.wantRoles("U")
				w.wantRoles("V", "Admin")
			}},
		{name: "S95 a distrusted group gave the role of the last holder",
			given:  "KeepLastHolder, Pick heaviest; G→Admin, confirmed for U alone; U in G; Distrust(keep) of G",
			when:   "U joins H→Root, which is heavier; V gets Admin by hand; U leaves H; Trust(G)",
			then:   "Admin is retained, and then waits for trust. With it U has Admin again.",
			reason: "what was decided about U outlives the time in which the guard keeps the role",
			roles:  scim.Roles{KeepLastHolder: true, Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.user("U", "V")
				w.role("Root", 50)
				w.app.Put(scim.Role{ID: "Admin", Name: "Admin", Weight: 30, Protected: true})
				w.group("G", "Admin", "U")
				w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Admin"}, "U"))
				w.must(w.reconciler().Distrust(ctx(), scim.DistrustKeep, "G"))
				w.group("H", "Root", "U")
				w.wantRoles("U", "Admin", "Root")
				w.reconcile("U")
				w.byHand("V", "Admin")
				w.reconcile("U", "V")
				w.wantRoles("U", "Root")
				w.wantLedger("U", "Admin group:G waiting", "Root group:H")
				w.remove("H", "U")
				w.wantRoles("U")
				w.must(w.reconciler().Trust(ctx(), "G"))
				w.wantRoles("U", "Admin")
			}},
		{name: "S95 two last holders exchange their roles",
			given:  "KeepLastHolder, Exclusive, Pick heaviest; U and V in G→Admin; both join H→Owner, which is heavier: V has it, and U's Admin is retained",
			when:   "V leaves H",
			then:   "V has Admin, and U has Owner.",
			reason: "alone neither of them can let go of a role, together both can",
			roles:  scim.Roles{KeepLastHolder: true, Exclusive: true, Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.user("U", "V")
				w.admins("G", "Admin", "U", "V")
				w.app.Put(scim.Role{ID: "Owner", Name: "Owner", Weight: 50, Protected: true})
				w.group("H", "Owner", "U", "V")
				w.must(w.reconciler().Confirm(ctx(), "H", scim.Role{ID: "Owner"}))
				w.wantRoles("U", "Admin")
				w.wantRoles("V", "Owner")
				w.remove("H", "V")
				w.wantRoles("U", "Owner")
				w.wantRoles("V", "Admin")
				w.mark()
				w.reconcile("U", "V")
				w.wantChanges()
			}},
		{name: "S95 a retained role is given again",
			given:  "KeepLastHolder; U's Admin is retained",
			when:   "U is added to G again, V is added, U is removed",
			then:   "Admin is given to U as before, and then revoked.",
			reason: "a source gives it again",
			roles:  keep,
			run: func(w *world) {
				w.user("U", "V")
				w.admins("G", "Admin", "U")
				w.remove("G", "U")
				w.add("G", "U")
				w.wantLedger("U", "Admin group:G")
				w.add("G", "V")
				w.wantRoles("U", "Admin")
				w.remove("G", "U")
				w.wantRoles("U")
			}},
		{name: "S95 a retained role is no longer protected",
			given:  "KeepLastHolder; U's Admin and V's Owner are retained",
			when:   "Admin is not protected any more, reported; KeepLastHolder is switched off, reported",
			then:   "The first report revokes Admin, and the second one Owner.",
			reason: "a guard that is switched off must not leave access behind",
			roles:  keep,
			run: func(w *world) {
				w.user("U", "V")
				w.admins("G1", "Admin", "U")
				w.admins("G2", "Owner", "V")
				w.remove("G1", "U")
				w.remove("G2", "V")
				w.role("Admin")
				w.reportChange()
				w.wantRoles("U")
				w.wantRoles("V", "Owner")
				w.roles.KeepLastHolder = false
				w.restart()
				w.reportChange()
				w.wantRoles("V")
			}},
		{name: "S95 a role that two sources gave is retained",
			given:  "KeepLastHolder, nesting; U is in C, which is in P1 and P2, both →Admin",
			when:   "U is removed from C; the application confirms one of the two pending matters; V gets Admin by hand",
			then:   "U keeps Admin, which is now given by hand.",
			reason: "who decides about the role decides about all of it",
			roles:  keep,
			run: func(w *world) {
				w.policy.Nested = true
				w.restart()
				w.user("U", "V")
				w.group("C", "C", "U")
				w.admins("P1", "Admin", "Group C")
				w.group("P2", "Admin", "Group C")
				w.must(w.reconciler().Confirm(ctx(), "P2", scim.Role{ID: "Admin"}))
				w.remove("C", "U")
				w.wantLedger("U", "Admin group:P1 retained", "Admin group:P2 retained")
				w.must(w.reconciler().ConfirmPending(ctx(), w.pending(100)[0].Key))
				w.byHand("V", "Admin")
				w.wantRoles("U", "Admin")
				w.wantLedger("U")
			}},
		{name: "S95 two last holders leave at the same time",
			given:  "KeepLastHolder; U holds Admin through G1, V through G2",
			when:   "both are removed at the same time, again and again",
			then:   "Exactly one of them keeps Admin each time.",
			reason: "each request must see the other's decision",
			roles:  keep, servers: true, run: lastHoldersLeave},
		{name: "S96 the last holder is deactivated or deleted",
			given:  "KeepLastHolder; U is the only holder of Admin, through G",
			when:   "U is deactivated; in another world U is deleted",
			then:   "Admin is revoked at once, and the event \"role unheld\" reports it.",
			reason: "a leaver's access ends, whatever the role",
			roles:  keep,
			run: func(w *world) {
				w.user("U", "V")
				w.admins("G1", "Admin", "U")
				w.admins("G2", "Owner", "V")
				w.mark()
				w.deactivate("U")
				w.wantRoles("U")
				w.wantEvents("user deactivated U", "role waiting U Admin G1", "role revoked U Admin G1", "role unheld U Admin")
				w.mark()
				w.deleteUser("V")
				w.wantRoles("V")
				w.wantEvents("user deleted V", "role revoked V Owner G2", "role unheld V Owner", "member removed G2 V")
			}},
	}
}

// lastHolder is S95.
func lastHolder(w *world) {
	w.user("U", "V")
	w.admins("G", "Admin", "U")
	w.mark()
	w.remove("G", "U")
	w.wantMembers("G")
	w.wantRoles("U", "Admin")
	w.wantLedger("U", "Admin group:G retained")
	w.wantExplain("U", "Admin retained group:G")
	w.wantEvents("member removed G U", "role retained U Admin G")
	w.wantChanges()
	w.mark()
	w.put("G", "Admin")
	w.reconcile("U")
	w.wantEvents()
	w.add("G", "V")
	w.wantRoles("U")
	w.wantRoles("V", "Admin")
	w.wantLedger("U")
	w.wantEvents("member added G V", "role granted V Admin G", "role revoked U Admin G")
}

// parallel makes two servers, or one if the store cannot lock a tenant: decisions of a tenant
// are then made in one process.
func (w *world) parallel() {
	w.t.Helper()
	if w.kind == bare {
		w.restart()
		return
	}
	w.servers(2)
}

// lastHoldersLeave is S95 with two requests at the same time.
func lastHoldersLeave(w *world) {
	w.parallel()
	w.user("U", "V")
	w.admins("G1", "Admin", "U")
	w.admins("G2", "Admin", "V")
	for range w.size(200, 20) {
		w.add("G1", "U")
		w.add("G2", "V")
		w.reconcile("U", "V")
		testhost.Parallel(2, func(i int) { w.remove([]string{"G1", "G2"}[i], []string{"U", "V"}[i]) })
		if n := len(w.app.Holders("Admin")); n != 1 {
			w.t.Fatalf("%d users hold the role, want 1", n)
		}
	}
}
