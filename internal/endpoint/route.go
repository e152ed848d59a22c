package endpoint

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim/internal/address"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// action carries out a method on a route.
type action func(ctx context.Context, r *request, body []byte) (*answer, error)

// route is the target of a path below the endpoint.
type route struct {
	methods map[string]action
	// off is the answer for methods that the route does not have. Nil: 405.
	off  *fault.Error
	open bool        // OpenDiscovery lets clients read it without authentication
	body int64       // the most bytes of a body
	t    *model.Type // the type of the resources, nil if the route is about several types
	id   string      // the resource's id, "" if the route is about several resources
	tail int         // the number of path segments, such as 2 for Users/1
	name string      // the first segment, which is that of an endpoint
}

// pattern is the route for the log and observers. It has no text of a client: its parts come from
// this package and from the resource types. "": there is no route.
func (rt *route) pattern() string {
	switch {
	case rt == nil:
		return ""
	case rt.t == nil && rt.tail == 2: // such as Schemas
		return "/" + rt.name + "/{id}"
	case rt.t == nil:
		return "/" + rt.name
	case rt.tail < 2: // a creation has set the id
		return rt.t.Endpoint
	case rt.id == ".search":
		return rt.t.Endpoint + "/.search"
	}
	return rt.t.One
}

// allow lists the methods of a route for the Allow header. OPTIONS is possible on each
// route.
func (rt *route) allow() string {
	names := []string{http.MethodOptions}
	for m := range rt.methods {
		names = append(names, m)
		if m == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// router finds the routes of one tenant.
type router struct {
	types  *host.Types
	self   *host.Self
	limits *host.Limits
}

// route finds the route of a request. The path may still have the prefix under which the
// application mounted the handler.
func (t *router) route(r *http.Request) (*route, error) {
	if address.IsTooLong(r) {
		return nil, fault.Refuse(http.StatusRequestURITooLong, "", "the path is longer than "+strconv.Itoa(address.MaxPath)+" bytes")
	}
	segments, ok := address.Route(r, t.isEndpoint)
	if len(segments) > 0 {
		if rt := t.routeAt(segments[0], segments[1:]); rt != nil {
			rt.tail, rt.name = len(segments), segments[0]
			return rt, nil
		}
	} else if ok {
		return &route{methods: rootMethods}, nil
	}
	return nil, fault.Refuse(http.StatusNotFound, "", "there is nothing at this address; resources are below "+endpoints(t.types))
}

// endpoints lists the endpoints for an error's detail.
func endpoints(types *host.Types) string {
	var all []string
	for _, rt := range types.All {
		all = append(all, rt.Endpoint)
	}
	return strings.Join(append(all, "/ServiceProviderConfig", "/ResourceTypes", "/Schemas"), ", ")
}

// isEndpoint reports whether a segment is the name of an endpoint.
func (t *router) isEndpoint(segment string) bool {
	switch segment {
	case "ServiceProviderConfig", "ResourceTypes", "Schemas", "Me", "Bulk", ".search", "Groups":
		return true
	}
	return t.types.At("/"+segment) != nil
}

func (t *router) routeAt(first string, rest []string) *route {
	id, ok := "", true
	if len(rest) == 1 {
		var err error
		id, err = url.PathUnescape(rest[0])
		ok = err == nil && !strings.ContainsRune(id, 0)
	}
	switch first {
	case "ServiceProviderConfig", "ResourceTypes", "Schemas":
		if len(rest) > 1 || !ok {
			return nil
		}
		return &route{open: true, methods: map[string]action{http.MethodGet: discover(first, id)}}
	case "Me", "Bulk", ".search":
		if len(rest) > 0 {
			return nil
		}
		switch first {
		case "Me":
			return t.routeMe()
		case "Bulk":
			return &route{methods: bulkMethods, body: t.limits.BulkBody}
		default:
			return &route{methods: searchMethods, body: t.limits.Body}
		}
	}
	rt := t.types.At("/" + first)
	if first == "Groups" && rt == nil {
		return routeNoGroups(rest)
	}
	if rt == nil || len(rest) > 1 || !ok {
		return nil
	}
	to := &route{t: rt, id: id, methods: oneMethods, body: t.limits.BodyOf(rt)}
	switch {
	case len(rest) == 0:
		to.methods = typeMethods
	case id == ".search":
		to.methods, to.body = searchMethods, t.limits.Body
	}
	return to
}

// routeNoGroups is the route of /Groups in a tenant without groups. Entra's connection
// test needs the list even there.
func routeNoGroups(rest []string) *route {
	off := fault.Refuse(http.StatusNotImplemented, "", "groups are not supported here")
	if len(rest) > 0 {
		return &route{off: off}
	}
	return &route{methods: map[string]action{http.MethodGet: listNothing}, off: off}
}

// The methods of the root, a type, a search, a bulk request and one resource. request.at
// has the type and the id.
var (
	rootMethods = map[string]action{
		http.MethodGet: func(ctx context.Context, r *request, _ []byte) (*answer, error) { return (&lister{r: r}).listAll(ctx) },
	}
	typeMethods = map[string]action{
		http.MethodGet: func(ctx context.Context, r *request, _ []byte) (*answer, error) {
			return (&lister{r: r}).list(ctx, r.at.t)
		},
		http.MethodPost: func(ctx context.Context, r *request, b []byte) (*answer, error) {
			return newWriter(r).create(ctx, r.at.t, b)
		},
	}
	searchMethods = map[string]action{
		http.MethodPost: func(ctx context.Context, r *request, b []byte) (*answer, error) {
			return (&lister{r: r}).search(ctx, r.at.t, b)
		},
	}
	bulkMethods = map[string]action{
		http.MethodPost: func(ctx context.Context, r *request, b []byte) (*answer, error) { return r.bulk(ctx, b) },
	}
	oneMethods = map[string]action{
		http.MethodGet: func(ctx context.Context, r *request, _ []byte) (*answer, error) { return r.get(ctx, r.at.t, r.at.id) },
		http.MethodPut: func(ctx context.Context, r *request, b []byte) (*answer, error) {
			return newWriter(r).replace(ctx, r.at.t, r.at.id, b)
		},
		http.MethodPatch: func(ctx context.Context, r *request, b []byte) (*answer, error) {
			return newWriter(r).patch(ctx, r.at.t, r.at.id, b)
		},
		http.MethodDelete: func(ctx context.Context, r *request, _ []byte) (*answer, error) {
			return newWriter(r).delete(ctx, r.at.t, r.at.id)
		},
	}
)
