package scim

import (
	"iter"
	"time"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/match"
)

// Filter is a filter (RFC 7644, Section 3.4.2.2), checked against a resource type.
// It is immutable.
type Filter struct{ m *match.Filter }

// ParseFilter parses and checks a filter for resources of type t. Its error is an
// *Error, 400 invalidFilter, that names position or attribute.
func ParseFilter(t *ResourceType, text string) (*Filter, error) {
	m, err := match.Parse(t.m, text, filterlang.Limits{}, nil)
	if err != nil {
		return nil, outward(err)
	}
	return &Filter{m}, nil
}

// Match reports whether r satisfies the filter. The nil Filter matches everything.
// On an attribute that is absent every comparison is false but "ne" and "eq null";
// on a multi-valued one it is enough that one value satisfies it.
func (f *Filter) Match(r *Resource) bool { return f == nil || f.m.Match(&r.d) }

// Eq returns the string that the attribute at path must equal in every match, for
// the look-up that serves most requests without walking the tree: narrow down by
// it, and let Scan do the rest. Compare with Fold unless the attribute is
// case-exact, as id and externalId are.
func (f *Filter) Eq(path string) (value string, ok bool) {
	if f == nil {
		return "", false
	}
	return f.m.Eq(path)
}

// Expr is the filter's tree, for translation into a query language, normalised:
// canonical attribute names, the core schema's URN stripped, comparisons with a
// complex attribute written as comparisons with its value, literals of the
// attribute's type. Nil for the nil Filter. It must not be changed.
func (f *Filter) Expr() filter.Expression {
	if f == nil {
		return nil
	}
	return f.m.Expr()
}

// Text is the filter in canonical form, "" for the nil Filter.
func (f *Filter) Text() string {
	if f == nil {
		return ""
	}
	return filterlang.Print(f.m.Expr())
}

// Query is what List is asked for. Its zero value asks for the number of resources.
type Query struct {
	Filter *Filter
	// IDs, if not nil: only these. They are at most 1,000: a client's filter that stands
	// for more resources is refused (400 tooMany) before it gets here.
	IDs []string
	// SortBy is the path of the attribute to sort by, "" for order of creation, which
	// also decides between equals. Multi-valued attributes sort by their primary value.
	// Resources without the attribute come last, first if Descending (RFC 7644, 3.4.2.3).
	SortBy     string
	Descending bool
	Offset     int  // resources to skip (index paging), or
	After      *Key // those behind this place (keyset paging)
	Limit      int  // resources at most; 0: only the total
	Total      bool // whether Page.Total is wanted
}

// Key is a place in the order of a list: that of one resource. Value is its sort
// value, in the form of Fold where the attribute is not case-exact; nil without
// SortBy or where it is absent.
type Key struct {
	Value   *string
	Created time.Time
	ID      string
}

// KeyOf is the place of r in the order of q.
func KeyOf(q *Query, r *Resource) *Key { return (*Key)(match.PlaceOf(q.SortBy, &r.d)) }

// Page is a part of a list. Total counts all matches; it is filled if the query asks
// for it or has Limit 0.
type Page struct {
	Resources []*Resource
	Total     int
}

// Scan answers a query from all resources of the type, or any superset of the
// matches, in any order: it filters, sorts, counts and cuts out the page. A store
// whose look-up it is narrows down first, by Filter.Eq and IDs.
func Scan(q *Query, all iter.Seq2[*Resource, error]) (*Page, error) {
	m := &match.Query{IDs: q.IDs, SortBy: q.SortBy, Descending: q.Descending, Offset: q.Offset,
		After: (*match.Place)(q.After), Limit: q.Limit}
	if q.Filter != nil {
		m.Filter = q.Filter.m
	}
	page, total, err := match.Scan(m, all, func(r *Resource) *doc.Document { return &r.d })
	if err != nil {
		return nil, err
	}
	return &Page{Resources: page, Total: total}, nil
}
