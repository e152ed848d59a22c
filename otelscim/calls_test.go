package otelscim_test

import (
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/otelscim"
)

func newObserver(t *testing.T) (scim.CallObserver, *sdktrace.TracerProvider, *tracetest.InMemoryExporter) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	o, err := otelscim.New(otelscim.Options{TracerProvider: tracers})
	if err != nil {
		t.Fatal(err)
	}
	return o, tracers, spans
}

// The SDK is told of the calls of a request when it ends, each with the time at which it was over.
func TestCallsWait(t *testing.T) {
	o, _, spans := newObserver(t)
	ctx, end := o.Begin(t.Context(), httptest.NewRequest("GET", "/Users", nil), "r1")
	outer, endOuter := o.BeginCall(ctx, "outer")
	_, endInner := o.BeginCall(outer, "inner")
	endInner(nil)
	over := time.Now()
	time.Sleep(20 * time.Millisecond)
	endOuter(nil)
	if n := len(spans.GetSpans()); n != 0 {
		t.Fatalf("%d spans before the request has ended", n)
	}
	_, endLate := o.BeginCall(ctx, "late")
	end(scim.Outcome{Route: "/Users", Status: 200})
	var names []string
	for _, s := range spans.GetSpans() {
		names = append(names, s.Name)
		if s.Name == "inner" && (s.EndTime.After(over) || s.EndTime.Before(s.StartTime)) {
			t.Errorf("inner is from %v to %v, and was over at %v", s.StartTime, s.EndTime, over)
		}
		if s.Name == "outer" && s.EndTime.Sub(over) < 20*time.Millisecond {
			t.Errorf("outer ended at %v, before it was over", s.EndTime)
		}
	}
	if diff := cmp.Diff([]string{"inner", "outer", "GET /Users"}, names); diff != "" {
		t.Error(diff)
	}
	endLate(nil)
	if n := len(spans.GetSpans()); n != 4 {
		t.Errorf("%d spans: a call that outlives its request waits", n)
	}
}

// A request with many calls does not hold all their spans.
func TestCallsDoNotPile(t *testing.T) {
	const kept, all = 64, 1000
	o, _, spans := newObserver(t)
	ctx, end := o.Begin(t.Context(), httptest.NewRequest("POST", "/Bulk", nil), "r1")
	for i := range all {
		_, endCall := o.BeginCall(ctx, fmt.Sprint("call ", i))
		endCall(nil)
		if n := len(spans.GetSpans()); i+1-n >= kept {
			t.Fatalf("%d calls are over and the SDK knows of %d", i+1, n)
		}
	}
	end(scim.Outcome{Route: "/Bulk", Status: 200})
	if n := len(spans.GetSpans()); n != all+1 {
		t.Errorf("%d spans, not %d", n, all+1)
	}
}

// Calls of one request may run side by side, and outlive it.
func TestCallsSideBySide(t *testing.T) {
	const all = 500
	o, _, spans := newObserver(t)
	ctx, end := o.Begin(t.Context(), httptest.NewRequest("GET", "/Users", nil), "r1")
	var calls sync.WaitGroup
	for range all {
		_, endCall := o.BeginCall(ctx, "call")
		calls.Go(func() { endCall(nil) })
	}
	calls.Go(func() { end(scim.Outcome{Route: "/Users", Status: 200}) })
	calls.Wait()
	if n := len(spans.GetSpans()); n != all+1 {
		t.Errorf("%d spans, not %d", n, all+1)
	}
}

// Work outside requests has spans within one of the application, which end at once.
func TestCallsOutsideRequests(t *testing.T) {
	o, tracers, spans := newObserver(t)
	ctx, job := tracers.Tracer("application").Start(t.Context(), "job")
	_, end := o.BeginCall(ctx, "reconcile")
	end(nil)
	if n := len(spans.GetSpans()); n != 1 {
		t.Errorf("%d spans: the call waits", n)
	}
	job.End()
}
