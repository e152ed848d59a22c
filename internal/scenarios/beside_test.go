package scenarios

import (
	"context"
	"fmt"
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
