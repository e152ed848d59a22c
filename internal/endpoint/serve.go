package endpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/address"
	"github.com/scimkit/scim/internal/deadline"
	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/roles"
	"github.com/scimkit/scim/internal/tolerance"
	"github.com/scimkit/scim/internal/wire"
)

// answer is what an operation gives back to the client.
type answer struct {
	status         int
	location, etag string
	body           []byte
}

// operation is one client operation in the making. Its events are delivered after
// commit.
type operation struct {
	h      *Server
	t      *tenant
	who    host.Principal
	at     *route // that the request takes; nil in background work
	base   string // absolute address of the endpoint, without a slash at the end
	params params
	header http.Header
	self   bool // by way of /Me
	use    *tolerance.Use
	w      *roles.Work
	force  bool // take a creation back even if roles cannot be changed now
	// adopted are the resources, as they were before, that creations took over.
	adopted []*doc.Document
	listed  map[*model.Type]error // what Allow says about listing a type: see mayList
}

// serve handles one request: authenticate, find tenant and route, read the body, act,
// answer. Nothing of the request is parsed before it is authenticated.
func (h *Server) serve(w http.ResponseWriter, r *http.Request) {
	if h.c.Tracer != nil {
		t := h.c.Tracer.Begin(w, r)
		w = t
		defer t.End()
	}
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			host.Answer(h.panicked(r.Method, p)).Write(w)
		}
	}()
	ctx, cancel := deadline.With(r.Context(), h.c.Limits.Time)
	defer cancel()
	a, err := h.answer(ctx, w, r.WithContext(ctx))
	if err != nil {
		e := host.Answer(err)
		h.refused(ctx, r.Method, r.URL.Path, e)
		(*fault.Error)(e).Write(w)
		return
	}
	hd := w.Header()
	hd.Set("Cache-Control", "no-store")
	if a.location != "" {
		hd.Set("Location", a.location)
		if a.body != nil { // RFC 7643, Section 3.1: it is meta.location
			hd.Set("Content-Location", a.location)
		}
	}
	if a.etag != "" {
		hd.Set("Etag", a.etag) // in this spelling it is not looked at twice
	}
	if a.body != nil {
		hd.Set("Content-Type", wire.ContentType)
		hd.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		w.Write(a.body) //nolint:errcheck // the client is gone
	}
}

// refused logs a request, or an operation of a bulk request, that failed.
func (h *Server) refused(ctx context.Context, method, path string, e *fault.Error) {
	level := slog.LevelInfo
	if e.Status >= 500 && e.Status != http.StatusNotImplemented {
		level = slog.LevelError
	}
	h.c.Log.Log(ctx, level, "scim: refused", "method", method, "path", path, "status", e.Status,
		"type", e.Type, "detail", e.Detail, "cause", fmt.Sprint(e.Err))
}

// panicked logs a panic of the host's code and makes it an error.
func (h *Server) panicked(method string, p any) error {
	h.c.Log.Error("scim: panic", "method", method, "error", fmt.Sprint(p), "stack", string(debug.Stack()))
	return errors.New("panic")
}

func (h *Server) answer(ctx context.Context, w http.ResponseWriter, r *http.Request) (*answer, error) {
	who, denied := h.c.Auth.Authenticate(r)
	if denied != nil {
		denied = h.unauthenticated(w, denied)
		// Only a missing authentication may be passed over: an endpoint that is not
		// there, or that is off, stays so for everyone.
		if !h.c.OpenDiscovery || host.Answer(denied).Status != http.StatusUnauthorized {
			return nil, denied
		}
		who = host.Principal{}
	}
	t, err := h.tenantOf(ctx, who)
	if err != nil {
		return nil, cmp.Or(denied, err)
	}
	rt, err := t.route(r)
	if denied != nil && (err != nil || !rt.open) {
		return nil, denied
	}
	if denied != nil {
		w.Header().Del("WWW-Authenticate")
	}
	if err != nil {
		return nil, err
	}
	if !acceptable(r.Header.Values("Accept")) {
		return nil, fault.Refuse(http.StatusNotAcceptable, "", "Accept must admit "+wire.ContentType+" or application/json")
	}
	o := &operation{h: h, t: t, who: who, at: rt, base: address.Base(r, t.BaseURL, rt.tail, h.c.TrustedProxies), header: r.Header, use: t.Tolerances.Use(), w: h.c.Engine.Begin(t.Tenant, who.ID)}
	if o.params, err = parseParams(r.URL.RawQuery); err != nil {
		return nil, err
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	act := rt.methods[method]
	if act == nil {
		if rt.off != nil {
			return nil, rt.off
		}
		w.Header().Set("Allow", rt.allow())
		return nil, fault.Refuse(http.StatusMethodNotAllowed, "", r.Method+" is not possible here; possible: "+rt.allow())
	}
	var body []byte
	if method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch {
		if body, err = h.body(w, r, rt); err != nil {
			return nil, err
		}
	}
	a, err := act(o, ctx, body)
	o.deliver(ctx)
	return a, err
}

// unauthenticated makes the answer for an error of the Authenticator.
func (h *Server) unauthenticated(w http.ResponseWriter, err error) error {
	var e *fault.Error
	switch {
	case errors.Is(err, host.ErrNotFound):
		return noEndpoint()
	case !errors.As(err, &e):
		e = &fault.Error{Status: http.StatusUnauthorized, Detail: "authentication is needed", Err: err}
	}
	if e.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", h.c.Auth.Challenge())
	}
	return e
}

func noEndpoint() *fault.Error {
	return &fault.Error{Status: http.StatusNotFound, Detail: "there is no SCIM endpoint here"}
}

func (h *Server) tenantOf(ctx context.Context, who host.Principal) (*tenant, error) {
	t, err := h.c.TenantOf(ctx, who)
	switch {
	case errors.Is(err, host.ErrNotFound):
		return nil, noEndpoint()
	case err != nil:
		return nil, err
	}
	return &tenant{t, directory.Of(t)}, nil
}

// body reads a request's body within its limit.
func (h *Server) body(w http.ResponseWriter, r *http.Request, rt *route) ([]byte, error) {
	if ct := r.Header.Get("Content-Type"); ct != "" {
		// Some clients name no type: Okta on GET, hand-made ones everywhere.
		m, _, err := mime.ParseMediaType(ct)
		if err != nil || !strings.EqualFold(m, wire.ContentType) && !strings.EqualFold(m, "application/json") {
			return nil, fault.Refuse(http.StatusUnsupportedMediaType, "", "Content-Type must be "+wire.ContentType+" or application/json")
		}
	}
	limit := h.c.Limits.Body
	if rt.long {
		limit = h.c.Limits.GroupBody
	}
	if rt.bulk {
		limit = h.c.Limits.BulkBody
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return nil, fault.Refuse(http.StatusRequestEntityTooLarge, "", fmt.Sprintf("the body is larger than %d bytes", limit))
	case err != nil:
		return nil, &fault.Error{Status: http.StatusBadRequest, Type: "invalidSyntax", Detail: "the body could not be read", Err: err}
	}
	return b, nil
}

// acceptable reports whether an Accept header admits JSON. None admits everything.
func acceptable(accept []string) bool {
	any := false
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			m, _, _ := strings.Cut(part, ";")
			switch strings.ToLower(strings.TrimSpace(m)) {
			case "":
			case "*/*", "application/*", "application/json", wire.ContentType:
				return true
			default:
				any = true
			}
		}
	}
	return !any
}

// deliver hands the events over.
func (o *operation) deliver(ctx context.Context) {
	for _, n := range o.use.Used() {
		o.w.Tell(host.Event{Kind: host.ToleranceUsed, Tolerance: string(n)})
	}
	if len(o.use.Used()) > 0 {
		o.h.c.Log.DebugContext(ctx, "scim: tolerances used", "client", o.who.ID, "names", o.use.Used())
	}
	o.w.Deliver(ctx)
}

// allow asks the tenant whether an operation may be done.
func (o *operation) allow(ctx context.Context, op host.Op, t *model.Type, id string, q *host.Query) error {
	if o.t.Allow == nil {
		return nil
	}
	err := o.t.Allow(ctx, host.Access{Op: op, Type: t.Name, ID: id, Query: q, Principal: o.who})
	var e *fault.Error
	if err != nil && !errors.As(err, &e) {
		return &fault.Error{Status: http.StatusForbidden, Detail: "this token may not do that", Err: err}
	}
	return err
}

// mayList asks the tenant, once in a request, whether resources of t may be listed, and
// so be shown in resources of other types.
func (o *operation) mayList(ctx context.Context, t *model.Type) error {
	if o.t.Allow == nil {
		return nil
	}
	err, asked := o.listed[t]
	if !asked {
		if o.listed == nil {
			o.listed = map[*model.Type]error{}
		}
		err = o.allow(ctx, host.OpList, t, "", &host.Query{})
		o.listed[t] = err
	}
	return err
}

func (o *operation) now() time.Time { return o.h.c.Now().UTC().Truncate(time.Microsecond) }
