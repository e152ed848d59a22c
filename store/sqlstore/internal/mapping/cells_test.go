package mapping

import (
	"encoding/json"
	"math"
	"testing"
)

// Cells are written as encoding/json has always written them, because they are compared byte by byte.
func TestEncode(t *testing.T) {
	for _, v := range []any{nil, "", "ann", `a"<b`, "ä", int64(0), int64(math.MinInt64), true, 1.5, []any(nil), []any{}, []any{"x", nil, int64(1)}} {
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if got := Encode(v); string(got) != string(want) {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

// What was seen of a row is written in one order. Of two columns with one key the last one counts.
func TestSeen(t *testing.T) {
	m := &Mapping{
		Columns: []BoundColumn{{seenKey: "z"}, {seenKey: `b"<`}, {seenKey: "a"}, {seenKey: "z"}},
		Children: []BoundChild{
			{Child: Child{Name: "mails", Path: "emails"}},
			{Child: Child{Name: "phones", Path: "phoneNumbers"}},
		},
	}
	m.parts = seenParts(m)
	row := &Row{Cells: []any{"first", int64(7), nil, "ä<"}, Children: [][]any{{"x", nil}, nil}}
	const want = `{"a":null,"b\"\u003c":7,"mails emails":["x",null],"phones phoneNumbers":null,"z":"ä\u003c"}`
	if got := string(AppendSeen(nil, m, row)); got != want {
		t.Errorf("AppendSeen: %s, want %s", got, want)
	}
	if got, err := json.Marshal(See(m, row)); err != nil || string(got) != want {
		t.Errorf("See: %s, want %s; error %v", got, want, err)
	}
}
