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

// TypeConfig describes a resource type (RFC 7643, Section 6).
//
// To add attributes, change what UserConfig or GroupConfig returns. Append to
// Schema.Attributes for attributes in the core schema, and to Extensions for a schema of
// your own.
type TypeConfig struct {
	// Name is the name of the type, such as "User".
	Name string
	// Endpoint is the address of the type below the base, such as "/Users". In lower case it is the scope
	// of the type: see ScopeUsers. So endpoints of one tenant must not differ in case only.
	Endpoint string
	// Description is a text for /ResourceTypes.
	Description string
	// Schema is the core schema of the type. Extensions are its schema extensions.
	Schema     schema.Schema
	Extensions []schema.Schema
	// Required lists the URNs of extensions that every resource must have.
	Required []string
	// Enumerated lists paths of attributes, such as "emails.type". For these a client may
	// send only the canonicalValues of the schema (400 invalidValue otherwise). A value
	// that a resource already has may stay. Case matters only in case-exact attributes.
	//
	// For other attributes canonicalValues are suggestions (RFC 7643, Section 2.3.1).
	Enumerated []string
	// KeepUnknown stores and returns top-level attributes that no schema has. Some
	// clients put their own attributes into the core namespace. By default the handler
	// ignores them and reports the tolerance "unknown-attribute".
	KeepUnknown bool
}

// ResourceType is a compiled TypeConfig. Create each ResourceType once and use the same
// pointer for the handler and the store: stored resources refer to it.
type ResourceType struct {
	c        TypeConfig
	m        *model.Type
	bindings structs.Bindings // for Decode and From
}

// NewResourceType compiles c. It returns an error if c is incomplete or contradicts
// itself.
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
	m.Endpoint, m.One, m.Description, m.KeepUnknown = c.Endpoint, c.Endpoint+"/{id}", c.Description, c.KeepUnknown
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

// UserConfig returns the core User with the enterprise extension (RFC 7643, Sections 4.1
// and 4.3).
func UserConfig() TypeConfig {
	return TypeConfig{
		Name: "User", Endpoint: "/Users", Description: "User Account", Schema: schema.CoreUserSchema(),
		Extensions: []schema.Schema{schema.ExtensionEnterpriseUser()},
	}
}

// GroupConfig returns the core Group (RFC 7643, Section 4.2).
func GroupConfig() TypeConfig {
	return TypeConfig{Name: "Group", Endpoint: "/Groups", Description: "Group", Schema: schema.CoreGroupSchema()}
}

var userType = sync.OnceValue(func() *ResourceType { return mustType(UserConfig()) })

// UserType returns the resource type of UserConfig: the same pointer each time.
func UserType() *ResourceType { return userType() }

var groupType = sync.OnceValue(func() *ResourceType { return mustType(GroupConfig()) })

// GroupType returns the resource type of GroupConfig: the same pointer each time.
func GroupType() *ResourceType { return groupType() }

func mustType(c TypeConfig) *ResourceType {
	t, err := NewResourceType(c)
	if err != nil {
		panic(err) // the ready-made types are valid: a test compiles them
	}
	return t
}

// Name returns the name of the type, such as "User".
func (t *ResourceType) Name() string { return t.c.Name }

// Endpoint returns the address of the type below the base, such as "/Users".
func (t *ResourceType) Endpoint() string { return t.c.Endpoint }

// Bind makes a resource from what a store keeps. docJSON is the output of
// Resource.MarshalJSON; nil means that there is none. Bind ignores attributes in it that
// the type does not have.
//
// values are attributes by path, as in Resource.Get, for example from database columns.
// They override docJSON. A nil value removes the attribute. A value of the wrong type is
// an error. Bind does not check that required attributes are present.
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

// Resource is the contents of a resource of one type. It never changes; With returns a
// changed copy.
//
// It never contains a password. It also never contains what the server derives in each
// answer: a user's groups, the display names of members, and locations.
type Resource struct {
	t *ResourceType
	d doc.Document
}

// Type returns the type of the resource.
func (r *Resource) Type() *ResourceType { return r.t }

// ID returns the id of the resource.
func (r *Resource) ID() string { return r.d.ID }

// Ref returns the name of the type and the id.
func (r *Resource) Ref() Ref { return Ref{r.t.c.Name, r.d.ID} }

// Meta returns what the store keeps beside the attributes.
func (r *Resource) Meta() Meta {
	return Meta{ID: r.d.ID, Version: r.d.Version, Created: r.d.Created, LastModified: r.d.Modified}
}

// WithMeta returns a copy with another Meta. Stores use it to set ids and versions of
// their own.
func (r *Resource) WithMeta(m Meta) *Resource {
	c := *r
	c.d.ID, c.d.Version, c.d.Created, c.d.Modified = m.ID, m.Version, m.Created, m.LastModified
	return &c
}

// Get returns the value at path, or nil if there is none. Paths are written as in
// filters: "userName", "name.givenName", "urn:…:enterprise:2.0:User:manager.value".
//
// The value is a string, bool, int64 or float64. Dates, references and binary values are
// strings. A complex value is a map[string]any, a multi-valued attribute an []any. For a
// sub-attribute of a multi-valued attribute, such as "emails.value", Get returns the
// []any of the values that are present.
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

// String returns the text of the value at path, also of a boolean or a number. It returns
// "" if there is no value or the attribute is complex or multi-valued. It knows "id", but
// no attribute of meta.
func (r *Resource) String(path string) string { return r.d.Text(path) }

// Bool returns the boolean at path, or false if there is none. For "active" use Active.
func (r *Resource) Bool(path string) bool { return r.String(path) == "true" }

// Active reports whether a user is active. A user without the attribute "active" is
// active.
func (r *Resource) Active() bool { return r.d.Active() }

// Primary returns the "value" of the primary element of a multi-valued attribute such as
// "emails". Without a primary element it uses the first one. It returns "" if there is no
// element.
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

// With returns a copy with other values, by path as in Get. A nil value removes the
// attribute. With accepts what Get returns, and also all kinds of numbers, time.Time,
// []byte, []string and []map[string]any. An unknown path, a value of the wrong type, or a
// password is an error.
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

// MarshalJSON returns the JSON in which a store keeps the resource: all attributes,
// schemas, id and meta. It contains no location and nothing that the server derives.
// ResourceType.Bind reads it.
func (r *Resource) MarshalJSON() ([]byte, error) {
	return doc.Append(nil, &r.d, doc.Encode{Stored: true}), nil
}

// Equal reports whether two resources have the same type, id and contents. Versions and
// times do not count.
func (r *Resource) Equal(o *Resource) bool {
	return r.d.Equal(&o.d)
}

// Decode fills the struct that v points to, by the tags of its fields:
//
//	type person struct {
//		ID     string   `scim:"id"`
//		Login  string   `scim:"userName"`
//		Family string   `scim:"name.familyName"`
//		Active bool     `scim:"active"`
//		Emails []string `scim:"emails.value"`
//	}
//
// A field may be a string, boolean or number, a time.Time for dates, a pointer to one of
// these, or a slice of them. For complex attributes it may be a struct with tags of its
// own, or a slice of such structs.
//
// If the attribute is absent, the field gets its zero value; active gets true. Fields
// without a tag stay unchanged. A path that the resource type does not have is an error.
// Decode checks the tags of a struct once per type.
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

// From makes a resource from a struct, or a pointer to one, with the tags that Decode
// reads. It always sets booleans and numbers. It leaves out empty strings, zero times,
// nil pointers and empty slices. Only Decode accepts a path into a multi-valued
// attribute, such as "emails.value".
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

// Fold returns the comparison key of a value that is not case-exact, such as a userName.
// Two such values are equal exactly if their keys are equal. Stores index and compare by
// this key, never by a database's collation.
//
// Fold applies the mappings of PRECIS UsernameCaseMapped: width, lower case, NFC (RFC
// 8265, Section 3.3; RFC 7644, Section 5).
func Fold(s string) string { return fold.Key(s) }

// ParseTime reads the text of a dateTime value as filters compare it: xsd:dateTime with a
// date and a time (RFC 7643, Section 2.3.5). A text without a zone is in UTC. ok is false
// if text is no such value.
//
// Adapters need it if they derive columns or indexes from the JSON of a resource, where
// dates are texts. They then order and compare values exactly as Filter.Match does.
func ParseTime(text string) (t time.Time, ok bool) { return doc.ParseTime(text) }
