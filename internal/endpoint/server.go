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
	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/discovery"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
	"github.com/scimkit/scim/internal/roles"
	"github.com/scimkit/scim/internal/tolerance"
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

// ServeHTTP serves one request.
func (h *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.serve(w, r) }

// tenant is a tenant with its directory.
type tenant struct {
	*host.Tenant
	dir directory.Directory
}

// Release deletes a group as if the client had done it.
func (h *Server) Release(ctx context.Context, t *host.Tenant, groupID string) error {
	o := &operation{h: h, t: &tenant{t, directory.Of(t)}, header: http.Header{}, use: &tolerance.Use{}, w: h.c.Engine.Begin(t, "")}
	ref := host.Ref{Type: "Group", ID: groupID}
	err := o.w.Isolate(ctx, keylock.Key(ref.Type, ref.ID), func(ctx context.Context) error {
		g, err := o.t.dir.Lock(ctx, ref)
		if err != nil {
			return err
		}
		return o.remove(ctx, g)
	})
	o.deliver(ctx)
	return err
}
