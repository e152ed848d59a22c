package storetest

import (
	"context"
	"strconv"
	"time"

	"github.com/scimkit/scim"
)

func lockSteps() []step[scim.Store] {
	locker := func(t *probe, s scim.Store) scim.TenantLocker {
		return capability[scim.TenantLocker](t, s, "the Store is no TenantLocker")
	}
	return []step[scim.Store]{
		{"one at a time", "LockTenant locks a kind until the transaction ends. Whoever waits for it then reads what that transaction committed.", func(t *probe, s scim.Store) {
			l := locker(t, s)
			const seats, n = 3, 12
			t.parallel(n, func(i int) {
				err := l.InTx(t.ctx, func(ctx context.Context) error {
					if err := l.LockTenant(ctx, "seats"); err != nil {
						return err
					}
					taken, err := s.List(ctx, scim.UserType(), &scim.Query{Total: true})
					if err != nil {
						return err
					}
					time.Sleep(time.Millisecond)
					if taken.Total >= seats {
						return nil
					}
					_, err = s.Create(ctx, t.user("u"+strconv.Itoa(i)+"@example.com", nil))
					return err
				})
				if err != nil {
					t.Errorf("InTx at once: %v", err)
				}
			})
			if got := t.total(s, scim.UserType()); got != seats {
				t.Errorf("%d transactions at once took %d of %d seats", n, got, seats)
			}
		}},
		{"again", "A transaction that has a lock gets it again at once. A transaction may lock several kinds.", func(t *probe, s scim.Store) {
			l := locker(t, s)
			err := l.InTx(t.ctx, func(ctx context.Context) error {
				for _, kind := range []string{"seats", "holders", "seats"} {
					if err := l.LockTenant(ctx, kind); err != nil {
						return err
					}
				}
				return l.InTx(ctx, func(ctx context.Context) error { return l.LockTenant(ctx, "seats") })
			})
			if err != nil {
				t.Errorf("LockTenant again: %v", err)
			}
		}},
		{"released", "A transaction that fails gives the lock back too.", func(t *probe, s scim.Store) {
			l := locker(t, s)
			rollBack(t, s, func(ctx context.Context) error { return l.LockTenant(ctx, "seats") })
			if err := l.InTx(t.ctx, func(ctx context.Context) error { return l.LockTenant(ctx, "seats") }); err != nil {
				t.Errorf("LockTenant after a transaction that had the lock: %v", err)
			}
		}},
		{"outside", "Without a transaction LockTenant is an error: it would lock nothing.", func(t *probe, s scim.Store) {
			if err := locker(t, s).LockTenant(t.ctx, "seats"); err == nil {
				t.Errorf("LockTenant without a transaction returns no error")
			}
		}},
		{"cancelled wait", "LockTenant with a context that has ended returns an error.", func(t *probe, s scim.Store) {
			l := locker(t, s)
			err := l.InTx(t.ctx, func(ctx context.Context) error {
				ended, cancel := context.WithCancel(ctx)
				cancel()
				return l.LockTenant(ended, "seats")
			})
			if err == nil {
				t.Errorf("LockTenant with a cancelled context: no error")
			}
		}},
	}
}
