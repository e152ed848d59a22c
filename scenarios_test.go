package scim_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/scimkit/scim"
)

// scenario is a case of the role rules. Its number is the first word of its name.
type scenario struct {
	name, reason string
	roles        scim.Roles
	run          func(w *world)
	worlds       []string // nil: all
}

// TestRoles plays every scenario in every world. After each one a second
// reconciliation must find nothing to do, and Explain must agree with what is held
// (S100).
func TestRoles(t *testing.T) {
	all := slices.Concat(sourceScenarios(), handScenarios(), linkScenarios(), renameScenarios(),
		accountScenarios(), memberScenarios(), failureScenarios())
	for _, kind := range []string{joint, separate, bare} {
		t.Run(kind, func(t *testing.T) {
			for _, s := range all {
				if s.worlds != nil && !slices.Contains(s.worlds, kind) {
					continue
				}
				t.Run(s.name, func(t *testing.T) {
					w := newWorld(t, kind, s.roles)
					s.run(w)
					w.settled()
					if t.Failed() {
						t.Log("because: " + s.reason)
					}
				})
			}
		})
	}
}

func sourceScenarios() []scenario {
	return []scenario{
		{name: "S1 S2 two groups give the role and let go one after the other", reason: "what is wanted is a union over sources",
			run: twoGroups},
		{name: "S3 both let go at the same time", reason: "if each request saw the other's membership the role would stay for ever",
			run: func(w *world) { letGoTogether(w, 1000) }},
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
				w.changed()
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
		parallel(2, func(i int) { w.remove([]string{"G1", "G2"}[i], "U") })
		w.wantRoles("U")
		w.wantLedger("U")
	}
}

func handScenarios() []scenario {
	exclusive := scim.Roles{Exclusive: true}
	return []scenario{
		{name: "S14 by hand only, the group knows nothing", reason: "what groups do not give, groups do not take",
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
		{name: "S15 by hand first, then the group", reason: "it was held before the group gave it",
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
		{name: "S16 group first, then by hand", reason: "the entry was marked when the application reported it",
			run: func(w *world) {
				w.role("R")
				w.user("told", "untold")
				w.group("G", "R", "told", "untold")
				w.byHand("told", "R")
				w.app.give("untold", "R")
				w.wantLedger("told", "R group:G by hand")
				w.remove("G", "told", "untold")
				w.wantRoles("told", "R")
				w.wantRoles("untold")
			}},
		{name: "S17 by hand and through the group, the hand-given share is taken back", reason: "the group still says so, and the hand-given share has ended",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.byHand("U", "R")
				w.group("G", "R", "U")
				w.app.take("U", "R")
				w.mark()
				w.reconcile("U")
				w.wantRoles("U", "R")
				w.wantLedger("U", "R group:G")
				w.wantEvents("role granted U R G")
				w.remove("G", "U")
				w.wantRoles("U")
			}},
		{name: "S18 given by the group only, taken by hand", reason: "this cannot be told from drift, which is healed",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.group("G", "R", "U")
				w.app.take("U", "R")
				w.wantExplain("U", "R due group:G")
				w.mark()
				w.reconcile("U")
				w.wantRoles("U", "R")
				w.wantEvents("role granted U R G")
				w.wantExplain("U", "R granted group:G")
			}},
		{name: "S19 S21 a hand-given higher role occupies the place, and goes", reason: "the only place must not be overwritten",
			roles: exclusive,
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
				w.wantReason("U", "Viewer", "waiting: Admin is hand-given")
				w.app.take("U", "Admin")
				w.reconcile("U")
				w.wantRoles("U", "Viewer")
				w.wantLedger("U", "Viewer group:G")
			}},
		{name: "S20 a hand-given lower role occupies the place", reason: "giving less is safer than overwriting",
			roles: exclusive,
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
		{name: "S22 a base role is not hand-given", reason: "a default is what remains when nothing is given",
			roles: exclusive,
			run: func(w *world) {
				// HeldRoles does not return a default: the application shows it to whoever
				// holds nothing.
				w.role("Editor")
				w.user("U")
				w.group("G", "Editor")
				w.add("G", "U")
				w.wantRoles("U", "Editor")
				w.remove("G", "U")
				w.wantRoles("U")
			}},
		{name: "S23 no fall-back to former roles", reason: "history gives nothing",
			roles: exclusive,
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
		{name: "S24 users and roles from before SCIM", reason: "held and not in the ledger at first sight is hand-given",
			run: func(w *world) {
				w.role("R")
				w.role("S")
				for user, role := range map[string]string{"A": "R", "B": "R", "C": "S"} {
					w.app.give(user, role)
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
	}
}

// wantReason checks that Explain says why.
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

func linkScenarios() []scenario {
	refuse := scim.Roles{Missing: scim.MissingRefuse}
	return []scenario{
		{name: "S25 pushed, no such role, refuse", reason: "the role must exist first",
			roles: refuse,
			run: func(w *world) {
				w.user("U")
				r := w.sendPost("/Groups", "G", groupBody("Ops", "U"))
				w.wantRefused(r, 400, "invalidValue", `"Ops"`, "create the role")
				w.diff("status of the refused group", 404, w.send("GET", "/Groups/G", nil).status)
				w.role("Ops")
				w.group("G", "Ops", "U")
				w.wantRoles("U", "Ops")
			}},
		{name: "S26 pushed, no such role, linked later", reason: "backfill",
			run: func(w *world) {
				w.user("A", "B", "C")
				w.deactivate("C")
				w.group("G", "Ops", "A", "B", "C")
				w.wantRoles("A")
				w.role("Ops")
				w.mark()
				w.changed()
				w.wantRoles("A", "Ops")
				w.wantRoles("B", "Ops")
				w.wantRoles("C")
				w.wantEvents("group linked G Ops", "role granted A Ops G", "role granted B Ops G")
				w.mark()
				w.changed()
				w.wantEvents()
				w.wantChanges()
			}},
		{name: "S27 names are compared as they are", reason: "a look-alike must not give a role: the resolver sees what was sent",
			run: func(w *world) {
				w.role("Editor")
				w.user("U")
				for i, name := range []string{"editor", "Editor ", "Ed\u200bitor"} {
					id := fmt.Sprint("G", i)
					w.group(id, name, "U")
					w.wantLink(id, "")
				}
				w.wantRoles("U")
			}},
		{name: "S28 S29 a role is renamed, and a new one takes the old name", reason: "the link is by id",
			run: func(w *world) {
				w.app.put(scim.Role{ID: "7", Name: "Ops"})
				w.user("U")
				w.group("G", "Ops", "U")
				w.mark()
				w.app.put(scim.Role{ID: "7", Name: "Operations"})
				w.changed()
				w.put("G", "Ops", "U")
				w.wantRoles("U", "Operations")
				w.wantEvents()
				w.app.put(scim.Role{ID: "9", Name: "Ops"})
				w.changed()
				w.put("G", "Ops", "U")
				w.wantLink("G", "7")
				w.wantRoles("U", "Operations")
				w.diff("holders of 9", []string{}, w.app.holders("9"))
				w.wantEvents()
				w.wantChanges()
			}},
		{name: "S30 S31 a role is deleted and created again, link later", reason: "there is nothing to revoke; a new role of the name is linked",
			run: func(w *world) { roleDeleted(w); w.changed(); w.wantLink("G", "new"); w.wantRoles("U", "Ops") }},
		{name: "S31 created again, refuse", reason: "linked at the client's next write of the group",
			roles: refuse,
			run: func(w *world) {
				roleDeleted(w)
				w.changed()
				w.wantLink("G", "")
				w.wantRoles("U")
				w.put("G", "Ops", "U")
				w.wantLink("G", "new")
				w.wantRoles("U", "Ops")
			}},
		{name: "S31 created again, protected", reason: "only after the application confirms",
			run: func(w *world) {
				roleDeleted(w)
				w.app.put(scim.Role{ID: "new", Name: "Ops", Protected: true})
				w.changed()
				w.put("G", "Ops", "U")
				w.wantLink("G", "new unconfirmed")
				w.wantRoles("U")
				w.must(w.reconciler().Confirm(ctx(), "G"))
				w.wantRoles("U", "Ops")
			}},
		{name: "S32 the deletion of a role is not reported", reason: "the client is not at fault",
			run: func(w *world) {
				w.role("R")
				w.user("U", "V")
				w.group("G", "R", "U")
				w.app.drop("R")
				w.mark()
				w.add("G", "V")
				w.wantMembers("G", "U", "V")
				w.wantLink("G", "")
				w.wantLedger("V")
				w.wantChanges()
				w.wantEvents("member added G V", "group unlinked G R")
				w.put("G", "R", "U", "V")
				w.wantLedger("U")
			}},
		{name: "S32 the deletion of a role and a new one of the name are not reported", reason: "the request succeeds, and the new role is linked when it is reported",
			run: func(w *world) {
				w.role("R")
				w.user("U", "V")
				w.group("G", "R", "U")
				w.app.drop("R")
				w.app.put(scim.Role{ID: "new", Name: "R"})
				w.add("G", "V")
				w.wantLink("G", "")
				w.wantRoles("V")
				w.changed()
				w.wantLink("G", "new")
				w.wantRoles("U", "R")
				w.wantRoles("V", "R")
			}},
		{name: "S38 two groups of the same name", reason: "group names are not unique",
			run: twoGroups},
		{name: "S39 S40 a group is deleted and pushed again", reason: "it takes what came through it, and a new group remembers nothing",
			run: func(w *world) {
				w.role("R")
				w.user("U1", "U2", "U3", "U4")
				w.byHand("U2", "R")
				w.byHand("U4", "R")
				w.group("G", "R", "U1", "U2", "U3")
				w.group("G2", "R", "U3")
				w.mark()
				w.deleteGroup("G")
				groupIsGone(w)
				w.wantEvents("group deleted G", "role retained U2 R G", "role revoked U1 R G")
				w.group("G'", "R", "U1", "U2", "U3")
				w.wantLedger("U1", "R group:G'")
				w.wantLedger("U2", "R group:G' by hand")
				w.wantLedger("U3", "R group:G'", "R group:G2")
				w.wantRoles("U1", "R")
			}},
		{name: "S41 S42 the application releases a group", reason: "the same end as a DELETE; a client that stopped pushing sends none",
			run: func(w *world) {
				w.role("R")
				w.user("U1", "U2", "U3", "U4")
				w.byHand("U2", "R")
				w.byHand("U4", "R")
				w.group("G", "R", "U1", "U2", "U3")
				w.group("G2", "R", "U3")
				w.must(w.reconciler().Release(ctx(), "G"))
				groupIsGone(w)
				w.diff("a later PUT", 404, w.send("PUT", "/Groups/G", groupBody("R", "U1")).status)
				w.group("G'", "R", "U1")
				w.wantRoles("U1", "R")
			}},
		{name: "S43 a mapping made in the application", reason: "the resolver decides by the group's id",
			run: func(w *world) {
				w.role("R")
				w.app.resolve = func(src scim.RoleSource) (scim.Role, error) {
					if src.Group.ID() == "G" {
						return scim.Role{ID: "R", Name: "R"}, nil
					}
					return scim.Role{}, scim.ErrNoRole
				}
				w.user("U")
				w.group("G", "Everyone", "U")
				w.wantRoles("U", "R")
				w.mark()
				w.rename("G", "All")
				w.wantRoles("U", "R")
				w.wantChanges()
				w.wantEvents("group updated G")
			}},
		{name: "S47 the resolver is down", reason: "an outage is not an answer",
			run: func(w *world) {
				w.role("R")
				w.role("S")
				w.user("U")
				w.group("G", "R", "U")
				w.app.fail = func(op string) error {
					if op == "resolve" {
						return errors.New("down")
					}
					return nil
				}
				w.mark()
				w.diff("rename", 500, w.send("PATCH", "/Groups/G", renameBody("S")).status)
				w.diff("first push", 500, w.sendPost("/Groups", "G2", groupBody("S", "U")).status)
				w.diff("the new group", 404, w.send("GET", "/Groups/G2", nil).status)
				w.diff("name", any("R"), w.do("GET", "/Groups/G", nil).body["displayName"])
				w.wantRoles("U", "R")
				w.wantLink("G", "R")
				w.wantEvents()
				w.remove("G", "U") // an outage there does not hold up a revocation
				w.wantRoles("U")
			}},
	}
}

// roleDeleted is S30; then a role of the same name appears.
func roleDeleted(w *world) {
	w.t.Helper()
	w.role("Ops")
	w.user("U")
	w.group("G", "Ops", "U")
	w.app.drop("Ops")
	w.mark()
	w.changed()
	w.wantLedger("U")
	w.wantLink("G", "")
	w.wantMembers("G", "U")
	w.wantChanges()
	w.wantEvents("group unlinked G Ops")
	w.app.put(scim.Role{ID: "new", Name: "Ops"})
}

// groupIsGone is the end of S39.
func groupIsGone(w *world) {
	w.t.Helper()
	w.wantRoles("U1")
	w.wantRoles("U2", "R")
	w.wantRoles("U3", "R")
	w.wantRoles("U4", "R")
	w.wantLedger("U1")
	w.wantLedger("U2")
	w.wantLedger("U3", "R group:G2")
	w.diff("status of the group", 404, w.send("GET", "/Groups/G", nil).status)
}
