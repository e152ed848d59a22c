package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/otelscim"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

// discard takes spans and forgets them.
type discard struct{}

func (discard) ExportSpans(context.Context, []trace.ReadOnlySpan) error { return nil }
func (discard) Shutdown(context.Context) error                          { return nil }

// idle watches and does nothing: what it costs is the share of the handler.
type idle struct{}

func (idle) Begin(ctx context.Context, _ *http.Request, _ string) (context.Context, func(scim.Outcome)) {
	return ctx, func(scim.Outcome) {}
}

func (idle) BeginCall(ctx context.Context, _ string) (context.Context, func(error)) { return ctx, nil }

// kinds are what a GET is measured with: nothing, an Observer that does nothing, a log, metrics without traces,
// metrics and one of ten requests traced with its calls, and all of them. "nothing" is there twice: how far the
// two are apart is the error of the measurement, and between them is what the others are compared with.
var kinds = []struct {
	name  string
	log   io.Writer
	idle  bool
	share float64 // below 0: no OpenTelemetry
}{
	{"nothing", nil, false, -1}, {"nothing again", nil, false, -1}, {"idle", nil, true, -1}, {"log", io.Discard, false, -1},
	{"metrics", nil, false, 1e-9}, {"a tenth", nil, false, 0.1}, {"all", nil, false, 1},
}

// handlerOf makes the handler of a kind.
func handlerOf(tb testing.TB, store scim.Store, kind int) http.Handler {
	tb.Helper()
	c := scim.Config{Store: store, Auth: auth.Bearer(auth.TokenOf("secret")), Log: slog.New(slog.DiscardHandler)}
	k := kinds[kind]
	if k.log != nil {
		c.Log = slog.New(slog.NewJSONHandler(k.log, nil))
	}
	if k.idle {
		c.Observers = []scim.Observer{idle{}}
	}
	if k.share >= 0 {
		tracers := trace.NewTracerProvider(trace.WithBatcher(discard{}))
		tb.Cleanup(func() { tracers.Shutdown(context.Background()) }) //nolint:errcheck // discards
		reader := metric.NewManualReader()
		o, err := otelscim.New(otelscim.Options{Share: k.share, TracerProvider: tracers, MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))})
		if err == nil {
			err = reader.Collect(context.Background(), &metricdata.ResourceMetrics{}) // as a process does that runs for a minute
		}
		if err != nil {
			tb.Fatal(err)
		}
		c.Observers = []scim.Observer{o}
	}
	h, err := scim.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// client sends the same GET over one connection.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	get  []byte
}

func newClient(tb testing.TB, h http.Handler, path string) *client {
	tb.Helper()
	s := httptest.NewServer(h)
	tb.Cleanup(s.Close)
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	return &client{conn, bufio.NewReader(conn), fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: any\r\nAuthorization: Bearer secret\r\n\r\n", path)}
}

func (c *client) send(tb testing.TB) {
	if _, err := c.conn.Write(c.get); err != nil {
		tb.Fatal(err)
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK || n < 100 {
		tb.Fatalf("%d, %d bytes, %v", res.StatusCode, n, err)
	}
}

// TestBudget measures a GET by id over HTTP with each of the kinds, in one process. The CPU time is that of the
// server and of its small client together, with one processor: a second one that looks for work in vain spends
// some, and more or less of it by chance. The budget is for a store with a database, and one of ten requests
// traced.
func TestBudget(t *testing.T) {
	if os.Getenv("SCIM_BUDGETS") == "" {
		t.Skip("set SCIM_BUDGETS=1 to measure")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const budget = 0.03
	for _, place := range []struct {
		name     string
		new      func(*testing.T) scim.Store
		servers  int
		isJudged bool
	}{
		{"SQLite", func(t *testing.T) scim.Store {
			store, err := sqlstore.New(open(t), sqlstore.SQLite, sqlstore.Options{})
			if err == nil {
				err = store.Migrate(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			return store
		}, 12, true},
		{"memory", func(*testing.T) scim.Store { return memory.New() }, 12, false},
	} {
		all := make([][]float64, len(kinds))
		for range place.servers {
			t.Run(place.name, func(t *testing.T) { // which ends this server
				for k, more := range measure(t, place.new(t)) {
					all[k] = append(all[k], more)
				}
			})
		}
		for k, more := range all {
			m, e := mean(more)
			t.Logf("%s, %-13s %+.2f ± %.2f %%", place.name, kinds[k].name, m*100, e*100)
			if place.isJudged && kinds[k].name == "a tenth" && m > budget {
				t.Errorf("%s: %.2f %% more than without an Observer, the budget is %.0f %%", place.name, m*100, budget*100)
			}
		}
	}
}

// measure returns how much more CPU time each kind takes than nothing. All have the same store, user and
// connection, and take turns that are short, so that what else the machine does meets all of them. The order is
// another one each time, because a kind also pays for what the one before it leaves to the garbage collector.
func measure(t *testing.T, store scim.Store) []float64 {
	const rounds, warm, requests = 300, 10, 25
	handlers := make([]http.Handler, len(kinds))
	for k := range kinds {
		handlers[k] = handlerOf(t, store, k)
	}
	out := send(handlers[0], request("POST", "/Users", `{"userName":"eva@example.com","externalId":"00u1","displayName":"Eva Holm","active":true,
		"name":{"givenName":"Eva","familyName":"Holm"},"emails":[{"value":"eva@example.com","type":"work","primary":true}]}`))
	_, id, _ := strings.Cut(out.Header().Get("Location"), "/Users/")
	var turn atomic.Pointer[http.Handler]
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*turn.Load()).ServeHTTP(w, r) }), "/Users/"+id)
	spent := make([]time.Duration, len(kinds))
	for round := range rounds + warm {
		for _, k := range rand.Perm(len(kinds)) {
			turn.Store(&handlers[k])
			c.send(t) // which meets what the kind before left in the caches
			before := cpuTime()
			for range requests {
				c.send(t)
			}
			if round >= warm {
				spent[k] += cpuTime() - before
			}
		}
	}
	nothing := float64(spent[0]+spent[1]) / 2
	more := make([]float64, len(kinds))
	for k := range kinds {
		more[k] = float64(spent[k])/nothing - 1
	}
	return more
}

// mean returns the mean, and its standard error.
func mean(all []float64) (m, e float64) {
	for _, x := range all {
		m += x / float64(len(all))
	}
	for _, x := range all {
		e += (x - m) * (x - m)
	}
	return m, math.Sqrt(e / float64(len(all)*(len(all)-1)))
}

// cpuTime is the CPU time of this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
