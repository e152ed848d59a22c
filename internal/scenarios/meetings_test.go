package scenarios

import (
	"fmt"
	"sync"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// meeting is two operations of two processes. One of them stops at a call of the application,
// and the other one runs as far as it can.
type meeting struct {
	name, reason  string
	roles         scim.Roles
	prepare       func(w *world)
	first, second func(w *world) error
	want          func(w *world)
}

// calls are where the first operation of a meeting stops. The first few find the most.
var calls = []string{"Grants", "held", "resolved", "SetLinked", "DropSource", "Links", "SetLink", "Record", "change", "changed", "SourceUsers", "Deleted", "GroupsOf", "committed"}

// try sends a request that must succeed, in the first or the second process. Tests call it in
// goroutines of their own.
func try(method, path string, body any) func(w *world) error {
	return func(w *world) error {
		if r := w.send(method, path, body); r.status/100 != 2 {
			return fmt.Errorf("%s %s: %d %s", method, path, r.status, r.detail())
		}
		return nil
	}
}

// mapping is the application's mapping of names to roles, which can change meanwhile.
type mapping struct {
	mu        sync.Mutex
	roles     map[string]scim.Role
	protected bool // whether the next roles that names get are protected
}

// maps creates roles and makes a name stand for the first one. The look-up is "resolved" after
// it has read the mapping.
func (w *world) maps(name string, roles ...string) *mapping {
	w.t.Helper()
	for _, r := range roles {
		w.role(r)
	}
	m := &mapping{roles: map[string]scim.Role{}}
	m.set(name, roles[0])
	w.app.Resolve = func(src scim.RoleSource) ([]scim.Role, error) {
		m.mu.Lock()
		r, ok := m.roles[src.Name()]
		m.mu.Unlock()
		w.at("resolved")
		if !ok {
			return nil, scim.ErrNoRole
		}
		return []scim.Role{r}, nil
	}
	return m
}

func (m *mapping) set(name, role string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roles[name] = scim.Role{ID: role, Name: role, Protected: m.protected}
}

func meetings() []meeting {
	leaver := func(w *world) {
		w.role("R")
		w.user("U", "V")
		w.deactivate("U")
		w.group("G", "R", "U", "V")
	}
	isGone := func(w *world) {
		w.wantRoles("U")
		w.wantRoles("V")
		w.wantLedger("U")
		w.wantLedger("V")
	}
	remap := func(w *world) error {
		w.mapping.set("Team", "New")
		return testhost.Must(w.h[len(w.h)-1].Reconciler(nil)).RolesChanged(ctx())
	}
	remapped := func(w *world) {
		w.wantRoles("U", "New")
		w.wantLedger("U", "New group:G")
	}
	patchAndRemap := func(w *world) error {
		w.mapping.set("Team", "New")
		if err := try("PATCH", "/Users/U", valueBody("Team"))(w); err != nil {
			return err
		}
		return remap(w)
	}
	bothRemapped := func(w *world) {
		w.wantRoles("U", "New")
		w.wantRoles("V", "New")
	}
	protectedValue := func(w *world) {
		w.mapping = w.maps("Team", "Old", "New")
		w.mapping.protected = true
		w.mapping.set("Team", "Old")
		w.user("U")
		w.do("PATCH", "/Users/U", valueBody("Team"))
	}
	confirmValue := func(w *world) error {
		return w.reconciler().ConfirmValue(ctx(), "userType", "Team", scim.Role{ID: "Old"})
	}
	return []meeting{
		{"a deletion, and an inactive member comes back", "no source gives the role any more", scim.Roles{}, leaver,
			try("DELETE", "/Groups/G", nil), try("PATCH", "/Users/U", activeBody(true)), isGone},
		{"an inactive member comes back, and a deletion", "no source gives the role any more", scim.Roles{}, leaver,
			try("PATCH", "/Users/U", activeBody(true)), try("DELETE", "/Groups/G", nil), isGone},
		{"a new group, and its mapping changes", "the report came after the look-up", scim.Roles{},
			func(w *world) {
				w.user("U")
				w.mapping = w.maps("Team", "Old", "New")
				w.nextID = "G"
			},
			try("POST", "/Groups", groupBody("Team", "U")), remap, remapped},
		{"a new name, and its mapping changes", "the report came after the look-up", scim.Roles{},
			func(w *world) {
				w.user("U")
				w.mapping = w.maps("Other", "Other", "Old", "New")
				w.mapping.set("Team", "Old")
				w.group("G", "Other", "U")
			},
			try("PATCH", "/Groups/G", renameBody("Team")), remap, remapped},
		{"a new value, and its mapping changes", "the report came after the look-up", scim.Roles{Attributes: []string{"userType"}},
			func(w *world) {
				w.user("U")
				w.mapping = w.maps("Team", "Old", "New")
			},
			try("PATCH", "/Users/U", valueBody("Team")), remap, func(w *world) {
				w.wantRoles("U", "New")
				w.wantLedger("U", "New attr:userType")
			}},
		{"an inactive user gets a value, and its mapping changes", "the report came after the look-up", scim.Roles{Attributes: []string{"userType"}},
			func(w *world) {
				w.user("U")
				w.mapping = w.maps("Team", "Old", "New")
			},
			try("PATCH", "/Users/U", patchBody(map[string]any{"op": "replace", "value": map[string]any{"active": false, "userType": "Team"}})), remap, func(w *world) {
				w.activate("U")
				w.wantRoles("U", "New")
			}},
		{"two users get a new value, and its mapping changes in between", "the report came after both", scim.Roles{Attributes: []string{"userType"}},
			func(w *world) {
				w.user("U", "V")
				w.mapping = w.maps("Team", "Old", "New")
			},
			try("PATCH", "/Users/V", valueBody("Team")), patchAndRemap, bothRemapped},
		{"two users get a value that nobody has any more, and its mapping changes in between", "the report came after both", scim.Roles{Attributes: []string{"userType"}},
			func(w *world) {
				w.user("U", "V", "X")
				w.mapping = w.maps("Team", "Old", "New")
				w.do("PATCH", "/Users/X", valueBody("Team"))
				w.deleteUser("X")
			},
			try("PATCH", "/Users/V", valueBody("Team")), patchAndRemap, bothRemapped},
		{"a role of two is gone, and the other one is given by hand", "the library finds out which one is gone, and takes nothing", scim.Roles{},
			func(w *world) {
				w.user("U")
				w.role("Gone")
				w.role("R")
				w.app.Resolve = func(scim.RoleSource) ([]scim.Role, error) {
					return []scim.Role{{ID: "Gone", Name: "Gone"}, {ID: "R", Name: "R"}}, nil
				}
				w.group("G", "both")
				w.app.Drop("Gone")
			},
			try("PATCH", "/Groups/G", patchBody(addOp("U"))), func(w *world) error { return w.giveByHand("U", "R") }, func(w *world) {
				w.remove("G", "U")
				w.wantRoles("U", "R")
			}},
		{"a known value, and its mapping changes", "the report came after the look-up", scim.Roles{Attributes: []string{"userType"}},
			func(w *world) {
				w.user("U", "V")
				w.mapping = w.maps("Team", "Old", "New")
				w.do("PATCH", "/Users/V", valueBody("Team"))
			},
			try("PATCH", "/Users/U", valueBody("Team")), remap, func(w *world) {
				w.wantRoles("U", "New")
				w.wantRoles("V", "New")
			}},
		{"a value is confirmed, and its mapping changes", "nobody has confirmed the other role", scim.Roles{Attributes: []string{"userType"}},
			protectedValue, confirmValue, remap, func(w *world) {
				w.wantRoles("U")
				w.wantLink("attr:userType=Team", "New unconfirmed")
			}},
		{"a value is confirmed, and another user gets it", "a confirmation is not lost", scim.Roles{Attributes: []string{"userType"}},
			func(w *world) { protectedValue(w); w.user("V") }, confirmValue, try("PATCH", "/Users/V", valueBody("Team")), func(w *world) {
				w.wantRoles("U", "Old")
				w.wantRoles("V", "Old")
			}},
		{"a user gets a value, which is confirmed", "a confirmation is not lost", scim.Roles{Attributes: []string{"userType"}},
			func(w *world) { protectedValue(w); w.user("V") }, try("PATCH", "/Users/V", valueBody("Team")), confirmValue, func(w *world) {
				w.wantRoles("U", "Old")
				w.wantRoles("V", "Old")
			}},
	}
}

func valueBody(v string) map[string]any {
	return patchBody(map[string]any{"op": "replace", "path": "userType", "value": v})
}

// Whatever two operations do at once, the roles of everybody are those that their sources give
// afterwards.
func TestMeetings(t *testing.T) {
	everywhere(t, func(t *testing.T, in setting) {
		for _, tt := range meetings() {
			t.Run(tt.name, func(t *testing.T) {
				at := calls
				switch {
				case in.crawls:
					at = calls[:2]
				case in.slow && !long:
					at = calls[:5]
				}
				for _, op := range at {
					for n := int64(1); ; n++ {
						w := in.world(t, tt.roles)
						tt.prepare(w)
						if in.kind != bare { // whose locks are those of one process
							w.servers(2)
						}
						met, err := meet(w, op, n, func() error { return tt.first(w) }, func() error { return tt.second(w) })
						if err != nil {
							t.Fatalf("at call %d of %s: %v", n, op, err)
						}
						if w.step = nil; !met {
							break
						}
						if tt.want(w); t.Failed() {
							t.Fatalf("at call %d of %s: %s", n, op, tt.reason)
						}
					}
				}
			})
		}
	})
}
