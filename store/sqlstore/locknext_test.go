package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
)

// keepIt is for an Update that only locks.
func keepIt(before *scim.Resource) (*scim.Resource, error) { return before, nil }

// linkTo links a group to a role.
func linkTo(t *testing.T, s *sqlstore.Store, g *scim.Resource, role string) {
	t.Helper()
	err := s.SetLink(t.Context(), scim.Link{Source: scim.GroupSource(g.ID()), Name: g.String("displayName"),
		Roles: []scim.LinkedRole{{Role: scim.Role{ID: role, Name: role}, Confirmed: true}}})
	if err != nil {
		t.Fatal(err)
	}
}

// A transaction that locks a user with a resource, and then looks in the statement that writes, sees what
// those have done for whom it has waited. It sees its own write, too.
func TestLookAfterNextLock(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		for _, tt := range []struct {
			name   string
			member bool // member says that the user is a member of the team before.
			write  func(ctx context.Context, u, team *scim.Resource) error
			want   []string
		}{
			{"a member joins", false, func(ctx context.Context, u, team *scim.Resource) error {
				return changeOne(ctx, s, u, team, false)
			}, []string{"active true", "grant met", "in met", "in team", "link met", "link team"}},
			{"a member leaves", true, func(ctx context.Context, u, team *scim.Resource) error {
				return changeOne(ctx, s, u, team, true)
			}, []string{"active true", "grant met", "in met", "link met", "link team"}},
			{"a user is deactivated", true, func(ctx context.Context, u, _ *scim.Resource) error {
				ctx = testhost.WithNextGrants(ctx, scim.NextGrants{UserID: u.ID()})
				if _, err := s.Update(ctx, u.Ref(), keepIt); err != nil {
					return err
				}
				_, err := s.Update(ctx, u.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
					m := before.Meta()
					m.Version += "+"
					return testhost.Must(before.With(map[string]any{"active": false})).WithMeta(m), nil
				})
				return err
			}, []string{"active false", "grant met", "in met", "in team", "link met", "link team"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				name := tt.name
				u := create(t, s, user(t, name, map[string]any{"active": true}).WithMeta(scim.Meta{ID: name, Version: "1"}))
				team, met := create(t, s, group(t, "team")), create(t, s, group(t, "met"))
				linkTo(t, s, team, "team")
				if tt.member {
					if _, _, err := s.ChangeMembers(t.Context(), team.ID(), []scim.Ref{u.Ref()}, nil); err != nil {
						t.Fatal(err)
					}
				}
				look := func(ctx context.Context) ([]string, error) {
					if err := tt.write(ctx, u, team); err != nil {
						return nil, err
					}
					return lookAt(ctx, s, u, team, met)
				}
				seen := seenAfterLock(t, s, d, u.ID(), look, func(ctx context.Context) error {
					if _, _, err := s.ChangeMembers(ctx, met.ID(), []scim.Ref{u.Ref()}, nil); err != nil {
						return err
					}
					source := scim.GroupSource(met.ID())
					if err := s.Record(ctx, []scim.Grant{{UserID: u.ID(), RoleID: "met", Source: source}}, nil); err != nil {
						return err
					}
					return s.SetLink(ctx, scim.Link{Source: source, Roles: []scim.LinkedRole{{Role: scim.Role{ID: "met"}}}})
				})
				if diff := cmp.Diff(tt.want, seen); diff != "" {
					t.Errorf("after the write (-want +got):\n%s", diff)
				}
			})
		}
	})
}

// changeOne locks a group as the handler does, and changes one member.
func changeOne(ctx context.Context, s *sqlstore.Store, u, g *scim.Resource, remove bool) error {
	ctx = testhost.WithNextGrants(ctx, scim.NextGrants{UserID: u.ID(), Joins: !remove})
	before, err := s.Update(ctx, g.Ref(), keepIt)
	if err != nil {
		return err
	}
	m := before.Meta()
	m.Version += "+"
	_, err = s.ChangeMember(ctx, scim.MemberChange{Group: before.WithMeta(m), Version: before.Meta().Version, Members: []scim.Ref{u.Ref()}, Remove: remove, ReadsGrants: true})
	if errors.Is(err, errors.ErrUnsupported) {
		add, leave := []scim.Ref{u.Ref()}, []scim.Ref(nil)
		if remove {
			add, leave = leave, add
		}
		_, _, err = s.ChangeMembers(ctx, g.ID(), add, leave)
	}
	return err
}

// lookAt asks for what the engine asks for, in its order: first the link of the group that is written.
func lookAt(ctx context.Context, s *sqlstore.Store, u, team, met *scim.Resource) (all []string, err error) {
	names := map[string]string{team.ID(): "team", met.ID(): "met"}
	first, err := s.Links(ctx, []scim.Source{scim.GroupSource(team.ID())})
	if err != nil || len(first) != 1 {
		return nil, fmt.Errorf("links of the team: %v, %w", first, err)
	}
	grants, err := s.Grants(ctx, []string{u.ID()})
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		all = append(all, "grant "+g.RoleID)
	}
	in, err := s.GroupsOf(ctx, []scim.Ref{u.Ref()})
	if err != nil {
		return nil, err
	}
	for _, m := range in {
		if m.Display != names[m.GroupID] || m.Member != u.Ref() || m.Since.IsZero() {
			return nil, fmt.Errorf("membership %+v", m)
		}
		all = append(all, "in "+m.Display)
	}
	links, err := s.Links(ctx, []scim.Source{scim.GroupSource(team.ID()), scim.GroupSource(met.ID())})
	if err != nil {
		return nil, err
	}
	for _, k := range links {
		all = append(all, "link "+k.Roles[0].Role.ID)
	}
	page, err := s.List(ctx, scim.UserType(), &scim.Query{IDs: []string{u.ID()}, Limit: 1})
	if err != nil {
		return nil, err
	}
	for _, r := range page.Resources {
		all = append(all, fmt.Sprint("active ", r.Bool("active")))
	}
	slices.Sort(all)
	return all, nil
}

// A user who is locked for the link of a group that is gone by then is not locked any more when other
// users may have to be locked: the transaction runs again. A nested one, in which the application has called
// the handler, cannot. There the user is locked later.
func TestNextLockOfLostLink(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		for _, isNested := range []bool{false, true} {
			u, team := create(t, s, user(t, fmt.Sprint("u", isNested), nil)), create(t, s, group(t, "team"))
			linkTo(t, s, team, "team")
			tries, done := 0, make(chan error, 1)
			err := s.InTx(t.Context(), func(ctx context.Context) error {
				if _, err := s.Update(ctx, team.Ref(), keepIt); err != nil {
					return err
				}
				began := make(chan bool, 20)
				change := func(ctx context.Context) error {
					tries++
					began <- true
					return changeOne(ctx, s, u, team, false)
				}
				go func() {
					if !isNested {
						done <- s.InTx(t.Context(), change)
						return
					}
					var answer error
					err := s.InTx(t.Context(), func(ctx context.Context) error {
						answer = s.InTx(ctx, change)
						return nil // The handler has answered.
					})
					done <- errors.Join(answer, err)
				}()
				if d != sqlstore.SQLite {
					<-began
					time.Sleep(100 * time.Millisecond) // until it waits
				}
				return s.SetLink(ctx, scim.Link{Source: scim.GroupSource(team.ID())})
			})
			if err := errors.Join(err, <-done); err != nil {
				t.Fatalf("nested: %v: %v", isNested, err)
			}
			want := 1
			if d == sqlstore.Postgres && !isNested {
				want = 2
			}
			if tries != want {
				t.Errorf("nested: %v: %d attempts, want %d", isNested, tries, want)
			}
			if in, err := s.GroupsOf(t.Context(), []scim.Ref{u.Ref()}); err != nil || len(in) != 1 {
				t.Errorf("nested: %v: memberships %v, %v", isNested, in, err)
			}
		}
	})
}

// A lock that is taken ahead of Grants ends with a nested transaction: what the application rolls back
// afterwards gives the lock up.
func TestNextLockEndsWithNested(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.SQLite {
			return // A transaction has the database to itself.
		}
		s := newStore(t, db, d, sqlstore.Options{})
		u, team := create(t, s, user(t, "u", nil)), create(t, s, group(t, "team"))
		linkTo(t, s, team, "team")
		err := s.InTx(t.Context(), func(ctx context.Context) error {
			if _, err := s.DB(ctx).ExecContext(ctx, "SAVEPOINT app"); err != nil {
				return err
			}
			if err := s.InTx(ctx, func(ctx context.Context) error { return changeOne(ctx, s, u, team, false) }); err != nil {
				return err
			}
			if _, err := s.DB(ctx).ExecContext(ctx, "ROLLBACK TO SAVEPOINT app"); err != nil {
				return err
			}
			if _, err := s.Grants(ctx, []string{u.ID()}); err != nil {
				return err
			}
			other, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			err := s.InTx(other, func(ctx context.Context) error {
				_, err := s.Grants(ctx, []string{u.ID()})
				return err
			})
			if err == nil {
				t.Error("somebody else has locked the user, too")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
