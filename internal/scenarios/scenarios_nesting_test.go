package scenarios

import (
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// nest makes groups in groups count.
func (w *world) nest(depth int) {
	w.t.Helper()
	w.policy = scim.MemberPolicy{Nested: true, MaxDepth: depth}
	w.restart()
}

func nestingScenarios() []scenario {
	return []scenario{
		{name: "S79 the same id in users and groups, with nesting",
			given:  "nesting is on; a user 5, and a group 5 with another user",
			when:   "G→R gets the member 5 without a type, then with the type Group; 5 is removed without a type",
			then:   "First user 5 joins, then group 5, whose users get R. The removal names both.",
			reason: "guessing a group gives the role to all of it",
			run: func(w *world) {
				w.nest(10)
				w.role("R")
				w.user("5", "6")
				w.group("5", "Others", "6")
				w.group("G", "R")
				w.add("G", "5")
				w.wantRoles("5", "R")
				w.wantRoles("6")
				w.add("G", "Group 5")
				w.wantRoles("6", "R")
				w.remove("G", "5") // without a type it names both
				w.wantMembers("G")
				w.wantRoles("5")
				w.wantRoles("6")
			}},
		{name: "S83 a nested group gives the role",
			given:  "nesting is on; G1→R, and G2, which gives no role",
			when:   "G2 joins G1, users and groups join and leave G2, users are deactivated and deleted",
			then:   "Whoever belongs to G1 through groups holds R, with a grant of G1, and nobody else.",
			reason: "whoever is in a group in the group belongs to it",
			run:    nestedGives},
		{name: "S83 the parent's role changes",
			given:  "nesting is on; G1→R contains G2, which contains G3 with U",
			when:   "G1 is renamed, loses its role, gets one, is deleted",
			then:   "U follows the role of G1 each time.",
			reason: "a parent's change reaches users too", run: parentChanges},
		{name: "S83 nesting is off",
			given:  "nesting is off; G1→R contains G2 with U",
			when:   "nesting is switched on, and off again; each time everybody is reconciled",
			then:   "G2 is listed in G1, and U holds nothing. Then U holds R; then nothing again.",
			reason: "groups in groups are stored and listed, and give nothing",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.group("G2", "no role", "U")
				w.group("G1", "R", "Group G2")
				w.wantMembers("G1", "Group G2")
				w.wantRoles("U")
				w.nest(10)
				w.all()
				w.wantRoles("U", "R")
				w.policy.Nested = false
				w.restart()
				w.all()
				w.wantRoles("U")
				w.wantLedger("U")
			}},
		{name: "S83 a protected role",
			given:  "nesting is on; G1 stands for R, which is protected, and contains G2 with U",
			when:   "the application confirms; U is deactivated and reactivated; G1 is told of G2 again; then a PATCH names U in G2",
			then:   "U holds R after the confirmation, and after the PATCH that names U.",
			reason: "whoever is named in a nested group is named", run: protectedAbove},
		{name: "S84 a nested group is removed, or deleted",
			given:  "nesting is on; G1→R contains G2→S, which contains G3 with U; W is in G2 and holds R by hand",
			when:   "G2 is removed from G1, deleted or released, or G1 is deleted",
			then:   "U loses R, and S too if G2 is gone. W keeps R.",
			reason: "what came through it goes", run: nestedGoes},
		{name: "S85 a full list names a member instead of a group",
			given:  "nesting is on; G1→R contains G2 with U and V",
			when:   "a full list of G1 names U instead of G2",
			then:   "V loses R. U keeps it, and the application does not see a change of U.",
			reason: "U is a member all the time; who loses a role for a moment may lose work, and in a pause does not get it back",
			run: func(w *world) {
				w.nest(10)
				w.role("R")
				w.user("U", "V")
				w.group("G2", "Team", "U", "V")
				w.group("G1", "R", "Group G2")
				w.mark()
				w.put("G1", "R", "U")
				w.wantRoles("U", "R")
				w.wantRoles("V")
				w.wantChanges("V -R")
			}},
		{name: "S85 direct and nested",
			given:  "nesting is on; U in G1→R, and in G2, which is in G1",
			when:   "either way ends; then the other one",
			then:   "U keeps R with one grant of G1, and loses it with the last way.",
			reason: "a closure is a set",
			run: func(w *world) {
				w.nest(10)
				w.role("R")
				w.user("U")
				for _, first := range []func(){func() { w.remove("G1", "U") }, func() { w.remove("G1", "G2") }, func() { w.remove("G2", "U") }, func() { w.deleteGroup("G2") }} {
					w.group("G2", "no role", "U")
					w.group("G1", "R", "Group G2", "U")
					w.wantLedger("U", "R group:G1")
					w.mark()
					first()
					w.wantRoles("U", "R")
					w.wantLedger("U", "R group:G1")
					w.wantChanges()
					w.send("PATCH", "/Groups/G1", patchBody(removeOp("U"), removeOp("G2")))
					w.wantRoles("U")
					w.wantLedger("U")
					w.send("DELETE", "/Groups/G2", nil)
					w.deleteGroup("G1")
				}
			}},
		{name: "S86 a diamond, and a cycle",
			given:  "nesting is on; G1→R contains G2 and G3, and both contain G4 with U",
			when:   "G2 drops G4; then G4 is to contain G1, itself, or a group that does not exist",
			then:   "U keeps R, through G3. The rest is 400 invalidValue, and names the chain.",
			reason: "what comes another way stays", run: diamond},
		{name: "S86 two requests close a cycle",
			given:  "nesting is on; groups without a circle",
			when:   "requests for all edges of a circle at the same time, many times",
			then:   "All but one succeed. One is 400.",
			reason: "exactly one wins", servers: true,
			run: func(w *world) { closeTogether(w, w.size(200, 20)) }},
		{name: "S83 a member joins while its group does",
			given:  "nesting is on; two servers over one database",
			when:   "U joins or leaves a group while that group joins or leaves G1→R, many times",
			then:   "U holds R exactly if U belongs to G1 at the end.",
			reason: "no request misses the other", servers: true,
			run: func(w *world) { joinTogether(w, w.size(200, 20)) }},
		{name: "S84 a member joins while a group above is deleted",
			given:  "nesting is on; G1→R contains M, which contains C",
			when:   "U and V join C while M is deleted, many times",
			then:   "Nobody holds R at the end.",
			reason: "no request misses the other", servers: true,
			run: func(w *world) { w.nest(10); deleteMiddle(w, w.size(200, 20)) }},
		{name: "S87 a child with a role of its own",
			given:  "nesting is on; G1→A contains G2→B",
			when:   "U joins G2, before or after G2 joins G1",
			then:   "U holds A and B.",
			reason: "a union",
			run: func(w *world) {
				for _, childFirst := range []bool{true, false} {
					v := w.world(w.t, w.roles)
					v.ownRole(childFirst)
					v.wantRoles("U", "A", "B")
					v.wantLedger("U", "A group:G1", "B group:G2")
					v.checkSettled()
				}
			}},
		{name: "S87 a child with a role of its own, the heaviest",
			given:  "nesting is on; G1→A (20) contains G2→B (10) with U; Pick is the heaviest",
			when:   "G2 is removed from G1",
			then:   "U held A, and holds B.",
			reason: "then Pick", roles: scim.Roles{Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.ownRole(true)
				w.wantRoles("U", "A")
				w.remove("G1", "G2")
				w.wantRoles("U", "B")
			}},
		{name: "S87 a child with a role of its own, the first",
			given:  "nesting is on; G1→A contains G2→B with U; Pick is the first",
			when:   "everybody is reconciled",
			then:   "U holds B: the nearest group comes first.",
			reason: "distance 0 before 1", roles: scim.Roles{Pick: pickFirst},
			run: func(w *world) {
				for _, childFirst := range []bool{true, false} {
					v := w.world(w.t, w.roles)
					v.ownRole(childFirst)
					v.wantRoles("U", "B")
					v.checkSettled()
				}
			}},
		{name: "S88 too deep",
			given:  "nesting is on with `MaxDepth` 3; a chain of four groups",
			when:   "a fifth group is put above it, or below it",
			then:   "400 invalidValue, and names the chain. Nothing is cut.",
			reason: "refused, never cut", run: tooDeep},
		{name: "S88 switched on over what is stored",
			given:  "groups that contain each other, and a chain of five; nesting was off",
			when:   "nesting is switched on with `MaxDepth` 3, and everybody is reconciled; later the circle and the chain are opened",
			then:   "What is a circle or too deep gives nothing. Afterwards it gives its roles.",
			reason: "what is a circle or too deep gives nothing", run: switchedOn},
	}
}

// nestedGives is S83, in each order.
func nestedGives(w *world) {
	w.nest(10)
	w.role("R")
	w.user("U", "V")
	w.group("G3", "no role", "V")
	w.group("G2", "no role")
	w.group("G1", "R")
	w.add("G2", "U")
	w.mark()
	w.add("G1", "Group G2")
	w.wantRoles("U", "R")
	w.wantLedger("U", "R group:G1")
	w.wantEvents("member added G1 G2", "role granted U R G1")
	w.wantChanges("U +R = R")
	w.mark()
	w.add("G1", "Group G2")
	w.wantEvents()
	w.wantChanges()
	w.add("G2", "Group G3", "V")
	w.wantRoles("V", "R")
	w.remove("G2", "U", "V")
	w.wantRoles("U")
	w.wantRoles("V", "R") // through G3
	w.add("G3", "U")
	w.wantRoles("U", "R")
	w.put("G3", "no role", "U")
	w.wantRoles("V")
	w.deactivate("U")
	w.wantRoles("U")
	w.activate("U")
	w.wantRoles("U", "R")
	w.deleteUser("U")
	w.wantRoles("U")
	w.post("/Groups", "G4", groupBody("R", "Group G3"))
	w.add("G3", "V")
	w.wantLedger("V", "R group:G1", "R group:G4")
}

// parentChanges is S83: the group above is renamed, its role is deleted, its mapping changes.
func parentChanges(w *world) {
	w.nest(10)
	w.role("R")
	w.role("S")
	w.user("U", "V")
	w.group("G3", "no role", "U", "V")
	w.group("G2", "no role", "Group G3")
	w.group("G1", "R", "Group G2", "V")
	w.mark()
	w.rename("G1", "S")
	w.wantRoles("U", "S")
	w.wantRoles("V", "S")
	w.wantLedger("U", "S group:G1")
	w.rename("G1", "nothing")
	w.wantRoles("U")
	w.role("nothing")
	w.reportChange()
	w.wantRoles("U", "nothing")
	w.app.Drop("nothing")
	w.reportChange()
	w.wantLink("G1", "")
	w.wantLedger("U")
	w.rename("G1", "R")
	w.wantRoles("V", "R")
	w.deleteGroup("G1")
	w.wantRoles("U")
	w.wantRoles("V")
	w.wantLedger("V")
}

// protectedAbove is S61 for a role that comes through a nested group.
func protectedAbove(w *world) {
	w.nest(10)
	w.protectedRole("R")
	w.user("U", "V")
	w.group("G2", "no role", "U", "V")
	w.group("G1", "R", "Group G2")
	w.wantRoles("U")
	w.wantExplain("U", "R waiting group:G1")
	w.must(w.reconciler().Confirm(ctx(), "G1", scim.Role{ID: "R"}))
	w.wantRoles("U", "R")
	w.wantRoles("V", "R")
	w.deactivate("U")
	w.activate("U")
	w.wantRoles("U")
	w.add("G1", "Group G2") // names nobody
	w.wantRoles("U")
	w.add("G2", "V") // names another one
	w.wantRoles("U")
	w.add("G2", "U")
	w.wantRoles("U", "R")
	w.add("G1", "U") // a member of both
	w.deactivate("U")
	w.activate("U")
	w.add("G2", "U")
	w.wantRoles("U", "R")
}

// nestedGoes is S84.
func nestedGoes(w *world) {
	w.nest(10)
	w.role("R")
	w.role("S")
	w.user("U", "V", "W")
	ends := []func(){
		func() { w.remove("G1", "G2") },
		func() { w.put("G1", "R", "V") },
		func() { w.deleteGroup("G2") },
		func() { w.must(w.reconciler().Release(ctx(), "G2")) },
		func() { w.deleteGroup("G1") },
	}
	for i, end := range ends {
		w.group("G3", "no role", "U")
		w.group("G2", "S", "Group G3", "W")
		w.group("G1", "R", "Group G2", "V")
		w.byHand("W", "R")
		w.wantLedger("U", "R group:G1", "S group:G2")
		w.mark()
		end()
		if w.wantRoles("W", map[bool][]string{true: {"R"}, false: {"R", "S"}}[i == 2 || i == 3]...); i == 2 || i == 3 {
			w.wantRoles("U")
			w.wantLedger("U")
		} else {
			w.wantRoles("U", "S")
			w.wantLedger("U", "S group:G2")
		}
		w.app.Take("W", "R")
		for _, g := range []string{"G1", "G2", "G3"} {
			w.send("DELETE", "/Groups/"+g, nil)
		}
		w.all()
		w.wantRoles("V")
	}
}

// diamond is S86 without races.
func diamond(w *world) {
	w.nest(10)
	w.role("R")
	w.user("U")
	w.group("G4", "no role", "U")
	w.group("G3", "no role", "Group G4")
	w.group("G2", "no role", "Group G4")
	w.group("G1", "R", "Group G2", "Group G3")
	w.wantLedger("U", "R group:G1")
	w.mark()
	w.remove("G2", "G4")
	w.wantRoles("U", "R")
	w.wantChanges()
	chain := []string{`"no role" (G4) contains "R" (G1) contains "no role" (G3) contains "no role" (G4)`}
	w.wantRefused(w.send("PATCH", "/Groups/G4", patchBody(addOp("Group G1"))), 400, "invalidValue", chain...)
	w.wantRefused(w.send("PUT", "/Groups/G4", groupBody("no role", "U", "Group G1")), 400, "invalidValue", chain...)
	w.wantRefused(w.send("PATCH", "/Groups/G4", patchBody(addOp("Group G4"))), 400, "invalidValue", `"no role" (G4) contains "no role" (G4)`)
	w.wantRefused(w.send("PATCH", "/Groups/G4", patchBody(addOp("Group none"))), 400, "invalidValue", `Group "none"`)
	w.wantMembers("G4", "U")
	w.put("G4", "no role", "Group G1") // this removes U, so the server must carry it out
	w.wantMembers("G4")
	w.wantRoles("U")
}

// deleteMiddle is S84 with a group in the middle that is deleted while others join below it.
func deleteMiddle(w *world, times int) {
	w.parallel()
	w.role("R")
	w.user("U", "V")
	w.group("C", "C")
	w.group("G1", "R")
	for i := range times {
		m := fmt.Sprint("M", i)
		w.group(m, m, "Group C")
		w.add("G1", "Group "+m)
		testhost.Parallel(3, func(j int) {
			if j == 0 {
				w.deleteGroup(m)
				return
			}
			w.add("C", []string{"U", "V"}[j-1])
		})
		w.wantRoles("U")
		w.wantRoles("V")
		w.remove("C", "U", "V")
	}
}

// closeTogether is S86: requests for all edges of a circle at the same time. All but one
// succeed.
func closeTogether(w *world, times int) {
	w.nest(10)
	w.role("R")
	w.user("U")
	if w.kind != bare { // its lock is that of the process
		w.servers(2)
	}
	for i := range times {
		n := 2 + i%4
		ids := make([]string, n)
		for j := range ids {
			ids[j] = fmt.Sprintf("C%d-%d", i, j)
			w.group(ids[j], "R")
		}
		w.add(ids[0], "U")
		status := make([]int, n)
		testhost.Parallel(n, func(j int) {
			status[j] = w.send("PATCH", "/Groups/"+ids[j], patchBody(addOp("Group "+ids[(j+1)%n]))).status
		})
		refused := 0
		for _, s := range status {
			switch s {
			case 400:
				refused++
			case 204:
			default:
				w.t.Errorf("status %d", s)
			}
		}
		if refused != 1 {
			w.t.Fatalf("a circle of %d: %v", n, status)
		}
		for _, id := range ids {
			w.deleteGroup(id)
		}
		w.wantRoles("U")
	}
}

// joinTogether lets a user join or leave a group while the group joins or leaves another one,
// or that one gets another role.
func joinTogether(w *world, times int) {
	w.nest(10)
	w.parallel()
	w.role("R")
	w.user("U", "V")
	w.group("G3", "no role")
	w.group("G2", "no role", "Group G3")
	w.group("G1", "R")
	for i := range times {
		member := []func(){func() { w.add("G3", "U") }, func() { w.put("G3", "no role", "U", "V") }, func() { w.put("G2", "no role", "U", "Group G3") }}[i%3]
		above := []func(){func() { w.add("G1", "Group G2") }, func() { w.put("G1", "R", "Group G2") }, func() { w.add("G1", "Group G3", "Group G2") }}[i/3%3]
		testhost.Parallel(2, func(j int) { []func(){member, above}[j]() })
		w.wantRoles("U", "R")
		ends := []func(){func() { w.put("G1", "R") }, func() { w.rename("G1", "nothing") }, func() { w.deleteGroup("G1") }}
		testhost.Parallel(2, func(j int) { []func(){func() { w.add("G3", "V") }, ends[i%3]}[j]() })
		w.wantRoles("U")
		w.wantRoles("V")
		w.send("DELETE", "/Groups/G1", nil)
		w.put("G2", "no role", "Group G3")
		w.put("G3", "no role")
		w.group("G1", "R")
	}
}

// ownRole is S87.
func (w *world) ownRole(childFirst bool) {
	w.t.Helper()
	w.nest(10)
	w.role("A", 20)
	w.role("B", 10)
	w.user("U")
	if childFirst {
		w.group("G2", "B", "U")
		w.group("G1", "A", "Group G2")
		return
	}
	w.group("G2", "B")
	w.group("G1", "A", "Group G2")
	w.add("G2", "U")
}

func pickFirst(all []scim.Candidate) []scim.Role {
	if len(all) == 0 {
		return nil
	}
	return []scim.Role{all[0].Role}
}

// tooDeep is S88.
func tooDeep(w *world) {
	w.nest(3)
	w.role("R")
	w.user("U")
	w.group("G5", "e", "U")
	for i, name := range []string{"d", "c", "b"} {
		w.group(fmt.Sprint("G", 4-i), name, fmt.Sprint("Group G", 5-i))
	}
	w.group("G1", "R")
	w.wantRefused(w.send("PATCH", "/Groups/G1", patchBody(addOp("Group G2"))), 400, "invalidValue",
		"at most 3 groups", `"R" (G1) contains "b" (G2) contains "c" (G3) contains "d" (G4) contains "e" (G5)`)
	w.wantRefused(w.sendPost("/Groups", "G0", groupBody("R", "Group G2")), 400, "invalidValue", `the new group "R" contains "b" (G2)`)
	w.wantRoles("U")
	w.add("G1", "Group G3")
	w.wantRoles("U", "R")
	w.group("G6", "f")
	w.wantRefused(w.send("PATCH", "/Groups/G5", patchBody(addOp("Group G6"))), 400, "invalidValue", `"e" (G5) contains "f" (G6)`)
	w.rename("G2", "R")
	w.wantLedger("U", "R group:G1", "R group:G2")
}

// switchedOn switches nesting on over stored circles and too much depth.
func switchedOn(w *world) {
	w.role("R")
	w.user("U", "V")
	w.group("G1", "R", "U")
	w.group("G2", "no role", "Group G1", "V")
	w.add("G1", "Group G2")
	w.group("D0", "no role", "V")
	for i := range 4 {
		w.group(fmt.Sprint("D", i+1), map[bool]string{true: "R", false: "no role"}[i == 3], fmt.Sprint("Group D", i))
	}
	w.nest(3)
	w.all()
	w.wantLedger("U", "R group:G1")
	w.wantLedger("V")
	w.remove("G2", "G1")
	w.wantLedger("V", "R group:G1")
	w.remove("D4", "D3")
	w.add("D4", "Group D2")
	w.wantLedger("V", "R group:D4", "R group:G1")
}
