package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// A token that may write and not read learns nothing of what it writes to.
func TestWhoMayNotReadIsShownNothing(t *testing.T) {
	for name, store := range map[string]scim.Store{"memory": memory.New(), "bare": testhost.NewBareStore()} {
		t.Run(name, func(t *testing.T) {
			isBlind := false
			h := testhost.Handler(t, func(c *scim.Config) {
				c.Store = store
				c.Allow = func(_ context.Context, a scim.Access) error {
					if isBlind && (a.Op == scim.OpGet || a.Op == scim.OpList) {
						return errors.New("this token may not read")
					}
					return nil
				}
			})
			user := testhost.Create(t, h, "/Users", `{"userName":"ann","title":"secret"}`)
			group := testhost.Create(t, h, "/Groups", `{"displayName":"secret","members":[{"value":"`+user+`"}]}`)
			tag := testhost.Do(t, h, "GET", "/Users/"+user, "").Header.Get("Etag")
			isBlind = true
			replace := func(path, value string) string {
				return `{"Operations":[{"op":"replace","path":"` + path + `","value":"` + value + `"}]}`
			}
			for _, tt := range []struct {
				name, method, target, body string
				status                     int
			}{
				{"create", "POST", "/Users", `{"userName":"ben","title":"secret"}`, 201},
				{"create a group", "POST", "/Groups", `{"displayName":"secret","members":[{"value":"` + user + `"}]}`, 201},
				{"replace", "PUT", "/Users/" + user, `{"userName":"ann","title":"other"}`, 200},
				{"replace by the same", "PUT", "/Users/" + user, `{"userName":"ann","title":"other"}`, 200},
				{"replace a group", "PUT", "/Groups/" + group + "?attributes=members", `{"displayName":"secret","members":[{"value":"` + user + `"}]}`, 200},
				{"patch", "PATCH", "/Users/" + user, replace("title", "secret"), 204},
				{"patch without a change", "PATCH", "/Users/" + user, replace("title", "secret"), 204},
				{"patch with attributes", "PATCH", "/Users/" + user + "?attributes=title", replace("title", "secret"), 204},
				{"patch a group", "PATCH", "/Groups/" + group, replace("displayName", "secret"), 204},
				{"patch a group with attributes", "PATCH", "/Groups/" + group + "?attributes=members", replace("displayName", "secret"), 204},
			} {
				res := testhost.Do(t, h, tt.method, tt.target, tt.body)
				b, _ := io.ReadAll(res.Body)
				if res.StatusCode != tt.status || res.Header.Get("Etag") != "" {
					t.Errorf("%s: %d with the tag %q, want %d without one", tt.name, res.StatusCode, res.Header.Get("Etag"), tt.status)
				}
				typ, id := "User", user
				if strings.HasPrefix(tt.target, "/Groups") {
					typ, id = "Group", group
				}
				location := res.Header.Get("Location")
				if tt.method == "POST" {
					id = location[strings.LastIndexByte(location, '/')+1:]
				}
				want := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:%s"],"id":"%s","meta":{"resourceType":"%s","location":"http://example.com/%ss/%s"}}`, typ, id, typ, typ, id)
				if tt.status == 204 {
					want = ""
				}
				if diff := cmp.Diff(want, string(b)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tt.name, diff)
				}
			}
			res := testhost.Do(t, h, "POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
				{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"cy","title":"secret"}},
				{"method":"PUT","path":"/Users/`+user+`","data":{"userName":"ann","title":"secret"}},
				{"method":"PATCH","path":"/Users/`+user+`","data":`+replace("title", "secret")+`},
				{"method":"POST","path":"/Groups","bulkId":"x","data":{"displayName":"x","members":[{"value":"bulkId:y","type":"Group"}]}},
				{"method":"POST","path":"/Groups","bulkId":"y","data":{"displayName":"y","members":[{"value":"bulkId:x","type":"Group"}]}}]}`)
			b, _ := io.ReadAll(res.Body)
			if s := string(b); res.StatusCode != 200 || strings.Contains(s, "secret") || strings.Contains(s, "version") || strings.Count(s, `"status":"20`) != 5 {
				t.Errorf("a bulk request: %d %s", res.StatusCode, s)
			}
			res = testhost.Do(t, h, "PUT", "/Users/"+user, `{"userName":"ann"}`, `If-Match: W/"other"`)
			if b, _ = io.ReadAll(res.Body); res.StatusCode != 412 || strings.Contains(string(b), "W/") {
				t.Errorf("a precondition that fails: %d %s", res.StatusCode, b)
			}
			isBlind = false
			body := testhost.Decode(t, testhost.Do(t, h, "GET", "/Users/"+user, ""))
			if body["title"] != "secret" || tag == "" {
				t.Errorf("the writes are not stored: %v", body)
			}
		})
	}
}

// Attributes that name roles give roles as groups do. So a token that may not change groups
// may not change them, and may send them back.
func TestRoleAttributesNeedThePermissionForGroups(t *testing.T) {
	for name, newStore := range map[string]func() scim.Store{
		"memory": func() scim.Store { return memory.New() },
		"bare":   func() scim.Store { return testhost.NewBareStore() },
	} {
		t.Run(name, func(t *testing.T) {
			isLimited := false
			app := testhost.NewRoles()
			adopt := ""
			h := testhost.Handler(t, func(c *scim.Config) {
				c.Store = newStore()
				c.Roles = &scim.Roles{Resolver: app, Attributes: []string{"roles", "userType"}, Ledger: memory.NewLedger()}
				c.Rules = []scim.Rule{func(_ context.Context, c *scim.Change) error { c.Adopt = adopt; return nil }}
				c.Allow = func(_ context.Context, a scim.Access) error {
					if isLimited && a.Type != "User" && a.Op != scim.OpList {
						return errors.New("this token may only write users")
					}
					return nil
				}
			})
			const roles = `"userType":"Viewer","roles":[{"value":"Admin","primary":true},{"value":"Editor"}]`
			ann := testhost.Create(t, h, "/Users", `{"userName":"ann",`+roles+`}`)
			isLimited = true
			patch := func(op string) string { return `{"Operations":[` + op + `]}` }
			bulk := func(data string) string {
				return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":` + data + `}]}`
			}
			for _, tt := range []struct {
				name, method, target, body string
				status                     int
				attribute                  string
			}{
				{"create with roles", "POST", "/Users", `{"userName":"eve","roles":[{"value":"Admin"}]}`, 403, "roles"},
				{"create with a type", "POST", "/Users", `{"userName":"eve","userType":"Admin"}`, 403, "userType"},
				{"create in a bulk request", "POST", "/Bulk", bulk(`{"userName":"eve","userType":"Admin"}`), 200, "userType"},
				{"create without", "POST", "/Users", `{"userName":"eve"}`, 201, ""},
				{"add a role", "PATCH", "/Users/" + ann, patch(`{"op":"add","path":"roles","value":[{"value":"Owner"}]}`), 403, "roles"},
				{"remove the roles", "PATCH", "/Users/" + ann, patch(`{"op":"remove","path":"roles"}`), 403, "roles"},
				{"another primary", "PATCH", "/Users/" + ann, patch(`{"op":"replace","path":"roles[value eq \"Editor\"].primary","value":true}`), 403, "roles"},
				{"leave them out", "PUT", "/Users/" + ann, `{"userName":"ann"}`, 403, "roles"},
				{"send them back", "PUT", "/Users/" + ann, `{"userName":"ann","title":"x",` + roles + `}`, 200, ""},
				{"another attribute", "PATCH", "/Users/" + ann, patch(`{"op":"add","path":"title","value":"y"}`), 200, ""},
				{"name a role anew", "PATCH", "/Users/" + ann, patch(`{"op":"replace","path":"roles[value eq \"Editor\"].display","value":"E"}`), 200, ""},
				{"deactivate", "PATCH", "/Users/" + ann, patch(`{"op":"replace","path":"active","value":false}`), 200, ""},
				{"reactivate before a PUT", "PATCH", "/Users/" + ann, patch(`{"op":"replace","path":"active","value":true}`), 200, ""},
				{"deactivate and leave them out", "PUT", "/Users/" + ann, `{"userName":"ann","active":false}`, 200, ""},
				{"reactivate before a PATCH", "PATCH", "/Users/" + ann, patch(`{"op":"replace","path":"active","value":true}`), 200, ""},
				{"deactivate and add a role", "PATCH", "/Users/" + ann,
					patch(`{"op":"replace","path":"active","value":false},{"op":"add","path":"roles","value":[{"value":"Owner"}]}`), 200, ""},
				{"reactivate", "PATCH", "/Users/" + ann, patch(`{"op":"replace","path":"active","value":true}`), 200, ""},
			} {
				res := testhost.Do(t, h, tt.method, tt.target, tt.body)
				b, _ := io.ReadAll(res.Body)
				if got := res.StatusCode; got != tt.status || tt.attribute != "" && !strings.Contains(string(b), `"detail":"`+tt.attribute+`: gives roles`) {
					t.Errorf("%s: %d %s; want %d for %q", tt.name, got, b, tt.status, tt.attribute)
				}
			}
			adopt = ann
			for body, status := range map[string]int{`{"userName":"ann"}`: 403, `{"userName":"ann",` + roles + `}`: 201} {
				if res := testhost.Do(t, h, "POST", "/Users", body); res.StatusCode != status {
					t.Errorf("adoption by %s: %d, want %d", body, res.StatusCode, status)
				}
			}
			adopt = ""
			if diff := cmp.Diff([]string{"Admin", "Editor", "Viewer"}, app.Of(ann)); diff != "" {
				t.Errorf("roles (-want +got):\n%s", diff)
			}
			if res := testhost.Do(t, h, "PATCH", "/Groups/x", patch(`{"op":"add","path":"displayName","value":"x"}`)); res.StatusCode != 403 {
				t.Errorf("a group: %d, want 403", res.StatusCode)
			}
		})
	}
}
