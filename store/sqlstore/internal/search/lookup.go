package search

import (
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// GroupType is the resource type whose resources have members, userType the one
// whose userName is unique (RFC 7643, Section 4.1.1).
const (
	GroupType = "Group"
	UserType  = "User"
)

// Columns and the table of look-ups hold what most requests look for. They are
// compared for equality only, in the form of indexed.
var columns = map[string]struct {
	name      string
	caseExact bool
}{
	"userName":    {"user_name", false},
	"externalId":  {"external_id", true},
	"displayName": {"display_name", false},
}

const EmailPath = "emails.value"

// Column is the column of t that holds the key of the attribute at path.
func Column(t *scim.ResourceType, path string) (name string, ok bool) {
	c, ok := columns[path]
	if !ok || path == "userName" && t.Name() != UserType {
		return "", false
	}
	a, ok := t.Attr(path)
	return c.name, ok && a.Type == "string" && !a.MultiValued && a.CaseExact == c.caseExact
}

// indexed reports whether an index answers c: an equality, of the resource itself.
func (w *Writer) indexed(c scim.Comparison) bool {
	literal, isText := c.Literal.(string)
	if c.InElement || !isText || c.Op != "eq" || strings.IndexByte(literal, 0) >= 0 {
		return false
	}
	_, ok := Column(w.t, c.Attr.Path)
	return ok || c.Attr.Path == "id" || c.Attr.Path == EmailPath
}

// lookUp writes a comparison that is indexed.
func (w *Writer) lookUp(c scim.Comparison) string {
	literal, _ := c.Literal.(string)
	if name, ok := Column(w.t, c.Attr.Path); ok {
		return w.named("r", name) + w.text(Indexed(literal))
	}
	return w.d.In("r.id", w.emails(literal))
}

// find is a query for the ids of the resources that satisfy a comparison that is
// indexed.
func (w *Writer) find(c scim.Comparison) string {
	literal, _ := c.Literal.(string)
	if c.Attr.Path == EmailPath {
		return w.emails(literal)
	}
	name, ok := Column(w.t, c.Attr.Path)
	if ok {
		literal = Indexed(literal)
	} else {
		name = "id"
	}
	return "SELECT f.id AS value FROM {p}resources f WHERE f.tenant = $1 AND f.type = " + dialect.Quote(w.t.Name()) +
		" AND f.deleted = 0 AND " + w.named("f", name) + w.text(literal)
}

// named begins an equality of a column. userNames have an index for types with a Table,
// and a unique one for the others.
func (w *Writer) named(alias, column string) string {
	text := alias + "." + column + " = "
	switch {
	case column != "user_name":
		return text
	case w.mapped:
		return alias + ".seen IS NOT NULL AND " + text
	default:
		return alias + ".seen IS NULL AND " + text
	}
}

// emails is a query for the ids of the resources of which one address has the key.
func (w *Writer) emails(key string) string {
	return "SELECT l.id AS value FROM {p}lookups l WHERE l.tenant = $1 AND l.type = " + dialect.Quote(w.t.Name()) +
		" AND l.path = " + dialect.Quote(EmailPath) + " AND l.value = " + w.text(Indexed(key))
}

// emailOf is the key of an address that every match has, where the filter compares it
// within a value path.
func (w *Writer) emailOf(f *scim.Filter) (key string, ok bool) {
	value, ok := f.Eq(EmailPath)
	a, known := w.t.Attr(EmailPath)
	if !ok || !known || strings.IndexByte(value, 0) >= 0 {
		return "", false
	}
	return keyOf(a, value)
}
