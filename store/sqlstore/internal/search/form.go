// Package search writes filters, sort orders and pages in SQL. It also writes the search
// form of resources, on which these queries work.
//
// The search form is a flat JSON object of texts. They compare, byte by byte, as the values
// do:
//
//	{"userName": "ann", "name": "", "name.familyName": "lee",
//	 "emails": [{"#": "", "value": "ann@example.com", "primary": "true"}]}
//
// Members are named by the path from the resource, or, in an element of a multi-valued
// attribute, from there. A complex value that holds something has a member for itself. In
// elements this member is "#". The primary element of a multi-valued attribute comes first,
// because it is the one to sort by.
package search

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim"
)

// attr is an attribute with its sub-attributes.
type attr struct {
	scim.Attribute
	name string // name is the last part of its path.
	sub  []*attr
}

// tree arranges the attributes of t as a tree.
func tree(t *scim.ResourceType) []*attr {
	var root []*attr
	byPath := make(map[string]*attr)
	for _, a := range t.Attributes() {
		n := &attr{Attribute: a, name: a.Path}
		byPath[a.Path] = n
		if a.Parent == nil {
			root = append(root, n)
			continue
		}
		n.name = Below(a.Parent.Path, a.Path)
		p := byPath[a.Parent.Path]
		p.sub = append(p.sub, n)
	}
	return root
}

// Below returns the part of path that follows base. base is "" for the resource.
func Below(base, path string) string {
	if base == "" {
		return path
	}
	return path[len(base)+1:]
}

// Form returns the search form of r. raw is r's JSON.
func (t Type) Form(r *scim.Resource, raw []byte) (map[string]any, error) {
	v, err := decode(jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true)))
	if err != nil {
		return nil, err
	}
	values, _ := v.(map[string]any)
	delete(values, "id") // It has a column.
	m := r.Meta()
	values["meta"] = map[string]any{
		"resourceType": r.Type().Name(), "version": m.Version,
		"created": dateTime(m.Created), "lastModified": dateTime(m.LastModified),
	}
	form := make(map[string]any)
	fill(form, "", t.root, values)
	return form, nil
}

// decode reads a JSON value. A number stays a text: a float has no room for 64 bits.
func decode(d *jsontext.Decoder) (any, error) {
	t, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case '{':
		m := make(map[string]any)
		for d.PeekKind() != '}' {
			t, err := d.ReadToken()
			if err != nil {
				return nil, err
			}
			name := t.String()
			if m[name], err = decode(d); err != nil {
				return nil, err
			}
		}
		_, err := d.ReadToken()
		return m, err
	case '[':
		list := []any{}
		for d.PeekKind() != ']' {
			v, err := decode(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.ReadToken()
		return list, err
	case '"':
		return t.String(), nil
	case '0':
		return json.Number(t.String()), nil
	case 't', 'f':
		return t.Bool(), nil
	}
	return nil, nil
}

// Encode returns the JSON of a search form.
func Encode(form map[string]any) string { return string(appendForm(make([]byte, 0, 1024), form)) }

// appendForm appends the JSON of a search form, or of a part of it.
func appendForm(dst []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		dst = append(dst, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendForm(dst, name), ':')
			dst = appendForm(dst, v[name])
		}
		return append(dst, '}')
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendForm(dst, e)
		}
		return append(dst, ']')
	case string:
		dst, _ = jsontext.AppendQuote(dst, v) //nolint:errcheck // it replaces what is no UTF-8
	}
	return dst
}

// dateTime returns a time as clients see it, or nil for the zero time.
func dateTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// fill adds values of attributes to form. Their names begin at base.
func fill(form map[string]any, base string, attrs []*attr, values map[string]any) {
	for _, a := range attrs {
		v, key := values[a.name], Below(base, a.Path)
		switch list, isList := v.([]any); {
		case v == nil, v == "" && a.Parent != nil && a.Parent.Path == "meta":
		case isList && a.MultiValued:
			if elements := a.elements(list); len(elements) > 0 {
				form[key] = elements
			}
		case a.MultiValued:
		case a.Type == scim.TypeComplex:
			if m, ok := v.(map[string]any); ok && len(m) > 0 {
				form[key] = ""
				fill(form, base, a.sub, m)
			}
		default:
			if k, ok := keyOf(a.Attribute, plain(v)); ok {
				form[key] = k
			}
		}
	}
}

// elements returns the search form of the elements of a multi-valued attribute.
func (a *attr) elements(list []any) []any {
	out := make([]any, 0, len(list))
	first := -1
	for i, v := range list {
		if a.Type != scim.TypeComplex {
			if k, ok := keyOf(a.Attribute, plain(v)); ok {
				out = append(out, k)
			}
			continue
		}
		e, m := make(map[string]any), map[string]any(nil)
		if m, _ = v.(map[string]any); len(m) > 0 {
			e["#"] = ""
			fill(e, a.Path, a.sub, m)
		}
		if first < 0 && m["primary"] == true {
			first = i
		}
		out = append(out, e)
	}
	if first > 0 {
		chosen := out[first]
		out = slices.Insert(slices.Delete(out, first, first+1), 0, chosen)
	}
	return out
}

// Type is a resource type with its attributes as a tree.
type Type struct {
	*scim.ResourceType
	root     []*attr
	HasTable bool // The application has a table for the type.
	// Unclaimed says where clients see resources that no client has claimed.
	Unclaimed Unclaimed
}

// Unclaimed is Unclaimed of package sqlstore.
type Unclaimed int

const (
	ListUnclaimed Unclaimed = iota
	FindUnclaimed
	HideUnclaimed
)

// NewType arranges the attributes of a type.
func NewType(t *scim.ResourceType, hasTable bool) Type {
	return Type{ResourceType: t, root: tree(t), HasTable: hasTable}
}
