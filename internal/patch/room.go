package patch

import (
	"context"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
)

// maxWork is the work of one request, in units of match.Work: its operations run while
// other requests wait for the resource, or for the whole store.
const maxWork = 100_000_000

// The costs of parts of a request, in units of match.Work. To look at the bytes of an
// element costs a unit each.
const (
	costOfChange   = 200 // a change of one attribute, in the resource or in one element
	costOfElement  = 16  // an element that is read or copied
	costOfIdentity = 150 // an element whose identity is compared
)

// NewWork returns the work that one request may cause. It ends with ctx.
func NewWork(ctx context.Context) *match.Work {
	return match.NewWork(ctx, maxWork, &fault.Error{Status: 413, Type: fault.TooMany,
		Detail: "the operations compare too many values: a request may compare about 100 MB, counted for each comparison; " +
			"split the request, or name fewer values in filters"})
}

func (s *state) spend(units int) error {
	if !s.work.Spend(units) {
		return s.work.Err()
	}
	return nil
}

// selects reports whether the filter of c selects v. Without a filter, c selects
// everything.
func (s *state) selects(c *change, v doc.Value) (bool, error) {
	if c.where == nil {
		return true, nil
	}
	yes := c.where.Match(s.work, v)
	return yes, s.work.Err()
}

// room is what the resource may hold while operations change it.
type room struct {
	size   int // the bytes of the resource as JSON, without members
	most   int // the most bytes; 0: no limit
	limits doc.Limits
}

// measure sets the size of the resource. values are its values, except for those in lists.
// Without a limit measure does nothing.
func (s *state) measure(values []doc.Value) error {
	if s.limits.Size == 0 {
		return nil
	}
	s.size = 0
	var add func(fields []doc.Value)
	add = func(fields []doc.Value) {
		for _, v := range fields {
			switch {
			case v.Attr == s.r.t.Members || s.lists[v.Attr] != nil:
			case v.Attr.Extension:
				add(v.Kids())
			default:
				s.size += doc.Size(v)
			}
		}
	}
	add(values)
	for _, l := range s.lists {
		s.size += elementSizes(l.elems)
	}
	return s.spend(s.size)
}

// resize records that something of the attribute a had a size and has another one. It
// refuses a resource that is too large. So an operation that makes many large values ends
// before it has made all of them.
func (s *state) resize(a *model.Attribute, was, is int) error {
	s.size += is - was
	if s.most > 0 && s.size > s.most {
		return doc.TooLarge(a, s.size, s.limits.Size)
	}
	return s.spend(was + is)
}

// resizeElement is resize for an element of l.
func (s *state) resizeElement(l *list, a *model.Attribute, was, is doc.Value) error {
	if !l.top { // it counts with the value that has the list
		return nil
	}
	return s.resize(a, doc.ElementSize(was), doc.ElementSize(is))
}

// resizeAll is resize for all elements of l, which had a size together.
func (s *state) resizeAll(l *list, a *model.Attribute, was int) error {
	if !l.top {
		return nil
	}
	return s.resize(a, was, elementSizes(l.elems))
}

// admit refuses n values of the attribute a if l may not have as many.
func (s *state) admit(l *list, a *model.Attribute, n int) error {
	if s.limits.Values > 0 && n > s.limits.Values && n > l.most {
		return doc.TooManyValues(a, n, s.limits.Values)
	}
	return nil
}

func elementSizes(elems []doc.Value) (n int) {
	for _, e := range elems {
		n += doc.ElementSize(e)
	}
	return n
}
