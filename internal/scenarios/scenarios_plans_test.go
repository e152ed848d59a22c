package scenarios

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// planScenarios are about what the application's guard sees: all that is then done.
func planScenarios() []scenario {
	return []scenario{
		{name: "S97 a guard whose error wraps another meaning",
			given:  "Guard returns errors that wrap ErrNoRole and ErrNotFound",
			when:   "a member is added",
			then:   "500 each time, nothing is stored, and G keeps its link.",
			reason: "an error of the guard refuses the write, whatever else it means",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.group("G", "R")
				w.mark()
				for _, is := range []error{scim.ErrNoRole, scim.ErrNotFound} {
					w.guard(func(context.Context, *scim.RolePlan) error { return fmt.Errorf("ask: %w", is) })
					w.wantRefused(w.send("PATCH", "/Groups/G", patchBody(addOp("U"))), http.StatusInternalServerError, "")
				}
				w.wantMembers("G")
				w.wantLink("G", "R")
				w.wantRoles("U")
				w.wantEvents()
				w.guard(nil)
			}},
		{name: "S97 a plan with a role that is gone",
			given:  "PickHeaviest; V in G1→Admin and in G2→Viewer, U in G1; Admin is gone, not reported; Guard refuses each plan that gives Viewer",
			when:   "U is added to G2; the guard allows Viewer, and U is added again",
			then:   "Refused: nobody gets Viewer. The guard sees one more plan, for both users. Then both hold Viewer.",
			reason: "what takes the place of a plan is a plan too",
			roles:  scim.Roles{Pick: scim.PickHeaviest}, run: goneRole},
		{name: "S97 a plan with a role of a value that is gone",
			given:  "PickHeaviest; U and V have roles Admin and Viewer; Admin is gone, not reported; Guard refuses each plan that gives Viewer",
			when:   "V is reconciled by a write of a group; the guard allows Viewer, and the write is sent again",
			then:   "As with a group.",
			reason: "a value gives roles exactly as a group does",
			roles:  scim.Roles{Pick: scim.PickHeaviest, Attributes: []string{"roles"}}, run: goneRoleOfValue},
		{name: "S97 a plan of a pending matter",
			given:  "U and V in G→Admin, U with the value Owner, both protected; they wait, because they were inactive; X in G2→Boss, not confirmed",
			when:   "the application confirms each pending matter",
			then:   "The guard sees a plan for each: a confirmation, with the source.",
			reason: "a guard decides by the cause",
			roles:  scim.Roles{Attributes: []string{"roles"}}, run: confirmedPlans},
		{name: "S97 a report that fails for some sources",
			given:  "U in G1→A, G2→B, G3→C, G4→D; W has roles E and F; Guard refuses each plan that gives R",
			when:   "RolesChanged: no role of G1 and E can be looked up, G2 stands for R, G3 for S, F for T; RolesChanged again; then all of it is allowed, and Settle",
			then:   "An error each time, and S and T are given. Pending lists G1, G2 and E, once each. Settle then looks them up.",
			reason: "one source that fails must not keep those of all others",
			roles:  scim.Roles{Attributes: []string{"roles"}},
			run:    func(w *world) { failingReport(w, w.reportError) }},
		{name: "S97 a report in steps that fails for some sources",
			given:  "as before",
			when:   "as before, with RolesChangedFrom",
			then:   "As before: the step returns the error, and where to go on.",
			reason: "as before",
			roles:  scim.Roles{Attributes: []string{"roles"}}, run: func(w *world) { failingReport(w, w.stepsError) }},
		{name: "S97 a trust that the guard refuses",
			given:  "U in G→R, V in G2→S; all sources are distrusted, and roles are revoked; Guard refuses each plan that gives R",
			when:   "Trust of G, twice, then of all; everybody is reconciled; the guard allows R, and Trust is called again",
			then:   "Each is the guard's error, and nothing is trusted: nobody holds anything. Then both get their roles.",
			reason: "what is refused is not stored", run: refusedTrust},
		{name: "S97 a plan of a circle that adopts",
			given:  "U in G→Admin, protected; Admin waits, because U was inactive; Guard refuses each plan that gives Admin",
			when:   "a bulk request creates two groups that refer to each other, one with A, and one that adopts G; both name U; the guard allows Admin, and it is sent again",
			then:   "Refused, and nothing is stored. Then U holds both roles. With transactions the guard sees one plan, with both.",
			reason: "both operations concern the same user, and only one of them names U in G", run: judgedCircle},
	}
}

// plans makes a guard that notes each plan, and refuses those that give the role.
func (w *world) plans(role string) (seen *[]string, allow func()) {
	w.t.Helper()
	seen, isAllowed := new([]string), false
	w.guard(func(ctx context.Context, p *scim.RolePlan) error {
		line, refusal := strings.Join(strings.Fields(fmt.Sprint(p.Cause, " ", p.Resource.ID, " ", p.Source)), " "), error(nil)
		for _, c := range p.Roles {
			line += fmt.Sprintf(" %s +%d -%d", c.Role.ID, c.Grants, c.Revokes)
			if c.Role.ID == role && c.Grants > 0 && !isAllowed {
				refusal = &scim.Error{Status: http.StatusConflict, Detail: "ask the administrator"}
			}
		}
		if !scim.IsPreview(ctx) {
			*seen = append(*seen, line)
		}
		return refusal
	})
	return seen, func() { isAllowed = true }
}

// goneRole is S97 with a role that is gone.
func goneRole(w *world) {
	w.role("Admin", 30)
	w.role("Viewer", 10)
	w.user("U", "V")
	w.group("G1", "Admin", "U", "V")
	w.group("G2", "Viewer", "V")
	w.app.Drop("Admin")
	seen, allow := w.plans("Viewer")
	w.wantRefused(w.send("PATCH", "/Groups/G2", patchBody(addOp("U"))), http.StatusConflict, "", "ask")
	w.wantRoles("U")
	w.wantRoles("V")
	w.wantLink("G1", "Admin")
	if w.kind == joint {
		w.wantMembers("G2", "V")
		// The write begins again when it finds that the role is gone.
		w.diff("plans", []string{"write G2 Admin +1 -0", "write G2 Admin +1 -0", "write G2 Viewer +2 -0"}, *seen)
	}
	allow()
	w.add("G2", "U")
	w.wantRoles("U", "Viewer")
	w.wantRoles("V", "Viewer")
	w.wantLink("G1", "")
}

// goneRoleOfValue is S97 with a role of a value that is gone.
func goneRoleOfValue(w *world) {
	w.role("Admin", 30)
	w.role("Viewer", 10)
	w.role("R", 5)
	for _, id := range []string{"U", "V"} {
		w.post("/Users", id, with(profile(id), "roles", []map[string]string{{"value": "Admin"}, {"value": "Viewer"}}))
	}
	w.group("G", "R")
	w.app.Drop("Admin")
	_, allow := w.plans("Viewer")
	w.wantRefused(w.send("PATCH", "/Groups/G", patchBody(addOp("V"))), http.StatusConflict, "", "ask")
	w.wantRoles("U")
	w.wantRoles("V")
	w.wantLink("attr:roles=Admin", "Admin")
	allow()
	w.add("G", "V")
	w.wantRoles("U", "Viewer")
	w.wantRoles("V", "Viewer")
}

// judgedCircle is S97 with a circle of a bulk request.
func judgedCircle(w *world) {
	w.role("A")
	w.user("U")
	w.admins("G", "Admin", "U")
	w.deactivate("U")
	w.activate("U")
	w.wantRoles("U")
	seen, allow := w.plans("Admin")
	c := w.config()
	c.Rules = []scim.Rule{func(_ context.Context, c *scim.Change) error {
		if c.Op == scim.OpCreate && c.After.String("displayName") == "Admin" {
			c.Adopt = "G"
		}
		return nil
	}}
	w.h = []*scim.Handler{w.handler(c)}
	circle := func() (statuses []any) {
		w.t.Helper()
		w.nextID = "new"
		r := w.do("POST", "/Bulk", testhost.BulkBody(testhost.PostGroup("a", "A", "Group bulkId:b", "User U"),
			testhost.PostGroup("b", "Admin", "Group bulkId:a", "User U")))
		for _, op := range r.body["Operations"].([]any) {
			statuses = append(statuses, op.(map[string]any)["status"])
		}
		return statuses
	}
	w.diff("refused", []any{"409", "409"}, circle())
	w.diff("groups", any(1.0), w.do("GET", "/Groups", nil).body["totalResults"])
	w.wantRoles("U")
	allow()
	*seen = nil
	w.diff("allowed", []any{"201", "201"}, circle())
	w.wantRoles("U", "A", "Admin")
	if w.kind != bare {
		w.diff("plans", []string{"write G A +1 -0 Admin +1 -0"}, *seen)
	}
}

// refusedTrust is S97 with a Trust.
func refusedTrust(w *world) {
	w.role("R")
	w.role("S")
	w.user("U", "V")
	w.group("G", "R", "U")
	w.group("G2", "S", "V")
	w.must(w.reconciler().Distrust(ctx(), scim.DistrustRevoke))
	w.all()
	seen, allow := w.plans("R")
	for _, groups := range [][]string{{"G"}, {"G"}, nil} {
		if err := w.reconciler().Trust(ctx(), groups...); !isConflict(err) {
			w.t.Errorf("Trust of %v: %v", groups, err)
		}
		w.all()
		w.wantRoles("U")
		w.wantRoles("V")
		w.wantExplain("U", "R waiting group:G")
	}
	w.diff("plans", []string{"report G group:G R +1 -0", "report G group:G R +1 -0", "report R +1 -0 S +1 -0"}, *seen)
	allow()
	w.must(w.reconciler().Trust(ctx(), "G"))
	w.wantRoles("U", "R")
	w.wantRoles("V")
	w.must(w.reconciler().Trust(ctx()))
	w.wantRoles("V", "S")
}

// isConflict reports whether an error is that of world.plans.
func isConflict(err error) bool {
	is := new(scim.Error)
	return errors.As(err, &is) && is.Status == http.StatusConflict
}

// reportError calls RolesChanged.
func (w *world) reportError() error { return w.reconciler().RolesChanged(ctx()) }

// stepsError calls RolesChangedFrom, and goes on after an error.
func (w *world) stepsError() (failed error) {
	for after := ""; ; {
		next, err := w.reconciler().RolesChangedFrom(ctx(), after)
		failed = errors.Join(failed, err)
		if after = next; after == "" {
			return failed
		}
	}
}

// failingReport is S97 with a report that fails for some sources.
func failingReport(w *world, report func() error) {
	for _, name := range []string{"A", "B", "C", "D", "E", "F", "R", "S", "T"} {
		w.role(name)
	}
	w.user("U")
	for i, name := range []string{"A", "B", "C", "D"} {
		w.group(fmt.Sprint("G", i+1), name, "U")
	}
	w.userNamed("W", "E", "F")
	seen, allow := w.plans("R")
	isDown := true
	w.app.Resolve = func(src scim.RoleSource) ([]scim.Role, error) {
		name := src.Name()
		if isDown && (name == "A" || name == "E") {
			return nil, errDown()
		}
		if as := map[string]string{"B": "R", "C": "S", "F": "T"}[name]; as != "" {
			name = as
		}
		return []scim.Role{{ID: name, Name: name}}, nil
	}
	for range 2 {
		if err := report(); !isConflict(err) || strings.Count(err.Error(), "down") != 2 {
			w.t.Errorf("the report: %v", err)
		}
		w.wantRoles("U", "A", "B", "D", "S")
		w.wantRoles("W", "E", "T")
		w.wantLink("G2", "B")
		w.diff("left", []string{" attr:roles=E", "G1 group:G1", "G2 group:G2"}, w.leftOut())
	}
	w.diff("plans", []string{"report G2 group:G2 B +0 -1 R +1 -0", "report G3 group:G3 C +0 -1 S +1 -0", "report attr:roles=F F +0 -1 T +1 -0",
		"report G2 group:G2 B +0 -1 R +1 -0"}, *seen)
	if err := w.reconciler().Settle(ctx()); !isConflict(err) && !strings.Contains(err.Error(), "down") {
		w.t.Errorf("Settle: %v", err)
	}
	w.diff("left", 3, len(w.leftOut()))
	isDown = false
	allow()
	for _, p := range w.pending(100) {
		if p.Resource.ID == "G2" {
			w.must(w.reconciler().ConfirmPending(ctx(), p.Key))
		}
	}
	w.wantRoles("U", "A", "D", "R", "S")
	w.deleteGroup("G1")
	w.must(w.reconciler().Settle(ctx()))
	w.wantRoles("U", "D", "R", "S")
	w.diff("left", 0, len(w.leftOut()))
	w.reportChange()
}

// leftOut lists the sources that reports have left out.
func (w *world) leftOut() (list []string) {
	w.t.Helper()
	for _, p := range w.pending(2) {
		if p.Kind == scim.PendingUnfinished {
			list = append(list, fmt.Sprint(p.Resource.ID, " ", p.Source))
		}
	}
	return list
}

// confirmedPlans is S97 with pending matters that are confirmed.
func confirmedPlans(w *world) {
	w.app.Put(scim.Role{ID: "Owner", Name: "Owner", Protected: true})
	w.userNamed("U", "Owner")
	w.user("V", "X")
	w.admins("G", "Admin", "U", "V")
	w.must(w.reconciler().ConfirmValue(ctx(), "roles", "Owner", scim.Role{ID: "Owner"}))
	for _, u := range []string{"U", "V"} {
		w.deactivate(u)
		w.activate(u)
	}
	w.app.Put(scim.Role{ID: "Boss", Name: "Boss", Protected: true})
	w.group("G2", "Boss", "X")
	seen, _ := w.plans("")
	for _, p := range w.pending(10) {
		w.must(w.reconciler().ConfirmPending(ctx(), p.Key))
	}
	slices.Sort(*seen)
	w.diff("plans", []string{"confirmation G group:G Admin +1 -0", "confirmation G group:G Admin +1 -0", "confirmation G2 group:G2 Boss +1 -0",
		"confirmation attr:roles=Owner Owner +1 -0"}, *seen)
}
