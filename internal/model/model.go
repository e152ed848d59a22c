// Package model holds schemas in a compiled form, for decoding, encoding, filters and
// PATCH.
package model

import "strings"

// Kind is the data type of an attribute (RFC 7643, Section 2.3).
type Kind uint8

// The kinds. Any is an attribute that no schema has, kept as raw JSON.
const (
	String Kind = iota + 1
	Boolean
	Decimal
	Integer
	DateTime
	Binary
	Reference
	Complex
	Any
)

func (k Kind) String() string {
	return [...]string{"", "string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex", "any"}[k]
}

// Mutability is RFC 7643, Section 7, "mutability".
type Mutability uint8

// The mutabilities.
const (
	ReadWrite Mutability = iota
	ReadOnly
	Immutable
	WriteOnly
)

// Returned is RFC 7643, Section 7, "returned".
type Returned uint8

// When an attribute is returned.
const (
	Default Returned = iota
	Always
	Never
	Request
)

// Attribute is one compiled attribute. It never changes after compilation. An extension is
// a complex attribute with its URN as its name.
type Attribute struct {
	Name        string // canonical spelling
	Key         string // the name quoted for JSON, with its colon
	Path        string // from the resource's root, as in a filter: "name.givenName"
	Description string
	Kind        Kind
	Multi       bool
	Required    bool
	CaseExact   bool
	Unique      bool
	Extension   bool
	Meta        bool // the attribute is schemas, id or meta, which are never among the values
	NoEmpty     bool // an element without contents is an error: it names nobody
	Mutability  Mutability
	Returned    Returned
	Canonical   []string
	RefTypes    []string
	Sub         []*Attribute
	Parent      *Attribute // nil for the root
	Order       int        // position among its siblings

	byName map[string]*Attribute
}

// Lookup finds a sub-attribute by name, with ASCII letters in any case. It returns nil if
// there is none.
func (a *Attribute) Lookup(name string) *Attribute {
	if s, ok := a.byName[name]; ok {
		return s
	}
	return a.byName[FoldName(name)]
}

// FoldName folds the ASCII letters of an attribute name or URN. It leaves other letters,
// because strings.EqualFold equates "ſ" with "s".
func FoldName(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// Type is a compiled resource type.
type Type struct {
	Name string // "User"
	URN  string // the core schema's
	// Root is a complex attribute. It holds schemas, id, meta, externalId, the core
	// schema's attributes and each extension.
	Root *Attribute
	// Members is the attribute "members" of the type Group. Operations on it become
	// additions and removals. It is nil for other types.
	Members *Attribute
	// Password is the attribute that the endpoint passes to the application and never
	// stores. It is nil if there is none.
	Password *Attribute

	Endpoint    string // "/Users"
	One         string // "/Users/{id}", the route of a resource in logs and metrics
	Description string
	Schemas     []Schema // the core schema first, then the extensions
	// Enumerated are the attributes for which clients may send only canonical values.
	Enumerated []*Attribute
	// KeepUnknown says that resources keep top-level attributes that no schema has.
	KeepUnknown bool
	// Owner is the public ResourceType that this type was compiled from.
	Owner any
}

// Schema is the description of one of a type's schemas for discovery (RFC 7643, Section 7).
type Schema struct {
	URN, Name, Description string
	// Attributes is the type's root for the core schema, and the extension for any other.
	Attributes *Attribute
}

// Extension finds an extension by its URN, in any case. It returns nil if there is none.
func (t *Type) Extension(urn string) *Attribute {
	if a := t.Root.Lookup(urn); a != nil && a.Extension {
		return a
	}
	return nil
}

// InExtension finds an attribute of an extension by its name alone. It returns nil if no
// extension has the attribute, or if several have.
func (t *Type) InExtension(name string) *Attribute {
	var found *Attribute
	for _, e := range t.Root.Sub {
		if !e.Extension {
			continue
		}
		if a := e.Lookup(name); a != nil {
			if found != nil {
				return nil
			}
			found = a
		}
	}
	return found
}

// Find resolves a dotted path to its attribute. Examples are "userName", "name.givenName"
// and "urn:…:enterprise:2.0:User:manager.value". The path may begin with an extension's or
// the core schema's URN. Find returns nil if there is no such attribute.
func (t *Type) Find(path string) *Attribute {
	within, rest := t.Split(path)
	if rest == "" {
		if within == t.Root {
			return nil
		}
		return within
	}
	name, sub, dotted := strings.Cut(rest, ".")
	a := within.Lookup(name)
	if a == nil || !dotted {
		return a
	}
	return a.Lookup(sub)
}

// Split cuts a schema URN off the front of path. It returns the attribute in which to look
// up the rest: the extension, or the root for the core schema and for an unknown URN. rest
// is "" if the path is only a URN.
func (t *Type) Split(path string) (within *Attribute, rest string) {
	within, rest = t.CutURN(path, ":")
	if within == nil {
		return t.Root, path
	}
	return within, strings.TrimPrefix(rest, ":")
}

// CutURN cuts the longest schema URN off the front of path, because one URN may begin with
// another. It returns the root for the core schema, otherwise the extension. rest still has
// the separator, which must be one of separators. within is nil if path begins with no URN.
func (t *Type) CutURN(path, separators string) (within *Attribute, rest string) {
	if len(path) < 4 || !strings.EqualFold(path[:4], "urn:") {
		return nil, path
	}
	rest = path
	try := func(a *Attribute, urn string) {
		n := len(urn)
		if n <= len(path)-len(rest) || len(path) < n || FoldName(path[:n]) != FoldName(urn) {
			return
		}
		if n == len(path) || strings.IndexByte(separators, path[n]) >= 0 {
			within, rest = a, path[n:]
		}
	}
	try(t.Root, t.URN)
	for _, e := range t.Root.Sub {
		if e.Extension {
			try(e, e.Name)
		}
	}
	return within, rest
}
