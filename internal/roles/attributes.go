package roles

import (
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// ChangedAttribute finds a role attribute whose values differ between two versions of a
// user. before is nil for a new user. It returns nil if there is none.
func ChangedAttribute(t *host.Tenant, before, after *doc.Document) *model.Attribute {
	if t.Roles == nil {
		return nil
	}
	was, is := valuesOf(t, before), valuesOf(t, after)
	for _, a := range t.Roles.Attributes {
		isOther := func(v value) bool { return v.attr != a }
		if !slices.Equal(slices.DeleteFunc(slices.Clone(was), isOther), slices.DeleteFunc(slices.Clone(is), isOther)) {
			return a
		}
	}
	return nil
}

// KeepAttributes returns the user after with the role attributes of before.
func KeepAttributes(t *host.Tenant, before, after *doc.Document) *doc.Document {
	for a := ChangedAttribute(t, before, after); a != nil; a = ChangedAttribute(t, before, after) {
		after = keepAttribute(before, after, a)
	}
	return after
}

// keepAttribute returns the user after with one attribute of before.
func keepAttribute(before, after *doc.Document, a *model.Attribute) *doc.Document {
	values := doc.DropAt(after.Type.Root, after.Values, a)
	if v := before.Find(a); v.Attr != nil {
		values = doc.PutAt(after.Type.Root, values, v)
	}
	return after.With(values)
}
