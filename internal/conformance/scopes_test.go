package conformance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// roleAttributes are the role attributes of scopedWorld: lists and single texts, at the root, in
// a complex attribute, and in an extension.
var roleAttributes = []string{"roles", "userType", "entitlements", "name.honorificPrefix", enterprise + ":costCenter"}

// zetaType is a long value: limits must not tell how long it is.
var zetaType = "Zeta" + strings.Repeat("a", 700)

// scopedWorld is an endpoint on which the same requests get the same answers, times and ids.
type scopedWorld struct {
	t   *testing.T
	h   *scim.Handler
	now time.Time
	ids int
}

// newScopedWorld makes an endpoint with the tokens "all", "users", "groups" and "none".
func newScopedWorld(t *testing.T, store scim.Store, change func(*scim.Config)) *scopedWorld {
	t.Helper()
	w := &scopedWorld{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	var tokens []auth.Token
	for name, scopes := range map[string][]string{"all": nil, "users": {scim.ScopeUsers}, "groups": {scim.ScopeGroups}, "none": {}} {
		token := auth.TokenOf(name)
		token.ID, token.Scopes = name, scopes
		tokens = append(tokens, token)
	}
	app := testhost.NoRoles()
	for _, name := range []string{"ZetaAdmin", "ZetaEditor", "ZetaE", "ZetaDr", "ZetaCost", zetaType, "ZetaNew", "R"} {
		app.Put(scim.Role{ID: name, Name: name})
	}
	w.h = testhost.Handler(t, func(c *scim.Config) {
		c.Store = store
		c.Auth = auth.Bearer(tokens...)
		c.Roles = &scim.Roles{Resolver: app, Attributes: roleAttributes}
		if _, ok := store.(scim.Ledger); !ok {
			c.Roles.Ledger = memory.NewLedger()
		}
		c.Now = func() time.Time { return w.now }
		c.NewID = func() string { w.ids++; return fmt.Sprint(w.ids) }
		c.Limits = scim.Limits{Body: 6000}
		c.Me = &scim.SelfService{UserOf: func(context.Context, scim.Principal) (string, error) { return "1", nil }, Writable: []string{"title"}}
		if change != nil {
			change(c)
		}
	})
	return w
}

// reply is what a client gets. Header lacks what differs between equal requests.
type reply struct {
	Status int
	Header http.Header
	Body   string
}

func (r reply) etag() string { return r.Header.Get("Etag") }

func (w *scopedWorld) send(token, method, target, body string, header ...string) reply {
	w.t.Helper()
	res := testhost.Do(w.t, w.h, method, target, body, append(header, "Authorization: Bearer "+token)...)
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Header.Del("Date")
	res.Header.Del("X-Request-Id")
	return reply{res.StatusCode, res.Header, string(b)}
}

// must sends a request of the token with all scopes.
func (w *scopedWorld) must(method, target, body string) {
	w.t.Helper()
	if r := w.send("all", method, target, body); r.Status >= 300 {
		w.t.Fatalf("%s %s: %+v", method, target, r)
	}
}

// scopedTwins are two endpoints that differ only in what a token for users may not know: who is
// in which group, and who has which role attributes. Each of these values contains "Zeta".
func scopedTwins(t *testing.T, newStore func(*testing.T) scim.Store, change func(*scim.Config)) [2]*scopedWorld {
	t.Helper()
	many := `"roles":[{"value":"ZetaAdmin","display":"Zeta","primary":true},{"value":"ZetaEditor"}],"entitlements":[{"value":"ZetaE"}],` +
		`"name":{"honorificPrefix":"ZetaDr"},"` + enterprise + `":{"costCenter":"ZetaCost"},"userType":"` + zetaType + `"`
	var twins [2]*scopedWorld
	for i := range twins {
		w := newScopedWorld(t, newStore(t), change)
		twins[i] = w
		hidden := []string{"," + many, ""}
		w.must("POST", "/Users", `{"userName":"ann","title":"T"`+hidden[i]+`}`)
		w.must("POST", "/Users", `{"userName":"ben","title":"T","emails":[{"value":"b@example.com","type":"work"}]`+hidden[1-i]+`}`)
		w.must("POST", "/Users", `{"userName":"cy","name":{"givenName":"C"},"`+enterprise+`":{"department":"D"}}`)
		w.must("POST", "/Groups", `{"displayName":"ZetaStaff","members":[{"value":"`+fmt.Sprint(1+i)+`"}]}`)
		w.must("POST", "/Groups", `{"displayName":"ZetaBoard","externalId":"ZetaX","members":[{"value":"3"}]}`)
	}
	return twins
}

const (
	core   = "urn:ietf:params:scim:schemas:core:2.0:User"
	search = `"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]`
)

func scopedPatch(ops ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + strings.Join(ops, ",") + `]}`
}

// op is an operation of a PATCH. value is JSON, "" for none.
func op(verb, path, value string) string {
	o := `{"op":"` + verb + `"`
	if path != "" {
		o += fmt.Sprintf(`,"path":%q`, path)
	}
	if value != "" {
		o += `,"value":` + value
	}
	return o + "}"
}

func filtered(expr string) string { return "/Users?filter=" + escape(expr) }

func escape(s string) string {
	return strings.NewReplacer(" ", "%20", `"`, "%22", "[", "%5B", "]", "%5D").Replace(s)
}

// scopedWays are all ways to groups, User.groups and role attributes, taken with a token for
// users. Each way that writes changes nothing that is hidden.
var scopedWays = []struct {
	name, method, target, body string
	status                     int
}{
	// Reading.
	{"a user", "GET", "/Users/1", "", 200},
	{"another user", "GET", "/Users/2", "", 200},
	{"the headers", "HEAD", "/Users/1", "", 200},
	{"all users", "GET", "/Users", "", 200},
	{"by attributes", "GET", "/Users?attributes=userName,roles,groups,userType,entitlements,meta," + enterprise, "", 200},
	{"by attributes in other spellings", "GET", "/Users/1?attributes=ROLES,Roles.Value," + strings.ToUpper(core) + ":userType,GROUPS.display,name.HonorificPrefix,meta.lastModified,meta.version", "", 200},
	{"by excluded attributes", "GET", "/Users/1?excludedAttributes=title,roles.value", "", 200},
	{"pages", "GET", "/Users?startIndex=2&count=1", "", 200},
	{"a page by cursor", "GET", "/Users?cursor&count=10", "", 200},
	{"the user of the token", "GET", "/Me?attributes=roles,groups,userType", "", 200},
	{"sorted by what is known", "GET", "/Users?sortBy=userName&sortOrder=descending", "", 200},
	{"a search", "POST", "/Users/.search", `{` + search + `,"attributes":["roles","groups"]}`, 200},
	{"the groups", "GET", "/Groups", "", 403},
	{"a group", "GET", "/Groups/4", "", 403},
	{"no group", "GET", "/Groups/x", "", 403},
	{"the headers of a group", "HEAD", "/Groups/4", "", 403},
	{"a search for groups", "POST", "/Groups/.search", `{` + search + `}`, 403},
	{"groups by name", "GET", "/Groups?filter=" + escape(`displayName eq "ZetaStaff"`), "", 403},
	{"everything", "GET", "/", "", 403},
	{"a search for everything", "POST", "/.search", `{` + search + `,"filter":"displayName eq \"ZetaStaff\""}`, 403},
	{"a search by a role everywhere", "POST", "/.search", `{` + search + `,"filter":"roles.value eq \"ZetaAdmin\""}`, 403},
	{"a search sorted by a role everywhere", "POST", "/.search", `{` + search + `,"sortBy":"roles"}`, 403},
	{"the schemas", "GET", "/Schemas/" + core, "", 200},
	{"the resource types", "GET", "/ResourceTypes", "", 200},

	// Filters and sorting.
	{"filter by role", "GET", filtered(`roles.value eq "ZetaAdmin"`), "", 403},
	{"filter by role, in other spellings", "GET", filtered(`ROLES.Value EQ "ZetaAdmin"`), "", 403},
	{"filter by role, with the URN", "GET", filtered(core + `:roles.value eq "ZetaAdmin"`), "", 403},
	{"filter by role, complex", "GET", filtered(`roles eq "ZetaAdmin"`), "", 403},
	{"filter by value path", "GET", filtered(`roles[value eq "ZetaAdmin" and primary eq true]`), "", 403},
	{"filter by value path and sub-attribute", "GET", filtered(`roles[value eq "x"].display eq "Zeta"`), "", 403},
	{"filter by presence", "GET", filtered(`userType pr`), "", 403},
	{"filter by absence", "GET", filtered(`not (roles pr)`), "", 403},
	{"filter by null", "GET", filtered(`userType eq null`), "", 403},
	{"filter behind another term", "GET", filtered(`userName eq "nobody" and (title pr or userType sw "Z")`), "", 403},
	{"filter by a part of name", "GET", filtered(`name.honorificPrefix co "Z"`), "", 403},
	{"filter by the presence of name", "GET", filtered(`name pr`), "", 403},
	{"filter within name", "GET", filtered(`name[honorificPrefix pr]`), "", 403},
	{"filter by another part of name", "GET", filtered(`name.givenName pr`), "", 200},
	{"filter by an extension", "GET", filtered(enterprise + `:costCenter pr`), "", 403},
	{"filter by an extension, dotted", "GET", filtered(enterprise + `.costCenter pr`), "", 403},
	{"filter by an extension, without the URN", "GET", filtered(`costCenter eq "ZetaCost"`), "", 403},
	{"filter by the presence of an extension", "GET", filtered(enterprise + ` pr`), "", 403},
	{"filter by schemas", "GET", filtered(`schemas eq "` + enterprise + `"`), "", 403},
	{"filter by another part of the extension", "GET", filtered(enterprise + `:department pr`), "", 200},
	{"filter by group", "GET", filtered(`groups.value eq "4"`), "", 403},
	{"filter by no group", "GET", filtered(`groups.value eq "x"`), "", 403},
	{"filter by group, value path", "GET", filtered(`groups[value eq "4"]`), "", 403},
	{"filter by group, complex", "GET", filtered(`groups eq "4"`), "", 403},
	{"filter by group, negated", "GET", filtered(`not (groups.value eq "4")`), "", 403},
	{"filter by the presence of groups", "GET", filtered(`groups pr`), "", 400},
	{"filter by the name of a group", "GET", filtered(`groups.display eq "ZetaStaff"`), "", 400},
	{"filter by the last change", "GET", filtered(`meta.lastModified gt "2026-01-02T03:04:05Z"`), "", 403},
	{"filter within meta", "GET", filtered(`meta[lastModified gt "2026-01-02T03:04:05Z"]`), "", 403},
	{"filter by version", "GET", filtered(`meta.version eq "x"`), "", 403},
	{"filter by the creation", "GET", filtered(`meta.created pr`), "", 200},
	{"search by role", "POST", "/Users/.search", `{` + search + `,"filter":"roles pr"}`, 403},
	{"sort by role", "GET", "/Users?sortBy=roles", "", 403},
	{"sort by role, part", "GET", "/Users?sortBy=Roles.DISPLAY", "", 403},
	{"sort by type", "GET", "/Users?sortBy=userType", "", 403},
	{"sort by an extension", "GET", "/Users?sortBy=" + enterprise + ":costCenter", "", 403},
	{"sort by a part of name", "GET", "/Users?sortBy=name.honorificPrefix", "", 403},
	{"sort by the last change", "GET", "/Users?sortBy=meta.lastModified", "", 403},
	{"sort by version", "GET", "/Users?sortBy=meta.version", "", 403},
	{"sort by group", "GET", "/Users?sortBy=groups.value", "", 400},
	{"sort a search by role", "POST", "/Users/.search", `{` + search + `,"sortBy":"entitlements"}`, 403},
	{"count by role", "GET", filtered(`roles pr`) + "&count=0", "", 403},
	{"a page by cursor and role", "GET", filtered(`roles pr`) + "&cursor", "", 403},

	// POST.
	{"create with roles", "POST", "/Users", `{"userName":"x","roles":[{"value":"R"}]}`, 403},
	{"create with a role as text", "POST", "/Users", `{"userName":"x","ROLES":["R"]}`, 403},
	{"create with a type", "POST", "/Users", `{"userName":"x","` + core + `:userType":"R"}`, 403},
	{"create with a dotted key", "POST", "/Users", `{"userName":"x","name.honorificPrefix":"R"}`, 403},
	{"create with an extension", "POST", "/Users", `{"userName":"x","` + strings.ToUpper(enterprise) + `":{"COSTCENTER":"R"}}`, 403},
	{"create an inactive user with roles", "POST", "/Users", `{"userName":"x","active":false,"userType":"R"}`, 403},
	{"create with a taken name and roles", "POST", "/Users", `{"userName":"ann","roles":[{"value":"R"}]}`, 403},
	{"create with empty roles", "POST", "/Users", `{"userName":"dan","roles":[],"userType":null,"groups":[{"value":"4"}]}`, 201},
	{"create with a taken name", "POST", "/Users", `{"userName":"ann"}`, 409},
	{"create a group", "POST", "/Groups", `{"displayName":"ZetaStaff"}`, 403},

	// PUT.
	{"replace without them", "PUT", "/Users/1", `{"userName":"ann","title":"U"}`, 200},
	{"replace with a part of name", "PUT", "/Users/1", `{"userName":"ann","name":{"givenName":"A"},"` + enterprise + `":{"department":"D"}}`, 200},
	{"replace without the parts", "PUT", "/Users/1", `{"userName":"ann"}`, 200},
	{"replace with nothing", "PUT", "/Users/1", `{"userName":"ann","roles":[],"userType":null,"` + enterprise + `":{},"name":null}`, 200},
	{"replace with the groups", "PUT", "/Users/1", `{"userName":"ann","groups":[{"value":"5"}]}`, 200},
	{"replace with the stored role", "PUT", "/Users/1", `{"userName":"ann","roles":[{"value":"ZetaAdmin","display":"Zeta","primary":true},{"value":"ZetaEditor"}]}`, 403},
	{"replace with another role", "PUT", "/Users/1", `{"userName":"ann","roles":[{"value":"R"}]}`, 403},
	{"replace with the stored type", "PUT", "/Users/1", `{"userName":"ann","usertype":"` + zetaType + `"}`, 403},
	{"replace with the stored cost center", "PUT", "/Users/1", `{"userName":"ann","` + enterprise + `":{"costCenter":"ZetaCost"}}`, 403},
	{"replace the longest possible", "PUT", "/Users/1", `{"userName":"ann","title":"` + strings.Repeat("t", 2500) + `"}`, 200},
	{"replace by what is too long", "PUT", "/Users/1", `{"userName":"ann","title":"` + strings.Repeat("t", 3300) + `"}`, 413},
	{"replace a group", "PUT", "/Groups/4", `{"displayName":"x"}`, 403},
	{"replace no group", "PUT", "/Groups/x", `{"displayName":"x"}`, 403},
	{"replace oneself", "PUT", "/Me", `{"userName":"ann","title":"U"}`, 200},
	{"replace one's own role", "PUT", "/Me", `{"userName":"ann","title":"U","userType":"R"}`, 403},

	// PATCH.
	{"add a role", "PATCH", "/Users/1", scopedPatch(op("add", "roles", `[{"value":"R"}]`)), 403},
	{"add a role in a client's words", "PATCH", "/Users/1", scopedPatch(`{"OP":"Add","PATH":"Roles","VALUE":["R"]}`), 403},
	{"add the stored role", "PATCH", "/Users/1", scopedPatch(op("add", "roles", `[{"value":"ZetaEditor"}]`)), 403},
	{"add no role", "PATCH", "/Users/1", scopedPatch(op("add", "roles", `[]`)), 200},
	{"replace the roles", "PATCH", "/Users/1", scopedPatch(op("replace", core+":roles", `[{"value":"R"}]`)), 403},
	{"replace the roles by nothing", "PATCH", "/Users/1", scopedPatch(op("replace", "roles", `[]`)), 403},
	{"remove the roles", "PATCH", "/Users/1", scopedPatch(op("remove", "roles", "")), 403},
	{"remove the stored role", "PATCH", "/Users/1", scopedPatch(op("remove", `roles[value eq "ZetaEditor"]`, "")), 403},
	{"remove no role", "PATCH", "/Users/1", scopedPatch(op("remove", `roles[value eq "R"]`, "")), 403},
	{"remove a role by value", "PATCH", "/Users/1", scopedPatch(op("remove", `roles`, `[{"value":"ZetaEditor"}]`)), 403},
	{"display of the stored role", "PATCH", "/Users/1", scopedPatch(op("replace", `roles[value eq "ZetaEditor"].display`, `"E"`)), 403},
	{"display of no role", "PATCH", "/Users/1", scopedPatch(op("replace", `roles[value eq "R"].display`, `"E"`)), 403},
	{"a filter that makes nothing", "PATCH", "/Users/1", scopedPatch(op("replace", `roles[value sw "Zeta"].display`, `"E"`)), 403},
	{"a part of all roles", "PATCH", "/Users/1", scopedPatch(op("replace", `roles.display`, `"E"`)), 403},
	{"the type", "PATCH", "/Users/1", scopedPatch(op("replace", "UserType", `"R"`)), 403},
	{"the type by nothing", "PATCH", "/Users/1", scopedPatch(op("replace", "userType", `null`)), 403},
	{"a part of name", "PATCH", "/Users/1", scopedPatch(op("add", "name.honorificPrefix", `"R"`)), 403},
	{"name with the part", "PATCH", "/Users/1", scopedPatch(op("replace", "name", `{"givenName":"A","honorificPrefix":"R"}`)), 403},
	{"name with an empty part", "PATCH", "/Users/1", scopedPatch(op("replace", "name", `{"honorificPrefix":null}`)), 403},
	{"name selected by the part", "PATCH", "/Users/1", scopedPatch(op("replace", `name[honorificPrefix eq "ZetaDr"].givenName`, `"A"`)), 403},
	{"name selected by another value of the part", "PATCH", "/Users/1", scopedPatch(op("replace", `name[honorificPrefix eq "R"].givenName`, `"A"`)), 403},
	{"name without the part", "PATCH", "/Users/1", scopedPatch(op("replace", "name", `{"givenName":"A"}`)), 200},
	{"remove name", "PATCH", "/Users/1", scopedPatch(op("remove", "name", "")), 200},
	{"the cost center", "PATCH", "/Users/1", scopedPatch(op("replace", enterprise+":costCenter", `"R"`)), 403},
	{"the cost center, dotted", "PATCH", "/Users/1", scopedPatch(op("replace", enterprise+".costCenter", `"R"`)), 403},
	{"the cost center, bare", "PATCH", "/Users/1", scopedPatch(op("replace", "costCenter", `"R"`)), 403},
	{"the extension with it", "PATCH", "/Users/1", scopedPatch(op("add", enterprise, `{"department":"D","costCenter":"R"}`)), 403},
	{"the extension without it", "PATCH", "/Users/1", scopedPatch(op("add", enterprise, `{"department":"D"}`)), 200},
	{"remove the extension", "PATCH", "/Users/1", scopedPatch(op("remove", enterprise, "")), 200},
	{"without a path", "PATCH", "/Users/1", scopedPatch(op("add", "", `{"title":"V","roles":[{"value":"R"}]}`)), 403},
	{"without a path, by URN", "PATCH", "/Users/1", scopedPatch(op("replace", "", `{"`+core+`:userType":"R"}`)), 403},
	{"without a path, the core schema", "PATCH", "/Users/1", scopedPatch(op("replace", "", `{"`+core+`":{"userType":"R"}}`)), 403},
	{"without a path, an extension", "PATCH", "/Users/1", scopedPatch(op("replace", "", `{"`+enterprise+`:costCenter":"R"}`)), 403},
	{"without a path, an extension's object", "PATCH", "/Users/1", scopedPatch(op("replace", "", `{"`+enterprise+`":{"costcenter":"R"}}`)), 403},
	{"without a path, a dotted key", "PATCH", "/Users/1", scopedPatch(op("replace", "", `{"name.honorificPrefix":"R"}`)), 403},
	{"without a path, a key with a filter", "PATCH", "/Users/1", scopedPatch(op("replace", "", `{"roles[value eq \"ZetaEditor\"].display":"R"}`)), 403},
	{"without a path, an object in a string", "PATCH", "/Users/1", scopedPatch(op("replace", "", `"{\"userType\":\"R\"}"`)), 403},
	{"behind another operation", "PATCH", "/Users/1", scopedPatch(op("replace", "title", `"V"`), op("replace", "userType", `"R"`)), 403},
	{"the groups", "PATCH", "/Users/1", scopedPatch(op("add", "groups", `[{"value":"5"}]`)), 400},
	{"a stored group", "PATCH", "/Users/1", scopedPatch(op("remove", `groups[value eq "4"]`, "")), 400},
	{"no stored group", "PATCH", "/Users/1", scopedPatch(op("remove", `groups[value eq "x"]`, "")), 400},
	{"the groups without a path", "PATCH", "/Users/1", scopedPatch(op("add", "", `{"groups":[{"value":"5"}]}`)), 200},
	{"the version", "PATCH", "/Users/1", scopedPatch(op("replace", "meta.version", `"x"`)), 400},
	{"the longest possible", "PATCH", "/Users/1", scopedPatch(op("replace", "title", `"`+strings.Repeat("t", 2500)+`"`)), 200},
	{"what is too long", "PATCH", "/Users/1", scopedPatch(op("replace", "title", `"`+strings.Repeat("t", 3500)+`"`)), 413},
	{"what is too long, in two parts", "PATCH", "/Users/1", scopedPatch(op("replace", "nickName", `"`+strings.Repeat("n", 700)+`"`)), 413},
	{"oneself", "PATCH", "/Me", scopedPatch(op("replace", "title", `"T"`)), 200},
	{"one's own role", "PATCH", "/Me", scopedPatch(op("replace", "roles", `[{"value":"R"}]`)), 403},
	{"members", "PATCH", "/Groups/4", scopedPatch(op("add", "members", `[{"value":"1"}]`)), 403},
	{"members of no group", "PATCH", "/Groups/x", scopedPatch(op("add", "members", `[{"value":"1"}]`)), 403},
	{"a group in the place of a manager", "PATCH", "/Users/1", scopedPatch(op("replace", enterprise+":manager", `{"value":"4","$ref":"../Groups/4"}`)), 200},
	{"delete a group", "DELETE", "/Groups/4", "", 403},
	{"delete no group", "DELETE", "/Groups/x", "", 403},

	// A deactivation keeps what is hidden.
	{"deactivate", "PATCH", "/Users/1", scopedPatch(op("replace", "active", "false"), op("remove", `roles[value eq "ZetaEditor"]`, ""), op("replace", "userType", `"R"`)), 200},
	{"deactivated already", "PATCH", "/Users/1", scopedPatch(op("replace", "active", "false"), op("replace", "userType", `"R"`)), 403},
	{"reactivate with a role", "PUT", "/Users/1", `{"userName":"ann","active":true,"userType":"R"}`, 403},
	{"reactivate", "PATCH", "/Users/1", scopedPatch(op("replace", "active", "true")), 200},
	{"deactivate by PUT", "PUT", "/Users/1", `{"userName":"ann","active":false,"roles":[{"value":"R"}]}`, 200},
	{"reactivate again", "PUT", "/Users/1", `{"userName":"ann","title":"T","active":true}`, 200},
}

// A token for users knows and changes neither groups nor what gives roles, by no way. Two
// endpoints that differ only in what is hidden answer alike, to the byte.
func TestUsersScopeKnowsNothingOfGroups(t *testing.T) {
	for name, newStore := range scopedStores() {
		t.Run(name, func(t *testing.T) {
			twins := scopedTwins(t, newStore, nil)
			before := hiddenOf(twins)
			for i, c := range scopedWays {
				first, second := ask(twins, "users", i, c.method, c.target, c.body)
				if first.Status != c.status {
					t.Errorf("%s: %d %s, want %d", c.name, first.Status, first.Body, c.status)
				}
				if diff := cmp.Diff(first, second); diff != "" {
					t.Errorf("%s: the answer depends on what is hidden:\n%s", c.name, diff)
				}
				if first.tells() && !strings.Contains(c.target+c.body, "Zeta") {
					t.Errorf("%s: the answer shows what is hidden: %s", c.name, first.Body)
				}
				if diff := cmp.Diff(before, hiddenOf(twins)); diff != "" {
					t.Fatalf("%s: what is hidden has changed (-before +after):\n%s", c.name, diff)
				}
			}
		})
	}
}

// ask sends a request to both worlds, at the same time there.
func ask(twins [2]*scopedWorld, token string, at int, method, target, body string, header ...string) (first, second reply) {
	for i, w := range twins {
		w.now = time.Date(2026, 2, 1, 0, 0, at, 0, time.UTC)
		r := w.send(token, method, target, body, header...)
		if i == 0 {
			first = r
		} else {
			second = r
		}
	}
	return first, second
}

// tells reports whether an answer has a hidden value, or the time of a user's last change.
func (r reply) tells() bool {
	return strings.Contains(r.Body, "Zeta") || strings.Contains(r.Body, `"lastModified":`)
}

// hiddenOf is what a token for users may not know, of both worlds.
func hiddenOf(twins [2]*scopedWorld) (all []string) {
	for _, w := range twins {
		for _, id := range []string{"1", "2", "3"} {
			all = append(all, w.send("all", "GET", "/Users/"+id+"?attributes=groups,"+strings.Join(roleAttributes, ","), "").Body)
		}
		all = append(all, w.send("all", "GET", "/Groups?attributes=displayName,members.value", "").Body)
	}
	return all
}

// What is hidden may change at any time. A token for users does not notice it.
func TestUsersScopeDoesNotNoticeChanges(t *testing.T) {
	for name, newStore := range scopedStores() {
		t.Run(name, func(t *testing.T) {
			twins := scopedTwins(t, newStore, nil)
			tag := twins[0].send("users", "GET", "/Users/1", "").etag()
			if tag == "" {
				t.Fatal("there is no tag")
			}
			same := []string{"If-None-Match: " + tag}
			for i, change := range []struct{ method, target, body string }{
				{"PATCH", "/Users/1", scopedPatch(op("add", "roles", `[{"value":"ZetaNew"}]`))},
				{"PATCH", "/Users/1", scopedPatch(op("remove", "userType", ""))},
				{"PATCH", "/Users/1", scopedPatch(op("remove", "name", ""))},
				{"PATCH", "/Users/1", scopedPatch(op("remove", enterprise, ""))},
				{"PATCH", "/Groups/5", scopedPatch(op("add", "members", `[{"value":"1"}]`))},
				{"DELETE", "/Groups/4", ""},
			} {
				twins[0].now = twins[0].now.Add(time.Hour)
				twins[0].must(change.method, change.target, change.body)
				if r := twins[0].send("users", "GET", "/Users/1", "", same...); r.Status != http.StatusNotModified {
					t.Errorf("%s %s: If-None-Match: %d, want 304", change.method, change.body, r.Status)
				}
				for _, c := range [][]string{
					{"GET", "/Users/1", ""}, {"GET", "/Users", ""}, {"GET", "/Me", ""},
					{"PATCH", "/Users/1", scopedPatch(op("replace", "title", `"T"`)), "If-Match: " + tag},
					{"PUT", "/Users/1", `{"userName":"ann","title":"T","active":true}`, "If-Match: " + tag},
					{"PATCH", "/Users/1", scopedPatch(op("replace", "title", `"T"`)), "If-None-Match: " + tag},
					{"POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
						{"method":"PATCH","path":"/Users/1","version":` + fmt.Sprintf("%q", tag) + `,"data":` + scopedPatch(op("replace", "title", `"T"`)) + `}]}`},
				} {
					first, second := ask(twins, "users", 100+i, c[0], c[1], c[2], c[3:]...)
					if diff := cmp.Diff(second, first); diff != "" {
						t.Errorf("after %s %s: %s %s tells of it:\n%s", change.method, change.body, c[0], c[1], diff)
					}
					if want := len(c) > 3 && strings.HasPrefix(c[3], "If-None-Match"); want != (first.Status == http.StatusPreconditionFailed) {
						t.Errorf("after %s %s: %s %s: %d %s", change.method, change.body, c[0], c[1], first.Status, first.Body)
					}
				}
			}
			twins[0].must("PATCH", "/Users/1", scopedPatch(op("replace", "title", `"new"`)))
			if r := twins[0].send("users", "GET", "/Users/1", "", same...); r.Status != http.StatusOK {
				t.Errorf("after a change that it may know: %d, want 200", r.Status)
			}
		})
	}
}
