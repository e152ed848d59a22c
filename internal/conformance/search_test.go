package conformance

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

func TestSearchBodies(t *testing.T) {
	type want struct {
		status   int
		scimType string
		names    []string // the attributes of the resources, beside schemas and id
	}
	refused := want{status: 400, scimType: "invalidSyntax"}
	for _, tt := range []struct {
		name, body   string
		want, strict want
		tolerances   []string
		reason       string
	}{
		{"Q84 attributes in one string", `{"attributes":"userName, title"}`, want{200, "", []string{"title", "userName"}}, refused, []string{"list-in-string"}, "as in a query string"},
		{"Q84 excluded attributes in one string", `{"excludedAttributes":"title,meta"}`, want{200, "", []string{"active", "userName"}}, refused, []string{"list-in-string"}, "the same"},
		{"Q84 numbers in strings", `{"startIndex":"1","count":"1","attributes":["title"]}`, want{200, "", []string{"title"}}, refused, []string{"number-string"}, "as in a query string"},
		{"a list", `{"attributes":["title"],"count":1,"startIndex":1}`, want{200, "", []string{"title"}}, want{200, "", []string{"title"}}, nil, "RFC 7644, Section 3.4.3"},
		{"null", `{"attributes":["title"],"count":null,"filter":null,"cursor":null}`, want{200, "", []string{"title"}}, want{200, "", []string{"title"}}, nil, "RFC 7643, Section 2.5"},
		{"no number", `{"count":"many"}`, refused, refused, []string{"number-string"}, "it is none"},
		{"a fraction", `{"count":1.5}`, refused, refused, nil, "it is no whole number"},
		{"an object for a list", `{"attributes":{"a":1}}`, refused, refused, nil, "it is no list"},
		{"numbers in a list", `{"attributes":[1]}`, refused, refused, nil, "names are strings"},
		{"a number for a filter", `{"filter":1}`, refused, refused, nil, "a filter is a string"},
		{"a name twice", `{"filter":"userName eq \"a\"","filter":"id pr"}`, refused, refused, nil, "which one counts is nobody's guess"},
		{"a name twice, in other spellings", `{"filter":"userName eq \"a\"","Filter":"id pr"}`, refused, refused, nil, "names are case-insensitive (RFC 7643, Section 2.1)"},
		{"a name twice, escaped", `{"filter":"userName eq \"a\"","\u0066ilter":"id pr"}`, refused, refused, nil, "the same"},
		{"more behind the end", `{}{}`, refused, refused, nil, "one body, one request"},
		{"invalid UTF-8", "{\"filter\":\"\xff\"}", refused, refused, nil, "RFC 8259, Section 8.1"},
		{"nothing", ``, refused, refused, nil, "a search has a body"},
	} {
		for _, strict := range []bool{false, true} {
			var used []string
			h := testhost.Handler(t, func(c *scim.Config) {
				c.Strict = strict
				c.OnEvent = func(_ context.Context, e scim.Event) {
					if e.Kind == scim.ToleranceUsed {
						used = append(used, string(e.Tolerance))
					}
				}
			})
			testhost.Create(t, h, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a","title":"x","active":true}`)
			res := testhost.Do(t, h, "POST", "/Users/.search", tt.body)
			body := testhost.Decode(t, res)
			got := want{status: res.StatusCode}
			got.scimType, _ = body["scimType"].(string)
			list, _ := body["Resources"].([]any)
			for _, r := range list {
				for name := range r.(map[string]any) {
					if name != "schemas" && name != "id" {
						got.names = append(got.names, name)
					}
				}
			}
			slices.Sort(got.names)
			expected, tolerances := tt.want, tt.tolerances
			if strict {
				expected, tolerances = tt.strict, nil
			}
			if diff := cmp.Diff(expected, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("%s, strict %t: %s (-want +got):\n%s", tt.name, strict, tt.reason, diff)
			}
			if diff := cmp.Diff(tolerances, used); diff != "" {
				t.Errorf("%s, strict %t: tolerances (-want +got):\n%s", tt.name, strict, diff)
			}
		}
	}
}
