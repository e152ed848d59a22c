package scenarios

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// rowStore is a store whose transactions do not exclude each other, like a database that
// locks rows. Two that write different rows run at the same time. It has no rollback.
type rowStore struct{ steppedStore }

func (s *rowStore) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	s.w.at("InTx")
	return fn(ctx)
}

// besideRows makes a store that locks rows, and a ledger outside its transactions.
func besideRows(w *world) host {
	return host{store: &rowStore{steppedStore{testhost.NewBareStore(), w}}, ledger: &steppedLedger{memory.NewLedger(), w}}
}

// besideWriter makes a store with one writer at a time, like SQLite, and a ledger outside
// its transactions.
func besideWriter(w *world) host {
	h := inMemory(w)
	h.ledger = &steppedLedger{memory.NewLedger(), w}
	return h
}

// withNotes gives worlds a ledger beside the store that keeps notes.
func withNotes(in site) site {
	return func(w *world) host {
		h := in(w)
		h.ledger = newBareLedger(w)
		return h
	}
}

// calling is an application that calls the library within its own calls.
type calling struct {
	*testhost.Roles
	within func(ctx context.Context, op string)
}

func (c *calling) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	c.within(ctx, "HeldRoles")
	return c.Roles.HeldRoles(ctx, userIDs)
}

func (c *calling) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	c.within(ctx, "ChangeRoles")
	return c.Roles.ChangeRoles(ctx, changes)
}

// A call within a call of the application, with the context of that call, would wait for itself.
// It is an error, and the call around it goes on.
func TestCallsWithinCallsOfTheApplication(t *testing.T) {
	calls := map[string]func(ctx context.Context, r *scim.Reconciler) error{
		"Users of the same user": func(ctx context.Context, r *scim.Reconciler) error { return r.Users(ctx, "U") },
		"Users of another user":  func(ctx context.Context, r *scim.Reconciler) error { return r.Users(ctx, "V") },
		"Explain":                func(ctx context.Context, r *scim.Reconciler) error { _, err := r.Explain(ctx, "U"); return err },
		"GroupRolesChanged":      func(ctx context.Context, r *scim.Reconciler) error { return r.GroupRolesChanged(ctx, "G") },
		"ConfirmValue": func(ctx context.Context, r *scim.Reconciler) error {
			return r.ConfirmValue(ctx, "userType", "R", scim.Role{ID: "R"})
		},
		"GiveByHand": func(ctx context.Context, r *scim.Reconciler) error {
			return r.GiveByHand(ctx, "U", scim.Role{ID: "R"}, nil)
		},
		"TakeByHand": func(ctx context.Context, r *scim.Reconciler) error {
			_, err := r.TakeByHand(ctx, "U", scim.Role{ID: "R"}, nil)
			return err
		},
		"Distrust": func(ctx context.Context, r *scim.Reconciler) error { return r.Distrust(ctx, scim.DistrustKeep) },
		"End":      func(ctx context.Context, r *scim.Reconciler) error { _, err := r.End(ctx, scim.EndKeep); return err },
	}
	for name, site := range map[string]site{"least store": inMaps, "rows are locked": withNotes(besideRows), "one writer": withNotes(besideWriter)} {
		for call, fn := range calls {
			t.Run(name+"/"+call, func(t *testing.T) {
				w := setting{kind: bare, site: site}.world(t, scim.Roles{Attributes: []string{"userType"}})
				seen := map[string]bool{}
				w.roles.Resolver = &calling{w.app, func(ctx context.Context, op string) {
					if seen[op] {
						return
					}
					seen[op] = true
					if err := fn(ctx, w.reconciler()); err == nil || !strings.Contains(err.Error(), "within ChangeRoles") {
						t.Errorf("within %s: %v, want an error that says so", op, err)
					}
				}}
				w.restart()
				w.role("R")
				w.user("U", "V")
				within(t, func() { w.group("G", "R", "U") })
				w.wantRoles("U", "R")
				w.diff("calls", map[string]bool{"HeldRoles": true, "ChangeRoles": true}, seen)
			})
		}
	}
}

// The context of a call of the application may outlive the lock that the call was under.
func TestCallsAfterCallsOfTheApplication(t *testing.T) {
	w := newWorld(t, bare, scim.Roles{})
	var kept context.Context
	w.roles.Resolver = &calling{w.app, func(ctx context.Context, _ string) { kept = ctx }}
	w.restart()
	w.role("R")
	w.user("U")
	w.group("G", "R", "U")
	w.app.Take("U", "R")
	within(t, func() { w.must(w.reconciler().Users(context.WithoutCancel(kept), "U")) })
	w.wantRoles("U", "R")
}

// Who waits at the fence of a tenant goes on waiting no longer than the context lasts.
func TestFenceEndsWithContext(t *testing.T) {
	short := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	ends := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want the error of the context", what, err)
		}
	}
	for name, site := range map[string]site{"least store": inMaps, "rows are locked": withNotes(besideRows)} {
		t.Run(name, func(t *testing.T) {
			w := setting{kind: bare, site: site}.world(t, scim.Roles{})
			w.role("R")
			w.user("U", "V")
			w.group("G", "R", "U")
			w.app.Take("U", "R")
			began, goOn := w.stopAt("change")
			first := make(chan error, 1)
			go func() { first <- w.reconciler().Users(ctx(), "U") }()
			<-began
			within(t, func() {
				_, err := w.reconciler().End(short(), scim.EndRevoke)
				ends("End beside a reconciliation", err)
				ends("Distrust beside a reconciliation", w.reconciler().Distrust(short(), scim.DistrustKeep))
				w.must(w.reconciler().Users(ctx(), "V")) // both have stopped waiting
			})
			close(goOn)
			w.must(<-first)
			began, goOn = w.stopAt("SetLink")
			go func() { first <- w.reconciler().Distrust(ctx(), scim.DistrustKeep) }()
			<-began
			within(t, func() { // what follows a commit waits as long as Limits.Time, so ask
				_, err := w.reconciler().Explain(short(), "V")
				ends("Explain beside Distrust", err)
			})
			close(goOn)
			w.must(<-first)
		})
	}
}

// within fails if fn does not end.
func within(t *testing.T, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal(errStuck)
	}
}

// errStuck says that two operations wait for each other.
var errStuck = fmt.Errorf("they wait for each other")

// meet runs first until its n-th call of op. Then it runs second as far as possible, and
// then both to their end. It reports whether first came that far.
func meet(w *world, op string, n int64, first, second func() error) (met bool, err error) {
	var calls atomic.Int64
	reached, release := make(chan struct{}), make(chan struct{})
	w.step = func(at string) {
		if at == op && calls.Add(1) == n {
			close(reached)
			<-release
		}
	}
	run := func(fn func() error) chan error {
		done := make(chan error, 1)
		go func() { done <- fn() }()
		return done
	}
	ended := run(first)
	select {
	case err := <-ended:
		return false, err
	case <-reached:
	}
	other := run(second)
	select {
	case err := <-other:
		other <- err
	case <-time.After(50 * time.Millisecond): // second waits for first
	}
	close(release)
	for _, done := range []chan error{ended, other} {
		select {
		case e := <-done:
			if e != nil {
				err = e
			}
		case <-time.After(10 * time.Second):
			return true, errStuck
		}
	}
	return true, err
}

// A ledger outside the store locks no users, so the library locks them while it reads and
// records their grants. Two operations meet at every call of the application.
func TestLedgerBesideTheStore(t *testing.T) {
	byHand := func(w *world) error { return w.giveByHand("U", "R") }
	patch := func(op map[string]any) func(w *world) error {
		return func(w *world) error {
			if r := w.send("PATCH", "/Groups/G", patchBody(op)); r.status/100 != 2 {
				return fmt.Errorf("%d %s", r.status, r.detail())
			}
			return nil
		}
	}
	isMarked := func(w *world) {
		list, err := w.ledger.Grants(ctx(), []string{"U"})
		if w.must(err); len(list) != 1 || !list[0].ByHand {
			w.t.Errorf("the ledger has %+v, want one grant that is marked by hand", list)
		}
		w.wantRoles("U", "R")
	}
	for _, tt := range []struct {
		name, reason  string
		prepare       func(w *world)
		first, second func(w *world) error
		want          func(w *world)
	}{
		{"a request gives it, an administrator too", "the grant is new to the ledger",
			func(w *world) { w.role("R"); w.group("G", "R") },
			patch(addOp("U")), byHand, isMarked},
		{"a reconciliation gives it back, an administrator too", "the mark of the share that was taken back goes",
			func(w *world) { w.role("R"); w.group("G", "R", "U"); w.byHand("U", "R"); w.app.Take("U", "R") },
			func(w *world) error { return w.reconciler().Users(ctx(), "U") }, byHand, isMarked},
		{"the application confirms a group, and gives it", "a confirmation reconciles",
			func(w *world) { w.protectedRole("R"); w.group("G", "R", "U") },
			func(w *world) error { return w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "R"}) }, byHand, isMarked},
		{"the application confirms a value, and gives it", "a confirmation reconciles",
			func(w *world) {
				w.protectedRole("R")
				w.do("PATCH", "/Users/U", patchBody(map[string]any{"op": "replace", "path": "userType", "value": "R"}))
			},
			func(w *world) error { return w.reconciler().ConfirmValue(ctx(), "userType", "R", scim.Role{ID: "R"}) }, byHand, isMarked},
		{"an administrator gives it, and a request lets go", "it was given by hand before the group let go",
			func(w *world) { w.role("R"); w.group("G", "R", "U") },
			byHand, patch(removeOp("U")), func(w *world) { w.wantRoles("U", "R"); w.wantLedger("U") }},
		{"an administrator takes it, and a request gives it", "the hand-given share ends, whoever is first",
			func(w *world) { w.role("R"); w.group("G", "R"); w.byHand("U", "R") },
			func(w *world) error { _, err := w.takeByHand("U", "R"); return err }, patch(addOp("U")),
			func(w *world) { w.wantRoles("U", "R"); w.wantLedger("U", "R group:G") }},
		{"Explain, and a request gives it", "nobody gave it by hand",
			func(w *world) { w.role("R"); w.group("G", "R") },
			func(w *world) error {
				list, err := w.reconciler().Explain(ctx(), "U")
				for _, s := range list {
					if s.State == scim.StateByHand {
						w.t.Errorf("Explain says %v", s)
					}
				}
				return err
			}, patch(addOp("U")), func(w *world) { w.wantLedger("U", "R group:G") }},
	} {
		for name, site := range map[string]site{"rows are locked": besideRows, "one writer": besideWriter} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				for _, op := range []string{"InTx", "Grants", "held", "Record", "change", "changed"} {
					for n := int64(1); ; n++ {
						w := setting{kind: bare, site: site}.world(t, scim.Roles{Attributes: []string{"userType"}})
						w.user("U")
						tt.prepare(w)
						met, err := meet(w, op, n, func() error { return tt.first(w) }, func() error { return tt.second(w) })
						if err != nil {
							t.Fatalf("at call %d of %s: %v", n, op, err)
						}
						if w.step = nil; !met {
							break
						}
						if tt.want(w); t.Failed() {
							t.Fatalf("at call %d of %s: %s", n, op, tt.reason)
						}
					}
				}
			})
		}
	}
}

// A ledger beside the store takes no part in its rollbacks. So the link that a failed write has
// stored goes with the write: nobody gets a role through it later.
func TestFailedWritesLeaveNoLinks(t *testing.T) {
	remap := func(w *world) error {
		w.app.Resolve = func(scim.RoleSource) ([]scim.Role, error) { return []scim.Role{{ID: "Admin", Name: "Admin"}}, nil }
		defer func() { w.app.Resolve = nil }()
		return w.reconciler().RolesChanged(ctx())
	}
	for _, tt := range []struct {
		name    string
		prepare func(w *world)
		fails   func(w *world) error
	}{
		{"a group gets another name", func(w *world) { w.group("G", "R", "U") }, try("PATCH", "/Groups/G", renameBody("Admin"))},
		{"a group stands for another role", func(w *world) { w.group("G", "R", "U") }, remap},
		{"a value stands for another role", func(w *world) { w.do("PATCH", "/Users/U", valueBody("R")) }, remap},
		{"the application confirms", func(w *world) { w.protectedRole("Admin"); w.group("G", "Admin", "U") }, func(w *world) error {
			return w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Admin"})
		}},
	} {
		for _, why := range []string{"a guard refuses", "the commit fails"} {
			t.Run(tt.name+"/"+why, func(t *testing.T) {
				w := setting{kind: bare, site: withNotes(besideWriter)}.world(t, scim.Roles{Attributes: []string{"userType"}})
				st := &failingCommit{edgeStore: w.store.(*edgeStore)}
				w.store = st
				w.restart()
				w.role("Admin")
				w.role("R")
				w.user("U")
				tt.prepare(w)
				if why == "a guard refuses" {
					w.plans("Admin")
				} else {
					st.fails = true
				}
				if err := tt.fails(w); err == nil {
					t.Errorf("it does not fail")
				}
				st.fails = false
				w.guard(nil)
				w.all()
				if w.app.IDs("U")["Admin"] {
					t.Errorf("U holds Admin")
				}
			})
		}
	}
}

// failingCommit is a store whose transactions come to their end and then fail.
type failingCommit struct {
	*edgeStore
	fails bool
}

func (s *failingCommit) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	isOuter := ctx.Value(s) == nil
	return s.edgeStore.InTx(context.WithValue(ctx, s, true), func(ctx context.Context) error {
		if err := fn(ctx); err != nil || !s.fails || !isOuter {
			return err
		}
		return errDown()
	})
}

// A guard that calls the library with its context would wait for the locks of the write that it
// judges, if the store locks nothing itself.
func TestCallsWithinGuards(t *testing.T) {
	for name, site := range map[string]site{"least store": inMaps, "rows are locked": withNotes(besideRows), "one writer": withNotes(besideWriter)} {
		for _, op := range []string{"Guard", "HeldRoles"} {
			t.Run(name+"/"+op, func(t *testing.T) {
				w := setting{kind: bare, site: site}.world(t, scim.Roles{})
				w.role("R")
				w.user("U")
				w.group("G", "R")
				n := 0
				call := func(ctx context.Context, at string) {
					if at != op || n > 0 {
						return
					}
					n++
					if err := w.reconciler().GroupRolesChanged(ctx, "G"); err == nil || !strings.Contains(err.Error(), "within ChangeRoles") {
						t.Errorf("within %s: %v, want an error that says so", op, err)
					}
				}
				w.roles.Resolver = &calling{w.app, call}
				w.guard(func(ctx context.Context, _ *scim.RolePlan) error { call(ctx, "Guard"); return nil })
				within(t, func() { w.add("G", "U") })
				w.wantRoles("U", "R")
				w.diff("calls", 1, n)
			})
		}
	}
}
