// Package doc holds the contents of resources: values with the attributes of a compiled
// schema, and their JSON form. Values never change: every change makes a copy that shares
// the rest.
package doc

import (
	"slices"

	"github.com/scimkit/scim/internal/model"
)

// Value is an attribute with its contents. These are the text of a simple value, the fields
// of a complex one, or the elements of a multi-valued one. Each element is a Value of the
// same attribute, as if the attribute were single-valued. Only a Value among fields holds
// elements.
//
// Text is the string itself, "true" or "false", or a number as the client sent it. For kind
// Any it is raw JSON.
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

// Kids are the fields or elements. Do not change them.
func (v Value) Kids() []Value {
	if v.kids == nil {
		return nil
	}
	return *v.kids
}

// IsList reports whether v, among fields, holds elements.
func (v Value) IsList() bool { return v.Attr != nil && v.Attr.Multi }

// Absent reports whether v is the zero Value, or empty: a complex value without fields, or
// a list without elements (RFC 7643, Section 2.5).
func (v Value) Absent() bool {
	if v.Attr == nil {
		return true
	}
	return (v.Attr.Kind == model.Complex || v.kids != nil) && len(v.Kids()) == 0
}

// isSame reports whether a and b are the same attribute. Each value of an attribute that no
// schema has makes a new Attribute, so there the names decide.
func isSame(a, b *model.Attribute) bool {
	return a == b || a != nil && b != nil && a.Kind == model.Any && b.Kind == model.Any &&
		model.FoldName(a.Name) == model.FoldName(b.Name)
}

// Get returns the field of attribute a, the zero Value if there is none.
func Get(fields []Value, a *model.Attribute) Value {
	for i := range fields {
		if isSame(fields[i].Attr, a) {
			return fields[i]
		}
	}
	return Value{}
}

// Field returns the field of v for sub, if v is a single complex value or an element. It
// returns the zero Value if there is none.
func (v Value) Field(sub *model.Attribute) Value { return Get(v.Kids(), sub) }

// Put returns fields with v in the place of its attribute, in schema order. An absent v
// removes the attribute. Put does not change its argument.
func Put(fields []Value, v Value) []Value {
	if v.Absent() {
		return Drop(fields, v.Attr)
	}
	at := 0
	for at < len(fields) && !isSame(fields[at].Attr, v.Attr) && fields[at].Attr.Order <= v.Attr.Order {
		at++
	}
	if i := slices.IndexFunc(fields, func(f Value) bool { return isSame(f.Attr, v.Attr) }); i >= 0 {
		out := slices.Clone(fields)
		out[i] = v
		return out
	}
	out := make([]Value, 0, len(fields)+1)
	out = append(out, fields[:at]...)
	out = append(out, v)
	return append(out, fields[at:]...)
}

// Drop returns fields without attribute a. It does not change its argument.
func Drop(fields []Value, a *model.Attribute) []Value {
	i := slices.IndexFunc(fields, func(f Value) bool { return isSame(f.Attr, a) })
	if i < 0 {
		return fields
	}
	out := make([]Value, 0, len(fields)-1)
	out = append(out, fields[:i]...)
	return append(out, fields[i+1:]...)
}

// Equal reports whether two values are the same: attributes, texts and order.
func (v Value) Equal(w Value) bool {
	return isSame(v.Attr, w.Attr) && v.Text == w.Text && EqualFields(v.Kids(), w.Kids())
}

// EqualFields compares two lists of fields or elements.
func EqualFields(a, b []Value) bool { return slices.EqualFunc(a, b, Value.Equal) }
