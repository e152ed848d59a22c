package otelscim_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/otelscim"
	"github.com/scimkit/scim/store/memory"
)

// world is a handler whose requests are traced and measured.
type world struct {
	t      *testing.T
	h      *scim.Handler
	spans  *tracetest.InMemoryExporter
	tracer *sdktrace.TracerProvider
	reader *metric.ManualReader
}

func newWorld(t *testing.T, o otelscim.Options, change func(c *scim.Config), views ...metric.Option) *world {
	t.Helper()
	w := &world{t: t, spans: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader()}
	w.tracer = sdktrace.NewTracerProvider(sdktrace.WithSyncer(w.spans), sdktrace.WithIDGenerator(&counter{}))
	o.TracerProvider, o.MeterProvider = w.tracer, metric.NewMeterProvider(append(views, metric.WithReader(w.reader))...)
	observer, err := otelscim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	token := auth.TokenOf("secret")
	token.ID, token.Tenant = "okta", "acme"
	c := scim.Config{Auth: auth.Bearer(token), Observers: []scim.Observer{observer}, Log: slog.New(slog.DiscardHandler)}
	store := memory.New()
	c.TenantFor = func(_ context.Context, p scim.Principal) (*scim.Tenant, error) {
		return &scim.Tenant{ID: p.Tenant, Store: store, Allow: func(_ context.Context, a scim.Access) error {
			switch a.ID {
			case "fails":
				return &scim.Error{Status: 503, Err: errors.New("dial tcp 10.0.0.1: ann@example.com")}
			case "aborts":
				panic(http.ErrAbortHandler)
			}
			return nil
		}}, nil
	}
	if change != nil {
		change(&c)
	}
	if w.h, err = scim.New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) send(method, target, body string, header ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, target, strings.NewReader(body))
	return w.sendRequest(r, header...)
}

func (w *world) sendRequest(r *http.Request, header ...string) *httptest.ResponseRecorder {
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("X-Request-Id", "r1")
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	out := httptest.NewRecorder()
	func() {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				panic(p)
			}
		}()
		w.h.ServeHTTP(out, r)
	}()
	return out
}

// counter numbers spans in the order in which they begin. Two may begin at the same time of the clock.
type counter struct{ n atomic.Uint64 }

func (c *counter) NewIDs(ctx context.Context) (id trace.TraceID, _ trace.SpanID) {
	binary.BigEndian.PutUint64(id[8:], c.n.Add(1))
	return id, c.NewSpanID(ctx, id)
}

func (c *counter) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	binary.BigEndian.PutUint64(id[:], c.n.Add(1))
	return id
}

// text shows the spans since the last call, in the order in which they began, each below its parent.
func (w *world) text() string {
	spans := w.spans.GetSpans()
	w.spans.Reset()
	slices.SortFunc(spans, func(a, b tracetest.SpanStub) int {
		x, y := a.SpanContext.SpanID(), b.SpanContext.SpanID()
		return bytes.Compare(x[:], y[:])
	})
	depth := map[trace.SpanID]int{}
	var b strings.Builder
	for _, s := range spans {
		depth[s.SpanContext.SpanID()] = depth[s.Parent.SpanID()] + 1
		fmt.Fprintf(&b, "%s%s %s", strings.Repeat("  ", depth[s.Parent.SpanID()]), s.SpanKind, s.Name)
		if s.Status.Code != 0 {
			fmt.Fprintf(&b, " %s%s", s.Status.Code, s.Status.Description)
		}
		for _, l := range s.Links {
			fmt.Fprintf(&b, " -> %s", l.SpanContext.TraceID())
		}
		b.WriteString(labels(s.Attributes) + "\n")
	}
	return b.String()
}

func labels(all []attribute.KeyValue) string {
	var texts []string
	for _, a := range all {
		texts = append(texts, fmt.Sprintf(" %s=%s", a.Key, a.Value.String()))
	}
	slices.Sort(texts)
	return strings.Join(texts, "")
}

func TestSpans(t *testing.T) {
	const user = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann@example.com"}`
	for _, tt := range []struct {
		method, target, body, reason, want string
	}{
		{"POST", "/scim/v2/Users", user, "a write, with its transaction",
			`server POST /scim/v2/Users http.request.method=POST http.response.status_code=201 http.route=/scim/v2/Users network.protocol.version=1.1 scim.client=okta scim.request_id=r1 scim.tenant=acme url.scheme=http
  internal Transactor.InTx
    internal Store.Create
  internal MemberStore.GroupsOf
`},
		{"DELETE", "/scim/v2/Users/{bob}", "", "a call-back that refuses is no failure of the store",
			`server DELETE /scim/v2/Users/{id} http.request.method=DELETE http.response.status_code=204 http.route=/scim/v2/Users/{id} network.protocol.version=1.1 scim.client=okta scim.request_id=r1 scim.tenant=acme url.scheme=http
  internal Transactor.InTx
    internal MemberStore.GroupsOf
    internal Store.Delete
    internal Store.Update
    internal MemberStore.GroupsOf
    internal Store.Delete
`},
		{"GET", "/Users/ann@example.com", "", "an unknown id is no failure, and not in the span",
			`server GET /scim/v2/Users/{id} http.request.method=GET http.response.status_code=404 http.route=/scim/v2/Users/{id} network.protocol.version=1.1 scim.client=okta scim.request_id=r1 scim.tenant=acme url.scheme=http
  internal Store.Get error.type=404
`},
		{"GET", "https://any/Users?filter=userName+eq+ann", "", "a tolerance; the filter is not in the span",
			`server GET /scim/v2/Users http.request.method=GET http.response.status_code=200 http.route=/scim/v2/Users network.protocol.version=1.1 scim.client=okta scim.request_id=r1 scim.tenant=acme scim.tolerances=["unquoted-literal"] url.scheme=https
  internal Store.List
`},
		{"GET", "/Users/fails", "", "a failure, without its text",
			`server GET /scim/v2/Users/{id} Error error.type=503 http.request.method=GET http.response.status_code=503 http.route=/scim/v2/Users/{id} network.protocol.version=1.1 scim.client=okta scim.request_id=r1 scim.tenant=acme url.scheme=http
`},
		{"GET", "/Users/aborts", "", "no answer",
			`server GET /scim/v2/Users/{id} Error error.type=aborted http.request.method=GET http.route=/scim/v2/Users/{id} network.protocol.version=1.1 scim.client=okta scim.request_id=r1 scim.tenant=acme url.scheme=http
`},
		{"ANN", "/ann@example.com", "", "neither a method nor a path of a client is a name",
			`server _OTHER http.request.method=_OTHER http.response.status_code=404 network.protocol.version=1.1 scim.client=okta scim.request_id=r1 scim.tenant=acme url.scheme=http
`},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			w := newWorld(t, otelscim.Options{Prefix: "/scim/v2"}, nil)
			_, bob, _ := strings.Cut(w.send("POST", "/Users", `{"userName":"bob"}`).Header().Get("Location"), "/Users/")
			w.text()
			w.send(tt.method, strings.Replace(tt.target, "{bob}", bob, 1), tt.body)
			if d := cmp.Diff(tt.want, w.text()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// resolver gives nobody a role.
type resolver struct{}

func (resolver) ResolveRoles(context.Context, scim.RoleSource) ([]scim.Role, error) {
	return []scim.Role{{ID: "editor", Name: "editor"}}, nil
}
func (resolver) HeldRoles(context.Context, []string) (map[string][]scim.Role, error) { return nil, nil }
func (resolver) ChangeRoles(context.Context, []scim.RoleChange) error {
	return errors.New("no role for ann@example.com")
}

// A reconciliation of roles is a span with the calls that it makes.
func TestSpansOfRoles(t *testing.T) {
	w := newWorld(t, otelscim.Options{}, func(c *scim.Config) {
		c.TenantFor, c.Store = nil, memory.New()
		c.Roles = &scim.Roles{Resolver: resolver{}, Separate: true}
	})
	out := w.send("POST", "/Users", `{"userName":"ann"}`)
	_, id, _ := strings.Cut(out.Header().Get("Location"), "/Users/")
	w.text()
	w.send("POST", "/Groups", `{"displayName":"editor","members":[{"value":"`+id+`"}]}`)
	text := w.text()
	_, from, _ := strings.Cut(text, "\n  internal reconcile")
	if !strings.HasPrefix(from, " Error error.type=500\n") || strings.Contains(text, "ann@") {
		t.Errorf("the reconciliation has not failed, or the spans say who it was:\n%s", text)
	}
	if !strings.Contains(from, "\n      internal RoleResolver.ChangeRoles Error error.type=500\n") {
		t.Errorf("the failed call is not below the reconciliation and its transaction:\n%s", text)
	}
}

// A client does not decide what is sampled, and does not write into traces of others.
func TestParent(t *testing.T) {
	const sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	traceID := "0af7651916cd43dd8448eb211c80319c"
	both := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	for _, tt := range []struct {
		name     string
		o        otelscim.Options
		isWithin bool // the application has a span for the request already
		isSame   bool // the request belongs to the trace of the client
		hasLink  bool
		kind     trace.SpanKind
	}{
		{"nothing is read by default", otelscim.Options{}, false, false, false, trace.SpanKindServer},
		{"a link to a stranger's trace", otelscim.Options{Propagator: both}, false, false, true, trace.SpanKindServer},
		{"a part of a gateway's trace", otelscim.Options{Propagator: both, TrustParent: true}, false, true, false, trace.SpanKindServer},
		{"a part of the application's trace", otelscim.Options{Propagator: both, TrustParent: true}, true, false, false, trace.SpanKindInternal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.o, nil)
			r := httptest.NewRequest("GET", "/Users/1", nil)
			if tt.isWithin {
				ctx, span := w.tracer.Tracer("app").Start(t.Context(), "app")
				defer span.End()
				r = r.WithContext(ctx)
			}
			w.sendRequest(r, "Traceparent: "+sent, "Baggage: user=ann")
			spans := w.spans.GetSpans()
			s := spans[len(spans)-1]
			if isSame := s.SpanContext.TraceID().String() == traceID; isSame != tt.isSame {
				t.Errorf("the trace is %s", s.SpanContext.TraceID())
			}
			if hasLink := len(s.Links) == 1 && s.Links[0].SpanContext.TraceID().String() == traceID; hasLink != tt.hasLink {
				t.Errorf("links: %v", s.Links)
			}
			if s.SpanKind != tt.kind {
				t.Errorf("kind %s, want %s", s.SpanKind, tt.kind)
			}
		})
	}
}

// With Share some requests have spans, and all are measured. A trace that is sampled already goes on.
func TestShare(t *testing.T) {
	const requests = 200
	for _, tt := range []struct {
		name        string
		share       float64
		parent      string // traceparent of a trusted gateway
		least, most int    // spans of requests
	}{
		{"by default all", 0, "", requests, requests},
		{"one of two", 0.5, "", 50, 150}, // seven standard deviations
		{"all", 1, "", requests, requests},
		{"a sampled trace", 0.001, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", requests, requests},
		{"a trace that is not sampled", 0.001, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", 0, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, otelscim.Options{Share: tt.share, TrustParent: true, Propagator: propagation.TraceContext{}}, nil)
			for range requests {
				w.send("GET", "/Users/ann", "", "Traceparent: "+tt.parent)
			}
			spans := 0
			for _, s := range w.spans.GetSpans() {
				if s.SpanKind == trace.SpanKindServer {
					spans++
				}
			}
			if spans < tt.least || spans > tt.most {
				t.Errorf("%d of %d requests have spans, want %d to %d", spans, requests, tt.least, tt.most)
			}
			if text := w.metrics(); !strings.Contains(text, fmt.Sprintf("bounds) %d ", requests)) {
				t.Errorf("not all requests are measured:\n%s", text)
			}
		})
	}
	for _, share := range []float64{-0.1, 1.1, math.NaN()} {
		if _, err := otelscim.New(otelscim.Options{Share: share}); err == nil {
			t.Errorf("Share %v is accepted", share)
		}
	}
}

// Who does not sample a request pays for no child spans.
func TestNotSampled(t *testing.T) {
	o, err := otelscim.New(otelscim.Options{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := o.Begin(t.Context(), httptest.NewRequest("GET", "/Users", nil), "r1")
	if n := testing.AllocsPerRun(10, func() {
		if in, end := o.BeginCall(ctx, "Store.Get"); in != ctx || end != nil {
			t.Error("a call that is not sampled has a span")
		}
	}); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
	end(scim.Outcome{Status: 200})
}

func (w *world) metrics() string {
	w.t.Helper()
	var all metricdata.ResourceMetrics
	if err := w.reader.Collect(context.Background(), &all); err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					lines = append(lines, fmt.Sprintf("%s (%s, %d bounds) %d%s", m.Name, m.Unit, len(p.Bounds), p.Count, labels(p.Attributes.ToSlice())))
					if p.Sum <= 0 || p.Sum > float64(time.Minute/time.Second) {
						w.t.Errorf("%s: %f seconds", m.Name, p.Sum)
					}
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					lines = append(lines, fmt.Sprintf("%s (%s) %d%s", m.Name, m.Unit, p.Value, labels(p.Attributes.ToSlice())))
				}
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

func TestMetrics(t *testing.T) {
	requests := func(w *world) {
		for i := range 3 {
			w.send("GET", fmt.Sprintf("/Users/ann%d@example.com", i), "")
		}
		for i := range 3 {
			w.send(fmt.Sprintf("ANN%d", i), fmt.Sprintf("/ann%d", i), "")
		}
		w.send("GET", "/Users?filter=userName+eq+ann", "")
		w.send("GET", "/Users/fails", "", "X-Forwarded-Proto: https")
		w.send("GET", "/Users/aborts", "")
		w.send("GET", "/Users", "", "Authorization: Bearer wrong")
	}
	for _, tt := range []struct {
		name string
		o    otelscim.Options
		want string
	}{
		{"labels are bounded", otelscim.Options{}, `http.server.active_requests ({request}) 0 http.request.method=GET url.scheme=http
http.server.active_requests ({request}) 0 http.request.method=_OTHER url.scheme=http
http.server.request.duration (s, 14 bounds) 1 error.type=503 http.request.method=GET http.response.status_code=503 http.route=/Users/{id} network.protocol.version=1.1 url.scheme=http
http.server.request.duration (s, 14 bounds) 1 error.type=aborted http.request.method=GET http.route=/Users/{id} network.protocol.version=1.1 url.scheme=http
http.server.request.duration (s, 14 bounds) 1 http.request.method=GET http.response.status_code=200 http.route=/Users network.protocol.version=1.1 url.scheme=http
http.server.request.duration (s, 14 bounds) 1 http.request.method=GET http.response.status_code=401 network.protocol.version=1.1 url.scheme=http
http.server.request.duration (s, 14 bounds) 3 http.request.method=GET http.response.status_code=404 http.route=/Users/{id} network.protocol.version=1.1 url.scheme=http
http.server.request.duration (s, 14 bounds) 3 http.request.method=_OTHER http.response.status_code=404 network.protocol.version=1.1 url.scheme=http
scim.tolerances ({use}) 1 scim.tolerance=unquoted-literal
`},
		{"tenants are labels", otelscim.Options{Tenants: true, Prefix: "/scim"}, `http.server.active_requests ({request}) 0 http.request.method=GET url.scheme=http
http.server.active_requests ({request}) 0 http.request.method=_OTHER url.scheme=http
http.server.request.duration (s, 14 bounds) 1 error.type=503 http.request.method=GET http.response.status_code=503 http.route=/scim/Users/{id} network.protocol.version=1.1 scim.tenant=acme url.scheme=http
http.server.request.duration (s, 14 bounds) 1 error.type=aborted http.request.method=GET http.route=/scim/Users/{id} network.protocol.version=1.1 scim.tenant=acme url.scheme=http
http.server.request.duration (s, 14 bounds) 1 http.request.method=GET http.response.status_code=200 http.route=/scim/Users network.protocol.version=1.1 scim.tenant=acme url.scheme=http
http.server.request.duration (s, 14 bounds) 1 http.request.method=GET http.response.status_code=401 network.protocol.version=1.1 url.scheme=http
http.server.request.duration (s, 14 bounds) 3 http.request.method=GET http.response.status_code=404 http.route=/scim/Users/{id} network.protocol.version=1.1 scim.tenant=acme url.scheme=http
http.server.request.duration (s, 14 bounds) 3 http.request.method=_OTHER http.response.status_code=404 network.protocol.version=1.1 scim.tenant=acme url.scheme=http
scim.tolerances ({use}) 1 scim.tenant=acme scim.tolerance=unquoted-literal
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.o, nil)
			requests(w)
			if d := cmp.Diff(tt.want, w.metrics()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
