package match

import (
	"github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// Element is a compiled value filter: the filter in the brackets of a PATCH path. It never
// changes and is safe for concurrent use.
type Element struct {
	attr *model.Attribute
	root *node
}

// CompileElement binds e to the elements of the multi-valued attribute a, or to the value
// of a single-valued complex one. In simple elements, "value" names the element itself. If
// a term cannot be compared, the error is a *fault.Error of type invalidFilter.
func CompileElement(a *model.Attribute, e filter.Expression, tol *tolerance.Use) (*Element, error) {
	if a.Meta || a.Kind == model.Any || !a.Multi && a.Kind != model.Complex {
		return nil, fault.New(fault.InvalidFilter, "%s[…]: a value filter needs a multi-valued or complex attribute", a.Path)
	}
	c := compiler{tol: tol}
	n, _, err := c.expression(scopeOf{lookup: a, base: a, inside: true}, e)
	if err != nil {
		return nil, err
	}
	return &Element{attr: a, root: n}, nil
}

// Match reports whether v, an element of the attribute, satisfies the filter. If w ends,
// the answer means nothing.
func (m *Element) Match(w *Work, v doc.Value) bool {
	return m.root.match(&scope{fields: v.Kids(), self: &v, work: w})
}

// Find finds an attribute that the filter names and that is one of those asked for. It returns
// nil if there is none.
func (m *Element) Find(is func(*model.Attribute) bool) *model.Attribute {
	if m == nil {
		return nil
	}
	return m.root.names(is)
}

// Assign returns the contents that an element needs to match the filter. It works only for
// a conjunction of "sub eq literal". The result is the fields of the element, in schema
// order. If elements are simple, it is the element alone.
func (m *Element) Assign() ([]doc.Value, bool) { return assign(m.attr, m.root, nil) }

func assign(base *model.Attribute, n *node, fields []doc.Value) ([]doc.Value, bool) {
	if n.op == opAnd {
		fields, ok := assign(base, n.left, fields)
		if !ok {
			return nil, false
		}
		return assign(base, n.right, fields)
	}
	if n.op != opEQ || n.null || len(n.steps) > 1 { // deeper only within an extension
		return nil, false
	}
	v := doc.Simple(n.attr, n.text)
	if n.mode == modeNumber {
		v.Text = textOf(n.num.literal())
	}
	if len(n.steps) > 0 && n.attr.Multi {
		v = doc.Composite(n.attr, v)
	}
	for _, have := range fields {
		if have.Attr == v.Attr {
			return fields, have.Equal(v) // one field cannot be two things
		}
	}
	if len(n.steps) == 0 {
		return []doc.Value{v}, true
	}
	return doc.Put(fields, v), true
}
