package filterlang

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/tolerance"
)

// validPaths are paths and what they are made of.
var validPaths = []struct {
	name, reason string
	text         string
	want         filter.Path
	used         []tolerance.Name
}{
	// The examples of RFC 7644, Section 3.5.2.
	{name: "RFC 1", reason: "an attribute", text: `members`, want: filter.Path{AttributePath: path("", "members", "")}},
	{name: "RFC 2", reason: "a sub-attribute belongs to the attribute path", text: `name.familyName`,
		want: filter.Path{AttributePath: path("", "name", "familyName")}},
	{name: "RFC 3", reason: "a value filter", text: `addresses[type eq "work"]`,
		want: filter.Path{AttributePath: path("", "addresses", ""), ValueExpression: is("type", "eq", "work")}},
	{name: "RFC 4", reason: "a member by its id", text: `members[value eq "2819c223-7f76-453a-919d-413861904646"]`,
		want: filter.Path{AttributePath: path("", "members", ""), ValueExpression: is("value", "eq", "2819c223-7f76-453a-919d-413861904646")}},
	{name: "RFC 5", reason: "a sub-attribute behind the brackets is the path's", text: `members[value eq "2819c223-7f76-453a-919d-413861904646"].displayName`,
		want: filter.Path{AttributePath: path("", "members", ""), ValueExpression: is("value", "eq", "2819c223-7f76-453a-919d-413861904646"),
			SubAttribute: path("", "", "displayName").SubAttribute}},
	{name: "RFC 6", reason: "Section 3.5.2.2", text: `emails[type eq "work" and value ew "example.com"]`,
		want: filter.Path{AttributePath: path("", "emails", ""), ValueExpression: and(is("type", "eq", "work"), is("value", "ew", "example.com"))}},
	{name: "RFC 7", reason: "Section 3.5.2.3", text: `addresses[type eq "work"].streetAddress`,
		want: filter.Path{AttributePath: path("", "addresses", ""), ValueExpression: is("type", "eq", "work"),
			SubAttribute: path("", "", "streetAddress").SubAttribute}},

	{name: "Q13 core URN", reason: "the caller strips it", text: `urn:ietf:params:scim:schemas:core:2.0:User:userName`,
		want: filter.Path{AttributePath: path("urn:ietf:params:scim:schemas:core:2.0:User", "userName", "")}},
	{name: "extension attribute", reason: "Section 3.10", text: enterprise + `:manager.value`,
		want: filter.Path{AttributePath: path(enterprise, "manager", "value")}},
	{name: "extension with brackets", reason: "Section 3.10 for all of them", text: enterprise + `:x[a pr].$ref`,
		want: filter.Path{AttributePath: path(enterprise, "x", ""), ValueExpression: pr("a"), SubAttribute: path("", "", "$ref").SubAttribute}},
	{name: "a URN alone", reason: "only the schemas know that it is one", text: enterprise,
		want: filter.Path{AttributePath: path("urn:ietf:params:scim:schemas:extension:enterprise:2.0", "User", "")}},
	{name: "Q67 dotted extension path", reason: "the caller puts it right", text: enterprise + `.department`,
		want: filter.Path{AttributePath: path("urn:ietf:params:scim:schemas:extension:enterprise:2.0", "User", "department")}},
	{name: "Q22 a string for a boolean", reason: "the schema says what it is", text: `roles[primary eq "True"].value`,
		want: filter.Path{AttributePath: path("", "roles", ""), ValueExpression: is("primary", "eq", "True"),
			SubAttribute: path("", "", "value").SubAttribute}},
	{name: "spaces", reason: "are harmless between tokens", text: ` emails [ type eq "work" ].value `,
		want: filter.Path{AttributePath: path("", "emails", ""), ValueExpression: is("type", "eq", "work"),
			SubAttribute: path("", "", "value").SubAttribute}},
	{name: "Q47 bare word", reason: "as in a filter", text: `members[value eq u-1]`, used: []tolerance.Name{tolerance.UnquotedLiteral},
		want: filter.Path{AttributePath: path("", "members", ""), ValueExpression: is("value", "eq", "u-1")}},
}

func TestPath(t *testing.T) {
	for _, c := range validPaths {
		t.Run(c.name, func(t *testing.T) {
			use := &tolerance.Use{}
			got, err := ParsePath(c.text, Limits{}, use)
			if err != nil {
				t.Fatalf("%s: %v\nreason: %s", c.text, err, c.reason)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want +got\n%s\nreason: %s", c.text, diff, c.reason)
			}
			if diff := cmp.Diff(c.used, use.Used()); diff != "" {
				t.Errorf("%s: tolerances used: -want +got\n%s\nreason: %s", c.text, diff, c.reason)
			}
			again, err := ParsePath(PrintPath(got), Limits{}, &tolerance.Use{Strict: true})
			if err != nil {
				t.Fatalf("printed as %s: %v", PrintPath(got), err)
			}
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("printed as %s: -before +after\n%s", PrintPath(got), diff)
			}
		})
	}
}

func TestPathRefused(t *testing.T) {
	strict := &tolerance.Use{Strict: true}
	for _, c := range []struct {
		name, reason string
		text         string
		lim          Limits
		tol          *tolerance.Use
		want         string
	}{
		{name: "empty", reason: "a path that is given must be one", text: ``,
			want: `path: it is empty, expected an attribute name`},
		{name: "a filter", reason: "is not a path", text: `userName eq "x"`,
			want: `path, position 10: expected the end of the path, not "eq"`},
		{name: "a JSON pointer", reason: "is JSON Patch, not SCIM", text: `/userName`,
			want: `path, position 1: expected ` + wantName + `, not "/userName"`},
		{name: "empty brackets", reason: "no filter in them", text: `emails[].value`,
			want: `path, position 8: expected ` + wantName + `, not "].value"`},
		{name: "an index", reason: "elements have no numbers", text: `emails[0]`,
			want: `path, position 8: expected ` + wantName + `, not "0]"`},
		{name: "bracket open", reason: "must close", text: `emails[type eq "work"`,
			want: `path, position 22: expected "and", "or" or "]", not the end`},
		{name: "two sub-attributes", reason: "attributes nest once", text: `a.b.c`,
			want: `path, position 4: expected one sub-attribute at most, not ".c"`},
		{name: "two sub-attributes behind brackets", reason: "attributes nest once", text: `a[b pr].c.d`,
			want: `path, position 10: expected the end of the path, not ".d"`},
		{name: "text behind brackets", reason: "only a sub-attribute may follow", text: `a[b pr]c`,
			want: `path, position 8: expected the end of the path, not "c"`},
		{name: "value path in a value path", reason: "the grammar has none", text: `a[b[c pr]]`,
			want: `path, position 4: expected no "[": inside the brackets of a value path there is no other value path`},
		{name: "Q47 switched off", reason: "JSON strings have quotes", text: `members[value eq u1]`, tol: strict,
			want: `path, position 18: expected ` + wantValue + `, not "u1"`},
		{name: "too long", reason: "length limit", text: `userName`, lim: Limits{Length: 7},
			want: `path: it is 8 bytes long, the limit is 7`},
		{name: "too deep", reason: "depth limit", text: `a[((b pr))]`, lim: Limits{Depth: 2},
			want: `path, position 4: parentheses and brackets are nested deeper than the limit of 2`},
		{name: "too many nodes", reason: "node limit", text: `a[` + strings.Repeat("b pr or ", 2) + `c pr]`, lim: Limits{Nodes: 4},
			want: `path, position 23: conditions and operators are more than the limit of 4`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParsePath(c.text, c.lim, c.tol)
			if diff := cmp.Diff(filter.Path{}, got); diff != "" {
				t.Errorf("%s: a path beside the error: %s", c.text, diff)
			}
			checkFault(t, c.text, c.reason, err, &fault.Error{Status: 400, Type: fault.InvalidPath, Detail: c.want})
		})
	}
}
