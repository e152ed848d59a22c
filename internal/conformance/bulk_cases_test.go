package conformance

import (
	"context"
	"errors"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

func bulkReferences() []bulkCase {
	anna := testhost.PostUser("anna", "anna")
	return []bulkCase{
		{name: "user and group", reason: "RFC 7644, Section 3.7.2: a member by its bulkId",
			body:   testhost.BulkBody(anna, testhost.PostGroup("team", "Team", "User bulkId:anna")),
			want:   []string{"POST anna 201 /Users/1", "POST team 201 /Groups/2"},
			stored: []string{"1 anna", "2 Team: User 1"}},
		{name: "group before its user", reason: "references work in any order; results keep the order of the request",
			body:   testhost.BulkBody(testhost.PostGroup("team", "Team", "User bulkId:anna"), anna),
			want:   []string{"POST team 201 /Groups/2", "POST anna 201 /Users/1"},
			stored: []string{"1 anna", "2 Team: User 1"}},
		{name: "waiting does not overtake", reason: "the creation stays behind the deletion that frees its userName",
			before: []string{anna, testhost.PostGroup("team", "Team")},
			body: testhost.BulkBody(testhost.Patch("/Groups/2", `{"op":"add","path":"members","value":[{"value":"bulkId:new"}]}`),
				testhost.Delete("/Users/1"), testhost.PostUser("new", "anna")),
			want:   []string{"PATCH 204 /Groups/2", "DELETE 204 /Users/1", "POST new 201 /Users/3"},
			stored: []string{"3 anna", "2 Team: User 3"}},
		{name: "a chain, backwards", reason: "each waits for the next",
			body: testhost.BulkBody(testhost.PostGroup("a", "A", "Group bulkId:b"), testhost.PostGroup("b", "B", "Group bulkId:c"), testhost.PostGroup("c", "C", "User bulkId:anna"), anna),
			want: []string{"POST a 201 /Groups/4", "POST b 201 /Groups/3", "POST c 201 /Groups/2", "POST anna 201 /Users/1"},
			stored: []string{"1 anna",
				"2 C: User 1", "3 B: Group 2", "4 A: Group 3"}},
		{name: "manager", reason: "RFC 7644, Section 3.7.2: a reference in an extension",
			body:   testhost.BulkBody(anna, testhost.PostUser("ben", "ben", testhost.Manager("bulkId:anna"))),
			want:   []string{"POST anna 201 /Users/1", "POST ben 201 /Users/2"},
			stored: []string{"1 anna", "2 ben manager=1"}},
		{name: "$ref", reason: "it becomes the address",
			body:   testhost.BulkBody(anna, testhost.PostUser("ben", "ben", `"`+testhost.Enterprise+`":{"manager":{"value":"bulkId:anna","$ref":"bulkId:anna"}}`)),
			want:   []string{"POST anna 201 /Users/1", "POST ben 201 /Users/2"},
			stored: []string{"1 anna", "2 ben manager=1 https://x.test/v2/Users/1"}},
		{name: "manager as a plain string, under a URN with the path", reason: "the forms that Entra sends are references too",
			body: testhost.BulkBody(anna, testhost.PostUser("b", "b"), testhost.PostUser("c", "c", `"`+testhost.Enterprise+`:manager":"bulkId:anna"`),
				testhost.Patch("/Users/bulkId:b", `{"op":"add","value":{"`+testhost.Enterprise+`:manager":"bulkId:anna"}}`),
				testhost.Patch("/Users/bulkId:c", `{"op":"replace","path":"`+testhost.Enterprise+`.manager","value":"bulkId:b"}`)),
			want:   []string{"POST anna 201 /Users/1", "POST b 201 /Users/2", "POST c 201 /Users/3", "PATCH 200 /Users/2", "PATCH 200 /Users/3"},
			stored: []string{"1 anna", "2 b manager=1", "3 c manager=2"}},
		{name: "never in plain strings", reason: "somebody may be called so",
			body: testhost.BulkBody(anna, testhost.PostUser("b", "bulkId:anna", `"nickName":"bulkId:anna","displayName":"bulkId:nobody","emails":[{"value":"bulkId:anna"}]`),
				testhost.Patch("/Users/1", `{"op":"add","path":"nickName","value":"bulkId:b"}`)),
			want:   []string{"POST anna 201 /Users/1", "POST b 201 /Users/2", "PATCH 200 /Users/1"},
			stored: []string{"1 anna nickName=bulkId:b", "2 bulkId:anna nickName=bulkId:anna displayName=bulkId:nobody"}},
		{name: "in paths and in filters of paths", reason: "path of the operation, value and path of a PATCH",
			body: testhost.BulkBody(anna, testhost.PostUser("ben", "ben"), testhost.PostGroup("team", "Team", "User bulkId:anna"),
				testhost.Patch("/Groups/bulkId:team", `{"op":"add","path":"members","value":[{"value":"bulkId:ben"}]}`, `{"op":"remove","path":"members[value eq \"bulkId:anna\"]"}`)),
			want:   []string{"POST anna 201 /Users/1", "POST ben 201 /Users/2", "POST team 201 /Groups/3", "PATCH 204 /Groups/3"},
			stored: []string{"1 anna", "2 ben", "3 Team: User 2"}},
		{name: "PUT and DELETE of what was just made", reason: "a bulkId stands for the id in a path",
			body: testhost.BulkBody(anna, testhost.PostUser("ben", "ben"), `{"method":"PUT","path":"/Users/bulkId:anna","data":{"userName":"anna","nickName":"Ann"}}`,
				testhost.Delete("/Users/bulkId:ben")),
			want:   []string{"POST anna 201 /Users/1", "POST ben 201 /Users/2", "PUT 200 /Users/1", "DELETE 204 /Users/2"},
			stored: []string{"1 anna nickName=Ann"}},
		{name: "a group as a member without its type", reason: "what a bulkId stands for has a type",
			body:   testhost.BulkBody(testhost.PostGroup("in", "In"), `{"method":"POST","path":"/Groups","bulkId":"out","data":{"displayName":"Out","members":[{"value":"bulkId:in"}]}}`),
			want:   []string{"POST in 201 /Groups/1", "POST out 201 /Groups/2"},
			stored: []string{"1 In:", "2 Out: Group 1"}},
		{name: "PATCH with bare operations", reason: "the example of RFC 7644, Section 3.7.3 has no message around them",
			before: []string{anna},
			body:   testhost.BulkBody(`{"method":"patch","path":"/Users/1","data":[{"op":"add","path":"nickName","value":"Ann"}]}`),
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
			body:   testhost.BulkBody(testhost.PostGroup("a", "A", "Group bulkId:b"), testhost.PostGroup("b", "B", "Group bulkId:a")),
			want:   []string{"POST a 201 /Groups/1", "POST b 201 /Groups/2"},
			stored: []string{"1 A: Group 2", "2 B: Group 1"}},
		{name: "managers of each other", reason: "RFC 7644, Section 3.7.1",
			body:   testhost.BulkBody(testhost.PostUser("a", "a", testhost.Manager("bulkId:b"), `"nickName":"A"`), testhost.PostUser("b", "b", testhost.Manager("bulkId:a"))),
			want:   []string{"POST a 201 /Users/1", "POST b 201 /Users/2"},
			stored: []string{"1 a nickName=A manager=2", "2 b manager=1"}},
		{name: "one's own manager", reason: "the smallest circle",
			body:   testhost.BulkBody(testhost.PostUser("a", "a", testhost.Manager("bulkId:a"))),
			want:   []string{"POST a 201 /Users/1"},
			stored: []string{"1 a manager=1"}},
		{name: "with others around", reason: "what refers to the circle waits for it, and it for what it refers to",
			body: testhost.BulkBody(testhost.PostGroup("all", "All", "User bulkId:a", "User bulkId:x"), testhost.PostUser("a", "a", testhost.Manager("bulkId:b")),
				testhost.PostUser("b", "b", testhost.Manager("bulkId:a")), testhost.PostUser("x", "x")),
			want:   []string{"POST all 201 /Groups/4", "POST a 201 /Users/1", "POST b 201 /Users/2", "POST x 201 /Users/3"},
			stored: []string{"1 a manager=2", "2 b manager=1", "3 x", "4 All: User 1, User 3"}},
		{name: "circle with a member from outside", reason: "the other members come with the creation",
			before: []string{testhost.PostUser("u", "u")},
			body:   testhost.BulkBody(testhost.PostGroup("a", "A", "Group bulkId:b", "User 1"), testhost.PostGroup("b", "B", "Group bulkId:a")),
			want:   []string{"POST a 201 /Groups/2", "POST b 201 /Groups/3"},
			stored: []string{"1 u", "2 A: Group 3, User 1", "3 B: Group 2"}},
		{name: "one cannot be created", reason: "all of a circle or none",
			before: []string{testhost.PostUser("u", "ben")},
			body:   testhost.BulkBody(testhost.PostUser("a", "anna", testhost.Manager("bulkId:b")), testhost.PostUser("b", "ben", testhost.Manager("bulkId:a")), testhost.PostUser("c", "carl", testhost.Manager("bulkId:a"))),
			want:   []string{"POST a 409", "POST b 409 uniqueness", "POST c 400 invalidValue"},
			about:  []string{`"b" refer to each other`, "userName is taken", `bulkId "a", to which this one refers, failed`},
			stored: []string{"1 ben"}},
		{name: "one cannot be completed", reason: "what was created before is taken back", change: refuseUser("ben"),
			body:   testhost.BulkBody(testhost.PostUser("a", "anna", testhost.Manager("bulkId:b")), testhost.PostUser("b", "ben", testhost.Manager("bulkId:a"))),
			want:   []string{"POST a 409", "POST b 400 invalidValue"},
			about:  []string{"not ben"},
			stored: []string{}},
		{name: "one refers to nobody", reason: "an unknown bulkId fails the circle",
			body:   testhost.BulkBody(testhost.PostGroup("a", "A", "Group bulkId:b"), testhost.PostGroup("b", "B", "Group bulkId:a", "User bulkId:nobody")),
			want:   []string{"POST a 409", "POST b 400 invalidValue"},
			about:  []string{`"nobody"`},
			stored: []string{}},
		{name: "one takes over an account and another is taken", reason: "a failed circle leaves that account as it was",
			before: []string{testhost.PostUser("u", "ann", `"nickName":"old"`), testhost.PostUser("ben", "ben")},
			change: adoptAnna,
			body:   testhost.BulkBody(testhost.PostUser("a", "anna", testhost.Manager("bulkId:b"), `"nickName":"new"`), testhost.PostUser("b", "ben", testhost.Manager("bulkId:a"))),
			want:   []string{"POST a 409", "POST b 409 uniqueness"},
			stored: []string{"1 ann nickName=old", "2 ben"}},
		{name: "one takes over an account", reason: "references lead to that account",
			before: []string{testhost.PostUser("u", "ann", `"nickName":"old"`)}, change: adoptAnna,
			body:   testhost.BulkBody(testhost.PostUser("a", "anna", testhost.Manager("bulkId:b")), testhost.PostUser("b", "ben", testhost.Manager("bulkId:a"))),
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
			body:   testhost.BulkBody(testhost.PostUser("a", "anna", testhost.Manager("bulkId:b")), testhost.PostUser("b", "ben", testhost.Manager("bulkId:a")), testhost.PostUser("c", "carl")),
			want:   []string{"POST a 500", "POST b 409", "POST c 201 /Users/3"},
			stored: []string{"3 carl"}},
	}
}

func bulkFailures() []bulkCase {
	anna, ben := testhost.PostUser("anna", "anna"), testhost.PostUser("ben", "ben")
	noName := `{"method":"POST","path":"/Users","bulkId":"x","data":{}}`
	small := func(c *scim.Config) { c.Limits = scim.Limits{BulkOps: 2, BulkBody: 600, Body: 100} }
	return []bulkCase{
		{name: "one of three fails", reason: "the others are done all the same",
			body:   testhost.BulkBody(anna, noName, ben),
			want:   []string{"POST anna 201 /Users/1", "POST x 400 invalidValue", "POST ben 201 /Users/2"},
			about:  []string{"userName"},
			stored: []string{"1 anna", "2 ben"}},
		{name: "failOnErrors 1", reason: "RFC 7644, Section 3.7.3: it stops there; what was not run is not in the answer",
			body:   testhost.BulkBodyUntil(1, anna, noName, ben),
			want:   []string{"POST anna 201 /Users/1", "POST x 400 invalidValue"},
			stored: []string{"1 anna"}},
		{name: "failOnErrors 2", reason: "one error is not two",
			body:   testhost.BulkBodyUntil(2, noName, anna, `{"method":"GET","path":"/Users"}`, ben),
			want:   []string{"POST x 400 invalidValue", "POST anna 201 /Users/1", "GET 400 invalidSyntax"},
			stored: []string{"1 anna"}},
		{name: "failOnErrors 0", reason: "RFC 7644, Section 3.7: an integer that says how many", body: testhost.BulkBodyUntil(0, anna),
			want: []string{"400 invalidValue"}, about: []string{"failOnErrors"}, stored: []string{}},
		{name: "another version", reason: "version is If-Match",
			before: []string{anna},
			body: testhost.BulkBody(`{"method":"PUT","path":"/Users/1","version":"W/\"other\"","data":{"userName":"changed"}}`,
				`{"method":"DELETE","path":"/Users/1","version":"W/\"other\""}`, `{"method":"PATCH","path":"/Users/1","version":"*","data":[{"op":"add","path":"nickName","value":"A"}]}`),
			want:   []string{"PUT 412 /Users/1", "DELETE 412 /Users/1", "PATCH 200 /Users/1"},
			about:  []string{"version"},
			stored: []string{"1 anna nickName=A"}},
		{name: "unknown bulkId", reason: "the operation fails, naming it",
			body:   testhost.BulkBody(testhost.PostGroup("g", "Team", "User bulkId:nobody"), testhost.Delete("/Users/bulkId:ghost"), ben),
			want:   []string{"POST g 400 invalidValue", "DELETE 400 invalidValue", "POST ben 201 /Users/1"},
			about:  []string{`"nobody"`, `"ghost"`},
			stored: []string{"1 ben"}},
		{name: "reference to what failed", reason: "it fails too, and says for whose sake",
			body:   testhost.BulkBody(noName, testhost.PostGroup("g", "Team", "User bulkId:x"), testhost.Delete("/Users/bulkId:x")),
			want:   []string{"POST x 400 invalidValue", "POST g 400 invalidValue", "DELETE 400 invalidValue"},
			about:  []string{`bulkId "x", to which this one refers, failed`},
			stored: []string{}},
		{name: "the same bulkId twice", reason: "nobody can say whom a reference means",
			body:   testhost.BulkBody(anna, testhost.PostUser("anna", "other"), testhost.PostGroup("g", "Team", "User bulkId:anna")),
			want:   []string{"POST anna 400 invalidSyntax", "POST anna 400 invalidSyntax", "POST g 400 invalidValue"},
			about:  []string{"more than once"},
			stored: []string{}},
		{name: "a user as a group", reason: "users and groups may have the same ids",
			body: testhost.BulkBody(anna, testhost.PostGroup("g", "Team"), testhost.PostGroup("h", "Other", "Group bulkId:anna"), testhost.Delete("/Groups/bulkId:anna"),
				testhost.PostUser("b", "ben", testhost.Manager("bulkId:g"))),
			want:   []string{"POST anna 201 /Users/1", "POST g 201 /Groups/2", "POST h 400 invalidValue", "DELETE 400 invalidPath", "POST b 400 invalidValue"},
			about:  []string{"bulkId:anna is a User", "bulkId:g is a Group"},
			stored: []string{"1 anna", "2 Team:"}},
		{name: "half of a PATCH", reason: "one operation's failure leaves no half of itself",
			before: []string{anna},
			body:   testhost.BulkBody(testhost.Patch("/Users/1", `{"op":"add","path":"nickName","value":"A"}`, `{"op":"remove","path":"userName"}`), ben),
			want:   []string{"PATCH 400 /Users/1 mutability", "POST ben 201 /Users/2"},
			stored: []string{"1 anna", "2 ben"}},
		{name: "malformed operations", reason: "they fail alone",
			body: testhost.BulkBody(`{"path":"/Users"}`, `{"method":"GET","path":"/Users/1"}`, `{"method":"POST","path":"/Users","data":{"userName":"a"}}`,
				`{"method":"POST","path":"/Users","bulkId":"a"}`, `{"method":"PUT","path":"/Users/1","data":[]}`, `{"method":"POST","path":5,"bulkId":"b","data":{}}`, anna),
			want: []string{" 400 invalidSyntax", "GET 400 invalidSyntax", "POST 400 invalidSyntax", "POST a 400 invalidSyntax",
				"PUT 400 /Users/1 invalidSyntax", "POST b 400 invalidSyntax", "POST anna 201 /Users/1"},
			about:  []string{"method: must be POST, PUT, PATCH or DELETE", "bulkId: is missing", "data: is missing", "path: must be a string"},
			stored: []string{"1 anna"}},
		{name: "no Operations", reason: "they are required", body: "{}", want: []string{"400 invalidSyntax"}, about: []string{"Operations"}},
		{name: "empty Operations", reason: "there is nothing to do", body: testhost.BulkBody(), want: []string{"400 invalidSyntax"}, about: []string{"Operations"}},
		{name: "another message", reason: "RFC 7644, Section 3.7", body: `{"schemas":["urn:x"],"Operations":[` + anna + `]}`,
			want: []string{"400 invalidSyntax"}, about: []string{"BulkRequest"}, stored: []string{}},
		{name: "not JSON", reason: "nothing is run", body: testhost.BulkBody(anna)[:60], want: []string{"400 invalidSyntax"}, stored: []string{}},
		{name: "two requests", reason: "one body, one request", body: testhost.BulkBody(anna) + testhost.BulkBody(ben), want: []string{"400 invalidSyntax"}, stored: []string{}},
		{name: "a name twice", reason: "which one counts is nobody's guess", body: testhost.BulkBody(anna, `{"method":"POST","path":"/Users","path":"/Groups"}`),
			want: []string{"400 invalidSyntax"}, stored: []string{}},
		{name: "a name twice, in other letters", reason: "names are case-insensitive", body: testhost.BulkBody(anna, `{"method":"POST","Method":"PUT"}`),
			want: []string{"400 invalidSyntax"}, about: []string{"method"}, stored: []string{}},
		{name: "an operation that is no object", reason: "there is no result to give it", body: testhost.BulkBody(anna, "5"),
			want: []string{"400 invalidSyntax"}, stored: []string{}},
		{name: "too many operations", reason: "RFC 7644, Section 3.7.4", change: small, body: testhost.BulkBody(testhost.Delete("/Users/1"), testhost.Delete("/Users/2"), testhost.Delete("/Users/3")),
			want: []string{"413"}, about: []string{"more than 2"}},
		{name: "too long", reason: "RFC 7644, Section 3.7.4", change: small, body: testhost.BulkBody(testhost.PostUser("a", strings.Repeat("a", 600))),
			want: []string{"413"}, about: []string{"600 bytes"}, stored: []string{}},
		{name: "an operation too long", reason: "each is limited like a request", change: small, body: testhost.BulkBody(testhost.PostUser("a", strings.Repeat("a", 100)), anna),
			want: []string{"POST a 413", "POST anna 201 /Users/1"}, about: []string{"100 bytes"}, stored: []string{"1 anna"}},
		{name: "deep nesting", reason: "refused, cheaply", body: testhost.BulkBody(`{"method":"POST","path":"/Users","bulkId":"a","data":` + strings.Repeat(`{"urn:ietf:params:scim:schemas:core:2.0:User":`, 4000) + "1" + strings.Repeat("}", 4000) + "}"),
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
			body:   testhost.BulkBody(anna, testhost.PostGroup("g", "Team", "User bulkId:anna"), testhost.PostGroup("a", "A", "Group bulkId:b"), testhost.PostGroup("b", "B", "Group bulkId:a")),
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
			body:   testhost.BulkBody(anna, ben),
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
			before: []string{testhost.PostUser("u", "u")}, body: testhost.BulkBody(testhost.Delete(path)),
			want: []string{"DELETE 400 invalidPath"}, about: []string{"path: must be"}, stored: []string{"1 u"}})
	}
	return append(all,
		bulkCase{name: "an id in the path of POST", reason: "ids are the server's", body: testhost.BulkBody(`{"method":"POST","path":"/Users/1","bulkId":"a","data":{"userName":"a"}}`),
			want: []string{"POST a 400 invalidPath"}, stored: []string{}},
		bulkCase{name: "absolute address of this endpoint", reason: "a client has it from location", before: []string{testhost.PostUser("u", "u")},
			body: testhost.BulkBody(testhost.Delete("https://x.test/v2/Users/1")), want: []string{"DELETE 204 /Users/1"}, stored: []string{}},
		bulkCase{name: "slashes too many", reason: "as in a request", before: []string{testhost.PostUser("u", "u")},
			body: testhost.BulkBody(testhost.Delete("//Users/1/")), want: []string{"DELETE 204 /Users/1"}, stored: []string{}},
		bulkCase{name: "escapes", reason: "as in a request", before: []string{testhost.PostUser("u", "u")},
			body: testhost.BulkBody(testhost.Delete("/Users/%31"), testhost.Delete("/Users/a%2Fb")), want: []string{"DELETE 204 /Users/1", "DELETE 404 /Users/a%2Fb"}, stored: []string{}},
		bulkCase{name: "no groups", reason: "501, as in a request", change: func(c *scim.Config) { c.Types, c.Roles = []*scim.ResourceType{scim.UserType()}, nil },
			body: testhost.BulkBody(testhost.PostGroup("g", "Team")), want: []string{"POST g 501"}},
	)
}
