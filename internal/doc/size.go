package doc

import "github.com/scimkit/scim/internal/model"

// SizeOf is the number of bytes of a resource's values as JSON, without a group's members.
func SizeOf(t *model.Type, values []Value) (n int) {
	for _, v := range values {
		if v.Attr != t.Members {
			n += Size(v)
		}
	}
	return n
}

// Size is the number of bytes of a value among fields as JSON, with its name and a comma. A
// boolean of the resource itself counts for nothing, so that a client can deactivate a user
// of any size.
func Size(v Value) int {
	if v.Attr == nil || v.Attr.Kind == model.Boolean && v.Attr.Parent.Parent == nil {
		return 0
	}
	n := len(v.Attr.Key)
	if !v.Attr.Multi {
		return n + ElementSize(v)
	}
	n += len("[],")
	for _, e := range v.Kids() {
		n += ElementSize(e)
	}
	return n
}

// ElementSize is the number of bytes of an element, or of a single value, as JSON with a
// comma. It is 0 for an absent one.
func ElementSize(v Value) int {
	if v.Absent() {
		return 0
	}
	switch v.Attr.Kind {
	case model.Complex:
		n := len("{},")
		for _, k := range v.Kids() {
			n += Size(k)
		}
		return n
	case model.Boolean, model.Integer, model.Decimal, model.Any:
		return len(v.Text) + len(",")
	}
	n := len(`"",`) + len(v.Text)
	for i := range len(v.Text) {
		switch c := v.Text[i]; {
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t':
			n++
		case c < ' ':
			n += len(`\u0000`) - 1
		}
	}
	return n
}
