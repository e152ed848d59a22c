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
