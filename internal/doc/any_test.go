package doc_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/doc"
)

func TestAny(t *testing.T) {
	probe := probes(t)
	body := `{"text":"t","list":["a","b"],"flag":"TRUE","count":"1e2","rate":0.5,"when":"2026-01-31T12:00:00Z","blob":"AA==","box":"v","parts":[{"VALUE":"p"},{"value":"q","display":"Q"}],"extra":{"a": 1}}`
	values := decoded(t, probe, body, doc.Options{KeepUnknown: true})
	got := map[string]any{}
	for _, v := range values {
		got[v.Attr.Name] = v.Any()
	}
	want := map[string]any{
		"text": "t", "list": []any{"a", "b"}, "flag": true, "count": int64(100), "rate": 0.5,
		"when": "2026-01-31T12:00:00Z", "blob": "AA==", "box": map[string]any{"value": "v"},
		"parts": []any{map[string]any{"value": "p"}, map[string]any{"value": "q", "display": "Q"}},
		"extra": json.RawMessage(`{"a":1}`),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	parts := doc.Get(values, probe.Find("parts"))
	if diff := cmp.Diff(any(map[string]any{"value": "p"}), parts.Kids()[0].Any()); diff != "" {
		t.Errorf("an element reads as if single (-want +got):\n%s", diff)
	}
	if got := (doc.Value{}).Any(); got != nil {
		t.Errorf("the zero Value is %v", got)
	}
	for _, v := range values {
		back, err := doc.FromAny(v.Attr, v.Any())
		if err != nil {
			t.Errorf("%s: %v", v.Attr.Path, err)
			continue
		}
		if diff := cmp.Diff(v.Any(), back.Any()); diff != "" {
			t.Errorf("there and back (-want +got):\n%s", diff)
		}
	}
}

// What no schema has is kept as it was sent, also by an application that passes on what it
// read: with "&" as \u0026 a client would read back something else than it wrote.
func TestFromAnyKeepsUnknownText(t *testing.T) {
	probe := probes(t)
	for _, sent := range []string{`{"a":"<&>"}`, `["\u0026","&000000000000000"]`, `"=[{&"`, "\"\u2028\""} {
		for _, v := range decoded(t, probe, `{"extra":`+sent+`}`, doc.Options{KeepUnknown: true}) {
			back, err := doc.FromAny(v.Attr, v.Any())
			if err != nil || back.Text != sent {
				t.Errorf("%s is %s, error %v", sent, back.Text, err)
			}
		}
	}
}

func TestFromAny(t *testing.T) {
	probe := probes(t)
	type named int32
	tests := []struct {
		name, path string
		x          any
		want       []string
		err        string
	}{
		{"string", "text", "t", []string{"text=t"}, ""},
		{"empty string", "text", "", []string{"text="}, ""},
		{"nil", "text", nil, nil, ""},
		{"int for a string", "text", 5, nil, "invalidValue: text: needs a string, got a Go value of type int"},
		{"list for a single value", "text", []string{"a"}, nil, "invalidValue: text: needs a string, got a Go value of type []string"},
		{"invalid UTF-8", "text", "\xff", nil, "invalidValue: text: needs valid UTF-8"},
		{"U+0000", "text", "\x00", nil, "invalidValue: text: must not contain U+0000"},
		{"bool", "flag", true, []string{"flag=true"}, ""},
		{"a string is no bool", "flag", "true", nil, "invalidValue: flag: needs true or false, got a Go value of type string"},
		{"int", "count", 5, []string{"count=5"}, ""},
		{"named int", "count", named(-5), []string{"count=-5"}, ""},
		{"uint64", "count", uint64(math.MaxUint64), nil, "invalidValue: count: needs a whole number, got a Go value of type uint64"},
		{"whole float", "count", 1e6, []string{"count=1000000"}, ""},
		{"float", "count", 1.5, nil, "invalidValue: count: needs a whole number, got a Go value of type float64"},
		{"json.Number", "count", json.Number("12"), []string{"count=12"}, ""},
		{"bad json.Number", "count", json.Number("1,2"), nil, "invalidValue: count: needs a whole number, got a Go value of type json.Number"},
		{"decimal", "rate", float32(0.1), []string{"rate=0.1"}, ""},
		{"NaN", "rate", math.NaN(), nil, "invalidValue: rate: needs a number, got a Go value of type float64"},
		{"time", "when", time.Date(2026, 1, 31, 14, 0, 0, 5e8, time.FixedZone("", 7200)), []string{"when=2026-01-31T12:00:00.5Z"}, ""},
		{"time as a string", "when", "2026-01-31T14:00:00+02:00", []string{"when=2026-01-31T14:00:00+02:00"}, ""},
		{"no time", "when", "tomorrow", nil, `invalidValue: when: needs a date and time such as "2026-01-31T12:00:00Z", got a Go value of type string`},
		{"bytes", "blob", []byte{0xff, 0xfe}, []string{"blob=//4="}, ""},
		{"reference", "link", "../x", []string{"link=../x"}, ""},
		{"strings", "list", []string{"a", "b"}, []string{"list[0]=a", "list[1]=b"}, ""},
		{"one for a list", "list", "a", []string{"list[0]=a"}, ""},
		{"empty strings", "list", []string{"", "a", ""}, []string{"list[0]=", "list[1]=a", "list[2]="}, ""},
		{"empty list", "list", []any{}, nil, ""},
		{"list of nil", "list", []any{nil}, nil, ""},
		{"map", "box", map[string]any{"VALUE": "v", "given": "readOnly too"}, []string{"box.value=v", "box.given=readOnly too"}, ""},
		{"empty map", "box", map[string]any{"value": nil}, nil, ""},
		{"maps", "parts", []map[string]any{{"value": "p"}, {"value": "q"}}, []string{"parts[0].value=p", "parts[1].value=q"}, ""},
		{"unknown name", "box", map[string]any{"shoe": 1}, nil, `invalidValue: box: has no attribute "shoe"`},
		{"no map", "box", "v", nil, "invalidValue: box: needs an object, got a Go value of type string"},
		{"secret", "secret", 5, nil, "invalidValue: secret: needs a string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := doc.FromAny(probe.Find(tt.path), tt.x)
			if diff := cmp.Diff(tt.err, refusal(t, err)); diff != "" {
				t.Fatalf("-want +got:\n%s", diff)
			}
			var got []string
			if v.Attr != nil {
				got = show([]doc.Value{v})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	t.Run("same name twice", func(t *testing.T) {
		_, err := doc.FromAny(probe.Find("box"), map[string]any{"value": "a", "Value": "b"})
		if got := refusal(t, err); !strings.Contains(got, "box.value: is given twice") {
			t.Errorf("got %q", got)
		}
	})
}

func TestParseTime(t *testing.T) {
	tests := []struct {
		text, want string
	}{
		{"2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"},
		{"2026-01-31T12:00:00.25+02:00", "2026-01-31T10:00:00.25Z"},
		{"2026-01-31T12:00:00", "2026-01-31T12:00:00Z"},
		{"2026-01-31T12:00:00,5Z", ""},
		{"2026-01-31 12:00:00Z", ""},
		{"2026-01-31T1:00:00Z", ""},
		{"2026-01-31T12:00:00+24:00", ""},
		{"2026-01-31", ""},
		{"", ""},
	}
	for _, tt := range tests {
		got := ""
		if at, ok := doc.ParseTime(tt.text); ok {
			got = at.UTC().Format(time.RFC3339Nano)
		}
		if got != tt.want {
			t.Errorf("ParseTime(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}
