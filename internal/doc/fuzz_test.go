package doc_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/tolerance"
)

// FuzzDecode checks that no text makes Decode panic. Append must write an accepted body as
// valid JSON, which Decode reads back as the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(fullUser), true, false)
	for _, s := range []string{
		`{"text":"\u00e9\"","list":"a","count":1e2,"rate":"-0.50","when":"2026-01-31T12:00:00","blob":"_-8","box":"v","parts":[{"value":"1"},"2",null,{}]}`,
		`{"x":{"a":[1,2]},"X":1,"box.value":"v","` + probeURN + `:text":"t","` + probeURN + `Extension":{"kept":"k"}}`,
		`{"secret":"s","given":"g","onRequest":["r"],"box":{"secret":"s"},"schemas":["a"],"id":7,"meta":[]}`,
		`{"roles":[{"value":"{\"value\":\"a\",\"displayName\":\"b\"}"}],"password":"p"}`,
		`{"list":["","a",""]}`, `{"a":`, `[]`, `{} {}`, strings.Repeat(`{"`+probeURN+`":`, 50),
	} {
		f.Add([]byte(s), false, false)
		f.Add([]byte(s), true, true)
	}
	user, probe := users(f), probes(f)
	f.Fuzz(func(t *testing.T, body []byte, person, keep bool) {
		typ := probe
		if person {
			typ = user
		}
		b, err := doc.Decode(typ, body, doc.Options{KeepUnknown: keep})
		if _, strictErr := doc.Decode(typ, body, doc.Options{KeepUnknown: keep, Tol: &tolerance.Use{Strict: true}}); strictErr == nil && err != nil {
			t.Fatalf("strict accepts what tolerant refuses: %v", err)
		}
		if err != nil {
			if refusal(t, err); len(err.Error()) > 500 {
				t.Fatalf("error of %d bytes", len(err.Error()))
			}
			return
		}
		d := &doc.Document{Type: typ, ID: "7", Version: "1", Created: time.Unix(1, 0), Values: b.Values}
		stored := doc.Append(nil, d, doc.Encode{Stored: true})
		if !jsontext.Value(stored).IsValid() {
			t.Fatalf("not JSON: %s", stored)
		}
		back, err := doc.Decode(typ, stored, doc.Options{Stored: true, KeepUnknown: keep})
		if err != nil {
			t.Fatalf("%v in %s", err, stored)
		}
		if !doc.EqualFields(b.Values, back.Values) {
			t.Fatalf("%q is read back as %q from %s", show(b.Values), show(back.Values), stored)
		}
		for _, s := range []*doc.Selection{nil, doc.Select(typ, []string{"box.value", "emails", "x"}, nil), doc.Select(typ, nil, []string{"parts.value", "name", "x"})} {
			if out := doc.Append(nil, d, doc.Encode{Select: s, Location: "l"}); !jsontext.Value(out).IsValid() {
				t.Fatalf("not JSON: %s", out)
			}
		}
		for _, v := range b.Values {
			again, err := doc.FromAny(v.Attr, v.Any())
			if err != nil || !reflect.DeepEqual(again.Any(), v.Any()) {
				t.Fatalf("FromAny(Any()) of %q is %q, error %v", show([]doc.Value{v}), show([]doc.Value{again}), err)
			}
		}
	})
}

// FuzzDecodeValue checks single attributes of every kind.
func FuzzDecodeValue(f *testing.F) {
	probe := probes(f)
	for i := range probe.Root.Sub {
		for _, s := range []string{`"a"`, `5`, `["x"]`, `{"value":"v"}`, `null`, `true`, `"2026-01-31T12:00:00Z"`} {
			f.Add(uint(i), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, i uint, raw []byte) {
		a := probe.Root.Sub[i%uint(len(probe.Root.Sub))]
		v, err := doc.DecodeValue(a, raw, doc.Options{Stored: true})
		if err != nil {
			refusal(t, err)
			return
		}
		if v.Attr != nil && v.Absent() {
			t.Fatalf("%s gives an absent value that is not the zero Value", raw)
		}
		if !json.Valid(raw) {
			t.Fatalf("accepted %q", raw)
		}
	})
}
