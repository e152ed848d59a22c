package endpoint

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/roles"
	"github.com/scimkit/scim/internal/tolerance"
)

// request is one operation of a client: the client, the tenant, and the parameters. Each
// operation of a bulk request has a request of its own.
type request struct {
	s      *Server
	t      *host.Tenant
	dir    directory.Directory
	who    host.Principal
	at     *route // nil where the application, and not a client, begins
	base   string // the endpoint's absolute address, without a slash at the end
	params params
	header http.Header
	use    *tolerance.Use
	work   *roles.Work
	listed map[*model.Type]error // the answers of mayList, by type
	visit  *visit                // the whole request, of which this may be one operation
}

// begin starts an operation of a client in a tenant.
func (s *Server) begin(t *host.Tenant, who host.Principal, v *visit) *request {
	return &request{s: s, t: t, dir: directory.Of(t), who: who, use: t.Tolerances.Use(), work: s.c.Engine.Begin(t, who.ID), visit: v}
}

// another starts another operation of the same client.
func (r *request) another() *request {
	q := r.s.begin(r.t, r.who, r.visit)
	q.base, q.header = r.base, http.Header{}
	return q
}

// about is the resource that the request is about. It has no id before a creation.
func (r *request) about() (ref host.Ref) {
	if r.at != nil && r.at.t != nil {
		ref = host.Ref{Type: r.at.t.Name, ID: r.at.id}
	}
	return ref
}

// deliver sends the events to the application.
func (r *request) deliver(ctx context.Context) {
	used := r.use.Used()
	for _, n := range used {
		r.work.Tell(host.Event{Kind: host.ToleranceUsed, Resource: r.about(), Tolerance: string(n), Path: r.use.Path(n)})
	}
	r.visit.use(used)
	r.work.Deliver(ctx)
}

// now is the time in the precision that stores keep.
func (r *request) now() time.Time { return r.s.c.Now().UTC().Truncate(time.Microsecond) }

// location is the absolute address of a resource.
func (r *request) location(ref host.Ref) string {
	return r.locationOf(ref.Type) + url.PathEscape(ref.ID)
}

// locationOf is what the absolute addresses of all resources of a type begin with. Their
// escaped ids follow.
func (r *request) locationOf(typ string) string {
	endpoint := "/" + typ + "s"
	if t := r.t.Types.Named(typ); t != nil {
		endpoint = t.Endpoint
	}
	return r.base + endpoint + "/"
}

// selection returns the attributes that the client wants to see.
func (r *request) selection(t *model.Type) *doc.Selection {
	return doc.Select(t, r.params.attributes, r.params.excluded)
}
