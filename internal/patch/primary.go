package patch

import (
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// OnePrimary returns after, a multi-valued attribute, with at most one primary element (RFC
// 7643, Section 2.4). An element that is newly primary wins over one that was primary in
// before. Of several, the last one wins. The others lose their "primary". For a new
// resource, or for a list that a request replaces, before is the zero Value. If
// tolerance.ManyPrimaries is off and the client set several itself, OnePrimary returns
// after unchanged, and CheckPrimary refuses it.
func OnePrimary(before, after doc.Value, tol *tolerance.Use) doc.Value {
	p := primaryOf(after.Attr)
	if p == nil {
		return after
	}
	was := map[string]bool{}
	for _, e := range before.Kids() {
		if isPrimary(e, p) {
			was[identity(e)] = true
		}
	}
	keep, fresh, all := -1, 0, 0
	for i, e := range after.Kids() {
		if !isPrimary(e, p) {
			continue
		}
		all++
		if !was[identity(e)] {
			fresh++
			keep = i
		} else if fresh == 0 {
			keep = i
		}
	}
	if all < 2 || fresh > 1 && !tol.Allow(tolerance.ManyPrimaries, after.Attr.Path) {
		return after
	}
	elems := append([]doc.Value(nil), after.Kids()...)
	return doc.Composite(after.Attr, demote(elems, p, keep)...)
}

// CheckPrimary refuses a multi-valued attribute with more than one primary element. Call it
// after OnePrimary.
func CheckPrimary(v doc.Value) error {
	p := primaryOf(v.Attr)
	if p == nil {
		return nil
	}
	n := 0
	for _, e := range v.Kids() {
		if isPrimary(e, p) {
			n++
		}
	}
	if n > 1 {
		return manyPrimaries(v.Attr)
	}
	return nil
}

func manyPrimaries(a *model.Attribute) error {
	return fault.New(fault.InvalidValue, "%s: only one value may be primary", a.Path)
}

// primaryOf finds the sub-attribute "primary". It returns nil if the elements of a have
// none.
func primaryOf(a *model.Attribute) *model.Attribute {
	if a == nil || !a.Multi || a.Kind != model.Complex {
		return nil
	}
	if p := a.Lookup("primary"); p != nil && p.Kind == model.Boolean && !p.Multi {
		return p
	}
	return nil
}

func isPrimary(e doc.Value, p *model.Attribute) bool {
	return p != nil && e.Field(p).Text == "true"
}

// demote removes the flag from every primary element except the one at keep. It changes
// elems, and drops elements that had nothing else.
func demote(elems []doc.Value, p *model.Attribute, keep int) []doc.Value {
	for i, e := range elems {
		if i != keep && isPrimary(e, p) {
			elems[i] = doc.Composite(e.Attr, doc.Drop(e.Kids(), p)...)
		}
	}
	return slices.DeleteFunc(elems, doc.Value.Absent)
}
