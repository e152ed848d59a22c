package otelscim

import (
	"context"
	"net/http"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// method is an index of methods.
type method uint8

// methods are the methods that a label may name: those of the conventions, and the name of all others.
var methods = [...]string{"_OTHER", http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodOptions, http.MethodConnect, http.MethodTrace}

func methodOf(r *http.Request) method {
	for i, name := range methods {
		if r.Method == name {
			return method(i)
		}
	}
	return 0
}

func (m method) String() string { return methods[m] }

// schemes are the schemes that a label may name.
var schemes = [...]string{"http", "https"}

func schemeOf(isSecure bool) int {
	if isSecure {
		return 1
	}
	return 0
}

// active counts the requests that are under way.
type active [len(methods)][len(schemes)]struct{ begun, ended atomic.Int64 }

// begin counts a request until end is called.
func (a *active) begin(m method, isSecure bool) (ended *atomic.Int64) {
	of := &a[m][schemeOf(isSecure)]
	of.begun.Add(1)
	return &of.ended
}

// observe reports the number for each label that there was. One that is 0 again stays, since a series
// that vanishes says nothing.
func (a *active) observe(o metric.Observer, as metric.Int64Observable) {
	for m := range a {
		for s := range a[m] {
			ended := a[m][s].ended.Load() // before begun, so that the difference is never negative
			if begun := a[m][s].begun.Load(); begun > 0 {
				o.ObserveInt64(as, begun-ended, metric.WithAttributes(semconv.HTTPRequestMethodKey.String(methods[m]), semconv.URLScheme(schemes[s])))
			}
		}
	}
}

// collect makes each collection take what waits, and count the active requests.
func (o *observer) collect(meter metric.Meter) error {
	number, err := meter.Int64ObservableUpDownCounter("http.server.active_requests", metric.WithUnit("{request}"),
		metric.WithDescription("Number of active HTTP server requests."))
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		o.tell(o.pending.take())
		o.active.observe(to, number)
		return nil
	}, number)
	return err
}
