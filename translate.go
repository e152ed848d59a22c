package scim

import (
	"fmt"

	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
)

// Attr describes an attribute to an adapter that translates filters or derives
// columns (RFC 7643, Section 7).
type Attr struct {
	Path        string // canonical: "userName", "emails.value", "urn:…:User:manager.value"
	Type        string // string, boolean, decimal, integer, dateTime, binary, reference, complex
	MultiValued bool
	// CaseExact: values are compared as they are. Otherwise strings are compared by
	// their Fold.
	CaseExact bool
	Parent    *Attr // of a sub-attribute, or of an attribute in an extension; else nil
}

// Attr describes the attribute at path; ok is false if there is none.
func (t *ResourceType) Attr(path string) (a Attr, ok bool) {
	if m := t.m.Find(path); m != nil {
		return *attrOf(m), true
	}
	return Attr{}, false
}

// Attrs lists the type's attributes: those of the core schema and, by their URN,
// its extensions, each with all below it, depth first. schemas, id and meta are in it.
func (t *ResourceType) Attrs() []Attr {
	var all []Attr
	var walk func(list []*model.Attribute)
	walk = func(list []*model.Attribute) {
		for _, m := range list {
			all = append(all, *attrOf(m))
			walk(m.Sub)
		}
	}
	walk(t.m.Root.Sub)
	return all
}

func attrOf(m *model.Attribute) *Attr {
	if m == nil || m.Parent == nil {
		return nil
	}
	return &Attr{Path: m.Path, Type: m.Kind.String(), MultiValued: m.Multi, CaseExact: m.CaseExact, Parent: attrOf(m.Parent)}
}

// Comparison is one comparison of a filter, with its literal in the form in which
// values are compared.
type Comparison struct {
	Attr Attr
	Op   string // eq, ne, co, sw, ew, gt, ge, lt, le, pr
	// Literal is a string (Fold has been applied unless the attribute is case-exact),
	// bool, int64, float64, or time.Time in UTC, and nil for pr and for null.
	Literal any
	Null    bool // the literal is null: only with eq and ne
	// Text: the literal is a part of a date's text (co, sw, ew on a dateTime).
	Text bool
	// InElement: the attribute is one of the element that FilterVisitor.Some is about.
	InElement bool
}

// FilterVisitor makes a T, such as a piece of a query, of each part of a filter. The
// rules that it has to keep are those of Filter.Match: on an absent attribute every
// comparison is false but "ne" and "eq null"; on a multi-valued one, or below one,
// it is enough that one value satisfies the comparison; pr asks for a value that is
// not the empty string.
type FilterVisitor[T any] struct {
	And, Or func(left, right T) T
	Not     func(in T) T
	Const   func(yes bool) T // true or false for every resource
	Compare func(c Comparison) (T, error)
	// Some: one element of the multi-valued attribute a, or the complex value a,
	// satisfies in.
	Some func(a Attr, in T) (T, error)
}

// TranslateFilter builds a T from a filter, bottom up, so that an adapter needs no
// walk of its own over the tree. The nil Filter is Const(true).
func TranslateFilter[T any](f *Filter, v FilterVisitor[T]) (T, error) {
	if v.And == nil || v.Or == nil || v.Not == nil || v.Const == nil || v.Compare == nil || v.Some == nil {
		var none T
		return none, fmt.Errorf("scim: TranslateFilter: every function of the FilterVisitor is needed")
	}
	if f == nil {
		return v.Const(true), nil
	}
	return match.Translate(f.m, match.Visitor[T]{
		And: v.And, Or: v.Or, Not: v.Not, Const: v.Const,
		Compare: func(c match.Comparison) (T, error) {
			return v.Compare(Comparison{Attr: *attrOf(c.Attr), Op: c.Op, Literal: c.Literal, Null: c.Null, Text: c.Text, InElement: c.InElement})
		},
		Some: func(a *model.Attribute, in T) (T, error) { return v.Some(*attrOf(a), in) },
	})
}
