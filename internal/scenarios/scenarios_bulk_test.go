package scenarios

import (
	"strconv"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// TestBulkRolesKept is S4 of the role rules, and a circle, for the three ways to keep
// roles.
func TestBulkRolesKept(t *testing.T) {
	for _, kind := range []string{joint, separate, bare} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, kind, scim.Roles{})
			w.role("R")
			w.role("S")
			w.user("u")
			w.group("g1", "R", "u")
			w.group("g2", "S")
			w.wantRoles("u", "R")
			w.do("POST", "/Bulk", testhost.BulkBody(testhost.Patch("/Groups/g1", `{"op":"remove","path":"members[value eq \"u\"]"}`),
				testhost.Patch("/Groups/g2", `{"op":"add","path":"members","value":[{"value":"u"}]}`)))
			w.wantRoles("u", "S")
			w.checkSettled()
			w.role("A")
			w.role("B")
			c, last := w.config(), 0
			c.NewID = func() string { last++; return strconv.Itoa(last) }
			w.h = []*scim.Handler{w.handler(c)}
			w.do("POST", "/Bulk", testhost.BulkBody(testhost.PostGroup("a", "A", "Group bulkId:b", "User u"), testhost.PostGroup("b", "B", "Group bulkId:a", "User nobody")))
			w.wantRoles("u", "S") // a circle that fails gives nothing
			w.wantLedger("u", "S group:g2")
			w.do("POST", "/Bulk", testhost.BulkBody(testhost.PostGroup("a", "A", "Group bulkId:b", "User u"), testhost.PostGroup("b", "B", "Group bulkId:a", "User u")))
			w.wantRoles("u", "A", "B", "S")
			w.checkSettled()
		})
	}
}
