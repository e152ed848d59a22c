package budgets

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// counted is the memory store, which counts the calls, and how much of the ledger they list.
type counted struct {
	*memory.Store
	calls, rows atomic.Int64
}

func (s *counted) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	s.calls.Add(1)
	return s.Store.InTx(ctx, fn)
}

func (s *counted) LockTenant(ctx context.Context, kind string) error {
	s.calls.Add(1)
	return s.Store.LockTenant(ctx, kind)
}

func (s *counted) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	s.calls.Add(1)
	return s.Store.List(ctx, t, q)
}

func (s *counted) Grants(ctx context.Context, userIDs []string) ([]scim.Grant, error) {
	s.calls.Add(1)
	return s.Store.Grants(ctx, userIDs)
}

func (s *counted) Record(ctx context.Context, put, drop []scim.Grant) error {
	s.calls.Add(1)
	return s.Store.Record(ctx, put, drop)
}

func (s *counted) GrantedUsers(ctx context.Context) (int, error) {
	s.calls.Add(1)
	return s.Store.GrantedUsers(ctx)
}

func (s *counted) OpenGrants(ctx context.Context, after scim.Grant, limit int) ([]scim.Grant, error) {
	s.calls.Add(1)
	list, err := s.Store.OpenGrants(ctx, after, limit)
	s.rows.Add(int64(len(list)))
	return list, err
}

func (s *counted) Notes(ctx context.Context, kind, after string, limit int) ([]scim.Note, error) {
	s.calls.Add(1)
	list, err := s.Store.Notes(ctx, kind, after, limit)
	s.rows.Add(int64(len(list)))
	return list, err
}

func (s *counted) SetNote(ctx context.Context, n scim.Note) error {
	s.calls.Add(1)
	return s.Store.SetNote(ctx, n)
}

// TestGuardsCostNothing compares PATCHes that no guard concerns with and without guards: the
// same calls, and at most two allocations more.
func TestGuardsCostNothing(t *testing.T) {
	if testhost.UnderRace {
		t.Skip("the race detector allocates")
	}
	for _, body := range []struct{ name, path, first, second string }{
		{"a user's name", "/Users/u1", `{"op":"replace","path":"title","value":"a"}`, `{"op":"replace","path":"title","value":"b"}`},
		{"a member of a group that gives no role", "/Groups/plain", `{"op":"add","path":"members","value":[{"value":"u1"}]}`, `{"op":"remove","path":"members[value eq \"u1\"]"}`},
		{"a role for one more user", "/Groups/Editor", `{"op":"add","path":"members","value":[{"value":"{next}"}]}`, ""},
	} {
		t.Run(body.name, func(t *testing.T) {
			calls, allocs := patchCost(t, scim.Config{Roles: &scim.Roles{}}, body.path, body.first, body.second)
			guarded, more := patchCost(t, scim.Config{
				Roles: &scim.Roles{KeepLastHolder: true, Breaker: &scim.Breaker{}},
				Seats: func(context.Context) (int, error) { return 1, nil },
			}, body.path, body.first, body.second)
			if guarded != calls {
				t.Errorf("%d calls of the store with guards, %d without", guarded, calls)
			}
			if more > allocs+2 {
				t.Errorf("%.1f allocations with guards, %.1f without", more, allocs)
			}
			t.Logf("%d calls, %.1f allocations, with guards %.1f", calls, allocs, more)
		})
	}
}

// patchCost is how often two PATCHes of a path call the store, and how much they allocate.
func patchCost(t *testing.T, c scim.Config, path string, ops ...string) (calls int64, allocs float64) {
	t.Helper()
	s := &counted{Store: memory.New()}
	const times = 200
	for i := range times + 3 {
		put(t, s, scim.UserType(), "u"+strconv.Itoa(i), `{"userName":"u`+strconv.Itoa(i)+`@example.com"}`)
	}
	for _, id := range []string{"plain", "Editor"} {
		put(t, s, scim.GroupType(), id, `{"displayName":"`+id+`"}`)
	}
	c.Store, c.Roles.Resolver = s, testhost.NewRoles()
	h := testhost.New(t, c)
	send(t, h, http.MethodPatch, "/Groups/Editor", patchMembers("add", ""), 204) // finds its role
	status := 204
	if path[:7] == "/Users/" {
		status = 200
	}
	n := 0
	both := func() {
		n++
		for _, op := range ops {
			if op != "" {
				send(t, h, http.MethodPatch, path, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+strings.Replace(op, "{next}", "u"+strconv.Itoa(n), 1)+`]}`, status)
			}
		}
	}
	both()
	s.calls.Store(0)
	allocs = testing.AllocsPerRun(times, both)
	return s.calls.Load() / (times + 1), allocs
}

// TestLastHolderCost gives a protected role to one user after the other under KeepLastHolder.
// Grants of other users that wait cost nothing. Last holders of other roles cost nothing either.
func TestLastHolderCost(t *testing.T) {
	cost := func(open int) (calls, rows int64) {
		s := &counted{Store: memory.New()}
		app := testhost.NewRoles()
		app.Put(scim.Role{ID: "r-owner", Name: "Owner", Protected: true})
		put(t, s, scim.GroupType(), "Owner", `{"displayName":"Owner"}`)
		const users = 20
		for i := range users {
			put(t, s, scim.UserType(), "u"+strconv.Itoa(i), `{"userName":"u`+strconv.Itoa(i)+`@example.com"}`)
		}
		role := scim.LinkedRole{Role: scim.Role{ID: "r-owner", Name: "Owner", Protected: true}, Confirmed: true}
		source := scim.GroupSource("Owner")
		if err := s.SetLink(t.Context(), scim.Link{Source: source, Name: "Owner", Roles: []scim.LinkedRole{role}}); err != nil {
			t.Fatal(err)
		}
		var grants []scim.Grant
		for i := range open {
			state := scim.GrantPaused
			if i%2 == 0 {
				state = scim.GrantRetained
			}
			grants = append(grants, scim.Grant{UserID: "other" + strconv.Itoa(i), RoleID: "r" + strconv.Itoa(i%3), Source: source, State: state})
		}
		if err := s.Record(t.Context(), grants, nil); err != nil {
			t.Fatal(err)
		}
		h := testhost.New(t, scim.Config{Store: s, Roles: &scim.Roles{Resolver: app, KeepLastHolder: true}})
		s.calls.Store(0)
		s.rows.Store(0)
		for i := range users {
			send(t, h, http.MethodPatch, "/Groups/Owner", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"u`+strconv.Itoa(i)+`"}]}]}`, 204)
		}
		if n := len(app.Holders("r-owner")); n != users {
			t.Fatalf("%d hold the role, want %d", n, users)
		}
		return s.calls.Load(), s.rows.Load()
	}
	calls, rows := cost(0)
	moreCalls, moreRows := cost(5000)
	if moreCalls != calls || moreRows != rows {
		t.Errorf("with 5,000 open grants %d calls list %d rows; without them %d calls, %d rows", moreCalls, moreRows, calls, rows)
	}
	t.Logf("%d calls, %d rows", calls, rows)
}
