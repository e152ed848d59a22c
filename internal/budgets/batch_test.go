package budgets

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// forgetful is a store without grants, so that measurements see only what the library keeps.
type forgetful struct{ *memory.Store }

func (forgetful) Grants(context.Context, []string) ([]scim.Grant, error) { return nil, nil }

func (forgetful) Record(context.Context, []scim.Grant, []scim.Grant) error { return nil }

// measured is an application that forgets roles, too. It measures the memory that is in use
// while the library changes roles.
type measured struct {
	top                int64
	calls, users, most int
	grants             int
}

func (m *measured) ResolveRoles(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
	return nil, scim.ErrNoRole
}

func (m *measured) HeldRoles(context.Context, []string) (map[string][]scim.Role, error) {
	return nil, nil
}

func (m *measured) ChangeRoles(_ context.Context, changes []scim.RoleChange) error {
	m.top = max(m.top, liveHeap())
	m.calls++
	m.users += len(changes)
	m.most = max(m.most, len(changes))
	for _, c := range changes {
		m.grants += len(c.Grant)
	}
	return nil
}

// liveHeap is how much memory is in use.
func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestBatchMemory puts a thousand users into a group to which 200 groups give a role each. What
// the library keeps meanwhile does not grow with the number of users times that of roles. The
// guard sees the plan once, and as a whole.
func TestBatchMemory(t *testing.T) {
	if testhost.UnderRace {
		t.Skip("the race detector needs memory of its own")
	}
	const n, groups = 1000, 200
	s := forgetful{newFilledStore(t, n, small)}
	put(t, s, scim.GroupType(), "own", `{"displayName":"own"}`)
	for i := range groups {
		id := "top" + strconv.Itoa(i)
		put(t, s, scim.GroupType(), id, `{"displayName":"`+id+`"}`)
		if _, _, err := s.ChangeMembers(t.Context(), id, []scim.Ref{{Type: "Group", ID: "own"}}, nil); err != nil {
			t.Fatal(err)
		}
		role := scim.LinkedRole{Role: scim.Role{ID: "r" + id, Name: id}, Confirmed: true}
		if err := s.SetLink(t.Context(), scim.Link{Source: scim.GroupSource(id), Name: id, Roles: []scim.LinkedRole{role}}); err != nil {
			t.Fatal(err)
		}
	}
	app, plans := &measured{}, 0
	guard := func(ctx context.Context, p *scim.RolePlan) error {
		plans++
		users := 0
		for _, err := range p.Changes(ctx) {
			if err != nil {
				return err
			}
			users++
		}
		if p.Users != n || users != n {
			t.Errorf("the guard sees %d users, and is told of %d; want %d", users, p.Users, n)
		}
		return nil
	}
	h := testhost.New(t, scim.Config{Store: s, Roles: &scim.Roles{Resolver: app, Guard: guard}, Members: scim.MemberPolicy{Nested: true}})
	var list []string
	for i := range n {
		list = append(list, `{"value":"u`+strconv.Itoa(i)+`"}`)
	}
	before := liveHeap()
	send(t, h, "PATCH", "/Groups/own", `{"Operations":[{"op":"add","path":"members","value":[`+strings.Join(list, ",")+`]}]}`, 204)
	if plans != 1 || app.users != n || app.grants != n*groups {
		t.Errorf("%d plans; %d users got %d roles; want 1, %d and %d", plans, app.users, app.grants, n, n*groups)
	}
	grew := (app.top - before) >> 20
	if grew > 80 {
		t.Errorf("%d MiB are in use, want at most 80", grew)
	}
	t.Logf("%d MiB, %d calls, at most %d users in one", grew, app.calls, app.most)
	runtime.KeepAlive(s)
}
