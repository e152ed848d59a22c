package host

import (
	"context"
	"net/http"
	"time"

	"github.com/scimkit/scim/internal/tolerance"
)

// Observer watches requests.
type Observer interface {
	// Begin is told of a request before its client is authenticated. end is not nil.
	Begin(ctx context.Context, r *http.Request, requestID string) (in context.Context, end func(Outcome))
}

// Outcome is what became of a request. What is not known is "".
type Outcome struct {
	Route      string
	Tenant     string
	Principal  string
	Status     int // 0: the client has got no answer
	Duration   time.Duration
	Tolerances []tolerance.Name
	Err        error
}

// Calls watches what a request does. Nil: nobody watches.
type Calls interface {
	// BeginCall is told of a call before it is made. end is not nil.
	BeginCall(ctx context.Context, name string) (in context.Context, end func(error))
}
