package scenarios

import (
	"math"
	"slices"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// scenario is a case of the role rules. Its number is the first word of its name.
type scenario struct {
	name, reason string
	roles        scim.Roles
	run          func(w *world)
	kinds        []string // nil: all
	servers      bool     // the scenario needs several servers
}

// TestRoles plays every scenario everywhere. After each one a second reconciliation must
// find nothing to do, and Explain must agree with the held roles (S100).
func TestRoles(t *testing.T) {
	all := slices.Concat(sourceScenarios(), handScenarios(), linkScenarios(), renameScenarios(),
		accountScenarios(), memberScenarios(), attributeScenarios(), failureScenarios(), repeatScenarios(), adoptionScenarios(), nestingScenarios())
	everywhere(t, func(t *testing.T, in setting) {
		for _, s := range all {
			if s.kinds != nil && !slices.Contains(s.kinds, in.kind) || in.crawls && !s.servers {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				w := in.world(t, s.roles)
				s.run(w)
				w.checkSettled()
				if t.Failed() {
					t.Log("because: " + s.reason)
				}
			})
		}
	})
}

func sourceScenarios() []scenario {
	return []scenario{
		{name: "S1 S2 two groups give the role and let go one after the other", reason: "what is wanted is a union over sources",
			run: twoGroups},
		{name: "S3 both let go at the same time", reason: "if each request saw the other's membership the role would stay for ever",
			run: func(w *world) { letGoTogether(w, w.size(1000, 50)) }},
		{name: "S4 moved between groups within one Bulk request", reason: "each operation is a request of its own",
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
		{name: "S7 the heaviest goes", reason: "no moment with both or none",
			roles: scim.Roles{Pick: scim.PickHeaviest},
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
		{name: "S7 weights far apart", reason: "every int is a weight",
			roles: scim.Roles{Pick: scim.PickHeaviest},
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
		{name: "S8 a tie of weights", reason: "a stable answer keeps repeated pushes from switching the role to and fro",
			roles: scim.Roles{Pick: scim.PickHeaviest},
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
		{name: "S9 a weight changes in the application", reason: "weights are part of the mapping",
			roles: scim.Roles{Pick: scim.PickHeaviest},
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
		{name: "S10 S11 first assigned, the primary leaves and comes back", reason: "seniority is that of the membership",
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
		{name: "S13 a re-push does not touch seniority", reason: "an equal list is no change",
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
