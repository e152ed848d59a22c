package doc_test

import (
	"strings"
	"testing"

	"github.com/scimkit/scim/internal/doc"
)

// TestSize compares the size of values with their JSON.
func TestSize(t *testing.T) {
	typ := users(t)
	empty := len(doc.Append(nil, &doc.Document{Type: typ}, doc.Encode{Stored: true}))
	for _, tt := range []struct {
		name, text string
		more       int
		reason     string
	}{
		{"nothing", `{}`, 0, ""},
		{"a string", `{"userName":"ann"}`, 0, ""},
		{"escapes", `{"title":"a\"b\\c\nd\u0001e\u00e9/<"}`, 0, ""},
		{"a part", `{"name":{"givenName":"Ann","familyName":"B"}}`, 1, "a comma in the object"},
		{"a list", `{"emails":[{"value":"a","primary":true},{"value":"b","type":"work"}]}`, 3, "a comma in each object, and in the list"},
		{"a binary value", `{"x509Certificates":[{"value":"MIIB"}]}`, 2, "a comma in the object, and in the list"},
		{"a boolean", `{"userName":"ann","active":true}`, -len(`"active":true,`), "a deactivation changes no size"},
		{"a boolean that is false", `{"userName":"ann","active":false}`, -len(`"active":false,`), "a deactivation changes no size"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			values := decoded(t, typ, tt.text, doc.Options{})
			want := len(doc.Append(nil, &doc.Document{Type: typ, Values: values}, doc.Encode{Stored: true})) - empty + tt.more
			if got := doc.SizeOf(typ, values); got != want {
				t.Errorf("%d bytes, want %d: %s", got, want, tt.reason)
			}
		})
	}
}

func TestCheckLimits(t *testing.T) {
	typ := users(t)
	limits := doc.Limits{Text: 20, Name: 5, Values: 2, Size: 200}
	long := strings.Repeat("x", 21)
	for _, tt := range []struct{ name, reason, before, after, err string }{
		{"within", "", `{}`, `{"userName":"annie","emails":[{"value":"a"},{"value":"b"}],"title":"` + long[1:] + `"}`, ""},
		{"text", "", `{}`, `{"title":"` + long + `"}`, "title: has 21 bytes; at most 20 are allowed"},
		{"text in an element", "", `{}`, `{"emails":[{"value":"` + long + `"}]}`, "emails.value: has 21 bytes; at most 20 are allowed"},
		{"name", "", `{}`, `{"displayName":"annika"}`, "displayName: has 6 bytes; at most 5 are allowed"},
		{"unchanged", "it is not judged", `{"title":"` + long + `"}`, `{"title":"` + long + `"}`, ""},
		{"moved to another element", "it is there already", `{"emails":[{"value":"` + long + `"},{"value":"b"}]}`, `{"emails":[{"value":"a"},{"value":"` + long + `"}]}`, ""},
		{"longer", "", `{"title":"` + long + `"}`, `{"title":"` + long + `x"}`, "title: has 22 bytes; at most 20 are allowed"},
		{"shorter", "", `{"title":"` + long + `xx"}`, `{"title":"` + long + `x"}`, ""},
		{"in another attribute", "", `{"title":"` + long + `"}`, `{"nickName":"` + long + `"}`, "nickName: has 21 bytes; at most 20 are allowed"},
		{"values", "", `{}`, `{"emails":[{"value":"a"},{"value":"b"},{"value":"c"}]}`, "emails: has 3 values; at most 2 are allowed"},
		{"values that were there", "", `{"emails":[{"value":"a"},{"value":"b"},{"value":"c"}]}`, `{"emails":[{"value":"a"},{"value":"b"},{"value":"d"}]}`, ""},
		{"parts are no values", "an element with four parts", `{"emails":[{"value":"a","display":"b","type":"work","primary":true}]}`, `{"emails":[{"value":"a"},{"value":"b"},{"value":"c"}]}`, "emails: has 3 values; at most 2 are allowed"},
		{"size", "", `{}`, fullOf(15), "name: is too large; the whole resource has "},
		{"size as before", "", fullOf(15), fullOf(15), ""},
		{"smaller than before", "", fullOf(20), fullOf(18), ""},
		{"larger than before", "", fullOf(18), fullOf(20), "name: is too large; the whole resource has "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := doc.CheckLimits(limits, typ, decoded(t, typ, tt.before, doc.Options{}), decoded(t, typ, tt.after, doc.Options{}))
			got := ""
			if err != nil {
				got = strings.TrimPrefix(err.Error(), "Request Entity Too Large: ")
			}
			if !strings.HasPrefix(got, tt.err) || (got == "") != (tt.err == "") {
				t.Errorf("%q, want %q: %s", got, tt.err, tt.reason)
			}
		})
	}
}

// fullOf is a user whose name has parts of n bytes.
func fullOf(n int) string {
	text := strings.Repeat("x", n)
	return `{"title":"t","name":{"formatted":"` + text + `","familyName":"` + text + `","givenName":"` + text + `","middleName":"` + text +
		`","honorificPrefix":"` + text + `","honorificSuffix":"` + text + `"}}`
}
