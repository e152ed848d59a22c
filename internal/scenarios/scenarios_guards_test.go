package scenarios

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

func guardScenarios() []scenario {
	return slices.Concat(lastHolderScenarios(), breakerScenarios(), ownGuardScenarios(), planScenarios(), seatScenarios())
}

// admins pushes a group that gives the protected role Admin.
func (w *world) admins(group, name string, members ...string) {
	w.t.Helper()
	w.app.Put(scim.Role{ID: name, Name: name, Weight: 30, Protected: true})
	w.group(group, name, members...)
	w.must(w.reconciler().Confirm(ctx(), group, scim.Role{ID: name}))
}

// crew provisions users "u000" to a number.
func (w *world) crew(n int) []string {
	w.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("u%03d", i)
	}
	w.user(ids...)
	return ids
}

func breakerScenarios() []scenario {
	return []scenario{
		{name: "S97 a full list takes a role from many",
			given:  "Breaker with 20 %, 4 users, 10 minutes; 10 users in G→R",
			when:   "G is PUT with 6 of them, twice; the application releases the breaker; the PUT is sent again",
			then:   "429 with Retry-After twice: nothing is stored, and one event. After the release it succeeds.",
			reason: "a percentage alone would stop small customers; clients do not repeat what another 4xx answers",
			roles:  scim.Roles{Breaker: &scim.Breaker{Minimum: 4}},
			run:    massRemoval},
		{name: "S97 a full list takes a role from 500 of 1,000",
			given:  "Breaker with 20 %, 20 users, 10 minutes; 1,000 users in G→R",
			when:   "G is PUT with 500 of them; the application releases the breaker; the PUT is sent again",
			then:   "429, and nothing is stored. After the release it succeeds.",
			reason: "as before",
			roles:  scim.Roles{Breaker: &scim.Breaker{Share: 0.2, Minimum: 20, Window: 10 * time.Minute}},
			run: func(w *world) {
				all := w.many(w.size(1000, 100))
				half := all[len(all)/2:]
				w.role("R")
				w.group("G", "R", all...)
				w.wantRefused(w.send("PUT", "/Groups/G", groupBody("R", half...)), http.StatusTooManyRequests, "", fmt.Sprintf("%d of %d", len(half), len(all)))
				w.diff("holders", len(all), len(w.app.Holders("R")))
				w.wantMembers("G", all...)
				w.must(w.reconciler().ReleaseBreaker(ctx(), time.Minute))
				w.put("G", "R", half...)
				w.diff("holders", half, w.app.Holders("R"))
			}},
		{name: "S97 more writes than the breaker remembers",
			given:  "Breaker with 20 %, 1 user, 10 minutes; U alone is in 103 groups, each with a role",
			when:   "each of them is deleted, twice",
			then:   "429 each time. An event reports each of the first 100, and one of the others.",
			reason: "a client that sends again what is held back must not send an event each time",
			roles:  scim.Roles{Breaker: &scim.Breaker{Minimum: 1}},
			run: func(w *world) {
				w.user("U")
				groups := make([]string, 103)
				for i := range groups {
					groups[i] = fmt.Sprintf("G%03d", i)
					w.role("R" + groups[i])
					w.group(groups[i], "R"+groups[i], "U")
				}
				w.mark()
				for range 2 {
					for _, id := range groups {
						w.wantRefused(w.send("DELETE", "/Groups/"+id, nil), http.StatusTooManyRequests, "")
					}
				}
				var want []string
				for _, id := range groups[:101] {
					want = append(want, "write held "+id)
				}
				w.wantEvents(want...)
				w.diff("pending", 100, len(w.pending(1000)))
			}},
		{name: "S97 few users pass",
			given:  "Breaker with 20 %, 4 users; 10 users in G→R",
			when:   "G is PUT with 7 of them",
			then:   "It succeeds: 3 are fewer than 4.",
			reason: "a percentage alone would stop small customers",
			roles:  scim.Roles{Breaker: &scim.Breaker{Minimum: 4}},
			run: func(w *world) {
				all := w.crew(10)
				w.role("R")
				w.group("G", "R", all...)
				w.put("G", "R", all[3:]...)
				w.wantRoles(all[0])
			}},
		{name: "S97 many small writes add up",
			given:  "Breaker with 20 %, 4 users, 10 minutes; 10 users in G→R",
			when:   "one after the other is removed, each request is sent twice, and 10 minutes later it goes on",
			then:   "The fourth is refused, each time that it is sent. 10 minutes later three more pass.",
			reason: "a client removes people one by one; refused and repeated requests take nothing",
			roles:  scim.Roles{Breaker: &scim.Breaker{Minimum: 4}},
			run: func(w *world) {
				all := w.crew(10)
				w.role("R")
				w.group("G", "R", all...)
				for _, u := range all[:3] {
					w.remove("G", u)
					w.remove("G", u)
				}
				for range 3 {
					w.wantRefused(w.send("PATCH", "/Groups/G", patchBody(removeOp(all[3]))), http.StatusTooManyRequests, "", "4 of 10")
				}
				w.wantRoles(all[3], "R")
				w.wait(11 * time.Minute)
				for _, u := range all[3:6] {
					w.remove("G", u)
				}
				w.wantRefused(w.send("PATCH", "/Groups/G", patchBody(removeOp(all[6]))), http.StatusTooManyRequests, "")
			}},
		{name: "S97 the same user again and again",
			given:  "Breaker with 20 %, 4 users; 10 users in G→R",
			when:   "one is removed and added four times; it and two others are removed, and one of them deactivated, one deleted; then a fourth one is removed",
			then:   "Only the last removal is refused: 4 of 10.",
			reason: "the breaker counts users, each once in its window",
			roles:  scim.Roles{Breaker: &scim.Breaker{Minimum: 4}},
			run: func(w *world) {
				all := w.crew(10)
				w.role("R")
				w.group("G", "R", all...)
				for range 4 {
					w.remove("G", all[0])
					w.add("G", all[0])
					w.wait(2 * time.Minute)
				}
				w.remove("G", all[1])
				w.deactivate(all[1])
				w.remove("G", all[2])
				w.remove("G", all[0])
				w.deleteUser(all[0])
				w.wantRefused(w.send("PATCH", "/Groups/G", patchBody(removeOp(all[3]))), http.StatusTooManyRequests, "", "4 of 10")
				w.wait(5 * time.Minute)
				w.wantRefused(w.send("PATCH", "/Groups/G", patchBody(removeOp(all[3]))), http.StatusTooManyRequests, "", "4 of 10")
				w.wait(6 * time.Minute)
				w.remove("G", all[3])
			}},
		{name: "S97 groups, attributes and reports are held back",
			given:  "Breaker with 20 %, 4 users; 5 users in G→R, a user attribute and a role that others get too",
			when:   "G is deleted, renamed, or stands for another role",
			then:   "Each is 429 or an error, and nothing changes.",
			reason: "whatever takes the role, it is the same mistake",
			roles:  scim.Roles{Breaker: &scim.Breaker{Minimum: 4}},
			run:    massByGroup},
		{name: "S97 a switch is held back",
			given:  "Breaker with 20 %, 4 users; 8 users in G→R, 8 with R2 by userType",
			when:   "groups give no roles any more, RolesChanged twice; the breaker is released; groups give roles again; the same for userType",
			then:   "RolesChanged is 429 each time, and takes nothing. After the release it takes R, then R2.",
			reason: "RolesChanged takes roles from many, whatever the reason",
			roles:  scim.Roles{Attributes: []string{"userType"}, Breaker: &scim.Breaker{Minimum: 4}},
			run:    massBySwitch},
		{name: "S97 a creation that is held back, again and again",
			given:  "Breaker with 20 %, 4 users; Pick is the last; 8 users in G→R",
			when:   "H→S is created with all of them, three times; G is emptied; RolesChanged takes R, and is held back too",
			then:   "All are refused. There is one matter for H, with its name, one for what the client wants of G, and one for the report.",
			reason: "an administrator decides about each, and nobody knows the id that each attempt had",
			roles:  scim.Roles{Breaker: &scim.Breaker{Minimum: 4}, Pick: pickLast},
			run:    createdAgain},
		{name: "S97 a heavier role is no loss",
			given:  "Breaker with 20 %, 4 users; Pick is the heaviest; 8 users in G→R",
			when:   "H→S, which is heavier, is created with all of them; then H is deleted",
			then:   "The creation succeeds. The deletion is refused.",
			reason: "a promotion takes no access away",
			roles:  scim.Roles{Breaker: &scim.Breaker{Minimum: 4}, Pick: scim.PickHeaviest},
			run: func(w *world) {
				all := w.crew(8)
				w.role("R", 10)
				w.role("S", 20)
				w.group("G", "R", all...)
				w.group("H", "S", all...)
				w.wantRoles(all[0], "S")
				w.wantRefused(w.send("DELETE", "/Groups/H", nil), http.StatusTooManyRequests, "")
				w.wantRoles(all[7], "S")
			}},
		{name: "S97 attributes that give roles are held back",
			given:  "Breaker with 20 %, 4 users; userType gives R to 10 users",
			when:   "the userType of one after the other becomes Other, a role too",
			then:   "The fourth is refused, and keeps R and its userType. After the release it succeeds.",
			reason: "an attribute gives roles exactly as a group does",
			roles:  scim.Roles{Attributes: []string{"userType"}, Breaker: &scim.Breaker{Minimum: 4}},
			run: func(w *world) {
				w.role("R")
				w.role("Other")
				all := make([]string, 10)
				for i := range all {
					all[i] = fmt.Sprint("u", i)
					w.post("/Users", all[i], with(profile(all[i]), "userType", "R"))
				}
				for _, u := range all[:3] {
					w.do("PUT", "/Users/"+u, with(profile(u), "userType", "Other"))
				}
				w.wantRefused(w.send("PUT", "/Users/"+all[3], with(profile(all[3]), "userType", "Other")), http.StatusTooManyRequests, "", "4 of 10")
				w.wantRoles(all[3], "R")
				w.diff("userType", any("R"), w.do("GET", "/Users/"+all[3], nil).body["userType"])
				w.do("PUT", "/Users/"+all[3], with(with(profile(all[3]), "userType", "R"), "title", "no role changes"))
				w.must(w.reconciler().ReleaseBreaker(ctx(), time.Minute))
				w.do("PUT", "/Users/"+all[3], with(profile(all[3]), "userType", "Other"))
				w.wantRoles(all[3], "Other")
			}},
		{name: "S97 leavers go through and count",
			given:  "Breaker with 20 %, 4 users; 10 users in G→R",
			when:   "6 users are deactivated or deleted, then another one is removed from G",
			then:   "All 6 leave at once. The removal is refused.",
			reason: "the access of somebody who leaves must end",
			roles:  scim.Roles{Breaker: &scim.Breaker{Minimum: 4}},
			run: func(w *world) {
				all := w.crew(10)
				w.role("R")
				w.group("G", "R", all...)
				for _, u := range all[:3] {
					w.deactivate(u)
				}
				for _, u := range all[3:6] {
					w.deleteUser(u)
				}
				for _, u := range all[:6] {
					w.wantRoles(u)
				}
				w.wantRefused(w.send("PATCH", "/Groups/G", patchBody(removeOp(all[6]))), http.StatusTooManyRequests, "")
				w.wantRoles(all[6], "R")
			}},
		{name: "S97 leavers can be held back too",
			given:  "Breaker with 20 %, 4 users, HoldLeavers; 10 users in G→R",
			when:   "4 users are deactivated or deleted",
			then:   "The fourth is 429 and stays active.",
			reason: "the application has chosen so",
			roles:  scim.Roles{Breaker: &scim.Breaker{Minimum: 4, HoldLeavers: true}},
			run: func(w *world) {
				all := w.crew(10)
				w.role("R")
				w.group("G", "R", all...)
				w.deactivate(all[0])
				w.deleteUser(all[1])
				w.deactivate(all[2])
				w.wantRefused(w.send("PATCH", "/Users/"+all[3], activeBody(false)), http.StatusTooManyRequests, "")
				w.wantRefused(w.send("DELETE", "/Users/"+all[3], nil), http.StatusTooManyRequests, "")
				w.wantRoles(all[3], "R")
				w.must(w.reconciler().ReleaseBreaker(ctx(), time.Minute))
				w.deactivate(all[3])
				w.wantRoles(all[3])
			}},
	}
}

// wait lets time pass.
func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

// massRemoval is S97.
func massRemoval(w *world) {
	all := w.crew(10)
	w.role("R")
	w.group("G", "R", all...)
	version := w.version("G")
	w.mark()
	for range 2 {
		r := w.send("PUT", "/Groups/G", groupBody("R", all[4:]...))
		w.wantRefused(r, http.StatusTooManyRequests, "", "4 of 10", "20%")
		if r.retryAfter != "60" {
			w.t.Errorf("Retry-After %q, want 60", r.retryAfter)
		}
	}
	w.wantEvents("write held G")
	w.wantHeldBack(all)
	w.wantChanges()
	w.wantMembers("G", all...)
	w.diff("version", version, w.version("G"))
	w.must(w.reconciler().ReleaseBreaker(ctx(), 5*time.Minute))
	w.put("G", "R", all[4:]...)
	for _, u := range all[:4] {
		w.wantRoles(u)
	}
	w.wait(6 * time.Minute)
	w.remove("G", all[4])
}

// heldBack lists what the breaker holds back.
func (w *world) heldBack() (list []scim.Pending) {
	for _, p := range w.pending(1) {
		if p.Kind == scim.PendingHeldBack {
			list = append(list, p)
		}
	}
	return list
}

// wantHeldBack expects that only a PUT of G without 4 of all users is held back. It confirms
// what is held back after it was listed, once it is another PUT and once it is the same.
func (w *world) wantHeldBack(all []string) {
	w.t.Helper()
	list := w.heldBack()
	if len(list) != 1 || list[0].Resource.ID != "G" || w.now().Sub(list[0].At) > time.Second || !strings.Contains(list[0].Reason, "4 of 10") {
		w.t.Fatalf("pending: %+v", list)
	}
	c := w.reconciler()
	if err := c.DeclinePending(ctx(), list[0].Key); err == nil {
		w.t.Errorf("it was declined")
	}
	w.wantRefused(w.send("PUT", "/Groups/G", groupBody("R", all[5:]...)), http.StatusTooManyRequests, "", "5 of 10")
	if err := c.ConfirmPending(ctx(), list[0].Key); !errors.Is(err, scim.ErrMoved) {
		w.t.Errorf("confirmation of another write: %v, want ErrMoved", err)
	}
	list = w.heldBack()
	w.diff("held back", 1, len(list))
	w.must(c.ConfirmPending(ctx(), list[0].Key))
	w.diff("held back", 0, len(w.heldBack()))
	if err := c.ConfirmPending(ctx(), list[0].Key); !errors.Is(err, scim.ErrMoved) {
		w.t.Errorf("second confirmation: %v, want ErrMoved", err)
	}
	w.wait(time.Hour)
}

// massByGroup is S97 for everything but members.
func massByGroup(w *world) {
	all := w.crew(5)
	w.role("R")
	w.role("Other")
	w.group("G", "R", all...)
	w.mark()
	w.wantRefused(w.send("DELETE", "/Groups/G", nil), http.StatusTooManyRequests, "", "5 of 5")
	w.wantRefused(w.send("PATCH", "/Groups/G", renameBody("Other")), http.StatusTooManyRequests, "", "5 of 5")
	w.app.Resolve = func(scim.RoleSource) ([]scim.Role, error) { return []scim.Role{{ID: "Other", Name: "Other"}}, nil }
	var refused *scim.Error
	if err := w.reconciler().RolesChanged(ctx()); !errors.As(err, &refused) || refused.Status != http.StatusTooManyRequests {
		w.t.Errorf("RolesChanged: %v", err)
	}
	w.app.Resolve = nil
	w.wantChanges()
	w.wantEvents("write held G", "write held G G") // what the client wants, and the report
	w.wantLink("G", "R")
	for _, u := range all {
		w.wantRoles(u, "R")
		w.wantLedger(u, "R group:G")
	}
	w.must(w.reconciler().ReleaseBreaker(ctx(), time.Minute))
	w.rename("G", "Other")
	w.wantRoles(all[0], "Other")
}

// pickLast chooses the role that comes last.
func pickLast(all []scim.Candidate) []scim.Role {
	return []scim.Role{all[len(all)-1].Role}
}

// createdAgain is S97 for a resource that does not exist.
func createdAgain(w *world) {
	r, s, other := scim.Role{ID: "R", Name: "R"}, scim.Role{ID: "S", Name: "S"}, scim.Role{ID: "Other", Name: "Other"}
	names := map[string][]scim.Role{"R": {r}, "S": {s}, "": {other}}
	w.standsFor(names)
	all := w.crew(8)
	w.group("G", "R", all...)
	w.mark()
	for range 3 {
		w.wantRefused(w.sendPost("/Groups", "", groupBody("S", all...)), http.StatusTooManyRequests, "", "8 of 8")
	}
	w.wantChanges()
	w.diff("events about what is held back", 1, len(slices.DeleteFunc(slices.Clone(w.events), func(e scim.Event) bool { return e.Kind != scim.WriteHeld })))
	w.wantRefused(w.send("PUT", "/Groups/G", groupBody("R")), http.StatusTooManyRequests, "", "8 of 8")
	names["R"] = names[""]
	if err := w.reconciler().RolesChanged(ctx()); err == nil {
		w.t.Errorf("RolesChanged is not held back")
	}
	held := []string{}
	for _, p := range w.heldBack() {
		held = append(held, fmt.Sprint(p.Resource.Type, " ", p.Resource.ID, p.Name, " ", p.Source))
	}
	w.diff("held back", []string{"Group S ", "Group G ", "Group G group:G"}, held)
	w.must(w.reconciler().ReleaseBreaker(ctx(), time.Minute))
	w.reportChange()
}

// massBySwitch is S97 for switches of the application.
func massBySwitch(w *world) {
	w.role("R")
	w.role("R2")
	all := make([]string, 8)
	for i := range all {
		all[i] = fmt.Sprint("u", i)
		w.post("/Users", all[i], with(profile(all[i]), "userType", "R2"))
	}
	w.group("G", "R", all...)
	release := func() { w.must(w.reconciler().ReleaseBreaker(ctx(), time.Minute)) }
	refused := func(roles ...string) {
		w.t.Helper()
		w.restart()
		w.mark()
		for range 2 {
			var is *scim.Error
			if err := w.reconciler().RolesChanged(ctx()); !errors.As(err, &is) || is.Status != http.StatusTooManyRequests {
				w.t.Errorf("RolesChanged: %v", err)
			}
		}
		w.wantChanges()
		w.diff("events", 1, len(w.events))
		w.diff("held back", 1, len(w.heldBack()))
		for _, u := range all {
			w.wantRoles(u, roles...)
		}
		release()
		w.reportChange()
		w.wait(2 * time.Minute)
	}
	w.roles.WithoutGroups = true
	refused("R", "R2")
	w.wantRoles(all[7], "R2")
	w.roles.WithoutGroups = false
	w.restart()
	w.reportChange()
	w.roles.Attributes = nil
	refused("R", "R2")
	w.wantRoles(all[7], "R")
	w.roles.Attributes = []string{"userType"}
	w.restart()
	w.reportChange()
	w.wantRoles(all[7], "R", "R2")
}

func ownGuardScenarios() []scenario {
	return []scenario{
		{name: "S97 the application's own guard",
			given:  "Guard refuses each plan that takes a role from more than 2 users; 4 users in G→R",
			when:   "one is removed; all are; G is renamed, deleted, or stands for another role; all are deactivated",
			then:   "The first and the last pass. The others are refused with the guard's error, and nothing is stored.",
			reason: "the guard sees the whole plan before any of it is done",
			run:    ownGuard},
		{name: "S97 the application's guard and the end of a pause",
			given:  "a pause; U and V are added to G→R; a guard of the application",
			when:   "the pause ends, reported, and the guard refuses; then it allows, reported",
			then:   "The first report returns the guard's error, and nobody holds R. After the second one both do. The guard sees one plan each time.",
			reason: "while the write was judged it gave nothing",
			run: func(w *world) {
				w.role("R")
				w.user("U", "V")
				w.group("G", "R")
				w.pause(true)
				w.add("G", "U", "V")
				w.roles.Paused = false
				var users []int
				refusal := error(&scim.Error{Status: http.StatusConflict, Detail: "no"})
				w.guard(func(_ context.Context, p *scim.RolePlan) error {
					users = append(users, p.Users)
					return refusal
				})
				err := w.reconciler().RolesChanged(ctx())
				if e := new(scim.Error); !errors.As(err, &e) || e.Status != http.StatusConflict {
					w.t.Errorf("RolesChanged: %v", err)
				}
				w.wantRoles("U")
				refusal = nil
				w.reportChange()
				w.wantRoles("U", "R")
				w.wantRoles("V", "R")
				w.diff("users of the plans", []int{2, 2}, users)
			}},
		{name: "S97 the application's guard reads every change",
			given:  "Guard adds up the changes of each plan; 2,500 users",
			when:   "they are pushed in one group, which is then deleted",
			then:   "Each plan has all changes, once, also beyond one batch.",
			reason: "a plan may be longer than memory",
			run:    longPlans},
		{name: "S97 a guard that fails",
			given:  "Guard returns an error that is no *Error, then panics",
			when:   "a member is added",
			then:   "500 each time, and nothing is stored.",
			reason: "an error is not an answer",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.group("G", "R")
				w.mark()
				for _, fail := range []func() error{func() error { return errors.New("broken") }, func() error { panic("broken") }} {
					w.guard(func(context.Context, *scim.RolePlan) error { return fail() })
					w.wantRefused(w.send("PATCH", "/Groups/G", patchBody(addOp("U"))), http.StatusInternalServerError, "")
				}
				w.wantMembers("G")
				w.wantRoles("U")
				w.wantEvents()
				w.guard(nil)
				w.add("G", "U")
				w.wantRoles("U", "R")
			}},
		{name: "S97 the application's guard and an adopted or created group",
			given:  "Guard refuses everything; PickHeaviest; U holds Viewer",
			when:   "a group that gives U Admin in its place is created",
			then:   "It is refused, and the group does not exist.",
			reason: "a creation takes roles too",
			roles:  scim.Roles{Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.role("Viewer", 10)
				w.role("Admin", 30)
				w.user("U")
				w.group("G1", "Viewer", "U")
				w.guard(func(_ context.Context, p *scim.RolePlan) error {
					return &scim.Error{Status: http.StatusConflict, Detail: "not now"}
				})
				w.wantRefused(w.sendPost("/Groups", "G2", groupBody("Admin", "U")), http.StatusConflict, "", "not now")
				w.diff("status", http.StatusNotFound, w.send("GET", "/Groups/G2", nil).status)
				w.wantRoles("U", "Viewer")
				w.guard(nil)
			}},
	}
}

// guard sets the application's guard. nil: there is none.
func (w *world) guard(fn func(ctx context.Context, p *scim.RolePlan) error) {
	w.t.Helper()
	w.roles.Guard = fn
	w.restart()
}

// ownGuard is S97 with a guard of the application.
func ownGuard(w *world) {
	all := w.crew(4)
	w.role("R")
	w.role("Other")
	w.group("G", "R", all...)
	var seen []string
	note := func(ctx context.Context, line string) {
		if !scim.IsPreview(ctx) {
			seen = append(seen, line)
		}
	}
	w.guard(func(ctx context.Context, p *scim.RolePlan) error {
		line := fmt.Sprint(p.Cause, " ", p.Resource.ID, " ", p.Source)
		for _, c := range p.Roles {
			line += fmt.Sprintf(" %s +%d -%d", c.Role.ID, c.Grants, c.Revokes)
			if c.Revokes > 2 {
				note(ctx, line)
				return &scim.Error{Status: http.StatusConflict, Detail: "ask the administrator"}
			}
		}
		note(ctx, line)
		return nil
	})
	w.remove("G", all[0])
	w.add("G", all[0])
	refused := func(r reply) {
		w.t.Helper()
		w.wantRefused(r, http.StatusConflict, "", "ask the administrator")
	}
	w.mark()
	refused(w.send("PUT", "/Groups/G", groupBody("R")))
	refused(w.send("PATCH", "/Groups/G", renameBody("Other")))
	refused(w.send("DELETE", "/Groups/G", nil))
	w.app.Resolve = func(scim.RoleSource) ([]scim.Role, error) { return []scim.Role{{ID: "Other", Name: "Other"}}, nil }
	var is *scim.Error
	if err := w.reconciler().RolesChanged(ctx()); !errors.As(err, &is) || is.Status != http.StatusConflict {
		w.t.Errorf("RolesChanged: %v", err)
	}
	w.app.Resolve = nil
	w.wantChanges()
	w.wantEvents()
	w.wantMembers("G", all...)
	w.wantLink("G", "R")
	for _, u := range all {
		w.wantRoles(u, "R")
		w.wantLedger(u, "R group:G")
		w.deactivate(u)
		w.wantRoles(u)
	}
	w.diff("plans", []string{"write G  R +0 -1", "write G  R +1 -0", "write G  R +0 -4", "write G  Other +4 -0 R +0 -4", "delete G  R +0 -4",
		"report G group:G Other +4 -0 R +0 -4"}, seen)
}

// longPlans is S97 with plans of several batches.
func longPlans(w *world) {
	all := w.many(w.size(2500, 1100))
	w.role("R")
	var plans []string
	w.guard(func(ctx context.Context, p *scim.RolePlan) error {
		grants, revokes, last := 0, 0, ""
		for c, err := range p.Changes(ctx) {
			if err != nil {
				return err
			}
			if c.UserID <= last {
				w.t.Errorf("%s comes after %s", c.UserID, last)
			}
			grants, revokes, last = grants+len(c.Grant), revokes+len(c.Revoke), c.UserID
		}
		plans = append(plans, fmt.Sprint(p.Users, p.Roles, " ", grants, revokes))
		return nil
	})
	w.group("G", "R", all...)
	w.deleteGroup("G")
	n := len(all)
	role := "{R R  0 false} "
	w.diff("plans", []string{fmt.Sprintf("%d [{%s%d 0}] %d 0", n, role, n, n), fmt.Sprintf("%d [{%s0 %d}] 0 %d", n, role, n, n)}, plans)
	w.diff("holders", []string{}, w.app.Holders("R"))
}

func seatScenarios() []scenario {
	return []scenario{
		{name: "S117 seats",
			given:  "3 seats, U, V and W active, X inactive",
			when:   "a user is created active, X comes back; W is deactivated, X comes back; two at a time, again and again",
			then:   "Refused with 403 and the number. Then X gets the seat of W. Exactly one of two gets the last seat.",
			reason: "products sell seats", servers: true,
			run: seats},
	}
}

// seats is S117.
func seats(w *world) {
	w.user("U", "V", "W")
	w.post("/Users", "X", with(profile("X"), "active", false))
	w.seats = 3
	w.parallel()
	w.wantRefused(w.sendPost("/Users", "Y", profile("Y")), http.StatusForbidden, "", "active", "3 seats")
	w.wantRefused(w.send("PATCH", "/Users/X", activeBody(true)), http.StatusForbidden, "", "3 seats")
	w.do("PUT", "/Users/U", profile("U"))
	w.post("/Users", "Z", with(profile("Z"), "active", false))
	w.deactivate("W")
	w.activate("X")
	w.deactivate("X")
	for range w.size(200, 20) {
		var status [2]int
		testhost.Parallel(2, func(i int) { status[i] = w.send("PATCH", "/Users/"+[]string{"X", "W"}[i], activeBody(true)).status })
		slices.Sort(status[:])
		w.diff("answers", [2]int{http.StatusOK, http.StatusForbidden}, status)
		w.deactivate("X")
		w.deactivate("W")
	}
}
