package jsonwalk_test

import (
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/jsonwalk"
)

func TestFields(t *testing.T) {
	for _, tt := range []struct {
		raw    string
		want   []string
		reason string
	}{
		{`{}`, nil, "an empty object has no fields"},
		{` { "a" : 1 , "b":[1, 2],"c":{"d":null} } `, []string{"a 1", "b [1, 2]", `c {"d":null}`}, "a value stays as it was written, without the space around it"},
		{`{"\u0061\"":"\u0062"}`, []string{`a" "\u0062"`}, "a name is unquoted, a value is not"},
		{`{"a":1,"a":2}`, []string{"a 1", "a 2"}, "duplicate names were looked for before"},
		{`[1]`, nil, "an array has no fields"},
		{`"a"`, nil, "a string has no fields"},
		{``, nil, "no value has no fields"},
		{`{"a":1,"b":}`, []string{"a 1"}, "malformed text ends the walk"},
		{`{"a":1`, []string{"a 1"}, "text that ends too early ends the walk"},
	} {
		var got []string
		for name, v := range jsonwalk.Fields(jsontext.Value(tt.raw)) {
			got = append(got, name+" "+string(v))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", tt.raw, tt.reason, diff)
		}
	}
}

func TestElements(t *testing.T) {
	for _, tt := range []struct {
		raw    string
		want   []string
		reason string
	}{
		{`[]`, nil, "an empty array has no elements"},
		{` [ 1 , "a",[2, 3],{"b":4} ] `, []string{"1", `"a"`, "[2, 3]", `{"b":4}`}, "an element stays as it was written, without the space around it"},
		{`{"a":1}`, nil, "an object has no elements"},
		{``, nil, "no value has no elements"},
		{`[1,]`, []string{"1"}, "malformed text ends the walk"},
		{`[1`, []string{"1"}, "text that ends too early ends the walk"},
	} {
		var got []string
		for v := range jsonwalk.Elements(jsontext.Value(tt.raw)) {
			got = append(got, string(v))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", tt.raw, tt.reason, diff)
		}
	}
}

func TestWalkStopsWithTheLoop(t *testing.T) {
	n := 0
	for range jsonwalk.Elements(jsontext.Value(`[1,2,3]`)) {
		n++
		break
	}
	for range jsonwalk.Fields(jsontext.Value(`{"a":1,"b":2}`)) {
		n++
		break
	}
	if n != 2 {
		t.Errorf("two loops that end at once had %d rounds", n)
	}
}

// A caller may append to a value: the input stays as it is.
func TestValuesEndWhereTheyEnd(t *testing.T) {
	raw := jsontext.Value(`{"a":[1,2],"b":3}`)
	for _, v := range jsonwalk.Fields(raw) {
		for e := range jsonwalk.Elements(v) {
			_ = append(e, "xxx"...)
		}
		_ = append(v, "xxx"...)
	}
	if want := `{"a":[1,2],"b":3}`; string(raw) != want {
		t.Errorf("the input became %s", raw)
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		raw, want string
		ok        bool
	}{
		{`"a\nb"`, "a\nb", true},
		{`""`, "", true},
		{`null`, "", false},
		{`5`, "", false},
		{`["a"]`, "", false},
		{``, "", false},
	} {
		if got, ok := jsonwalk.Text(jsontext.Value(tt.raw)); got != tt.want || ok != tt.ok {
			t.Errorf("Text(%s) = %q, %t; want %q, %t", tt.raw, got, ok, tt.want, tt.ok)
		}
	}
}

func TestQuote(t *testing.T) {
	for _, s := range []string{"", "plain", "a\"b\\c\n\x00", "ü€😀", "</script>"} {
		got, ok := jsonwalk.Text(jsonwalk.Quote(s))
		if !ok || got != s {
			t.Errorf("Text(Quote(%q)) = %q, %t", s, got, ok)
		}
	}
}

func ExampleFields() {
	for name, v := range jsonwalk.Fields(jsontext.Value(`{"op":"add","value":[1,2]}`)) {
		fmt.Println(name, v)
	}
	// Output:
	// op "add"
	// value [1,2]
}
