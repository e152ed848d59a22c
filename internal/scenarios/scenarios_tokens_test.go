package scenarios

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/scimkit/scim"
)

// tokenFor authenticates everybody as a client with these scopes.
type tokenFor []string

func (s tokenFor) Authenticate(*http.Request) (scim.Principal, error) {
	return scim.Principal{ID: "client", Scopes: s}, nil
}

// asClient makes the requests from now on come from a client with these scopes.
func (w *world) asClient(scopes ...string) {
	w.t.Helper()
	c := w.config()
	c.Auth = tokenFor(scopes)
	w.h = []*scim.Handler{w.handler(c)}
}

// usersOnly is S99 with a token that has the scope of users alone.
func usersOnly(w *world) {
	w.role("R")
	w.role("S")
	w.userNamed("U", "S")
	w.user("V")
	w.group("G", "R", "U")
	w.asClient(scim.ScopeUsers)
	w.mark()
	search := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}}
	requests := []map[string]any{
		{"method": "PATCH", "path": "/Groups/G", "data": patchBody(addOp("V"))},
		{"method": "PUT", "path": "/Groups/G", "data": groupBody("R", "V")},
		{"method": "DELETE", "path": "/Groups/G"},
		{"method": "POST", "path": "/Groups", "bulkId": "g", "data": groupBody("S", "V")},
		{"method": "PATCH", "path": "/Users/V", "data": patchBody(rolesOp("add", "S"))},
		{"method": "PUT", "path": "/Users/V", "data": userWithRoles("V", "S")},
		{"method": "PUT", "path": "/Users/U", "data": userWithRoles("U", "S")},
		{"method": "PATCH", "path": "/Users/U", "data": patchBody(rolesOp("remove", "S"))},
		{"method": "POST", "path": "/Users", "bulkId": "u", "data": userWithRoles("X", "S")},
	}
	for _, r := range requests {
		w.diff(fmt.Sprint(r["method"], r["path"]), 403, w.send(r["method"].(string), r["path"].(string), r["data"]).status)
	}
	w.diff("search for groups", 403, w.send("POST", "/Groups/.search", search).status)
	w.diff("search for everything", 403, w.send("POST", "/.search", search).status)
	for _, expr := range []string{`roles.value eq "S"`, `roles.value eq "none"`, `groups.value eq "G"`, `groups.value eq "none"`} {
		w.diff(expr, 403, w.send("POST", "/Users/.search", with(search, "filter", expr)).status)
		w.diff(expr, 403, w.send("GET", "/Users?filter="+url.QueryEscape(expr), nil).status)
	}
	bulk := w.do("POST", "/Bulk", map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": append(requests,
		map[string]any{"method": "PATCH", "path": "/Users/V", "data": patchBody(map[string]any{"op": "add", "path": "title", "value": "x"})})})
	for i, op := range bulk.body["Operations"].([]any) {
		want := "403"
		if i == len(requests) {
			want = "200"
		}
		w.diff(fmt.Sprint("operation ", i), any(want), op.(map[string]any)["status"])
	}
	w.wantEvents("user updated V")
	seen := w.do("GET", "/Users/U", nil).body
	w.diff("groups and roles in an answer", []any{nil, nil}, []any{seen["groups"], seen["roles"]})
	w.do("PUT", "/Users/U", with(profile("U"), "title", "x"))
	w.wantRoles("U", "R", "S")
	w.deactivate("U")
	w.wantRoles("U")
	w.activate("U")
	w.wantRoles("U", "R", "S")
	w.restart()
	w.wantStored("U", "S")
}

// groupsOnly is S99 with a token that has the scope of groups alone.
func groupsOnly(w *world) {
	w.role("R")
	w.role("S")
	w.userNamed("U", "S")
	w.user("V")
	w.group("G", "R", "U")
	w.asClient(scim.ScopeGroups)
	for _, r := range []map[string]any{
		{"method": "GET", "path": "/Users/U"},
		{"method": "GET", "path": "/Users"},
		{"method": "PATCH", "path": "/Users/V", "data": patchBody(rolesOp("add", "S"))},
		{"method": "DELETE", "path": "/Users/V"},
		{"method": "POST", "path": "/Users", "data": profile("X")},
	} {
		w.diff(fmt.Sprint(r["method"], r["path"]), 403, w.send(r["method"].(string), r["path"].(string), r["data"]).status)
	}
	w.do("PATCH", "/Groups/G", patchBody(addOp("V")))
	w.wantRoles("V", "R")
	for _, m := range w.do("GET", "/Groups/G", nil).body["members"].([]any) {
		w.diff("the name of a member", nil, m.(map[string]any)["display"])
	}
	w.restart()
}
