package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
)

// brokenResolver is a resolver whose look-up ends the transaction of PostgreSQL.
type brokenResolver struct {
	*testhost.Roles
	s     *sqlstore.Store
	fails error
	calls int
}

func (r *brokenResolver) ResolveRoles(ctx context.Context, _ scim.RoleSource) ([]scim.Role, error) {
	r.calls++
	if r.fails == nil {
		return nil, scim.ErrNoRole
	}
	if _, err := r.s.DB(ctx).ExecContext(ctx, "SELECT no_such_column FROM scim_resources"); err == nil {
		return nil, errors.New("the statement should fail")
	}
	return nil, r.fails
}

// A look-up of a group's role that fails does not keep a member out, even if it has ended the transaction.
func TestFailedLookUp(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		roles := &brokenResolver{Roles: testhost.NewRoles(), s: s}
		c := newClient(t, scim.Config{Store: s, Roles: &scim.Roles{Resolver: roles}})
		u := c.do("POST", "/Users", `{"userName":"u"}`, 201)["id"].(string)
		for name, fails := range map[string]error{"no role": scim.ErrNoRole, "an outage": errors.New("out")} {
			roles.fails = nil
			g := c.do("POST", "/Groups", `{"displayName":"`+name+`"}`, 201)["id"].(string)
			roles.fails, roles.calls = fails, 0
			c.do("PATCH", "/Groups/"+g, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+u+`"}]}]}`, 204)
			if roles.calls > 2 {
				t.Errorf("%s: %d look-ups", name, roles.calls)
			}
			in, err := s.GroupsOf(t.Context(), []scim.Ref{{Type: "User", ID: u}})
			if err != nil || !slices.ContainsFunc(in, func(m scim.Membership) bool { return m.GroupID == g }) {
				t.Errorf("%s: the user is in %v, %v", name, in, err)
			}
		}
	})
}

// A role that appears while a member is added is given to the member, whoever comes first: the request,
// or the report that links the group.
func TestLinkAppearsBesideMember(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.SQLite {
			return // Requests come one after the other.
		}
		for _, first := range []string{"the request", "the report"} {
			t.Run(first, func(t *testing.T) {
				s := newStore(t, db, d, sqlstore.Options{Tenant: first})
				roles := testhost.NewRoles()
				var waits chan bool // waits is what the first look-up waits for.
				began := make(chan bool, 1)
				roles.Resolve = func(scim.RoleSource) ([]scim.Role, error) {
					all, err := roles.Rows.Roles(t.Context())
					all = slices.DeleteFunc(all, func(r scim.Role) bool { return r.ID != "team" })
					if waits != nil {
						wait := waits
						waits = nil
						began <- true
						<-wait
					}
					if err == nil && len(all) == 0 {
						err = scim.ErrNoRole
					}
					return all, err
				}
				h := handler(t, scim.Config{Store: s, Roles: &scim.Roles{Resolver: roles}})
				u := create(t, s, user(t, "u", map[string]any{"active": true})).ID()
				send(t, h, "POST", "/Groups", `{"displayName":"Team"}`, 201)
				page := testhost.Must(s.List(t.Context(), scim.GroupType(), &scim.Query{Limit: 1}))
				path := "/Groups/" + page.Resources[0].ID()
				add := func() error {
					w := httptest.NewRecorder()
					body := `{"Operations":[{"op":"add","path":"members","value":[{"value":"` + u + `"}]}]}`
					h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "PATCH", path, strings.NewReader(body)))
					if w.Code != 204 {
						return fmt.Errorf("%d %s", w.Code, w.Body)
					}
					return nil
				}
				report := func() error { return testhost.Must(h.Reconciler(nil)).RolesChanged(t.Context()) }
				role := scim.Role{ID: "team", Name: "Team"}
				one, two := add, report
				if first == "the report" {
					roles.Put(role)
					one, two = report, add
				}
				wait := make(chan bool)
				waits = wait
				done := make(chan error, 2)
				go func() { done <- one() }()
				select {
				case <-began: // It holds the group, and the look-up has its answer.
				case err := <-done:
					t.Fatalf("it has looked up no role: %v", err)
				}
				if first == "the request" {
					roles.Put(role)
				}
				go func() { done <- two() }()
				time.Sleep(100 * time.Millisecond) // until it waits
				close(wait)
				if err := errors.Join(<-done, <-done); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]string{"Team"}, roles.Of(u)); diff != "" {
					t.Errorf("roles of the new member (-want +got):\n%s", diff)
				}
			})
		}
	})
}
