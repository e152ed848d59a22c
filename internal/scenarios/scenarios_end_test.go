package scenarios

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/scimkit/scim"
)

// endScenarios are S45.
func endScenarios() []scenario {
	roles := scim.Roles{Attributes: []string{"roles"}}
	return []scenario{
		{name: "S45 SCIM ends, and users keep their roles",
			given:  "U in G→R, H in G with R by hand too, P waits for the protected role of G2, A's attribute names S",
			when:   "End keeps the roles; then all roles of groups are by hand; then SCIM begins again with a removal and a new member",
			then:   "Nobody loses a role. The ledger has nothing of the tenant. What is given later follows the sources again.",
			reason: "an outage as a side effect would be wrong", roles: roles,
			run: endAndKeep},
		{name: "S45 SCIM ends, and what it gave is revoked",
			given:  "as before",
			when:   "End revokes the roles",
			then:   "U and A hold nothing. H keeps R by hand. The ledger has nothing of the tenant.",
			reason: "as the deletion of every group and attribute", roles: roles,
			run: func(w *world) {
				w.beforeEnd()
				w.mark()
				w.end(scim.EndRevoke)
				w.wantRoles("U")
				w.wantRoles("A")
				w.wantRoles("H", "R")
				w.wantNothingLeft()
				w.wantEvents("role revoked U R G", "role revoked A S attr:roles", "role retained H R G")
				w.all()
				w.wantRoles("U")
			}},
		{name: "S45 while SCIM ends",
			given:  "End has begun to revoke, and the ledger still has grants",
			when:   "clients add members, users with roles and groups; the application reconciles, and asks for the other end",
			then:   "Each answer is 503, nothing is granted, and Explain says that roles leave. End goes on.",
			reason: "the end must not race with the beginning", roles: roles,
			run: whileEnding},
		{name: "S45 a request that runs when the end begins",
			given:  "a request has read what U holds, and is about to record a grant",
			when:   "End begins meanwhile",
			then:   "End waits for the request, and takes what it gave.",
			reason: "nothing of the tenant may be left",
			run:    endWaits},
		{name: "S45 the last holder of a role when SCIM ends",
			given:  "KeepLastHolder; U and V hold Admin, which is protected and confirmed, through G; the breaker lets nobody lose a role",
			when:   "End revokes the roles",
			then:   "One of them keeps Admin, as if it was given by hand. The breaker does not count. Nothing is left in the ledger.",
			reason: "a person has decided about all, but the way back in must not be lost",
			roles:  scim.Roles{KeepLastHolder: true, Breaker: &scim.Breaker{Share: 0.01, Minimum: 1}},
			run: func(w *world) {
				w.protectedRole("Admin")
				w.user("U", "V")
				w.group("G", "Admin", "U", "V")
				w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Admin"}))
				w.end(scim.EndRevoke)
				w.diff("holders", 1, len(w.app.Holders("Admin")))
				w.wantNothingLeft()
				w.wantExplain(w.app.Holders("Admin")[0], "Admin by hand")
			}},
		{name: "S45 SCIM ends while a removal is unfinished",
			given:  "U, V in G→R, W in G and in G2, which gives nothing; ChangeRoles fails while a client removes U and W from G",
			when:   "End keeps the roles, and ChangeRoles still fails; then ChangeRoles works again, and End goes on",
			then:   "End is an error, and the removal stays unfinished. At the end only V holds R.",
			reason: "a role that a client has taken must not become one that is given by hand",
			kinds:  []string{separate, bare}, only: "roles commit with the store, so no removal is unfinished",
			run: endWhileUnfinished},
		{name: "S45 a removal whose roles are not changed yet when the end begins",
			given:  "U in G→R and in G2, which gives nothing; a client removes U from G",
			when:   "End begins to keep the roles when the store has committed the removal, and goes on after its answer",
			then:   "The answer is 503, and End revokes R.",
			reason: "a role that a client has taken must not become one that is given by hand",
			kinds:  []string{separate}, only: "elsewhere a removal is one step, or takes the roles first",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.group("G", "R", "U")
				w.group("G2", "nothing", "U")
				w.servers(2)
				w.step = func(op string) {
					if op == "committed" {
						w.step = nil
						_, err := w.reconciler().End(ctx(), scim.EndKeep)
						w.must(err)
					}
				}
				w.diff("status of the removal", http.StatusServiceUnavailable, w.send("PATCH", "/Groups/G", patchBody(removeOp("U"))).status)
				w.wantRoles("U", "R")
				w.end(scim.EndKeep)
				w.wantRoles("U")
				w.wantNothingLeft()
			}},
		{name: "S45 SCIM ends while a report is unfinished",
			given:  "U in G→A, V in H→B; both names mean new roles, and a report ends when it has looked at both groups",
			when:   "End keeps the roles",
			then:   "U and V hold the new roles, by hand, and not the former ones.",
			reason: "the links say already what users are to hold",
			run: func(w *world) {
				w.halfReported()
				w.end(scim.EndKeep)
				w.wantLeft("new A", "new B")
			}},
		{name: "S45 SCIM ends with revocations while a report is unfinished",
			given:  "as before",
			when:   "End revokes the roles",
			then:   "U and V hold nothing, and are given nothing on the way.",
			reason: "what SCIM is to take it need not give before",
			run: func(w *world) {
				w.halfReported()
				w.mark()
				w.end(scim.EndRevoke)
				w.wantEvents("role revoked U A G", "role revoked V B H")
				w.wantNothingLeft()
				w.wantRoles("U")
				w.wantRoles("V")
			}},
		{name: "S45 SCIM ends with revocations although a report has left a source out",
			given:  "U in G→R; a report fails for G, because its role cannot be looked up",
			when:   "End revokes the roles, and the look-up still fails",
			then:   "End comes to its end. U holds nothing.",
			reason: "what the source would stand for does not matter",
			run: func(w *world) {
				w.damagedReport()
				w.end(scim.EndRevoke)
				w.wantNothingLeft()
				w.wantRoles("U")
			}},
		{name: "S45 SCIM ends although a report has left a source out, and a guard judges",
			given:  "as before; G means S now, and Guard refuses each plan that gives S",
			when:   "End keeps the roles until it is an error; the look-up works, and End goes on; the guard allows S, and End goes on",
			then:   "The errors say what is in the way, and U holds R alone. Then U holds S, by hand.",
			reason: "the end neither goes round a guard nor stands in its own way",
			run: func(w *world) {
				look := w.damagedReport()
				_, allow := w.plans("S")
				for _, why := range []string{"damaged", "ask the administrator"} {
					var failed error
					for range 3 {
						isDone, err := w.reconciler().End(ctx(), scim.EndKeep)
						if failed = err; isDone {
							w.t.Fatalf("SCIM has ended, although a source is left out")
						}
					}
					if failed == nil || !strings.Contains(failed.Error(), why) {
						w.t.Errorf("End: %v, want an error that says %q", failed, why)
					}
					w.wantRoles("U", "R")
					look()
				}
				allow()
				w.end(scim.EndKeep)
				w.wantNothingLeft()
				w.wantRoles("U", "S")
			}},
		{name: "S45 one user's roles cannot be changed when SCIM ends",
			given:  "more users than two batches in G→A, V in H→B; the roles of the first user of G cannot be changed",
			when:   "End revokes the roles until it is an error, again and again; then the user's roles can be changed, and End goes on",
			then:   "The error names the user, who is unfinished, when all others have lost their roles. Then the user loses them too.",
			reason: "one user must not keep all others from losing their roles",
			run: func(w *world) {
				x, last := w.beforeOneFails()
				repair := w.unchangeable(x)
				for range 2 {
					var err error
					for calls := 0; err == nil && calls < 10; calls++ {
						var isDone bool
						if isDone, err = w.reconciler().End(ctx(), scim.EndRevoke); isDone {
							w.t.Fatalf("SCIM has ended, although %s holds A", x)
						}
					}
					w.wantLeftOut(err, x)
					for user, roles := range map[string][]string{x: {"A"}, last: {}, "V": {}} {
						w.wantRoles(user, roles...)
					}
				}
				repair()
				w.end(scim.EndRevoke)
				w.wantRoles(x)
				w.wantNothingLeft()
			}},
		{name: "S45 crash at every call of the end",
			given:  "as before; some users keep their roles, in another world they lose them",
			when:   "the process dies at any call of End, and the application calls End again",
			then:   "End comes to its end, with the same outcome.",
			reason: "a person has decided, and nobody watches until the end", roles: roles,
			run: func(w *world) {
				for _, how := range []scim.EndHow{scim.EndKeep, scim.EndRevoke} {
					crashAtEnd(w, how)
				}
			}},
	}
}

// beforeEnd is the state in which SCIM ends.
func (w *world) beforeEnd() {
	w.t.Helper()
	w.role("R")
	w.role("S")
	w.protectedRole("P")
	w.user("U", "H", "P")
	w.byHand("H", "R")
	w.group("G", "R", "U", "H")
	w.group("G2", "P", "P")
	w.userNamed("A", "S")
	w.must(w.reconciler().Distrust(ctx(), scim.DistrustKeep, "G2"))
}

// end calls End until it is done.
func (w *world) end(how scim.EndHow) {
	w.t.Helper()
	for range 20 {
		isDone, err := w.reconciler().End(ctx(), how)
		w.must(err)
		if isDone {
			return
		}
	}
	w.t.Fatalf("End never comes to its end")
}

// wantNothingLeft checks that the ledger has nothing of the tenant.
func (w *world) wantNothingLeft() {
	w.t.Helper()
	l := w.ledger.(listingLedger)
	users, err := l.UsersWithGrants(ctx(), "", 10)
	w.must(err)
	w.diff("users with grants", []string{}, users)
	links, err := l.AllLinks(ctx(), "", 10)
	w.must(err)
	w.diff("links", []scim.Link{}, links)
}

func endAndKeep(w *world) {
	w.beforeEnd()
	w.mark()
	w.end(scim.EndKeep)
	w.wantChanges()
	w.wantEvents()
	w.wantRoles("U", "R")
	w.wantRoles("A", "S")
	w.wantRoles("P")
	w.wantExplain("U", "R by hand")
	w.wantNothingLeft()
	w.remove("G", "U")
	w.wantRoles("U", "R")
	w.user("N")
	w.add("G", "N")
	w.wantRoles("N", "R")
	w.wantExplain("H", "R both group:G")
	w.remove("G", "N")
	w.wantRoles("N")
	w.end(scim.EndRevoke)
	w.wantRoles("H", "R")
	w.wantNothingLeft()
}

func endWhileUnfinished(w *world) {
	w.role("R")
	w.user("U", "V", "W")
	w.group("G", "R", "U", "V", "W")
	w.group("G2", "nothing", "W")
	works := w.app.Fail
	w.app.Fail = func(op string) error {
		if op == "change" {
			return errors.New("down")
		}
		return nil
	}
	w.diff("status of a removal", 500, w.send("PATCH", "/Groups/G", patchBody(removeOp("U"), removeOp("W"))).status)
	for range 2 {
		var err error
		for range 5 {
			var isDone bool
			if isDone, err = w.reconciler().End(ctx(), scim.EndKeep); isDone {
				w.t.Fatalf("SCIM has ended, although a removal is unfinished")
			}
		}
		if err == nil {
			w.t.Errorf("End does not say that it goes no further")
		}
		w.wantPending("unfinished G U,W")
		w.wantRoles("U", "R")
		w.restart()
	}
	w.app.Fail = works
	w.mark()
	w.end(scim.EndKeep)
	w.wantEvents("role revoked U R G", "role revoked W R G")
	w.wantNothingLeft()
	w.wantRoles("U")
	w.wantRoles("V", "R")
	w.wantRoles("W")
}

// halfReported is the state after the first half of a report.
func (w *world) halfReported() {
	w.t.Helper()
	w.role("A")
	w.role("B")
	w.user("U", "V")
	w.group("G", "A", "U")
	w.group("H", "B", "V")
	w.app.Resolve = func(src scim.RoleSource) ([]scim.Role, error) {
		return []scim.Role{{ID: "new " + src.Name(), Name: src.Name()}}, nil
	}
	w.app.Put(scim.Role{ID: "new A", Name: "new A"})
	w.app.Put(scim.Role{ID: "new B", Name: "new B"})
	after := ""
	for !strings.HasPrefix(after, "left") {
		next, err := w.reconciler().RolesChangedFrom(ctx(), after)
		w.must(err)
		after = next
	}
	w.wantRoles("U", "A")
	w.restart()
}

// damagedReport is a report that leaves out G, which gives U the role R and then means S. After
// look the application can say so.
func (w *world) damagedReport() (look func()) {
	w.t.Helper()
	w.role("R")
	w.role("S")
	w.user("U")
	w.group("G", "R", "U")
	isDamaged := true
	w.app.Resolve = func(scim.RoleSource) ([]scim.Role, error) {
		if isDamaged {
			return nil, errors.New("damaged")
		}
		return []scim.Role{{ID: "S", Name: "S"}}, nil
	}
	if err := w.reportError(); err == nil {
		w.t.Errorf("the report does not fail")
	}
	return func() { isDamaged = false }
}

// wantLeft checks what U and V hold when SCIM has ended.
func (w *world) wantLeft(u, v string) {
	w.t.Helper()
	w.wantNothingLeft()
	w.wantRoles("U", u)
	w.wantRoles("V", v)
}

func whileEnding(w *world) {
	w.beforeEnd()
	w.user("N")
	isDone, err := w.reconciler().End(ctx(), scim.EndRevoke)
	w.must(err)
	w.diff("done", false, isDone)
	w.mark()
	for what, r := range map[string]reply{
		"a new member": w.send("PATCH", "/Groups/G", patchBody(addOp("N"))),
		"a new user":   w.sendPost("/Users", "M", userWithRoles("M", "S")),
		"a read":       w.send("GET", "/Users/U", nil),
		"a list":       w.send("PUT", "/Groups/G", groupBody("R", "U", "N")),
	} {
		if r.status != http.StatusServiceUnavailable {
			w.t.Errorf("%s: %d %s, want 503", what, r.status, r.detail())
		}
	}
	w.wantChanges()
	w.wantExplain("U", "R leaving")
	w.wantExplain("H", "R by hand")
	if err := w.reconciler().Users(ctx(), "U"); err == nil {
		w.t.Errorf("users are reconciled while SCIM ends")
	}
	if _, err := w.reconciler().End(ctx(), scim.EndKeep); err == nil {
		w.t.Errorf("an end that revokes becomes one that keeps")
	}
	if _, err := w.reconciler().End(ctx(), ""); err == nil {
		w.t.Errorf("End needs no decision")
	}
	w.end(scim.EndRevoke)
	w.wantNothingLeft()
	w.wantRoles("U")
	w.wantRoles("N")
	w.do("GET", "/Users/U", nil)
}

func endWaits(w *world) {
	w.role("R")
	w.user("U")
	w.group("G", "R")
	w.servers(2)
	began, goOn := w.stopAt("Record")
	var wg sync.WaitGroup
	wg.Go(func() { w.send("PATCH", "/Groups/G", patchBody(addOp("U"))) }) // a separate role comes after the commit, and is 503
	<-began
	begun := make(chan error, 1)
	wg.Go(func() {
		_, err := w.reconciler().End(ctx(), scim.EndRevoke)
		begun <- err
	})
	select {
	case err := <-begun:
		w.t.Errorf("End begins beside a request that grants: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(goOn)
	wg.Wait()
	w.step = nil
	w.end(scim.EndRevoke)
	w.wantRoles("U")
	w.wantNothingLeft()
}

// crashAtEnd kills the process at each call of End in turn.
func crashAtEnd(w *world, how scim.EndHow) {
	for nth := 1; ; nth += w.size(1, 5) {
		v := w.world(w.t, w.roles)
		v.beforeEnd()
		died := v.dies("", nth, func() {
			defer func() {
				if p := recover(); p != nil && fmt.Sprint(p)[:15] != "the process die" {
					panic(p)
				}
			}()
			for isDone := false; !isDone; {
				var err error
				if isDone, err = v.reconciler().End(ctx(), how); err != nil {
					return
				}
			}
		})
		if died {
			v.end(how)
		}
		v.wantNothingLeft()
		if how == scim.EndKeep {
			v.wantRoles("U", "R")
			v.wantRoles("A", "S")
		} else {
			v.wantRoles("U")
			v.wantRoles("A")
		}
		v.wantRoles("H", "R")
		if !died {
			return
		}
	}
}
