package budgets

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// cost is the time of one operation.
type cost struct{ wall, cpu time.Duration }

// measure calls do n times.
func measure(n int, do func(i int)) cost {
	start, used := time.Now(), cpuTime()
	for i := range n {
		do(i)
	}
	return cost{time.Since(start) / time.Duration(n), (cpuTime() - used) / time.Duration(n)}
}

// uncollected measures between two garbage collections. A collection of a million users
// takes longer than a measurement, so it is chance which measurements it falls into.
func uncollected(measure func() cost) cost {
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	return measure()
}

func median[T cmp.Ordered](list []T) T {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// compare runs two pieces of work in turns, so that other load on the machine affects both.
// It checks the median of the ratios of their CPU time.
func compare(t *testing.T, name string, limit float64, ours, peer func() cost) {
	t.Helper()
	const rounds = 30
	var wall, cpu [2][]time.Duration
	for round := range rounds {
		for i := range 2 {
			i ^= round & 1 // each goes first every other time
			c := []func() cost{ours, peer}[i]()
			wall[i], cpu[i] = append(wall[i], c.wall), append(cpu[i], c.cpu)
		}
	}
	var ratios []float64
	for round := range rounds {
		ratios = append(ratios, float64(cpu[0][round])/float64(cpu[1][round]))
	}
	ratio := median(ratios)
	t.Logf("%-34s CPU %9v against %9v: %.2f of at most %.2f (wall %v, %v)", name, median(cpu[0]), median(cpu[1]), ratio, limit, median(wall[0]), median(wall[1]))
	if ratio > limit {
		t.Errorf("%s: %.2f times its peer; the budget is %.2f", name, ratio, limit)
	}
}

// TestBudgets checks the performance budgets. It takes minutes and a quiet machine:
// set SCIM_BUDGETS, as .ci/long does.
func TestBudgets(t *testing.T) {
	if os.Getenv("SCIM_BUDGETS") == "" {
		t.Skip("SCIM_BUDGETS is not set")
	}
	t.Run("GET by id over HTTP", func(t *testing.T) {
		ours, constant := startServer(t, "ours"), startServer(t, "constant")
		get := func(s *server) func() cost {
			s.get(t, "/Users/u7", 500)
			return func() cost {
				before := s.cpu(t)
				c := measure(500, func(int) { s.get(t, "/Users/u7", 1) })
				return cost{c.wall, (s.cpu(t) - before) / 500}
			}
		}
		compare(t, "GET, to constant bytes", 1.4, get(ours), get(constant))
	})
	t.Run("look-up by userName", func(t *testing.T) {
		look := func(n int) func() cost {
			h := testhost.New(t, scim.Config{Store: newFilledStore(t, n, small)})
			// Use a thousand users from the whole store, so that the processor's caches
			// help both equally.
			return func() cost {
				return uncollected(func() cost { return measure(5000, func(i int) { lookUp(t, h, i%1000*(n/1000)) }) })
			}
		}
		thousand := look(1_000)
		compare(t, "100,000 users, to 1,000", 1.5, look(100_000), thousand)
		compare(t, "1,000,000 users, to 1,000", 1.5, look(1_000_000), thousand)
	})
	t.Run("members", func(t *testing.T) {
		h := groupsHandler(t, 100_000)
		change := func(group string) func() cost {
			return func() cost { return measure(250, func(i int) { toggle(t, h, group, i) }) }
		}
		check := func(group string) func() cost {
			return func() cost { return measure(500, func(i int) { isMember(t, h, group, i) }) }
		}
		compare(t, "change, 100,000 members, to 100", 1.5, change("large"), change("small"))
		compare(t, "check, 100,000 members, to 100", 1.5, check("large"), check("small"))
	})
	t.Run("groups in groups", nestingBudgets)
	t.Run("memory of a first day", heldBudget)
	t.Run("binding a tenant", func(t *testing.T) {
		a := newBoundApp()
		put(t, a.store, scim.UserType(), "u0", small(0))
		get := func(h *scim.Handler) func() cost {
			return func() cost { return measure(2000, func(int) { send(t, h, "GET", "/Users/u0", "", 200) }) }
		}
		one := a.tenant()
		kept := testhost.New(t, scim.Config{Store: one.Store, Types: one.Types, Roles: one.Roles, Rules: one.Rules, Allow: one.Allow,
			BaseURL: one.BaseURL, Without: one.Without, Members: one.Members, Me: one.Me})
		compare(t, "GET, to that of a tenant kept", 1.5, get(a.handler(t)), get(kept))
	})
	t.Run("a group of 10,000 is read", func(t *testing.T) {
		h := groupsHandler(t, 10_010)
		answer := testhost.Decode(t, testhost.Do(t, h, "GET", "/Groups/large", ""))
		read := func() cost { return measure(5, func(int) { send(t, h, "GET", "/Groups/large", "", 200) }) }
		compare(t, "GET, to json.Marshal", 1.6, read, func() cost {
			return measure(5, func(int) {
				if _, err := json.Marshal(answer); err != nil {
					t.Fatal(err)
				}
			})
		})
		for _, n := range []int{10_000, 100_000} {
			h := groupsHandler(t, n+10)
			var took []time.Duration
			for range 10 {
				took = append(took, uncollected(func() cost {
					return measure(100_000/n, func(int) { send(t, h, "GET", "/Groups/large", "", 200) })
				}).cpu/time.Duration(n))
			}
			if t.Logf("%-34s CPU %9v of at most 1.5µs", fmt.Sprint("a member of ", n), median(took)); median(took) > 1500*time.Nanosecond {
				t.Errorf("a member of %d takes %v", n, median(took))
			}
		}
	})
	t.Run("delete a group of 50,000", func(t *testing.T) {
		var b strings.Builder
		for i := range 50_000 {
			fmt.Fprintf(&b, `,{"value":"u%d"}`, i)
		}
		s := newFilledStore(t, 50_000, small)
		app := testhost.NewRoles()
		h := testhost.New(t, scim.Config{Store: s, Roles: &scim.Roles{Resolver: app}, NewID: func() string { return "g" }})
		var push, gone []time.Duration
		for range 3 {
			push = append(push, measure(1, func(int) {
				send(t, h, "POST", "/Groups", `{"displayName":"Admin","members":[`+b.String()[1:]+`]}`, 201)
			}).wall)
			if n := len(app.Holders("r-admin")); n != 50_000 {
				t.Fatalf("%d hold the role", n)
			}
			gone = append(gone, measure(1, func(int) { send(t, h, "DELETE", "/Groups/g", "", 204) }).wall)
			if n := len(app.Holders("r-admin")); n != 0 {
				t.Fatalf("%d still hold the role", n)
			}
		}
		t.Logf("%-34s %v of at most 2s (making it: %v)", "delete a group of 50,000", median(gone), median(push))
		if median(gone) > 2*time.Second {
			t.Errorf("it takes %v", median(gone))
		}
	})
}
