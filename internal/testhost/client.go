package testhost

import (
	"context"

	"github.com/scimkit/scim/internal/host"
)

// AsClient is the context of a request of a client.
func AsClient(ctx context.Context, id string) context.Context {
	return host.WithPrincipal(ctx, host.Principal{ID: id}, "")
}
