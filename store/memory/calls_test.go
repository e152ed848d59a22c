package memory

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/scimkit/scim"
)

// TestPanicsReleaseTheLock lets what the store calls panic. The store must stay usable.
func TestPanicsReleaseTheLock(t *testing.T) {
	tests := []struct {
		name, reason string
		do           func(*Store)
	}{
		{"update", "fn is the handler's", func(s *Store) {
			s.Update(t.Context(), scim.Ref{Type: "User", ID: "1"}, func(*scim.Resource) (*scim.Resource, error) { panic("fn") })
		}},
		{"delete", "check is the handler's", func(s *Store) {
			s.Delete(t.Context(), scim.Ref{Type: "User", ID: "1"}, func(*scim.Resource) error { panic("check") })
		}},
		{"transaction", "fn calls rules and resolvers of the host", func(s *Store) {
			s.InTx(t.Context(), func(ctx context.Context) error {
				s.Update(ctx, scim.Ref{Type: "User", ID: "1"}, func(*scim.Resource) (*scim.Resource, error) { panic("fn") })
				return nil
			})
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New()
			create(t, s, user(t, "1", 0, map[string]any{"userName": "ann"}))
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic was swallowed")
					}
				}()
				test.do(s)
			}()
			if !s.mu.TryAcquire(writing) {
				t.Fatalf("the lock is held: %s", test.reason)
			}
			s.mu.Release(writing)
		})
	}
}

// late is a context that ends after it was asked once.
type late struct {
	context.Context
	asked *bool
}

func (l late) Err() error {
	if *l.asked {
		return context.Canceled
	}
	*l.asked = true
	return nil
}

func TestContextEndsWhileWaiting(t *testing.T) {
	s := New()
	if _, err := s.Create(late{t.Context(), new(bool)}, group(t, "g", 0)); err != context.Canceled {
		t.Errorf("Create: %v, want %v", err, context.Canceled)
	}
	if len(s.tables) != 0 {
		t.Error("it was created all the same")
	}
}

func TestEndedContext(t *testing.T) {
	s := New()
	create(t, s, group(t, "g", 0))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := dump(t, s)
	l := NewLedger()
	calls := map[string]func() error{
		"Create": func() error { _, err := s.Create(ctx, group(t, "h", 0)); return err },
		"Get":    func() error { _, err := s.Get(ctx, scim.Ref{Type: "Group", ID: "g"}); return err },
		"List":   func() error { _, err := s.List(ctx, scim.GroupType(), &scim.Query{}); return err },
		"Update": func() error {
			_, err := s.Update(ctx, scim.Ref{Type: "Group", ID: "g"}, func(r *scim.Resource) (*scim.Resource, error) { return r, nil })
			return err
		},
		"Delete": func() error {
			return s.Delete(ctx, scim.Ref{Type: "Group", ID: "g"}, func(*scim.Resource) error { return nil })
		},
		"InTx":     func() error { return s.InTx(ctx, func(context.Context) error { return nil }) },
		"Members":  func() error { _, err := s.Members(ctx, "g", scim.Ref{}, 1); return err },
		"GroupsOf": func() error { _, err := s.GroupsOf(ctx, nil); return err },
		"ChangeMembers": func() error {
			_, _, err := s.ChangeMembers(ctx, "g", []scim.Ref{{Type: "User", ID: "1"}}, nil)
			return err
		},
		"Grants": func() error { _, err := s.Grants(ctx, nil); return err },
		"Record": func() error { return s.Record(ctx, []scim.Grant{{UserID: "1", RoleID: "r"}}, nil) },
		"Links":  func() error { _, err := s.Links(ctx, nil); return err },
		"SetLink": func() error {
			return s.SetLink(ctx, scim.Link{Source: scim.GroupSource("g"), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}}}})
		},
		"Ledger.Grants": func() error { _, err := l.Grants(ctx, nil); return err },
		"Ledger.Record": func() error { return l.Record(ctx, nil, nil) },
		"Ledger.Links":  func() error { _, err := l.Links(ctx, nil); return err },
		"Ledger.SetLink": func() error {
			return l.SetLink(ctx, scim.Link{Source: scim.GroupSource("g")})
		},
	}
	for name, call := range calls {
		if err := call(); err != context.Canceled {
			t.Errorf("%s: %v, want %v", name, err, context.Canceled)
		}
	}
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("something was written:\n%s", diff)
	}
}
