package otelscim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
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

// series are the labels of a metric. None of them is a text of a client.
type series struct {
	method, scheme, protocol string
	route                    string // "" for none
	status                   int    // 0 for none
	failure                  string // error.type, "" for none
	tenant                   string // "" for none
}

// labels are the attributes of a series by the conventions.
func (s *series) labels() []attribute.KeyValue {
	all := []attribute.KeyValue{semconv.HTTPRequestMethodKey.String(s.method), semconv.URLScheme(s.scheme)}
	if s.protocol != "" {
		all = append(all, semconv.NetworkProtocolVersion(s.protocol))
	}
	if s.route != "" {
		all = append(all, semconv.HTTPRoute(s.route))
	}
	if s.status != 0 {
		all = append(all, semconv.HTTPResponseStatusCode(s.status))
	}
	if s.failure != "" {
		all = append(all, semconv.ErrorTypeKey.String(s.failure))
	}
	return all
}

// maxCached is how many series a cache keeps. Further ones cost a few allocations each time.
const maxCached = 1024

// cache keeps the options of series, because sorting their labels costs more than all the rest. A
// map is never changed: a request that makes a series puts a new map in its place.
type cache struct {
	known atomic.Pointer[map[series][]metric.RecordOption]
}

func (c *cache) options(s series) []metric.RecordOption {
	known := c.known.Load()
	if known != nil {
		if o, ok := (*known)[s]; ok {
			return o
		}
	}
	labels := s.labels()
	if s.tenant != "" {
		labels = append(labels, attribute.String("scim.tenant", s.tenant))
	}
	made := []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(labels...))}
	more := map[series][]metric.RecordOption{}
	if known != nil {
		if len(*known) >= maxCached {
			return made
		}
		more = maps.Clone(*known)
	}
	more[s] = made
	c.known.CompareAndSwap(known, &more) // if another request was faster, the next one comes here again
	return made
}

// describe puts what became of a request into its span.
func describe(span trace.Span, s *series, out *scim.Outcome, requestID string) {
	if s.route != "" {
		span.SetName(s.method + " " + s.route)
	}
	all := append(s.labels(), attribute.String("scim.request_id", requestID))
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
	if s.failure != "" {
		span.SetStatus(failed, "") // the text of out.Err may name people
	}
}

// knownMethod is a method of the closed list of the conventions.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return "_OTHER"
}

// protocol is the version of HTTP. net/http accepts no others.
func protocol(r *http.Request) string {
	switch {
	case r.ProtoMajor == 1 && r.ProtoMinor == 1:
		return "1.1"
	case r.ProtoMajor == 1:
		return "1.0"
	case r.ProtoMajor == 2:
		return "2"
	case r.ProtoMajor == 3:
		return "3"
	}
	return ""
}

// failure is the error.type of a request, "" if the server did not fail. A refusal is no failure of
// the server.
func failure(out scim.Outcome) string {
	switch {
	case out.Status == 0 || out.Err != nil && out.Status < http.StatusBadRequest:
		return "aborted" // there is no answer, or a part of one
	case out.Status >= http.StatusInternalServerError:
		return strconv.Itoa(out.Status)
	}
	return ""
}

// errorType is the error.type of a call, "" if it has not failed. isFailure says whether it is more
// than a refusal, such as that of an unknown resource.
func errorType(err error) (kind string, isFailure bool) {
	var e *scim.Error
	switch {
	case err == nil:
		return "", false
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
