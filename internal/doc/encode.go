package doc

import (
	"time"

	"github.com/scimkit/scim/internal/model"
)

// Encode configures how a resource is written.
type Encode struct {
	Select   *Selection
	Location string // meta.location; "": none
	// Stored selects our own storage form: all attributes, even writeOnly ones, but no
	// meta.location.
	Stored bool
	// Visible leaves out of the storage form the attributes that never leave the server.
	Visible bool
}

// Append appends the JSON of d to dst: schemas, id, the attributes in schema
// order, the extensions, and meta last.
func Append(dst []byte, d *Document, o Encode) []byte {
	e := encoder{t: d.Type, stored: o.Stored, visible: o.Visible}
	var root *pick
	if o.Select != nil && !o.Stored {
		e.sel, root = o.Select, &o.Select.root
	}
	dst = append(dst, `{"schemas":[`...)
	dst = appendString(dst, d.Type.URN)
	e.schemas = len(dst)
	dst = append(dst, `],"id":`...)
	dst = appendString(dst, d.ID)
	dst = e.fields(dst, d.Values, root)
	if meta := d.Type.Root.Lookup("meta"); meta != nil {
		if p, ok := root.part(meta); ok || o.Stored {
			if o.Stored {
				o.Location = ""
			}
			dst = e.meta(dst, d, meta, p, o.Location)
		}
	}
	return append(dst, '}')
}

type encoder struct {
	t       *model.Type
	sel     *Selection // selects among attributes that no schema has
	stored  bool
	visible bool // with stored, hidden attributes are left out
	schemas int  // the position for the URN of the next extension
}

// takes reports whether p selects the field a.
func (e *encoder) takes(p *pick, a *model.Attribute) (*pick, bool) {
	switch {
	case a == e.t.Password:
		return nil, false
	case e.stored:
		return nil, !e.visible || !isHidden(a)
	case a.Kind == model.Any:
		return nil, e.sel == nil || e.sel.hasUnknown(a.Name)
	}
	return p.part(a)
}

// fields appends the members of an object. dst ends with its brace or its last member.
func (e *encoder) fields(dst []byte, fields []Value, p *pick) []byte {
	for i := range fields {
		f := &fields[i]
		q, ok := e.takes(p, f.Attr)
		if !ok {
			continue
		}
		start := len(dst)
		if dst[start-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, f.Attr.Key...)
		at := len(dst)
		if f.Attr.Multi {
			dst = e.list(dst, f.Kids(), q)
		} else {
			dst = e.single(dst, f, q)
		}
		switch {
		case len(dst) == at:
			dst = dst[:start]
		case f.Attr.Extension:
			dst = e.schema(dst, f.Attr.Key)
		}
	}
	return dst
}

// schema adds the URN of a written extension to "schemas". key has a colon where the list
// needs a comma.
func (e *encoder) schema(dst []byte, key string) []byte {
	dst = append(dst, key...)
	copy(dst[e.schemas+len(key):], dst[e.schemas:])
	dst[e.schemas] = ','
	copy(dst[e.schemas+1:], key[:len(key)-1])
	e.schemas += len(key)
	return dst
}

func (e *encoder) list(dst []byte, elems []Value, p *pick) []byte {
	start := len(dst)
	dst = append(dst, '[')
	for i := range elems {
		at := len(dst)
		if dst[at-1] != '[' {
			dst = append(dst, ',')
		}
		n := len(dst)
		if dst = e.single(dst, &elems[i], p); len(dst) == n {
			dst = dst[:at]
		}
	}
	if len(dst) == start+1 {
		return dst[:start]
	}
	return append(dst, ']')
}

// single appends a single value or an element. It appends nothing for an empty one.
func (e *encoder) single(dst []byte, v *Value, p *pick) []byte {
	switch v.Attr.Kind {
	case model.Complex:
		start := len(dst)
		dst = e.fields(append(dst, '{'), v.Kids(), p)
		if len(dst) == start+1 {
			return dst[:start]
		}
		return append(dst, '}')
	case model.Boolean, model.Integer, model.Decimal, model.Any:
		return append(dst, v.Text...)
	default:
		return appendString(dst, v.Text)
	}
}

func (e *encoder) meta(dst []byte, d *Document, meta *model.Attribute, p *pick, location string) []byte {
	start := len(dst)
	dst = append(dst, ',')
	dst = append(dst, meta.Key...)
	dst = append(dst, '{')
	at := len(dst)
	for _, a := range meta.Sub {
		if _, ok := e.takes(p, a); !ok {
			continue
		}
		before := len(dst)
		if before > at {
			dst = append(dst, ',')
		}
		dst = append(dst, a.Key...)
		n := len(dst)
		switch a.Name {
		case "resourceType":
			dst = appendString(dst, d.Type.Name)
		case "created":
			dst = appendTime(dst, d.Created)
		case "lastModified":
			dst = appendTime(dst, d.Modified)
		case "location":
			if location != "" {
				dst = appendString(dst, location)
			}
		case "version":
			if d.Version != "" {
				dst = appendString(dst, `W/"`+d.Version+`"`)
			}
		}
		if len(dst) == n {
			dst = dst[:before]
		}
	}
	if len(dst) == at {
		return dst[:start]
	}
	return append(dst, '}')
}

// appendTime appends t in UTC, to the microsecond, because databases drop finer fractions.
// It leaves out the zero time.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	dst = append(dst, '"')
	dst = t.UTC().Truncate(time.Microsecond).AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

// appendString appends s, which is valid UTF-8, as a JSON string. It does not escape "<",
// ">" and "&", because this is not HTML.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendText(dst, s)
	return append(dst, '"')
}

// appendText is appendString without the quotes.
func appendText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, s[from:]...)
}
