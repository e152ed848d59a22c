package host

import (
	"context"
	"time"
)

// Limiter limits how many requests the clients of a tenant send.
type Limiter interface {
	// Admit decides about a request. An error means that the application failed.
	Admit(ctx context.Context, tenantID string, takesAway bool) (Admission, error)
	// Charge counts further operations of a bulk request.
	Charge(ctx context.Context, tenantID string, operations int) error
}

// Admission is the decision about a request. It may run if RetryAfter is 0.
type Admission struct {
	RetryAfter        time.Duration
	RateLimit, Policy string // headers, "" for none
}
