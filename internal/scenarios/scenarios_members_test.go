package scenarios

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

func memberScenarios() []scenario {
	return []scenario{
		{name: "S73 add, known and unknown",
			given:  "G→R; x is no user",
			when:   "a PATCH adds U3 and x",
			then:   "400 invalidValue names x. U3 is not added.",
			reason: "a request that only gives may be refused whole, so that somebody sees it",
			run: func(w *world) {
				pair(w)
				w.user("U3")
				w.wantRefused(w.send("PATCH", "/Groups/G", patchBody(addOp("U3", "x"))), 400, "invalidValue", `"x"`)
				w.wantMembers("G", "U1", "U2")
				w.wantRoles("U3")
			}},
		{name: "S74 a full list with an unknown member",
			given:  "U1 and U2 in G→R; x is no user",
			when:   "a PUT lists U1 and x",
			then:   "200: U2 is out and loses R, U1 keeps it, and an event reports x.",
			reason: "a client that never forgets a dead id must be able to remove",
			run: func(w *world) {
				pair(w)
				w.diff("status", 200, w.put("G", "R", "U1", "x").status)
				w.wantMembers("G", "U1")
				w.wantRoles("U1", "R")
				w.wantRoles("U2")
				w.wantEvents("member unknown G x", "member removed G U2", "role revoked U2 R G")
			}},
		{name: "S75 PUT without members",
			given:  "U1 and U2 in G→R, U2 also holds R by hand",
			when:   "G is PUT without `members`",
			then:   "The group is empty. U1 loses R, U2 keeps it.",
			reason: "some clients send an emptied group without the attribute",
			run:    func(w *world) { w.emptyGroup(func(b map[string]any) { delete(b, "members") }) }},
		{name: "S75 PUT with null members",
			given:  "as before",
			when:   "G is PUT with `members` null",
			then:   "The group is empty. U1 loses R, U2 keeps it.",
			reason: "null is absent",
			run:    func(w *world) { w.emptyGroup(func(b map[string]any) { b["members"] = nil }) }},
		{name: "S75 PUT with no members in the list",
			given:  "as before",
			when:   "G is PUT with `members` []",
			then:   "The group is empty. U1 loses R, U2 keeps it.",
			reason: "an empty list is a list",
			run:    func(w *world) { w.emptyGroup(func(b map[string]any) { b["members"] = []any{} }) }},
		{name: "S76 remove members with an empty list",
			given:  "U1 and U2 in G→R",
			when:   "a PATCH removes `members` with the value []; another one without a value",
			then:   "The first one changes nothing. The second one removes all, and revokes R.",
			reason: `"these: none" is not "all"`,
			run: func(w *world) {
				pair(w)
				was := w.version("G")
				w.do("PATCH", "/Groups/G", patchBody(map[string]any{"op": "remove", "path": "members", "value": []any{}}))
				w.wantMembers("G", "U1", "U2")
				w.diff("version", was, w.version("G"))
				w.wantEvents()
				w.do("PATCH", "/Groups/G", patchBody(map[string]any{"op": "remove", "path": "members"}))
				w.wantMembers("G")
				w.wantRoles("U1")
				w.wantRoles("U2")
			}},
		{name: "S77 removing who is no member, adding who is",
			given:  "U1 in G→R, U2 not",
			when:   "U2 is removed, and U1 added",
			then:   "2xx, and nothing changes.",
			reason: "clients retry",
			run: func(w *world) {
				w.role("R")
				w.user("U1", "U2")
				w.group("G", "R", "U1")
				was := w.version("G")
				w.mark()
				w.remove("G", "U2")
				w.add("G", "U1")
				w.wantEvents()
				w.wantChanges()
				w.diff("version", was, w.version("G"))
			}},
		{name: "S78 the same member twice",
			given:  "G→R, U1 not in it",
			when:   "a PUT lists U1 three times, once with another spelling of the type and a display of its own",
			then:   "U1 is one member, with the display that the server computes, and has one grant.",
			reason: "a role is not counted twice, nor a name chosen by the sender",
			run: func(w *world) {
				w.role("R")
				w.user("U1")
				w.group("G", "R")
				w.do("PUT", "/Groups/G", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"R","members":[
					{"value":"U1"},{"value":"U1"},{"value":"U1","type":"user","display":"Mallory"}]}`)
				list, _ := w.do("GET", "/Groups/G", nil).body["members"].([]any)
				if len(list) != 1 || list[0].(map[string]any)["display"] != "U1@example.com" {
					w.t.Errorf("members: %v", list)
				}
				w.wantLedger("U1", "R group:G")
			}},
		{name: "S79 the same id in users and groups",
			given:  "a user 5, and a group 5 with another user",
			when:   "G→R gets the member 5 without a type; later with the type Group, or with a `$ref` to Groups",
			then:   "Without a type user 5 joins and holds R. Otherwise group 5 joins, and nobody gets R, because nesting is off.",
			reason: "clients omit the type for users; guessing a group gives the role to all of it",
			run: func(w *world) {
				w.role("R")
				w.user("5", "6")
				w.group("5", "Others", "6")
				w.group("G", "R")
				w.add("G", "5")
				w.wantMembers("G", "5")
				w.wantRoles("5", "R")
				w.remove("G", "5")
				w.do("PATCH", "/Groups/G", patchBody(map[string]any{"op": "add", "path": "members",
					"value": []any{map[string]string{"value": "5", "type": "Group"}}}))
				w.wantMembers("G", "Group 5")
				w.wantRoles("5")
				w.wantRoles("6")
				w.put("G", "R")
				w.do("PATCH", "/Groups/G", patchBody(map[string]any{"op": "add", "path": "members",
					"value": []any{map[string]string{"value": "5", "$ref": "https://example.com/scim/v2/Groups/5"}}}))
				w.wantMembers("G", "Group 5")
				w.wantRoles("5")
			}},
		{name: "S80 a member of another tenant",
			given:  "two tenants",
			when:   "an id that only the other tenant has is added to G, or listed in a PUT",
			then:   "As an unknown id: 400 with the same text, or left out.",
			reason: "nothing crosses tenants", run: otherTenant},
		{name: "S81 concurrent adds and removes of different members",
			given:  "G→R with many members",
			when:   "many PATCHes at the same time: some users leave, some leave and come back, some join",
			then:   "Members and holders are what the last request about each user says.",
			reason: "reconciling is idempotent and one user at a time",
			run:    crowd},
		{name: "S82 retried after a lost answer",
			given:  "a PATCH that added U3 and removed U1 was carried out",
			when:   "the client sends it again",
			then:   "2xx, and nothing changes.",
			reason: "the second time there is nothing left to do",
			run: func(w *world) {
				pair(w)
				w.user("U3")
				body := patchBody(addOp("U3"), removeOp("U1"))
				w.do("PATCH", "/Groups/G", body)
				was := w.version("G")
				w.mark()
				w.do("PATCH", "/Groups/G", body)
				w.wantEvents()
				w.wantChanges()
				w.diff("version", was, w.version("G"))
				w.wantMembers("G", "U2", "U3")
			}},
	}
}

// pair makes a group R with U1 and U2.
func pair(w *world) {
	w.t.Helper()
	w.role("R")
	w.user("U1", "U2")
	w.group("G", "R", "U1", "U2")
	w.mark()
}

// emptyGroup is S75.
func (w *world) emptyGroup(change func(body map[string]any)) {
	w.t.Helper()
	pair(w)
	w.byHand("U2", "R")
	body := groupBody("R")
	change(body)
	w.do("PUT", "/Groups/G", body)
	w.wantMembers("G")
	w.wantRoles("U1")
	w.wantRoles("U2", "R")
}

// byTenant authenticates a request as a client of the tenant that a header names.
type byTenant struct{}

func (byTenant) Authenticate(r *http.Request) (scim.Principal, error) {
	return scim.Principal{ID: "client", Tenant: r.Header.Get("X-Tenant")}, nil
}

// otherTenant is S80.
func otherTenant(w *world) {
	other := w.world(w.t, scim.Roles{})
	other.user("xxxx")
	pair(w)
	tenants := map[string]*scim.Tenant{
		"":      {ID: "", Store: w.store, Roles: &w.roles},
		"other": {ID: "other", Store: other.store, Roles: &other.roles},
	}
	c := w.config()
	c.Store, c.Roles, c.Auth = nil, nil, byTenant{}
	c.TenantFor = func(_ context.Context, p scim.Principal) (*scim.Tenant, error) { return tenants[p.Tenant], nil }
	own := w.h
	w.h = []*scim.Handler{w.handler(c)}
	there := w.send("PATCH", "/Groups/G", patchBody(addOp("xxxx")))
	nowhere := w.send("PATCH", "/Groups/G", patchBody(addOp("yyyy")))
	w.wantRefused(there, 400, "invalidValue", "xxxx")
	w.diff("what the client sees", nowhere.detail(), strings.ReplaceAll(there.detail(), "xxxx", "yyyy"))
	w.put("G", "R", "U1", "xxxx")
	w.wantMembers("G", "U1")
	other.wantRoles("xxxx")
	w.h = own
}

// crowd is S81: many members change at the same time. One third of the users leaves, one
// third leaves and comes back, and one third joins.
func crowd(w *world) {
	n := w.size(50, 20)
	w.role("R")
	var all []string
	for i := range 3 * n {
		all = append(all, fmt.Sprintf("u%03d", i))
	}
	w.user(all...)
	w.group("G", "R", all[:2*n]...)
	testhost.Parallel(3*n, func(i int) {
		switch {
		case i < n:
			w.remove("G", all[i])
		case i < 2*n:
			w.remove("G", all[i])
			w.add("G", all[i])
		default:
			w.add("G", all[i])
		}
	})
	w.wantMembers("G", slices.Clone(all[n:])...)
	w.diff("holders", all[n:], w.app.Holders("R"))
}
