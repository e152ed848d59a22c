package scenarios

import (
	"errors"
	"testing"

	"github.com/scimkit/scim"
)

// A deleted user or group is a member of no group, also in a store without transactions.
func TestDeletedMembersAreNoMembers(t *testing.T) {
	start := func(t *testing.T) *world {
		w := newWorld(t, bare, scim.Roles{})
		w.role("R")
		w.user("U", "V")
		w.group("G", "R", "U", "V")
		w.group("H", "S", "U")
		w.group("Outer", "T")
		w.do("PATCH", "/Groups/Outer", patchBody(map[string]any{"op": "add", "path": "members",
			"value": []any{map[string]string{"value": "G", "type": "Group"}}}))
		return w
	}
	gone := func(w *world) {
		w.t.Helper()
		w.wantMembers("G", "V")
		w.wantMembers("H")
		w.wantRoles("U")
		w.checkSettled()
	}
	t.Run("in one go", func(t *testing.T) {
		w := start(t)
		w.deleteUser("U")
		gone(w)
		w.deleteGroup("G")
		w.wantMembers("Outer")
		w.wantRoles("V")
	})
	t.Run("groups that cannot be written for a while", func(t *testing.T) {
		w := start(t)
		st := &refusing{Store: w.store, update: errors.New("down")}
		w.store = st
		w.restart()
		w.diff("first", 500, w.send("DELETE", "/Users/U", nil).status)
		st.update = nil
		w.mark()
		w.diff("repeated", 404, w.send("DELETE", "/Users/U", nil).status)
		w.wantEvents("member removed G U", "member removed H U")
		gone(w)
	})
	t.Run("a release that failed", func(t *testing.T) {
		w := start(t)
		st := &refusing{Store: w.store, update: errors.New("down")}
		w.store = st
		w.restart()
		if err := w.reconciler().Release(ctx(), "G"); err == nil {
			t.Error("no error")
		}
		st.update = nil
		w.diff("unknown", false, w.reconciler().Release(ctx(), "G") == nil)
		w.wantMembers("Outer")
	})
	t.Run("crash", func(t *testing.T) {
		w := start(t)
		w.dies("Deleted", 1, func() { w.send("DELETE", "/Users/U", nil) })
		w.diff("repeated", 404, w.send("DELETE", "/Users/U", nil).status)
		gone(w)
	})
	for _, op := range []string{"Update", "Updated"} {
		t.Run("deleted while a group adds it, at "+op, func(t *testing.T) {
			w := start(t)
			w.remove("G", "U")
			once := false
			w.step = func(at string) {
				if at != op || once {
					return
				}
				once = true
				w.deleteUser("U")
			}
			w.add("G", "U")
			w.step = nil
			w.diff("ran", true, once)
			gone(w)
		})
	}
	t.Run("deleted while a new group has it", func(t *testing.T) {
		w := start(t)
		once := false
		w.step = func(at string) {
			if at != "Create" || once {
				return
			}
			once = true
			w.deleteUser("U")
		}
		w.group("New", "R", "U", "V")
		w.step = nil
		w.wantMembers("New", "V")
		gone(w)
	})
}
