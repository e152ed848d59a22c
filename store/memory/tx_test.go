package memory

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/scimkit/scim"
)

var errBoom = errors.New("boom")

// seeded is a store with something of everything.
func seeded(t testing.TB) *Store {
	t.Helper()
	s := New(Now(func() time.Time { return epoch }))
	create(t, s,
		user(t, "ann", 1, map[string]any{"userName": "Ann", "displayName": "Twin", "externalId": "x1"}),
		user(t, "bob", 2, map[string]any{"userName": "Bob", "displayName": "twin", "externalId": "X1"}),
		group(t, "g1", 3), group(t, "g2", 4))
	ctx := t.Context()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := s.ChangeMembers(ctx, "g1", []scim.Ref{{Type: "User", ID: "ann"}, {Type: "User", ID: "bob"}, {Type: "Group", ID: "g2"}}, nil)
	must(err)
	_, _, err = s.ChangeMembers(ctx, "g2", []scim.Ref{{Type: "User", ID: "ann"}}, nil)
	must(err)
	must(s.Record(ctx, []scim.Grant{{UserID: "ann", RoleID: "admin", Source: "group:g1", At: epoch}, {UserID: "ann", RoleID: "admin", Source: "group:g2", ByHand: true}}, nil))
	must(s.SetLink(ctx, scim.Link{Source: scim.GroupSource("g1"), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "admin"}, Confirmed: true}}}))
	s.now = func() time.Time { return epoch.Add(time.Hour) }
	return s
}

// writes is every kind of write, in every case that has its own way back.
func writes(t testing.TB) []struct {
	name, reason string
	do           func(ctx context.Context, s *Store) error
} {
	ok := func(*scim.Resource) error { return nil }
	update := func(values map[string]any) func(ctx context.Context, s *Store) error {
		return func(ctx context.Context, s *Store) error {
			_, err := s.Update(ctx, scim.Ref{Type: "User", ID: "ann"}, func(r *scim.Resource) (*scim.Resource, error) { return r.With(values) })
			return err
		}
	}
	type write = struct {
		name, reason string
		do           func(ctx context.Context, s *Store) error
	}
	return []write{
		{"create", "id, order and indexes lose it", func(ctx context.Context, s *Store) error {
			_, err := s.Create(ctx, user(t, "cyd", 0, map[string]any{"userName": "cyd", "displayName": "Twin"}))
			return err
		}},
		{"create first of a type", "the table stays, empty", func(ctx context.Context, s *Store) error {
			c := scim.GroupConfig()
			c.Name, c.Endpoint = "Device", "/Devices"
			typ, err := scim.NewResourceType(c)
			if err != nil {
				return err
			}
			_, err = s.Create(ctx, resource(t, typ, "d", 0, nil))
			return err
		}},
		{"update of indexed values", "the indexes go back", update(map[string]any{"userName": "Anna", "displayName": nil, "externalId": "x2"})},
		{"update of others", "the contents go back", update(map[string]any{"title": "Dr."})},
		{"update of the time of creation", "the order goes back", func(ctx context.Context, s *Store) error {
			_, err := s.Update(ctx, scim.Ref{Type: "User", ID: "ann"}, func(r *scim.Resource) (*scim.Resource, error) {
				return r.WithMeta(scim.Meta{ID: "ann", Created: epoch.Add(time.Hour)}), nil
			})
			return err
		}},
		{"delete a user", "its memberships come back with their times", func(ctx context.Context, s *Store) error {
			return s.Delete(ctx, scim.Ref{Type: "User", ID: "ann"}, ok)
		}},
		{"delete a nested group", "its members and its own memberships come back", func(ctx context.Context, s *Store) error {
			return s.Delete(ctx, scim.Ref{Type: "Group", ID: "g2"}, ok)
		}},
		{"delete and create again", "the first one is back, with its memberships", func(ctx context.Context, s *Store) error {
			if err := s.Delete(ctx, scim.Ref{Type: "User", ID: "ann"}, ok); err != nil {
				return err
			}
			_, err := s.Create(ctx, user(t, "ann", 9, map[string]any{"userName": "ann", "title": "other"}))
			return err
		}},
		{"change members", "added ones go, removed ones come back with their times", func(ctx context.Context, s *Store) error {
			_, _, err := s.ChangeMembers(ctx, "g2", []scim.Ref{{Type: "User", ID: "bob"}}, []scim.Ref{{Type: "User", ID: "ann"}})
			return err
		}},
		{"remove and add a member", "the time of adding comes back", func(ctx context.Context, s *Store) error {
			if _, _, err := s.ChangeMembers(ctx, "g1", nil, []scim.Ref{{Type: "User", ID: "ann"}}); err != nil {
				return err
			}
			_, _, err := s.ChangeMembers(ctx, "g1", []scim.Ref{{Type: "User", ID: "ann"}}, nil)
			return err
		}},
		{"record a new entry", "it goes", func(ctx context.Context, s *Store) error {
			return s.Record(ctx, []scim.Grant{{UserID: "bob", RoleID: "r", Source: "group:g1"}}, nil)
		}},
		{"record a new entry twice", "it goes", func(ctx context.Context, s *Store) error {
			g := scim.Grant{UserID: "bob", RoleID: "r", Source: "group:g1"}
			h := g
			h.State = scim.GrantWaitsForReturn
			return s.Record(ctx, []scim.Grant{g, h}, nil)
		}},
		{"record over an entry, twice", "the first one comes back", func(ctx context.Context, s *Store) error {
			g := scim.Grant{UserID: "ann", RoleID: "admin", Source: "group:g1", State: scim.GrantWaitsForReturn}
			h := g
			h.ByHand = true
			return s.Record(ctx, []scim.Grant{g, h}, nil)
		}},
		{"drop and put one entry", "the dropped one comes back", func(ctx context.Context, s *Store) error {
			g := scim.Grant{UserID: "ann", RoleID: "admin", Source: "group:g1", State: scim.GrantWaitsForReturn}
			return s.Record(ctx, []scim.Grant{g}, []scim.Grant{g})
		}},
		{"drop the last entries", "they come back", func(ctx context.Context, s *Store) error {
			return s.Record(ctx, nil, []scim.Grant{{UserID: "ann", RoleID: "admin", Source: "group:g1"}, {UserID: "ann", RoleID: "admin", Source: "group:g2"}})
		}},
		{"new link", "it goes", func(ctx context.Context, s *Store) error {
			return s.SetLink(ctx, scim.Link{Source: scim.GroupSource("g2"), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}}}})
		}},
		{"other link", "the old one comes back", func(ctx context.Context, s *Store) error {
			return s.SetLink(ctx, scim.Link{Source: scim.GroupSource("g1"), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}}}})
		}},
		{"link taken away", "it comes back", func(ctx context.Context, s *Store) error {
			return s.SetLink(ctx, scim.Link{Source: scim.GroupSource("g1")})
		}},
	}
}

func TestRollback(t *testing.T) {
	failures := []struct {
		name string
		fail func(ctx context.Context, s *Store, do func(ctx context.Context) error) error
	}{
		{"error", func(ctx context.Context, s *Store, do func(ctx context.Context) error) error {
			err := s.InTx(ctx, func(ctx context.Context) error {
				if err := do(ctx); err != nil {
					return err
				}
				return errBoom
			})
			if err != errBoom {
				return err
			}
			return nil
		}},
		{"panic", func(ctx context.Context, s *Store, do func(ctx context.Context) error) (err error) {
			defer func() {
				if v := recover(); v != errBoom {
					err = errors.New("the panic was swallowed")
				}
			}()
			return s.InTx(ctx, func(ctx context.Context) error {
				if err := do(ctx); err != nil {
					return err
				}
				panic(errBoom)
			})
		}},
		{"ended context", func(ctx context.Context, s *Store, do func(ctx context.Context) error) error {
			ctx, cancel := context.WithCancel(ctx)
			err := s.InTx(ctx, func(ctx context.Context) error {
				defer cancel()
				return do(ctx)
			})
			if err != context.Canceled {
				return errors.Join(errors.New("want context.Canceled"), err)
			}
			return nil
		}},
		{"nested, swallowed", func(ctx context.Context, s *Store, do func(ctx context.Context) error) error {
			return s.InTx(ctx, func(ctx context.Context) error {
				err := s.InTx(ctx, func(ctx context.Context) error {
					if err := do(ctx); err != nil {
						return err
					}
					return errBoom
				})
				if err != errBoom {
					return err
				}
				return nil
			})
		}},
		{"nested done, outer fails", func(ctx context.Context, s *Store, do func(ctx context.Context) error) error {
			err := s.InTx(ctx, func(ctx context.Context) error {
				if err := s.InTx(ctx, do); err != nil {
					return err
				}
				return errBoom
			})
			if err != errBoom {
				return err
			}
			return nil
		}},
	}
	for _, write := range writes(t) {
		for _, failure := range failures {
			t.Run(write.name+"/"+failure.name, func(t *testing.T) {
				s := seeded(t)
				before := dump(t, s)
				do := func(ctx context.Context) error {
					if err := write.do(ctx, s); err != nil {
						return err
					}
					if cmp.Equal(before, dump(t, s)) {
						t.Error("the write changed nothing: this case tests nothing")
					}
					return nil
				}
				if err := failure.fail(t.Context(), s, do); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(before, dump(t, s)); diff != "" {
					t.Errorf("%s (-before +after):\n%s", write.reason, diff)
				}
				if s.tx != nil {
					t.Error("the transaction is still there")
				}
			})
		}
		t.Run(write.name+"/commit", func(t *testing.T) {
			inTx, alone := seeded(t), seeded(t)
			if err := inTx.InTx(t.Context(), func(ctx context.Context) error { return write.do(ctx, inTx) }); err != nil {
				t.Fatal(err)
			}
			if err := write.do(t.Context(), alone); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(dump(t, alone), dump(t, inTx)); diff != "" {
				t.Errorf("a committed write is the same as one alone (-alone +committed):\n%s", diff)
			}
		})
	}
}

// All kinds of writes in one transaction, taken back together.
func TestRollbackOfAll(t *testing.T) {
	list := writes(t)
	for i, write := range list {
		// Each is tried as the first, because some exclude one another.
		s := seeded(t)
		before := dump(t, s)
		done := 0
		err := s.InTx(t.Context(), func(ctx context.Context) error {
			for j := range list {
				if list[(i+j)%len(list)].do(ctx, s) == nil {
					done++
				}
			}
			return errBoom
		})
		if err != errBoom || done < len(list)/2 {
			t.Fatalf("from %q: %v after %d writes", write.name, err, done)
		}
		if diff := cmp.Diff(before, dump(t, s)); diff != "" {
			t.Errorf("from %q (-before +after):\n%s", write.name, diff)
		}
	}
}

// A nested call that fails takes back what it did, and no more.
func TestNestedFailure(t *testing.T) {
	s := New()
	link := func(ctx context.Context, id string) {
		if err := s.SetLink(ctx, scim.Link{Source: scim.GroupSource(id), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}}}}); err != nil {
			t.Error(err)
		}
	}
	err := s.InTx(t.Context(), func(ctx context.Context) error {
		link(ctx, "before")
		err := s.InTx(ctx, func(ctx context.Context) error {
			link(ctx, "inside")
			return errBoom
		})
		if err != errBoom {
			t.Errorf("the nested call: %v, want its own error", err)
		}
		link(ctx, "after")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Links(t.Context(), []scim.Source{"group:before", "group:inside", "group:after"})
	want := []scim.Link{{Source: "group:after", Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}}}}, {Source: "group:before", Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}}}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestIsolation(t *testing.T) {
	s := seeded(t)
	var wg sync.WaitGroup
	reading := make(chan struct{}, 3)
	err := s.InTx(t.Context(), func(ctx context.Context) error {
		if err := s.Record(ctx, []scim.Grant{{UserID: "bob", RoleID: "half"}}, nil); err != nil {
			return err
		}
		// Those without the transaction's context wait for its end.
		for range cap(reading) {
			wg.Go(func() {
				reading <- struct{}{}
				list, err := s.Grants(context.Background(), []string{"bob"})
				if want := []scim.Grant{{UserID: "bob", RoleID: "whole"}}; err != nil || !cmp.Equal(want, list) {
					t.Errorf("an outsider saw %v, %v; want %v", list, err, want)
				}
			})
		}
		for range cap(reading) {
			<-reading
		}
		list, err := s.Grants(ctx, []string{"bob"})
		if err != nil || len(list) != 1 {
			t.Errorf("the transaction does not see its own write: %v, %v", list, err)
		}
		return s.Record(ctx, []scim.Grant{{UserID: "bob", RoleID: "whole"}}, []scim.Grant{{UserID: "bob", RoleID: "half"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

func TestTransactionIsOver(t *testing.T) {
	s := seeded(t)
	var kept context.Context
	if err := s.InTx(t.Context(), func(ctx context.Context) error { kept = ctx; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(kept, scim.Ref{Type: "User", ID: "ann"}); err != errOver {
		t.Errorf("Get with a context kept from the transaction: %v, want %v", err, errOver)
	}
	if err := s.InTx(kept, func(context.Context) error { t.Error("fn ran"); return nil }); err != errOver {
		t.Errorf("InTx with it: %v, want %v", err, errOver)
	}
	// The transaction of one store means nothing to another.
	other := seeded(t)
	if _, err := other.Get(kept, scim.Ref{Type: "User", ID: "ann"}); err != nil {
		t.Errorf("another store: %v", err)
	}
}

// TestWaitsEndWithTheirContext lets calls wait for a transaction that another one holds.
func TestWaitsEndWithTheirContext(t *testing.T) {
	s := New()
	create(t, s, user(t, "1", 0, map[string]any{"userName": "ann"}))
	calls := map[string]func(ctx context.Context) error{
		"Get":  func(ctx context.Context) error { _, err := s.Get(ctx, u("1")); return err },
		"List": func(ctx context.Context) error { _, err := s.List(ctx, scim.UserType(), &scim.Query{}); return err },
		"Update": func(ctx context.Context) error {
			_, err := s.Update(ctx, u("1"), func(r *scim.Resource) (*scim.Resource, error) { return r, nil })
			return err
		},
		"InTx": func(ctx context.Context) error { return s.InTx(ctx, func(context.Context) error { return nil }) },
	}
	err := s.InTx(t.Context(), func(context.Context) error {
		for name, call := range calls {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v, want the error of its context", name, err)
			}
			cancel()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range calls {
		if err := call(t.Context()); err != nil {
			t.Errorf("%s afterwards: %v", name, err)
		}
	}
}
