package sqlstore

import (
	"strconv"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// writer writes one query: its text refers to the arguments by number.
type writer struct {
	s       *Store
	t       *scim.ResourceType
	args    []any // behind the tenant
	aliases int
}

// text and number add an argument and return its place.
func (w *writer) text(s string) string {
	w.args = append(w.args, s)
	return w.s.d.arg(len(w.args)+1, false)
}

func (w *writer) number(n int64) string {
	w.args = append(w.args, n)
	return w.s.d.arg(len(w.args)+1, true)
}

// scope is what attributes are read from: the resource, or one element of a
// multi-valued attribute.
type scope struct {
	base   string // path of that attribute; "" for the resource
	object string // SQL of the search form
	self   string // SQL of the text that the element is; NULL if it holds nothing
}

var resource = scope{object: "r.search"}

// cond writes a condition on a scope. A condition that is NULL is not satisfied:
// AND and OR take that for false, and not() makes it true.
type cond func(s scope) string

// condition translates a filter.
func (w *writer) condition(f *scim.Filter) (string, error) {
	c, err := scim.TranslateFilter(f, scim.FilterVisitor[cond]{
		And: func(l, r cond) cond {
			return func(s scope) string { return "(" + l(s) + " AND " + r(s) + ")" }
		},
		Or: func(l, r cond) cond {
			return func(s scope) string { return "(" + l(s) + " OR " + r(s) + ")" }
		},
		Not:   func(in cond) cond { return func(s scope) string { return not(in(s)) } },
		Const: func(yes bool) cond { return func(scope) string { return constant(yes) } },
		Compare: func(c scim.Comparison) (cond, error) {
			return func(s scope) string { return w.comparison(s, c) }, nil
		},
		Some: func(a scim.Attr, in cond) (cond, error) {
			return func(s scope) string {
				return w.some(s, a, false, func(s scope, v string) string {
					return "(" + v + " IS NOT NULL AND " + in(s) + ")"
				})
			}, nil
		},
	})
	if err != nil {
		return "", err
	}
	return c(resource), nil
}

func not(sql string) string { return "(" + sql + ") IS NOT TRUE" }

func constant(yes bool) string {
	if yes {
		return "1 = 1"
	}
	return "1 = 0"
}

// value is the text of a single-valued attribute in a scope, NULL if absent.
func (w *writer) value(s scope, a scim.Attr) string {
	if s.base == "" && a.Path == "id" {
		return "r.id"
	}
	return w.s.d.text("(" + s.object + " ->> " + w.s.d.key(below(s.base, a.Path)) + ")")
}

// some says that one of the values at a satisfies test, or, if there is none,
// absent. test gets the value's text and the scope to go on from.
func (w *writer) some(s scope, a scim.Attr, absent bool, test func(s scope, v string) string) string {
	if s.base == a.Path {
		return test(s, s.self)
	}
	m, ok := outermost(s.base, a)
	if !ok {
		return test(s, w.value(s, a))
	}
	d, name := w.s.d, below(s.base, m.Path)
	w.aliases++
	e := "e" + strconv.Itoa(w.aliases)
	in := scope{base: m.Path, object: e + ".value"}
	if m.Type == "complex" {
		in.self = "(" + in.object + " ->> " + d.key("#") + ")"
	} else {
		in.self = d.elementText(e)
	}
	sql := "EXISTS (SELECT 1 FROM " + d.elements(s.object, name, e) + " WHERE " + w.some(in, a, absent, test) + ")"
	if absent {
		return "((" + s.object + " -> " + d.key(name) + ") IS NULL OR " + sql + ")"
	}
	return sql
}

// outermost is the first multi-valued attribute on the way from base to a.
func outermost(base string, a scim.Attr) (m scim.Attr, ok bool) {
	for up := &a; up != nil && up.Path != base; up = up.Parent {
		if up.MultiValued {
			m, ok = *up, true
		}
	}
	return m, ok
}

func (w *writer) comparison(s scope, c scim.Comparison) string {
	if sql, ok := w.lookUp(s, c); ok {
		return sql
	}
	switch {
	case c.Null && c.Op == "eq":
		return w.some(s, c.Attr, true, func(_ scope, v string) string { return v + " IS NULL" })
	case c.Null:
		return w.some(s, c.Attr, false, func(_ scope, v string) string { return v + " IS NOT NULL" })
	case c.Op == "pr" && c.Attr.Type == "complex":
		return w.some(s, c.Attr, false, func(_ scope, v string) string { return v + " IS NOT NULL" })
	case c.Op == "pr":
		return w.some(s, c.Attr, false, func(_ scope, v string) string { return v + " <> ''" })
	}
	return w.some(s, c.Attr, c.Op == "ne", func(_ scope, v string) string {
		switch {
		case c.Text:
			v = "substr(" + v + ", " + strconv.Itoa(instantLen+1) + ")"
		case c.Attr.Type == "dateTime":
			v = "substr(" + v + ", 1, " + strconv.Itoa(instantLen) + ")"
		}
		return w.holds(v, c.Op, literalKey(c.Literal))
	})
}

// literalKey is a literal in the form of what it is compared with.
func literalKey(x any) string {
	switch x := x.(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return intKey(x)
	case float64:
		return floatKey(x, 0)
	case time.Time:
		return instantKey(x)
	}
	return ""
}

var orderings = map[string]string{"gt": ">", "ge": ">=", "lt": "<", "le": "<="}

// holds compares a text, which may be NULL, with a literal.
func (w *writer) holds(v, op, literal string) string {
	// No value holds U+0000, and no database takes it.
	if i := strings.IndexByte(literal, 0); i >= 0 {
		switch op {
		case "ne":
			return constant(true)
		case "gt", "ge": // what begins like the literal is less if it ends before U+0000
			op = "gt"
		case "lt", "le":
			op = "le"
		default:
			return constant(false)
		}
		literal = literal[:i]
	}
	p := w.text(literal)
	switch op {
	case "eq":
		return v + " = " + p
	case "ne":
		return not(v + " = " + p)
	case "co":
		return w.s.d.contains(v, p)
	case "sw":
		return w.s.d.prefix(v, p)
	case "ew":
		if literal == "" {
			return v + " >= " + p
		}
		return w.s.d.suffix(v, p)
	}
	return v + " " + orderings[op] + " " + p
}

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

const emailPath = "emails.value"

// column is the column of t that holds the key of the attribute at path.
func column(t *scim.ResourceType, path string) (name string, ok bool) {
	c, ok := columns[path]
	if !ok || path == "userName" && t.Name() != userType {
		return "", false
	}
	a, ok := t.Attr(path)
	return c.name, ok && a.Type == "string" && !a.MultiValued && a.CaseExact == c.caseExact
}

// lookUp writes an equality that an index answers.
func (w *writer) lookUp(s scope, c scim.Comparison) (sql string, ok bool) {
	literal, isText := c.Literal.(string)
	if s.base != "" || !isText || c.Op != "eq" || strings.IndexByte(literal, 0) >= 0 {
		return "", false
	}
	if name, ok := column(w.t, c.Attr.Path); ok {
		return "r." + name + " = " + w.text(indexed(literal)), true
	}
	if c.Attr.Path == emailPath {
		return w.email(literal), true
	}
	return "", false
}

// email says that one of the resource's addresses has the key.
func (w *writer) email(key string) string {
	return w.s.d.in("r.id", "SELECT l.id FROM {p}lookups l WHERE l.tenant = $1 AND l.type = "+quote(w.t.Name())+
		" AND l.path = "+quote(emailPath)+" AND l.value = "+w.text(indexed(key)))
}

// narrow writes a condition that every match satisfies, for filters that compare an
// address within a value path. "" if there is none.
func (w *writer) narrow(f *scim.Filter) string {
	value, ok := f.Eq(emailPath)
	a, known := w.t.Attr(emailPath)
	if !ok || !known || strings.IndexByte(value, 0) >= 0 {
		return ""
	}
	key, ok := keyOf(a, value)
	if !ok {
		return ""
	}
	return w.email(key)
}
