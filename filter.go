package scim

import (
	"fmt"
	"iter"
	"time"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
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
	Offset     int      // resources to skip (index paging), or
	After      *PageKey // those behind this place (keyset paging)
	Limit      int      // resources at most; 0: only the total
	Total      bool     // whether Page.Total is wanted
}

// PageKey is a place in the order of a list: that of one resource. Value is its sort
// value, in the form of Fold where the attribute is not case-exact; nil without
// SortBy or where it is absent.
type PageKey struct {
	Value   *string
	Created time.Time
	ID      string
}

// KeyOf is the place of r in the order of q.
func KeyOf(q *Query, r *Resource) *PageKey { return (*PageKey)(match.PlaceOf(q.SortBy, &r.d)) }

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

// Attribute describes an attribute to an adapter that translates filters or derives
// columns (RFC 7643, Section 7).
type Attribute struct {
	Path        string // canonical: "userName", "emails.value", "urn:…:User:manager.value"
	Type        AttributeType
	MultiValued bool
	// CaseExact: values are compared as they are. Otherwise strings are compared by
	// their Fold.
	CaseExact bool
	Parent    *Attribute // of a sub-attribute, or of an attribute in an extension; else nil
}

// AttributeType is the data type of an attribute (RFC 7643, Section 2.3).
type AttributeType string

// The types of attributes.
const (
	TypeString    AttributeType = "string"
	TypeBoolean   AttributeType = "boolean"
	TypeDecimal   AttributeType = "decimal"
	TypeInteger   AttributeType = "integer"
	TypeDateTime  AttributeType = "dateTime"
	TypeBinary    AttributeType = "binary"
	TypeReference AttributeType = "reference"
	TypeComplex   AttributeType = "complex"
)

// Attribute describes the attribute at path; ok is false if there is none.
func (t *ResourceType) Attribute(path string) (a Attribute, ok bool) {
	if m := t.m.Find(path); m != nil {
		return *attrOf(m), true
	}
	return Attribute{}, false
}

// Attributes lists the type's attributes: those of the core schema and, by their URN,
// its extensions, each with all below it, depth first. schemas, id and meta are in it.
func (t *ResourceType) Attributes() []Attribute {
	var all []Attribute
	var walk func(list []*model.Attribute)
	walk = func(list []*model.Attribute) {
		for _, m := range list {
			all = append(all, *attrOf(m))
			walk(m.Sub)
		}
	}
	walk(t.m.Root.Sub)
	return all
}

func attrOf(m *model.Attribute) *Attribute {
	if m == nil || m.Parent == nil {
		return nil
	}
	return &Attribute{Path: m.Path, Type: AttributeType(m.Kind.String()), MultiValued: m.Multi, CaseExact: m.CaseExact, Parent: attrOf(m.Parent)}
}

// Operator compares an attribute with a literal (RFC 7644, Section 3.4.2.2).
type Operator string

// The operators.
const (
	OperatorEq Operator = "eq" // equal
	OperatorNe Operator = "ne" // not equal
	OperatorCo Operator = "co" // contains
	OperatorSw Operator = "sw" // starts with
	OperatorEw Operator = "ew" // ends with
	OperatorGt Operator = "gt" // greater than
	OperatorGe Operator = "ge" // greater than or equal
	OperatorLt Operator = "lt" // less than
	OperatorLe Operator = "le" // less than or equal
	OperatorPr Operator = "pr" // has a value; there is no literal
)

// Comparison is one comparison of a filter, with its literal in the form in which
// values are compared.
type Comparison struct {
	Attribute Attribute
	Op        Operator
	// Literal is a string (Fold has been applied unless the attribute is case-exact),
	// bool, int64, float64, or time.Time in UTC, and nil for pr and for null.
	Literal any
	Null    bool // the literal is null: only with eq and ne
	// Text: the literal is a part of a date's text (co, sw, ew on a dateTime).
	Text bool
	// InElement: the attribute is one of the element that FilterVisitor.Some is about.
	InElement bool
}

// FilterVisitor makes a T, such as a piece of a query, of each part of a filter. The
// rules that it has to keep are those of Filter.Match: on an absent attribute every
// comparison is false but "ne" and "eq null"; on a multi-valued one, or below one,
// it is enough that one value satisfies the comparison; pr asks for a value that is
// not the empty string.
type FilterVisitor[T any] struct {
	And, Or func(left, right T) T
	Not     func(in T) T
	Const   func(yes bool) T // true or false for every resource
	Compare func(c Comparison) (T, error)
	// Some: one element of the multi-valued attribute a, or the complex value a,
	// satisfies in.
	Some func(a Attribute, in T) (T, error)
}

// TranslateFilter builds a T from a filter, bottom up, so that an adapter needs no
// walk of its own over the tree. The nil Filter is Const(true).
func TranslateFilter[T any](f *Filter, v FilterVisitor[T]) (T, error) {
	if v.And == nil || v.Or == nil || v.Not == nil || v.Const == nil || v.Compare == nil || v.Some == nil {
		var none T
		return none, fmt.Errorf("scim: TranslateFilter: every function of the FilterVisitor is needed")
	}
	if f == nil {
		return v.Const(true), nil
	}
	return match.Translate(f.m, match.Visitor[T]{
		And: v.And, Or: v.Or, Not: v.Not, Const: v.Const,
		Compare: func(c match.Comparison) (T, error) {
			return v.Compare(Comparison{Attribute: *attrOf(c.Attr), Op: Operator(c.Op), Literal: c.Literal, Null: c.Null, Text: c.Text, InElement: c.InElement})
		},
		Some: func(a *model.Attribute, in T) (T, error) { return v.Some(*attrOf(a), in) },
	})
}
