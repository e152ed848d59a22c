package conformance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// namedRoles is a resolver that lists the names of its roles.
type namedRoles struct{ *testhost.Roles }

func (namedRoles) RoleNames(context.Context, string) ([]string, error) {
	return []string{"ZetaListed"}, nil
}

// The description of an endpoint is the same for all clients, but for the names of roles.
func TestScopesAndDiscovery(t *testing.T) {
	w := newScopedWorld(t, memory.New(), func(c *scim.Config) {
		c.OpenDiscovery = true
		c.Roles.Resolver = namedRoles{testhost.NewRoles()}
	})
	for _, endpoint := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/Schemas"} {
		want := w.send("all", "GET", endpoint, "")
		for token, sees := range map[string]bool{"all": true, "groups": true, "users": false, "none": false, "unknown": false} {
			got := w.send(token, "GET", endpoint, "")
			if names := strings.Contains(got.Body, "ZetaListed"); got.Status != 200 || names != (sees && endpoint == "/Schemas") {
				t.Errorf("%s with the token %s: %d, names of roles: %t", endpoint, token, got.Status, names)
			}
			if diff := cmp.Diff(want.Body, got.Body); (sees || endpoint != "/Schemas") && diff != "" {
				t.Errorf("%s with the token %s (-all +got):\n%s", endpoint, token, diff)
			}
		}
	}
}

// The empty list opens nothing but the description.
func TestNoScopes(t *testing.T) {
	w := newScopedWorld(t, memory.New(), nil)
	w.must("POST", "/Users", `{"userName":"ann"}`)
	w.must("POST", "/Groups", `{"displayName":"g"}`)
	for _, c := range [][3]string{
		{"GET", "/Users"}, {"GET", "/Users/1"}, {"GET", "/Users/x"}, {"POST", "/Users", `{"userName":"x"}`}, {"PUT", "/Users/1", `{"userName":"ann"}`},
		{"PATCH", "/Users/1", scopedPatch(op("replace", "title", `"x"`))}, {"DELETE", "/Users/1"}, {"POST", "/Users/.search", `{` + search + `}`},
		{"GET", "/Groups"}, {"GET", "/Groups/2"}, {"POST", "/Groups", `{"displayName":"x"}`}, {"PUT", "/Groups/2", `{"displayName":"x"}`},
		{"PATCH", "/Groups/2", scopedPatch(op("replace", "displayName", `"x"`))}, {"DELETE", "/Groups/2"}, {"POST", "/Groups/.search", `{` + search + `}`},
		{"GET", "/"}, {"POST", "/.search", `{` + search + `}`}, {"GET", "/Me"}, {"PUT", "/Me", `{"userName":"ann"}`},
	} {
		if r := w.send("none", c[0], c[1], c[2]); r.Status != 403 || !strings.Contains(r.Body, "this token does not have the scope") {
			t.Errorf("%s %s: %d %s", c[0], c[1], r.Status, r.Body)
		}
	}
	r := w.send("none", "POST", "/Bulk", scopedBulk(`{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"x"}}`, `{"method":"DELETE","path":"/Groups/2"}`))
	if r.Status != 200 || strings.Count(r.Body, `"status":"403"`) != 4 { // of the operation and of its error
		t.Errorf("a bulk request: %d %s", r.Status, r.Body)
	}
}

func scopedBulk(ops ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(ops, ",") + `]}`
}

// silentStore is a store that fails the test if somebody asks for memberships.
type silentStore struct {
	*memory.Store
	t *testing.T
}

func (s silentStore) GroupsOf(context.Context, []scim.Ref) ([]scim.Membership, error) {
	s.t.Error("the store was asked for memberships")
	return nil, nil
}

// Permission comes before everything that reads.
func TestScopesBeforeLookUps(t *testing.T) {
	w := newScopedWorld(t, silentStore{memory.New(), t}, nil)
	for _, c := range []struct{ token, target string }{
		{"users", "/Groups?filter=" + escape(`members.value eq "1"`)},
		{"users", "/?filter=" + escape(`members.value eq "1"`)},
		{"groups", filtered(`groups.value eq "1"`)},
		{"none", filtered(`groups.value eq "1"`)},
	} {
		if r := w.send(c.token, "GET", c.target, ""); r.Status != 403 {
			t.Errorf("%s %s: %d %s", c.token, c.target, r.Status, r.Body)
		}
	}
}

// seatType is a User whose role attribute "seats" refers to devices, and whose role attribute
// "permission" is required.
func seatType(t *testing.T) (user, device *scim.ResourceType) {
	t.Helper()
	text := func(name string, required bool) schema.SimpleParams {
		return schema.SimpleStringParams(schema.StringParams{Name: name, Required: required})
	}
	refs := []schema.AttributeReferenceType{"Device", "User"}
	c := scim.UserConfig()
	c.Schema.Attributes = append(append(schema.Attributes{}, c.Schema.Attributes...),
		schema.SimpleCoreAttribute(text("permission", true)),
		schema.ComplexCoreAttribute(schema.ComplexParams{Name: "seats", MultiValued: true, SubAttributes: []schema.SimpleParams{
			text("value", false), schema.SimpleReferenceParams(schema.ReferenceParams{Name: "$ref", ReferenceTypes: refs})}}))
	user, err := scim.NewResourceType(c)
	if err != nil {
		t.Fatal(err)
	}
	device, err = scim.NewResourceType(scim.TypeConfig{Name: "Device", Endpoint: "/Devices",
		Schema: schema.Schema{ID: "urn:example:Device", Attributes: schema.Attributes{
			schema.SimpleCoreAttribute(text("displayName", false)),
			schema.ComplexCoreAttribute(schema.ComplexParams{Name: "owner", SubAttributes: []schema.SimpleParams{
				text("value", false), schema.SimpleReferenceParams(schema.ReferenceParams{Name: "$ref", ReferenceTypes: refs})}}),
		}}})
	if err != nil {
		t.Fatal(err)
	}
	return user, device
}

// A scope opens one type. New refuses types that would share one.
func TestScopesOfTwoTypes(t *testing.T) {
	typeAt := func(name, endpoint string) *scim.ResourceType {
		t.Helper()
		c := scim.UserConfig()
		c.Name, c.Endpoint = name, endpoint
		if name != "User" {
			c.Schema.ID, c.Extensions = "urn:example:"+name, nil
		}
		rt, err := scim.NewResourceType(c)
		if err != nil {
			t.Fatal(err)
		}
		return rt
	}
	for _, tt := range []struct {
		name  string
		types []*scim.ResourceType
		want  string
		why   string
	}{
		{"the users' scope", []*scim.ResourceType{typeAt("User", "/People"), typeAt("Device", "/Users")}, "User and Device have the same scope \"users\"", "the scope of User does not depend on its endpoint"},
		{"the groups' scope", []*scim.ResourceType{typeAt("Device", "/groups"), scim.GroupType()}, "Device and Group have the same scope \"groups\"", "the case of the endpoint does not matter"},
		{"two of the application", []*scim.ResourceType{typeAt("Device", "/Devices"), typeAt("Gadget", "/devices")}, "Device and Gadget have the same scope \"devices\"", "the case of the endpoint does not matter"},
		{"apart", []*scim.ResourceType{typeAt("User", "/People"), typeAt("Device", "/Devices")}, "", "each has its own"},
	} {
		_, err := scim.New(scim.Config{Auth: auth.None(), Store: memory.New(), Types: tt.types, Log: slog.New(slog.DiscardHandler)})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q: %s", tt.name, err, tt.want, tt.why)
		}
	}
}

// The scope of a type is its endpoint in lower case. A required role attribute does not keep a
// token for users from changing users, and a reference in a circle does not get around it.
func TestScopesOfOwnTypes(t *testing.T) {
	user, device := seatType(t)
	tokenOf := func(name string, scopes ...string) auth.Token {
		token := auth.TokenOf(name)
		token.ID, token.Scopes = name, scopes
		return token
	}
	all := auth.TokenOf("all")
	app := testhost.NoRoles()
	app.Put(scim.Role{ID: "R", Name: "R"})
	app.Resolve = func(scim.RoleSource) ([]scim.Role, error) { return []scim.Role{{ID: "R"}}, nil }
	w := newScopedWorld(t, memory.New(), func(c *scim.Config) {
		c.Types = []*scim.ResourceType{user, device}
		c.Auth = auth.Bearer(all, tokenOf("users", "users"), tokenOf("devices", "devices"), tokenOf("Devices", "Devices"), tokenOf("both", "users", "devices"), tokenOf("groups", "users", "groups"))
		c.Roles = &scim.Roles{Resolver: app, Attributes: []string{"permission", "seats"}, Ledger: memory.NewLedger()}
	})
	w.must("POST", "/Users", `{"userName":"ann","permission":"R","seats":[{"value":"x"}]}`)
	w.must("POST", "/Devices", `{"displayName":"lamp"}`)
	circle := scopedBulk(`{"method":"POST","path":"/Users","bulkId":"u","data":{"userName":"eve","permission":"R","seats":[{"value":"bulkId:d"}]}}`,
		`{"method":"POST","path":"/Devices","bulkId":"d","data":{"displayName":"d","owner":{"value":"bulkId:u"}}}`)
	seatOnly := strings.ReplaceAll(circle, `"permission":"R",`, "")
	for _, c := range []struct {
		token, method, target, body string
		status                      int
		text                        string
	}{
		{"users", "GET", "/Devices", "", 403, `scope \"devices\"`},
		{"users", "GET", "/Users/1?attributes=permission,seats,userName", "", 200, `"userName":"ann"`},
		{"devices", "GET", "/Devices/2", "", 200, "lamp"},
		{"Devices", "GET", "/Devices/2", "", 403, ""},
		{"devices", "GET", "/Users", "", 403, ""},
		{"devices", "GET", "/", "", 403, ""},
		{"both", "GET", "/", "", 200, "lamp"},
		{"users", "PATCH", "/Users/1", scopedPatch(op("replace", "title", `"x"`)), 200, ""},
		{"users", "PUT", "/Users/1", `{"userName":"ann"}`, 200, ""},
		{"users", "PUT", "/Users/1", `{"userName":"ann","permission":"R"}`, 403, "permission: gives roles"},
		{"users", "PATCH", "/Users/1", scopedPatch(op("remove", "permission", "")), 403, "permission: gives roles"},
		{"users", "POST", "/Users", `{"userName":"new"}`, 400, "permission: is required"},
		{"users", "POST", "/Users", `{"userName":"new","permission":"R"}`, 403, "permission: gives roles"},
		{"groups", "GET", "/Users/1?attributes=permission", "", 200, `"permission":"R"`},
		{"both", "POST", "/Bulk", circle, 200, `"status":"403"`},
		{"both", "POST", "/Bulk", seatOnly, 200, `"status":"400"`},
		{"both", "GET", filtered(`userName eq "eve"`), "", 200, `"totalResults":0`},
		{"all", "POST", "/Bulk", circle, 200, `"status":"201"`},
	} {
		r := w.send(c.token, c.method, c.target, c.body)
		if r.Status != c.status || !strings.Contains(r.Body, c.text) || c.token == "users" && c.method != "POST" && strings.Contains(r.Body, `:"R"`) {
			t.Errorf("%s: %s %s %s: %d %s, want %d with %s", c.token, c.method, c.target, c.body, r.Status, r.Body, c.status, c.text)
		}
	}
	r := w.send("all", "GET", "/Users/1?attributes=permission,seats", "")
	if !strings.Contains(r.Body, `"permission":"R","seats":[{"value":"x"}]`) {
		t.Errorf("the attributes have changed: %s", r.Body)
	}
}

// A reference in a circle is added after the creation. It is judged too.
func TestScopesInACircle(t *testing.T) {
	user, device := seatType(t)
	token := auth.TokenOf("both")
	token.Scopes = []string{"users", "devices"}
	w := newScopedWorld(t, memory.New(), func(c *scim.Config) {
		c.Types = []*scim.ResourceType{user, device}
		c.Auth = auth.Bearer(token)
		c.Roles = &scim.Roles{Resolver: testhost.NewRoles(), Attributes: []string{"seats"}, Ledger: memory.NewLedger()}
	})
	user1 := `{"method":"POST","path":"/Users","bulkId":"u","data":{"userName":"eve","permission":"x","seats":[{"value":"bulkId:d"}]}}`
	device1 := `{"method":"POST","path":"/Devices","bulkId":"d","data":{"displayName":"d","owner":{"value":"bulkId:u"}}}`
	for _, body := range []string{scopedBulk(user1, device1), scopedBulk(device1, user1)} {
		r := w.send("both", "POST", "/Bulk", body)
		if !strings.Contains(r.Body, "seats: gives roles") || strings.Contains(r.Body, `"status":"201"`) {
			t.Errorf("%s: %d %s", body, r.Status, r.Body)
		}
		if r := w.send("both", "GET", "/Users", ""); !strings.Contains(r.Body, `"totalResults":0`) {
			t.Errorf("something is left: %s", r.Body)
		}
	}
}

// In a tenant without groups the scope decides about role attributes and a stored attribute
// "groups" all the same.
func TestScopesWithoutGroups(t *testing.T) {
	c := scim.UserConfig()
	for i, a := range c.Schema.Attributes {
		if a.Name() == "groups" {
			c.Schema.Attributes = append(append(schema.Attributes{}, c.Schema.Attributes[:i]...), c.Schema.Attributes[i+1:]...)
			c.Schema.Attributes = append(c.Schema.Attributes, schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: "groups", MultiValued: true})))
			break
		}
	}
	user, err := scim.NewResourceType(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, types := range map[string][]*scim.ResourceType{"no groups": {user}, "groups": {user, scim.GroupType()}} {
		w := newScopedWorld(t, memory.New(), func(c *scim.Config) { c.Types = types })
		w.must("POST", "/Users", `{"userName":"ann","groups":["ZetaG"],"userType":"ZetaAdmin"}`)
		for _, c := range []struct {
			method, target, body string
			status               int
		}{
			{"GET", "/Users/1?attributes=groups,userType,userName", "", 200},
			{"GET", filtered(`groups pr`), "", 403},
			{"GET", filtered(`userType pr`), "", 403},
			{"GET", "/Users?sortBy=groups", "", 403},
			{"PUT", "/Users/1", `{"userName":"ann"}`, 200},
			{"PUT", "/Users/1", `{"userName":"ann","groups":["x"]}`, 403},
			{"PATCH", "/Users/1", scopedPatch(op("add", "groups", `["x"]`)), 403},
			{"PATCH", "/Users/1", scopedPatch(op("add", "userType", `"R"`)), 403},
			{"POST", "/Users", `{"userName":"x","groups":["x"]}`, 403},
			{"POST", "/Users", `{"userName":"x","userType":"R"}`, 403},
		} {
			if r := w.send("users", c.method, c.target, c.body); r.Status != c.status || strings.Contains(r.Body, "Zeta") {
				t.Errorf("%s: %s %s %s: %d %s, want %d", name, c.method, c.target, c.body, r.Status, r.Body, c.status)
			}
		}
		if r := w.send("all", "GET", "/Users/1", ""); !strings.Contains(r.Body, `"groups":["ZetaG"]`) || !strings.Contains(r.Body, `"userType":"ZetaAdmin"`) {
			t.Errorf("%s: the attributes have changed: %s", name, r.Body)
		}
	}
}

// What a client does not see counts as no work of its bulk requests: the limit would tell how long it is.
func TestScopesAndWork(t *testing.T) {
	c := scim.UserConfig()
	c.Schema.Attributes = append(slices.DeleteFunc(slices.Clone(c.Schema.Attributes), func(a schema.CoreAttribute) bool { return a.Name() == "groups" }),
		schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: "groups", MultiValued: true})))
	user, err := scim.NewResourceType(c)
	if err != nil {
		t.Fatal(err)
	}
	var ops []string
	for i := range 1000 {
		ops = append(ops, testhost.Patch("/Users/1", op("replace", "displayName", fmt.Sprintf(`"%d"`, i))))
	}
	answers := map[string]string{}
	for _, hidden := range []string{"short", strings.Repeat("long", 4000)} {
		w := newScopedWorld(t, memory.New(), func(c *scim.Config) { c.Types, c.Limits = []*scim.ResourceType{user}, scim.Limits{} })
		w.must("POST", "/Users", `{"userName":"ann","groups":["`+hidden+`"]}`)
		for _, who := range []string{"users", "all"} {
			answers[who+" "+hidden[:4]] = fmt.Sprint(strings.Count(w.send(who, "POST", "/Bulk", testhost.BulkBody(ops...)).Body, `"status":"200"`))
		}
	}
	want := map[string]string{"users shor": "1000", "users long": "1000", "all shor": "1000"}
	refused := answers["all long"]
	delete(answers, "all long")
	if diff := cmp.Diff(want, answers); diff != "" {
		t.Errorf("operations that succeed (-want +got)\n%s", diff)
	}
	if refused == "1000" {
		t.Error("who sees the long value may do all: this shows nothing")
	}
}

// A rule may adopt an account. What the client may not know of it stays, and does not show.
func TestScopesAndAdoption(t *testing.T) {
	for name, newStore := range scopedStores() {
		adopt := ""
		twins := scopedTwins(t, newStore, func(c *scim.Config) {
			c.Rules = []scim.Rule{func(_ context.Context, c *scim.Change) error {
				if c.Op == scim.OpCreate {
					c.Adopt = adopt
				}
				return nil
			}}
		})
		before := hiddenOf(twins)
		adopt = "1"
		for i, c := range []struct {
			body   string
			status int
		}{
			{`{"userName":"ann","title":"new"}`, 201},
			{`{"userName":"ann","title":"` + strings.Repeat("t", 2500) + `"}`, 201},
			{`{"userName":"ann","roles":[{"value":"ZetaAdmin","display":"Zeta","primary":true},{"value":"ZetaEditor"}]}`, 403},
			{`{"userName":"ann","active":false}`, 201},
			{`{"userName":"ann","active":false,"roles":[{"value":"R"}]}`, 403},
		} {
			first, second := ask(twins, "users", i, "POST", "/Users", c.body)
			if diff := cmp.Diff(first, second); diff != "" || first.Status != c.status || strings.Contains(first.Body, "Zeta") {
				t.Errorf("%s: %s: %d %s, want %d:\n%s", name, c.body, first.Status, first.Body, c.status, diff)
			}
		}
		if diff := cmp.Diff(before, hiddenOf(twins)); diff != "" {
			t.Errorf("%s: what is hidden has changed (-before +after):\n%s", name, diff)
		}
	}
}

// Allow draws the same line. Who may change groups and not list them may set role attributes,
// and does not see them.
func TestAllowHidesRoleAttributes(t *testing.T) {
	for name, newStore := range scopedStores() {
		twins := scopedTwins(t, newStore, func(c *scim.Config) {
			c.Allow = func(_ context.Context, a scim.Access) error {
				if a.Principal.ID == "groups" && (a.Op == scim.OpList || a.Op == scim.OpGet) && a.Type == "Group" {
					return errors.New("this token writes groups")
				}
				if a.Principal.ID == "users" && a.Type == "Group" {
					return errors.New("this token is for users")
				}
				return nil
			}
			var tokens []auth.Token
			for _, name := range []string{"all", "groups", "users"} {
				token := auth.TokenOf(name)
				token.ID = name
				tokens = append(tokens, token)
			}
			c.Auth = auth.Bearer(tokens...)
		})
		for i, c := range []struct {
			token, method, target, body string
			status                      int
		}{
			{"users", "GET", "/Users/1", "", 200},
			{"users", "GET", filtered(`roles pr`), "", 403},
			{"users", "PUT", "/Users/1", `{"userName":"ann"}`, 200},
			{"users", "PATCH", "/Users/1", scopedPatch(op("remove", `roles[value eq "ZetaEditor"]`, "")), 403},
			{"groups", "GET", "/Users/1", "", 200},
			{"groups", "GET", filtered(`roles pr`), "", 403},
			{"groups", "GET", "/Users?sortBy=meta.lastModified", "", 403},
			{"groups", "PATCH", "/Users/1", scopedPatch(op("replace", `roles[value sw "Zeta"].display`, `"x"`)), 403},
			{"groups", "PATCH", "/Users/1", scopedPatch(op("remove", `roles[value eq "ZetaEditor"]`, "")), 200},
			{"groups", "PATCH", "/Users/1", scopedPatch(op("add", "roles", `[{"value":"R"}]`)), 200},
			{"groups", "PUT", "/Users/1", `{"userName":"ann","userType":"R"}`, 200},
		} {
			first, second := ask(twins, c.token, i, c.method, c.target, c.body)
			if diff := cmp.Diff(first, second); diff != "" || first.Status != c.status || strings.Contains(first.Body, `"Zeta`) {
				t.Errorf("%s: %s: %s %s %s: %d %s, want %d:\n%s", name, c.token, c.method, c.target, c.body, first.Status, first.Body, c.status, diff)
			}
		}
		if r := twins[0].send("all", "GET", "/Users/1?attributes=roles,userType,entitlements", ""); !strings.Contains(r.Body, `"userType":"R"`) || strings.Contains(r.Body, "roles") {
			t.Errorf("%s: the PUT has not replaced what the client may change: %s", name, r.Body)
		}
	}
}

var versions = regexp.MustCompile(`W/\\?"[^"]*"`)

// A token for groups knows nothing of users but their ids.
func TestGroupsScopeKnowsNothingOfUsers(t *testing.T) {
	for name, newStore := range scopedStores() {
		t.Run(name, func(t *testing.T) {
			var twins [2]*scopedWorld
			for i := range twins {
				w := newScopedWorld(t, newStore(t), nil)
				twins[i] = w
				who := []string{`{"userName":"zeta.ann","displayName":"Zeta Ann","title":"Zeta","roles":[{"value":"ZetaAdmin"}]}`, `{"userName":"bob"}`}
				w.must("POST", "/Users", who[i])
				w.must("POST", "/Users", who[1-i])
				w.must("POST", "/Groups", `{"displayName":"staff","members":[{"value":"1"},{"value":"2"}]}`)
				w.must("POST", "/Groups", `{"displayName":"board","members":[{"value":"3","type":"Group"}]}`)
			}
			for i, c := range []struct {
				method, target, body string
				status               int
			}{
				{"GET", "/Groups", "", 200},
				{"GET", "/Groups/3?attributes=members.display,members.value,members.$ref", "", 200},
				{"GET", "/Groups?filter=" + escape(`members.value eq "1"`), "", 200},
				{"GET", "/Groups?filter=" + escape(`members[value eq "1" and type eq "User"]`), "", 200},
				{"GET", "/Groups?filter=" + escape(`members.display eq "Zeta Ann"`), "", 400},
				{"GET", "/Groups?filter=" + escape(`members[display sw "Zeta"]`), "", 400},
				{"GET", "/Groups?sortBy=members.display", "", 400},
				{"GET", "/Users", "", 403},
				{"GET", "/Users/1", "", 403},
				{"GET", "/Users/x", "", 403},
				{"GET", filtered(`userName eq "zeta.ann"`), "", 403},
				{"GET", filtered(`groups.value eq "3"`), "", 403},
				{"POST", "/Users/.search", `{` + search + `}`, 403},
				{"POST", "/.search", `{` + search + `,"filter":"userName sw \"zeta\""}`, 403},
				{"GET", "/Me", "", 403},
				{"POST", "/Users", `{"userName":"zeta.ann"}`, 403},
				{"PUT", "/Users/1", `{"userName":"zeta.ann"}`, 403},
				{"PUT", "/Users/1", `{"roles":[{"value":"R"}]}`, 403},
				{"PATCH", "/Users/1", scopedPatch(op("add", "roles", `[{"value":"R"}]`)), 403},
				{"DELETE", "/Users/1", "", 403},
				{"PATCH", "/Me", scopedPatch(op("replace", "title", `"x"`)), 403},
				{"PATCH", "/Groups/4?attributes=members", scopedPatch(op("add", "members", `[{"value":"1","display":"Zeta Ann"}]`)), 200},
				{"PATCH", "/Groups/4", scopedPatch(op("remove", `members[value eq "1"]`, "")), 204},
				{"PATCH", "/Groups/4", scopedPatch(op("add", "members", `[{"value":"x"}]`)), 400},
				{"PUT", "/Groups/4", `{"displayName":"zeta.ann","members":[{"value":"2"}]}`, 200},
				{"POST", "/Groups", `{"displayName":"new","members":[{"value":"1"},{"value":"3","type":"Group"}]}`, 201},
				{"POST", "/Bulk", scopedBulk(`{"method":"POST","path":"/Users","bulkId":"u","data":{"userName":"x"}}`,
					`{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"x","members":[{"value":"bulkId:u"}]}}`,
					`{"method":"PATCH","path":"/Users/1","data":`+scopedPatch(op("add", "title", `"x"`))+`}`,
					`{"method":"PATCH","path":"/Groups/4","data":`+scopedPatch(op("add", "members", `[{"value":"1"}]`))+`}`), 200},
				{"DELETE", "/Groups/3", "", 204},
			} {
				first, second := ask(twins, "groups", i, c.method, c.target, c.body)
				for _, r := range []*reply{&first, &second} {
					r.Header.Del("Etag")
					r.Header.Del("Content-Length")
					r.Body = versions.ReplaceAllString(r.Body, "version")
				}
				if first.Status != c.status {
					t.Errorf("%s %s %s: %d %s, want %d", c.method, c.target, c.body, first.Status, first.Body, c.status)
				}
				if diff := cmp.Diff(first, second); diff != "" || strings.Contains(strings.ReplaceAll(first.Body, `"displayName":"zeta.ann"`, ""), "eta Ann") {
					t.Errorf("%s %s %s: the answer depends on users: %s\n%s", c.method, c.target, c.body, first.Body, diff)
				}
			}
			for i, w := range twins {
				if r := w.send("all", "GET", "/Users?attributes=title,roles", ""); strings.Count(r.Body, `"title":"Zeta"`) != 1 || strings.Count(r.Body, `"ZetaAdmin"`) != 1 {
					t.Errorf("users of world %d have changed: %s", i, r.Body)
				}
			}
		})
	}
}

// A write that the breaker holds back does not say how many users have roles: a token for users may know neither.
func TestScopesAndBreaker(t *testing.T) {
	twins := scopedTwins(t, func(*testing.T) scim.Store { return memory.New() }, func(c *scim.Config) {
		c.Roles.Breaker = &scim.Breaker{Share: 0.01, Minimum: 1, HoldLeavers: true}
	})
	twins[0].must("PATCH", "/Users/3", scopedPatch(op("add", "roles", `[{"value":"ZetaNew"}]`)))
	for _, request := range [][]string{
		{"PATCH", "/Users/1", scopedPatch(op("replace", "active", "false"))},
		{"PATCH", "/Users/3", scopedPatch(op("replace", "active", "false"))},
		{"DELETE", "/Users/3", ""},
	} {
		first, second := ask(twins, "users", 0, request[0], request[1], request[2])
		if first.Status != 429 {
			t.Errorf("%s: %d, want 429", request, first.Status)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%s: the answer depends on who has roles:\n%s", request, diff)
		}
		if all, _ := ask(twins, "all", 0, request[0], request[1], request[2]); !strings.Contains(all.Body, "to 1 of 2;") {
			t.Errorf("%s: a token for everything is told %s, want the numbers", request, all.Body)
		}
	}
}
