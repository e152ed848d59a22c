package otelscim_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/otelscim"
	"github.com/scimkit/scim/store/memory"
)

// discard takes spans and forgets them.
type discard struct{}

func (discard) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discard) Shutdown(context.Context) error                             { return nil }

// kinds are what the cost of a GET is measured with. "sampled" records every request and its calls,
// "a tenth" one of ten, as in production, and "metrics" none.
var kinds = []string{"nothing", "log", "metrics", "a tenth", "sampled"}

func handlerOf(tb testing.TB, kind string) (h http.Handler, path string) {
	tb.Helper()
	c := scim.Config{Store: memory.New(), Auth: auth.Bearer(auth.TokenOf("secret")), Log: slog.New(slog.DiscardHandler)}
	var o otelscim.Options
	share := -1.0
	switch kind {
	case "log":
		c.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	case "metrics":
		share = 0
	case "a tenth":
		share = 0.1
	case "sampled":
		share = 1
	}
	if share >= 0 {
		tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(discard{}), sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(share))))
		tb.Cleanup(func() { tp.Shutdown(context.Background()) }) //nolint:errcheck // discards
		o.TracerProvider, o.MeterProvider = tp, metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))
		observer, err := otelscim.New(o)
		if err != nil {
			tb.Fatal(err)
		}
		c.Observers = []scim.Observer{observer}
	}
	handler, err := scim.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/Users", strings.NewReader(`{"userName":"eva@example.com","externalId":"00u1","displayName":"Eva Holm","name":{"givenName":"Eva","familyName":"Holm"},
		"emails":[{"value":"eva@example.com","type":"work","primary":true}],"active":true}`))
	r.Header.Set("Authorization", "Bearer secret")
	out := httptest.NewRecorder()
	handler.ServeHTTP(out, r)
	_, path, _ = strings.Cut(out.Header().Get("Location"), "/Users/")
	return handler, "/Users/" + path
}

// BenchmarkGet compares what a GET costs: the handler over the memory store, without net/http. The
// budget is in examples/observed.
func BenchmarkGet(b *testing.B) {
	for _, kind := range kinds {
		b.Run(kind, func(b *testing.B) {
			h, path := handlerOf(b, kind)
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("Authorization", "Bearer secret")
			b.ReportAllocs()
			for b.Loop() {
				out := httptest.NewRecorder()
				if h.ServeHTTP(out, r); out.Code != http.StatusOK {
					b.Fatal(out.Code)
				}
			}
		})
	}
}
