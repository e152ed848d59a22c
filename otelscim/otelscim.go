// Package otelscim reports the requests of a scim.Handler to OpenTelemetry, by its semantic
// conventions for HTTP servers (https://opentelemetry.io/docs/specs/semconv/http/). It is a module
// of its own, so that applications without OpenTelemetry do not get it.
//
//	o, err := otelscim.New(otelscim.Options{})
//	…
//	h, err := scim.New(scim.Config{Observers: []scim.Observer{o}, …})
//
// # Spans
//
// Each request is a span, such as "PATCH /Users/{id}", with http.request.method, http.route,
// http.response.status_code, url.scheme, network.protocol.version and, if it fails, error.type. It
// also has scim.request_id, scim.tenant, scim.client and scim.tolerances. Each call of the store, the
// ledger and the resolver is a child span, and so is each reconciliation of roles. Work outside
// requests gets these spans too if its context has a span that is recorded.
//
// Spans have no data of people: no path, query, address or text of an error. So url.path and
// client.address are missing, although the conventions ask for the first one.
//
// # Metrics
//
// The histogram http.server.request.duration is in seconds. http.server.active_requests is the number
// of requests that have not ended. The counter scim.tolerances says how often requests used each
// tolerance. All labels are from closed lists: the method is one that HTTP
// has or "_OTHER", and the route is a pattern. The tenant is a label only if Options.Tenants is set.
//
// Do not put otelhttp's handler around the same requests, unless you drop the metrics of one of
// them: both measure http.server.request.duration.
package otelscim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/trace"

	"github.com/scimkit/scim"
)

// name is the instrumentation scope.
const name = "github.com/scimkit/scim/otelscim"

// Options configures an Observer. All fields may be zero.
type Options struct {
	// TracerProvider makes the spans. Nil: that of otel.GetTracerProvider.
	TracerProvider trace.TracerProvider
	// MeterProvider makes the metrics. Nil: that of otel.GetMeterProvider.
	MeterProvider metric.MeterProvider
	// Prefix is where the handler is mounted, such as "/scim/v2". Routes begin with it.
	Prefix string
	// Share is the part of requests that get spans, chosen by chance: 0.1 is one of ten. The others do not
	// ask the TracerProvider, which costs more than its answer is worth. A request within a trace that is
	// sampled, by the application or a trusted gateway, always gets spans. The sampler of the
	// TracerProvider then decides about those that are left. Default, and 1: all requests.
	Share float64
	// Tenants makes scim.tenant a label of metrics. Each tenant then has series of its own. The SDK
	// bounds their number, 2,000 by default, and counts the rest together. Default: only spans
	// have it.
	Tenants bool
	// TrustParent makes the trace of the client the parent of a request's span, as read by
	// Propagator, and takes its baggage. Set it if a gateway of your own sends the trace. By default
	// a request begins a trace of its own, with a link to that of the client. Otherwise any client
	// decides what is sampled, and writes into traces of others.
	TrustParent bool
	// Propagator reads the trace of the client. Nil: that of otel.GetTextMapPropagator, which reads
	// nothing by default.
	Propagator propagation.TextMapPropagator
}

// New makes an Observer. It fails if Share is not between 0 and 1, or the MeterProvider refuses an instrument.
func New(o Options) (scim.CallObserver, error) {
	if !(o.Share >= 0 && o.Share <= 1) {
		return nil, fmt.Errorf("otelscim: Share is %v: it must be between 0 and 1", o.Share)
	}
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	if o.Propagator == nil {
		o.Propagator = otel.GetTextMapPropagator()
	}
	meter := o.MeterProvider.Meter(name, metric.WithSchemaURL(semconv.SchemaURL))
	duration, err := httpconv.NewServerRequestDuration(meter)
	if err != nil {
		return nil, fmt.Errorf("otelscim: the histogram of durations: %w", err)
	}
	tolerances, err := meter.Int64Counter("scim.tolerances", metric.WithUnit("{use}"),
		metric.WithDescription("Requests that used a tolerance: something that the RFCs do not require a server to accept."))
	if err != nil {
		return nil, fmt.Errorf("otelscim: the counter of tolerances: %w", err)
	}
	made := &observer{o: o, tracer: o.TracerProvider.Tracer(name, trace.WithSchemaURL(semconv.SchemaURL)), duration: duration.Inst(), tolerances: tolerances}
	if err := made.collect(meter); err != nil {
		return nil, fmt.Errorf("otelscim: the number of active requests: %w", err)
	}
	return made, nil
}

type observer struct {
	o          Options
	tracer     trace.Tracer
	duration   metric.Float64Histogram
	tolerances metric.Int64Counter
	series     cache
	pending    pending
	active     active
}

var (
	asServer   = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}
	asInternal = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindInternal)}
)

// Begin implements scim.Observer.
func (o *observer) Begin(ctx context.Context, r *http.Request, requestID string) (context.Context, func(scim.Outcome)) {
	method, protocol, isSecure := methodOf(r), protocolOf(r), r.TLS != nil
	ctx, span := o.start(ctx, r, method.String())
	ended := o.active.begin(method, isSecure)
	// The closure changes none of these, so it is the only thing that is allocated for them.
	return ctx, func(out scim.Outcome) {
		s := series{method: method, protocol: protocol, isSecure: isSecure, route: out.Route, status: out.Status, isAborted: isAborted(&out)}
		if o.o.Tenants {
			s.tenant = out.Tenant
		}
		if span.IsRecording() {
			o.describe(span, &s, &out, requestID)
		}
		o.record(span.SpanContext(), out.Duration.Seconds(), s)
		for _, n := range out.Tolerances {
			o.countTolerance(ctx, string(n), out.Tenant)
		}
		span.End()
		ended.Add(1)
	}
}

// noSpan is the span of a request that has none.
var noSpan = trace.SpanFromContext(context.Background())

// start starts the span of a request.
func (o *observer) start(ctx context.Context, r *http.Request, method string) (context.Context, trace.Span) {
	if trace.SpanContextFromContext(ctx).IsValid() { // the application has a span for the request
		return o.tracer.Start(ctx, method, asInternal...)
	}
	headers := propagation.HeaderCarrier(r.Header)
	if o.o.TrustParent {
		ctx = o.o.Propagator.Extract(ctx, headers)
	}
	if o.o.Share > 0 && o.o.Share < 1 && !trace.SpanContextFromContext(ctx).IsSampled() && rand.Float64() >= o.o.Share {
		return ctx, noSpan
	}
	if o.o.TrustParent {
		return o.tracer.Start(ctx, method, asServer...)
	}
	if sent := trace.SpanContextFromContext(o.o.Propagator.Extract(context.Background(), headers)); sent.IsValid() {
		return o.tracer.Start(ctx, method, asServer[0], trace.WithLinks(trace.Link{SpanContext: sent}))
	}
	return o.tracer.Start(ctx, method, asServer...)
}

// BeginCall implements scim.CallObserver.
func (o *observer) BeginCall(ctx context.Context, name string) (context.Context, func(error)) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, nil
	}
	ctx, span := o.tracer.Start(ctx, name)
	return ctx, func(err error) {
		if kind, isFailure := errorType(err); kind != "" {
			span.SetAttributes(semconv.ErrorTypeKey.String(kind))
			if isFailure {
				span.SetStatus(failed, "") // the text of err may name people
			}
		}
		span.End()
	}
}

func (o *observer) countTolerance(ctx context.Context, tolerance, tenant string) {
	labels := []attribute.KeyValue{attribute.String("scim.tolerance", tolerance)}
	if o.o.Tenants {
		labels = append(labels, attribute.String("scim.tenant", tenant))
	}
	o.tolerances.Add(ctx, 1, metric.WithAttributes(labels...))
}
