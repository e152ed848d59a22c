package journal_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
)

// getter sends GETs of a user to an endpoint over the memory store.
type getter struct {
	h  http.Handler
	j  *journal.Journal // nil: it has none
	at string
	n  int
}

func newGetter(t testing.TB, hasJournal bool) *getter {
	t.Helper()
	g := &getter{}
	c := scim.Config{Store: memory.New(), Auth: auth.None(), Log: slog.New(slog.DiscardHandler)}
	if hasJournal {
		var err error
		if g.j, err = journal.New(journal.NewMemory(16<<20), journal.Options{Keys: journal.NewEphemeralKeys()}); err != nil {
			t.Fatal(err)
		}
		c = g.j.Config(c)
	}
	h, err := scim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if g.h = h; hasJournal {
		g.h = g.j.Handler(h)
	}
	r, w := httptest.NewRequest("POST", "/Users", strings.NewReader(ann)), httptest.NewRecorder()
	r.Header.Set("Content-Type", "application/scim+json")
	g.h.ServeHTTP(w, r)
	g.at = w.Header().Get("Location")
	return g
}

// send sends a GET, as Okta and Entra do. Each hundredth time it writes what the journal has in its queue.
func (g *getter) send(t testing.TB) {
	r := httptest.NewRequest("GET", g.at, nil)
	r.Header = http.Header{"Accept": {"application/scim+json"}, "Accept-Encoding": {"gzip"}, "Authorization": {"Bearer x"}, "User-Agent": {"client/1.0"}}
	g.h.ServeHTTP(httptest.NewRecorder(), r)
	if g.n++; g.j != nil && g.n%100 == 0 {
		if err := g.j.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkGET measures a GET over the memory store without and with the journal, flush included.
func BenchmarkGET(b *testing.B) {
	for _, hasJournal := range []bool{false, true} {
		b.Run(map[bool]string{false: "without", true: "with"}[hasJournal], func(b *testing.B) {
			g := newGetter(b, hasJournal)
			b.ReportAllocs()
			began := cpu(b)
			for b.Loop() {
				g.send(b)
			}
			b.ReportMetric(float64((cpu(b)-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// A GET over the memory store costs at most 30 µs more CPU with the journal than without, flush and garbage collection
// included: medians of rounds that take turns, with one processor, because a second one that looks for work in vain spends
// some too. How much it allocates is tested always; SCIM_LONG=1 tests the time too, for a machine that does nothing else.
func TestCostOfGET(t *testing.T) {
	const most, mostAllocated = 30 * time.Microsecond, 45
	rounds, n := 5, 200
	isLong := os.Getenv("SCIM_LONG") != ""
	if isLong {
		rounds, n = 301, 200
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	without, with := newGetter(t, false), newGetter(t, true)
	var times [2][]time.Duration
	for range rounds {
		for i, g := range []*getter{without, with} {
			runtime.GC() // what the other one has left
			began := cpu(t)
			for range n {
				g.send(t)
			}
			times[i] = append(times[i], (cpu(t)-began)/time.Duration(n))
		}
	}
	cost := median(times[1]) - median(times[0])
	t.Logf("CPU of a GET: %v without, %v with the journal: %v more; of the best rounds %v more", median(times[0]), median(times[1]), cost,
		slices.Min(times[1])-slices.Min(times[0]))
	if isLong && cost > most {
		t.Errorf("the journal costs %v of a GET, want %v", cost, most)
	}
	allocated := testing.AllocsPerRun(1000, func() { with.send(t) }) - testing.AllocsPerRun(1000, func() { without.send(t) })
	if t.Logf("%v allocations more", allocated); allocated > mostAllocated && !testhost.UnderRace {
		t.Errorf("the journal allocates %v times, want %v", allocated, mostAllocated)
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// cpu returns the CPU time of this process.
func cpu(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
