package scim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// job is a bulk request of operations that are JSON already.
func job(ops ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(ops, ",") + `]}`
}

func failing(n int, ops ...string) string {
	return strings.Replace(job(ops...), `"Operations"`, `"failOnErrors":`+strconv.Itoa(n)+`,"Operations"`, 1)
}

func postUser(bulkID, name string, more ...string) string {
	return fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":%q,"data":{"userName":%q%s}}`, bulkID, name, strings.Join(append([]string{""}, more...), ","))
}

func postGroup(bulkID, name string, members ...string) string {
	var list []string
	for _, m := range members {
		typ, id, _ := strings.Cut(m, " ")
		list = append(list, fmt.Sprintf(`{"type":%q,"value":%q}`, typ, id))
	}
	return fmt.Sprintf(`{"method":"POST","path":"/Groups","bulkId":%q,"data":{"displayName":%q,"members":[%s]}}`, bulkID, name, strings.Join(list, ","))
}

func managedBy(id string) string { return fmt.Sprintf(`%q:{"manager":{"value":%q}}`, enterprise, id) }

func patching(path string, ops ...string) string {
	return fmt.Sprintf(`{"method":"PATCH","path":%q,"data":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}}`, path, strings.Join(ops, ","))
}

func deleting(path string) string { return fmt.Sprintf(`{"method":"DELETE","path":%q}`, path) }

// bulkStores are those on which bulk requests must do the same.
var bulkStores = map[string]func() (scim.Store, scim.Ledger){
	"memory": func() (scim.Store, scim.Ledger) { return memory.New(), nil },
	"bare":   func() (scim.Store, scim.Ledger) { return newBareStore(), memory.NewLedger() },
}

// bulkHandler counts ids from 1, and knows the roles Admin, Editor and Viewer.
func bulkHandler(t testing.TB, kind string, change func(*scim.Config)) (*scim.Handler, *testRoles) {
	t.Helper()
	roles := newTestRoles()
	c := scim.Config{Auth: auth.Bearer(auth.TokenOf(secret)), Log: slog.New(slog.DiscardHandler), BaseURL: "https://x.test/v2"}
	var ledger scim.Ledger
	c.Store, ledger = bulkStores[kind]()
	c.Roles = &scim.Roles{Resolver: roles, Ledger: ledger, Separate: true}
	last := 0
	c.NewID = func() string { last++; return strconv.Itoa(last) }
	if change != nil {
		change(&c)
	}
	h, err := scim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h, roles
}

// stored lists what there is, a line each.
func stored(t *testing.T, h *scim.Handler) []string {
	t.Helper()
	lines := []string{}
	for _, endpoint := range []string{"/Users", "/Groups"} {
		all, _ := decode(t, do(t, h, "GET", endpoint+"?sortBy=id", ""))["Resources"].([]any)
		for _, e := range all {
			r := e.(map[string]any)
			line := fmt.Sprint(r["id"], " ", r["userName"])
			if endpoint == "/Groups" {
				line = fmt.Sprint(r["id"], " ", r["displayName"], ":")
				var of []string
				list, _ := r["members"].([]any)
				for _, m := range list {
					m := m.(map[string]any)
					of = append(of, fmt.Sprint(" ", m["type"], " ", m["value"]))
				}
				slices.Sort(of)
				line += strings.Join(of, ",")
			}
			for _, k := range []string{"nickName", "displayName"} {
				if v, ok := r[k]; ok && endpoint == "/Users" {
					line += fmt.Sprint(" ", k, "=", v)
				}
			}
			if x, ok := r[enterprise].(map[string]any); ok {
				m, _ := x["manager"].(map[string]any)
				line += fmt.Sprint(" manager=", m["value"])
				if ref, ok := m["$ref"]; ok {
					line += fmt.Sprint(" ", ref)
				}
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// results sums up the answer to a bulk request, a line for each operation, and
// gathers the details of errors.
func results(t *testing.T, res *http.Response) (lines []string, details string) {
	t.Helper()
	body := decode(t, res)
	if res.StatusCode != 200 {
		d, _ := body["detail"].(string)
		typ, _ := body["scimType"].(string)
		return []string{strings.TrimSpace(fmt.Sprint(res.StatusCode, " ", typ))}, d
	}
	if diff := cmp.Diff([]any{"urn:ietf:params:scim:api:messages:2.0:BulkResponse"}, body["schemas"]); diff != "" {
		t.Error(diff)
	}
	for _, e := range body["Operations"].([]any) {
		r := e.(map[string]any)
		words := []string{r["method"].(string)}
		for _, k := range []string{"bulkId", "status", "location"} {
			if s, ok := r[k].(string); ok && s != "" {
				words = append(words, strings.TrimPrefix(s, "https://x.test/v2"))
			}
		}
		failed, isError := r["response"].(map[string]any)
		if isError {
			if failed["status"] != r["status"] {
				t.Errorf("status %v in the error, %v beside it", failed["status"], r["status"])
			}
			if typ, ok := failed["scimType"].(string); ok {
				words = append(words, typ)
			}
			details += failed["detail"].(string) + "\n"
		}
		if v, _ := r["version"].(string); (v != "") == (isError || r["method"] == "DELETE") {
			t.Errorf("%v has the version %q", words, v)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return lines, details
}

type bulkCase struct {
	name, reason string
	change       func(*scim.Config)
	before       []string // operations that are done before, each succeeding
	body         string
	want         []string
	about        []string // what the details of the errors say
	stored       []string
}

func TestBulk(t *testing.T) {
	for _, tt := range slices.Concat(bulkReferences(), bulkCircles(), bulkFailures(), bulkPaths()) {
		for _, kind := range slices.Sorted(maps.Keys(bulkStores)) {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				h, _ := bulkHandler(t, kind, tt.change)
				if len(tt.before) > 0 {
					lines, details := results(t, do(t, h, "POST", "/Bulk", job(tt.before...)))
					if details != "" {
						t.Fatalf("%v: %s", lines, details)
					}
				}
				lines, details := results(t, do(t, h, "POST", "/Bulk", tt.body))
				if diff := cmp.Diff(tt.want, lines); diff != "" {
					t.Errorf("%s (-want +got):\n%s\n%s", tt.reason, diff, details)
				}
				for _, s := range tt.about {
					if !strings.Contains(details, s) {
						t.Errorf("%s: the details do not say %q:\n%s", tt.reason, s, details)
					}
				}
				if diff := cmp.Diff(tt.stored, stored(t, h)); tt.stored != nil && diff != "" {
					t.Errorf("%s: stored (-want +got):\n%s", tt.reason, diff)
				}
			})
		}
	}
}

func bulkReferences() []bulkCase {
	anna := postUser("anna", "anna")
	return []bulkCase{
		{name: "user and group", reason: "RFC 7644, Section 3.7.2: a member by its bulkId",
			body:   job(anna, postGroup("team", "Team", "User bulkId:anna")),
			want:   []string{"POST anna 201 /Users/1", "POST team 201 /Groups/2"},
			stored: []string{"1 anna", "2 Team: User 1"}},
		{name: "group before its user", reason: "references work in any order; results keep the order of the request",
			body:   job(postGroup("team", "Team", "User bulkId:anna"), anna),
			want:   []string{"POST team 201 /Groups/2", "POST anna 201 /Users/1"},
			stored: []string{"1 anna", "2 Team: User 1"}},
		{name: "waiting does not overtake", reason: "the creation stays behind the deletion that frees its userName",
			before: []string{anna, postGroup("team", "Team")},
			body: job(patching("/Groups/2", `{"op":"add","path":"members","value":[{"value":"bulkId:new"}]}`),
				deleting("/Users/1"), postUser("new", "anna")),
			want:   []string{"PATCH 204 /Groups/2", "DELETE 204 /Users/1", "POST new 201 /Users/3"},
			stored: []string{"3 anna", "2 Team: User 3"}},
		{name: "a chain, backwards", reason: "each waits for the next",
			body: job(postGroup("a", "A", "Group bulkId:b"), postGroup("b", "B", "Group bulkId:c"), postGroup("c", "C", "User bulkId:anna"), anna),
			want: []string{"POST a 201 /Groups/4", "POST b 201 /Groups/3", "POST c 201 /Groups/2", "POST anna 201 /Users/1"},
			stored: []string{"1 anna",
				"2 C: User 1", "3 B: Group 2", "4 A: Group 3"}},
		{name: "manager", reason: "RFC 7644, Section 3.7.2: a reference in an extension",
			body:   job(anna, postUser("ben", "ben", managedBy("bulkId:anna"))),
			want:   []string{"POST anna 201 /Users/1", "POST ben 201 /Users/2"},
			stored: []string{"1 anna", "2 ben manager=1"}},
		{name: "$ref", reason: "it becomes the address",
			body:   job(anna, postUser("ben", "ben", `"`+enterprise+`":{"manager":{"value":"bulkId:anna","$ref":"bulkId:anna"}}`)),
			want:   []string{"POST anna 201 /Users/1", "POST ben 201 /Users/2"},
			stored: []string{"1 anna", "2 ben manager=1 https://x.test/v2/Users/1"}},
		{name: "manager as a plain string, under a URN with the path", reason: "the forms that Entra sends are references too",
			body: job(anna, postUser("b", "b"), postUser("c", "c", `"`+enterprise+`:manager":"bulkId:anna"`),
				patching("/Users/bulkId:b", `{"op":"add","value":{"`+enterprise+`:manager":"bulkId:anna"}}`),
				patching("/Users/bulkId:c", `{"op":"replace","path":"`+enterprise+`.manager","value":"bulkId:b"}`)),
			want:   []string{"POST anna 201 /Users/1", "POST b 201 /Users/2", "POST c 201 /Users/3", "PATCH 200 /Users/2", "PATCH 200 /Users/3"},
			stored: []string{"1 anna", "2 b manager=1", "3 c manager=2"}},
		{name: "never in plain strings", reason: "somebody may be called so",
			body: job(anna, postUser("b", "bulkId:anna", `"nickName":"bulkId:anna","displayName":"bulkId:nobody","emails":[{"value":"bulkId:anna"}]`),
				patching("/Users/1", `{"op":"add","path":"nickName","value":"bulkId:b"}`)),
			want:   []string{"POST anna 201 /Users/1", "POST b 201 /Users/2", "PATCH 200 /Users/1"},
			stored: []string{"1 anna nickName=bulkId:b", "2 bulkId:anna nickName=bulkId:anna displayName=bulkId:nobody"}},
		{name: "in paths and in filters of paths", reason: "path of the operation, value and path of a PATCH",
			body: job(anna, postUser("ben", "ben"), postGroup("team", "Team", "User bulkId:anna"),
				patching("/Groups/bulkId:team", `{"op":"add","path":"members","value":[{"value":"bulkId:ben"}]}`, `{"op":"remove","path":"members[value eq \"bulkId:anna\"]"}`)),
			want:   []string{"POST anna 201 /Users/1", "POST ben 201 /Users/2", "POST team 201 /Groups/3", "PATCH 204 /Groups/3"},
			stored: []string{"1 anna", "2 ben", "3 Team: User 2"}},
		{name: "PUT and DELETE of what was just made", reason: "a bulkId stands for the id in a path",
			body: job(anna, postUser("ben", "ben"), `{"method":"PUT","path":"/Users/bulkId:anna","data":{"userName":"anna","nickName":"Ann"}}`,
				deleting("/Users/bulkId:ben")),
			want:   []string{"POST anna 201 /Users/1", "POST ben 201 /Users/2", "PUT 200 /Users/1", "DELETE 204 /Users/2"},
			stored: []string{"1 anna nickName=Ann"}},
		{name: "a group as a member without its type", reason: "what a bulkId stands for has a type",
			body:   job(postGroup("in", "In"), `{"method":"POST","path":"/Groups","bulkId":"out","data":{"displayName":"Out","members":[{"value":"bulkId:in"}]}}`),
			want:   []string{"POST in 201 /Groups/1", "POST out 201 /Groups/2"},
			stored: []string{"1 In:", "2 Out: Group 1"}},
		{name: "PATCH with bare operations", reason: "the example of RFC 7644, Section 3.7.3 has no message around them",
			before: []string{anna},
			body:   job(`{"method":"patch","path":"/Users/1","data":[{"op":"add","path":"nickName","value":"Ann"}]}`),
			want:   []string{"PATCH 200 /Users/1"},
			stored: []string{"1 anna nickName=Ann"}},
		{name: "no schemas, other spelling", reason: "names are case-insensitive, schemas may be missing",
			body:   `{"operations":[{"METHOD":"post","Path":"/Users","bulkid":"a","DATA":{"userName":"a"}}],"failOnErrors":null}`,
			want:   []string{"POST a 201 /Users/1"},
			stored: []string{"1 a"}},
	}
}

func bulkCircles() []bulkCase {
	refuseUser := func(name string) func(*scim.Config) {
		return func(c *scim.Config) {
			c.Rules = []scim.Rule{func(_ context.Context, ch *scim.Change) error {
				if ch.Before != nil && ch.After != nil && ch.After.String("userName") == name {
					return &scim.Error{Status: 400, Type: "invalidValue", Detail: "not " + name}
				}
				return nil
			}}
		}
	}
	adoptAnna := func(c *scim.Config) {
		c.Rules = []scim.Rule{func(_ context.Context, ch *scim.Change) error {
			if ch.Op == scim.OpCreate && ch.After.String("userName") == "anna" {
				ch.Adopt = "1"
			}
			return nil
		}}
	}
	return []bulkCase{
		{name: "groups in each other", reason: "RFC 7644, Section 3.7.1",
			body:   job(postGroup("a", "A", "Group bulkId:b"), postGroup("b", "B", "Group bulkId:a")),
			want:   []string{"POST a 201 /Groups/1", "POST b 201 /Groups/2"},
			stored: []string{"1 A: Group 2", "2 B: Group 1"}},
		{name: "managers of each other", reason: "RFC 7644, Section 3.7.1",
			body:   job(postUser("a", "a", managedBy("bulkId:b"), `"nickName":"A"`), postUser("b", "b", managedBy("bulkId:a"))),
			want:   []string{"POST a 201 /Users/1", "POST b 201 /Users/2"},
			stored: []string{"1 a nickName=A manager=2", "2 b manager=1"}},
		{name: "one's own manager", reason: "the smallest circle",
			body:   job(postUser("a", "a", managedBy("bulkId:a"))),
			want:   []string{"POST a 201 /Users/1"},
			stored: []string{"1 a manager=1"}},
		{name: "with others around", reason: "what refers to the circle waits for it, and it for what it refers to",
			body: job(postGroup("all", "All", "User bulkId:a", "User bulkId:x"), postUser("a", "a", managedBy("bulkId:b")),
				postUser("b", "b", managedBy("bulkId:a")), postUser("x", "x")),
			want:   []string{"POST all 201 /Groups/4", "POST a 201 /Users/1", "POST b 201 /Users/2", "POST x 201 /Users/3"},
			stored: []string{"1 a manager=2", "2 b manager=1", "3 x", "4 All: User 1, User 3"}},
		{name: "circle with a member from outside", reason: "the other members come with the creation",
			before: []string{postUser("u", "u")},
			body:   job(postGroup("a", "A", "Group bulkId:b", "User 1"), postGroup("b", "B", "Group bulkId:a")),
			want:   []string{"POST a 201 /Groups/2", "POST b 201 /Groups/3"},
			stored: []string{"1 u", "2 A: Group 3, User 1", "3 B: Group 2"}},
		{name: "one cannot be created", reason: "all of a circle or none",
			before: []string{postUser("u", "ben")},
			body:   job(postUser("a", "anna", managedBy("bulkId:b")), postUser("b", "ben", managedBy("bulkId:a")), postUser("c", "carl", managedBy("bulkId:a"))),
			want:   []string{"POST a 409", "POST b 409 uniqueness", "POST c 400 invalidValue"},
			about:  []string{`"b" refer to each other`, "userName is taken", `bulkId "a", to which this one refers, failed`},
			stored: []string{"1 ben"}},
		{name: "one cannot be completed", reason: "what was created before is taken back", change: refuseUser("ben"),
			body:   job(postUser("a", "anna", managedBy("bulkId:b")), postUser("b", "ben", managedBy("bulkId:a"))),
			want:   []string{"POST a 409", "POST b 400 invalidValue"},
			about:  []string{"not ben"},
			stored: []string{}},
		{name: "one refers to nobody", reason: "an unknown bulkId fails the circle",
			body:   job(postGroup("a", "A", "Group bulkId:b"), postGroup("b", "B", "Group bulkId:a", "User bulkId:nobody")),
			want:   []string{"POST a 409", "POST b 400 invalidValue"},
			about:  []string{`"nobody"`},
			stored: []string{}},
		{name: "one takes over an account and another is taken", reason: "a failed circle leaves that account as it was",
			before: []string{postUser("u", "ann", `"nickName":"old"`), postUser("ben", "ben")},
			change: adoptAnna,
			body:   job(postUser("a", "anna", managedBy("bulkId:b"), `"nickName":"new"`), postUser("b", "ben", managedBy("bulkId:a"))),
			want:   []string{"POST a 409", "POST b 409 uniqueness"},
			stored: []string{"1 ann nickName=old", "2 ben"}},
		{name: "one takes over an account", reason: "references lead to that account",
			before: []string{postUser("u", "ann", `"nickName":"old"`)}, change: adoptAnna,
			body:   job(postUser("a", "anna", managedBy("bulkId:b")), postUser("b", "ben", managedBy("bulkId:a"))),
			want:   []string{"POST a 201 /Users/1", "POST b 201 /Users/3"},
			stored: []string{"1 anna manager=3", "3 ben manager=1"}},
		{name: "a rule panics", reason: "what was created before is taken back",
			change: func(c *scim.Config) {
				c.Rules = []scim.Rule{func(_ context.Context, ch *scim.Change) error {
					if ch.Op == scim.OpPatch {
						panic("a mistake of the host")
					}
					return nil
				}}
			},
			body:   job(postUser("a", "anna", managedBy("bulkId:b")), postUser("b", "ben", managedBy("bulkId:a")), postUser("c", "carl")),
			want:   []string{"POST a 500", "POST b 500", "POST c 201 /Users/3"},
			stored: []string{"3 carl"}},
	}
}

func bulkFailures() []bulkCase {
	anna, ben := postUser("anna", "anna"), postUser("ben", "ben")
	noName := `{"method":"POST","path":"/Users","bulkId":"x","data":{}}`
	small := func(c *scim.Config) { c.Limits = scim.Limits{BulkOps: 2, BulkBody: 600, Body: 100} }
	return []bulkCase{
		{name: "one of three fails", reason: "the others are done all the same",
			body:   job(anna, noName, ben),
			want:   []string{"POST anna 201 /Users/1", "POST x 400 invalidValue", "POST ben 201 /Users/2"},
			about:  []string{"userName"},
			stored: []string{"1 anna", "2 ben"}},
		{name: "failOnErrors 1", reason: "RFC 7644, Section 3.7.3: it stops there; what was not run is not in the answer",
			body:   failing(1, anna, noName, ben),
			want:   []string{"POST anna 201 /Users/1", "POST x 400 invalidValue"},
			stored: []string{"1 anna"}},
		{name: "failOnErrors 2", reason: "one error is not two",
			body:   failing(2, noName, anna, `{"method":"GET","path":"/Users"}`, ben),
			want:   []string{"POST x 400 invalidValue", "POST anna 201 /Users/1", "GET 400 invalidSyntax"},
			stored: []string{"1 anna"}},
		{name: "failOnErrors 0", reason: "RFC 7644, Section 3.7: an integer that says how many", body: failing(0, anna),
			want: []string{"400 invalidValue"}, about: []string{"failOnErrors"}, stored: []string{}},
		{name: "another version", reason: "version is If-Match",
			before: []string{anna},
			body: job(`{"method":"PUT","path":"/Users/1","version":"W/\"other\"","data":{"userName":"changed"}}`,
				`{"method":"DELETE","path":"/Users/1","version":"W/\"other\""}`, `{"method":"PATCH","path":"/Users/1","version":"*","data":[{"op":"add","path":"nickName","value":"A"}]}`),
			want:   []string{"PUT 412 /Users/1", "DELETE 412 /Users/1", "PATCH 200 /Users/1"},
			about:  []string{"version"},
			stored: []string{"1 anna nickName=A"}},
		{name: "unknown bulkId", reason: "the operation fails, naming it",
			body:   job(postGroup("g", "Team", "User bulkId:nobody"), deleting("/Users/bulkId:ghost"), ben),
			want:   []string{"POST g 400 invalidValue", "DELETE 400 invalidValue", "POST ben 201 /Users/1"},
			about:  []string{`"nobody"`, `"ghost"`},
			stored: []string{"1 ben"}},
		{name: "reference to what failed", reason: "it fails too, and says for whose sake",
			body:   job(noName, postGroup("g", "Team", "User bulkId:x"), deleting("/Users/bulkId:x")),
			want:   []string{"POST x 400 invalidValue", "POST g 400 invalidValue", "DELETE 400 invalidValue"},
			about:  []string{`bulkId "x", to which this one refers, failed`},
			stored: []string{}},
		{name: "the same bulkId twice", reason: "nobody can say whom a reference means",
			body:   job(anna, postUser("anna", "other"), postGroup("g", "Team", "User bulkId:anna")),
			want:   []string{"POST anna 400 invalidSyntax", "POST anna 400 invalidSyntax", "POST g 400 invalidValue"},
			about:  []string{"more than once"},
			stored: []string{}},
		{name: "a user as a group", reason: "users and groups may have the same ids",
			body: job(anna, postGroup("g", "Team"), postGroup("h", "Other", "Group bulkId:anna"), deleting("/Groups/bulkId:anna"),
				postUser("b", "ben", managedBy("bulkId:g"))),
			want:   []string{"POST anna 201 /Users/1", "POST g 201 /Groups/2", "POST h 400 invalidValue", "DELETE 400 invalidPath", "POST b 400 invalidValue"},
			about:  []string{"bulkId:anna is a User", "bulkId:g is a Group"},
			stored: []string{"1 anna", "2 Team:"}},
		{name: "half of a PATCH", reason: "one operation's failure leaves no half of itself",
			before: []string{anna},
			body:   job(patching("/Users/1", `{"op":"add","path":"nickName","value":"A"}`, `{"op":"remove","path":"userName"}`), ben),
			want:   []string{"PATCH 400 /Users/1 mutability", "POST ben 201 /Users/2"},
			stored: []string{"1 anna", "2 ben"}},
		{name: "malformed operations", reason: "they fail alone",
			body: job(`{"path":"/Users"}`, `{"method":"GET","path":"/Users/1"}`, `{"method":"POST","path":"/Users","data":{"userName":"a"}}`,
				`{"method":"POST","path":"/Users","bulkId":"a"}`, `{"method":"PUT","path":"/Users/1","data":[]}`, `{"method":"POST","path":5,"bulkId":"b","data":{}}`, anna),
			want: []string{" 400 invalidSyntax", "GET 400 invalidSyntax", "POST 400 invalidSyntax", "POST a 400 invalidSyntax",
				"PUT 400 /Users/1 invalidSyntax", "POST b 400 invalidSyntax", "POST anna 201 /Users/1"},
			about:  []string{"method: must be POST, PUT, PATCH or DELETE", "bulkId: is missing", "data: is missing", "path: must be a string"},
			stored: []string{"1 anna"}},
		{name: "no Operations", reason: "they are required", body: "{}", want: []string{"400 invalidSyntax"}, about: []string{"Operations"}},
		{name: "empty Operations", reason: "there is nothing to do", body: job(), want: []string{"400 invalidSyntax"}, about: []string{"Operations"}},
		{name: "another message", reason: "RFC 7644, Section 3.7", body: `{"schemas":["urn:x"],"Operations":[` + anna + `]}`,
			want: []string{"400 invalidSyntax"}, about: []string{"BulkRequest"}, stored: []string{}},
		{name: "not JSON", reason: "nothing is run", body: job(anna)[:60], want: []string{"400 invalidSyntax"}, stored: []string{}},
		{name: "two requests", reason: "one body, one request", body: job(anna) + job(ben), want: []string{"400 invalidSyntax"}, stored: []string{}},
		{name: "a name twice", reason: "which one counts is nobody's guess", body: job(anna, `{"method":"POST","path":"/Users","path":"/Groups"}`),
			want: []string{"400 invalidSyntax"}, stored: []string{}},
		{name: "a name twice, in other letters", reason: "names are case-insensitive", body: job(anna, `{"method":"POST","Method":"PUT"}`),
			want: []string{"400 invalidSyntax"}, about: []string{"method"}, stored: []string{}},
		{name: "an operation that is no object", reason: "there is no result to give it", body: job(anna, "5"),
			want: []string{"400 invalidSyntax"}, stored: []string{}},
		{name: "too many operations", reason: "RFC 7644, Section 3.7.4", change: small, body: job(deleting("/Users/1"), deleting("/Users/2"), deleting("/Users/3")),
			want: []string{"413"}, about: []string{"more than 2"}},
		{name: "too long", reason: "RFC 7644, Section 3.7.4", change: small, body: job(postUser("a", strings.Repeat("a", 600))),
			want: []string{"413"}, about: []string{"600 bytes"}, stored: []string{}},
		{name: "an operation too long", reason: "each is limited like a request", change: small, body: job(postUser("a", strings.Repeat("a", 100)), anna),
			want: []string{"POST a 413", "POST anna 201 /Users/1"}, about: []string{"100 bytes"}, stored: []string{"1 anna"}},
		{name: "deep nesting", reason: "refused, cheaply", body: job(`{"method":"POST","path":"/Users","bulkId":"a","data":` + strings.Repeat(`{"urn:ietf:params:scim:schemas:core:2.0:User":`, 4000) + "1" + strings.Repeat("}", 4000) + "}"),
			want: []string{"POST a 400 invalidSyntax"}, stored: []string{}},
		{name: "a token for users alone", reason: "each operation is allowed by itself",
			change: func(c *scim.Config) {
				c.Allow = func(_ context.Context, a scim.Access) error {
					if a.Type == "Group" && a.Op != scim.OpList {
						return errors.New("no")
					}
					return nil
				}
			},
			body:   job(anna, postGroup("g", "Team", "User bulkId:anna"), postGroup("a", "A", "Group bulkId:b"), postGroup("b", "B", "Group bulkId:a")),
			want:   []string{"POST anna 201 /Users/1", "POST g 403", "POST a 403", "POST b 409"},
			stored: []string{"1 anna"}},
		{name: "a rule that panics", reason: "what was done before is told",
			change: func(c *scim.Config) {
				c.Rules = []scim.Rule{func(_ context.Context, ch *scim.Change) error {
					if ch.After.String("userName") == "ben" {
						panic("a mistake of the host")
					}
					return nil
				}}
			},
			body:   job(anna, ben),
			want:   []string{"POST anna 201 /Users/1", "POST ben 500"},
			about:  []string{"could not do this"},
			stored: []string{"1 anna"}},
	}
}

func bulkPaths() []bulkCase {
	var all []bulkCase
	for _, path := range []string{"", "/", "/Nope/1", "/Users", "/Users/1/2", "/Users/1?x=y", "/Users/1#x", "/Bulk", "/Me", "/Users/.search", "/.search", "/Schemas/1", "/ServiceProviderConfig",
		"/Users/../Groups/1", "https://evil.test/v2/Users/1", "//evil.test/Users/1", "/Users/%zz", "/Users/a%00b", `/Users\1`, "https://x.test/v22/Users/1"} {
		all = append(all, bulkCase{name: "path " + path, reason: "only the resources of this endpoint can be reached",
			before: []string{postUser("u", "u")}, body: job(deleting(path)),
			want: []string{"DELETE 400 invalidPath"}, about: []string{"path: must be"}, stored: []string{"1 u"}})
	}
	return append(all,
		bulkCase{name: "an id in the path of POST", reason: "ids are the server's", body: job(`{"method":"POST","path":"/Users/1","bulkId":"a","data":{"userName":"a"}}`),
			want: []string{"POST a 400 invalidPath"}, stored: []string{}},
		bulkCase{name: "absolute address of this endpoint", reason: "a client has it from location", before: []string{postUser("u", "u")},
			body: job(deleting("https://x.test/v2/Users/1")), want: []string{"DELETE 204 /Users/1"}, stored: []string{}},
		bulkCase{name: "slashes too many", reason: "as in a request", before: []string{postUser("u", "u")},
			body: job(deleting("//Users/1/")), want: []string{"DELETE 204 /Users/1"}, stored: []string{}},
		bulkCase{name: "escapes", reason: "as in a request", before: []string{postUser("u", "u")},
			body: job(deleting("/Users/%31"), deleting("/Users/a%2Fb")), want: []string{"DELETE 204 /Users/1", "DELETE 404 /Users/a%2Fb"}, stored: []string{}},
		bulkCase{name: "no groups", reason: "501, as in a request", change: func(c *scim.Config) { c.Types, c.Roles = []*scim.ResourceType{scim.UserType()}, nil },
			body: job(postGroup("g", "Team")), want: []string{"POST g 501"}},
	)
}

func TestBulkVersionIsTheLast(t *testing.T) {
	for kind := range bulkStores {
		h, _ := bulkHandler(t, kind, nil)
		body := decode(t, do(t, h, "POST", "/Bulk", job(postUser("a", "a", managedBy("bulkId:b")), postUser("b", "b", managedBy("bulkId:a")))))
		for i, e := range body["Operations"].([]any) {
			got := do(t, h, "GET", "/Users/"+strconv.Itoa(i+1), "").Header.Get("ETag")
			if want := e.(map[string]any)["version"]; got != want {
				t.Errorf("%s: version %v, but the ETag is %s", kind, want, got)
			}
		}
	}
}

// TestBulkRoles: operations of a bulk request give and take roles like requests do.
func TestBulkRoles(t *testing.T) {
	for kind := range bulkStores {
		t.Run(kind, func(t *testing.T) {
			var events []string
			h, roles := bulkHandler(t, kind, func(c *scim.Config) {
				c.OnEvent = func(_ context.Context, e scim.Event) {
					if e.Kind != scim.ToleranceUsed {
						events = append(events, string(e.Kind))
					}
				}
			})
			results(t, do(t, h, "POST", "/Bulk", job(postGroup("g", "Admin", "User bulkId:u"), postUser("u", "u"), postGroup("h", "Viewer"))))
			if diff := cmp.Diff([]string{"Admin"}, roles.of("1")); diff != "" {
				t.Fatal(diff)
			}
			results(t, do(t, h, "POST", "/Bulk", job(
				patching("/Groups/2", `{"op":"remove","path":"members[value eq \"1\"]"}`),
				patching("/Groups/3", `{"op":"add","path":"members","value":[{"value":"1"}]}`))))
			if diff := cmp.Diff([]string{"Viewer"}, roles.of("1")); diff != "" {
				t.Errorf("S4, moved between groups: %s", diff)
			}
			events = nil
			results(t, do(t, h, "POST", "/Bulk", job(
				postGroup("a", "Admin", "Group bulkId:b", "User 1"), postGroup("b", "Editor", "Group bulkId:a", "User bulkId:nobody"))))
			if diff := cmp.Diff([]string{"Viewer"}, roles.of("1")); diff != "" || len(events) > 0 {
				t.Errorf("a failed circle gave roles or told of them: %s %v", diff, events)
			}
			results(t, do(t, h, "POST", "/Bulk", job(
				postGroup("a", "Admin", "Group bulkId:b", "User 1"), postGroup("b", "Editor", "Group bulkId:a", "User 1"))))
			if diff := cmp.Diff([]string{"Admin", "Editor", "Viewer"}, roles.of("1")); diff != "" {
				t.Errorf("a circle: %s", diff)
			}
		})
	}
}

// TestBulkRolesKept is S4 of the role rules, and a circle, in the three ways in which
// roles can be kept.
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
			w.do("POST", "/Bulk", job(patching("/Groups/g1", `{"op":"remove","path":"members[value eq \"u\"]"}`),
				patching("/Groups/g2", `{"op":"add","path":"members","value":[{"value":"u"}]}`)))
			w.wantRoles("u", "S")
			w.settled()
			w.role("A")
			w.role("B")
			c, last := w.config(), 0
			c.NewID = func() string { last++; return strconv.Itoa(last) }
			h, err := scim.New(c)
			w.must(err)
			w.h = []*scim.Handler{h}
			w.do("POST", "/Bulk", job(postGroup("a", "A", "Group bulkId:b", "User u"), postGroup("b", "B", "Group bulkId:a", "User nobody")))
			w.wantRoles("u", "S") // a circle that fails gives nothing
			w.wantLedger("u", "S group:g2")
			w.do("POST", "/Bulk", job(postGroup("a", "A", "Group bulkId:b", "User u"), postGroup("b", "B", "Group bulkId:a", "User u")))
			w.wantRoles("u", "A", "B", "S")
			w.settled()
		})
	}
}

// again is a store whose transactions always run twice, as after a deadlock.
type again struct{ *memory.Store }

type insideKey struct{}

func (s again) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if ctx.Value(insideKey{}) != nil {
		return s.Store.InTx(ctx, fn)
	}
	ctx = context.WithValue(ctx, insideKey{}, true)
	deadlock := errors.New("deadlock")
	err := s.Store.InTx(ctx, func(ctx context.Context) error { return errors.Join(deadlock, fn(ctx)) })
	if !errors.Is(err, deadlock) {
		return fmt.Errorf("not rolled back: %w", err)
	}
	return s.Store.InTx(ctx, fn)
}

func TestBulkRunsAgain(t *testing.T) {
	var events []string
	h, roles := bulkHandler(t, "memory", func(c *scim.Config) {
		c.Store = again{memory.New()}
		c.OnEvent = func(_ context.Context, e scim.Event) {
			if e.Kind == scim.GroupCreated || e.Kind == scim.MemberAdded {
				events = append(events, fmt.Sprint(e.Kind, " ", e.Resource.ID, e.Member.ID))
			}
		}
	})
	lines, details := results(t, do(t, h, "POST", "/Bulk", job(postUser("u", "u"), postGroup("a", "Admin", "Group bulkId:b", "User bulkId:u"), postGroup("b", "Editor", "Group bulkId:a"))))
	if details != "" {
		t.Fatalf("%v: %s", lines, details)
	}
	// A circle makes new ids each time it runs.
	if diff := cmp.Diff([]string{"1 u", "4 Admin: Group 5, User 1", "5 Editor: Group 4"}, stored(t, h)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Admin"}, roles.of("1")); diff != "" {
		t.Error(diff)
	}
	want := []string{"group created 4", "group created 5", "member added 41", "member added 45", "member added 54"}
	slices.Sort(events)
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("each event once: %s", diff)
	}
}

func TestBulkLogs(t *testing.T) {
	var log strings.Builder
	h, _ := bulkHandler(t, "memory", func(c *scim.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	log.Reset()
	do(t, h, "POST", "/Bulk", job(deleting("/Users/7"), postUser("a", "a"), deleting("/Nope/8")))
	if got := strings.Count(log.String(), "scim: refused"); got != 2 || !strings.Contains(log.String(), "path=/Users/7 status=404") {
		t.Errorf("each operation that fails has a line, got %d:\n%s", got, &log)
	}
}

func TestBulkTime(t *testing.T) {
	for kind := range bulkStores {
		ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
		defer cancel()
		h, _ := bulkHandler(t, kind, nil)
		timed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r.WithContext(ctx)) })
		lines, _ := results(t, do(t, timed, "POST", "/Bulk", job(postUser("a", "a"), postUser("b", "b", managedBy("bulkId:b")))))
		if diff := cmp.Diff([]string{"POST a 503", "POST b 503"}, lines); diff != "" {
			t.Errorf("%s: what there was no time for can be tried again: %s", kind, diff)
		}
		if diff := cmp.Diff([]string{}, stored(t, h)); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

func TestBulkConfig(t *testing.T) {
	h, _ := bulkHandler(t, "memory", func(c *scim.Config) { c.Limits = scim.Limits{BulkOps: 7, BulkBody: 12345} })
	want := map[string]any{"supported": true, "maxOperations": 7.0, "maxPayloadSize": 12345.0}
	if diff := cmp.Diff(want, decode(t, do(t, h, "GET", "/ServiceProviderConfig", ""))["bulk"]); diff != "" {
		t.Error(diff)
	}
}

func FuzzBulk(f *testing.F) {
	for _, tt := range slices.Concat(bulkReferences(), bulkCircles(), bulkFailures(), bulkPaths()) {
		if len(tt.body) < 2000 {
			f.Add(tt.body)
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		for kind := range bulkStores {
			h, _ := bulkHandler(t, kind, func(c *scim.Config) { c.Limits.BulkOps = 20 })
			r := do(t, h, "POST", "/Bulk", body, "Content-Type: application/json")
			if r.StatusCode >= 500 {
				t.Fatalf("%s: status %d", kind, r.StatusCode)
			}
			var out struct {
				Operations []struct{ Method, Status string }
			}
			if err := json.NewDecoder(r.Body).Decode(&out); err != nil {
				t.Fatal(err)
			}
			for _, p := range out.Operations {
				if p.Status == "500" || p.Status == "0" {
					t.Fatalf("%s: %v", kind, out)
				}
			}
		}
	})
}
