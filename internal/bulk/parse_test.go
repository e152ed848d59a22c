package bulk_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/bulk"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

func TestParseRefusesARequest(t *testing.T) {
	one := user("a")
	for _, tt := range []struct{ name, body, want, reason string }{
		{"empty", ``, "400 invalidSyntax the body is not a JSON object", "there is nothing to read"},
		{"array", `[]`, "400 invalidSyntax the body is not a JSON object", "the message is an object"},
		{"cut off", `{"Operations":[`, "400 invalidSyntax the body isn't valid JSON: ", "half a request is none"},
		{"duplicate name", `{"a":1,"a":2}`, "400 invalidSyntax the body isn't valid JSON: duplicate", "nobody can say which one is meant"},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", "400 invalidSyntax the body isn't valid JSON: invalid UTF-8", "JSON is UTF-8"},
		{"two values", job(one) + `{}`, "400 invalidSyntax the body isn't valid JSON: there is something behind", "a request is one value"},
		{"two spellings", `{"Operations":[],"operations":[]}`, "400 invalidSyntax the body: Operations is there twice", "names are case-insensitive"},
		{"schemas of another message", `{"schemas":["urn:x"],"Operations":[]}`, "400 invalidSyntax schemas: must contain " + requestURN, "the URN says what the message is"},
		{"schemas is a string", `{"schemas":"` + requestURN + `","Operations":[]}`, "400 invalidSyntax schemas: must contain", "schemas is a list"},
		{"failOnErrors is zero", `{"failOnErrors":0,"Operations":[` + one + `]}`, "400 invalidValue failOnErrors: must be a whole number", "it counts errors"},
		{"failOnErrors is a fraction", `{"failOnErrors":1.5,"Operations":[` + one + `]}`, "400 invalidValue failOnErrors", "it counts errors"},
		{"failOnErrors is a string", `{"failOnErrors":"1","Operations":[` + one + `]}`, "400 invalidValue failOnErrors", "it is an integer"},
		{"no operations", `{}`, "400 invalidSyntax Operations: is missing", "there is nothing to do"},
		{"operations is null", `{"Operations":null}`, "400 invalidSyntax Operations: is missing", "null means the same as no field"},
		{"operations is empty", job(), "400 invalidSyntax Operations: is empty", "there is nothing to do"},
		{"an operation is a string", job(`"x"`), "400 invalidSyntax each of Operations must be a JSON object", "it has no result to put an error in"},
		{"an operation in two spellings", job(`{"path":"/Users","PATH":"/Groups"}`), "400 invalidSyntax each of Operations: path is there twice", "names are case-insensitive"},
		{"too many operations", job(one, one, one, one), "413 Operations: there are more than 3, which is the maxOperations", "the limit is announced"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t)
			o.Limits.BulkOps = 3
			j, err := bulk.Parse([]byte(tt.body), o)
			if got := say(t, err); !strings.HasPrefix(got, tt.want) || j != nil {
				t.Errorf("%s: got %q and the job %v, want %q", tt.reason, got, j, tt.want)
			}
		})
	}
}

func TestParseJudgesEachOperation(t *testing.T) {
	const one = `{"userName":"u"}`
	for _, tt := range []struct{ name, op, want, reason string }{
		{"method is missing", `{"path":"/Users/1"}`, `400 invalidSyntax method: must be POST, PUT, PATCH or DELETE, got ""`, "there is no method to assume"},
		{"GET", send("GET", "/Users/1", ""), `400 invalidSyntax method: must be POST, PUT, PATCH or DELETE, got "GET"`, "bulk requests only write"},
		{"method is a number", `{"method":1,"path":2}`, `400 invalidSyntax method: must be a string`, "the first mistake is named"},
		{"bulkId is a number", `{"method":"POST","bulkId":1,"path":"/Users"}`, `400 invalidSyntax bulkId: must be a string`, "the client's spelling is named"},
		{"POST without a bulkId", `{"method":"POST","path":"/Users","data":{}}`, `400 invalidSyntax bulkId: is missing; POST needs one`, "RFC 7644, Section 3.7: it is required then"},
		{"POST without data", `{"method":"POST","path":"/Users","bulkId":"a"}`, `400 invalidSyntax data: is missing; POST needs a JSON object`, "there is nothing to create"},
		{"PUT with a list", send("PUT", "/Users/1", `[]`), `400 invalidSyntax data: is missing; PUT needs a JSON object`, "a resource is an object"},
		{"PATCH with a list", send("PATCH", "/Users/1", `[]`), "", "the example of RFC 7644, Section 3.7.3 has bare operations"},
		{"DELETE with data", send("DELETE", "/Users/1", `"x"`), "", "nothing reads the data"},
		{"lower case", send("delete", "/Users/1", ""), "", "a method in lower case is clear"},
		{"nulls", `{"method":"DELETE","path":"/Users/1","bulkId":null,"version":null,"data":null}`, "", "null means the same as no field"},
		{"data is too large", send("PUT", "/Users/1", `{"userName":"`+strings.Repeat("x", 100)+`"}`), `413 data: is larger than 100 bytes`, "a request of its own may not be larger either"},
		{"a group may be larger", send("PUT", "/Groups/1", `{"displayName":"`+strings.Repeat("x", 100)+`"}`), "", "groups have a limit of their own"},
		{"path without an id", send("DELETE", "/Users", ""), `400 invalidPath path: must be the endpoint and an id for DELETE, /Users/id, got "/Users"`, "nobody deletes all users"},
		{"path with an id for POST", post("a", "/Users/1", one), `400 invalidPath path: must be the endpoint alone for POST, /Users, got "/Users/1"`, "the server gives ids"},
		{"path of a search", send("PUT", "/Users/.search", one), `400 invalidPath path: must be the endpoint and an id for PUT`, ".search is no id"},
		{"path with a query", send("DELETE", "/Users/1?x=1", ""), `400 invalidPath path: must be a resource type's endpoint and, but for POST, an id, without a query`, "a write takes no query"},
		{"path to /Bulk", send("PUT", "/Bulk", one), `400 invalidPath path: must be below /Users, /Groups, got "/Bulk"`, "a bulk request holds no other"},
		{"path to another server", send("DELETE", "https://evil.test/v2/Users/1", ""), `400 invalidPath path: must be below`, "only this endpoint can be reached"},
		{"path with a NUL", send("DELETE", "/Users/a%00b", ""), `400 invalidPath path: must be well-formed`, "databases refuse it"},
		{"absolute path", send("DELETE", base+"/Users/1", ""), "", "clients know locations"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t)
			o.Limits.Body, o.Limits.GroupBody = 100, 1000
			j := parse(t, o, job(tt.op))
			if got := say(t, j.Parts[0].Err); !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("%s: got %q, want %q", tt.reason, got, tt.want)
			}
		})
	}
}

func TestParseReadsAnOperation(t *testing.T) {
	j := parse(t, options(t), `{"FAILONERRORS":2e0,"operations":[{"METHOD":"put","bulkid":"b","Version":"W/\"1\"","path":"//Users/a%2Fb/","data":{"userName":"u"},"more":1},`+user("a")+`]}`)
	p := j.Parts[0]
	got := []any{j.FailOn, len(j.Parts), p.At, p.Method, p.BulkID, p.Version, p.Path, p.Type.Name, p.Ref, p.Err}
	want := []any{2, 2, 0, "PUT", "b", `W/"1"`, "//Users/a%2Fb/", "User", host.Ref{Type: "User", ID: "a/b"}, nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names in any case, unknown names, escapes (-want +got):\n%s", diff)
	}
	if j.Parts[1].Ref != (host.Ref{}) {
		t.Errorf("a creation refers to %v before it has run", j.Parts[1].Ref)
	}
}

func TestParseFailOnErrorsIsBounded(t *testing.T) {
	j := parse(t, options(t), `{"failOnErrors":1e300,"Operations":[`+user("a")+`]}`)
	if j.FailOn != math.MaxInt32 {
		t.Errorf("a number that no int holds became %d", j.FailOn)
	}
}

func TestParseWithoutGroups(t *testing.T) {
	o := options(t)
	o.Types.All, o.Types.Group = []*model.Type{o.Types.User}, nil
	j := parse(t, o, job(group("g")))
	if got, want := say(t, j.Parts[0].Err), "501 groups are not supported here"; got != want {
		t.Errorf("got %q, want %q as in a request of its own", got, want)
	}
}

func TestParseRefusesABulkIDThatIsThereTwice(t *testing.T) {
	j := parse(t, options(t), job(user("a"), user("b"), group("a"), group("g", "a", "b")))
	create(j)
	var got []string
	for _, p := range j.Parts {
		got = append(got, say(t, p.Err))
	}
	twice := `400 invalidSyntax bulkId: "a" is there more than once`
	if diff := cmp.Diff([]string{twice, "", twice, ""}, got); diff != "" {
		t.Errorf("both fail (-want +got):\n%s", diff)
	}
	_, err := j.Data(j.Parts[3])
	if got, want := say(t, err), `400 invalidValue the operation with the bulkId "a", to which this one refers, failed`; got != want {
		t.Errorf("a reference to them: got %q, want %q", got, want)
	}
}

// The request and each operation count the tolerances that they need by themselves.
func TestParseCountsTolerances(t *testing.T) {
	unquoted := send("PATCH", "/Groups/1", `[{"op":"remove","path":"members[value eq bulkId]"}]`)
	o := options(t)
	j := parse(t, o, `{"Operations":[`+unquoted+`,`+send("DELETE", "/Users/1", "")+`]}`)
	got := fmt.Sprint(o.Use.Used(), j.Parts[0].Use.Used(), j.Parts[1].Use.Used())
	if want := "[missing-schemas] [unquoted-literal] []"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	o.Use = &tolerance.Use{Strict: true}
	if _, err := bulk.Parse([]byte(`{"Operations":[`+unquoted+`]}`), o); !strings.HasPrefix(say(t, err), "400 invalidSyntax schemas: must contain") {
		t.Errorf("a strict server accepts a request without schemas: %v", err)
	}
	o.Use, o.Tolerances = &tolerance.Use{}, host.Tolerances{Off: []tolerance.Name{tolerance.UnquotedLiteral}}
	j = parse(t, o, job(unquoted))
	if got := j.Parts[0].Use.Used(); len(got) > 0 {
		t.Errorf("an operation used %v, which is off", got)
	}
}
