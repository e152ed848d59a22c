package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// promised is a store whose ids are unique because its application says so.
type promised struct{ *testhost.BareStore }

func (promised) UniqueIDs() bool { return true }

// nest plays requests about groups in groups. Names are ids.
type nest struct {
	t    *testing.T
	h    http.Handler
	next string // the id of the next resource
	left []string
}

// nests runs a test with a MemberStore and with a store whose groups carry their members.
func nests(t *testing.T, change func(c *scim.Config), run func(n *nest)) {
	for name, store := range map[string]scim.Store{"MemberStore": memory.New(memory.UniqueIDs()), "bare": promised{testhost.NewBareStore()}} {
		t.Run(name, func(t *testing.T) {
			n := &nest{t: t}
			n.h = testhost.Handler(t, func(c *scim.Config) {
				c.Store, c.NewID = store, func() string { return n.next }
				c.Members = scim.MemberPolicy{Nested: true, MaxDepth: 3}
				c.OnEvent = func(_ context.Context, e scim.Event) {
					if e.Kind == scim.MemberNested {
						n.left = append(n.left, e.Resource.ID+" "+e.Member.ID+": "+e.Reason)
					}
				}
				if change != nil {
					change(c)
				}
			})
			run(n)
		})
	}
}

func (n *nest) users(ids ...string) {
	for _, id := range ids {
		n.next = id
		testhost.Create(n.t, n.h, "/Users", fmt.Sprintf(`{"userName":%q}`, id))
	}
}

// list is JSON of members. An id with a capital letter is a group.
func list(ids ...string) string {
	for i, id := range ids {
		typ := "User"
		if strings.ToLower(id) != id {
			typ = "Group"
		}
		ids[i] = fmt.Sprintf(`{"value":%q,"type":%q}`, id, typ)
	}
	return "[" + strings.Join(ids, ",") + "]"
}

// groups creates groups, each given as "id member member …".
func (n *nest) groups(all ...string) {
	for _, g := range all {
		words := strings.Fields(g)
		n.next = words[0]
		testhost.Create(n.t, n.h, "/Groups", fmt.Sprintf(`{"displayName":"The %s","members":%s}`, words[0], list(words[1:]...)))
	}
}

// do sends a request, requires a status, and returns the detail of an error.
func (n *nest) do(status int, method, target, body string) string {
	n.t.Helper()
	res := testhost.Do(n.t, n.h, method, target, body)
	if res.StatusCode != status {
		n.t.Errorf("%s %s %s: %d, want %d: %v", method, target, body, res.StatusCode, status, testhost.Decode(n.t, res))
		return ""
	}
	if status < 400 {
		return ""
	}
	e := testhost.Decode(n.t, res)
	if e["scimType"] != "invalidValue" {
		n.t.Errorf("%s %s: scimType %v", method, target, e["scimType"])
	}
	return e["detail"].(string)
}

func (n *nest) patch(status int, group string, ops ...string) string {
	n.t.Helper()
	return n.do(status, "PATCH", "/Groups/"+group,
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+strings.Join(ops, ",")+`]}`)
}

func add(list string) string { return `{"op":"add","path":"members","value":` + list + `}` }

func remove(list string) string { return `{"op":"remove","path":"members","value":` + list + `}` }

// members requires the members of a group, groups first.
func (n *nest) members(group string, want ...string) {
	n.t.Helper()
	got := []string{}
	all, _ := testhost.Decode(n.t, testhost.Do(n.t, n.h, "GET", "/Groups/"+group, ""))["members"].([]any)
	for _, m := range all {
		got = append(got, fmt.Sprint(m.(map[string]any)["type"], " ", m.(map[string]any)["value"]))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		n.t.Errorf("members of %s (-want +got):\n%s", group, diff)
	}
}

// belongs requires the groups of a user, and that filters on groups agree.
func (n *nest) belongs(user string, want ...string) {
	n.t.Helper()
	got := []string{}
	all, _ := testhost.Decode(n.t, testhost.Do(n.t, n.h, "GET", "/Users/"+user, ""))["groups"].([]any)
	for _, g := range all {
		got = append(got, fmt.Sprint(g.(map[string]any)["value"], " ", g.(map[string]any)["type"], " ", g.(map[string]any)["display"]))
	}
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		n.t.Errorf("groups of %s (-want +got):\n%s", user, diff)
	}
	groups, _ := testhost.Decode(n.t, testhost.Do(n.t, n.h, "GET", "/Groups?count=100", ""))["Resources"].([]any)
	for _, g := range groups {
		id := g.(map[string]any)["id"].(string)
		found := testhost.Decode(n.t, testhost.Do(n.t, n.h, "GET", `/Users?filter=groups.value+eq+"`+id+`"+and+id+eq+"`+user+`"`, ""))["totalResults"]
		isIn := slices.ContainsFunc(got, func(text string) bool { return strings.HasPrefix(text, id+" ") })
		if found != map[bool]float64{true: 1}[isIn] {
			n.t.Errorf(`groups.value eq %q finds %v of user %s, who is in: %q`, id, found, user, got)
		}
	}
}

func TestNestedGroups(t *testing.T) {
	nests(t, nil, func(n *nest) {
		n.users("u", "v")
		n.groups("C u", "B C v", "A B", "Z u")
		n.belongs("u", "C direct The C", "Z direct The Z", "B indirect The B", "A indirect The A")
		n.belongs("v", "B direct The B", "A indirect The A")
		n.patch(204, "A", remove(list("B")), add(list("C")))
		n.belongs("u", "C direct The C", "Z direct The Z", "B indirect The B", "A indirect The A")
		n.belongs("v", "B direct The B")
		n.do(204, "DELETE", "/Groups/C", "")
		n.belongs("u", "Z direct The Z")
		n.members("A")
	})
	t.Run("off", func(t *testing.T) {
		nests(t, func(c *scim.Config) { c.Members.Nested = false }, func(n *nest) {
			n.users("u")
			n.groups("B u", "A B")
			n.belongs("u", "B direct The B")
			n.patch(204, "B", add(list("A")))
			n.members("B", "Group A", "User u")
		})
	})
}

func TestNestingRefused(t *testing.T) {
	circle := "members: a group cannot belong to itself, but "
	deep := "members: at most 3 groups can be above a group, but "
	hint := "; take one of these groups out first"
	t.Run("S86", func(t *testing.T) {
		nests(t, nil, func(n *nest) {
			n.users("u")
			n.groups("D u", "C D", "B D", "A B C")
			n.diff(circle+`"The D" (D) contains "The A" (A) contains "The B" (B) contains "The D" (D)`+hint, n.patch(400, "D", add(list("A"))))
			n.diff(circle+`"The D" (D) contains "The D" (D)`+hint, n.patch(400, "D", add(list("D"))))
			n.diff(circle+`"The D" (D) contains "The C" (C) contains "The D" (D)`+hint,
				n.do(400, "PUT", "/Groups/D", `{"displayName":"The D","members":`+list("u", "C")+`}`))
			n.members("D", "User u")
			n.patch(204, "B", remove(list("D")))
			n.patch(204, "D", add(list("B")))
			n.diff(circle+`"The B" (B) contains "The A" (A) contains "The B" (B)`+hint, n.patch(400, "B", add(list("A"))))
			n.belongs("u", "D direct The D", "C indirect The C", "A indirect The A")
		})
	})
	t.Run("S88", func(t *testing.T) {
		nests(t, nil, func(n *nest) {
			n.groups("E", "D E", "C D", "B C", "Z")
			n.next = "A"
			n.diff(deep+`the new group "The A" contains "The B" (B) contains "The C" (C) contains "The D" (D) contains "The E" (E)`,
				n.do(400, "POST", "/Groups", `{"displayName":"The A","members":`+list("B")+`}`))
			n.diff(deep+`"The B" (B) contains "The C" (C) contains "The D" (D) contains "The E" (E) contains "The Z" (Z)`, n.patch(400, "E", add(list("Z"))))
			n.patch(204, "D", add(list("Z")))
			n.members("E")
		})
	})
	t.Run("beside a removal the group is left out", func(t *testing.T) {
		nests(t, nil, func(n *nest) {
			n.users("u", "v")
			n.groups("D", "C D", "B C u", "A B")
			n.do(200, "PUT", "/Groups/D", `{"displayName":"The D","members":`+list("v")+`}`)
			n.do(200, "PUT", "/Groups/D", `{"displayName":"The D","members":`+list("A")+`}`)
			n.members("D")
			n.diff(`["D A: left out: the group would belong to itself"]`, fmt.Sprintf("%q", n.left))
		})
	})
	t.Run("what is a member already is not judged", func(t *testing.T) {
		off := true
		nests(t, func(c *scim.Config) { c.Members.Nested = off }, func(n *nest) {
			n.groups("B", "A B")
			n.patch(204, "A", add(list("B")))
			n.do(200, "PUT", "/Groups/A", `{"displayName":"The A","members":`+list("B")+`}`)
		})
	})
	t.Run("a circle of a bulk request", func(t *testing.T) {
		ids := 0
		nests(t, func(c *scim.Config) { c.NewID = func() string { ids++; return fmt.Sprint("G", ids) } }, func(n *nest) {
			res := testhost.Do(t, n.h, "POST", "/Bulk", testhost.BulkBody(testhost.PostGroup("a", "A", "Group bulkId:b"), testhost.PostGroup("b", "B", "Group bulkId:a")))
			for _, op := range testhost.Decode(t, res)["Operations"].([]any) {
				if status := op.(map[string]any)["status"]; status != "400" && status != "409" {
					t.Errorf("%v", op)
				}
			}
			if total := testhost.Decode(t, testhost.Do(t, n.h, "GET", "/Groups", ""))["totalResults"]; total != 0.0 {
				t.Errorf("%v groups are left", total)
			}
		})
	})
	t.Run("names are not told to those who may not list groups", func(t *testing.T) {
		blind := false
		nests(t, func(c *scim.Config) {
			c.Allow = func(_ context.Context, a scim.Access) error {
				if blind && a.Op == scim.OpList {
					return errors.New("no")
				}
				return nil
			}
		}, func(n *nest) {
			blind = false
			n.groups("B", "A B")
			blind = true
			n.diff(circle+`"B" contains "A" contains "B"`+hint, n.patch(400, "B", add(list("A"))))
		})
	})
}

func (n *nest) diff(want, got string) {
	n.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		n.t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestStoredNesting switches nesting on over what a client stored without it.
func TestStoredNesting(t *testing.T) {
	for name, store := range map[string]scim.Store{"MemberStore": memory.New(), "bare": testhost.NewBareStore()} {
		t.Run(name, func(t *testing.T) {
			n := &nest{t: t}
			on := func(nested bool) {
				n.h = testhost.Handler(t, func(c *scim.Config) {
					c.Store, c.NewID = store, func() string { return n.next }
					c.Members = scim.MemberPolicy{Nested: nested, MaxDepth: 3}
				})
			}
			on(false)
			n.users("u", "v", "w")
			n.groups("B u", "A B", "C B v", "E w", "F E", "G F", "H G", "I H")
			n.patch(204, "B", add(list("A")))
			on(true)
			n.belongs("u", "B direct The B", "C indirect The C")
			n.belongs("w", "E direct The E")
			n.patch(204, "B", add(list("A"))) // it is a member already
			n.patch(204, "B", remove(list("A")))
			n.belongs("u", "B direct The B", "A indirect The A", "C indirect The C")
			n.patch(204, "I", remove(list("H")))
			n.belongs("w", "E direct The E", "F indirect The F", "G indirect The G", "H indirect The H")
		})
	}
}

// TestMembersWithoutType is the second half of S79.
func TestMembersWithoutType(t *testing.T) {
	bare := func(ids ...string) string { return `[{"value":"` + strings.Join(ids, `"},{"value":"`) + `"}]` }
	nests(t, nil, func(n *nest) {
		n.users("u", "v")
		n.groups("B v", "A", "C")
		n.patch(204, "A", add(bare("u", "B")))
		n.members("A", "Group B", "User u")
		n.belongs("v", "B direct The B", "A indirect The A")
		n.do(200, "PUT", "/Groups/A", `{"displayName":"The A","members":`+bare("B", "u")+`}`)
		n.members("A", "Group B", "User u")
		n.do(200, "PUT", "/Groups/A", `{"displayName":"The A","members":`+bare("C")+`}`)
		n.members("A", "Group C")
		n.diff(`members: not provisioned here: User "x"; provision them first`, n.patch(400, "A", add(bare("B", "x"))))
		n.diff(`members: not provisioned here: User "B"; provision them first`, n.patch(400, "A", add(`[{"value":"B","type":"User"}]`)))
		n.patch(204, "A", remove(bare("C")))
		n.members("A")
		n.patch(204, "A", add(bare("B")), add(list("B")), remove(bare("B")), add(bare("B", "B")))
		n.members("A", "Group B")
		n.diff(`members: a group cannot belong to itself, but "The B" (B) contains "The A" (A) contains "The B" (B); take one of these groups out first`,
			n.patch(400, "B", add(bare("A"))))
	})
	t.Run("ids are not unique", func(t *testing.T) {
		n := &nest{t: t}
		n.h = testhost.Handler(t, func(c *scim.Config) { c.NewID = func() string { return n.next } })
		n.users("5")
		n.groups("5", "6", "G")
		n.patch(204, "G", add(bare("5")))
		n.members("G", "User 5")
		n.diff(`members: not provisioned here: User "6"; provision them first`, n.patch(400, "G", add(bare("6"))))
	})
}
