package endpoint

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/scimkit/scim/internal/address"
	"github.com/scimkit/scim/internal/admission"
	"github.com/scimkit/scim/internal/deadline"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/wire"
)

// ServeHTTP serves one request: it authenticates, finds the tenant and the route, reads the
// body, acts and answers. It parses nothing before it has authenticated the client.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.c.Watchers.Tracer != nil {
		t := s.c.Watchers.Tracer.Begin(w, r)
		w = t
		defer t.End()
	}
	out := &sending{w: w, method: r.Method, buffers: &s.buffers}
	v := &out.visit
	watched, end := s.arrive(w, r, v)
	defer s.leave(watched, r.Method, v, end)
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				v.err = cmp.Or(v.err, http.ErrAbortHandler)
				panic(p)
			}
			v.err = host.LogPanic(s.c.Log, p, "request", v.id, "method", fault.Clip(r.Method))
			if out.isBegun {
				panic(http.ErrAbortHandler)
			}
			out.refuse(host.Answer(v.err))
		}
	}()
	s.limitBody(w, r)
	ctx, cancel := deadline.With(watched, s.c.Limits.Time)
	defer cancel()
	var turn admission.Turn
	defer func() { turn.Leave() }()
	q, act, body, err := s.receive(ctx, w, r.WithContext(ctx), v, &turn)
	if body != nil { // The time for the body does not count.
		ctx, cancel = deadline.With(watched, s.c.Limits.Time)
		defer cancel()
	}
	var a *answer
	if err == nil {
		ctx = host.WithPrincipal(ctx, q.who, v.id)
		a, err = act(ctx, q, body)
		q.deliver(ctx)
	}
	if err == nil {
		err = out.send(ctx, a)
	}
	if err == nil {
		return
	}
	v.err = err
	if errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	e := host.Answer(err)
	s.logRefusal(ctx, v, r.Method, v.at, r.URL.Path, e)
	if out.isBegun {
		panic(http.ErrAbortHandler) // the client must not take a part for the whole
	}
	out.refuse(e)
}

// receive accepts a request, gets its turn and reads its body. If it refuses the request,
// it leaves the body unread. body is nil for a method without one.
func (s *Server) receive(ctx context.Context, w http.ResponseWriter, r *http.Request, v *visit, turn *admission.Turn) (q *request, act action, body []byte, err error) {
	q, act, err = s.choose(ctx, w, r, v)
	hasBody := r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch
	size := int64(0)
	if err == nil && hasBody {
		size, err = checkBody(r, q.at.body)
	}
	if err == nil && !q.at.open { // Descriptions are small, and may be open to everybody.
		*turn, err = s.enter(ctx, q.t.ID, size)
	}
	if err == nil && hasBody {
		body, err = s.readBody(w, r, q.at.body)
		turn.Shrink(int64(len(body)))
	}
	if err != nil {
		s.leaveBody(w, r)
		return nil, nil, nil, err
	}
	return q, act, body, nil
}

// enter waits until a request may run.
func (s *Server) enter(ctx context.Context, tenant string, size int64) (admission.Turn, error) {
	turn, err := s.gate.Enter(ctx, tenant, size)
	if errors.Is(err, admission.ErrBusy) {
		err = &fault.Error{Status: http.StatusTooManyRequests, Detail: "there are too many requests at the same time: try again",
			RetryAfter: admission.Wait, Err: err}
	}
	return turn, err
}

// choose accepts a request and finds the action for its method.
func (s *Server) choose(ctx context.Context, w http.ResponseWriter, r *http.Request, v *visit) (*request, action, error) {
	q, err := s.accept(ctx, w, r, v)
	if err != nil {
		return nil, nil, err
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	act := q.at.methods[method]
	isOptions := method == http.MethodOptions && len(q.at.methods) > 0
	switch {
	case act != nil:
		return q, act, nil
	case !isOptions && q.at.off != nil:
		return nil, nil, q.at.off
	}
	w.Header().Set("Allow", q.at.allow())
	if isOptions {
		return q, func(context.Context, *request, []byte) (*answer, error) {
			return &answer{status: http.StatusNoContent}, nil
		}, nil
	}
	return nil, nil, fault.Refuse(http.StatusMethodNotAllowed, "", fault.Clip(r.Method)+" is not possible here; possible: "+q.at.allow())
}

// accept authenticates the client and finds the tenant, the route and the parameters.
func (s *Server) accept(ctx context.Context, w http.ResponseWriter, r *http.Request, v *visit) (*request, error) {
	who, denied := s.c.Auth.Authenticate(r)
	if denied != nil {
		denied = s.refusalOf(w, denied)
		// OpenDiscovery forgives only missing authentication. An unknown tenant or endpoint
		// stays an error for everybody.
		if !s.c.OpenDiscovery || host.Answer(denied).Status != http.StatusUnauthorized {
			return nil, denied
		}
		who = host.Principal{}
	}
	v.client = who.ID
	t, err := s.c.TenantOf(ctx, who)
	if errors.Is(err, host.ErrNotFound) {
		err = noEndpoint()
	}
	if err != nil {
		return nil, cmp.Or(denied, err)
	}
	at, err := (&router{&t.Types, t.Self, &s.c.Limits}).route(r)
	v.tenant, v.at = t.ID, at
	if denied == nil {
		if err := s.limit(ctx, w, r.Method, t, at); err != nil {
			return nil, err
		}
	}
	if denied != nil && (err != nil || !at.open) {
		return nil, denied
	}
	if denied != nil {
		w.Header().Del("WWW-Authenticate")
		who.Scopes = []string{} // nil would be all
	}
	if err != nil {
		return nil, err
	}
	if !isAcceptable(r.Header.Values("Accept")) {
		return nil, fault.Refuse(http.StatusNotAcceptable, "", "Accept must admit "+wire.ContentType+" or application/json")
	}
	if err := s.c.Engine.CheckOpen(ctx, t); err != nil && !at.open {
		return nil, err
	}
	q := s.begin(t, who, v)
	q.at, q.header = at, r.Header
	q.base = address.Base(r, t.BaseURL, at.tail, s.c.TrustedProxies)
	q.params, err = parseParams(r.URL.RawQuery)
	return q, err
}

// refusalOf makes the answer for an error of the Authenticator.
func (s *Server) refusalOf(w http.ResponseWriter, err error) error {
	var e *fault.Error
	switch {
	case errors.Is(err, host.ErrNotFound):
		return noEndpoint()
	case !errors.As(err, &e):
		e = &fault.Error{Status: http.StatusUnauthorized, Detail: "authentication is needed", Err: err}
	}
	if e.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", s.c.Auth.Challenge())
	}
	return e
}

func noEndpoint() *fault.Error {
	return &fault.Error{Status: http.StatusNotFound, Detail: "there is no SCIM endpoint here"}
}

// isAcceptable reports whether an Accept header admits JSON. An absent header admits
// everything.
func isAcceptable(accept []string) bool {
	others := false
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			m, _, _ := strings.Cut(part, ";")
			switch strings.ToLower(strings.TrimSpace(m)) {
			case "":
			case "*/*", "application/*", "application/json", wire.ContentType:
				return true
			default:
				others = true
			}
		}
	}
	return !others
}
