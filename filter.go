package scim

import (
	"fmt"
	"iter"
	"net/http"
	"time"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
)

// Filter is a filter (RFC 7644, Section 3.4.2.2) for one resource type. It is immutable.
// The nil Filter matches every resource.
type Filter struct{ m *match.Filter }

// ParseFilter parses a filter for resources of type t and checks it. Its error is an
// *Error, 400 invalidFilter, that names the position or the attribute.
func ParseFilter(t *ResourceType, text string) (*Filter, error) {
	m, err := match.Parse(t.m, text, filterlang.Limits{}, nil)
	if err != nil {
		return nil, outward(err)
	}
	return &Filter{m}, nil
}

// Match reports whether r satisfies the filter. If an attribute is absent, only "ne" and
// "eq null" are true. For a multi-valued attribute one matching value is enough.
func (f *Filter) Match(r *Resource) bool { return f == nil || f.m.Match(&r.d) }

// Eq returns the string that the attribute at path equals in every match. ok is false if
// the filter requires none.
//
// Most requests of clients are such look-ups. A store finds candidates by this value, and
// Scan does the rest. Compare with Fold, unless the attribute is case-exact, as id and
// externalId are.
func (f *Filter) Eq(path string) (value string, ok bool) {
	if f == nil {
		return "", false
	}
	return f.m.Eq(path)
}

// Expr returns the filter's tree for translation into a query language, or nil for the
// nil Filter. Do not change it. TranslateFilter is easier to use.
//
// The tree is normalised. Attributes have their canonical names, without the URN of the
// core schema. A comparison with a complex attribute is one with its "value". Literals
// have the type of the attribute.
func (f *Filter) Expr() filter.Expression {
	if f == nil {
		return nil
	}
	return f.m.Expr()
}

// Text returns the filter in canonical form, or "" for the nil Filter.
func (f *Filter) Text() string {
	if f == nil {
		return ""
	}
	return filterlang.Print(f.m.Expr())
}

// Query is what Store.List gets. Its zero value asks for the number of resources.
type Query struct {
	// Filter selects resources. Nil: all.
	Filter *Filter
	// IDs selects resources by id, at most 1,000. Nil: all; an empty list: none.
	IDs []string
	// SortBy is the path of the attribute to sort by. "": order of creation, which also
	// decides between equal values. Of resources with one time of creation the one with the
	// shorter id comes first, and then the smaller id: so numbers are in their own order. A
	// multi-valued attribute sorts by its primary value. Texts sort by their first SortLength
	// characters.
	// Resources without the attribute come last, or first if Descending (RFC 7644,
	// Section 3.4.2.3).
	SortBy string
	// Descending reverses the order.
	Descending bool
	// Offset is the number of resources to skip (index paging). It is 0 if After is set.
	Offset int
	// After is the place after which the page begins (keyset paging). Nil: the start.
	After *PageKey
	// Limit is the largest number of resources in the page. 0: the total is enough.
	Limit int
	// Total asks for Page.Total.
	Total bool
	// ForClient says that a client asked for the list, and not the library itself. A
	// Claimer may leave unclaimed resources out of such a list.
	ForClient bool
	// MaxBytes is about how many bytes of JSON the page may have. A store that copies
	// resources into memory ends the page where they exceed it, but not before the first
	// one, and sets Page.Cut. It may ignore MaxBytes; long resources then need much memory.
	// 0: any number.
	MaxBytes int
	// WithoutAttributes says that the caller only needs to know which of the resources exist. A
	// store may then leave their attributes out, and so read less. It may ignore this.
	WithoutAttributes bool
	// WithGroups says that the caller goes on to ask for the memberships of the users of the page. A
	// MemberStore may set Page.Groups to them, and so save a call. It may ignore this.
	WithGroups bool
	// MaxComparisons is how many comparisons of the filter with resources the query may take,
	// that is, terms times resources. Scan counts them, and returns TooManyComparisons. A store
	// that translates the filter counts the terms that no index answers, times the resources
	// that it compares them with. It may count SortBy as a term. Scan always allows one
	// comparison with each resource. 0: any number.
	MaxComparisons int

	work *match.Work // limits Scan; nil: no limit
}

// TooManyComparisons is the error of a query that takes more than Query.MaxComparisons
// comparisons: 400 tooMany.
func TooManyComparisons(q *Query) *Error {
	return &Error{Status: http.StatusBadRequest, Type: "tooMany", Detail: fmt.Sprintf("the filter takes more than %d comparisons with resources: "+
		"narrow it down by eq on id, userName, externalId, displayName or emails.value, or use fewer terms", q.MaxComparisons)}
}

// PageKey is the place of one resource in the order of a list.
type PageKey struct {
	// Value is the resource's sort value. Of a text it is the first SortLength characters,
	// after Fold unless the attribute is case-exact. Nil: there is no SortBy, or the
	// attribute is absent.
	Value *string
	// Created and ID are the resource's meta.created and id.
	Created time.Time
	ID      string
}

// SortLength is how many characters of a text decide its place in a sorted list. A cursor
// holds them, so they are few. Order of creation decides between texts that begin alike.
const SortLength = match.SortLength

// KeyOf returns the place of r in the order of q.
func KeyOf(q *Query, r *Resource) *PageKey { return (*PageKey)(match.PlaceOf(q.SortBy, &r.d)) }

// Page is one page of a list.
type Page struct {
	// Resources are the resources of the page, in order.
	Resources []*Resource
	// Total is the number of all matches. The store sets it if Query.Total is set or
	// Query.Limit is 0. A page with Query.Offset that others follow may have the total of up to
	// a minute ago: a client that reads all pages would make the store count each time. The
	// last page has the total of now.
	Total int
	// Cut means that the page ended early because of Query.MaxBytes. The handler asks for
	// the rest with Query.After.
	Cut bool
	// Groups are what GroupsOf returns for all resources of the page, if Query.WithGroups asks for it.
	// Nil: the store has not read them.
	Groups []Membership
}

// Scan answers a query: it filters, sorts, counts and cuts out the page. all yields the
// resources of the type in any order. It may leave out resources that do not match, so a
// store can select candidates by Filter.Eq and IDs first. Scan returns the first error
// that all yields. It also ends with the request that the query comes from, and with an
// *Error, 400 tooMany, if the filter compares too much.
func Scan(q *Query, all iter.Seq2[*Resource, error]) (*Page, error) {
	m := &match.Query{IDs: q.IDs, SortBy: q.SortBy, Descending: q.Descending, Offset: q.Offset,
		After: (*match.Place)(q.After), Limit: q.Limit, Work: q.work}
	if q.Filter != nil {
		m.Filter = q.Filter.m
		if terms := q.Filter.m.Nodes(); q.MaxComparisons > 0 && terms > 1 {
			all = atMost(q.MaxComparisons/terms, all, TooManyComparisons(q))
		}
	}
	page, total, err := match.Scan(m, all, func(r *Resource) *doc.Document { return &r.d })
	if err != nil {
		return nil, outward(err)
	}
	return &Page{Resources: page, Total: total}, nil
}

// atMost yields n resources of all, and err instead of a further one.
func atMost(n int, all iter.Seq2[*Resource, error], err error) iter.Seq2[*Resource, error] {
	return func(yield func(*Resource, error) bool) {
		for r, failed := range all {
			if n--; n < 0 && failed == nil {
				yield(nil, err)
				return
			}
			if !yield(r, failed) {
				return
			}
		}
	}
}

// Attribute describes an attribute (RFC 7643, Section 7). Adapters use it to translate
// filters and to derive columns.
type Attribute struct {
	// Path is the canonical path: "userName", "emails.value", "urn:…:User:manager.value".
	Path string
	// Type is the data type.
	Type AttributeType
	// MultiValued means that the attribute has a list of values.
	MultiValued bool
	// CaseExact means that values are compared as they are. Other strings are compared by
	// their Fold.
	CaseExact bool
	// Parent is the complex attribute or the extension that contains the attribute; else
	// nil.
	Parent *Attribute
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

// Attribute returns the attribute at path. ok is false if there is none.
func (t *ResourceType) Attribute(path string) (a Attribute, ok bool) {
	if m := t.m.Find(path); m != nil {
		return *attrOf(m), true
	}
	return Attribute{}, false
}

// Attributes lists the attributes of the type, depth first. First come those of the core
// schema, then each extension under its URN. schemas, id and meta are included.
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

// Operator is the operator of a comparison (RFC 7644, Section 3.4.2.2).
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

// Comparison is one comparison in a filter.
type Comparison struct {
	// Attribute is the attribute on the left side.
	Attribute Attribute
	// Op is the operator.
	Op Operator
	// Literal is the right side: a string, bool, int64, float64, or time.Time in UTC. It is
	// nil for pr and for null. Unless the attribute is case-exact, Fold has been applied
	// to a string.
	Literal any
	// Null means that the literal is null. Op is then eq or ne.
	Null bool
	// Text means that the literal is part of the text of a date: co, sw or ew on a
	// dateTime.
	Text bool
	// InElement means that the attribute belongs to the element of FilterVisitor.Some.
	InElement bool
}

// FilterVisitor makes a T, such as a piece of a query, from each part of a filter. Every
// field is required.
//
// The result must follow the rules of Filter.Match. If an attribute is absent, only "ne"
// and "eq null" are true. For a multi-valued attribute, or a sub-attribute of one, one
// matching value is enough. "pr" is false for an empty string.
type FilterVisitor[T any] struct {
	// And, Or and Not combine conditions.
	And, Or func(left, right T) T
	Not     func(in T) T
	// Const returns a condition that is true, or false, for every resource.
	Const func(yes bool) T
	// Compare translates one comparison.
	Compare func(c Comparison) (T, error)
	// Some returns a condition that is true if one element of the attribute a satisfies
	// in. A complex attribute with one value counts as one element.
	Some func(a Attribute, in T) (T, error)
}

// TranslateFilter builds a T from a filter, bottom up. The nil Filter is Const(true). It
// returns the first error of Compare or Some, or an error if a field of v is missing.
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
