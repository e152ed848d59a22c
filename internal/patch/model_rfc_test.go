package patch_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestModelExamples holds the naive model of TestModel, and the library beside it, to
// the examples of RFC 7644, Section 3.5.2: a model that is wrong in the same way as what
// it judges finds nothing. What comes out was worked out by hand from the RFC's words.
// The model has no groups and addresses: tags, by their value, and e-mails, by their
// type, stand for them.
func TestModelExamples(t *testing.T) {
	const (
		work = `{"value":"bjensen@example.com","type":"work","display":"Work"}`
		home = `{"value":"babs@jensen.org","type":"home"}`
		own  = `{"value":"b@own.example","type":"home"}`
	)
	tags := func(list string) string { return `{"` + deskURN + `":{"tags":[` + list + `]}}` }
	value := func(text string) any { return generic(t, text) }
	tests := []struct {
		name, reason string
		before       string
		ops          string // as the RFC writes them
		steps        []step // the same for the model
		want         string
	}{
		{"3.5.2.1 a member", "added to those that are there", tags(`"james"`),
			`{"op":"add","path":"` + deskURN + `:tags","value":["babs"]}`,
			[]step{{Op: "add", Attr: "tags", Value: value(`["babs"]`)}}, tags(`"james","babs"`)},
		{"3.5.2.1 a member again", "a value that is there already is not added again", tags(`"babs"`),
			`{"op":"add","path":"` + deskURN + `:tags","value":["babs"]}`,
			[]step{{Op: "add", Attr: "tags", Value: value(`["babs"]`)}}, tags(`"babs"`)},
		{"3.5.2.1 without a path", "each attribute of the value is added", `{"title":"Guide","nickName":"B","emails":[` + work + `]}`,
			`{"op":"add","value":{"emails":[` + home + `],"nickName":"Babs"}}`,
			[]step{{Op: "add", Attr: "emails", Value: value(`[` + home + `]`)}, {Op: "add", Attr: "nickName", Value: "Babs"}},
			`{"title":"Guide","nickName":"Babs","emails":[` + work + `,` + home + `]}`},
		{"3.5.2.2 one member", "the one that matches goes", tags(`"babs","james"`),
			`{"op":"remove","path":"` + deskURN + `:tags[value eq \"babs\"]"}`,
			[]step{{Op: "remove", Attr: "tags", Filter: "babs"}}, tags(`"james"`)},
		{"3.5.2.2 all members", "without a filter all go, and the attribute is unassigned", tags(`"babs","james"`),
			`{"op":"remove","path":"` + deskURN + `:tags"}`,
			[]step{{Op: "remove", Attr: "tags"}}, `{}`},
		{"3.5.2.2 by two conditions", "only what satisfies both goes", `{"emails":[` + work + `,` + home + `]}`,
			`{"op":"remove","path":"emails[type eq \"work\" and value ew \"example.com\"]"}`,
			[]step{{Op: "remove", Attr: "emails", Filter: "work"}}, `{"emails":[` + home + `]}`},
		{"3.5.2.2 one out and one in", "in the order of the request", tags(`"babs","james"`),
			`{"op":"remove","path":"` + deskURN + `:tags[value eq \"babs\"]"},{"op":"add","path":"` + deskURN + `:tags","value":["jim"]}`,
			[]step{{Op: "remove", Attr: "tags", Filter: "babs"}, {Op: "add", Attr: "tags", Value: value(`["jim"]`)}}, tags(`"james","jim"`)},
		{"3.5.2.2 all out and two in", "nobody of before stays", tags(`"x","babs"`),
			`{"op":"remove","path":"` + deskURN + `:tags"},{"op":"add","path":"` + deskURN + `:tags","value":["babs","james"]}`,
			[]step{{Op: "remove", Attr: "tags"}, {Op: "add", Attr: "tags", Value: value(`["babs","james"]`)}}, tags(`"babs","james"`)},
		{"3.5.2.3 all members", "the list is what is given", tags(`"x","babs"`),
			`{"op":"replace","path":"` + deskURN + `:tags","value":["babs","james"]}`,
			[]step{{Op: "replace", Attr: "tags", Value: value(`["babs","james"]`)}}, tags(`"babs","james"`)},
		{"3.5.2.3 the work address", "the value that matches becomes what is given, the others stay", `{"emails":[` + work + `,` + home + `]}`,
			`{"op":"replace","path":"emails[type eq \"work\"]","value":{"type":"work","value":"new@example.com","display":"New"}}`,
			[]step{{Op: "replace", Attr: "emails", Filter: "work", Value: value(`{"type":"work","value":"new@example.com","display":"New"}`)}},
			`{"emails":[{"type":"work","value":"new@example.com","display":"New"},` + home + `]}`},
		{"3.5.2.3 its street", "one sub-attribute of the value that matches", `{"emails":[` + work + `,` + home + `]}`,
			`{"op":"replace","path":"emails[type eq \"work\"].value","value":"new@example.com"}`,
			[]step{{Op: "replace", Attr: "emails", Filter: "work", Sub: "value", Value: "new@example.com"}},
			`{"emails":[{"value":"new@example.com","type":"work","display":"Work"},` + home + `]}`},
		{"3.5.2.3 without a path", "each attribute of the value is replaced, a list as a whole; the others stay", `{"title":"Guide","emails":[` + own + `]}`,
			`{"op":"replace","value":{"emails":[{"value":"bjensen@example.com","type":"work","primary":true},` + home + `],"nickName":"Babs"}}`,
			[]step{
				{Op: "replace", Attr: "emails", Value: value(`[{"value":"bjensen@example.com","type":"work","primary":true},` + home + `]`)},
				{Op: "replace", Attr: "nickName", Value: "Babs"}},
			`{"title":"Guide","nickName":"Babs","emails":[{"value":"bjensen@example.com","type":"work","primary":true},` + home + `]}`},
		{"3.5.2.3 a complex attribute", "sub-attributes that are not given stay", `{"name":{"givenName":"B","familyName":"Jensen"}}`,
			`{"op":"replace","path":"name","value":{"givenName":"Barbara"}}`,
			[]step{{Op: "replace", Attr: "name", Value: value(`{"givenName":"Barbara"}`)}}, `{"name":{"givenName":"Barbara","familyName":"Jensen"}}`},
		{"3.5.2 primary", "a new primary value is the only one", `{"emails":[{"value":"a","primary":true}]}`,
			`{"op":"add","path":"emails","value":[{"value":"b","primary":true}]}`,
			[]step{{Op: "add", Attr: "emails", Value: value(`[{"value":"b","primary":true}]`)}}, `{"emails":[{"value":"a"},{"value":"b","primary":true}]}`},
	}
	typ := user(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := object{}
			if err := json.Unmarshal([]byte(test.before), &m); err != nil {
				t.Fatal(err)
			}
			if desk, ok := m[deskURN].(object); ok { // the model keeps extensions' attributes beside the others
				delete(m, deskURN)
				m["tags"] = desk["tags"]
			}
			for _, s := range test.steps {
				s.apply(m)
			}
			want := generic(t, test.want)
			if diff := cmp.Diff(want, nested(t, m)); diff != "" {
				t.Errorf("the model, %s (-want +got):\n%s", test.reason, diff)
			}
			got, err := run(typ, stored(t, typ, test.before), message(test.ops), strict())
			if err != nil {
				t.Fatalf("%s: %v", test.reason, err)
			}
			if diff := cmp.Diff(want, plain(t, got)); diff != "" {
				t.Errorf("the library, %s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}
