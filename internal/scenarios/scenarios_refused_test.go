package scenarios

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// refusing is a store without transactions that refuses some writes.
type refusing struct {
	scim.Store
	update, delete error
	deactivate     func() error
}

func (r *refusing) Volatile() {}

func (r *refusing) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	if r.update != nil {
		return nil, r.update
	}
	return r.Store.Update(ctx, ref, fn)
}

func (r *refusing) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	if r.delete != nil {
		return r.delete
	}
	return r.Store.Delete(ctx, ref, check)
}

func (r *refusing) Deactivate(context.Context, *scim.Resource) error {
	if r.deactivate == nil {
		return nil
	}
	return r.deactivate()
}

// refusingEdge is the same with transactions.
type refusingEdge struct {
	*edgeStore
	err error
}

func (r *refusingEdge) Delete(context.Context, scim.Ref, func(*scim.Resource) error) error {
	return r.err
}

// down makes ChangeRoles fail while yes is set.
func (w *world) down(yes *bool) {
	w.app.Fail = func(op string) error {
		if op == "change" && *yes {
			return errors.New("down")
		}
		return nil
	}
}

// A write that the store refuses must not revoke any role.
func TestRefusedWritesTakeNothing(t *testing.T) {
	t.Run("rename", func(t *testing.T) {
		w := newWorld(t, bare, scim.Roles{})
		w.role("R")
		w.user("U")
		w.group("G", "R", "U")
		st := &refusing{Store: w.store, update: scim.Conflict("displayName")}
		w.store = st
		w.restart()
		w.diff("rename", 409, w.send("PATCH", "/Groups/G", renameBody("T")).status)
		w.wantLink("G", "R")
		w.wantRoles("U", "R")
	})
	t.Run("deactivation with a taken userName", func(t *testing.T) {
		w := newWorld(t, bare, scim.Roles{})
		w.role("R")
		w.user("U", "V")
		w.group("G", "R", "U")
		b := profile("V")
		b["active"] = false
		w.diff("PUT", 409, w.send("PUT", "/Users/U", b).status)
		w.wantRoles("U", "R")
	})
	for _, kind := range []string{bare, separate} {
		t.Run("deletion/"+kind, func(t *testing.T) {
			w := newWorld(t, kind, scim.Roles{})
			w.role("R")
			w.role("H")
			w.user("U")
			w.byHand("U", "H")
			w.group("G", "R", "U")
			no := &scim.Error{Status: 403, Detail: "not through SCIM"}
			if kind == bare {
				w.store = &refusing{Store: w.store, delete: no}
			} else {
				w.store = &refusingEdge{w.store.(*edgeStore), no}
			}
			w.restart()
			w.diff("user", 403, w.send("DELETE", "/Users/U", nil).status)
			w.diff("group", 403, w.send("DELETE", "/Groups/G", nil).status)
			w.wantRoles("U", "R", "H")
			w.wantMembers("G", "U")
			w.wantLink("G", "R")
		})
	}
}

// After a failed request the client must be able to complete it by repetition.
func TestFailedWritesAreCompletedByRepetition(t *testing.T) {
	for _, kind := range []string{bare, separate} {
		t.Run("new group/"+kind, func(t *testing.T) {
			w := newWorld(t, kind, scim.Roles{})
			w.role("R")
			w.user("U")
			failing := true
			w.down(&failing)
			w.diff("first", 500, w.sendPost("/Groups", "G1", groupBody("R", "U")).status)
			w.diff("groups", any(0.0), w.do("GET", "/Groups", nil).body["totalResults"])
			failing = false
			w.diff("second", 201, w.sendPost("/Groups", "G2", groupBody("R", "U")).status)
			w.wantRoles("U", "R")
			w.do("DELETE", "/Groups/G2", nil)
			w.all()
			w.wantRoles("U") // no orphan gives the role for ever
		})
		t.Run("PUT that drops a member/"+kind, func(t *testing.T) {
			w := newWorld(t, kind, scim.Roles{})
			w.role("R")
			w.user("U", "V")
			w.group("G", "R", "U", "V")
			failing := true
			w.down(&failing)
			w.diff("first", 500, w.send("PUT", "/Groups/G", groupBody("R", "U")).status)
			w.diff("again", 500, w.send("PUT", "/Groups/G", groupBody("R", "U")).status)
			failing = false
			w.diff("at last", 200, w.send("PUT", "/Groups/G", groupBody("R", "U")).status)
			w.wantRoles("V")
		})
		t.Run("client hangs up after the commit/"+kind, func(t *testing.T) {
			w := newWorld(t, kind, scim.Roles{})
			w.role("R")
			w.user("U")
			w.group("G", "R", "U")
			c, cancel := context.WithCancel(ctx())
			at := map[string]string{separate: "committed", bare: "Updated"}[kind]
			hit := false
			w.step = func(op string) {
				if op == at {
					hit = true
					cancel()
				}
			}
			body := `{"Operations":[{"op":"replace","value":{"active":false}}]}`
			w.h[0].ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("PATCH", "/Users/U", strings.NewReader(body)).WithContext(c))
			w.step = nil
			w.diff("hung up", true, hit)
			w.wantRoles("U")
			w.wantLedger("U")
		})
	}
	t.Run("sessions that could not be ended", func(t *testing.T) {
		w := newWorld(t, bare, scim.Roles{})
		w.user("U")
		calls, ended := 0, false
		w.store = &refusing{Store: w.store, deactivate: func() error {
			if calls++; calls == 1 {
				return errors.New("down")
			}
			ended = true
			return nil
		}}
		w.restart()
		w.diff("first", 500, w.send("PATCH", "/Users/U", activeBody(false)).status)
		w.diff("second", 200, w.send("PATCH", "/Users/U", activeBody(false)).status)
		w.diff("ended", true, ended)
	})
}

// A ledger outside the store's transactions never has grants of a rolled back write.
func TestLedgerOfItsOwn(t *testing.T) {
	app := testhost.NewRoles()
	h := testhost.New(t, scim.Config{Store: memory.New(), Roles: &scim.Roles{Resolver: app, Ledger: memory.NewLedger()}})
	u := testhost.Create(t, h, "/Users", `{"userName":"a"}`)
	g := testhost.Create(t, h, "/Groups", `{"displayName":"Editor","members":[{"value":"`+u+`"}]}`)
	if got := app.Of(u); len(got) != 1 {
		t.Fatalf("roles %v", got)
	}
	failing := true
	app.Fail = func(op string) error {
		if op == "change" && failing {
			return errors.New("down")
		}
		return nil
	}
	const empty = `{"Operations":[{"op":"remove","path":"members"}]}`
	if res := testhost.Do(t, h, "PATCH", "/Groups/"+g, empty); res.StatusCode != 500 {
		t.Errorf("first: %d", res.StatusCode)
	}
	failing = false
	if res := testhost.Do(t, h, "PATCH", "/Groups/"+g, empty); res.StatusCode != 204 {
		t.Errorf("second: %d", res.StatusCode)
	}
	if got := app.Of(u); len(got) != 0 {
		t.Errorf("keeps %v", got)
	}
}

// When a user is deactivated, a protected role must wait even if a heavier role had
// displaced it.
func TestProtectedRoleBehindAHeavierOneWaits(t *testing.T) {
	for _, kind := range []string{joint, separate, bare} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, kind, scim.Roles{Pick: scim.PickHeaviest})
			w.app.Put(scim.Role{ID: "Owner", Name: "Owner", Protected: true, Weight: 30})
			w.role("Super", 40)
			w.user("U")
			w.group("G1", "Owner", "U")
			w.must(w.reconciler().Confirm(ctx(), "G1", scim.Role{ID: "Owner"}))
			w.group("G2", "Super", "U")
			w.wantRoles("U", "Super")
			w.deactivate("U")
			w.activate("U")
			w.remove("G2", "U")
			w.wantRoles("U")
			w.add("G1", "U") // the client names the member again
			w.wantRoles("U", "Owner")
		})
	}
}

// Confirm confirms the role that the administrator saw. It fails if a client has changed
// the link since.
func TestConfirmIsOfARole(t *testing.T) {
	w := newWorld(t, joint, scim.Roles{})
	w.protectedRole("Auditor")
	w.protectedRole("Owner")
	w.user("U")
	w.group("G", "Auditor", "U")
	w.rename("G", "Owner")
	if err := w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Auditor"}); err == nil {
		t.Error("the link to another role is confirmed")
	}
	w.wantRoles("U")
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Owner"}))
	w.wantRoles("U", "Owner")
}

// The application's calls and a client's rename of a group run one after the other.
func TestRenameWaitsForTheReconciler(t *testing.T) {
	calls := map[string]func(w *world) error{
		"RolesChanged":      func(w *world) error { return w.reconciler().RolesChanged(ctx()) },
		"GroupRolesChanged": func(w *world) error { return w.reconciler().GroupRolesChanged(ctx(), "G") },
		"Confirm":           func(w *world) error { return w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "A"}) },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, bare, scim.Roles{})
			w.protectedRole("A")
			w.role("B")
			w.user("U")
			w.group("G", "A", "U")
			w.app.Put(scim.Role{ID: "A", Name: "A", Protected: true, Weight: 5})
			started, goOn := make(chan bool), make(chan bool)
			first := true
			marks := 0 // a report first leaves its mark, which is a link too
			if name == "RolesChanged" {
				marks = 1
			}
			w.step = func(op string) {
				if op == "SetLink" && marks > 0 {
					marks--
				} else if op == "SetLink" && first {
					first = false
					close(started)
					<-goOn
				}
			}
			done, renamed := make(chan error), make(chan bool)
			go func() { done <- call(w) }()
			<-started
			go func() { w.rename("G", "B"); close(renamed) }()
			select {
			case <-renamed:
				t.Error("the rename did not wait")
			case <-time.After(50 * time.Millisecond):
			}
			close(goOn)
			w.must(<-done)
			<-renamed
			w.wantLink("G", "B")
			w.wantRoles("U", "B")
		})
	}
}

// RolesChanged also completes what an earlier write left open. There too the application has
// reported that its roles changed.
func TestRolesChangedCompletesWithReportedRoles(t *testing.T) {
	for _, kind := range []string{bare, separate} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, kind, scim.Roles{Missing: scim.RefuseGroup})
			w.role("A")
			w.role("R")
			w.user("U")
			w.group("G", "A", "U")
			w.group("H", "R", "U")
			failing := true
			w.down(&failing)
			w.diff("removal", 500, w.send("PATCH", "/Groups/G", patchBody(removeOp("U"))).status)
			failing = false
			w.app.Drop("R")
			w.app.Put(scim.Role{ID: "new", Name: "R"})
			w.reportChange()
			w.wantLink("H", "new")
			w.wantRoles("U", "R")
		})
	}
}
