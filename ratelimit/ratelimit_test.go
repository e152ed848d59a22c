package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim/ratelimit"
)

// clock is a time that tests move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock { return &clock{time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)} }

func limiter(t testing.TB, o ratelimit.Options) *ratelimit.Limiter {
	t.Helper()
	l, err := ratelimit.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// admitted counts how many of n requests run.
func admitted(l *ratelimit.Limiter, tenant string, takesAway bool, n int) (count int) {
	for range n {
		if l.Admit(context.Background(), tenant, takesAway).RetryAfter == 0 {
			count++
		}
	}
	return count
}

func TestNew(t *testing.T) {
	for _, c := range []struct {
		o            ratelimit.Options
		want, reason string
	}{
		{ratelimit.Options{}, "", "the zero value is the default"},
		{ratelimit.Options{Rate: 25}, "", "the least that IPSIE allows"},
		{ratelimit.Options{Rate: 24}, "at least 25", "clients rely on 25"},
		{ratelimit.Options{Rate: -1}, "at least 25", "no limit is a nil Limiter"},
		{ratelimit.Options{Tenants: -1}, "Tenants is -1", "nothing could be kept"},
	} {
		if _, err := ratelimit.New(c.o); (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q: %s", c.o, err, c.want, c.reason)
		}
	}
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		name string
		rate int
		act  func(l *ratelimit.Limiter, c *clock) []int
		want []int
		why  string
	}{
		{"reads", 0, func(l *ratelimit.Limiter, c *clock) []int { return []int{admitted(l, "a", false, 500)} }, []int{100}, "100 by default"},
		{"a second later", 0, func(l *ratelimit.Limiter, c *clock) []int {
			admitted(l, "a", false, 500)
			c.at = c.at.Add(time.Second)
			return []int{admitted(l, "a", false, 500)}
		}, []int{100}, "a second refills the bucket, and refused requests cost nothing"},
		{"half a second later", 0, func(l *ratelimit.Limiter, c *clock) []int {
			admitted(l, "a", false, 500)
			c.at = c.at.Add(500 * time.Millisecond)
			return []int{admitted(l, "a", false, 500)}
		}, []int{50}, "steadily, not once a second"},
		{"a minute later", 0, func(l *ratelimit.Limiter, c *clock) []int {
			admitted(l, "a", false, 500)
			c.at = c.at.Add(time.Minute)
			return []int{admitted(l, "a", false, 500)}
		}, []int{100}, "a pause saves no more than a second"},
		{"reserve", 0, func(l *ratelimit.Limiter, c *clock) []int {
			return []int{admitted(l, "a", false, 500), admitted(l, "a", true, 500), admitted(l, "a", false, 1)}
		}, []int{100, 20, 0}, "an import leaves 20 % for what takes access away"},
		{"changes only", 0, func(l *ratelimit.Limiter, c *clock) []int { return []int{admitted(l, "a", true, 500)} }, []int{120}, "they use the rate first"},
		{"least", 25, func(l *ratelimit.Limiter, c *clock) []int {
			return []int{admitted(l, "a", false, 500), admitted(l, "a", true, 500)}
		}, []int{25, 5}, "25 for every kind of request"},
		{"other tenants", 0, func(l *ratelimit.Limiter, c *clock) []int {
			return []int{admitted(l, "a", true, 5000), admitted(l, "b", false, 100), admitted(l, "", false, 100)}
		}, []int{120, 100, 100}, "each tenant has its own"},
		{"bulk", 0, func(l *ratelimit.Limiter, c *clock) []int {
			got := []int{admitted(l, "a", false, 1)}
			l.Charge(context.Background(), "a", 49)
			return append(got, admitted(l, "a", false, 500))
		}, []int{1, 50}, "each operation counts"},
		{"large bulk", 0, func(l *ratelimit.Limiter, c *clock) []int {
			got := []int{admitted(l, "a", false, 1)}
			l.Charge(context.Background(), "a", 999)
			got = append(got, admitted(l, "a", false, 10), admitted(l, "a", true, 500), admitted(l, "b", false, 10))
			c.at = c.at.Add(9 * time.Second)
			got = append(got, admitted(l, "a", false, 10))
			c.at = c.at.Add(500 * time.Millisecond)
			return append(got, admitted(l, "a", false, 100))
		}, []int{1, 0, 20, 10, 0, 50}, "1,000 operations are paid off in 9 s; deactivations go on"},
	} {
		t.Run(c.name, func(t *testing.T) {
			clk := newClock()
			got := c.act(limiter(t, ratelimit.Options{Rate: c.rate, Now: clk.now}), clk)
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%v requests run, want %v: %s", got, c.want, c.why)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	clk := newClock()
	l := limiter(t, ratelimit.Options{Now: clk.now})
	want := func(what string, takesAway bool, retryAfter time.Duration, header string) {
		t.Helper()
		a := l.Admit(t.Context(), "a", takesAway)
		if a.RetryAfter != retryAfter || a.RateLimit != header || a.Policy != `"requests";q=100;w=1, "changes";q=20;w=1` {
			t.Errorf("%s: %+v, want %v and %s", what, a, retryAfter, header)
		}
	}
	want("first", false, 0, `"requests";r=99;t=1`)
	want("a change", true, 0, `"requests";r=98;t=1, "changes";r=20;t=0`)
	admitted(l, "a", false, 98)
	want("used up", false, time.Second, `"requests";r=0;t=1`)
	want("a change from the reserve", true, 0, `"requests";r=0;t=1, "changes";r=19;t=1`)
	l.Charge(t.Context(), "a", 450)
	want("after a large bulk request", false, 5*time.Second, `"requests";r=0;t=6`)
	admitted(l, "a", true, 19)
	want("the reserve is used up too", true, time.Second, `"requests";r=0;t=6, "changes";r=0;t=1`)
	clk.at = clk.at.Add(5 * time.Second)
	want("the time that Retry-After told", false, 0, `"requests";r=49;t=1`)
}

// Many tenants take bounded memory. Whoever has sent something in this second stays, as long as
// others have not.
func TestMemory(t *testing.T) {
	clk := newClock()
	l := limiter(t, ratelimit.Options{Tenants: 100, Now: clk.now})
	for i := range 99 {
		admitted(l, fmt.Sprint("idle", i), true, 1)
	}
	clk.at = clk.at.Add(2 * time.Second)
	admitted(l, "busy", false, 100)
	for i := range 90 {
		admitted(l, fmt.Sprint("new", i), false, 1)
	}
	if got := admitted(l, "busy", false, 1); got != 0 {
		t.Error("a busy tenant was displaced by others although there were idle ones")
	}

	l = limiter(t, ratelimit.Options{Now: clk.now})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range 30_000 {
		l.Admit(t.Context(), fmt.Sprint("tenant", i), false)
	}
	after := heap()
	runtime.KeepAlive(l)
	if used := int64(after) - int64(before); used > 8<<20 {
		t.Errorf("30,000 tenants take %d bytes", used)
	}
}

// sharing is the Shares of several processes, as sqlstore.Shares keeps it.
type sharing struct {
	mu     sync.Mutex
	clk    *clock
	second int64
	given  int
	demand int
	total  int
	asked  int
	err    error
}

func (s *sharing) Take(_ context.Context, _ string, demand, want int) (given, total int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.err != nil {
		return 0, 0, s.err
	}
	switch now := s.clk.at.Unix(); {
	case now == s.second:
		s.given, s.demand = s.given+want, s.demand+demand
	case now == s.second+1:
		s.second, s.given, s.total, s.demand = now, want, s.demand, demand
	default:
		s.second, s.given, s.total, s.demand = now, want, 0, demand
	}
	return s.given, s.total, nil
}

// Several processes together serve about the rate of a tenant, whoever of them gets the requests,
// and ask once a second each.
func TestShares(t *testing.T) {
	for _, c := range []struct {
		name        string
		demand      []int // requests a second that come to each process
		least, most int   // served a second, by all, from the fifth second on
		reason      string
	}{
		{"one process floods", []int{1000, 0, 0}, 100, 100, "a client with one connection gets the whole rate"},
		{"all flood", []int{300, 300, 300}, 96, 103, "each gets a third"},
		{"one floods more", []int{900, 100}, 98, 102, "each gets its part"},
		{"little", []int{5, 5, 5, 5}, 20, 20, "nobody waits"},
		{"just enough", []int{40, 40}, 80, 80, "nobody waits"},
		{"many processes", []int{20, 20, 20, 20, 20, 20, 20, 20, 20, 20}, 90, 110, "at least one request a second each"},
	} {
		t.Run(c.name, func(t *testing.T) {
			clk := newClock()
			s := &sharing{clk: clk}
			all := make([]*ratelimit.Limiter, len(c.demand))
			for i := range all {
				all[i] = limiter(t, ratelimit.Options{Shares: s, Now: clk.now})
			}
			const seconds, slices = 12, 20
			served := make([]int, seconds)
			for second := range seconds {
				due := make([]int, len(all))
				for slice := range slices {
					for i, l := range all {
						n := c.demand[i] * (slice + 1) / slices
						served[second] += admitted(l, "a", false, n-due[i])
						due[i] = n
					}
					clk.at = clk.at.Add(time.Second / slices)
				}
			}
			for second, n := range served[4:] {
				if n < c.least || n > c.most {
					t.Errorf("second %d: %d requests run, want %d to %d: %s (%v)", second+4, n, c.least, c.most, c.reason, served)
				}
			}
			busy := 0
			for _, n := range c.demand {
				busy += min(n, 1)
			}
			if s.asked > seconds*busy {
				t.Errorf("%d questions in %d s and %d processes, more than one a second", s.asked, seconds, busy)
			}
		})
	}
}

// If Shares fails, a process goes on with what it had, and says so once a minute.
func TestSharesFail(t *testing.T) {
	clk := newClock()
	var log strings.Builder
	s := &sharing{clk: clk, err: errors.New("the database is gone")}
	l := limiter(t, ratelimit.Options{Shares: s, Now: clk.now, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for range 5 {
		if got := admitted(l, "a", false, 500); got != 25 {
			t.Errorf("%d requests run, want a quarter of the rate", got)
		}
		clk.at = clk.at.Add(time.Second)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "the database is gone") {
		t.Errorf("%d lines: %s", n, log.String())
	}
	if s.asked != 5 {
		t.Errorf("asked %d times in 5 s", s.asked)
	}
	s.err = nil
	admitted(l, "a", false, 500)
	clk.at = clk.at.Add(time.Second)
	admitted(l, "a", false, 500)
	clk.at = clk.at.Add(999 * time.Millisecond)
	if got := admitted(l, "a", false, 500); got != 99 {
		t.Errorf("%d requests run after the outage, want 99", got)
	}
}

func TestConcurrency(t *testing.T) {
	clk := newClock()
	l := limiter(t, ratelimit.Options{Tenants: 3, Shares: &sharing{clk: clk}, Now: clk.now})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				l.Admit(t.Context(), fmt.Sprint((i+j)%7), j%2 == 0)
				l.Charge(t.Context(), fmt.Sprint(i), 3)
			}
		})
	}
	wg.Wait()
}

func BenchmarkAdmit(b *testing.B) {
	l := limiter(b, ratelimit.Options{Rate: 1 << 40})
	b.ReportAllocs()
	for b.Loop() {
		l.Admit(b.Context(), "a", false)
	}
}

// The operations of bulk requests are demand: a process that gets them asks for a share for them.
func TestBulkIsDemand(t *testing.T) {
	clk := newClock()
	s := &sharing{clk: clk}
	l := limiter(t, ratelimit.Options{Shares: s, Now: clk.now})
	admitted(l, "a", false, 1)
	l.Charge(t.Context(), "a", 49)
	clk.at = clk.at.Add(time.Second)
	admitted(l, "a", false, 1)
	if s.demand != 50 {
		t.Errorf("the process reports a demand of %d, want 50: 49 operations and a request", s.demand)
	}
}
