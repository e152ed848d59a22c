// Package filterlang reads and writes SCIM filters (RFC 7644, Section 3.4.2.2) and PATCH
// paths (Section 3.5.2). Its trees are those of filter-parser, which applications translate
// to their query language.
package filterlang

import (
	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/tolerance"
)

// Limits bound what a client can make large. A field that is not positive means its
// default.
type Limits struct {
	Length int // the most bytes of text; default 4096
	Depth  int // the most levels of parentheses and brackets; default 32
	Nodes  int // the most comparisons, value paths and logical operators together; default 256
}

func (l Limits) orDefault() Limits {
	set := func(n *int, to int) {
		if *n <= 0 {
			*n = to
		}
	}
	set(&l.Length, 4096)
	set(&l.Depth, 32)
	set(&l.Nodes, 256)
	return l
}

// ParseFilter reads a filter by the grammar of RFC 7644, Section 3.4.2.2, figure 1. It also
// reads what tol allows. In the tree, operators are in lower case and strings are decoded.
// An integer is an int if int can hold it. All other numbers are float64. An error is a
// *fault.Error of type invalidFilter.
func ParseFilter(text string, lim Limits, tol *tolerance.Use) (filter.Expression, error) {
	p := parser{text: text, lim: lim.orDefault(), tol: tol, what: "filter", scimType: fault.InvalidFilter}
	if err := p.start(); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if err := p.end(`"and", "or" or the end of the filter`); err != nil {
		return nil, err
	}
	return e, nil
}

// ParsePath reads the path of a PATCH operation by the grammar of RFC 7644, Section 3.5.2,
// figure 7. If a path is only a schema's URN, its last part becomes the attribute name,
// because only the schemas know better. An error is a *fault.Error of type invalidPath.
func ParsePath(text string, lim Limits, tol *tolerance.Use) (filter.Path, error) {
	p := parser{text: text, lim: lim.orDefault(), tol: tol, what: "path", scimType: fault.InvalidPath}
	if err := p.start(); err != nil {
		return filter.Path{}, err
	}
	path, err := p.path()
	if err != nil {
		return filter.Path{}, err
	}
	if err := p.end("the end of the path"); err != nil {
		return filter.Path{}, err
	}
	return path, nil
}

// A parser reads text from pos on by recursive descent.
type parser struct {
	text     string
	pos      int
	lim      Limits
	tol      *tolerance.Use
	what     string // "filter" or "path", for messages
	scimType string
	depth    int
	nodes    int
	inside   bool // the parser is inside the brackets of a value path
}

// path reads attrPath or valuePath [subAttr].
func (p *parser) path() (filter.Path, error) {
	attr, err := p.attrPath()
	if err != nil {
		return filter.Path{}, err
	}
	path := filter.Path{AttributePath: attr}
	if p.space(); !p.at('[') {
		return path, nil
	}
	if path.ValueExpression, err = p.valueFilter(); err != nil {
		return filter.Path{}, err
	}
	if p.at('.') {
		if path.SubAttribute, err = p.subAttribute(); err != nil {
			return filter.Path{}, err
		}
	}
	return path, nil
}

// or reads operands of "or", the operator with the lowest precedence.
func (p *parser) or() (filter.Expression, error) { return p.binary(filter.OR) }

// binary reads one or more operands with op between them. It associates to the left.
func (p *parser) binary(op filter.LogicalOperator) (filter.Expression, error) {
	left, err := p.operandOf(op)
	for err == nil && p.keyword(string(op)) {
		var right filter.Expression
		if right, err = p.operandOf(op); err == nil {
			left, err = p.join(left, op, right)
		}
	}
	return left, err
}

// operandOf reads an operand of op. It is no function value, which would cost an
// allocation.
func (p *parser) operandOf(op filter.LogicalOperator) (filter.Expression, error) {
	if op == filter.OR {
		return p.binary(filter.AND)
	}
	return p.operand()
}

func (p *parser) join(left filter.Expression, op filter.LogicalOperator, right filter.Expression) (filter.Expression, error) {
	return &filter.LogicalExpression{Left: left, Operator: op, Right: right}, p.node()
}

// operand reads a comparison, a value path, or either form of parentheses. "not" is a
// keyword only before a parenthesis, because an attribute may have that name.
func (p *parser) operand() (filter.Expression, error) {
	p.space()
	if p.at('(') {
		return p.group()
	}
	start := p.pos
	if p.keyword("not") {
		if p.space(); p.at('(') {
			e, err := p.group()
			if err != nil {
				return nil, err
			}
			return &filter.NotExpression{Expression: e}, p.node()
		}
		p.pos = start
	}
	attr, err := p.attrPath()
	if err != nil {
		return nil, err
	}
	if p.space(); p.at('[') {
		return p.valuePath(attr)
	}
	return p.comparison(attr)
}

// group reads the filter in parentheses.
func (p *parser) group() (filter.Expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	return e, p.leave(')', `"and", "or" or ")"`)
}

// valueFilter reads the filter in brackets.
func (p *parser) valueFilter() (filter.Expression, error) {
	if p.inside {
		return nil, p.fail(p.pos, `expected no "[": inside the brackets of a value path there is no other value path`)
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	p.inside = true
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	p.inside = false
	return e, p.leave(']', `"and", "or" or "]"`)
}

// valuePath reads the rest of emails[type eq "work"]. Only the grammar of paths has a
// sub-attribute behind the brackets, not that of filters. The sub-attribute is about the
// same element as the brackets.
func (p *parser) valuePath(attr filter.AttributePath) (filter.Expression, error) {
	in, err := p.valueFilter()
	if err != nil {
		return nil, err
	}
	if p.at('.') {
		at := p.pos
		sub, err := p.subAttribute()
		if err != nil {
			return nil, err
		}
		if !p.tol.Allow(tolerance.ValuePathAttribute, *sub) {
			return nil, p.fail(at, `expected no sub-attribute after "]": compare %s inside the brackets`, p.quote(*sub))
		}
		also, err := p.comparison(filter.AttributePath{AttributeName: *sub})
		if err != nil {
			return nil, err
		}
		if in, err = p.join(in, filter.AND, also); err != nil {
			return nil, err
		}
	}
	return &filter.ValuePath{AttributePath: attr, ValueFilter: in}, p.node()
}

// comparison reads an operator and its literal.
func (p *parser) comparison(attr filter.AttributePath) (filter.Expression, error) {
	op, err := p.operator()
	if err != nil {
		return nil, err
	}
	e := &filter.AttributeExpression{AttributePath: attr, Operator: op}
	if op != filter.PR {
		if e.CompareValue, err = p.literal(); err != nil {
			return nil, err
		}
	}
	return e, p.node()
}
