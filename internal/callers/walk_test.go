package callers

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/auth/tokens"
)

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"}

// routes returns a request for each method on each route, about a user and a group.
func routes(user, group string) (all []request) {
	bulk := func(method, path, data string) string {
		return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":%q,"path":%q%s}]}`, method, path, data)
	}
	patch := func(op string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + op + `]}`
	}
	for _, path := range []string{
		"", "/", "/Users", "/Users/", "/Users/" + user, "/Users/" + group, "/Users/" + user + "/emails", "/Users/.search",
		"/Groups", "/Groups/" + group, "/Groups/" + user, "/Groups/.search", "/Bulk", "/Me", "/.search", "/ServiceProviderConfig",
		"/ResourceTypes", "/ResourceTypes/User", "/Schemas", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "/Nothing", "/Nothing/" + user,
		"/Users/" + user + "?attributes=groups", "/Users?filter=id+eq+%22" + user + "%22", "/Groups?filter=members.value+eq+%22" + user + "%22",
		"/Groups?filter=id+eq+%22" + group + "%22&attributes=members", "/Users?filter=groups.value+eq+%22" + group + "%22", "/Users?filter=%28",
	} {
		for _, method := range methods {
			all = append(all, request{method, path, ""})
		}
	}
	return append(all,
		request{"POST", "/Users", `{"userName":"new","manager":{"value":"` + user + `"}}`},
		request{"PUT", "/Users/" + user, `{"userName":"new"}`},
		request{"PATCH", "/Users/" + user, patch(`{"op":"replace","value":{"active":false}}`)},
		request{"PATCH", "/Users/" + user, patch(`{"op":"replace"`)},
		request{"PUT", "/Groups/" + group, `{"displayName":"new","members":[{"value":"` + user + `"}]}`},
		request{"PATCH", "/Groups/" + group, patch(`{"op":"add","path":"members","value":[{"value":"` + user + `"}]}`)},
		request{"PATCH", "/Groups/" + group, patch(`{"op":"remove","path":"members[value eq \"` + user + `\"]"}`)},
		request{"POST", "/Groups", `{"displayName":"new","members":[{"value":"` + user + `"}]}`},
		request{"POST", "/Bulk", bulk("DELETE", "/Users/"+user, "")},
		request{"POST", "/Bulk", bulk("PATCH", "/Groups/"+group, `,"data":`+patch(`{"op":"add","path":"members","value":[{"value":"`+user+`"}]}`))},
		request{"POST", "/Bulk", bulk("PUT", "/Users/"+user, `,"data":{"userName":"new"}`)},
		request{"POST", "/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"id eq \"` + user + `\""}`},
		request{"POST", "/Groups/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"members.value eq \"` + user + `\""}`},
		request{"POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"groups.value eq \"` + group + `\""}`},
	)
}

// strangers returns the credentials that are worth nothing at acme, by name.
func (w *world) strangers() map[string]credential {
	expired := w.issue("acme", tokens.Request{Expires: w.now.Add(time.Second)})
	w.now = w.now.Add(time.Second)
	secret, revoked, err := w.tokens.Tenant("acme").Issue(w.t.Context(), tokens.Request{Label: "test", Maker: "test"})
	if err == nil {
		err = w.tokens.Tenant("acme").Revoke(w.t.Context(), revoked.ID)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	basic := func(pair string) credential {
		return authorization("Basic " + base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	other := w.issue("beta", tokens.Request{})
	return map[string]credential{
		"none":                          nothing,
		"another scheme":                authorization("Negotiate YIIB"),
		"an unknown token":              bearer("scim_" + strings.Repeat("x", 43)),
		"a token that is too short":     bearer("x"),
		"an expired token":              bearer(expired),
		"a revoked token":               bearer(secret),
		"another tenant's token":        bearer(other),
		"another tenant's without more": authorization(other),
		"a secret as a password":        basic("ann:" + other),
		"a wrong password":              basic("ann:wrong"),
		"an unknown user":               basic("nobody:the-secret-of-acme"),
		"another tenant's user":         basic("ben:the-secret-of-beta"),
		"a password as a token":         bearer("the-secret-of-acme"),
	}
}

// TestStrangersSeeOneAnswer sends every credential that is worth nothing to every route with every
// method. All see the same bytes, and no store of a tenant is asked.
func TestStrangersSeeOneAnswer(t *testing.T) {
	w := newWorld(t)
	strangers := w.strangers()
	unknown := strangers["an unknown token"]
	want := w.send("acme", unknown, request{"GET", "/Users", ""})
	// A connection ends with a body that nobody has read.
	unread := w.send("acme", unknown, request{"POST", "/Nothing", "{}"})
	if want.status != http.StatusUnauthorized || unread.body != want.body {
		t.Fatal(want, unread)
	}
	for name, credential := range strangers {
		w.send("acme", credential, request{"GET", "/Users", ""}) // a token notes the time of its use
		_, calls := w.counting("acme", credential, request{"GET", "/Users", ""})
		for _, r := range slices.Concat(routes(w.ids["acme/User"], w.ids["acme/Group"]), routes(w.ids["beta/User"], w.ids["beta/Group"]), routes(nowhere, nowhere)) {
			got, made := w.counting("acme", credential, r)
			expected := want
			if r.body != "" {
				expected = unread
			}
			if r.method == "HEAD" {
				expected.body, got.body = "", "" // a recorder keeps what a connection does not send
			}
			if diff := cmp.Diff(expected.String(), got.String()); diff != "" {
				t.Errorf("%s: %s %s differs from an unknown token (-want +got)\n%s", name, r.method, r.path, diff)
			}
			if made != calls || strings.Trim(made, "ByHash 1") != "" {
				t.Errorf("%s: %s %s makes the calls %q, and GET /Users %q", name, r.method, r.path, made, calls)
			}
		}
	}
	for _, name := range []string{"an expired token", "a revoked token", "another tenant's token"} {
		_, got := w.counting("acme", strangers[name], request{"GET", "/Users", ""})
		_, want := w.counting("acme", unknown, request{"GET", "/Users", ""})
		if got != want {
			t.Errorf("%s makes the calls %q, an unknown token %q", name, got, want)
		}
	}
	w.unchanged()
}

// unchanged fails if somebody has changed the resources of a tenant.
func (w *world) unchanged() {
	w.t.Helper()
	for _, tenant := range []string{"acme", "beta"} {
		full := bearer(w.issue(tenant, tokens.Request{}))
		if a := w.sendTo(w.own, tenant, full, request{"GET", "/Users", ""}); !strings.Contains(a.body, `"totalResults":1,`) || !strings.Contains(a.body, `"userName":"person-of-`+tenant) {
			w.t.Errorf("users of %s: %s", tenant, a)
		}
		if a := w.sendTo(w.own, tenant, full, request{"GET", "/Groups", ""}); !strings.Contains(a.body, `"totalResults":1,`) || !strings.Contains(a.body, w.ids[tenant+"/User"]) {
			w.t.Errorf("groups of %s: %s", tenant, a)
		}
	}
}

// TestWhatIsNotYoursIsNotThere compares, for tokens of acme, what another tenant has or the token may
// not see with what does not exist: the answers are the same but for the id, and so are the calls.
func TestWhatIsNotYoursIsNotThere(t *testing.T) {
	tests := []struct {
		name   string
		scopes []string
		user   string // whose resources are asked for
		group  string
	}{
		{"all scopes, another tenant's", nil, "beta/User", "beta/Group"},
		{"users, another tenant's", []string{"users"}, "beta/User", "beta/Group"},
		{"groups, another tenant's", []string{"groups"}, "beta/User", "beta/Group"},
		{"no scope, another tenant's", []string{}, "beta/User", "beta/Group"},
		{"no scope, the tenant's own", []string{}, "acme/User", "acme/Group"},
		{"users, the tenant's own group", []string{"users"}, "", "acme/Group"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			here := newWorld(t)
			token := bearer(here.issue("acme", tokens.Request{Scopes: tt.scopes}))
			user, group := here.ids[tt.user], here.ids[tt.group]
			if tt.user == "" {
				user = nowhere
			}
			here.send("acme", token, request{"GET", "/Users", ""}) // a token notes the time of its use
			there := routes(user, group)
			for i, r := range routes(nowhere, nowhere) {
				if isNew := r.method == "POST" && r.body != "" && (r.path == "/Users" || r.path == "/Groups"); isNew {
					continue // see TestReferencesToOthers
				}
				want, wantCalls := here.counting("acme", token, r)
				got, gotCalls := here.counting("acme", token, there[i])
				if diff := cmp.Diff(want.hides(nowhere).String(), got.hides(user, group).String()); diff != "" {
					t.Errorf("%s %s %s tells more than what is not there (-want +got)\n%s", r.method, r.path, r.body, diff)
				}
				if wantCalls != gotCalls {
					t.Errorf("%s %s %s calls %q, and for what is not there %q", r.method, r.path, r.body, gotCalls, wantCalls)
				}
			}
			here.unchanged()
		})
	}
}

var changing = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}|\d{4}-\d\d-\d\dT[0-9:.]+Z|W/\\?"[^"]*"|Content-Length: \d+`)

// TestReferencesToOthers refers to another tenant's resources in what a client creates and changes.
// They are as references to nothing.
func TestReferencesToOthers(t *testing.T) {
	for _, scopes := range [][]string{nil, {"users"}, {"groups"}, {}} {
		for _, tt := range []request{
			{"POST", "/Users", `{"userName":"new","schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
				"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"{user}"}}}`},
			{"POST", "/Users", `{"userName":"new","id":"{user}"}`},
			{"POST", "/Users", `{"userName":"new","groups":[{"value":"{group}"}]}`},
			{"POST", "/Groups", `{"displayName":"new","members":[{"value":"{user}"}]}`},
			{"POST", "/Groups", `{"displayName":"new","members":[{"value":"{group}","type":"Group"}]}`},
			{"POST", "/Groups", `{"displayName":"new","members":[{"$ref":"http://beta.example.com/scim/v2/Users/{user}","value":"{user}"}]}`},
			{"PATCH", "/Groups/{own}", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"{user}"}]}]}`},
			{"PATCH", "/Groups/{own}", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"{group}"}]}]}`},
			{"PUT", "/Groups/{own}", `{"displayName":"group-of-acme","members":[{"value":"{user}"}]}`},
			{"POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"POST","bulkId":"a","path":"/Groups","data":{"displayName":"new","members":[{"value":"{user}"}]}}]}`},
		} {
			run := func(isTheirs bool) (string, string) {
				w := newWorld(t)
				token := bearer(w.issue("acme", tokens.Request{Scopes: scopes}))
				user, group := nowhere, nowhere
				if isTheirs {
					user, group = w.ids["beta/User"], w.ids["beta/Group"]
				}
				fill := strings.NewReplacer("{user}", user, "{group}", group, "{own}", w.ids["acme/Group"]).Replace
				a, calls := w.counting("acme", token, request{tt.method, fill(tt.path), fill(tt.body)})
				theirs := w.send("beta", bearer(w.issue("beta", tokens.Request{})), request{"GET", "/.search", ""}).String() +
					w.send("beta", bearer(w.issue("beta", tokens.Request{})), request{"GET", "/Groups/" + w.ids["beta/Group"], ""}).String()
				return changing.ReplaceAllString(a.hides(user, group).String(), "*"), calls + changing.ReplaceAllString(theirs, "*")
			}
			want, wantCalls := run(false)
			got, gotCalls := run(true)
			if diff := cmp.Diff([]string{want, wantCalls}, []string{got, gotCalls}); diff != "" {
				t.Errorf("scopes %q: %s %s %s (-nothing +another tenant's)\n%s", scopes, tt.method, tt.path, tt.body, diff)
			}
		}
	}
}
