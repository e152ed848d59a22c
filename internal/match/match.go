// Package match compiles filters (RFC 7644, Section 3.4.2.2) against a resource
// type into predicates over documents, and orders documents for sorting.
//
// Logic is two-valued: on an absent attribute every comparison is false except
// "ne" and "eq null". A multi-valued attribute satisfies a comparison if any of
// its elements does.
package match

import (
	"math"

	"github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// Filter is a compiled filter. It never changes and is safe for concurrent use.
type Filter struct {
	typ   *model.Type
	root  *node
	expr  filter.Expression
	nodes int
	eqs   []equality
}

// equality is a comparison that every match must satisfy.
type equality struct {
	attr *model.Attribute
	text string
}

// Compile binds e to the attributes of t. If a term cannot be compared, the error is a
// *fault.Error of type invalidFilter. Compile does not keep the expression.
func Compile(t *model.Type, e filter.Expression, tol *tolerance.Use) (*Filter, error) {
	c := compiler{typ: t, tol: tol}
	n, expr, err := c.expression(scopeOf{lookup: t.Root, base: t.Root}, e)
	if err != nil {
		return nil, err
	}
	return &Filter{typ: t, root: n, expr: expr, nodes: c.nodes, eqs: equalities(n, nil)}, nil
}

// Match reports whether d satisfies the filter. The nil Filter matches everything. Match
// does not allocate if the compared data is ASCII, except for "co" on long mixed-case texts
// and for substrings of meta's dates.
func (f *Filter) Match(d *doc.Document) bool {
	if f == nil {
		return true
	}
	return f.within(&Work{left: math.MaxInt}, d) // a zero Work would first look for a limit
}

// within is Match within the limits of w. If w ends, the answer means nothing.
func (f *Filter) within(w *Work, d *doc.Document) bool {
	w.remembers = f.nodes > 1
	yes := f.root.match(&scope{doc: d, fields: d.Values, work: w})
	w.forget() // few texts are in several documents
	return yes
}

// Expr is the filter in a normal form. Attributes have their canonical spelling, without
// the core schema's URN. A comparison of a complex attribute compares its "value". Literals
// have the attribute's type. Do not change the result, because all callers share it.
func (f *Filter) Expr() filter.Expression {
	if f == nil {
		return nil
	}
	return f.expr
}

// Find finds an attribute that a comparison or a value path names and that is one of those
// asked for. It returns nil if there is none.
func (f *Filter) Find(is func(*model.Attribute) bool) *model.Attribute {
	if f == nil {
		return nil
	}
	return f.root.names(is)
}

// Nodes is the number of comparisons.
func (f *Filter) Nodes() int { return f.nodes }

// Eq returns the literal that path must equal in every match. The filter is this
// comparison, or a conjunction with it, also in a value path. Only string literals of
// strings, references and binary values count. The attribute's case rule defines equality.
func (f *Filter) Eq(path string) (string, bool) {
	if f == nil || len(f.eqs) == 0 {
		return "", false
	}
	a := f.typ.Find(path)
	for i := range f.eqs {
		if a != nil && f.eqs[i].attr == a {
			return f.eqs[i].text, true
		}
	}
	return "", false
}

// equalities collects the comparisons that every match of n satisfies.
func equalities(n *node, list []equality) []equality {
	switch {
	case n.op == opAnd:
		return equalities(n.right, equalities(n.left, list))
	case n.op == opSome:
		return equalities(n.left, list)
	case n.op == opEQ && (n.mode == modeExact || n.mode == modeFold): // null has no mode
		return append(list, equality{n.attr, n.text})
	}
	return list
}

// Text is the filter in canonical form, "" for the nil Filter.
func (f *Filter) Text() string {
	if f == nil {
		return ""
	}
	return filterlang.Print(f.expr)
}
