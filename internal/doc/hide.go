package doc

import (
	"time"

	"github.com/scimkit/scim/internal/model"
)

// Hide returns d as a client sees it who may not know some attributes. It has no version and
// no time of the last change, because both tell when a hidden value changed.
func (d *Document) Hide(hidden []*model.Attribute) *Document {
	if len(hidden) == 0 {
		return d
	}
	c := *d
	for _, a := range hidden {
		c.Values = DropAt(d.Type.Root, c.Values, a)
	}
	c.Version, c.Modified = "", time.Time{}
	return &c
}

// Replace returns d with other values, and with its own ones of the hidden attributes.
func (d *Document) Replace(values []Value, hidden []*model.Attribute) *Document {
	for _, a := range hidden {
		values = DropAt(d.Type.Root, values, a)
		if v := d.Find(a); v.Attr != nil {
			values = PutAt(d.Type.Root, values, v)
		}
	}
	return d.With(values)
}
