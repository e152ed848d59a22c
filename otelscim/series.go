package otelscim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/scimkit/scim"
)

const failed = codes.Error

// series are the labels of a metric. None of them is a text of a client. It is small, because each
// request looks its series up.
type series struct {
	route, tenant       string // route is below the endpoint; "" for none
	status              int    // 0 for none
	method              method
	protocol            protocol
	isSecure, isAborted bool
}

// failure is the error.type, "" if the server did not fail. A refusal is no failure of the server.
func (s *series) failure() string {
	switch {
	case s.isAborted:
		return "aborted"
	case s.status >= http.StatusInternalServerError:
		return strconv.Itoa(s.status)
	}
	return ""
}

// maxLabels is how many labels a series has at most, and maxOfRequest how many more its span has.
const (
	maxLabels    = 6
	maxOfRequest = 4
)

// labels are the attributes of a series by the conventions.
func (o *observer) labels(s *series) []attribute.KeyValue {
	all := append(make([]attribute.KeyValue, 0, maxLabels), semconv.HTTPRequestMethodKey.String(s.method.String()), semconv.URLScheme(schemes[schemeOf(s.isSecure)]))
	if version := s.protocol.String(); version != "" {
		all = append(all, semconv.NetworkProtocolVersion(version))
	}
	if s.route != "" {
		all = append(all, semconv.HTTPRoute(o.o.Prefix+s.route))
	}
	if s.status != 0 {
		all = append(all, semconv.HTTPResponseStatusCode(s.status))
	}
	if failure := s.failure(); failure != "" {
		all = append(all, semconv.ErrorTypeKey.String(failure))
	}
	return all
}

// maxCached is how many series a cache keeps. Further ones cost a few allocations each time.
const maxCached = 1024

// described is what the SDK is told of each request of a series.
type described struct {
	options []metric.RecordOption
	span    string // the name of a span, "" if there is no route
	labels  []attribute.KeyValue
}

// cache keeps series described, because sorting their labels costs more than all the rest. A
// map is never changed: a request that makes a series puts a new map in its place.
type cache struct {
	known atomic.Pointer[map[series]*described]
}

// described describes a series.
func (o *observer) described(s series) *described {
	known := o.series.known.Load()
	if known != nil {
		if d, ok := (*known)[s]; ok {
			return d
		}
	}
	made := &described{labels: o.labels(&s)}
	if s.route != "" {
		made.span = s.method.String() + " " + o.o.Prefix + s.route
	}
	labels := slices.Clone(made.labels)
	if s.tenant != "" {
		labels = append(labels, attribute.String("scim.tenant", s.tenant))
	}
	made.options = []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(labels...))}
	more := map[series]*described{}
	if known != nil {
		if len(*known) >= maxCached {
			return made
		}
		more = maps.Clone(*known)
	}
	more[s] = made
	o.series.known.CompareAndSwap(known, &more) // if another request was faster, the next one comes here again
	return made
}

// describe puts what became of a request into its span.
func (o *observer) describe(span trace.Span, s *series, out *scim.Outcome, requestID string) {
	d := o.described(*s)
	if d.span != "" {
		span.SetName(d.span)
	}
	all := append(append(make([]attribute.KeyValue, 0, maxLabels+maxOfRequest), d.labels...), attribute.String("scim.request_id", requestID))
	if out.Tenant != "" {
		all = append(all, attribute.String("scim.tenant", out.Tenant))
	}
	if out.Principal != "" {
		all = append(all, attribute.String("scim.client", out.Principal))
	}
	if len(out.Tolerances) > 0 {
		names := make([]string, len(out.Tolerances))
		for i, n := range out.Tolerances {
			names[i] = string(n)
		}
		all = append(all, attribute.StringSlice("scim.tolerances", names))
	}
	span.SetAttributes(all...)
	if s.failure() != "" {
		span.SetStatus(failed, "") // the text of out.Err may name people
	}
}

// protocol is a version of HTTP: ten times the major version and the minor one.
type protocol uint8

func protocolOf(r *http.Request) protocol {
	if r.ProtoMajor < 1 || r.ProtoMajor > 3 || r.ProtoMinor < 0 || r.ProtoMinor > 9 {
		return 0
	}
	return protocol(r.ProtoMajor*10 + r.ProtoMinor)
}

// String is the version as the conventions write it, "" for an unknown one.
func (p protocol) String() string {
	switch p {
	case 11:
		return "1.1"
	case 10:
		return "1.0"
	case 20:
		return "2"
	case 30:
		return "3"
	}
	return ""
}

// isAborted reports whether there is no answer, or a part of one.
func isAborted(out *scim.Outcome) bool {
	return out.Status == 0 || out.Err != nil && out.Status < http.StatusBadRequest
}

// errorType is the error.type of a call, "" if it has not failed. isFailure says whether it is more
// than a refusal, such as that of an unknown resource.
func errorType(err error) (kind string, isFailure bool) {
	if err == nil {
		return "", false // before e is allocated
	}
	var e *scim.Error
	switch {
	case errors.As(err, &e):
		return strconv.Itoa(e.Status), e.Status >= http.StatusInternalServerError
	case errors.Is(err, scim.ErrNotFound), errors.Is(err, scim.ErrNoRole):
		return "404", false
	case errors.Is(err, context.Canceled):
		return "canceled", true
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout", true
	}
	return fmt.Sprintf("%T", err), true
}
