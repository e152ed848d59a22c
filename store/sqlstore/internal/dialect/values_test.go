package dialect

import (
	"encoding/json"
	"testing"
)

// What was seen of a row is compared byte by byte with what encoding/json has written.
func TestAppendText(t *testing.T) {
	all := []string{"", "ann", `a"b`, `a\b`, "<a>&", "a\x00\x1f\x7f", "ä", "\u2028", "\xff", "日本"}
	for c := range rune(0x100) {
		all = append(all, "x"+string(c)+"y")
	}
	for _, text := range all {
		want, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := AppendText([]byte("<"), text); string(got) != "<"+string(want) {
			t.Errorf("%q: %s, want %s", text, got[1:], want)
		}
	}
}
