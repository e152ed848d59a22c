// Package endpoint answers one SCIM request: it authenticates, finds the tenant and the
// route, reads or writes the store, and sends the answer.
package endpoint

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/scimkit/scim/internal/cursor"
	"github.com/scimkit/scim/internal/discovery"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/roles"
	"github.com/scimkit/scim/internal/trace"
)

// Config is what a Server serves with. Everything but Tracer is needed.
type Config struct {
	Auth Authenticator
	// TenantOf finds the tenant of an authenticated request.
	TenantOf func(ctx context.Context, who host.Principal) (*host.Tenant, error)
	// OpenDiscovery lets clients that are not authenticated read the discovery endpoints.
	OpenDiscovery  bool
	Limits         host.Limits
	TrustedProxies []netip.Prefix
	Log            *slog.Logger
	Now            func() time.Time
	NewID          func() string
	Cursors        cursor.Sealer
	Tracer         *trace.Tracer // nil: nothing is traced
	Engine         *roles.Engine
}

// Authenticator tells who makes a request, and how clients do so.
type Authenticator interface {
	Authenticate(r *http.Request) (host.Principal, error)
	Challenge() string // of a 401
	Schemes() []discovery.Scheme
}

// Server serves one SCIM endpoint. It is safe for concurrent use.
type Server struct{ c Config }

// New makes a Server.
func New(c Config) *Server { return &Server{c} }
