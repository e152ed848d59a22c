package search

import (
	"strconv"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Writer writes one query. The text refers to its arguments by number.
type Writer struct {
	d         dialect.Dialect
	t         *scim.ResourceType
	hasTable  bool            // The application has a table for the type.
	unclaimed Unclaimed       // Unclaimed is that of the type.
	indexed   map[string]bool // indexed is Indexed of the type.
	Args      []any           // Args are the arguments after the tenant.
	aliases   int             // aliases is how many aliases are in use.
	scans     bool            // scans is Scans of the type.
	// onCompare gets each comparison that is translated, unless it is nil.
	onCompare func(scim.Comparison)
	// IsLookUp says that the filter is one comparison, which an index of resources answers.
	IsLookUp bool
}

// NewWriter returns a writer for one query.
func NewWriter(d dialect.Dialect, t Type) *Writer {
	return &Writer{d: d, t: t.ResourceType, hasTable: t.HasTable, unclaimed: t.Unclaimed, indexed: t.Indexed, scans: t.Scans}
}

// text adds an argument and returns its placeholder.
func (w *Writer) text(s string) string {
	w.Args = append(w.Args, s)
	return w.d.Arg(len(w.Args)+1, false)
}

// number adds a number as an argument and returns its placeholder.
func (w *Writer) number(n int64) string {
	w.Args = append(w.Args, n)
	return w.d.Arg(len(w.Args)+1, true)
}

// scope is where attributes are read from: the resource, or one element of a multi-valued
// attribute.
type scope struct {
	base   string // base is the path of that attribute, "" for the resource.
	object string // object is the SQL of the search form.
	self   string // self is the SQL of the element's text. It is NULL if the element holds nothing.
}

// resource is the scope of the resource itself.
var resource = scope{object: "r.search"}

// cond is a condition on a scope. A condition that is NULL is not satisfied: AND and OR
// treat it as false, and not() makes it true.
type cond struct {
	sql func(s scope) string
	// among lists comparisons for which an index finds candidates. Every match satisfies one
	// of them. It is nil if there is no such list.
	among []scim.Comparison
	terms int // terms is the number of comparisons.
}

// condition translates a filter. few says that an index finds the few resources that may
// satisfy it. If ids is not nil, it writes a query for their ids, in a column value.
func (w *Writer) condition(f *scim.Filter) (sql string, ids func() string, few bool, err error) {
	c, err := w.translate(f)
	if err != nil {
		return "", nil, false, err
	}
	sql = c.sql(resource)
	key, isEmail := w.emailOf(f)
	switch {
	case len(c.among) == 1 && w.isIndexed(c.among[0]) && c.among[0].Attribute.Path != EmailPath:
		w.IsLookUp = c.terms == 1
		return sql, nil, true, nil
	case c.among != nil && (w.isExact(c.among) || !isEmail): // A UNION of look-ups uses the indexes; an OR would use none.
		return sql, func() string { return w.findAll(c.among, " UNION ") }, true, nil
	case isEmail:
		return sql, func() string { return w.emails(key) }, true, nil
	}
	return sql, nil, false, nil
}

// findAll writes queries for the ids that satisfy comparisons that an index answers.
func (w *Writer) findAll(among []scim.Comparison, join string) string {
	all := make([]string, len(among))
	for i, c := range among {
		all[i] = w.find(c)
	}
	return strings.Join(all, join)
}

// translate translates a filter.
func (w *Writer) translate(f *scim.Filter) (cond, error) {
	return scim.TranslateFilter(f, scim.FilterVisitor[cond]{
		And: func(l, r cond) cond {
			return cond{func(s scope) string { return "(" + l.sql(s) + " AND " + r.sql(s) + ")" }, w.shorter(l.among, r.among), l.terms + r.terms}
		},
		Or: func(l, r cond) cond {
			c := cond{sql: func(s scope) string { return "(" + l.sql(s) + " OR " + r.sql(s) + ")" }, terms: l.terms + r.terms}
			if l.among != nil && r.among != nil {
				c.among = anyOf(w, l.among, r.among)
			}
			return c
		},
		Not:   func(in cond) cond { return cond{sql: func(s scope) string { return not(in.sql(s)) }, terms: in.terms} },
		Const: func(yes bool) cond { return cond{sql: func(scope) string { return constant(yes) }} },
		Compare: func(c scim.Comparison) (cond, error) {
			if w.onCompare != nil {
				w.onCompare(c)
			}
			out := cond{sql: func(s scope) string { return w.comparison(s, c) }, terms: 1}
			if w.isIndexed(c) || hasPlaces(w, c) || hasParts(w, c) {
				out.among = []scim.Comparison{c}
			}
			return out, nil
		},
		Some: func(a scim.Attribute, in cond) (cond, error) {
			return cond{among: in.among, terms: in.terms, sql: func(s scope) string {
				return w.some(s, a, false, func(s scope, v string) string {
					return "(" + v + " IS NOT NULL AND " + in.sql(s) + ")"
				})
			}}, nil
		},
	})
}

// shorter returns the list that is exact, or else the shorter one, that is not nil.
func (w *Writer) shorter(a, b []scim.Comparison) []scim.Comparison {
	isExact := w.isExact(a)
	if a == nil || b != nil && (isExact == w.isExact(b) && len(b) < len(a) || !isExact && w.isExact(b)) {
		return b
	}
	return a
}

// not negates a condition, which may be NULL.
func not(sql string) string { return "(" + sql + ") IS NOT TRUE" }

// constant returns a condition that is always true, or never.
func constant(yes bool) string {
	if yes {
		return "1 = 1"
	}
	return "1 = 0"
}

// value returns the text of a single-valued attribute in a scope. It is NULL if the
// attribute is absent.
func (w *Writer) value(s scope, a scim.Attribute) string {
	if s.base == "" && a.Path == "id" {
		return dialect.Characters(w.d, "r.id")
	}
	return w.d.Text("(" + w.d.MemberText(s.object, Below(s.base, a.Path)) + ")")
}

// some says that one of the values at a satisfies test, or, if absent, that there is none.
// test gets the text of a value and the scope of further attributes.
func (w *Writer) some(s scope, a scim.Attribute, absent bool, test func(s scope, v string) string) string {
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
	if m.Type == scim.TypeComplex {
		in.self = "(" + d.MemberText(in.object, "#") + ")"
	} else {
		in.self = d.ElementText(e)
	}
	sql := "EXISTS (SELECT 1 FROM " + d.Elements(s.object, name, e) + " WHERE " + w.some(in, a, absent, test) + ")"
	if absent {
		return "((" + d.Member(s.object, name) + ") IS NULL OR " + sql + ")"
	}
	return sql
}

// outermost returns the first multi-valued attribute on the way from base to a.
func outermost(base string, a scim.Attribute) (m scim.Attribute, ok bool) {
	for up := &a; up != nil && up.Path != base; up = up.Parent {
		if up.MultiValued {
			m, ok = *up, true
		}
	}
	return m, ok
}

// comparison translates one comparison.
func (w *Writer) comparison(s scope, c scim.Comparison) string {
	if w.isIndexed(c) && c.Attribute.Path != "id" {
		return w.lookUp(c)
	}
	switch {
	case w.isIndexed(c): // the id, which the primary key has
		return w.compare("r.id", c.Op, literalKey(c.Literal))
	case c.Null && c.Op == scim.OperatorEq:
		return w.some(s, c.Attribute, true, func(_ scope, v string) string { return v + " IS NULL" })
	case c.Null:
		return w.some(s, c.Attribute, false, func(_ scope, v string) string { return v + " IS NOT NULL" })
	case c.Op == scim.OperatorPr && c.Attribute.Type == scim.TypeComplex:
		return w.some(s, c.Attribute, false, func(_ scope, v string) string { return v + " IS NOT NULL" })
	case c.Op == scim.OperatorPr:
		return w.some(s, c.Attribute, false, func(_ scope, v string) string { return v + " <> ''" })
	}
	return w.some(s, c.Attribute, c.Op == scim.OperatorNe, func(_ scope, v string) string {
		switch {
		case c.Text:
			v = "substr(" + v + ", " + strconv.Itoa(instantLen+1) + ")"
		case c.Attribute.Type == scim.TypeDateTime:
			v = "substr(" + v + ", 1, " + strconv.Itoa(instantLen) + ")"
		}
		return w.compare(v, c.Op, literalKey(c.Literal))
	})
}

// orderings are the operators that compare an order.
var orderings = map[scim.Operator]string{scim.OperatorGt: ">", scim.OperatorGe: ">=", scim.OperatorLt: "<", scim.OperatorLe: "<="}

// compare compares a text, which may be NULL, with a literal.
func (w *Writer) compare(v string, op scim.Operator, literal string) string {
	// No value has U+0000, because no database stores it.
	if i := strings.IndexByte(literal, 0); i >= 0 {
		switch op {
		case scim.OperatorNe:
			return constant(true)
		case scim.OperatorGt, scim.OperatorGe: // A value that equals the part before U+0000 is less than the literal.
			op = scim.OperatorGt
		case scim.OperatorLt, scim.OperatorLe:
			op = scim.OperatorLe
		default:
			return constant(false)
		}
		literal = literal[:i]
	}
	p := w.text(literal)
	switch op {
	case scim.OperatorEq:
		return v + " = " + p
	case scim.OperatorNe:
		return not(v + " = " + p)
	case scim.OperatorCo:
		return w.d.Contains(v, p)
	case scim.OperatorSw:
		return w.d.Prefix(v, p)
	case scim.OperatorEw:
		if literal == "" {
			return v + " >= " + p
		}
		return w.d.Suffix(v, p)
	}
	return v + " " + orderings[op] + " " + p
}
