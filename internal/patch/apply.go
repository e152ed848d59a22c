package patch

import (
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// change is a change of one attribute among the fields that hold it. These are the fields
// of the resource, an extension, a complex value or an element.
type change struct {
	op    verb
	attr  *model.Attribute
	where *match.Element // selects elements, or is the condition for a single value; nil: all
	// fields are the changes within a complex value or within each selected element. It is
	// nil if the attribute changes as a whole.
	fields []change
	value  doc.Value // the value to set, to append or, if listed, to remove; absent for a removal
	listed bool      // remove only the elements of value
	same   bool      // the attribute is read-only, so its value must stay the same
}

// state is one run of Apply.
type state struct {
	r    *Request
	root *model.Attribute
	// lists are the multi-valued attributes that operations have reached so far. state owns
	// their slices, so that many operations on one list copy it only once.
	lists map[*model.Attribute]*list
	work  *match.Work
	room
}

// apply makes one change to fields. top says that fields belong to the resource or an
// extension, so that lists may hold some of their values.
func (s *state) apply(fields []doc.Value, c *change, top bool) ([]doc.Value, error) {
	a := c.attr
	if err := s.spend(costOfChange); err != nil {
		return nil, err
	}
	switch {
	case a.Multi && top:
		l := s.lists[a]
		if l == nil {
			l = s.open(doc.Get(fields, a))
			l.top = true
			s.lists[a] = l
			if err := s.spend(costOfElement * len(l.elems)); err != nil {
				return nil, err
			}
		}
		return fields, s.applyList(l, c)
	case !top || a.Extension:
		return s.applySingle(fields, c)
	}
	next, err := s.applySingle(fields, c)
	if err != nil {
		return nil, err
	}
	return next, s.resize(a, doc.Size(doc.Get(fields, a)), doc.Size(doc.Get(next, a)))
}

// applySingle makes a change to fields that are in no list of state.
func (s *state) applySingle(fields []doc.Value, c *change) ([]doc.Value, error) {
	a := c.attr
	switch {
	case c.same:
		if now := doc.Get(fields, a); !now.Equal(c.value) {
			return nil, notWritable(a.Path)
		}
		return fields, nil
	case a.Multi:
		l := s.open(doc.Get(fields, a))
		if err := s.spend(costOfElement * len(l.elems)); err != nil {
			return nil, err
		}
		if err := s.applyList(l, c); err != nil {
			return nil, err
		}
		return doc.Put(fields, doc.Composite(a, l.elems...)), nil
	case a.Kind == model.Complex:
		return s.applyComplex(fields, c)
	case c.op == remove:
		return doc.Drop(fields, a), nil
	}
	if a.Kind == model.Any && doc.Get(fields, a).Attr == nil && unknowns(fields) >= maxKept {
		return fields, nil
	}
	return doc.Put(fields, c.value), nil
}

// unknowns counts the attributes that no schema has.
func unknowns(fields []doc.Value) (n int) {
	for _, f := range fields {
		if f.Attr.Kind == model.Any {
			n++
		}
	}
	return n
}

// applyComplex changes a single complex value or an extension.
func (s *state) applyComplex(fields []doc.Value, c *change) ([]doc.Value, error) {
	a := c.attr
	now := doc.Get(fields, a)
	selected, err := s.selects(c, now)
	if err != nil {
		return nil, err
	}
	if !selected {
		if c.op == remove {
			return fields, s.refuseNoMatch(c)
		}
		made, err := s.make(c)
		if err != nil {
			return nil, err
		}
		for _, f := range made.Kids() {
			now = doc.Composite(a, doc.Put(now.Kids(), f)...)
		}
	}
	if c.fields == nil { // a removal: changes of values always have fields
		if a.Extension {
			for multi := range s.lists {
				if multi.Parent == a {
					delete(s.lists, multi)
				}
			}
			fields = doc.Drop(fields, a)
			return fields, s.measure(fields)
		}
		return doc.Drop(fields, a), nil
	}
	next, err := s.within(now, c)
	if err != nil {
		return nil, err
	}
	return doc.Put(fields, next), nil
}

// within applies the changes of c's fields to one complex value.
func (s *state) within(v doc.Value, c *change) (doc.Value, error) {
	kids := v.Kids()
	for i := range c.fields {
		var err error
		if kids, err = s.apply(kids, &c.fields[i], c.attr.Extension); err != nil {
			return doc.Value{}, err
		}
	}
	return dropStale(v, doc.Composite(c.attr, kids...)), nil
}

// dropStale removes from a reference such as "manager" the data about the previous
// resource: "$ref" and what the server computes.
func dropStale(was, now doc.Value) doc.Value {
	value, ref := now.Attr.Lookup("value"), now.Attr.Lookup("$ref")
	if ref == nil || value == nil || was.Field(value).Text == now.Field(value).Text {
		return now
	}
	kids := now.Kids()
	for _, f := range was.Kids() {
		if (f.Attr == ref || f.Attr.Mutability == model.ReadOnly) && now.Field(f.Attr).Equal(f) {
			kids = doc.Drop(kids, f.Attr)
		}
	}
	return doc.Composite(now.Attr, kids...)
}

// make builds the value that a filter describes, if an operation names it before it exists
// (Q8).
func (s *state) make(c *change) (doc.Value, error) {
	fields, ok := c.where.Assign()
	switch {
	case !ok:
		return doc.Value{}, fault.New(fault.NoTarget, "%s: no value matches the filter, and the server can create one only for \"eq\" joined by \"and\"", c.attr.Path)
	case !s.r.tol.Allow(tolerance.CreateOnFilter, c.attr.Path):
		return doc.Value{}, fault.New(fault.NoTarget, "%s: no value matches the filter", c.attr.Path)
	}
	return doc.Composite(c.attr, fields...), nil
}

// refuseNoMatch is the result of a removal whose filter selects nothing (Q34).
func (s *state) refuseNoMatch(c *change) error {
	if s.r.tol.Allow(tolerance.RemoveNoMatch, c.attr.Path) {
		return nil
	}
	return fault.New(fault.NoTarget, "%s: no value matches the filter", c.attr.Path)
}

// close puts the lists back into values.
func (s *state) close(values []doc.Value) []doc.Value {
	for a, l := range s.lists {
		values = doc.PutAt(s.root, values, doc.Composite(a, l.elems...))
	}
	return values
}
