package patch

import (
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// list is a multi-valued attribute during Apply.
type list struct {
	elems []doc.Value
	index map[string]int // identity to position; nil if it must be rebuilt
	top   bool           // the list belongs to the resource or an extension
	most  int            // the number of elements that it had at first
}

// open returns the list of v, which may be the zero Value.
func (s *state) open(v doc.Value) *list {
	return &list{elems: slices.Clone(v.Kids()), most: len(v.Kids())}
}

// applyList changes a list. If an operation makes elements primary, the others lose the
// flag.
func (s *state) applyList(l *list, c *change) error {
	p := primaryOf(c.attr)
	var set []int // positions of the elements that the operation made primary
	var err error
	switch {
	case c.where != nil || c.fields != nil:
		set, err = l.changeSelected(s, c, p)
	case c.op == add:
		set, err = l.union(s, c.value.Kids(), p)
	case c.op == replace:
		set, err = l.replaceAll(s, c, p)
	case c.listed:
		err = l.subtract(s, c.attr, c.value.Kids())
	default:
		_, err = l.replaceAll(s, c, p) // by nothing
	}
	if err == nil && len(set) > 0 {
		err = s.onePrimary(l, p, set)
	}
	if err == nil && (c.where != nil || c.fields != nil) && l.index == nil {
		err = s.unite(l, c.attr)
	}
	return err
}

// unite makes those elements one that an operation has made equal.
func (s *state) unite(l *list, a *model.Attribute) error {
	was := elementSizes(l.elems)
	if err := s.spend(costOfIdentity*len(l.elems) + was); err != nil {
		return err
	}
	l.elems = Unite(doc.Composite(a, l.elems...)).Kids()
	return s.resizeAll(l, a, was)
}

// onePrimary keeps one element of l primary: the last one that the operation set.
func (s *state) onePrimary(l *list, p *model.Attribute, set []int) error {
	keep := set[len(set)-1]
	for _, i := range set {
		if i != keep && !s.r.tol.Allow(tolerance.ManyPrimaries, p.Parent.Path) {
			return manyPrimaries(p.Parent)
		}
	}
	if err := s.spend(costOfElement * len(l.elems)); err != nil {
		return err
	}
	before, was := len(l.elems), elementSizes(l.elems)
	if l.elems = demote(l.elems, p, keep); len(l.elems) < before {
		l.index = nil
	}
	return s.resizeAll(l, p.Parent, was)
}

// replaceAll replaces the elements by those of c.
func (l *list) replaceAll(s *state, c *change, p *model.Attribute) (set []int, err error) {
	sent := c.value.Kids()
	if err := s.spend(costOfIdentity*len(sent) + elementSizes(sent)); err != nil {
		return nil, err
	}
	elems := Unite(c.value).Kids()
	if err := s.admit(l, c.attr, len(elems)); err != nil {
		return nil, err
	}
	was := elementSizes(l.elems)
	l.elems, l.index = slices.Clone(elems), nil
	if err := s.resizeAll(l, c.attr, was); err != nil {
		return nil, err
	}
	for i, e := range l.elems {
		if isPrimary(e, p) {
			set = append(set, i)
		}
	}
	return set, nil
}

// union appends the elements that l does not have yet (RFC 7644, Section 3.5.2.1). It
// completes an element with the same identity instead of adding a second one.
func (l *list) union(s *state, elems []doc.Value, p *model.Attribute) (set []int, err error) {
	if l.index == nil {
		if err := s.spend(costOfIdentity*len(l.elems) + elementSizes(l.elems)); err != nil {
			return nil, err
		}
		l.index = make(map[string]int, len(l.elems)+len(elems))
		for i, e := range slices.Backward(l.elems) {
			l.index[identity(e)] = i
		}
	}
	for _, e := range elems {
		if err := s.spend(costOfIdentity); err != nil {
			return nil, err
		}
		id := identity(e)
		i, there := l.index[id]
		if there {
			was := l.elems[i]
			l.elems[i] = complete(was, e)
			err = s.resizeElement(l, e.Attr, was, l.elems[i])
		} else {
			i = len(l.elems)
			l.index[id] = i
			l.elems = append(l.elems, e)
			if err = s.admit(l, e.Attr, len(l.elems)); err == nil {
				err = s.resizeElement(l, e.Attr, doc.Value{}, e)
			}
		}
		if err != nil {
			return nil, err
		}
		if isPrimary(e, p) {
			set = append(set, i)
		}
	}
	return set, nil
}

// changeSelected changes the elements that the filter selects, or all.
func (l *list) changeSelected(s *state, c *change, p *model.Attribute) (set []int, err error) {
	found, sets := false, slices.ContainsFunc(c.fields, func(f change) bool { return f.attr == p })
	for i, e := range l.elems {
		if err := s.spend(costOfElement); err != nil {
			return nil, err
		}
		selected, err := s.selects(c, e)
		if err != nil {
			return nil, err
		}
		if !selected {
			continue
		}
		found = true
		switch {
		case c.fields != nil:
			if l.elems[i], err = s.within(e, c); err != nil {
				return nil, err
			}
			if sets && isPrimary(l.elems[i], p) {
				set = append(set, i)
			}
		case c.op == remove:
			l.elems[i] = doc.Value{}
		default:
			l.elems[i] = c.value
		}
		if err := s.resizeElement(l, c.attr, e, l.elems[i]); err != nil {
			return nil, err
		}
	}
	if found {
		l.index = nil
		if len(set) == 0 { // otherwise no element is empty, and set has positions
			l.elems = slices.DeleteFunc(l.elems, isEmpty)
		}
		return set, nil
	}
	if c.op == remove {
		if c.where == nil {
			return nil, nil
		}
		return nil, s.refuseNoMatch(c)
	}
	e := doc.Composite(c.attr)
	if c.where != nil {
		if e, err = s.make(c); err != nil {
			return nil, err
		}
	}
	if c.fields == nil {
		e = c.value
	} else if e, err = s.within(e, c); err != nil {
		return nil, err
	}
	if isEmpty(e) {
		return nil, nil
	}
	return l.union(s, []doc.Value{e}, p)
}

// isEmpty reports whether an element has no contents left. An empty string counts as
// contents.
func isEmpty(e doc.Value) bool {
	return e.Attr == nil || e.Attr.Kind == model.Complex && len(e.Kids()) == 0
}

// subtract removes the elements that a removal lists (Q31). It compares "value" and, if
// both have one, "type". Elements without a "value" must be equal.
func (l *list) subtract(s *state, a *model.Attribute, listed []doc.Value) error {
	value, typ := a.Lookup("value"), a.Lookup("type")
	key := func(e doc.Value) string {
		v := e
		if a.Kind == model.Complex {
			if v = e.Field(value); value == nil || v.Text == "" {
				return identity(e)
			}
		}
		if v.Attr.CaseExact || v.Attr.Kind != model.String {
			return v.Text
		}
		return s.work.Key(v.Text)
	}
	typeOf := func(e doc.Value) string {
		if typ == nil {
			return ""
		}
		return model.FoldName(e.Field(typ).Text)
	}
	goes := make(map[string]bool, 2*len(listed)) // by key, and by key and type
	for _, e := range listed {
		k := key(e)
		goes[k], goes[k+"\x00"+typeOf(e)] = true, true
	}
	var kept []doc.Value
	for _, e := range l.elems {
		if err := s.spend(costOfIdentity); err != nil {
			return err
		}
		k, t := key(e), typeOf(e)
		if !goes[k] || t != "" && !goes[k+"\x00"] && !goes[k+"\x00"+t] {
			kept = append(kept, e)
		} else if err := s.resizeElement(l, a, e, doc.Value{}); err != nil {
			return err
		}
	}
	l.elems, l.index = kept, nil
	return nil
}
