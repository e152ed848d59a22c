package host

import "context"

type principalKey struct{}

// WithPrincipal returns a context for a request of a client.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, &p)
}

// PrincipalOf returns the client of a request. ok is false if ctx is not that of a request.
func PrincipalOf(ctx context.Context) (p Principal, ok bool) {
	if p, ok := ctx.Value(principalKey{}).(*Principal); ok {
		return *p, true
	}
	return Principal{}, false
}
