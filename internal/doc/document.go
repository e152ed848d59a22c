package doc

import (
	"slices"
	"time"

	"github.com/scimkit/scim/internal/model"
)

// Document is a resource: its values, and the data that the server keeps beside them.
type Document struct {
	Type     *model.Type
	ID       string
	Version  string // opaque; "" if the store keeps none
	Created  time.Time
	Modified time.Time
	Values   []Value // in schema order; extensions are complex values
}

// Find returns the value at a path of single-valued attributes. For an attribute
// inside a multi-valued one it returns the zero Value.
func (d *Document) Find(a *model.Attribute) Value {
	if a == nil {
		return Value{}
	}
	if a.Parent == nil || a.Parent == d.Type.Root {
		return Get(d.Values, a)
	}
	p := d.Find(a.Parent)
	if p.Attr == nil || p.Attr.Multi {
		return Value{}
	}
	return p.Field(a)
}

// Text returns the text at a path. It is "" if there is none, or if the attribute is
// complex or multi-valued. Of the data beside the values it knows only the id.
func (d *Document) Text(path string) string {
	a := d.Type.Find(path)
	switch {
	case a == nil || a.Kind == model.Complex || a.Multi:
		return ""
	case a.Meta && a.Name == "id":
		return d.ID
	case a.Meta:
		return ""
	}
	return d.Find(a).Text
}

// Active reports whether a user is active. A user is active unless "active" is false.
func (d *Document) Active() bool { return d.Text("active") != "false" }

// With is a copy with other values.
func (d *Document) With(values []Value) *Document {
	c := *d
	c.Values = values
	return &c
}

// Equal reports whether two documents have the same type, id and values, whatever
// their versions and times.
func (d *Document) Equal(o *Document) bool {
	return d.Type == o.Type && d.ID == o.ID && EqualFields(d.Values, o.Values)
}

// PutAt returns values with v at the place of its attribute. It makes missing complex
// single-valued parents.
func PutAt(root *model.Attribute, values []Value, v Value) []Value {
	parent := v.Attr.Parent
	if parent == nil || parent == root {
		return Put(values, v)
	}
	var within []Value
	if parent.Parent == nil || parent.Parent == root {
		within = Get(values, parent).Kids()
	} else {
		within = Get(Get(values, parent.Parent).Kids(), parent).Kids()
	}
	return PutAt(root, values, Composite(parent, Put(within, v)...))
}

// DropAt returns values without attribute a, and without its parents if they are then
// empty.
func DropAt(root *model.Attribute, values []Value, a *model.Attribute) []Value {
	if a.Parent == root {
		return Drop(values, a)
	}
	d := Document{Type: &model.Type{Root: root}, Values: values}
	parent := d.Find(a.Parent)
	if parent.Attr == nil {
		return values
	}
	rest := Composite(a.Parent, Drop(parent.Kids(), a)...)
	if rest.Absent() {
		return DropAt(root, values, a.Parent)
	}
	return PutAt(root, values, rest)
}

// Merge returns now with the differences between before and after applied. It merges a
// single complex value part by part.
func Merge(before, after, now []Value) []Value {
	for _, v := range slices.Concat(after, before) {
		was, is := Get(before, v.Attr), Get(after, v.Attr)
		switch there := Get(now, v.Attr); {
		case was.Attr != nil && is.Attr != nil && was.Equal(is):
		case v.Attr.Kind == model.Complex && !v.Attr.Multi:
			now = Put(now, Composite(v.Attr, Merge(was.Kids(), is.Kids(), there.Kids())...))
		case is.Attr == nil:
			now = Drop(now, v.Attr)
		default:
			now = Put(now, is)
		}
	}
	return now
}
