package match

import (
	"strings"

	"github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// compiler turns an expression into nodes. Together with them it makes the normal form.
type compiler struct {
	typ   *model.Type // nil for the filter of a PATCH path
	tol   *tolerance.Use
	nodes int
}

// scopeOf says where to look up the names of an expression and where to read their values.
// The two differ only within meta[…], whose values are those of the document.
type scopeOf struct {
	lookup, base *model.Attribute
	inside       bool // the expression is within a value path
}

func (c *compiler) expression(s scopeOf, e filter.Expression) (*node, filter.Expression, error) {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		o, canonical := opAnd, filter.LogicalOperator(filter.AND)
		if strings.EqualFold(string(e.Operator), string(filter.OR)) {
			o, canonical = opOr, filter.OR
		} else if !strings.EqualFold(string(e.Operator), string(filter.AND)) {
			return nil, nil, fault.New(fault.InvalidFilter, "%q is not a logical operator: those are and, or, not", clip(string(e.Operator)))
		}
		left, x, err := c.expression(s, e.Left)
		if err != nil {
			return nil, nil, err
		}
		right, y, err := c.expression(s, e.Right)
		if err != nil {
			return nil, nil, err
		}
		return &node{op: o, left: left, right: right}, &filter.LogicalExpression{Left: x, Right: y, Operator: canonical}, nil
	case *filter.NotExpression:
		left, x, err := c.expression(s, e.Expression)
		if err != nil {
			return nil, nil, err
		}
		return &node{op: opNot, left: left}, &filter.NotExpression{Expression: x}, nil
	case *filter.ValuePath:
		return c.valuePath(s, e)
	case *filter.AttributeExpression:
		return c.comparison(s, e)
	}
	return nil, nil, fault.New(fault.InvalidFilter, "an expression is missing")
}

func (c *compiler) valuePath(s scopeOf, e *filter.ValuePath) (*node, filter.Expression, error) {
	if s.inside {
		return nil, nil, fault.New(fault.InvalidFilter, "%s[…]: a value filter cannot stand within another", clip(e.AttributePath.String()))
	}
	a, err := c.resolve(s, e.AttributePath)
	if err != nil {
		return nil, nil, err
	}
	if !a.Multi && a.Kind != model.Complex {
		return nil, nil, fault.New(fault.InvalidFilter, "%s[…]: the attribute holds a single %s; a value filter needs a multi-valued or complex attribute", a.Path, a.Kind)
	}
	if a.Meta && a.Kind == model.Complex { // meta is always there
		return c.expression(scopeOf{lookup: a, base: s.base, inside: true}, e.ValueFilter)
	}
	n, x, err := c.expression(scopeOf{lookup: a, base: a, inside: true}, e.ValueFilter)
	if err != nil {
		return nil, nil, err
	}
	steps := stepsTo(s.base, a)
	return &node{op: opSome, left: n, attr: a, steps: steps}, &filter.ValuePath{AttributePath: pathOf(steps, a), ValueFilter: x}, nil
}

var operators = map[filter.CompareOperator]op{
	filter.EQ: opEQ, filter.NE: opNE, filter.CO: opCO, filter.SW: opSW, filter.EW: opEW,
	filter.GT: opGT, filter.GE: opGE, filter.LT: opLT, filter.LE: opLE, filter.PR: opPR,
}

func (c *compiler) comparison(s scopeOf, e *filter.AttributeExpression) (*node, filter.Expression, error) {
	c.nodes++
	name := filter.CompareOperator(strings.ToLower(string(e.Operator)))
	o, ok := operators[name]
	if !ok {
		return nil, nil, fault.New(fault.InvalidFilter, "%q is not an operator: those are eq, ne, co, sw, ew, gt, ge, lt, le, pr", clip(string(e.Operator)))
	}
	a, err := c.resolve(s, e.AttributePath)
	if err != nil {
		return nil, nil, err
	}
	if a.Kind == model.Complex && o != opPR && e.CompareValue != nil {
		if a, err = c.valueOf(a); err != nil {
			return nil, nil, err
		}
	}
	n := &node{op: o, attr: a, steps: stepsTo(s.base, a)}
	x := &filter.AttributeExpression{AttributePath: pathOf(n.steps, a), Operator: name}
	switch {
	case o == opPR:
	case e.CompareValue == nil:
		if o != opEQ && o != opNE {
			return nil, nil, fault.New(fault.InvalidFilter, "%s %s null: null can only be compared by eq and ne", a.Path, name)
		}
		n.null = true
	default:
		if x.CompareValue, err = c.literal(n, name, e.CompareValue); err != nil {
			return nil, nil, err
		}
	}
	if a.Meta && a.Kind == model.Complex { // meta is always there
		n.yes = o == opPR || o == opNE
		n.op = opConst
	}
	return n, x, nil
}

// valueOf is the sub-attribute to compare in the place of a complex attribute. The RFC does
// not define this, but clients write it (Q44, Q45).
func (c *compiler) valueOf(a *model.Attribute) (*model.Attribute, error) {
	v := a.Lookup("value")
	if v == nil || v.Kind == model.Complex || v.Kind == model.Any || isHidden(v) {
		return nil, fault.New(fault.InvalidFilter, "%s is complex and cannot be compared; name one of its sub-attributes", a.Path)
	}
	if !c.tol.Allow(tolerance.ComplexComparison, a.Path) {
		return nil, fault.New(fault.InvalidFilter, "%s is complex and cannot be compared; compare %s", a.Path, v.Path)
	}
	return v, nil
}

// isHidden reports whether a never leaves the server. A filter on it could reveal its value
// bit by bit.
func isHidden(a *model.Attribute) bool {
	return a.Returned == model.Never || a.Mutability == model.WriteOnly
}

// clip shortens a client's text.
func clip(s string) string { return fault.ClipTo(80, s) }

// Parse parses a filter and binds it to the attributes of t.
func Parse(t *model.Type, text string, lim filterlang.Limits, tol *tolerance.Use) (*Filter, error) {
	e, err := filterlang.ParseFilter(text, lim, tol)
	if err != nil {
		return nil, err
	}
	return Compile(t, e, tol)
}
