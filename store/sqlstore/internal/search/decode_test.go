package search

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// A document is read as a decoder of any JSON reads it, whether it is plain or not.
func TestDecode(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"a":"x","b":true,"c":false,"d":null,"e":[],"f":{}}`,
		`{"n":[1,-2.5e+7,9223372036854775807]}`,
		`{"list":[{"value":"x","primary":true},{"value":"y"},"z"],"id":"7","meta":{"id":1}}`,
		`{"a":{"id":"kept","meta":{}}}`,
		`{"a":"x","a":"y"}`,
		`{"ä":"日本","b":"<&>"}`,
		`{"quote":"a\"b","back":"\\","line":"\n","code":"\u00e4"}`,
		`{"a\"b":"x"}`,
		"{ \"spaces\" : [ 1 , 2 ] }", `{"deep":{"more":{"and":["x",{"y":"z\\"}]}}}`,
	} {
		want, err := decodeAny(jsontext.NewDecoder(strings.NewReader(text), jsontext.AllowDuplicateNames(true)), "id", "meta")
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(text, "id", "meta")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, any(got), cmp.AllowUnexported(member{})); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	for _, text := range []string{``, `{`, `{"a"`, `{"a":`, `{"a":x}`, `{"a":[1}`, `{"a":"x"`, `{"a":"\`, `{"a":"\"}`, `{"a":"\x"}`} {
		if o, err := decode(text); err == nil {
			t.Errorf("%s: %v, want an error", text, o)
		}
	}
}
