package host

import "context"

type clientKey struct{}

// client is what the context of a request says about it.
type client struct {
	Principal
	requestID string
}

// WithPrincipal returns a context for a request of a client. requestID is "" where no request
// has an id.
func WithPrincipal(ctx context.Context, p Principal, requestID string) context.Context {
	return context.WithValue(ctx, clientKey{}, &client{p, requestID})
}

// PrincipalOf returns the client of a request. ok is false if ctx is not that of a request.
func PrincipalOf(ctx context.Context) (p Principal, ok bool) {
	if c, ok := ctx.Value(clientKey{}).(*client); ok {
		return c.Principal, true
	}
	return Principal{}, false
}

// RequestIDOf returns the id of a request, "" if ctx is not that of a request.
func RequestIDOf(ctx context.Context) string {
	if c, ok := ctx.Value(clientKey{}).(*client); ok {
		return c.requestID
	}
	return ""
}
