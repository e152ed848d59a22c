package scenarios

import (
	"context"
	"errors"

	"github.com/scimkit/scim"
)

// adoptionScenarios are about adoptions that fail because roles cannot be changed. What was
// there before is there again, and the users hold the roles that it gives.
func adoptionScenarios() []scenario {
	var all []scenario
	for i, name := range []string{"first", "second"} {
		nth := i + 1
		all = append(all,
			scenario{name: "S119 ChangeRoles fails at the " + name + " call of the adoption of a user",
				given: "U has the value A; ChangeRoles fails at its " + name + " call",
				when:  "a POST with the value B adopts U, and is sent again",
				then:  "An error: U holds A as before. Then U holds B.",
				roles: scim.Roles{Attributes: []string{"roles"}}, reason: "the former values give the former roles", run: func(w *world) { userAdoptionFails(w, nth) }},
			scenario{name: "S119 ChangeRoles fails at the " + name + " call of the adoption of a group",
				given:  "V in G→R; ChangeRoles fails at its " + name + " call",
				when:   "a POST with the member U adopts G, and is sent again",
				then:   "An error: V holds R as before. Then U holds it, and V does not.",
				reason: "the former members hold the role, and nobody else", run: func(w *world) { groupAdoptionFails(w, nth) }})
	}
	return all
}

func errDown() error { return errors.New("down") }

// adopts makes the next creations of a type adopt the resource with an id.
func (w *world) adopts(typ, id string) {
	w.t.Helper()
	c := w.config()
	c.Rules = []scim.Rule{func(_ context.Context, c *scim.Change) error {
		if c.Op == scim.OpCreate && c.After.Type().Name() == typ {
			c.Adopt = id
		}
		return nil
	}}
	w.h = []*scim.Handler{w.handler(c)}
}

func userAdoptionFails(w *world, nth int) {
	w.role("A")
	w.role("B")
	w.userNamed("U", "A")
	w.adopts("User", "U")
	w.breakOneChange(nth, errDown)
	if r := w.send("POST", "/Users", userWithRoles("U", "B")); r.status == 201 {
		w.wantStored("U", "B")
		w.wantRoles("U", "B")
		return // fewer calls
	}
	w.wantStored("U", "A")
	w.wantRoles("U", "A")
	w.wantLedger("U", "A attr:roles")
	w.app.Fail = nil
	w.diff("again", 201, w.send("POST", "/Users", userWithRoles("U", "B")).status)
	w.wantRoles("U", "B")
}

func groupAdoptionFails(w *world, nth int) {
	w.role("R")
	w.user("U", "V")
	w.group("G", "R", "V")
	w.adopts("Group", "G")
	w.breakOneChange(nth, errDown)
	if r := w.send("POST", "/Groups", groupBody("R", "U")); r.status == 201 {
		w.wantMembers("G", "U")
		w.wantRoles("U", "R")
		w.wantRoles("V")
		return // fewer calls
	}
	w.wantMembers("G", "V")
	w.wantRoles("U")
	w.wantRoles("V", "R")
	w.wantLedger("U")
	w.wantLedger("V", "R group:G")
	w.app.Fail = nil
	w.diff("again", 201, w.send("POST", "/Groups", groupBody("R", "U")).status)
	w.wantRoles("U", "R")
	w.wantRoles("V")
}
