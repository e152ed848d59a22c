// Package doc holds the contents of resources: values bound to the attributes
// of a compiled schema, their JSON form, and what is read from and written to
// them. Values never change once made: every change is a copy that shares the
// rest.
package doc

import (
	"slices"

	"github.com/scimkit/scim/internal/model"
)

// Value is an attribute with what it holds: the text of a simple value, the
// fields of a complex one, or, where the attribute is multi-valued and the Value
// stands in a list of fields, its elements. Each element is a Value of the same
// attribute, read as if the attribute were single-valued.
//
// Text is the string itself, "true" or "false", or a number as it was sent.
// For kind Any it is raw JSON.
type Value struct {
	Attr *model.Attribute
	Text string
	kids *[]Value
}

// Simple is a simple value, or an element of a simple multi-valued attribute.
func Simple(a *model.Attribute, text string) Value { return Value{Attr: a, Text: text} }

// Composite is a complex value of fields, or a multi-valued attribute of elements.
// It keeps kids, which must not change afterwards.
func Composite(a *model.Attribute, kids ...Value) Value { return Value{Attr: a, kids: &kids} }

// Kids are the fields or elements; they must not be changed.
func (v Value) Kids() []Value {
	if v.kids == nil {
		return nil
	}
	return *v.kids
}

// IsList reports whether v, standing in a list of fields, holds elements.
func (v Value) IsList() bool { return v.Attr != nil && v.Attr.Multi }

// Absent reports whether v is the zero Value or holds nothing: a complex value
// without fields, a list without elements (RFC 7643, Section 2.5).
func (v Value) Absent() bool {
	if v.Attr == nil {
		return true
	}
	return (v.Attr.Kind == model.Complex || v.kids != nil) && len(v.Kids()) == 0
}

// same reports whether two attributes are one. An attribute that no schema has is
// made where it is met, so there the name decides.
func same(a, b *model.Attribute) bool {
	return a == b || a != nil && b != nil && a.Kind == model.Any && b.Kind == model.Any &&
		model.FoldName(a.Name) == model.FoldName(b.Name)
}

// Get returns the field of attribute a; the zero Value if there is none.
func Get(fields []Value, a *model.Attribute) Value {
	for i := range fields {
		if same(fields[i].Attr, a) {
			return fields[i]
		}
	}
	return Value{}
}

// Field returns the field of v named by sub, for a single complex value or an
// element; the zero Value if there is none.
func (v Value) Field(sub *model.Attribute) Value { return Get(v.Kids(), sub) }

// Put returns fields with v in the place of its attribute, in schema order. An
// absent v takes the attribute out. The argument is not changed.
func Put(fields []Value, v Value) []Value {
	if v.Absent() {
		return Drop(fields, v.Attr)
	}
	at := 0
	for at < len(fields) && !same(fields[at].Attr, v.Attr) && fields[at].Attr.Order <= v.Attr.Order {
		at++
	}
	if i := slices.IndexFunc(fields, func(f Value) bool { return same(f.Attr, v.Attr) }); i >= 0 {
		out := slices.Clone(fields)
		out[i] = v
		return out
	}
	out := make([]Value, 0, len(fields)+1)
	out = append(out, fields[:at]...)
	out = append(out, v)
	return append(out, fields[at:]...)
}

// Drop returns fields without attribute a. The argument is not changed.
func Drop(fields []Value, a *model.Attribute) []Value {
	i := slices.IndexFunc(fields, func(f Value) bool { return same(f.Attr, a) })
	if i < 0 {
		return fields
	}
	out := make([]Value, 0, len(fields)-1)
	out = append(out, fields[:i]...)
	return append(out, fields[i+1:]...)
}

// Equal reports whether two values are the same: attributes, texts and order.
func (v Value) Equal(w Value) bool {
	return same(v.Attr, w.Attr) && v.Text == w.Text && EqualFields(v.Kids(), w.Kids())
}

// EqualFields compares two lists of fields or elements.
func EqualFields(a, b []Value) bool { return slices.EqualFunc(a, b, Value.Equal) }
