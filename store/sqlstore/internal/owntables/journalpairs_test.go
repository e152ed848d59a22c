package owntables

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim/journal"
)

// Parts have the pairs of which they were made, whatever the ids are.
func TestParts(t *testing.T) {
	ids := []string{"", "7", "00000001-0000-7000-8000-000000000004", "00000001-0000-7000-8000-00000000000A", "00000001-0000-7000-8000-0000000000-4", "ähnlich", "x\x00y"}
	for n := range 300 {
		ids = append(ids, fmt.Sprintf("%08x-0000-7000-8000-000000000004", n*1_000_003))
	}
	var all []pair
	for i, id := range ids {
		all = append(all, pairsOf(id, []journal.Term{{1}, {byte(i), 255, 0, 0, 0, 0, 0, 9, 9}, {0, 0, 0, 0, 0, 0, 0, 1}})...)
	}
	slices.Sort(all)
	parts := partsOf(all)
	if len(parts) < 10 {
		t.Errorf("%d pairs are in %d parts", len(all), len(parts))
	}
	var got []pair
	for i, p := range parts {
		if got = read(t, got, p.pairs); p.begins != all[len(got)-len(read(t, nil, p.pairs))] {
			t.Errorf("part %d begins at %q", i, p.begins)
		}
		if size := len(p.pairs); size > partSize+64 {
			t.Errorf("part %d has %d bytes", i, size)
		}
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
	n := 0
	for _, p := range parts {
		some, err := readPairs(nil, p.pairs, &journal.Term{1})
		if err != nil {
			t.Fatal(err)
		}
		for n += len(some); len(some) > 0; some = some[1:] {
			if prefixOf(journal.Term{1}) != some[0][:2*pairTerm] {
				t.Errorf("%q is a pair of another term", some[0])
			}
		}
	}
	if n != len(ids) {
		t.Errorf("%d pairs of a term, want %d", n, len(ids))
	}
}

func read(t *testing.T, all []pair, b []byte) []pair {
	t.Helper()
	all, err := readPairs(all, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A part that was cut, or changed, is an error: no entry is taken for another one.
func TestDamagedParts(t *testing.T) {
	whole := partsOf([]pair{pairsOf("00000001-0000-7000-8000-000000000004", []journal.Term{{1}})[0], pairsOf("other", []journal.Term{{2}})[0]})[0].pairs
	for n := 1; n < len(whole); n++ {
		if n == pairTerm+1+16 {
			continue // the end of the first pair
		}
		if got, err := readPairs(nil, whole[:n], nil); err == nil {
			t.Errorf("the first %d bytes: %q", n, got)
		}
	}
	for _, b := range [][]byte{{1, 2, 3, 4, 5, 6, 7, 8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 128}} {
		if got, err := readPairs(nil, b, nil); err == nil {
			t.Errorf("%v: %q", b, got)
		}
	}
}

// Lists of any number and length become one.
func TestMergePairs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 12 {
		var want []pair
		lists := make([][]pair, n)
		for i := range lists {
			for range r.IntN(20) {
				lists[i] = append(lists[i], fmt.Sprintf("%016x", r.IntN(1000)))
			}
			slices.Sort(lists[i])
			want = append(want, lists[i]...)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, mergePairs(lists), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%d lists (-want +got):\n%s", n, diff)
		}
	}
}

// Runs are merged as soon as a level has enough of them. Those that are large stay, and do not hold up others.
func TestMergeable(t *testing.T) {
	few := func(n int, level, bytes int64) (all []run) {
		for range n {
			all = append(all, run{level: level, bytes: bytes})
		}
		return all
	}
	const large = mostRun/mergedRuns + 1
	for _, tt := range []struct {
		why   string
		all   []run
		want  int
		level int64
	}{
		{"there is nothing", nil, 0, 0},
		{"a level has not enough", few(mergedRuns-1, 0, 100), 0, 0},
		{"a level has enough", few(mergedRuns, 0, 100), mergedRuns, 0},
		{"it has more: they wait", few(mergedRuns+3, 2, 100), mergedRuns, 2},
		{"two levels have not enough each", slices.Concat(few(mergedRuns-1, 0, 1), few(mergedRuns-1, 1, 1)), 0, 0},
		{"the runs are large", few(mergedRuns, 1, large), 0, 0},
		{"behind large runs others are small", slices.Concat(few(mergedRuns, 1, large), few(mergedRuns, 1, 1)), mergedRuns, 1},
	} {
		got := mergeable(tt.all)
		if len(got) != tt.want || tt.want > 0 && got[0].level != tt.level {
			t.Errorf("%s: %d runs %v", tt.why, len(got), got)
		}
		for _, r := range got {
			if r.bytes >= large {
				t.Errorf("%s: a large run is merged", tt.why)
			}
		}
	}
}
