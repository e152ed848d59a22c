package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/scimkit/scim"
)

// transactor returns s as a Transactor. It skips the step if s is none.
func transactor(t *probe, s scim.Store) scim.Transactor {
	return capability[scim.Transactor](t, s, "the Store is no Transactor")
}

// rollBack runs fn in a transaction that ends with an error.
func rollBack(t *probe, s scim.Store, fn func(ctx context.Context) error) {
	err := transactor(t, s).InTx(t.ctx, func(ctx context.Context) error {
		if err := fn(ctx); err != nil {
			return err
		}
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Fatalf("InTx whose fn ends with %q: error %v", errRefused, err)
	}
}

// set returns a function for Update that sets values.
func set(v values) func(*scim.Resource) (*scim.Resource, error) {
	return func(before *scim.Resource) (*scim.Resource, error) { return before.With(v) }
}

func keep(before *scim.Resource) (*scim.Resource, error) { return before, nil }

func allow(*scim.Resource) error { return nil }

func txSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"commit", "If InTx returns nil, everything that fn wrote is stored.", func(t *probe, s scim.Store) {
			tx := transactor(t, s)
			ann, bob := t.create(s, t.user("ann@example.com", nil)), t.create(s, t.user("bob@example.com", nil))
			carl := t.user("carl@example.com", nil)
			var made, changed *scim.Resource
			err := tx.InTx(t.ctx, func(ctx context.Context) (err error) {
				if made, err = s.Create(ctx, carl); err != nil {
					return err
				}
				if changed, err = s.Update(ctx, ann.Ref(), set(values{"title": "changed"})); err != nil {
					return err
				}
				return s.Delete(ctx, bob.Ref(), allow)
			})
			if err != nil {
				t.Fatalf("InTx: %v", err)
			}
			t.exactly("the created user", made, t.get(s, made.Ref()))
			t.exactly("the changed user", changed, t.get(s, ann.Ref()))
			t.absent(s, bob.Ref(), "which was deleted in a transaction")
		}},
		{"rollback", "If fn returns an error, InTx returns it. Nothing that fn wrote is stored, neither resources nor their unique values.", func(t *probe, s scim.Store) {
			ann, bob := t.create(s, t.user("ann@example.com", values{"title": "before"})), t.create(s, t.user("bob@example.com", nil))
			carl := t.user("carl@example.com", nil)
			var made *scim.Resource
			rollBack(t, s, func(ctx context.Context) (err error) {
				if made, err = s.Create(ctx, carl); err != nil {
					return err
				}
				if _, err = s.Update(ctx, ann.Ref(), set(values{"userName": "renamed@example.com", "title": "changed"})); err != nil {
					return err
				}
				return s.Delete(ctx, bob.Ref(), allow)
			})
			t.absent(s, made.Ref(), "whose creation was rolled back")
			t.exactly("the user whose change was rolled back", ann, t.get(s, ann.Ref()))
			t.exactly("the user whose deletion was rolled back", bob, t.get(s, bob.Ref()))
			t.expect(s, scim.UserType(), &scim.Query{Limit: 10, Total: true}, []*scim.Resource{ann, bob}, 2)
			for filter, want := range map[string]int{`userName eq "ann@example.com"`: 1, `userName eq "bob@example.com"`: 1, `userName eq "carl@example.com"`: 0, `userName eq "renamed@example.com"`: 0} {
				if got := t.list(s, scim.UserType(), &scim.Query{Filter: t.filter(filter), Limit: 5}).Resources; len(got) != want {
					t.Errorf("%s finds %q after a rollback, want %d", filter, names(got), want)
				}
			}
			for name, free := range map[string]bool{"ann@example.com": false, "bob@example.com": false, "carl@example.com": true, "renamed@example.com": true} {
				if _, err := s.Create(t.ctx, t.user(name, nil)); free && err != nil || !free && !conflict(err) {
					t.Errorf("Create of %s after a rollback: error %v; the name is free: %v", name, err, free)
				}
			}
		}},
		{"reads own writes", "With fn's context, Get, List and the checks of uniqueness see what fn wrote.", func(t *probe, s scim.Store) {
			ann := t.create(s, t.user("ann@example.com", nil))
			bob := t.user("bob@example.com", nil)
			rollBack(t, s, func(ctx context.Context) error {
				t := t.with(ctx)
				made, err := s.Create(ctx, bob)
				if err != nil {
					return err
				}
				if _, err := s.Update(ctx, ann.Ref(), set(values{"title": "changed"})); err != nil {
					return err
				}
				got, err := s.Get(ctx, made.Ref())
				if err != nil {
					t.Errorf("Get of a user that the transaction created: %v", err)
					return nil
				}
				t.exactly("Get of a user that the transaction created", made, got)
				page, err := s.List(ctx, scim.UserType(), &scim.Query{Filter: t.filter(`userName eq "bob@example.com" or title eq "changed"`), Limit: 10, Total: true})
				if err != nil {
					return err
				}
				if len(page.Resources) != 2 || page.Total != 2 {
					t.Errorf("List in the transaction finds %q, want what it wrote", names(page.Resources))
				}
				if err := s.Delete(ctx, ann.Ref(), allow); err != nil {
					return err
				}
				if _, err := s.Get(ctx, ann.Ref()); !errors.Is(err, scim.ErrNotFound) {
					t.Errorf("Get of a user that the transaction deleted: error %v, want ErrNotFound", err)
				}
				return nil
			})
		}},
		{"nested", "A nested call joins the outer transaction: what it wrote commits and rolls back with it.", func(t *probe, s scim.Store) {
			tx := transactor(t, s)
			a, b := t.user("a@example.com", nil), t.user("b@example.com", nil)
			var outer, inner *scim.Resource
			nested := func(ctx context.Context) (err error) {
				if outer, err = s.Create(ctx, a); err != nil {
					return err
				}
				return tx.InTx(ctx, func(ctx context.Context) (err error) {
					if _, err = s.Get(ctx, outer.Ref()); err != nil {
						t.Errorf("Get, in a nested call, of what the outer one wrote: %v", err)
					}
					inner, err = s.Create(ctx, b)
					return err
				})
			}
			rollBack(t, s, nested)
			t.absent(s, outer.Ref(), "whose creation was rolled back")
			t.absent(s, inner.Ref(), "whose creation, in a nested call, was rolled back by the outer one")
			if err := tx.InTx(t.ctx, nested); err != nil {
				t.Fatalf("InTx: %v", err)
			}
			t.get(s, outer.Ref())
			t.get(s, inner.Ref())
		}},
		{"names change hands", "Uniqueness includes what the transaction wrote. Two users can exchange their names by way of a third name. A name is free once its user is renamed or deleted.", func(t *probe, s scim.Store) {
			tx := transactor(t, s)
			ann, bob, carl := t.create(s, t.user("ann@example.com", nil)), t.create(s, t.user("bob@example.com", nil)), t.create(s, t.user("carl@example.com", nil))
			again := t.user("carl@example.com", nil)
			err := tx.InTx(t.ctx, func(ctx context.Context) error {
				for _, step := range []struct {
					r    *scim.Resource
					name string
				}{{ann, "between@example.com"}, {bob, "ann@example.com"}, {ann, "bob@example.com"}} {
					if _, err := s.Update(ctx, step.r.Ref(), set(values{"userName": step.name})); err != nil {
						return err
					}
				}
				if err := s.Delete(ctx, carl.Ref(), allow); err != nil {
					return err
				}
				_, err := s.Create(ctx, again)
				return err
			})
			if err != nil {
				t.Fatalf("InTx: %v", err)
			}
			for r, want := range map[*scim.Resource]string{ann: "bob@example.com", bob: "ann@example.com"} {
				if got := t.get(s, r.Ref()).String("userName"); got != want {
					t.Errorf("%s is now %s, want %s", r.String("userName"), got, want)
				}
			}
			if n := t.total(s, scim.UserType()); n != 3 {
				t.Errorf("%d users are there, want 3", n)
			}
		}},
		{"panic", "A panic in fn rolls everything back, and the store still works.", func(t *probe, s scim.Store) {
			tx := transactor(t, s)
			ann := t.create(s, t.user("ann@example.com", nil))
			var made *scim.Resource
			bob := t.user("bob@example.com", nil)
			func() {
				defer func() { _ = recover() }()
				_ = tx.InTx(t.ctx, func(ctx context.Context) (err error) {
					if made, err = s.Create(ctx, bob); err != nil {
						return err
					}
					if _, err = s.Update(ctx, ann.Ref(), set(values{"title": "changed"})); err != nil {
						return err
					}
					panic(errRefused)
				})
			}()
			t.absent(s, made.Ref(), "whose creation was rolled back by a panic")
			t.exactly("the user whose change was rolled back by a panic", ann, t.get(s, ann.Ref()))
			t.create(s, bob)
		}},
		{"cancelled", "If the context ends before fn does, InTx commits everything and returns nil, or commits nothing and returns an error.", func(t *probe, s scim.Store) {
			tx := transactor(t, s)
			ctx, cancel := context.WithCancel(t.ctx)
			defer cancel()
			ann, bob := t.user("ann@example.com", nil), t.user("bob@example.com", nil)
			err := tx.InTx(ctx, func(ctx context.Context) error {
				if _, err := s.Create(ctx, ann); err != nil {
					return err
				}
				if _, err := s.Create(ctx, bob); err != nil {
					return err
				}
				cancel()
				return nil
			})
			if n := t.total(s, scim.UserType()); err == nil && n != 2 || err != nil && n != 0 {
				t.Errorf("InTx with a context that ended: error %v, and %d of its 2 users are there", err, n)
			}
		}},
		{"invisible", "Other calls do not see what fn wrote before InTx returns. They wait, or see the former state.", func(t *probe, s scim.Store) {
			ann := t.create(s, t.user("ann@example.com", nil))
			bob := t.user("bob@example.com", nil)
			type sight struct {
				r   *scim.Resource
				err error
			}
			var first, second chan sight
			var made *scim.Resource
			look := func(ref scim.Ref) chan sight {
				c := make(chan sight, 1)
				go func() {
					r, err := s.Get(t.ctx, ref)
					c <- sight{r, err}
				}()
				return c
			}
			rollBack(t, s, func(ctx context.Context) (err error) {
				if made, err = s.Create(ctx, bob); err != nil {
					return err
				}
				if _, err = s.Update(ctx, ann.Ref(), set(values{"title": "uncommitted"})); err != nil {
					return err
				}
				first, second = look(made.Ref()), look(ann.Ref())
				time.Sleep(20 * time.Millisecond)
				return nil
			})
			if got := <-first; !errors.Is(got.err, scim.ErrNotFound) {
				t.Errorf("Get by another, of a user that a transaction is creating: got %s and error %v, want ErrNotFound", show(got.r), got.err)
			}
			if got := <-second; got.err != nil || got.r.String("title") != "" {
				t.Errorf("Get by another, of a user that a transaction is changing: got %s and error %v", show(got.r), got.err)
			}
		}},
	}
}
