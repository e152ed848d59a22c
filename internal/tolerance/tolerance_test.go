package tolerance

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUse(t *testing.T) {
	if !(*Use)(nil).Allow(OpCase, "op") {
		t.Error("the nil Use refuses")
	}
	if (&Use{Strict: true}).Allow(OpCase, "op") {
		t.Error("Strict allows")
	}
	u := &Use{Off: []Name{URNKey}}
	for i, n := range []Name{OpCase, URNKey, DottedKey, OpCase} {
		if got := u.Allow(n, strings.Repeat("ü", i*100)); got != (n != URNKey) {
			t.Errorf("Allow(%s) = %t", n, got)
		}
	}
	if diff := cmp.Diff([]Name{OpCase, DottedKey}, u.Used()); diff != "" {
		t.Errorf("each that was allowed, once (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"", "", strings.Repeat("ü", 100) + "…"}, []string{u.Path(OpCase), u.Path(URNKey), u.Path(DottedKey)}); diff != "" {
		t.Errorf("the first path of each, clipped (-want +got):\n%s", diff)
	}
}

// Every constant is in All, so that it can be switched off by name.
func TestAllIsComplete(t *testing.T) {
	src, err := os.ReadFile("tolerance.go")
	if err != nil {
		t.Fatal(err)
	}
	want := map[Name]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\t\w+\s+Name = "([^"]+)"`).FindAllStringSubmatch(string(src), -1) {
		want[Name(m[1])] = true
	}
	if IsKnown("nope") {
		t.Error("IsKnown knows what is no tolerance")
	}
	got := map[Name]bool{}
	for _, n := range All() {
		if got[n] = true; !IsKnown(n) {
			t.Errorf("IsKnown does not know %s", n)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != len(All()) {
		t.Errorf("All (-want +got):\n%s", diff)
	}
}
