package endpoint

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/secret"
	"github.com/scimkit/scim/internal/tolerance"
)

// visit is what the log and the observers learn of a request. Each field is empty until the
// handler knows it.
type visit struct {
	id     string // see idOf
	began  time.Time
	tenant string
	client string
	at     *route
	status int
	used   []tolerance.Name
	err    error // why the request failed
	named  *int  // how many members the request has named; nil before a write
}

// use adds tolerances that an operation used.
func (v *visit) use(names []tolerance.Name) {
	for _, n := range names {
		if !slices.Contains(v.used, n) {
			v.used = append(v.used, n)
		}
	}
}

const (
	requestID = "X-Request-Id"
	maxID     = 64
)

// idOf is the id that the client, or a proxy before it, gave to a request, if the log can show
// it. Otherwise it is a new one. It need not be secret, only be different from others.
func idOf(r *http.Request) string {
	if list := r.Header[requestID]; len(list) == 1 && isCleanID(list[0]) {
		return list[0]
	}
	var b [16]byte
	binary.NativeEndian.PutUint64(b[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(b[8:], rand.Uint64())
	var text [2 * len(b)]byte
	hex.Encode(text[:], b[:])
	return string(text[:])
}

// isCleanID reports whether the log may show the id that a client gave to a request.
func isCleanID(id string) bool {
	if id == "" || len(id) > maxID || secret.IsIn(id) {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', strings.IndexByte("-_.:", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// arrive begins a visit. The answer has its id. The request runs in ctx. end is nil if nobody watches.
func (s *Server) arrive(w http.ResponseWriter, r *http.Request, v *visit) (ctx context.Context, end func(host.Outcome)) {
	v.id, v.began = idOf(r), time.Now()
	w.Header()[requestID] = []string{v.id}
	if s.c.Watchers.Observer == nil {
		return r.Context(), nil
	}
	return s.c.Watchers.Observer.Begin(r.Context(), r, v.id)
}

// leave ends a visit: the log gets a line, and the observers the outcome.
func (s *Server) leave(ctx context.Context, method string, v *visit, end func(host.Outcome)) {
	isLogged := s.c.Log.Enabled(ctx, slog.LevelInfo)
	if !isLogged && end == nil {
		return
	}
	route, took := v.at.pattern(), time.Since(v.began)
	if isLogged {
		s.c.Log.LogAttrs(ctx, slog.LevelInfo, "scim: request", slog.String("request", v.id), slog.String("tenant", v.tenant), slog.String("client", v.client),
			slog.String("method", knownMethod(method)), slog.String("route", route), slog.Int("status", v.status), slog.Duration("duration", took),
			slog.Any("tolerances", v.used))
	}
	if end != nil {
		end(host.Outcome{Route: route, Tenant: v.tenant, Principal: v.client, Status: v.status, Duration: took, Tolerances: v.used, Err: v.err})
	}
}

// knownMethod is a method for the log. A client may send any text as one.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "_OTHER"
}

// maxLogged is how many bytes of a path the log shows, and maxCause is the same for an error.
const (
	maxLogged = 300
	maxCause  = 2000
)

// logRefusal logs why a request, or an operation of a bulk request, failed. It shows the path
// only if that has no route: without it nobody finds the mistake in a client's base address.
func (s *Server) logRefusal(ctx context.Context, v *visit, method string, at *route, path string, e *fault.Error) {
	level := slog.LevelInfo
	if e.Status >= 500 && e.Status != http.StatusNotImplemented {
		level = slog.LevelError
	}
	if !s.c.Log.Enabled(ctx, level) {
		return
	}
	where := slog.String("route", at.pattern())
	if at == nil && e.Status == http.StatusNotFound {
		where = slog.String("path", fault.ClipTo(maxLogged, path))
	}
	cause := ""
	if e.Err != nil {
		cause = fault.ClipTo(maxCause, fmt.Sprint(e.Err))
	}
	s.c.Log.LogAttrs(ctx, level, "scim: refused", slog.String("request", v.id), slog.String("method", fault.Clip(method)), where,
		slog.Int("status", e.Status), slog.String("type", e.Type), slog.String("detail", e.Detail), slog.String("cause", cause))
}
