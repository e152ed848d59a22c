package endpoint

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim/internal/address"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
)

// action is what a method does on a route.
type action func(o *operation, ctx context.Context, body []byte) (*answer, error)

// route is what a path below the endpoint leads to.
type route struct {
	methods map[string]action
	off     *fault.Error // answers methods that are not there, in the place of 405
	open    bool         // may be read without authentication, if the configuration says so
	long    bool         // bodies may be as long as Limits.GroupBody
	bulk    bool         // bodies may be as long as Limits.BulkBody
	t       *model.Type  // of the resources that the route leads to, if it is about one type
	id      string       // of the resource, if it is about one
	tail    int          // path segments of the route, from the endpoint's own on
}

func (rt *route) allow() string {
	var names []string
	for m := range rt.methods {
		names = append(names, m)
		if m == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// route finds the route of a request. Its path may still have the prefix under which the
// handler is mounted.
func (t *tenant) route(r *http.Request) (*route, error) {
	if address.IsTooLong(r) {
		return nil, fault.Refuse(http.StatusRequestURITooLong, "", "the path is longer than "+strconv.Itoa(address.MaxPath)+" bytes")
	}
	segments, ok := address.Route(r, t.isEndpoint)
	if len(segments) > 0 {
		if rt := t.routeAt(segments[0], segments[1:]); rt != nil {
			rt.tail = len(segments)
			return rt, nil
		}
	} else if ok {
		return &route{methods: map[string]action{http.MethodGet: func(o *operation, ctx context.Context, _ []byte) (*answer, error) {
			return o.listAll(ctx)
		}}}, nil
	}
	return nil, fault.Refuse(http.StatusNotFound, "", "there is nothing at this address; resources are below "+t.endpoints())
}

func split(path string) []string { return address.Split(path) }

func (t *tenant) endpoints() string {
	var all []string
	for _, rt := range t.Types.All {
		all = append(all, rt.Endpoint)
	}
	return strings.Join(append(all, "/ServiceProviderConfig", "/ResourceTypes", "/Schemas"), ", ")
}

func notImplemented(what string) *fault.Error {
	return &fault.Error{Status: http.StatusNotImplemented, Detail: what + " is not supported"}
}

func noGroups() *fault.Error {
	return &fault.Error{Status: http.StatusNotImplemented, Detail: "groups are not supported here"}
}

// isEndpoint reports whether a segment is the name of something that is served.
func (t *tenant) isEndpoint(segment string) bool {
	switch segment {
	case "ServiceProviderConfig", "ResourceTypes", "Schemas", "Me", "Bulk", ".search", "Groups":
		return true
	}
	return t.Types.At("/"+segment) != nil
}

func (t *tenant) routeAt(first string, rest []string) *route {
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
			return &route{bulk: true, methods: map[string]action{http.MethodPost: (*operation).bulk}}
		default:
			return &route{methods: map[string]action{http.MethodPost: func(o *operation, ctx context.Context, b []byte) (*answer, error) {
				return o.search(ctx, nil, b)
			}}}
		}
	}
	if first == "Groups" && t.Types.At("/Groups") == nil {
		// Entra's connection test needs the list even where there are no groups.
		off := noGroups()
		if len(rest) > 0 {
			return &route{off: off}
		}
		return &route{methods: map[string]action{http.MethodGet: emptyList}, off: off}
	}
	rt := t.Types.At("/" + first)
	if rt == nil || len(rest) > 1 || !ok {
		return nil
	}
	to := &route{t: rt, id: id, methods: oneMethods, long: rt.Members != nil}
	switch {
	case len(rest) == 0:
		to.methods = typeMethods
	case id == ".search":
		to.methods, to.long = searchMethods, false
	}
	return to
}

// What can be done with a type, its search and one of its resources: o.at says which.
var (
	typeMethods = map[string]action{
		http.MethodGet:  func(o *operation, ctx context.Context, _ []byte) (*answer, error) { return o.list(ctx, o.at.t) },
		http.MethodPost: func(o *operation, ctx context.Context, b []byte) (*answer, error) { return o.create(ctx, o.at.t, b) },
	}
	searchMethods = map[string]action{
		http.MethodPost: func(o *operation, ctx context.Context, b []byte) (*answer, error) { return o.search(ctx, o.at.t, b) },
	}
	oneMethods = map[string]action{
		http.MethodGet: func(o *operation, ctx context.Context, _ []byte) (*answer, error) {
			return o.get(ctx, o.at.t, o.at.id)
		},
		http.MethodPut: func(o *operation, ctx context.Context, b []byte) (*answer, error) {
			return o.replace(ctx, o.at.t, o.at.id, b)
		},
		http.MethodPatch: func(o *operation, ctx context.Context, b []byte) (*answer, error) {
			return o.patch(ctx, o.at.t, o.at.id, b)
		},
		http.MethodDelete: func(o *operation, ctx context.Context, _ []byte) (*answer, error) {
			return o.delete(ctx, o.at.t, o.at.id)
		},
	}
)

// params are the query parameters that SCIM knows. Others are ignored: Entra puts
// flags without values into the address.
type params struct {
	filter, sortBy, sortOrder string
	attributes, excluded      []string
	startIndex, count         *int
	cursor                    *string // not nil: cursor paging; "" asks for the first page
}

func parseParams(rawQuery string) (params, error) {
	var p params
	if rawQuery == "" {
		return p, nil
	}
	// A pair that cannot be decoded must not hide a filter: it is refused.
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return p, fault.Refuse(http.StatusBadRequest, "invalidValue", "the query string is not well-formed")
	}
	p.filter, p.sortBy, p.sortOrder = q.Get("filter"), q.Get("sortBy"), q.Get("sortOrder")
	for name := range q {
		if strings.Contains(name, "/") {
			// A base address with a flag, and the path put behind it: what was meant is lost.
			return p, fault.Refuse(http.StatusBadRequest, "invalidValue", "the query string holds a path: put it before the question mark")
		}
	}
	if q.Has("filter") && strings.TrimSpace(p.filter) == "" {
		// An empty filter must not read as "everything".
		return p, emptyFilter()
	}
	if q.Has("cursor") {
		c := q.Get("cursor")
		p.cursor = &c
	}
	p.attributes, p.excluded = names(q["attributes"]), names(q["excludedAttributes"])
	for name, dst := range map[string]**int{"startIndex": &p.startIndex, "count": &p.count} {
		s := strings.TrimSpace(q.Get(name))
		if s == "" {
			continue
		}
		n, err := strconv.Atoi(s)
		if err != nil {
			return p, fault.Refuse(http.StatusBadRequest, "invalidValue", name+" must be a whole number")
		}
		*dst = &n
	}
	return p, p.check()
}

// maxNames is how many attributes a request may name. No schema has as many.
const maxNames = 1000

// check judges parameters together, from wherever they came.
func (p *params) check() error {
	if len(p.attributes) > 0 && len(p.excluded) > 0 {
		return fault.Refuse(http.StatusBadRequest, "invalidValue", "attributes and excludedAttributes exclude each other: give one of them")
	}
	if len(p.attributes)+len(p.excluded) > maxNames {
		return fault.Refuse(http.StatusBadRequest, "invalidValue", "there are more than "+strconv.Itoa(maxNames)+" attribute names")
	}
	if p.cursor != nil && p.startIndex != nil {
		return fault.Refuse(http.StatusBadRequest, "invalidValue", "cursor and startIndex exclude each other: give one of them")
	}
	return nil
}

func emptyFilter() *fault.Error {
	return fault.Refuse(http.StatusBadRequest, "invalidFilter", "filter is empty")
}

func names(list []string) []string {
	var out []string
	for _, s := range list {
		for n := range strings.SplitSeq(s, ",") {
			if n = strings.TrimSpace(n); n != "" {
				out = append(out, n)
			}
		}
	}
	return out
}

func (o *operation) selection(t *model.Type) *doc.Selection {
	return doc.Select(t, o.params.attributes, o.params.excluded)
}
