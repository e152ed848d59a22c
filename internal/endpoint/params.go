package endpoint

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/scimkit/scim/internal/fault"
)

// params are the query parameters that SCIM defines. parseParams ignores others: Entra puts
// flags without values into the address.
type params struct {
	filter, sortBy, sortOrder string
	attributes, excluded      []string
	startIndex, count         *int
	cursor                    *string // nil: index paging; "" asks for the first page
}

func parseParams(rawQuery string) (params, error) {
	var p params
	if rawQuery == "" {
		return p, nil
	}
	// Refuse a pair that cannot be decoded: it may be a filter.
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return p, fault.Refuse(http.StatusBadRequest, "invalidValue", "the query string is not well-formed")
	}
	p.filter, p.sortBy, p.sortOrder = q.Get("filter"), q.Get("sortBy"), q.Get("sortOrder")
	for name := range q {
		if strings.Contains(name, "/") {
			// The client has appended the path to a base address with a query string.
			return p, fault.Refuse(http.StatusBadRequest, "invalidValue", "the query string holds a path: put it before the question mark")
		}
	}
	if q.Has("filter") && strings.TrimSpace(p.filter) == "" {
		// An empty filter must not match everything.
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

// maxNames is how many attributes a request may name. No schema has more.
const maxNames = 1000

// check validates the parameters of a query string or of a .search body.
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
