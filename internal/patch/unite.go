package patch

import (
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// Settle returns the fields of a POST or PUT with every multi-valued attribute in the form
// in which the server keeps it: no element twice, and at most one primary. It does not
// change its argument.
func Settle(fields []doc.Value, tol *tolerance.Use) ([]doc.Value, error) {
	out := fields
	for _, v := range fields {
		var kids []doc.Value
		switch {
		case v.IsList():
			one := OnePrimary(doc.Value{}, Unite(v), tol)
			if err := CheckPrimary(one); err != nil {
				return nil, err
			}
			kids = one.Kids()
		case v.Attr.Kind == model.Complex:
			var err error
			if kids, err = Settle(v.Kids(), tol); err != nil {
				return nil, err
			}
		}
		if isOther(kids, v.Kids()) {
			out = doc.Put(out, doc.Composite(v.Attr, kids...))
		}
	}
	return out, nil
}

// isOther reports whether a is another slice than b.
func isOther(a, b []doc.Value) bool {
	return len(a) != len(b) || len(a) > 0 && &a[0] != &b[0]
}

// Unite returns a multi-valued attribute with each element once (RFC 7643, Section 2.4). Of
// elements with the same identity the first keeps its place. What later ones have is set in
// it, as an add of them would: the mark "primary" of a later one is not lost, and the last
// name counts. Without such elements Unite returns its argument.
func Unite(v doc.Value) doc.Value {
	elems := v.Kids()
	if !hasTwins(elems) {
		return v
	}
	at := make(map[string]int, len(elems))
	out := make([]doc.Value, 0, len(elems))
	for _, e := range elems {
		id := identity(e)
		if i, there := at[id]; there {
			out[i] = complete(out[i], e)
			continue
		}
		at[id] = len(out)
		out = append(out, e)
	}
	return doc.Composite(v.Attr, out...)
}

// complete sets in an element what another one of the same identity has.
func complete(e, other doc.Value) doc.Value {
	if e.Attr.Kind != model.Complex {
		return e
	}
	fields := e.Kids()
	for _, f := range other.Kids() {
		fields = doc.Put(fields, f)
	}
	return doc.Composite(e.Attr, fields...)
}

// hasTwins reports whether two elements have the same identity. Most lists are short, and
// it does not allocate for those with values.
func hasTwins(elems []doc.Value) bool {
	if len(elems) > 8 {
		seen := make(map[string]bool, len(elems))
		for _, e := range elems {
			seen[identity(e)] = true
		}
		return len(seen) < len(elems)
	}
	for i, e := range elems {
		for _, other := range elems[:i] {
			if textOf(e) == textOf(other) && identity(e) == identity(other) {
				return true
			}
		}
	}
	return false
}

// textOf is the text of an element, or of its "value".
func textOf(e doc.Value) string {
	if e.Attr.Kind != model.Complex {
		return e.Text
	}
	return e.Field(e.Attr.Lookup("value")).Text
}
