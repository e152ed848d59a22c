package memory

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/scimkit/scim"
)

// TestConcurrency lets many writers compete for one name. One of them wins, and no update
// is lost.
func TestConcurrency(t *testing.T) {
	s := New()
	create(t, s, group(t, "g", 0), user(t, "n", 0, map[string]any{"userName": "n", "title": ""}))
	const workers, rounds = 8, 50
	var won atomic.Int32
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			ctx := context.Background()
			for i := range rounds {
				id := fmt.Sprintf("%d-%d", w, i)
				r := user(t, id, i, map[string]any{"userName": fmt.Sprintf("Name%d", i)})
				if _, err := s.Create(ctx, r); err == nil {
					won.Add(1)
				}
				_, err := s.Update(ctx, u("n"), func(r *scim.Resource) (*scim.Resource, error) {
					return r.With(map[string]any{"title": r.String("title") + "x"})
				})
				if err != nil {
					t.Error(err)
				}
				// Membership and ledger entry are there together or not at all.
				me := u(fmt.Sprint("member", w))
				entry := []scim.Grant{{UserID: me.ID, RoleID: "r"}}
				err = s.InTx(ctx, func(ctx context.Context) error {
					if i%2 == 0 {
						_, _, err := s.ChangeMembers(ctx, "g", []scim.Ref{me}, nil)
						if err != nil {
							return err
						}
						return s.Record(ctx, entry, nil)
					}
					_, _, err := s.ChangeMembers(ctx, "g", nil, []scim.Ref{me})
					if err != nil {
						return err
					}
					return s.Record(ctx, nil, entry)
				})
				if err != nil {
					t.Error(err)
				}
				err = s.InTx(ctx, func(ctx context.Context) error {
					for w := range workers {
						me := u(fmt.Sprint("member", w))
						groups, err := s.GroupsOf(ctx, []scim.Ref{me})
						if err != nil {
							return err
						}
						grants, err := s.Grants(ctx, []string{me.ID})
						if err != nil || len(grants) != len(groups) {
							t.Errorf("%d memberships, %d entries, %v", len(groups), len(grants), err)
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				if _, err := s.List(ctx, scim.UserType(), &scim.Query{Limit: 20, SortBy: "userName"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if won.Load() != rounds {
		t.Errorf("%d users were created under %d names", won.Load(), rounds)
	}
	if r, err := s.Get(t.Context(), u("n")); err != nil || len(r.String("title")) != workers*rounds {
		t.Errorf("%d of %d updates are left, %v", len(r.String("title")), workers*rounds, err)
	}
	dump(t, s)
}

// Goroutines that a transaction starts may all use its context.
func TestConcurrencyWithinTransaction(t *testing.T) {
	s := New()
	create(t, s, group(t, "g", 0))
	err := s.InTx(t.Context(), func(ctx context.Context) error {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if _, _, err := s.ChangeMembers(ctx, "g", []scim.Ref{u(fmt.Sprint(i))}, nil); err != nil {
					t.Error(err)
				}
				if _, err := s.Members(ctx, "g", scim.Ref{}, 9); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		return errBoom
	})
	if err != errBoom {
		t.Fatal(err)
	}
	if list, err := s.Members(t.Context(), "g", scim.Ref{}, 9); err != nil || len(list) != 0 {
		t.Errorf("after the rollback: %v, %v", list, err)
	}
}
