package host

import "context"

// NextGrants says whose grants a transaction asks for, after it has locked a resource.
type NextGrants struct {
	UserID string // the user
	Joins  bool   // the user becomes a member of the group that is the resource
}

type nextGrantsKey struct{}

// WithNextGrants returns a context for the call that locks the resource.
func WithNextGrants(ctx context.Context, n NextGrants) context.Context {
	return context.WithValue(ctx, nextGrantsKey{}, n)
}

// NextGrantsOf returns what ctx says. ok is false if it says nothing.
func NextGrantsOf(ctx context.Context) (n NextGrants, ok bool) {
	n, ok = ctx.Value(nextGrantsKey{}).(NextGrants)
	return n, ok
}
