package endpoint

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
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

// may asks the application whether the client may do an operation.
func (r *request) may(ctx context.Context, op host.Op, t *model.Type, id string, q *host.Query) error {
	if r.t.Allow == nil {
		return nil
	}
	err := r.t.Allow(ctx, host.Access{Op: op, Type: t.Name, ID: id, Query: q, Principal: r.who})
	var e *fault.Error
	if err != nil && !errors.As(err, &e) {
		return &fault.Error{Status: http.StatusForbidden, Detail: "this token may not do that", Err: err}
	}
	return err
}

// maySee asks the application whether the client may read a resource that it writes.
func (r *request) maySee(ctx context.Context, t *model.Type, id string) bool {
	return r.may(ctx, host.OpGet, t, id, nil) == nil
}

// mayGiveRoles asks the application whether the client may change attributes that name
// roles. Groups give roles too, so a client that may not change groups may not do that.
func (r *request) mayGiveRoles(ctx context.Context) error {
	if r.t.Roles == nil || len(r.t.Roles.Attributes) == 0 || r.t.Types.Group == nil {
		return nil
	}
	return r.may(ctx, host.OpPatch, r.t.Types.Group, "", nil)
}

// mayList asks the application whether the client may list resources of a type. If not,
// answers do not show them in resources of other types either. It asks once in a request.
func (r *request) mayList(ctx context.Context, t *model.Type) error {
	if r.t.Allow == nil {
		return nil
	}
	err, asked := r.listed[t]
	if !asked {
		if r.listed == nil {
			r.listed = map[*model.Type]error{}
		}
		err = r.may(ctx, host.OpList, t, "", &host.Query{})
		r.listed[t] = err
	}
	return err
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
