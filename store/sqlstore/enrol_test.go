package sqlstore_test

import (
	"context"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// A tenant for which nobody has called Migrate must not look empty: a client would create users
// who exist, and get 409 for ever. Each call is an error that says what to do.
func TestNotMigrated(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		t, ctx := a.t, a.t.Context()
		s, err := sqlstore.New(a.db, a.d, appOptions("other"))
		if err != nil {
			t.Fatal(err)
		}
		refused := func(when string) {
			t.Helper()
			ref := scim.Ref{Type: "User", ID: "4"}
			for name, call := range map[string]func(ctx context.Context) error{
				"Get": func(ctx context.Context) error { _, err := s.Get(ctx, ref); return err },
				"List": func(ctx context.Context) error {
					_, err := s.List(ctx, scim.UserType(), &scim.Query{Limit: 1})
					return err
				},
				"Create":   func(ctx context.Context) error { _, err := s.Create(ctx, user(t, "new@example.com", nil)); return err },
				"Update":   func(ctx context.Context) error { _, err := s.Update(ctx, ref, same); return err },
				"Delete":   func(ctx context.Context) error { return s.Delete(ctx, ref, func(*scim.Resource) error { return nil }) },
				"Members":  func(ctx context.Context) error { _, err := s.Members(ctx, "2", scim.Ref{}, 1); return err },
				"GroupsOf": func(ctx context.Context) error { _, err := s.GroupsOf(ctx, []scim.Ref{ref}); return err },
				"ChangeMembers": func(ctx context.Context) error {
					_, _, err := s.ChangeMembers(ctx, "2", []scim.Ref{ref}, nil)
					return err
				},
				"Claim":   func(ctx context.Context) error { return s.Claim(ctx, ref) },
				"InTx":    func(ctx context.Context) error { return s.InTx(ctx, func(context.Context) error { return nil }) },
				"Reindex": s.Reindex,
			} {
				if err := call(ctx); err == nil || !strings.Contains(err.Error(), `tenant "other"`) || !strings.Contains(err.Error(), "call Migrate") {
					t.Errorf("%s, %s: error %v", when, name, err)
				}
			}
			c := newClient(t, scim.Config{Store: s})
			c.do("POST", "/Users", `{"userName":"ann@example.com"}`, 500)
			if log := c.log.String(); !strings.Contains(log, "call Migrate") {
				t.Errorf("%s: log %s", when, log)
			}
		}
		refused("before Migrate")
		never := appOptions("o")
		never.Prefix = "never_"
		if n, err := sqlstore.New(a.db, a.d, never); err != nil {
			t.Fatal(err)
		} else if _, err := n.Get(ctx, scim.Ref{Type: "User", ID: "1"}); err == nil || !strings.Contains(err.Error(), "has Migrate been called?") {
			t.Errorf("without tables: error %v", err)
		}
		if err := s.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		a.want("people", []string{"ann@example.com"}, names(t, s))
		process := newStore(t, a.db, a.d, appOptions("other"))
		for range 2 { // Again, because it may have been interrupted.
			if _, err := process.EraseTenant(ctx, 100); err != nil {
				t.Fatal(err)
			}
		}
		refused("after EraseTenant in another process")
		a.want("people of the other tenant", []string{"Ann@example.com", "bob@example.com"}, names(t, a.s))
		if err := s.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		a.want("people", []string{"ann@example.com"}, names(t, s))
	})
}

func same(before *scim.Resource) (*scim.Resource, error) { return before, nil }
