package endpoint

import (
	"context"
	"net/http"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
)

// limit asks the Limiter about a request of an authenticated client. at is nil for an address
// without a route, which counts too: otherwise a client could send any number of such requests.
func (s *Server) limit(ctx context.Context, w http.ResponseWriter, method string, t *host.Tenant, at *route) error {
	if s.c.Limiter == nil {
		return nil
	}
	a, err := s.c.Limiter.Admit(ctx, t.ID, at != nil && at.mayTakeAway(method))
	if err != nil {
		return err
	}
	if a.Policy != "" {
		w.Header().Set("RateLimit-Policy", a.Policy)
	}
	if a.RateLimit != "" {
		w.Header().Set("RateLimit", a.RateLimit)
	}
	if a.RetryAfter <= 0 {
		return nil
	}
	return &fault.Error{Status: http.StatusTooManyRequests, Detail: "there are too many requests: try again later", RetryAfter: a.RetryAfter}
}

// mayTakeAway reports whether a request may take access away: a deletion, a deactivation, or the
// removal of members. Method and route decide, because the body has not been read.
func (rt *route) mayTakeAway(method string) bool {
	switch method {
	case http.MethodDelete, http.MethodPut, http.MethodPatch:
		return rt.t != nil && rt.id != ""
	}
	return false
}

// charge counts the operations of a bulk request. The first one was counted as the request.
func (r *request) charge(ctx context.Context, operations int) error {
	if r.s.c.Limiter == nil || operations < 2 {
		return nil
	}
	return r.s.c.Limiter.Charge(ctx, r.t.ID, operations-1)
}
