package doc

import (
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/fold"
	"github.com/scimkit/scim/internal/model"
)

// CheckRequired refuses values that lack a required attribute (RFC 7643, Section 2.2). It
// also looks into existing complex values and extensions. A blank string counts as missing.
// CheckRequired does not ask for readOnly attributes, which only the server sets, nor for
// the password, which is not among the values.
func CheckRequired(t *model.Type, values []Value) error {
	return checkRequired(t, t.Root, values)
}

func checkRequired(t *model.Type, parent *model.Attribute, fields []Value) error {
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
			if err := checkRequired(t, f.Attr, f.Kids()); err != nil {
				return err
			}
			continue
		}
		for _, e := range f.Kids() {
			if err := checkRequired(t, f.Attr, e.Kids()); err != nil {
				return err
			}
		}
	}
	return nil
}

// CheckKept refuses a change that removes a required attribute. RFC 7644, Section 3.5.2.2
// calls this an error of mutability, unlike a required attribute that was always missing.
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

// CheckEnumerated refuses values of the enumerated attribute a that are not canonical (RFC
// 7643, Section 7, "canonicalValues"). It accepts a value that the resource already had,
// because it may be older than the enumeration.
func CheckEnumerated(a *model.Attribute, before, after []Value) error {
	chain := lineage(a)[1:]
	var bad error
	var known map[string]bool // the texts before, once one of them is needed
	eachOf(after, chain, func(v Value) {
		if bad != nil || slices.Contains(a.Canonical, v.Text) {
			return
		}
		if known == nil {
			known = map[string]bool{}
			eachOf(before, chain, func(old Value) { known[old.Text] = true })
		}
		if known[v.Text] || !a.CaseExact && slices.ContainsFunc(a.Canonical, func(c string) bool { return fold.Equal(c, v.Text) }) {
			return
		}
		bad = fault.New(fault.InvalidValue, "%s: must be one of %s, got %q", a.Path, strings.Join(a.Canonical, ", "), fault.Clip(v.Text))
	})
	return bad
}

// eachOf calls fn with every value of the attribute at the end of chain.
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

// CheckImmutable refuses to change an immutable attribute that has a value (RFC 7644,
// Section 3.5.1). In a multi-valued attribute, immutable parts bind each element and not
// the list: a group may lose a member.
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

// Carry returns after, the client's replacement for before, together with the values that
// the client could not set. It keeps readOnly attributes of before. It keeps attributes
// that clients never see, unless after has new values (RFC 7644, Section 3.5.1). It changes
// neither argument.
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
		case isHidden(a):
			if now.Attr == nil {
				after = Put(after, old)
			}
		case a.Kind != model.Complex || a.Multi:
		case now.Attr == nil && !a.Extension && isVisible(old):
			// The client could see v and left it out, so remove it with all its parts.
		default:
			after = Put(after, Composite(a, Carry(t, old.Kids(), now.Kids())...))
		}
	}
	return after
}

// isVisible reports whether the client could see and write any part of v.
func isVisible(v Value) bool {
	for _, k := range v.Kids() {
		if !isHidden(k.Attr) && k.Attr.Mutability != model.ReadOnly {
			return true
		}
	}
	return false
}

// Validate checks a whole resource after a change. before is nil for a new one.
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
