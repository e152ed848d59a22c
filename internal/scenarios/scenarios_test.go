package scenarios

import (
	"math"
	"slices"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// scenario is a case of the role rules. Its name begins with the numbers of the cases that
// it covers.
type scenario struct {
	name, reason string
	// given, when and then are the case in one line each, for docs/scenarios.md.
	given, when, then string
	roles             scim.Roles
	run               func(w *world)
	kinds             []string // the kinds of worlds that have the scenario; nil: all
	only              string   // only says why the other kinds do not have it
	servers           bool     // the scenario needs several servers
}

// chapter is a heading of docs/scenarios.md.
type chapter struct {
	title     string
	scenarios []scenario
}

// chapters are all scenarios.
func chapters() []chapter {
	return []chapter{
		{"Several sources", sourceScenarios()},
		{"Several roles of a source, and scopes", scopeScenarios()},
		{"Roles that depend on others", dependentScenarios()},
		{"Roles given by hand", append(handScenarios(), stepScenarios()...)},
		{"What the application reports, and the order of roles", reportScenarios()},
		{"Settings that are switched off and on", switchScenarios()},
		{"Sources that the application distrusts", distrustScenarios()},
		{"The end of SCIM", endScenarios()},
		{"Groups and their roles", linkScenarios()},
		{"Groups that are renamed", renameScenarios()},
		{"Roles that a client's group creates", creationScenarios()},
		{"Roles named by attributes", append(attributeScenarios(), kindScenarios()...)},
		{"People who leave and return", accountScenarios()},
		{"Accounts that are not only the client's", ownAccountScenarios()},
		{"Changes of members", memberScenarios()},
		{"Groups in groups", nestingScenarios()},
		{"What awaits somebody", pendingScenarios()},
		{"Crashes and races", failureScenarios()},
		{"Requests sent again", repeatScenarios()},
		{"Guards", guardScenarios()},
		{"Adoptions that fail", adoptionScenarios()},
	}
}

// TestRoles plays every scenario everywhere. After each one a second reconciliation must
// find nothing to do, and Explain must agree with the held roles (S100).
func TestRoles(t *testing.T) {
	everywhere(t, func(t *testing.T, in setting) {
		n := 0
		for _, c := range chapters() {
			for _, s := range c.scenarios {
				n++
				t.Run(s.name, func(t *testing.T) {
					if in.half > 0 && !long && !s.servers && n%2 != in.half%2 {
						t.Skip("SCIM_LONG is not set: another database plays it")
					}
					s.play(t, in, true)
				})
			}
		}
	})
}

// play runs a scenario in a new world. isSettled: S100 must hold at the end.
func (s *scenario) play(t *testing.T, in setting, isSettled bool) {
	switch {
	case s.kinds != nil && !slices.Contains(s.kinds, in.kind):
		t.Skip(s.only)
	case in.crawls && !s.servers:
		t.Skip("it is slow here under the race detector, and sends one request at a time")
	}
	w := in.world(t, s.roles)
	s.run(w)
	if isSettled {
		w.checkSettled()
	}
	if t.Failed() {
		t.Log("because: " + s.reason)
	}
}

func sourceScenarios() []scenario {
	return []scenario{
		{name: "S1 S2 two groups give the role and let go one after the other",
			given:  "U in G1→R and in G2→R",
			when:   "U is removed from G1, then from G2",
			then:   "U keeps R after the first removal, with the one grant of G2. The second one revokes R.",
			reason: "what is wanted is a union over sources",
			run:    twoGroups},
		{name: "S3 both let go at the same time",
			given:  "U in G1→R and in G2→R",
			when:   "two requests remove U from G1 and from G2 at the same time, again and again",
			then:   "R is revoked each time.",
			reason: "if each request saw the other's membership the role would stay for ever",
			run:    func(w *world) { letGoTogether(w, w.size(1000, 50)) }},
		{name: "S4 moved between groups within one Bulk request",
			given:  "U in G1→R, not in G2→R",
			when:   "one bulk request removes U from G1 and adds U to G2",
			then:   "U holds R, through G2.",
			reason: "each operation is a request of its own",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.group("G1", "R", "U")
				w.group("G2", "R")
				r := w.do("POST", "/Bulk", map[string]any{
					"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"},
					"Operations": []any{
						map[string]any{"method": "PATCH", "path": "/Groups/G1", "data": patchBody(removeOp("U"))},
						map[string]any{"method": "PATCH", "path": "/Groups/G2", "data": patchBody(addOp("U"))},
					}})
				for _, op := range r.body["Operations"].([]any) {
					w.diff("status", any("204"), op.(map[string]any)["status"])
				}
				w.wantRoles("U", "R")
				w.wantLedger("U", "R group:G2")
			}},
		{name: "S7 the heaviest goes",
			given:  "U in G1→Admin (30) and in G2→Viewer (10); Pick is the heaviest",
			when:   "U is removed from G1",
			then:   "One call of ChangeRoles revokes Admin and grants Viewer.",
			reason: "no moment with both or none",
			roles:  scim.Roles{Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.role("Admin", 30)
				w.role("Viewer", 10)
				w.user("U")
				w.group("G1", "Admin", "U")
				w.group("G2", "Viewer", "U")
				w.wantRoles("U", "Admin")
				w.mark()
				w.remove("G1", "U")
				w.wantRoles("U", "Viewer")
				w.wantChanges("U +Viewer -Admin = Viewer")
			}},
		{name: "S7 weights far apart",
			given:  "roles with the smallest and the greatest weights that an int has; Pick is the heaviest",
			when:   "U joins the groups of the lightest, the next and the heaviest role",
			then:   "U holds the heaviest role each time.",
			reason: "every int is a weight",
			roles:  scim.Roles{Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.role("Admin", math.MaxInt)
				w.role("Viewer", -2)
				w.role("Guest", math.MinInt)
				w.user("U")
				for _, role := range []string{"Guest", "Viewer", "Admin"} {
					w.group(role, role, "U")
					w.wantRoles("U", role)
				}
			}},
		{name: "S8 a tie of weights",
			given:  "G1→A (10), G2→B (10); Pick is the heaviest; one user holds B already, a new one holds nothing",
			when:   "both are in both groups, and the groups are pushed again",
			then:   "The first keeps B. The new one gets A, the smaller id. Repetitions and restarts change nothing.",
			reason: "a stable answer keeps repeated pushes from switching the role to and fro",
			roles:  scim.Roles{Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.role("A", 10)
				w.role("B", 10)
				w.user("held", "new")
				w.deactivate("new")
				w.group("G2", "B", "held", "new")
				w.group("G1", "A", "held", "new")
				w.wantRoles("held", "B")
				w.activate("new")
				w.wantRoles("new", "A")
				w.restart()
				w.put("G1", "A", "held", "new")
				w.put("G2", "B", "held", "new")
				w.wantRoles("held", "B")
				w.wantRoles("new", "A")
			}},
		{name: "S9 a weight changes in the application",
			given:  "U in G1→Editor (20) and in G2→Viewer (10), V in G1; Pick is the heaviest",
			when:   "Viewer gets the weight 30, reported",
			then:   "U holds Viewer. V still holds Editor.",
			reason: "weights are part of the mapping",
			roles:  scim.Roles{Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.role("Editor", 20)
				w.role("Viewer", 10)
				w.user("U", "V")
				w.group("G1", "Editor", "U", "V")
				w.group("G2", "Viewer", "U")
				w.role("Viewer", 30)
				w.reportChange()
				w.wantRoles("U", "Viewer")
				w.wantRoles("V", "Editor")
			}},
		{name: "S10 S11 first assigned, the primary leaves and comes back",
			given:  "U joined G1→R1, then G2→R2, then G3→R3",
			when:   "U is removed from G1, then added to G1 again",
			then:   "`Roles` is R2, R3 after the removal, and R2, R3, R1 at the end.",
			reason: "seniority is that of the membership",
			run: func(w *world) {
				for _, n := range []string{"1", "2", "3"} {
					w.role("R" + n)
					w.group("G"+n, "R"+n)
				}
				w.user("U")
				w.add("G1", "U")
				w.add("G2", "U")
				w.mark()
				w.add("G3", "U")
				w.wantChanges("U +R3 = R1 R2 R3")
				w.remove("G1", "U")
				w.wantChanges("U -R1 = R2 R3")
				w.add("G1", "U")
				w.wantChanges("U +R1 = R2 R3 R1")
			}},
		{name: "S12 several teams in one bulk request",
			given:  "U and V in no group",
			when:   "one bulk request adds U to G2→R2 and then to G1→R1; another one POSTs G4→R4 and then G3→R3 with V",
			then:   "`Roles` is in the order of the operations: R2, R1 for U, and R4, R3 for V.",
			reason: "the order must not depend on chance",
			run:    severalTeams},
		{name: "S13 a re-push does not touch seniority",
			given:  "U in G1→R1, then in G2→R2",
			when:   "G2, G1 and the user are PUT as they are",
			then:   "Nothing changes: no event, no call of ChangeRoles, the same versions.",
			reason: "an equal list is no change",
			run: func(w *world) {
				w.role("R1")
				w.role("R2")
				w.user("U")
				w.group("G1", "R1", "U")
				w.group("G2", "R2", "U")
				was := []string{w.version("G1"), w.version("G2")}
				w.mark()
				w.put("G2", "R2", "U")
				w.put("G1", "R1", "U")
				w.do("PUT", "/Users/U", profile("U"))
				w.wantEvents()
				w.wantChanges()
				w.diff("versions", was, []string{w.version("G1"), w.version("G2")})
			}},
	}
}

// severalTeams is S12.
func severalTeams(w *world) {
	for _, n := range []string{"1", "2", "3", "4"} {
		w.role("R" + n)
	}
	w.user("U", "V")
	w.group("G1", "R1")
	w.group("G2", "R2")
	w.mark()
	bulk := func(ops ...map[string]any) {
		w.t.Helper()
		r := w.do("POST", "/Bulk", map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": ops})
		for _, op := range r.body["Operations"].([]any) {
			if status := op.(map[string]any)["status"].(string); status[0] != '2' {
				w.t.Errorf("%v", op)
			}
		}
	}
	bulk(map[string]any{"method": "PATCH", "path": "/Groups/G2", "data": patchBody(addOp("U"))},
		map[string]any{"method": "PATCH", "path": "/Groups/G1", "data": patchBody(addOp("U"))})
	w.wantChanges("U +R2 = R2", "U +R1 = R2 R1")
	bulk(map[string]any{"method": "POST", "path": "/Groups", "bulkId": "a", "data": groupBody("R4", "V")},
		map[string]any{"method": "POST", "path": "/Groups", "bulkId": "b", "data": groupBody("R3", "V")})
	w.wantChanges("V +R4 = R4", "V +R3 = R4 R3")
}

// twoGroups is S1 and S2.
func twoGroups(w *world) {
	w.role("R")
	w.user("U")
	w.group("G1", "R", "U")
	w.group("G2", "R", "U")
	w.wantLedger("U", "R group:G1", "R group:G2")
	w.mark()
	w.remove("G1", "U")
	w.wantRoles("U", "R")
	w.wantLedger("U", "R group:G2")
	w.wantEvents("member removed G1 U")
	w.wantChanges()
	w.remove("G2", "U")
	w.wantRoles("U")
	w.wantLedger("U")
	w.wantEvents("member removed G1 U", "member removed G2 U", "role revoked U R G2")
	w.wantChanges("U -R")
}

// letGoTogether is S3.
func letGoTogether(w *world, times int) {
	w.role("R")
	w.user("U")
	w.group("G1", "R")
	w.group("G2", "R")
	for range times {
		w.add("G1", "U")
		w.add("G2", "U")
		w.wantRoles("U", "R")
		testhost.Parallel(2, func(i int) { w.remove([]string{"G1", "G2"}[i], "U") })
		w.wantRoles("U")
		w.wantLedger("U")
	}
}
