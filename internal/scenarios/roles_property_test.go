package scenarios

import (
	"flag"
	"os"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestRolesProperty plays random histories against the handler and against naive, a simple
// model of the rules. After each step it compares the held roles, the ledger, the links, the
// order of roles and Explain.
//
// SCIM_STEPS is how many steps it plays in each world, and a tenth of them over SQL. If the model
// differs, the test logs after how many steps it did for the first time: see .ci/mutants.
func TestRolesProperty(t *testing.T) {
	everywhere(t, func(t *testing.T, in setting) {
		steps := stepsOr(t, 2000)
		switch {
		case in.crawls:
			steps /= 100
		case in.slow:
			steps /= 10
		}
		playSteps(t, steps)
		played, found := 0, 0
		t.Cleanup(func() {
			if found > 0 {
				t.Logf("DIFFERENCE after %d steps", found)
			}
		})
		rapid.Check(t, func(t *rapid.T) {
			defer func() {
				if t.Failed() && found == 0 {
					found = max(played, 1)
				}
			}()
			h := newHistory(t, in, &played)
			var names []string
			all := map[string]func(*rapid.T){}
			for i, often := range []map[string]func(*rapid.T){{
				"give": h.give, "take": h.take, "distrust": h.distrust,
			}, {
				"put": h.put, "add": h.add, "remove": h.remove, "active": h.active, "assign": h.assign,
				"role": h.role, "confirm": h.confirm, "nest": h.nest,
				"weigh": h.weigh,
			}, {
				"push": h.push, "rename": h.rename, "unnest": h.unnest, "delete": h.delete, "leave": h.leave,
				"pause": h.pause, "nesting": h.toggleNesting, "break": h.breakNext, "attributes": h.toggleAttributes, "groups": h.toggleGroups,
				"trust": h.trust,
			}} {
				for name, step := range often {
					all[name] = step
					names = append(names, slices.Repeat([]string{name}, 3-i)...) // the first ones are the most frequent
				}
			}
			slices.Sort(names)
			step := func(t *rapid.T) {
				next := all[sample(t, "step", names)]
				if off := h.off(); len(off) > 0 && sample(t, "on again", []bool{false, false, false, true}) {
					next = sample(t, "what", off)
				}
				next(t)
			}
			t.Repeat(map[string]func(*rapid.T){"": h.check, "step": step})
			h.end(t)
		})
		t.Logf("%d steps", played)
	})
}

// stepsOr is SCIM_STEPS, or n without it.
func stepsOr(t *testing.T, n int) int {
	s := os.Getenv("SCIM_STEPS")
	if s == "" {
		return n
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("SCIM_STEPS: %v", err)
	}
	return n
}

// stepsEach is how many steps a history has on average, more than a third of which find nothing to do.
const stepsEach = 25

// playSteps makes rapid play about so many steps in a test.
func playSteps(t *testing.T, steps int) {
	t.Helper()
	values := map[string]int{"rapid.checks": max(steps*8/5/stepsEach, 1), "rapid.steps": stepsEach}
	if os.Getenv("SCIM_STEPS") == "" && flag.Lookup("rapid.seed").Value.String() == "0" {
		values["rapid.seed"] = 1 // the gate plays the same histories each time; .ci/long and .ci/mutants play others
	}
	for name, value := range values {
		f := flag.Lookup(name).Value
		was := f.String()
		if err := f.Set(strconv.Itoa(value)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Set(was) }) //nolint:errcheck // rapid has accepted this value before
	}
}
