package scim

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fold"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/structs"
)

// TypeConfig describes a resource type (RFC 7643, Section 6). Change what
// UserConfig and GroupConfig return to add attributes: append to Schema.Attributes
// for custom attributes in the core schema, to Extensions for a schema of your own.
type TypeConfig struct {
	Name        string // "User"
	Endpoint    string // "/Users"
	Description string
	Schema      schema.Schema
	Extensions  []schema.Schema
	Required    []string // the URNs of extensions that every resource must have
	// Enumerated lists the paths of attributes, such as "emails.type", whose
	// canonicalValues are all that a client may send (400 invalidValue otherwise); the
	// core schemas mean theirs as suggestions (RFC 7643, Section 2.3.1). Case counts only
	// where the attribute is case-exact. A value that a resource has already may stay.
	Enumerated []string
	// KeepUnknown keeps top-level attributes that no schema has and returns them, for
	// clients that put their own into the core namespace. By default they are ignored
	// and reported.
	KeepUnknown bool
}

// ResourceType is a compiled TypeConfig, to which resources are bound. Use one
// value for the handler and the store alike.
type ResourceType struct {
	c        TypeConfig
	m        *model.Type
	bindings structs.Bindings // for Decode and From
}

// NewResourceType compiles c.
func NewResourceType(c TypeConfig) (*ResourceType, error) {
	if c.Name == "" || c.Schema.ID == "" {
		return nil, fmt.Errorf("scim: a resource type needs a name and a schema with an ID")
	}
	if !strings.HasPrefix(c.Endpoint, "/") || strings.Count(c.Endpoint, "/") != 1 || len(c.Endpoint) == 1 {
		return nil, fmt.Errorf("scim: resource type %s: endpoint %q is not like \"/Users\"", c.Name, c.Endpoint)
	}
	m, err := model.Compile(c.Name, c.Schema, c.Extensions)
	if err != nil {
		return nil, fmt.Errorf("scim: resource type %s: %w", c.Name, err)
	}
	for _, urn := range c.Required {
		e := m.Extension(urn)
		if e == nil {
			return nil, fmt.Errorf("scim: resource type %s: required extension %s is not among its extensions", c.Name, urn)
		}
		e.Required = true
	}
	m.Endpoint, m.Description, m.KeepUnknown = c.Endpoint, c.Description, c.KeepUnknown
	for _, path := range c.Enumerated {
		a := m.Find(path)
		switch {
		case a == nil:
			return nil, fmt.Errorf("scim: resource type %s: Enumerated: there is no attribute %q", c.Name, path)
		case len(a.Canonical) == 0:
			return nil, fmt.Errorf("scim: resource type %s: Enumerated: %s has no canonicalValues", c.Name, a.Path)
		case a.Parent == m.Members && m.Members != nil:
			return nil, fmt.Errorf("scim: resource type %s: Enumerated: %s cannot be: members are users and groups anyway", c.Name, a.Path)
		}
		m.Enumerated = append(m.Enumerated, a)
	}
	t := &ResourceType{c: c, m: m}
	m.Owner = t
	return t, nil
}

// UserConfig describes the core User with the enterprise extension (RFC 7643,
// Sections 4.1 and 4.3).
func UserConfig() TypeConfig {
	return TypeConfig{
		Name: "User", Endpoint: "/Users", Description: "User Account", Schema: schema.CoreUserSchema(),
		Extensions: []schema.Schema{schema.ExtensionEnterpriseUser()},
	}
}

// GroupConfig describes the core Group (RFC 7643, Section 4.2).
func GroupConfig() TypeConfig {
	return TypeConfig{Name: "Group", Endpoint: "/Groups", Description: "Group", Schema: schema.CoreGroupSchema()}
}

var userType = sync.OnceValue(func() *ResourceType { return mustType(UserConfig()) })

// UserType is the resource type of UserConfig. It returns the same value each time.
func UserType() *ResourceType { return userType() }

var groupType = sync.OnceValue(func() *ResourceType { return mustType(GroupConfig()) })

// GroupType is the resource type of GroupConfig. It returns the same value each time.
func GroupType() *ResourceType { return groupType() }

func mustType(c TypeConfig) *ResourceType {
	t, err := NewResourceType(c)
	if err != nil {
		panic(err) // the ready-made types are valid: a test compiles them
	}
	return t
}

// Name is the type's name, such as "User".
func (t *ResourceType) Name() string { return t.c.Name }

// Endpoint is the type's address below the base, such as "/Users".
func (t *ResourceType) Endpoint() string { return t.c.Endpoint }

// Bind makes a resource from what a store keeps: doc is what MarshalJSON of a
// Resource gave (nil: nothing), and values, by path as in Get, come in the place of
// what doc says, for columns of their own. A nil value removes the attribute. In doc
// what the type does not know is left out. Values of the wrong type are errors.
// Required attributes are not checked: the store is believed.
func (t *ResourceType) Bind(m Meta, docJSON []byte, values map[string]any) (*Resource, error) {
	r := &Resource{t: t, d: doc.Document{
		Type: t.m, ID: m.ID, Version: m.Version, Created: m.Created, Modified: m.LastModified,
	}}
	if len(docJSON) > 0 {
		b, err := doc.Decode(t.m, docJSON, doc.Options{Stored: true, KeepUnknown: t.c.KeepUnknown})
		if err != nil {
			return nil, fmt.Errorf("scim: stored %s %s: %w", t.c.Name, m.ID, err)
		}
		r.d.Values = b.Values
	}
	return r.With(values)
}

// Resource is a resource's contents, bound to its type. It never changes; With
// makes a changed copy. It never holds a password, nor anything that is derived
// when it is sent: a user's groups, the display names of members, locations.
type Resource struct {
	t *ResourceType
	d doc.Document
}

// Type is the type that the resource is bound to.
func (r *Resource) Type() *ResourceType { return r.t }

// ID is the resource's id.
func (r *Resource) ID() string { return r.d.ID }

// Ref is the resource's type and id.
func (r *Resource) Ref() Ref { return Ref{r.t.c.Name, r.d.ID} }

// Meta is what is kept beside the attributes.
func (r *Resource) Meta() Meta {
	return Meta{ID: r.d.ID, Version: r.d.Version, Created: r.d.Created, LastModified: r.d.Modified}
}

// WithMeta is a copy with other meta values, for a store that gives ids or versions
// of its own.
func (r *Resource) WithMeta(m Meta) *Resource {
	c := *r
	c.d.ID, c.d.Version, c.d.Created, c.d.Modified = m.ID, m.Version, m.Created, m.LastModified
	return &c
}

// Get returns the value at path: a string (also for dates, references and binary
// values), bool, int64, float64, map[string]any for a complex value, []any for a
// multi-valued one, or nil if there is none. Paths are written as in filters:
// "userName", "name.givenName", "urn:…:enterprise:2.0:User:manager.value". For a
// sub-attribute of a multi-valued attribute, such as "emails.value", it returns the
// []any of those that are there.
func (r *Resource) Get(path string) any {
	a := r.t.m.Find(path)
	if a == nil {
		return nil
	}
	if p := a.Parent; p != nil && p.Multi {
		var all []any
		for _, e := range r.d.Find(p).Kids() {
			if v := e.Field(a); v.Attr != nil {
				all = append(all, v.Any())
			}
		}
		if all == nil {
			return nil
		}
		return all
	}
	switch v := r.d.Find(a); {
	case v.Attr != nil:
		return v.Any()
	case path == "id":
		return r.d.ID
	default:
		return nil
	}
}

// String returns the string at path, "" if there is none or it is of another kind.
func (r *Resource) String(path string) string { return r.d.Text(path) }

// Bool returns the boolean at path, false if there is none. For "active" see Active.
func (r *Resource) Bool(path string) bool { return r.String(path) == "true" }

// Active reports whether a user is active: unless "active" is false. A resource
// without the attribute is active.
func (r *Resource) Active() bool { return r.d.Active() }

// Primary returns the value of the primary element of a multi-valued attribute such
// as "emails", else of the first; "" if there is none.
func (r *Resource) Primary(path string) string {
	a := r.t.m.Find(path)
	if a == nil || !a.Multi {
		return ""
	}
	elems := r.d.Find(a).Kids()
	if len(elems) == 0 {
		return ""
	}
	best := elems[0]
	if p := a.Lookup("primary"); p != nil {
		if i := slices.IndexFunc(elems, func(e doc.Value) bool { return e.Field(p).Text == "true" }); i >= 0 {
			best = elems[i]
		}
	}
	if v := a.Lookup("value"); v != nil {
		return best.Field(v).Text
	}
	return best.Text
}

// With is a copy with other values, by path as in Get. A nil value removes the
// attribute. It takes what Get returns, and also all kinds of numbers, time.Time,
// []byte, []string and []map[string]any. An unknown path, a value of the wrong type,
// or a password is an error.
func (r *Resource) With(values map[string]any) (*Resource, error) {
	c := *r
	paths := make([]string, 0, len(values))
	for p := range values {
		paths = append(paths, p)
	}
	slices.Sort(paths) // a parent before its parts
	for _, path := range paths {
		a := r.t.m.Find(path)
		switch {
		case a == nil:
			return nil, fmt.Errorf("scim: %s has no attribute %q", r.t.c.Name, path)
		case a.Meta:
			return nil, fmt.Errorf("scim: %s is set with WithMeta", a.Path)
		case a == r.t.m.Password:
			return nil, fmt.Errorf("scim: a password never is in a resource")
		case a.Parent.Multi:
			return nil, fmt.Errorf("scim: %s: set the whole of %s", a.Path, a.Parent.Path)
		}
		v, err := doc.FromAny(a, values[path])
		if err != nil {
			return nil, fmt.Errorf("scim: %w", err)
		}
		if v.Attr == nil {
			v.Attr = a
			c.d.Values = doc.DropAt(r.t.m.Root, c.d.Values, a)
			continue
		}
		c.d.Values = doc.PutAt(r.t.m.Root, c.d.Values, v)
	}
	return &c, nil
}

// MarshalJSON is the resource as a store keeps it: everything that it holds, with
// schemas, id and meta, without a location and what is derived.
func (r *Resource) MarshalJSON() ([]byte, error) {
	return doc.Append(nil, &r.d, doc.Encode{Stored: true}), nil
}

// Equal reports whether two resources have the same type, id and contents,
// whatever their versions and times.
func (r *Resource) Equal(o *Resource) bool {
	return r.d.Equal(&o.d)
}

// Decode fills the struct that v points to from the resource, by tags:
//
//	type person struct {
//		ID     string   `scim:"id"`
//		Login  string   `scim:"userName"`
//		Family string   `scim:"name.familyName"`
//		Active bool     `scim:"active"`
//		Emails []string `scim:"emails.value"`
//	}
//
// Fields may be strings, booleans, numbers, time.Time for dates, pointers to these,
// slices of these, and, for complex attributes, structs with tags of their own and
// slices of them. A field whose attribute is absent gets its zero value, but active is
// true then. Fields without a tag stay as they are. The tags of a struct are checked
// once per type; a path that the resource type does not have is an error.
func (r *Resource) Decode(v any) error {
	return r.t.bindings.Decode(v, r.t.m.Find, func(path string) any {
		switch path {
		case "meta.created":
			return r.d.Created
		case "meta.lastModified":
			return r.d.Modified
		case "meta.version":
			return r.d.Version
		case "active":
			return r.Active()
		}
		return r.Get(path)
	})
}

// From makes a resource from a struct with the tags that Decode reads, or a pointer
// to one. Booleans and numbers are always set; empty strings, zero times, nil pointers
// and empty slices leave the attribute out. "emails.value", as a path into a
// multi-valued attribute, can only be decoded.
func (t *ResourceType) From(v any) (*Resource, error) {
	var m Meta
	values := map[string]any{}
	err := t.bindings.Read(v, t.m.Find, func(path string, x any) {
		switch path {
		case "id":
			m.ID, _ = x.(string)
		case "meta.created":
			m.Created, _ = x.(time.Time)
		case "meta.lastModified":
			m.LastModified, _ = x.(time.Time)
		case "meta.version":
			m.Version, _ = x.(string)
		default:
			values[path] = x
		}
	})
	if err != nil {
		return nil, err
	}
	return t.Bind(m, nil, values)
}

// Fold is the comparison key of values that are not case-exact, userName above
// all: two of them are the same exactly if their keys are. It applies the mappings
// of PRECIS UsernameCaseMapped (RFC 8265, Section 3.3; RFC 7644, Section 5): width,
// lower case, NFC. Stores index and compare by it, never by a database's collation.
func Fold(s string) string { return fold.Key(s) }

// ParseTime reads the text of a dateTime value as filters compare it (RFC 7643, Section
// 2.3.5): xsd:dateTime with a date and a time. A text without a zone is in UTC. ok is
// false if the text is no such value.
//
// Resource.Get returns dateTime values as time.Time. ParseTime is for adapters that
// derive columns or indexes from the JSON of a resource, where they are texts: with it
// they order and compare values exactly as Filter.Match does.
func ParseTime(text string) (t time.Time, ok bool) { return doc.ParseTime(text) }
