package doc

import (
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/fold"
	"github.com/scimkit/scim/internal/model"
)

// CheckRequired refuses values that lack a required attribute, also within the
// complex values and extensions that are there (RFC 7643, Section 2.2). A blank
// string counts as missing. What only the server gives, and the password, which
// is not among the values, is not asked for.
func CheckRequired(t *model.Type, values []Value) error {
	return required(t, t.Root, values)
}

func required(t *model.Type, parent *model.Attribute, fields []Value) error {
	for _, a := range parent.Sub {
		if !a.Required || a.Meta || a == t.Password || a.Mutability == model.ReadOnly {
			continue
		}
		v := Get(fields, a)
		if v.Absent() || len(v.Kids()) == 0 && strings.TrimSpace(v.Text) == "" {
			return fault.New(fault.InvalidValue, "%s: is required and must not be empty", a.Path)
		}
	}
	for _, f := range fields {
		if f.Attr.Kind != model.Complex {
			continue
		}
		if !f.Attr.Multi {
			if err := required(t, f.Attr, f.Kids()); err != nil {
				return err
			}
			continue
		}
		for _, e := range f.Kids() {
			if err := required(t, f.Attr, e.Kids()); err != nil {
				return err
			}
		}
	}
	return nil
}

// CheckKept refuses a change that takes a required attribute away (RFC 7644, Section
// 3.5.2.2: that is a question of mutability, unlike one that never was there).
func CheckKept(t *model.Type, before, after []Value) error {
	for _, old := range before {
		a, now := old.Attr, Get(after, old.Attr)
		switch {
		case old.Absent():
		case a.Required && a != t.Members && now.Absent():
			return fault.New(fault.Mutability, "%s: is required and cannot be removed", a.Path)
		case a.Kind == model.Complex && !a.Multi && !now.Absent():
			if err := CheckKept(t, old.Kids(), now.Kids()); err != nil {
				return err
			}
		}
	}
	return nil
}

// CheckEnumerated refuses values of the enumerated attribute a that are not among its
// canonical ones (RFC 7643, Section 7, "canonicalValues"). A value that was there
// before is not judged again: it may be older than the enumeration.
func CheckEnumerated(a *model.Attribute, before, after []Value) error {
	chain := lineage(a)[1:]
	var bad error
	eachOf(after, chain, func(v Value) {
		if bad != nil || slices.ContainsFunc(a.Canonical, func(c string) bool {
			return c == v.Text || !a.CaseExact && fold.Equal(c, v.Text)
		}) {
			return
		}
		known := false
		eachOf(before, chain, func(old Value) { known = known || old.Text == v.Text })
		if !known {
			bad = fault.New(fault.InvalidValue, "%s: must be one of %s, got %q", a.Path, strings.Join(a.Canonical, ", "), fault.Clip(v.Text))
		}
	})
	return bad
}

// eachOf calls fn with every value of the attribute that chain leads to.
func eachOf(fields []Value, chain []*model.Attribute, fn func(Value)) {
	v := Get(fields, chain[0])
	elems := []Value{v}
	if v.IsList() {
		elems = v.Kids()
	}
	for _, e := range elems {
		switch {
		case e.Attr == nil:
		case len(chain) == 1:
			fn(e)
		default:
			eachOf(e.Kids(), chain[1:], fn)
		}
	}
}

// CheckImmutable refuses to change an immutable attribute that has a value (RFC
// 7644, Section 3.5.1). Immutable parts of the elements of a multi-valued
// attribute bind each element, not the list: a group may lose a member.
func CheckImmutable(t *model.Type, before, after []Value) error {
	for _, old := range before {
		now := Get(after, old.Attr)
		switch {
		case old.Absent():
		case old.Attr.Mutability == model.Immutable && old.Attr != t.Members:
			if !old.Equal(now) {
				return fault.New(fault.Mutability, "%s: has a value and cannot be changed any more", old.Attr.Path)
			}
		case old.Attr.Kind == model.Complex && !old.Attr.Multi:
			if err := CheckImmutable(t, old.Kids(), now.Kids()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Carry returns after, the values that a client puts in the place of before, with
// what the client had no say in: readOnly attributes stay as they were, and those
// that are never shown stay unless after has new values (RFC 7644, Section
// 3.5.1). Neither argument is changed.
func Carry(t *model.Type, before, after []Value) []Value {
	for _, now := range after {
		if now.Attr.Mutability == model.ReadOnly && Get(before, now.Attr).Attr == nil {
			after = Drop(after, now.Attr)
		}
	}
	for _, old := range before {
		a := old.Attr
		now := Get(after, a)
		switch {
		case a.Mutability == model.ReadOnly:
			after = Put(after, old)
		case hidden(a):
			if now.Attr == nil {
				after = Put(after, old)
			}
		case a.Kind != model.Complex || a.Multi:
		case now.Attr == nil && !a.Extension && shown(old):
			// The client saw it and left it out: it goes, with all its parts.
		default:
			after = Put(after, Composite(a, Carry(t, old.Kids(), now.Kids())...))
		}
	}
	return after
}

// shown reports whether the client could see and write any part of v.
func shown(v Value) bool {
	for _, k := range v.Kids() {
		if !hidden(k.Attr) && k.Attr.Mutability != model.ReadOnly {
			return true
		}
	}
	return false
}

// Validate judges a resource as a whole after a change; before is nil for a new one.
func Validate(before *Document, t *model.Type, values []Value) error {
	if err := CheckRequired(t, values); err != nil {
		return err
	}
	var stored []Value
	if before != nil {
		stored = before.Values
		if err := CheckImmutable(t, stored, values); err != nil {
			return err
		}
	}
	for _, a := range t.Enumerated {
		if err := CheckEnumerated(a, stored, values); err != nil {
			return err
		}
	}
	return nil
}
