package doc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/doc"
)

func TestElements(t *testing.T) {
	typ := groups(t)
	type element struct{ id, escaped, display, typ string }
	long := []element{{"1", "1", "Ann", "User"}, {"2", "2", "", "User"}}
	for _, tt := range []struct {
		name, reason         string
		attributes, excluded []string
		prefix               string
		list                 []element
		want                 string
	}{
		{name: "none", reason: "an empty list is a list", want: `{"members":[]}`},
		{name: "parts", reason: "schema order; an empty text is left out; the prefix stands before each address", prefix: "https://h/Users/", list: long,
			want: `{"members":[{"value":"1","$ref":"https://h/Users/1","type":"User","display":"Ann"},{"value":"2","$ref":"https://h/Users/2","type":"User"}]}`},
		{name: "escapes", reason: "prefix and texts are JSON", prefix: `https://h/"\/`, list: []element{{"\"\n", "%22%0A", `<Ä\>`, "User"}},
			want: `{"members":[{"value":"\"\n","$ref":"https://h/\"\\/%22%0A","type":"User","display":"<Ä\\>"}]}`},
		{name: "no prefix", reason: "it is optional", list: long[:1], want: `{"members":[{"value":"1","$ref":"1","type":"User","display":"Ann"}]}`},
		{name: "selected", reason: "the client asked for a part", attributes: []string{"members.value"}, prefix: "https://h/", list: long,
			want: `{"members":[{"value":"1"},{"value":"2"}]}`},
		{name: "excluded", reason: "the client does not want a part", excluded: []string{"members.$ref"}, prefix: "https://h/", list: long[:1],
			want: `{"members":[{"value":"1","type":"User","display":"Ann"}]}`},
		{name: "empty elements", reason: "an element without the parts that were asked for says nothing", attributes: []string{"members.display"}, list: []element{long[1], long[0], long[1], long[0]},
			want: `{"members":[{"display":"Ann"},{"display":"Ann"}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := doc.NewElements(typ.Members, doc.Select(typ, tt.attributes, tt.excluded), "value", "$ref", "display", "type")
			e.Prefix(1, "https://another/") // the last one counts
			e.Prefix(1, tt.prefix)
			b := e.Begin([]byte(`{"id":"g"}`))
			for _, x := range tt.list {
				b = e.Append(b, x.id, x.escaped, x.display, x.typ)
			}
			if diff := cmp.Diff(`{"id":"g",`+tt.want[1:], string(e.End(b))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}
