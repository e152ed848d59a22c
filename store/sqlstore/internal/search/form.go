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
	"slices"
	"strings"
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
	inOrder(root)
	return root
}

// inOrder sorts attributes by name. So the members of search forms are nearly in order.
func inOrder(attrs []*attr) {
	slices.SortFunc(attrs, func(a, b *attr) int { return strings.Compare(a.name, b.name) })
	for _, a := range attrs {
		inOrder(a.sub)
	}
}

// Below returns the part of path that follows base. base is "" for the resource.
func Below(base, path string) string {
	if base == "" {
		return path
	}
	return path[len(base)+1:]
}

// Form is the search form of a resource, or of an element in it.
type Form []field

// field is a member of a search form: a text, or the elements of a multi-valued attribute.
type field struct {
	key      string
	text     string
	elements []element
	isList   bool
}

// element is an element of a multi-valued attribute. parts is nil if it is a text.
type element struct {
	text  string
	parts Form
}

// Text returns the text under a key. ok is false if there is none.
func (f Form) Text(key string) (text string, ok bool) {
	for i := range f {
		if f[i].key == key {
			return f[i].text, !f[i].isList
		}
	}
	return "", false
}

// Texts returns the texts under a key in the elements of an attribute.
func (f Form) Texts(attribute, key string) (all []string) {
	for i := range f {
		if f[i].key != attribute {
			continue
		}
		for _, e := range f[i].elements {
			if text, ok := e.parts.Text(key); ok {
				all = append(all, text)
			}
		}
	}
	return all
}

// Form returns the search form of r. raw is r's JSON, of which the form keeps parts.
func (t Type) Form(r *scim.Resource, raw string) (Form, error) {
	values, err := decode(raw, "id", "meta") // The id has a column.
	if err != nil {
		return nil, err
	}
	m := r.Meta()
	values = append(values, member{"meta", object{
		{"resourceType", r.Type().Name()}, {"version", m.Version},
		{"created", dateTime(m.Created)}, {"lastModified", dateTime(m.LastModified)},
	}})
	return fill(make(Form, 0, 3*len(values)), "", t.root, values), nil
}

// Encode returns the JSON of a search form. Its members are in order of their names.
func Encode(form Form) string { return string(appendForm(make([]byte, 0, 1024), form)) }

// appendForm appends the JSON of a search form, or of an element in it.
func appendForm(dst []byte, form Form) []byte {
	slices.SortFunc(form, func(a, b field) int { return strings.Compare(a.key, b.key) })
	dst = append(dst, '{')
	for i, f := range form {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, f.key), ':')
		if !f.isList {
			dst = appendText(dst, f.text)
			continue
		}
		dst = append(dst, '[')
		for i, e := range f.elements {
			if i > 0 {
				dst = append(dst, ',')
			}
			if e.parts == nil {
				dst = appendText(dst, e.text)
			} else {
				dst = appendForm(dst, e.parts)
			}
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// appendText appends a JSON string.
func appendText(dst []byte, text string) []byte {
	dst, _ = jsontext.AppendQuote(dst, text) //nolint:errcheck // it replaces what is no UTF-8
	return dst
}

// dateTime returns a time as clients see it, or nil for the zero time.
func dateTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// fill adds values of attributes to form, and returns it. Their names begin at base.
func fill(form Form, base string, attrs []*attr, values object) Form {
	for _, a := range attrs {
		v := values.get(a.name)
		if v == nil || v == "" && a.Parent != nil && a.Parent.Path == "meta" {
			continue
		}
		key := Below(base, a.Path)
		switch list, isList := v.([]any); {
		case isList && a.MultiValued:
			if elements := a.elements(list); len(elements) > 0 {
				form = append(form, field{key: key, elements: elements, isList: true})
			}
		case a.MultiValued:
		case a.Type == scim.TypeComplex:
			if m, ok := v.(object); ok && len(m) > 0 {
				form = fill(append(form, field{key: key}), base, a.sub, m)
			}
		default:
			if k, ok := keyOf(a.Attribute, plain(v)); ok {
				form = append(form, field{key: key, text: k})
			}
		}
	}
	return form
}

// elements returns the search form of the elements of a multi-valued attribute.
func (a *attr) elements(list []any) []element {
	out := make([]element, 0, len(list))
	first := -1
	for i, v := range list {
		if a.Type != scim.TypeComplex {
			if k, ok := keyOf(a.Attribute, plain(v)); ok {
				out = append(out, element{text: k})
			}
			continue
		}
		e, m := make(Form, 0, 4), object(nil)
		if m, _ = v.(object); len(m) > 0 {
			e = fill(append(e, field{key: "#"}), a.Path, a.sub, m)
		}
		if first < 0 && m.get("primary") == true {
			first = i
		}
		out = append(out, element{parts: e})
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
	// Indexed are the paths of attributes with an index of places. The value says whether they
	// have one of parts too.
	Indexed map[string]bool
	// Scans says that a filter does not use these indexes, because they would find too many candidates.
	Scans bool
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
	return Type{ResourceType: t, root: tree(t), HasTable: hasTable, Indexed: make(map[string]bool)}
}
