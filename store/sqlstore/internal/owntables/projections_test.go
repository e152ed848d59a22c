package owntables

import (
	"encoding/json"
	"testing"
)

// What was seen is written as encoding/json has always written it.
func TestEncodeSeen(t *testing.T) {
	for _, seen := range []map[string]json.RawMessage{
		nil,
		{},
		{"email userName ": json.RawMessage(`"ann"`)},
		{"b": json.RawMessage(`[1,"x"]`), "a": json.RawMessage("null"), `q"<`: nil, "c": json.RawMessage(`"\u003c"`)},
	} {
		want, err := json.Marshal(seen)
		if err != nil {
			t.Fatal(err)
		}
		if got := encodeSeen(seen); got != string(want) {
			t.Errorf("%v: %s, want %s", seen, got, want)
		}
	}
}
