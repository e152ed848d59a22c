package bulk_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/scimkit/scim/internal/bulk"
)

func TestOrder(t *testing.T) {
	for _, tt := range []struct {
		name, reason string
		ops          []string
		want         string // the places in the request; a unit of several in parentheses
	}{
		{"nothing refers", "operations run as they were sent",
			[]string{user("a"), send("DELETE", "/Users/1", ""), user("b")}, "0 1 2"},
		{"backwards", "what is referred to has run already",
			[]string{user("a"), group("g", "a"), user("b")}, "0 1 2"},
		{"forwards", "an operation waits for what it refers to, and runs right behind it",
			[]string{group("g", "a"), user("a"), user("b")}, "1 0 2"},
		{"chain forwards", "each waits for the next one",
			[]string{group("a", "b"), group("b", "c"), group("c", "d"), user("d"), user("e")}, "3 2 1 0 4"},
		{"two that wait for one", "they keep their order",
			[]string{group("g", "a"), group("h", "a"), user("a")}, "2 0 1"},
		{"one that waits for two", "it runs behind the last of them",
			[]string{group("g", "a", "b"), user("a"), user("b"), user("c")}, "1 2 0 3"},
		{"nobody overtakes", "an operation that waits keeps its place behind those that were sent before it",
			[]string{send("PATCH", "/Groups/1", `[{"op":"add","path":"members","value":[{"value":"bulkId:a"}]}]`), send("DELETE", "/Users/1", ""), user("a")}, "1 2 0"},
		{"reference in the path", "it counts as one in the data",
			[]string{send("DELETE", "/Users/bulkId:a", ""), user("a")}, "1 0"},
		{"unknown bulkId", "there is nothing to wait for",
			[]string{group("g", "nobody"), user("a")}, "0 1"},
		{"oneself", "the smallest circle is a unit of one",
			[]string{group("g", "g"), user("a")}, "0 1"},
		{"circle of two", "it runs in the place of its last operation",
			[]string{group("g", "h"), user("a"), group("h", "g")}, "1 (0 2)"},
		{"circle of three", "each refers to the next one",
			[]string{group("a", "b"), group("b", "c"), group("c", "a")}, "(0 1 2)"},
		{"two circles", "one refers to the other, so it waits",
			[]string{group("a", "b", "c"), group("b", "a"), group("c", "d"), group("d", "c")}, "(2 3) (0 1)"},
		{"around a circle", "those that refer to a circle wait for it, and it waits for those that it refers to",
			[]string{group("all", "a"), group("a", "b", "u"), group("b", "a"), user("u")}, "3 (1 2) 0"},
		{"an operation that cannot run", "its references do not count, but it has its place",
			[]string{post("g", "/Nope", `{"members":[{"value":"bulkId:a"}]}`), user("a")}, "0 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := parse(t, options(t), job(tt.ops...))
			if got := orderOf(j); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.reason, got, tt.want)
			}
			if err := wrongOrder(j); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNeedsItself(t *testing.T) {
	j := parse(t, options(t), job(group("a", "a"), group("b", "c"), group("c", "b"), user("d")))
	var got []bool
	for _, p := range j.Parts {
		got = append(got, p.NeedsItself())
	}
	if want := "[true false false false]"; fmt.Sprint(got) != want {
		t.Errorf("a refers to itself, b and c to each other, d to nobody: got %v, want %s", got, want)
	}
}

// orderOf is Order as text.
func orderOf(j *bulk.Job) string {
	var units []string
	for _, unit := range j.Order() {
		var at []string
		for _, p := range unit {
			at = append(at, fmt.Sprint(p.At))
		}
		s := strings.Join(at, " ")
		if len(unit) > 1 {
			s = "(" + s + ")"
		}
		units = append(units, s)
	}
	return strings.Join(units, " ")
}

// wrongOrder checks what holds of every order: each operation runs once, and what it
// needs runs before it or in the same unit.
func wrongOrder(j *bulk.Job) error {
	unitOf := map[*bulk.Part]int{}
	for u, unit := range j.Order() {
		for i, p := range unit {
			if _, twice := unitOf[p]; twice {
				return fmt.Errorf("operation %d runs twice", p.At)
			}
			if i > 0 && unit[i-1].At >= p.At {
				return fmt.Errorf("unit %d is not in the order of the request", u)
			}
			unitOf[p] = u
		}
	}
	for i, p := range j.Parts {
		u, runs := unitOf[p]
		if p.At != i || !runs {
			return fmt.Errorf("operation %d has the place %d and runs: %t", i, p.At, runs)
		}
		for _, q := range p.Needs() {
			if n, runs := unitOf[q]; !runs || n > u {
				return fmt.Errorf("operation %d of unit %d needs operation %d of unit %d", p.At, u, q.At, n)
			}
		}
	}
	if len(unitOf) != len(j.Parts) {
		return fmt.Errorf("%d operations run, the request has %d", len(unitOf), len(j.Parts))
	}
	return nil
}

// TestOrderOfRandomReferences compares the units with the definition of a circle: two
// operations are in one unit exactly if each leads to the other.
func TestOrderOfRandomReferences(t *testing.T) {
	o := options(t)
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 2000 {
		n := 1 + random.IntN(7)
		leads := make([][]bool, n)
		ops := make([]string, n)
		for i := range ops {
			leads[i] = make([]bool, n)
			var members []string
			for k := range n {
				if random.IntN(4) == 0 {
					leads[i][k] = true
					members = append(members, fmt.Sprint(k))
				}
			}
			ops[i] = group(fmt.Sprint(i), members...)
		}
		for via := range n {
			for i := range n {
				for k := range n {
					leads[i][k] = leads[i][k] || leads[i][via] && leads[via][k]
				}
			}
		}
		j := parse(t, o, job(ops...))
		if err := wrongOrder(j); err != nil {
			t.Fatalf("round %d: %v: %s", round, err, ops)
		}
		unitOf := make([]int, n)
		for u, unit := range j.Order() {
			for _, p := range unit {
				unitOf[p.At] = u
			}
		}
		for i := range n {
			for k := range i {
				if circle := leads[i][k] && leads[k][i]; circle != (unitOf[i] == unitOf[k]) {
					t.Fatalf("round %d: %d and %d are a circle: %t, but the units are %v: %s", round, k, i, circle, unitOf, ops)
				}
			}
		}
	}
}
