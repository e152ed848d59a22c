package patch

import (
	"strconv"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
)

// identity is a key that says which elements count as the same. Elements with the same
// "type" and "value" do, because no two elements should share this pair (RFC 7643, Section
// 2.4). Without a value, elements do if they differ only in "primary".
func identity(e doc.Value) string {
	if e.Attr.Kind != model.Complex {
		return e.Text
	}
	if v := e.Field(e.Attr.Lookup("value")); v.Text != "" {
		return "=" + v.Text + "\x00" + e.Field(e.Attr.Lookup("type")).Text
	}
	var b []byte
	for _, f := range e.Kids() {
		if f.Attr.Name != "primary" {
			b = appendKey(b, f)
		}
	}
	return string(b)
}

// appendKey writes v so that different values have different texts.
func appendKey(b []byte, v doc.Value) []byte {
	b = strconv.AppendInt(b, int64(v.Attr.Order), 10)
	b = append(b, ':')
	b = strconv.AppendInt(b, int64(len(v.Text)), 10)
	b = append(b, ':')
	b = append(b, v.Text...)
	for _, k := range v.Kids() {
		b = append(appendKey(append(b, '['), k), ']')
	}
	return b
}
