package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim"
)

// Faulty is a Store whose database can fail on purpose.
type Faulty struct {
	// Store is the store to check.
	Store scim.Store
	// Break makes the database fail after this number of further successful calls. Calls
	// are statements, commits and rows that are read. If the database can only be
	// switched off, ignore the number; RunFaults then checks less.
	Break func(after int)
	// Heal makes the database work again. It does not open the Store again.
	Heal func()
}

// RunFaults checks what a Store does while its database fails, and afterwards. It calls
// newFaulty for each step. newFaulty returns an empty store that works.
//
// A database can fail in several ways: with an error, with a lost connection, or with a
// commit that is carried out but not answered. Call RunFaults for each of them.
func RunFaults(t *testing.T, newFaulty func(t *testing.T) Faulty) {
	group[Faulty]{"faults", faultSteps()}.run(t, newFaulty)
}

// expectOutage requires an error that says nothing about resources.
func expectOutage(t *probe, call string, err error) {
	var e *scim.Error
	if err == nil || errors.Is(err, scim.ErrNotFound) || errors.Is(err, scim.ErrNoRole) || errors.As(err, &e) && e.Status < 500 {
		t.Errorf("%s while the database fails: error %v, want one that is no answer", call, err)
	}
}

func faultSteps() []step[Faulty] {
	return []step[Faulty]{
		{"no answer", "While the database fails, each call returns an error that is neither ErrNotFound nor a conflict, and never an empty page. Afterwards nothing has changed.", func(t *probe, f Faulty) {
			h := newHousehold(t, f.Store)
			free := t.user("free@example.com", nil)
			f.Break(0)
			for _, c := range faultyCalls(t, f.Store, h, free) {
				expectOutage(t, c.name, c.do(t.ctx))
				if tx, ok := f.Store.(scim.Transactor); ok {
					expectOutage(t, "InTx with "+c.name, tx.InTx(t.ctx, c.do))
				}
			}
			f.Heal()
			h.expectUnchanged(t, f.Store)
			t.create(f.Store, free)
		}},
		{"whole answers", "If the database fails during a read, the read returns an error and never a part of the answer.", func(t *probe, f Faulty) {
			for _, r := range faultyReads(t, f.Store) {
				for after := range faultsEach {
					f.Break(after)
					got, want, err := r.do()
					f.Heal()
					if err == nil && got != want {
						t.Errorf("%s, with a database that fails after %d calls: %d without an error, want %d", r.name, after, got, want)
					}
					if err == nil {
						break
					}
					expectOutage(t, r.name, err)
				}
			}
		}},
		{"whole writes", "If the database fails during a write, the write is stored as a whole or not at all. If it returned no error, it is stored.", func(t *probe, f Faulty) {
			for _, w := range faultyWrites(t, f.Store) {
				for after := range faultsEach {
					name := fmt.Sprintf("%s-%d", w.name, after)
					do, signs := w.begin(name)
					f.Break(after)
					err := do(t.ctx)
					f.Heal()
					if err != nil {
						expectOutage(t, w.name, err)
					}
					expectWhole(t, name, signs(), err)
					if err == nil {
						break
					}
				}
			}
		}},
		{"transaction", "If the database fails during a transaction, nothing of it is stored. If only the answer to the commit was lost, all of it may be stored.", func(t *probe, f Faulty) {
			tx := transactor(t, f.Store)
			for i, end := range []func(ctx context.Context, s scim.Store, r *scim.Resource) error{
				func(ctx context.Context, s scim.Store, r *scim.Resource) error {
					_, err := s.Create(ctx, r)
					return err
				},
				func(ctx context.Context, s scim.Store, r *scim.Resource) error {
					_, err := s.Create(ctx, r)
					expectOutage(t, "Create in a transaction", err)
					return nil // fn ignores the failure, and still nothing is committed
				},
				func(context.Context, scim.Store, *scim.Resource) error { return nil },
			} {
				first, second := fmt.Sprintf("first-%d", i), t.user(fmt.Sprintf("second-%d", i), nil)
				one, kept := t.user(first, nil), t.create(f.Store, t.user(fmt.Sprintf("kept-%d", i), nil))
				err := tx.InTx(t.ctx, func(ctx context.Context) error {
					f.Heal() // when fn runs again, it begins as it did before
					if _, err := f.Store.Create(ctx, one); err != nil {
						return err
					}
					if _, err := f.Store.Update(ctx, kept.Ref(), set(values{"title": "changed"})); err != nil {
						return err
					}
					f.Break(0)
					return end(ctx, f.Store, second)
				})
				f.Heal()
				expectOutage(t, "InTx", err)
				signs := []bool{hasUser(t, f.Store, "userName", first), t.get(f.Store, kept.Ref()).String("title") == "changed"}
				expectWhole(t, fmt.Sprintf("transaction %d", i), signs, err)
				if i == 0 && signs[0] || hasUser(t, f.Store, "userName", second.String("userName")) {
					t.Errorf("transaction %d, which failed before its end, is there afterwards", i)
				}
			}
		}},
		{"afterwards", "When the database is back, the store works without being opened again. It has everything that it acknowledged, and failed calls can be repeated.", func(t *probe, f Faulty) {
			h := newHousehold(t, f.Store)
			var mu sync.Mutex
			var acknowledged, refused []string
			done := make(chan struct{})
			t.parallel(5, func(i int) {
				if i == 0 {
					for n := range 8 {
						time.Sleep(5 * time.Millisecond)
						f.Break(n)
						time.Sleep(5 * time.Millisecond)
						f.Heal()
					}
					close(done)
					return
				}
				for n := 0; n < 200; n++ {
					select {
					case <-done:
						return
					case <-time.After(time.Millisecond):
					}
					name := fmt.Sprintf("w%d-%d", i, n)
					_, err := f.Store.Create(t.ctx, t.user(name, nil))
					mu.Lock()
					if err == nil {
						acknowledged = append(acknowledged, name)
					} else {
						refused = append(refused, name)
					}
					mu.Unlock()
				}
			})
			f.Heal()
			for _, name := range acknowledged {
				if !hasUser(t, f.Store, "userName", name) {
					t.Errorf("%s is not there, whose creation was acknowledged", name)
				}
			}
			for _, name := range refused {
				if _, err := f.Store.Create(t.ctx, t.user(name, nil)); err != nil && !conflict(err) {
					t.Errorf("Create once more of %s, which failed: %v", name, err)
				}
			}
			t.parallel(20, func(i int) {
				made := t.create(f.Store, t.user(fmt.Sprintf("after-%d", i), nil))
				t.put(f.Store, made.Ref(), values{"title": "works"})
				t.get(f.Store, h.user.Ref())
				t.total(f.Store, scim.UserType())
				t.remove(f.Store, made.Ref())
			})
		}},
	}
}

// faultsEach is the largest number of calls of the database before it fails.
const faultsEach = 25

// expectWhole requires that a write is stored as a whole or not at all.
func expectWhole(t *probe, what string, signs []bool, err error) {
	for _, there := range signs {
		if there != signs[0] || err == nil && !there {
			t.Errorf("%s, which ended with error %v, is there in part: %v", what, err, signs)
			return
		}
	}
}

// hasUser reports whether List finds a user with a value.
func hasUser(t *probe, s scim.Store, path, value string) bool {
	return len(t.list(s, scim.UserType(), &scim.Query{Filter: t.filter(fmt.Sprintf("%s eq %q", path, value)), Limit: 5}).Resources) > 0
}
