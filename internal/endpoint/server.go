// Package endpoint answers one SCIM request: it authenticates, finds the tenant and the
// route, reads or writes the store, and sends the answer.
package endpoint

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/scimkit/scim/internal/address"
	"github.com/scimkit/scim/internal/admission"
	"github.com/scimkit/scim/internal/cursor"
	"github.com/scimkit/scim/internal/discovery"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/roles"
	"github.com/scimkit/scim/internal/trace"
)

// Config configures a Server. All fields but Limiter and Watchers are required.
type Config struct {
	Auth Authenticator
	// TenantOf finds the tenant of an authenticated request.
	TenantOf func(ctx context.Context, who host.Principal) (*host.Tenant, error)
	// OpenDiscovery lets clients read the discovery endpoints without authentication.
	OpenDiscovery  bool
	Limits         host.Limits
	TrustedProxies []netip.Prefix
	Log            *slog.Logger
	Now            func() time.Time
	NewID          func() string
	Cursors        cursor.Sealer
	Engine         *roles.Engine
	Limiter        host.Limiter // nil: clients send as many requests as they like
	Watchers       Watchers
}

// Watchers see each request. A preview has none.
type Watchers struct {
	Tracer   *trace.Tracer // nil: the server writes no trace
	Observer host.Observer // nil: nobody watches
}

// Authenticator authenticates requests and describes how it does so.
type Authenticator interface {
	Authenticate(r *http.Request) (host.Principal, error)
	// Challenge is the WWW-Authenticate header of a 401.
	Challenge() string
	Schemes() []discovery.Scheme
}

// Server serves one SCIM endpoint. It is safe for concurrent use.
type Server struct {
	c          Config
	gate       *admission.Gate
	buffers    sync.Pool // *[]byte of at most pieceSize for answers
	noDeadline sync.Once // logs that there is no SetReadDeadline
}

// HostOf finds the host that the client has sent a request to.
func (s *Server) HostOf(r *http.Request) string { return address.HostOf(r, s.c.TrustedProxies) }

// New makes a Server.
func New(c Config) *Server {
	return &Server{c: c, gate: admission.New(c.Limits.Requests, c.Limits.BodyMemory)}
}
