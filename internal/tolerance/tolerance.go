// Package tolerance names the deviations from the RFCs that the server accepts from real
// clients. It also counts the tolerances that one request uses.
package tolerance

import (
	"slices"
	"strings"
)

// A Name is one tolerance. The names are public as scim.Tolerance.
type Name string

// Every tolerance, with the client that needs it.
const (
	OpCase             Name = "op-case"               // "Add", "Replace": Entra
	MissingSchemas     Name = "missing-schemas"       // body without "schemas": OneLogin templates
	BooleanString      Name = "boolean-string"        // "True" for a boolean: Entra, Keycloak
	CreateOnFilter     Name = "create-on-filter"      // replace of a filtered element that does not exist yet: Entra
	DottedKey          Name = "dotted-key"            // {"name.givenName": …} without a path: Entra
	URNKey             Name = "urn-key"               // {"urn:…:User:department": …}: Entra
	DottedExtension    Name = "dotted-extension-path" // urn:…:User.department: Entra's old jobs
	BareComplex        Name = "bare-complex"          // manager as a plain string: Entra
	EmptyComplex       Name = "empty-complex"         // "" unassigns a complex attribute: Entra
	ScalarInArray      Name = "scalar-in-array"       // ["de"] for a single value: SCIM-SDK
	ObjectForArray     Name = "object-for-array"      // {…} for a multi-valued attribute: OneLogin
	JSONInString       Name = "json-in-string"        // a role as JSON text: Entra app roles
	BooleanLiteral     Name = "boolean-literal"       // [primary eq "True"]: Entra
	UnknownAttribute   Name = "unknown-attribute"     // attributes no schema has: all
	ReadOnlyInValue    Name = "read-only-in-value"    // id, meta, groups sent back: Okta, authentik
	ManyPrimaries      Name = "many-primaries"        // two primary values: the last one wins
	RemoveByValue      Name = "remove-by-value"       // remove with a list of values: Entra, JumpCloud
	RemoveNoMatch      Name = "remove-no-match"       // removal of an element that does not exist: retries
	UnquotedLiteral    Name = "unquoted-literal"      // userName eq jo: authentik, Ping
	ComplexComparison  Name = "complex-comparison"    // emails eq "x": Ping, Entra
	ValuePathAttribute Name = "value-path-attribute"  // emails[type eq "work"].value eq "x": Entra
	NumberString       Name = "number-string"         // "5" for a number
	BareExtension      Name = "bare-extension"        // manager without its extension's URN, in filters and paths: Entra
	DisplayName        Name = "display-name"          // displayName for a value's display: Entra app roles
	WrappedMembers     Name = "wrapped-members"       // {"members": […]} as the value of members: Salesforce
	ObjectInString     Name = "object-in-string"      // a PATCH value without a path as JSON text: scim-for-keycloak
	ListInString       Name = "list-in-string"        // "attributes": "a,b" in a .search, as in a query string
)

var all = [...]Name{
	OpCase, MissingSchemas, BooleanString, CreateOnFilter,
	DottedKey, URNKey, DottedExtension, BareComplex,
	EmptyComplex, ScalarInArray, ObjectForArray, JSONInString,
	BooleanLiteral, UnknownAttribute, ReadOnlyInValue, ManyPrimaries,
	RemoveByValue, RemoveNoMatch, UnquotedLiteral, ComplexComparison,
	ValuePathAttribute, NumberString, BareExtension, DisplayName,
	WrappedMembers, ObjectInString, ListInString,
}

// All lists every tolerance.
func All() []Name { return slices.Clone(all[:]) }

// IsKnown reports whether n is a tolerance. Binding a tenant checks each name.
func IsKnown(n Name) bool { return slices.Contains(all[:], n) }

// A Use knows which tolerances are off, and collects those that the request uses. The nil
// Use allows everything and collects nothing. It is not safe for concurrent use.
type Use struct {
	Strict bool
	Off    []Name
	used   []Name
	paths  []string // by used
}

// maxPath is how many bytes of a path a Use keeps. Clients may send long ones.
const maxPath = 200

// IsOn reports whether n is on.
func (u *Use) IsOn(n Name) bool {
	return u == nil || !u.Strict && !slices.Contains(u.Off, n)
}

// Allow reports whether n is on, and records its use at a path.
func (u *Use) Allow(n Name, path string) bool {
	if u == nil {
		return true
	}
	if !u.IsOn(n) {
		return false
	}
	for _, have := range u.used {
		if have == n {
			return true
		}
	}
	if len(path) > maxPath {
		path = strings.ToValidUTF8(path[:maxPath], "") + "…"
	}
	u.used, u.paths = append(u.used, n), append(u.paths, path)
	return true
}

// Used lists the tolerances that the request used, each once, in order of first use.
func (u *Use) Used() []Name {
	if u == nil {
		return nil
	}
	return u.used
}

// Path says where the request used n first: the path of an attribute, or the name of a field
// of the message.
func (u *Use) Path(n Name) string {
	if i := slices.Index(u.Used(), n); i >= 0 {
		return u.paths[i]
	}
	return ""
}
