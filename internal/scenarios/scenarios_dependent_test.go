package scenarios

import (
	"slices"

	"github.com/scimkit/scim"
)

// pickLicensed leaves out Licensed, and everything else for a user without it. Veto gives
// nothing at all.
func pickLicensed(candidates []scim.Candidate) (picked []scim.Role) {
	isOf := func(name string) bool {
		return slices.ContainsFunc(candidates, func(c scim.Candidate) bool { return c.Name == name })
	}
	if !isOf("Licensed") || isOf("Veto") {
		return nil
	}
	for _, c := range candidates {
		if c.Name != "Licensed" {
			picked = append(picked, c.Role)
		}
	}
	return picked
}

// dependentScenarios are about roles that matter without being chosen.
func dependentScenarios() []scenario {
	const given = "Pick gives Editor only beside Licensed, and never Licensed itself; U and V in both groups"
	ends := []struct {
		how, when string
		end       func(w *world)
	}{
		{"is deleted", "the client deletes the group", func(w *world) { w.deleteGroup("L") }},
		{"is released", "the application releases the group", func(w *world) { w.must(w.reconciler().Release(ctx(), "L")) }},
		{"is renamed", "the client renames the group", func(w *world) { w.rename("L", "no role") }},
		{"is unlinked", "the role Licensed is deleted, reported", func(w *world) { w.app.Drop("Licensed"); w.reportChange() }},
		{"is emptied", "a PUT empties the group", func(w *world) { w.put("L", "Licensed") }},
	}
	var all []scenario
	for _, e := range ends {
		all = append(all, scenario{name: "S104 the group of a role that matters without being chosen " + e.how,
			given: given, when: e.when, then: "Editor is revoked from both.",
			reason: "all members of a source that goes are reconciled, not only those who hold something through it",
			roles:  scim.Roles{Pick: pickLicensed},
			run: func(w *world) {
				licensed(w)
				e.end(w)
				w.wantRoles("U")
				w.wantRoles("V")
				w.wantLedger("U")
			}})
	}
	return append(all, scenario{name: "S104 the group of a role that vetoes is deleted",
		given:  "as before, and U in a group of Veto, with which Pick gives nothing",
		when:   "the client deletes the group of Veto",
		then:   "U holds Editor.",
		reason: "as before, in reverse",
		roles:  scim.Roles{Pick: pickLicensed},
		run: func(w *world) {
			licensed(w)
			w.role("Veto")
			w.group("N", "Veto", "U")
			w.wantRoles("U")
			w.deleteGroup("N")
			w.wantRoles("U", "Editor")
		}})
}

// licensed gives U and V the role Editor, which depends on Licensed.
func licensed(w *world) {
	w.t.Helper()
	w.role("Editor")
	w.role("Licensed")
	w.user("U", "V")
	w.group("E", "Editor", "U", "V")
	w.wantRoles("U")
	w.group("L", "Licensed", "U", "V")
	w.wantRoles("U", "Editor")
	w.wantRoles("V", "Editor")
}
