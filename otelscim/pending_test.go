package otelscim_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/otelscim"
)

// A request without a span is measured with later ones: each collection has all that ended before it.
func TestCollections(t *testing.T) {
	drop := metric.NewView(metric.Instrument{Name: "http.server.active_requests"}, metric.Stream{Aggregation: metric.AggregationDrop{}})
	for _, tt := range []struct {
		name string
		view []metric.Option
	}{
		{"collected", nil},
		{"an application that drops the instrument whose call-back collects", []metric.Option{metric.WithView(drop)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, otelscim.Options{Share: 1e-9}, nil, tt.view...)
			total := 0
			for _, more := range []int{1, 1, 62, 63, 64, 65, 200, 0, 3} {
				var all sync.WaitGroup
				for range more {
					all.Go(func() { w.send("GET", "/Users/ann", "") })
				}
				all.Wait()
				total += more
				if text := w.metrics(); !strings.Contains(text, fmt.Sprintf("bounds) %d ", total)) {
					t.Fatalf("after %d more not all of %d requests are measured:\n%s", more, total, text)
				}
			}
		})
	}
}

// A collection has a span of the requests before it as an exemplar, whether the SDK was told of them at once, with others
// or by the collection. It may show older ones too.
func TestExemplars(t *testing.T) {
	w := newWorld(t, otelscim.Options{}, nil)
	for i, requests := range []int{1, 1, 63, 64, 65, 3} { // until the first collection the SDK is told at once
		for range requests {
			w.send("GET", "/Users/ann", "")
		}
		traced := map[trace.TraceID]bool{}
		for _, s := range w.spans.GetSpans() {
			traced[s.SpanContext.TraceID()] = true
		}
		w.spans.Reset()
		exemplars := w.exemplars()
		if !slices.ContainsFunc(exemplars, func(id trace.TraceID) bool { return traced[id] }) {
			t.Errorf("collection %d: of %d exemplars none is of its %d requests", i, len(exemplars), requests)
		}
	}
}

// exemplars collects, and returns the traces of the exemplars of durations.
func (w *world) exemplars() (traces []trace.TraceID) {
	var all metricdata.ResourceMetrics
	if err := w.reader.Collect(w.t.Context(), &all); err != nil {
		w.t.Fatal(err)
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		if data, ok := m.Data.(metricdata.Histogram[float64]); ok {
			for _, p := range data.DataPoints {
				for _, e := range p.Exemplars {
					traces = append(traces, trace.TraceID(e.TraceID))
				}
			}
		}
	}
	return traces
}

// Requests that are under way are counted.
func TestActive(t *testing.T) {
	var w *world
	within := ""
	w = newWorld(t, otelscim.Options{}, func(c *scim.Config) {
		tenantFor := c.TenantFor
		c.TenantFor = func(ctx context.Context, p scim.Principal) (*scim.Tenant, error) {
			within = w.metrics()
			return tenantFor(ctx, p)
		}
	})
	w.send("GET", "/Users", "")
	w.send("DELETE", "/Users/ann", "")
	const of = "http.server.active_requests ({request}) %d http.request.method=%s url.scheme=http\n"
	for _, want := range []struct{ name, text, line string }{
		{"within DELETE", within, fmt.Sprintf(of, 1, "DELETE")},
		{"within DELETE", within, fmt.Sprintf(of, 0, "GET")},
		{"after it", w.metrics(), fmt.Sprintf(of, 0, "DELETE")},
	} {
		if !strings.Contains(want.text, want.line) {
			t.Errorf("%s: no line %s in\n%s", want.name, want.line, want.text)
		}
	}
}
