package scenarios

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/rules"
)

// switchScenarios are about settings of a tenant that its administrators change.
func switchScenarios() []scenario {
	return []scenario{
		{name: "S44 the giving of roles is paused, and goes on",
			given:  "U, V, W, X in G→R, Y in G2→S and H holds R by hand; the giving of roles is paused",
			when:   "N and H are added to G, Y to G2 again, U is removed from G, V deactivated, W deleted; the pause ends, reported",
			then:   "While paused N waits, and U, V and W lose R at once. At the end N, X and H hold R, and Y holds S.",
			reason: "off may not freeze a leaver's access",
			run:    pauseAndGoOn},
		{name: "S44 groups that gave roles to more users than a batch are switched off",
			given:  "1,100 users in G→R; a guard of the application",
			when:   "WithoutGroups is set, reported; the report is repeated",
			then:   "The guard sees the whole plan, once. Nobody holds R.",
			reason: "a switch costs no more memory than a batch",
			run:    groupsOffForMany},
		{name: "S44 a pause and a rename",
			given:  "G→A with U; the giving of roles is paused",
			when:   "G is renamed to B; the pause ends, reported",
			then:   "The rename revokes A. B waits until the pause ends.",
			reason: "what the new name gives is given like everything else",
			run: func(w *world) {
				w.role("A")
				w.role("B")
				w.user("U")
				w.group("G", "A", "U")
				w.pause(true)
				w.rename("G", "B")
				w.wantRoles("U")
				w.wantExplain("U", "B waiting group:G")
				w.all()
				w.wantRoles("U")
				w.pause(false)
				w.reportChange()
				w.wantRoles("U", "B")
			}},
		{name: "S44 a pause of protected roles, and of one role per user",
			given:  "one role per user; Owner is protected and confirmed for G; U holds Viewer by hand; the giving of roles is paused",
			when:   "U is added to G; the pause ends, reported; Viewer is taken by hand",
			then:   "Owner waits for the end of the pause, then for the place. At the end U holds Owner.",
			reason: "the reasons to wait follow one another",
			roles:  scim.Roles{Exclusive: true},
			run: func(w *world) {
				w.protectedRole("Owner")
				w.role("Viewer")
				w.user("U")
				w.group("G", "Owner")
				w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Owner"}))
				w.byHand("U", "Viewer")
				w.pause(true)
				w.add("G", "U")
				w.wantExplain("U", "Owner waiting group:G", "Viewer by hand")
				w.pause(false)
				w.reportChange()
				w.wantRoles("U", "Viewer")
				w.app.Take("U", "Viewer")
				w.reportChange()
				w.wantRoles("U", "Owner")
			}},
		{name: "S44 group roles off and on",
			given:  "U in G→R and with the value S of roles, V in G; W's roles of groups are by hand",
			when:   "groups give no roles any more, reported; V is removed from G, X added; G is renamed; groups give roles again, reported",
			then:   "The first report revokes R from U and V. The second one gives U and X the role of the new name.",
			reason: "a setting that is switched off must not leave access behind",
			roles:  scim.Roles{Attributes: []string{"roles"}},
			run:    groupRolesOffAndOn},
		{name: "S44 group sync off and on",
			given:  "U in G→R, and V holds R by hand",
			when:   "the tenant has no groups any more, reported; a client lists and creates groups; the tenant has groups again, reported",
			then:   "The first report revokes R. /Groups is an empty list, and a write is 501. The second report gives U the role again.",
			reason: "groups that clients can no longer change must not go on giving roles",
			run:    groupSyncOffAndOn},
		{name: "S44 import off",
			given:  "the rule Off(CreateUsers); U in G→R",
			when:   "a client creates a user, updates U, deactivates U",
			then:   "403 for the new user. Everything else is done.",
			reason: "only new people are stopped",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.group("G", "R", "U")
				w.ruled(rules.Off(rules.CreateUsers))
				w.wantRefused(w.send("POST", "/Users", profile("N")), http.StatusForbidden, "", "create users")
				w.do("PUT", "/Users/U", with(profile("U"), "title", "Dr."))
				w.deactivate("U")
				w.wantRoles("U")
				w.ruled()
				w.user("N")
				w.activate("U")
				w.wantRoles("U", "R")
			}},
		{name: "S44 a report in steps",
			given:  "250 groups, each with one role, and one user with 3 values; all roles have new ids",
			when:   "the application reports step by step, and begins a new process after each step",
			then:   "All users hold the new roles. Each step but the last names the place where the next one begins.",
			reason: "a large tenant must not need a process that lives long",
			roles:  scim.Roles{Attributes: []string{"roles"}},
			run:    reportInSteps},
		{name: "S44 a report about one group",
			given:  "U in G→A, V in G2→A; the resolver maps both groups to B",
			when:   "the application reports G",
			then:   "U holds B. V still holds A.",
			reason: "an administrator maps one group after the other",
			run: func(w *world) {
				w.role("A")
				w.role("B")
				w.user("U", "V")
				w.group("G", "A", "U")
				w.group("G2", "A", "V")
				w.app.Resolve = func(scim.RoleSource) ([]scim.Role, error) { return []scim.Role{{ID: "B", Name: "B"}}, nil }
				w.must(w.reconciler().GroupRolesChanged(ctx(), "G"))
				w.wantRoles("U", "B")
				w.wantRoles("V", "A")
				w.diff("error about an unknown group", true, errors.Is(w.reconciler().GroupRolesChanged(ctx(), "none"), scim.ErrNotFound))
				w.reportChange()
			}},
		{name: "S44 a role moves to another group in a report",
			given:  "U in G→R and in H, which gives nothing",
			when:   "the resolver gives R to H in the place of G, reported",
			then:   "U holds R all the time.",
			reason: "a report that goes group by group would take R, and give it back",
			kinds:  []string{joint, separate}, only: "the ledger keeps no notes, so a report goes group by group",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.group("G", "R", "U")
				w.group("H", "H", "U")
				w.app.Resolve = func(src scim.RoleSource) ([]scim.Role, error) {
					if src.Group.ID() == "H" {
						return []scim.Role{{ID: "R", Name: "R"}}, nil
					}
					return nil, scim.ErrNoRole
				}
				w.mark()
				w.reportChange()
				w.wantRoles("U", "R")
				w.wantLedger("U", "R group:H")
				w.wantChanges()
			}},
		{name: "S44 a report that fails, repeated",
			given:  "U in G→A, V in H→B",
			when:   "all roles have new ids; the application reports, and ChangeRoles fails; it reports again",
			then:   "The first report returns an error. The second one completes it.",
			reason: "links that are stored without their roles must not be forgotten",
			run: func(w *world) {
				for _, name := range []string{"A", "B"} {
					w.role(name)
				}
				w.user("U", "V")
				w.group("G", "A", "U")
				w.group("H", "B", "V")
				for _, name := range []string{"A", "B"} {
					w.app.Drop(name)
					w.app.Put(scim.Role{ID: "new " + name, Name: name})
				}
				usual := w.app.Fail
				w.app.Fail = func(op string) error {
					if op == "change" {
						return errors.New("down")
					}
					return nil
				}
				if err := w.reconciler().RolesChanged(ctx()); err == nil {
					w.t.Errorf("a report that could not change roles returns no error")
				}
				w.app.Fail = usual
				w.restart()
				w.reportChange()
				w.wantLedger("U", "new A group:G")
				w.wantLedger("V", "new B group:H")
				w.wantNothingUnfinished()
			}},
		{name: "S44 one user's roles cannot be changed in a report",
			given:  "more users than two batches in G→A, V in H→B; the roles of the first user of G cannot be changed",
			when:   "all roles have new ids; the application reports, again and again; then the user's roles can be changed, reported",
			then:   "The report is an error that names the user, who is unfinished. All others hold the new roles. Then the user does.",
			reason: "one user must not keep all others from their roles",
			run: func(w *world) {
				x, last := w.beforeOneFails()
				for _, name := range []string{"A", "B"} {
					w.app.Drop(name)
					w.app.Put(scim.Role{ID: "new " + name, Name: name})
				}
				w.reportAllButOne(x, func() {
					w.wantLedger(last, "new A group:G")
					w.wantLedger("V", "new B group:H")
				})
				w.wantLedger(x, "new A group:G")
			}},
		{name: "S44 one user's roles cannot be changed when groups are switched off",
			given:  "as before",
			when:   "groups give no roles any more, and the application reports as before",
			then:   "As before, but users lose their roles.",
			reason: "one user must not keep all others from losing their roles",
			run: func(w *world) {
				x, last := w.beforeOneFails()
				w.roles.WithoutGroups = true
				w.restart()
				w.reportAllButOne(x, func() {
					w.wantRoles(last)
					w.wantRoles("V")
				})
				w.wantRoles(x)
				w.roles.WithoutGroups = false
				w.restart()
				w.reportChange()
			}},
		{name: "S44 one user's roles cannot be changed when a pause ends",
			given:  "as before, but the giving of roles is paused, and nobody holds a role",
			when:   "the pause ends, and the application reports as before",
			then:   "As before, but users get their roles.",
			reason: "one user must not keep all others from their roles",
			run: func(w *world) {
				w.pause(true)
				x, last := w.beforeOneFails()
				w.wantRoles(last)
				w.pause(false)
				w.reportAllButOne(x, func() {
					w.wantRoles(last, "A")
					w.wantRoles("V", "B")
				})
				w.wantRoles(x, "A")
			}},
		{name: "S44 a report ends half-way",
			given:  "U in G→A, V with the value S of roles",
			when:   "all roles have new ids; the process ends when the report has looked at all groups and values; the application calls Settle",
			then:   "What is left is in the list of unfinished changes. Settle completes it.",
			reason: "links that are stored without their roles must not be forgotten",
			roles:  scim.Roles{Attributes: []string{"roles"}},
			kinds:  []string{joint, separate}, only: "the ledger keeps no notes, so a report goes group by group",
			run: func(w *world) {
				w.role("A")
				w.role("S")
				w.user("U")
				w.userNamed("V", "S")
				w.group("G", "A", "U")
				for _, name := range []string{"A", "S"} {
					w.app.Drop(name)
					w.app.Put(scim.Role{ID: "new " + name, Name: name})
				}
				after := ""
				for !strings.HasPrefix(after, "left") {
					next, err := w.reconciler().RolesChangedFrom(ctx(), after)
					w.must(err)
					after = next
				}
				w.diff("link", "new A", w.link("G"))
				w.restart()
				w.wantPending("unfinished", "unfinished G")
				w.must(w.reconciler().Settle(ctx()))
				w.wantPending()
				w.wantLedger("U", "new A group:G")
				w.wantLedger("V", "new S attr:roles")
			}},
	}
}

// beforeOneFails puts more users than a batch into G→A, and V into H→B. It returns the first and
// the last of the users in G.
func (w *world) beforeOneFails() (x, last string) {
	w.t.Helper()
	w.role("A")
	w.role("B")
	all := w.many(w.size(2100, 40))
	w.group("G", "A", all...)
	w.user("V")
	w.group("H", "B", "V")
	return all[0], all[len(all)-1]
}

// reportAllButOne reports changes twice while the roles of x cannot be changed, and checks what
// others hold then. At last x's roles can be changed.
func (w *world) reportAllButOne(x string, check func()) {
	w.t.Helper()
	was := w.app.Of(x)
	repair := w.unchangeable(x)
	for range 2 {
		w.wantLeftOut(w.reconciler().RolesChanged(ctx()), x)
		w.diff("roles of "+x, was, w.app.Of(x))
		check()
		w.restart()
	}
	repair()
	w.reportChange()
	check()
	w.wantNothingUnfinished()
}

// pause sets Roles.Paused.
func (w *world) pause(on bool) {
	w.t.Helper()
	w.roles.Paused = on
	w.restart()
}

// pauseAndGoOn is S44.
func pauseAndGoOn(w *world) {
	w.role("R")
	w.role("S")
	w.user("U", "V", "W", "X", "Y", "N", "H")
	w.group("G", "R", "U", "V", "W", "X")
	w.group("G2", "S", "Y")
	w.byHand("H", "R")
	w.pause(true)
	w.reportChange()
	for _, u := range []string{"U", "V", "W", "X"} {
		w.wantRoles(u, "R")
		w.wantExplain(u, "R granted group:G")
	}
	w.mark()
	w.add("G", "N", "H")
	w.add("G2", "Y")
	w.wantChanges()
	w.wantEvents("member added G N", "member added G H", "role waiting N R G", "role waiting H R G")
	w.wantExplain("N", "R waiting group:G")
	w.wantExplain("H", "R waiting group:G", "R by hand")
	w.wantReason("H", "R", "given in the application, and not held because of a source")
	w.remove("G", "U")
	w.deactivate("V")
	w.deleteUser("W")
	for _, u := range []string{"U", "V", "W", "N"} {
		w.wantRoles(u)
	}
	w.wantRoles("X", "R")
	w.wantRoles("Y", "S")
	w.activate("V")
	w.remove("G", "V")
	w.wantExplain("V")
	w.all()
	w.wantRoles("N")
	w.pause(false)
	w.reportChange()
	w.wantRoles("N", "R")
	w.wantRoles("X", "R")
	w.wantRoles("U")
	w.wantRoles("V")
	w.wantExplain("H", "R both group:G")
	w.mark()
	w.reportChange()
	w.wantChanges()
}

// groupRolesOffAndOn switches Roles.WithoutGroups.
func groupRolesOffAndOn(w *world) {
	w.role("R")
	w.role("S")
	w.role("T")
	w.userNamed("U", "S")
	w.user("V", "W", "X")
	w.byHand("W", "R")
	w.group("G", "R", "U", "V", "W")
	w.roles.WithoutGroups = true
	w.restart()
	w.wantExplain("U", "R leaving", "S granted attr:roles")
	w.reportChange()
	w.wantRoles("U", "S")
	w.wantRoles("V")
	w.wantRoles("W", "R")
	w.wantLedger("W")
	w.mark()
	w.reportChange()
	w.wantChanges()
	w.remove("G", "V")
	w.add("G", "X")
	w.rename("G", "T")
	w.group("G2", "R", "V")
	w.wantChanges()
	w.all()
	w.wantChanges()
	w.roles.WithoutGroups = false
	w.restart()
	w.reportChange()
	w.wantRoles("U", "S", "T")
	w.wantRoles("X", "T")
	w.wantRoles("V", "R")
	w.wantRoles("W", "R", "T")
}

// groupSyncOffAndOn takes the type Group from the tenant.
func groupSyncOffAndOn(w *world) {
	w.role("R")
	w.user("U", "V")
	w.byHand("V", "R")
	w.group("G", "R", "U", "V")
	w.types, w.roles.WithoutGroups = []*scim.ResourceType{scim.UserType()}, true
	w.restart()
	w.reportChange()
	w.wantRoles("U")
	w.wantRoles("V", "R")
	w.diff("groups", any(0.0), w.do("GET", "/Groups", nil).body["totalResults"])
	w.diff("status of a new group", http.StatusNotImplemented, w.send("POST", "/Groups", groupBody("R", "U")).status)
	w.diff("status of a removal", http.StatusNotImplemented, w.send("PATCH", "/Groups/G", patchBody(removeOp("U"))).status)
	w.deactivate("U")
	w.activate("U")
	w.all()
	w.wantRoles("U")
	w.wantExplain("U")
	w.types, w.roles.WithoutGroups = nil, false
	w.restart()
	w.reportChange()
	w.wantRoles("U", "R")
	w.wantExplain("V", "R both group:G")
}

// reportInSteps calls RolesChangedFrom.
func reportInSteps(w *world) {
	groups := w.size(250, 120)
	name := func(i int) string { return "R" + string(rune('a'+i/26)) + string(rune('a'+i%26)) }
	values := []string{name(0), name(1), name(2)}
	for i := range groups {
		w.role(name(i))
	}
	w.user("U")
	w.userNamed("V", values...)
	for i := range groups {
		w.group(name(i), name(i), "U")
	}
	for i := range groups {
		w.app.Drop(name(i))
		w.app.Put(scim.Role{ID: "new " + name(i), Name: name(i)})
	}
	steps := 0
	for after := ""; ; {
		next, err := w.reconciler().RolesChangedFrom(ctx(), after)
		w.must(err)
		if steps++; next == "" || steps > 20 {
			break
		}
		w.restart()
		after = next
	}
	if steps < 5 || steps > 20 {
		w.t.Errorf("%d steps, want some more than the parts of a report", steps)
	}
	w.wantRoles("V", values...)
	w.diff("number of roles", groups, len(w.app.Of("U")))
	if _, err := w.reconciler().RolesChangedFrom(ctx(), "nonsense"); err == nil {
		w.t.Errorf("a text that no step returned is accepted")
	}
}

func groupsOffForMany(w *world) {
	w.role("R")
	all := w.many(1100)
	w.group("G", "R", all...)
	var plans []int
	w.roles.Guard = func(_ context.Context, p *scim.RolePlan) error {
		plans = append(plans, p.Users)
		return nil
	}
	w.roles.WithoutGroups = true
	w.restart()
	w.reportChange()
	w.diff("holders", 0, len(w.app.Holders("R")))
	w.reportChange()
	w.diff("users of the plans", []int{len(all)}, plans)
}
