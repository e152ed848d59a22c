package doc

import (
	"fmt"
	"net/http"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
)

// Limits bound one resource. A group's members count for none of them. Zero fields mean no
// limit.
type Limits struct {
	Text   int // bytes of a string
	Name   int // bytes of userName, displayName and externalId
	Values int // values of a multi-valued attribute
	Size   int // bytes of the resource as JSON
}

// CheckLimits refuses values that exceed a limit. What exceeds it already may stay as it is,
// and shrink: before are the values before the change.
func CheckLimits(l Limits, t *model.Type, before, after []Value) error {
	var x extent
	x.add(t, after)
	if x.text <= min(l.Text, l.Name) && x.values <= l.Values && x.size <= l.Size {
		return nil // most resources are small
	}
	c := limitCheck{Limits: l, t: t, before: before}
	var largest *model.Attribute
	size, most := 0, 0
	for _, v := range after {
		if v.Attr == t.Members {
			continue
		}
		if err := c.field(v); err != nil {
			return err
		}
		n := Size(v)
		if size += n; n > most {
			largest, most = v.Attr, n
		}
	}
	if l.Size > 0 && size > l.Size && size > SizeOf(t, before) {
		return TooLarge(largest, size, l.Size)
	}
	return nil
}

// limitCheck checks the values of a resource after a change.
type limitCheck struct {
	Limits
	t      *model.Type
	before []Value
	known  map[*model.Attribute]extent // what stored has found
}

// extent is the longest text and the longest list of one or more attributes.
type extent struct {
	text, values int
	size         int // at least the bytes as JSON
}

// add adds the values of a resource, without members.
func (x *extent) add(t *model.Type, fields []Value) {
	for i := range fields {
		v := &fields[i]
		if v.Attr == t.Members {
			continue
		}
		kids := v.Kids()
		x.text, x.values = max(x.text, len(v.Text)), max(x.values, len(kids))
		x.size += len(v.Attr.Key) + len(`\u0000`)*len(v.Text) + len(`[""],`)
		x.add(t, kids)
	}
}

func (c *limitCheck) field(v Value) error {
	if !v.IsList() {
		return c.single(v)
	}
	elems := v.Kids()
	if c.Values > 0 && len(elems) > c.Values && len(elems) > c.stored(v.Attr).values {
		return TooManyValues(v.Attr, len(elems), c.Values)
	}
	for _, e := range elems {
		if err := c.single(e); err != nil {
			return err
		}
	}
	return nil
}

func (c *limitCheck) single(v Value) error {
	for _, k := range v.Kids() {
		if err := c.field(k); err != nil {
			return err
		}
	}
	limit := c.Text
	if c.Name > 0 && len(v.Text) > c.Name && c.isName(v.Attr) {
		limit = c.Name
	}
	if limit > 0 && len(v.Text) > limit && len(v.Text) > c.stored(v.Attr).text {
		return TooLong(v.Attr, len(v.Text), limit)
	}
	return nil
}

// isName reports whether a names the resource. Stores keep names in indexes, and other
// resources repeat them.
func (c *limitCheck) isName(a *model.Attribute) bool {
	switch a.Name {
	case "userName", "displayName", "externalId":
		return a.Parent == c.t.Root
	}
	return false
}

// stored returns the extent of an attribute before the change.
func (c *limitCheck) stored(a *model.Attribute) extent {
	x, ok := c.known[a]
	if ok {
		return x
	}
	var walk func(fields []Value)
	walk = func(fields []Value) {
		for _, f := range fields {
			same, elems := isSame(f.Attr, a), []Value{f}
			if f.IsList() {
				elems = f.Kids()
			}
			if same {
				x.values = max(x.values, len(elems))
			}
			for _, e := range elems {
				if same {
					x.text = max(x.text, len(e.Text))
				}
				walk(e.Kids())
			}
		}
	}
	walk(c.before)
	if c.known == nil {
		c.known = map[*model.Attribute]extent{}
	}
	c.known[a] = x
	return x
}

// TooLong is the error for a string of n bytes.
func TooLong(a *model.Attribute, n, limit int) error {
	return tooLarge("%s: has %d bytes; at most %d are allowed", clipPath(a.Path), n, limit)
}

// TooManyValues is the error for a list of n values.
func TooManyValues(a *model.Attribute, n, limit int) error {
	return tooLarge("%s: has %d values; at most %d are allowed", clipPath(a.Path), n, limit)
}

// TooLarge is the error for a resource of n bytes, to which a contributes most.
func TooLarge(a *model.Attribute, n, limit int) error {
	return tooLarge("%s: is too large; the whole resource has %d bytes as JSON, and at most %d are allowed", clipPath(a.Path), n, limit)
}

func tooLarge(format string, args ...any) error {
	return fault.Refuse(http.StatusRequestEntityTooLarge, "", fmt.Sprintf(format, args...))
}
