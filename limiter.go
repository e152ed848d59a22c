package scim

import (
	"context"
	"time"

	"github.com/scimkit/scim/internal/host"
)

// Limiter limits how many requests the clients of a tenant send. The package ratelimit has one. It
// is safe for concurrent use.
//
// Only requests of authenticated clients count. So nobody can use up what a client may send
// without one of its credentials.
type Limiter interface {
	// Admit decides about a request. The handler calls it when it knows the client, the tenant and
	// the route, and before it reads the body. takesAway says that the request may take access away:
	// it is DELETE, PUT or PATCH of one resource. The handler does not look into the body for that.
	Admit(ctx context.Context, tenantID string, takesAway bool) Admission
	// Charge counts further operations of a bulk request, which Admit has admitted as one request.
	// It refuses nothing: what is too much counts against later requests.
	Charge(ctx context.Context, tenantID string, operations int)
}

// Admission is the decision of a Limiter about a request.
type Admission struct {
	// RetryAfter is 0 if the request may run. Otherwise the answer is 429, and it is the time after
	// which the client tries again, in whole seconds.
	RetryAfter time.Duration
	// RateLimit and Policy become the headers RateLimit and RateLimit-Policy of the answer, also if
	// the request may run (draft-ietf-httpapi-ratelimit-headers). "": the answer has no such header.
	RateLimit, Policy string
}

// limiterPort passes a Limiter to internal packages.
type limiterPort port[Limiter]

func limiterIn(l Limiter, g host.Guard) host.Limiter {
	if l == nil {
		return nil
	}
	return limiterPort{l, g}
}

func (p limiterPort) Admit(ctx context.Context, tenantID string, takesAway bool) (a host.Admission, err error) {
	defer p.Catch(&err)
	return host.Admission(p.app.Admit(ctx, tenantID, takesAway)), nil
}

func (p limiterPort) Charge(ctx context.Context, tenantID string, operations int) (err error) {
	defer p.Catch(&err)
	p.app.Charge(ctx, tenantID, operations)
	return nil
}
