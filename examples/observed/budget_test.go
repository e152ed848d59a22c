package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
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

// kinds are what a GET is measured with: nothing, a log, metrics without traces, metrics and one of
// ten requests traced with its calls, and all of them. "nothing" is there twice: how far the two are
// apart is the error of the measurement, and between them is what the others are compared with.
var kinds = []struct {
	name  string
	log   io.Writer
	share float64 // below 0: no Observer
}{{"nothing", nil, -1}, {"nothing again", nil, -1}, {"log", io.Discard, -1}, {"metrics", nil, 1e-9}, {"a tenth", nil, 0.1}, {"all", nil, 1}}

// handlerOf makes a handler with one user, whose path it returns.
func handlerOf(tb testing.TB, store scim.Store, log io.Writer, share float64) (h http.Handler, path string) {
	tb.Helper()
	c := scim.Config{Store: store, Auth: auth.Bearer(auth.TokenOf("secret")), Log: slog.New(slog.DiscardHandler)}
	if log != nil {
		c.Log = slog.New(slog.NewJSONHandler(log, nil))
	}
	if share >= 0 {
		tracers := trace.NewTracerProvider(trace.WithBatcher(discard{}))
		tb.Cleanup(func() { tracers.Shutdown(context.Background()) }) //nolint:errcheck // discards
		reader := metric.NewManualReader()
		o, err := otelscim.New(otelscim.Options{Share: share, TracerProvider: tracers, MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))})
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
	out := send(h, request("POST", "/Users", `{"userName":"eva@example.com","externalId":"00u1","displayName":"Eva Holm","active":true,
		"name":{"givenName":"Eva","familyName":"Holm"},"emails":[{"value":"eva@example.com","type":"work","primary":true}]}`))
	_, id, _ := strings.Cut(out.Header().Get("Location"), "/Users/")
	return h, "/Users/" + id
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

// TestBudget measures a GET by id over HTTP, in turn with each of the kinds, in one process. The CPU time is
// that of the server and of its small client together. Two servers that do the same differ by some
// percents, so the median of many is judged. The budget is for a store with a database, and one of
// ten requests traced.
func TestBudget(t *testing.T) {
	if os.Getenv("SCIM_BUDGETS") == "" {
		t.Skip("set SCIM_BUDGETS=1 to measure")
	}
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
		}, 48, true},
		{"memory", func(*testing.T) scim.Store { return memory.New() }, 12, false},
	} {
		all := map[string][]float64{}
		for range place.servers {
			t.Run(place.name, func(t *testing.T) { // which ends these servers
				for name, more := range measure(t, place.new) {
					all[name] = append(all[name], more)
				}
			})
		}
		for _, k := range kinds {
			slices.Sort(all[k.name])
			t.Logf("%s, %-13s %+.1f %% (half of the servers: %+.1f to %+.1f)", place.name, k.name, all[k.name][place.servers/2]*100, all[k.name][place.servers/4]*100, all[k.name][place.servers*3/4]*100)
		}
		if more := all["a tenth"][place.servers/2]; place.isJudged && more > budget {
			t.Errorf("%s: %.1f %% more than without an Observer, the budget is %.0f %%", place.name, more*100, budget*100)
		}
	}
}

// measure returns how much more CPU time each kind takes than nothing: the median of the differences
// within rounds, in which each kind has its turn. The order is another one each time, because a kind
// also pays for what the one before it leaves to the garbage collector.
func measure(t *testing.T, newStore func(*testing.T) scim.Store) map[string]float64 {
	const rounds, warm, requests = 30, 10, 50
	clients := make([]*client, len(kinds))
	for _, i := range rand.Perm(len(kinds)) {
		h, path := handlerOf(t, newStore(t), kinds[i].log, kinds[i].share)
		clients[i] = newClient(t, h, path)
	}
	var base []time.Duration
	more := make([][]time.Duration, len(kinds))
	for round := range rounds + warm {
		spent := make([]time.Duration, len(kinds))
		for _, k := range rand.Perm(len(kinds)) {
			before := cpuTime()
			for range requests {
				clients[k].send(t)
			}
			spent[k] = cpuTime() - before
		}
		if round < warm {
			continue
		}
		nothing := (spent[0] + spent[1]) / 2
		base = append(base, nothing)
		for k := range kinds {
			more[k] = append(more[k], spent[k]-nothing)
		}
	}
	shares := map[string]float64{}
	for i, k := range kinds {
		shares[k.name] = float64(median(more[i])) / float64(median(base))
	}
	return shares
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// cpuTime is the CPU time of this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
