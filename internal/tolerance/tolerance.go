// Package tolerance names what is accepted from real clients although the RFCs
// do not ask for it, and keeps count of what one request made use of.
package tolerance

import "slices"

// A Name is one leniency. The names are public API by way of scim.Tolerance.
type Name string

// Every tolerance, with the client that needs it.
const (
	OpCase             Name = "op-case"               // "Add", "Replace": Entra
	MissingSchemas     Name = "missing-schemas"       // body without "schemas": OneLogin templates
	BooleanString      Name = "boolean-string"        // "True" for a boolean: Entra, Keycloak
	CreateOnFilter     Name = "create-on-filter"      // replace of an entry that is not there yet: Entra
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
	RemoveNoMatch      Name = "remove-no-match"       // removal of what is not there: retries
	UnquotedLiteral    Name = "unquoted-literal"      // userName eq jo: authentik, Ping
	ComplexComparison  Name = "complex-comparison"    // emails eq "x": Ping, Entra
	ValuePathAttribute Name = "value-path-attribute"  // emails[type eq "work"].value eq "x": Entra
	NumberString       Name = "number-string"         // "5" for a number
	BareExtension      Name = "bare-extension"        // manager eq "x" without the extension's URN: Entra
	DisplayName        Name = "display-name"          // displayName for a value's display: Entra app roles
)

var all = [...]Name{
	OpCase, MissingSchemas, BooleanString, CreateOnFilter,
	DottedKey, URNKey, DottedExtension, BareComplex,
	EmptyComplex, ScalarInArray, ObjectForArray, JSONInString,
	BooleanLiteral, UnknownAttribute, ReadOnlyInValue, ManyPrimaries,
	RemoveByValue, RemoveNoMatch, UnquotedLiteral, ComplexComparison,
	ValuePathAttribute, NumberString, BareExtension, DisplayName,
}

// All lists every tolerance.
func All() []Name { return slices.Clone(all[:]) }

// IsKnown reports whether n is one of All. Binding a tenant asks it for each name.
func IsKnown(n Name) bool { return slices.Contains(all[:], n) }

// A Use says what is switched off and collects what was used. The nil Use
// accepts everything and collects nothing. It is not safe for concurrent use.
type Use struct {
	Strict bool
	Off    []Name
	used   []Name
}

// Allow reports whether n may be used, and remembers that it was.
func (u *Use) Allow(n Name) bool {
	if u == nil {
		return true
	}
	if u.Strict {
		return false
	}
	for _, off := range u.Off {
		if off == n {
			return false
		}
	}
	for _, have := range u.used {
		if have == n {
			return true
		}
	}
	u.used = append(u.used, n)
	return true
}

// Used lists the tolerances that were used, each once, in order of first use.
func (u *Use) Used() []Name {
	if u == nil {
		return nil
	}
	return u.used
}
