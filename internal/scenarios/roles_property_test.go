package scenarios

import (
	"flag"
	"os"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestRolesProperty plays random histories against the handler and against naive, a simple
// model of the rules. After each step it compares the held roles, the ledger, the links, the
// order of roles and Explain.
//
// SCIM_STEPS is how many steps it plays in each world, and a tenth of them over SQL.
func TestRolesProperty(t *testing.T) {
	everywhere(t, func(t *testing.T, in setting) {
		steps := 3000
		if s := os.Getenv("SCIM_STEPS"); s != "" {
			var err error
			if steps, err = strconv.Atoi(s); err != nil {
				t.Fatalf("SCIM_STEPS: %v", err)
			}
		}
		switch {
		case in.crawls:
			steps /= 100
		case in.slow:
			steps /= 10
		}
		playSteps(t, steps)
		played := 0
		rapid.Check(t, func(t *rapid.T) {
			h := newHistory(t, in, &played)
			t.Repeat(map[string]func(*rapid.T){
				"":        h.check,
				"push":    h.push,
				"put":     h.put,
				"rename":  h.rename,
				"add":     h.add,
				"remove":  h.remove,
				"nest":    h.nest,
				"unnest":  h.unnest,
				"delete":  h.delete,
				"active":  h.active,
				"assign":  h.assign,
				"leave":   h.leave,
				"give":    h.give,
				"take":    h.take,
				"role":    h.role,
				"confirm": h.confirm,
				"pause":   h.pause,
				"nesting": h.toggleNesting,
				"break":   h.breakNext,
			})
		})
		t.Logf("%d steps", played)
	})
}

// stepsEach is how many steps a history has on average.
const stepsEach = 50

// playSteps makes rapid play about so many steps in a test.
func playSteps(t *testing.T, steps int) {
	t.Helper()
	for name, value := range map[string]int{"rapid.checks": max(steps/stepsEach, 1), "rapid.steps": stepsEach} {
		f := flag.Lookup(name).Value
		was := f.String()
		if err := f.Set(strconv.Itoa(value)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Set(was) }) //nolint:errcheck // rapid has accepted this value before
	}
}
