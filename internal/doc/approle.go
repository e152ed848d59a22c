package doc

import (
	"strings"

	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// expand reads a role or entitlement whose "value" is a JSON object in a string, as Entra
// sends application roles: {"value": "{\"id\":…,
// \"value\":\"Admin\",\"displayName\":\"Admin\"}"}. It returns every other value unchanged.
func (d *decoder) expand(v Value) Value {
	if v.Attr == nil || v.Attr.Path != "roles" && v.Attr.Path != "entitlements" {
		return v
	}
	value := v.Attr.Lookup("value")
	if value == nil || value.Kind != model.String {
		return v
	}
	text := v.Field(value).Text
	if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return v
	}
	in := newDecoder([]byte(text), Options{MaxDepth: d.o.MaxDepth})
	defer in.release()
	inner, err := in.object(v.Attr)
	if err != nil || in.end() != nil || inner.Field(value).Text == "" || !d.o.Tol.Allow(tolerance.JSONInString, v.Attr.Path) {
		return v
	}
	fields := v.Kids()
	for _, f := range inner.Kids() {
		fields = Put(fields, f)
	}
	return Composite(v.Attr, fields...)
}
