package search

import (
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Writer writes one query: its text refers to the arguments by number.
type Writer struct {
	d       dialect.Dialect
	t       *scim.ResourceType
	mapped  bool  // the type has a Table
	Args    []any // behind the tenant
	aliases int
}

// NewWriter makes a writer for one query.
func NewWriter(d dialect.Dialect, t *scim.ResourceType, mapped bool) *Writer {
	return &Writer{d: d, t: t, mapped: mapped}
}

// text and number add an argument and return its place.
func (w *Writer) text(s string) string {
	w.Args = append(w.Args, s)
	return w.d.Arg(len(w.Args)+1, false)
}

func (w *Writer) number(n int64) string {
	w.Args = append(w.Args, n)
	return w.d.Arg(len(w.Args)+1, true)
}

// scope is what attributes are read from: the resource, or one element of a
// multi-valued attribute.
type scope struct {
	base   string // path of that attribute; "" for the resource
	object string // SQL of the search form
	self   string // SQL of the text that the element is; NULL if it holds nothing
}

var resource = scope{object: "r.search"}

// cond is a condition on a scope. One that is NULL is not satisfied: AND and OR take
// that for false, and not() makes it true.
type cond struct {
	sql func(s scope) string
	// among lists comparisons that are indexed and of which every match satisfies one.
	// Nil: there is no such list.
	among []scim.Comparison
}

// condition translates a filter. few: an index finds the few resources that may
// satisfy it; if ids is not nil, it writes a query for their ids, as value.
func (w *Writer) condition(f *scim.Filter) (sql string, ids func() string, few bool, err error) {
	c, err := scim.TranslateFilter(f, scim.FilterVisitor[cond]{
		And: func(l, r cond) cond {
			return cond{func(s scope) string { return "(" + l.sql(s) + " AND " + r.sql(s) + ")" }, shorter(l.among, r.among)}
		},
		Or: func(l, r cond) cond {
			c := cond{sql: func(s scope) string { return "(" + l.sql(s) + " OR " + r.sql(s) + ")" }}
			if l.among != nil && r.among != nil {
				c.among = slices.Concat(l.among, r.among)
			}
			return c
		},
		Not:   func(in cond) cond { return cond{sql: func(s scope) string { return not(in.sql(s)) }} },
		Const: func(yes bool) cond { return cond{sql: func(scope) string { return constant(yes) }} },
		Compare: func(c scim.Comparison) (cond, error) {
			out := cond{sql: func(s scope) string { return w.comparison(s, c) }}
			if w.indexed(c) {
				out.among = []scim.Comparison{c}
			}
			return out, nil
		},
		Some: func(a scim.Attr, in cond) (cond, error) {
			return cond{sql: func(s scope) string {
				return w.some(s, a, false, func(s scope, v string) string {
					return "(" + v + " IS NOT NULL AND " + in.sql(s) + ")"
				})
			}}, nil
		},
	})
	if err != nil {
		return "", nil, false, err
	}
	sql = c.sql(resource)
	switch {
	case len(c.among) == 1 && c.among[0].Attr.Path != EmailPath:
		return sql, nil, true, nil
	case c.among != nil: // an index for each, and not none because of the OR
		return sql, func() string {
			all := make([]string, len(c.among))
			for i, c := range c.among {
				all[i] = w.find(c)
			}
			return strings.Join(all, " UNION ")
		}, true, nil
	}
	if key, ok := w.emailOf(f); ok {
		return sql, func() string { return w.emails(key) }, true, nil
	}
	return sql, nil, false, nil
}

// shorter is the shorter list that is not nil.
func shorter(a, b []scim.Comparison) []scim.Comparison {
	if a == nil || b != nil && len(b) < len(a) {
		return b
	}
	return a
}

func not(sql string) string { return "(" + sql + ") IS NOT TRUE" }

func constant(yes bool) string {
	if yes {
		return "1 = 1"
	}
	return "1 = 0"
}

// value is the text of a single-valued attribute in a scope, NULL if absent.
func (w *Writer) value(s scope, a scim.Attr) string {
	if s.base == "" && a.Path == "id" {
		return "r.id"
	}
	return w.d.Text("(" + s.object + " ->> " + w.d.Key(Below(s.base, a.Path)) + ")")
}

// some says that one of the values at a satisfies test, or, if there is none,
// absent. test gets the value's text and the scope to go on from.
func (w *Writer) some(s scope, a scim.Attr, absent bool, test func(s scope, v string) string) string {
	if s.base == a.Path {
		return test(s, s.self)
	}
	m, ok := outermost(s.base, a)
	if !ok {
		return test(s, w.value(s, a))
	}
	d, name := w.d, Below(s.base, m.Path)
	w.aliases++
	e := "e" + strconv.Itoa(w.aliases)
	in := scope{base: m.Path, object: e + ".value"}
	if m.Type == "complex" {
		in.self = "(" + in.object + " ->> " + d.Key("#") + ")"
	} else {
		in.self = d.ElementText(e)
	}
	sql := "EXISTS (SELECT 1 FROM " + d.Elements(s.object, name, e) + " WHERE " + w.some(in, a, absent, test) + ")"
	if absent {
		return "((" + s.object + " -> " + d.Key(name) + ") IS NULL OR " + sql + ")"
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

func (w *Writer) comparison(s scope, c scim.Comparison) string {
	if w.indexed(c) && c.Attr.Path != "id" {
		return w.lookUp(c)
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

var orderings = map[string]string{"gt": ">", "ge": ">=", "lt": "<", "le": "<="}

// holds compares a text, which may be NULL, with a literal.
func (w *Writer) holds(v, op, literal string) string {
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
		return w.d.Contains(v, p)
	case "sw":
		return w.d.Prefix(v, p)
	case "ew":
		if literal == "" {
			return v + " >= " + p
		}
		return w.d.Suffix(v, p)
	}
	return v + " " + orderings[op] + " " + p
}
