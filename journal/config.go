package journal

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
)

// Config returns c with what the journal needs in it. It adds to Observers, OnEvent, OnWrite and TenantFor, and
// calls those of c as before. Use the result for scim.New.
func (j *Journal) Config(c scim.Config) scim.Config {
	c.Observers = append(slices.Clone(c.Observers), observer{isSingle: c.TenantFor == nil, types: kindsOf(c.Types)})
	next := c.OnEvent
	c.OnEvent = func(ctx context.Context, e scim.Event) {
		noteEvent(ctx, e)
		if next != nil {
			next(ctx, e)
		}
	}
	if find := c.TenantFor; find != nil {
		c.TenantFor = func(ctx context.Context, p scim.Principal) (*scim.Tenant, error) {
			t, err := find(ctx, p)
			if t == nil || err != nil {
				noteTenant(ctx, p.Tenant, nil, false)
				return t, err
			}
			noteTenant(ctx, t.ID, kindsOf(t.Types), true)
			own := *t
			own.OnWrite = noteWrites(t.OnWrite)
			return &own, nil
		}
		return c
	}
	c.OnWrite = noteWrites(c.OnWrite)
	return c
}

// noteTenant records the tenant of a request, and whether it has an endpoint.
func noteTenant(ctx context.Context, id string, types []kind, isFound bool) {
	n := notesOf(ctx)
	if n == nil {
		return
	}
	defer n.mu.Unlock()
	n.tenant, n.types, n.isFound = cmp.Or(id, n.tenant), types, isFound
}

// noteEvent records an event. An event about a resource says that its write is committed.
func noteEvent(ctx context.Context, e scim.Event) {
	n := notesOf(ctx)
	if n == nil {
		return
	}
	defer n.mu.Unlock()
	if w := n.pending[e.Resource]; w != nil {
		delete(n.pending, e.Resource)
		n.writes = append(n.writes, w)
	}
	if len(n.events) >= maxEvents {
		n.moreEvent++
		return
	}
	n.events = append(n.events, e)
}

// noteWrites returns an OnWrite that records writes. A transaction that runs again tells of its
// writes again, so the last one of each resource counts.
func noteWrites(next func(context.Context, *scim.Written) error) func(context.Context, *scim.Written) error {
	return func(ctx context.Context, w *scim.Written) error {
		if n := notesOf(ctx); n != nil {
			n.hold(w)
			n.mu.Unlock()
		}
		if next == nil {
			return nil
		}
		return next(ctx, w)
	}
}

func refOf(w *scim.Written) scim.Ref {
	if w.After != nil {
		return w.After.Ref()
	}
	return w.Before.Ref()
}

// observer tells the exchange who the client was.
type observer struct {
	isSingle bool // there is one tenant, with these types
	types    []kind
}

var _ scim.Observer = observer{}

// Begin implements scim.Observer.
func (o observer) Begin(ctx context.Context, _ *http.Request, _ string) (context.Context, func(scim.Outcome)) {
	return ctx, func(out scim.Outcome) {
		n := notesOf(ctx)
		if n == nil {
			return
		}
		defer n.mu.Unlock()
		if o.isSingle {
			n.tenant, n.types, n.isFound = "", o.types, true
		}
		n.client = out.Principal
		// A Principal may have no ID. Only descriptions have a route without a client.
		n.isKnown = out.Principal != "" || out.Route != "" && !isOpen(out.Route)
		if n.isKnown {
			return
		}
		n.refusal = reasonOf(out.Err)
		if e, ok := errors.AsType[*auth.RefusedError](out.Err); ok {
			n.client = e.ID
			if !o.isSingle {
				n.tenant = e.Tenant
			}
		}
	}
}

// isOpen reports whether a route may be open to everybody: see scim.Config.OpenDiscovery.
func isOpen(route string) bool {
	return strings.HasPrefix(route, "/ServiceProviderConfig") || strings.HasPrefix(route, "/Schemas") || strings.HasPrefix(route, "/ResourceTypes")
}

// reasonOf says why a request was refused, without a text that may have a secret. "": as the answer says.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*auth.RefusedError](err); ok {
		return e.Reason
	}
	return ""
}

// kind is a resource type as addresses name it.
type kind struct{ name, endpoint string }

// kindsOf returns the resource types of a tenant.
func kindsOf(types []*scim.ResourceType) []kind {
	if types == nil {
		return []kind{{"User", "/Users"}, {"Group", "/Groups"}}
	}
	all := make([]kind, 0, len(types))
	for _, t := range types {
		if t != nil {
			all = append(all, kind{t.Name(), t.Endpoint()})
		}
	}
	return all
}

// typeIn finds the resource type and the id in the path of a request.
func typeIn(path string, types []kind) (name, id string) {
	rest, last := cutLast(path)
	if _, first := cutLast(rest); first != "" {
		if t := kindAt(first, types); t != "" {
			if last != ".search" {
				id, _ = url.PathUnescape(last)
			}
			return t, id
		}
	}
	return kindAt(last, types), ""
}

// kindAt returns the name of the resource type whose endpoint is a part of a path.
func kindAt(part string, types []kind) string {
	for _, t := range types {
		if part != "" && strings.EqualFold(part, strings.TrimPrefix(t.endpoint, "/")) {
			return t.name
		}
	}
	return ""
}

// cutLast returns the last part of a path that is not empty, and what is before it.
func cutLast(path string) (rest, last string) {
	path = strings.TrimRight(path, "/")
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}
