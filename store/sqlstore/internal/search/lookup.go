package search

import (
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// GroupType is the resource type whose resources have members. UserType is the one whose
// userName is unique (RFC 7643, Section 4.1.1).
const (
	GroupType = "Group"
	UserType  = "User"
)

// columns are the attributes that have a column with an index. Requests look for these most
// often. They are compared for equality only, in the form of IndexKey.
var columns = map[string]struct {
	name      string
	caseExact bool
}{
	"userName":    {"user_name", false},
	"externalId":  {"external_id", true},
	"displayName": {"display_name", false},
}

// EmailPath is the attribute whose values are in the table of look-ups.
const EmailPath = "emails.value"

// Column returns the column of t that holds the key of the attribute at path.
func Column(t *scim.ResourceType, path string) (name string, ok bool) {
	c, ok := columns[path]
	if !ok || path == "userName" && t.Name() != UserType {
		return "", false
	}
	a, ok := t.Attribute(path)
	return c.name, ok && a.Type == scim.TypeString && !a.MultiValued && a.CaseExact == c.caseExact
}

// isIndexed reports whether an index answers c. It does if c is an equality on the resource
// itself.
func (w *Writer) isIndexed(c scim.Comparison) bool {
	literal, isText := c.Literal.(string)
	if c.InElement || !isText || c.Op != scim.OperatorEq || strings.IndexByte(literal, 0) >= 0 {
		return false
	}
	_, ok := Column(w.t, c.Attribute.Path)
	return ok || c.Attribute.Path == "id" || c.Attribute.Path == EmailPath
}

// lookUp writes a comparison that an index answers.
func (w *Writer) lookUp(c scim.Comparison) string {
	literal, _ := c.Literal.(string)
	if name, ok := Column(w.t, c.Attribute.Path); ok {
		return w.columnEquals("r", name) + w.text(IndexKey(literal))
	}
	return w.d.In("r.id", w.emails(literal))
}

// find returns a query for the ids of the resources that satisfy a comparison that an index
// answers, or that are candidates for it.
func (w *Writer) find(c scim.Comparison) string {
	if !w.isIndexed(c) {
		return findCandidates(w, c)
	}
	literal, _ := c.Literal.(string)
	if c.Attribute.Path == EmailPath {
		return w.emails(literal)
	}
	name, ok := Column(w.t, c.Attribute.Path)
	if ok {
		literal = IndexKey(literal)
	} else {
		name = "id"
	}
	return "SELECT f.id AS value FROM {p}resources f WHERE f.tenant = $1 AND f.type = " + dialect.Quote(w.t.Name()) +
		" AND f.deleted = 0 AND " + w.columnEquals("f", name) + w.text(literal)
}

// columnEquals begins an equality of a column. Types with a Table and types without have an
// index of userNames each.
func (w *Writer) columnEquals(alias, column string) string {
	text := alias + "." + column + " = "
	switch {
	case column != "user_name":
		return text
	case w.hasTable:
		return alias + ".seen IS NOT NULL AND " + text
	default:
		return alias + ".seen IS NULL AND " + text
	}
}

// emails returns a query for the ids of the resources that have an address with this key.
func (w *Writer) emails(key string) string {
	return "SELECT l.id AS value FROM {p}lookups l WHERE l.tenant = $1 AND l.type = " + dialect.Quote(w.t.Name()) +
		" AND l.path = " + dialect.Quote(EmailPath) + " AND l.value = " + w.text(IndexKey(key))
}

// emailOf returns the key of an address that every match has, if the filter compares
// addresses in a value path.
func (w *Writer) emailOf(f *scim.Filter) (key string, ok bool) {
	value, ok := f.Eq(EmailPath)
	a, known := w.t.Attribute(EmailPath)
	if !ok || !known || strings.IndexByte(value, 0) >= 0 {
		return "", false
	}
	return keyOf(a, value)
}
