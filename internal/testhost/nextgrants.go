package testhost

import (
	"context"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/host"
)

// WithNextGrants returns the context that the handler gives to an Update: see scim.NextGrants.
func WithNextGrants(ctx context.Context, n scim.NextGrants) context.Context {
	return host.WithNextGrants(ctx, host.NextGrants(n))
}
