package match

import (
	"strings"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
)

// op is the operator of a node.
type op uint8

const (
	opEQ op = iota + 1
	opNE
	opCO
	opSW
	opEW
	opGT
	opGE
	opLT
	opLE
	opPR
	opSome // a value path: left is true for one element
	opAnd
	opOr
	opNot
	opConst // the same answer for every document
)

// mode is how the attribute's values compare.
type mode uint8

const (
	modeNone    mode = iota // the node only tests presence
	modeExact               // bytes
	modeFold                // fold.Key
	modeBool                // eq and ne of "true" and "false"
	modeNumber              // number
	modeInstant             // instant
)

// node is a compiled expression.
type node struct {
	op          op
	mode        mode
	null        bool // the literal is null
	yes         bool // the answer of opConst
	left, right *node

	// attr is the attribute of a comparison or value path. steps lead to it from the scope
	// of the node. Without steps it is the element itself.
	attr  *model.Attribute
	steps []*model.Attribute

	text string // the literal; "true" or "false" for booleans
	key  string // its fold.Key
	find []byte // key in bytes, for "co"
	num  number
	at   instant
}

// names returns an attribute that the tree names and that is one of those asked for, or nil.
func (n *node) names(is func(*model.Attribute) bool) *model.Attribute {
	switch {
	case n == nil:
		return nil
	case n.attr != nil && is(n.attr):
		return n.attr
	}
	if a := n.left.names(is); a != nil {
		return a
	}
	return n.right.names(is)
}

// scope is what a node reads attributes from: the document or, inside a value path, one
// element.
type scope struct {
	doc    *doc.Document // nil for the filter of a PATCH path
	fields []doc.Value
	self   *doc.Value
	work   *Work
}

// absent is the operand of a comparison if there is no value.
var absent doc.Value

func (n *node) match(s *scope) bool {
	switch n.op {
	case opAnd:
		return n.left.match(s) && n.right.match(s)
	case opOr:
		return n.left.match(s) || n.right.match(s)
	case opNot:
		return !n.left.match(s)
	case opConst:
		return n.yes
	}
	switch {
	case len(n.steps) == 0:
		return n.holds(s, s.self)
	case n.steps[0].Meta:
		return n.matchMeta(s)
	}
	return n.walk(s, s.fields, n.steps)
}

// walk follows steps through fields. It reports whether n holds for one of the values at
// the end, or for the absent value if there are none. It passes values by address, because
// a copy costs more than most comparisons.
func (n *node) walk(s *scope, fields []doc.Value, steps []*model.Attribute) bool {
	v, rest := field(fields, steps[0]), steps[1:]
	if !steps[0].Multi {
		if len(rest) == 0 {
			return n.holds(s, v)
		}
		return n.walk(s, v.Kids(), rest)
	}
	elements := v.Kids()
	if len(elements) == 0 {
		return n.holds(s, &absent)
	}
	if len(rest) == 0 && n.op == opSome {
		return n.some(s, elements)
	}
	for i := range elements {
		if len(rest) == 0 && n.holds(s, &elements[i]) || len(rest) > 0 && n.walk(s, elements[i].Kids(), rest) {
			return true
		}
		if s.work.err != nil {
			return false
		}
	}
	return false
}

// field is the field of attribute a, or the absent one. Some schema has a.
func field(fields []doc.Value, a *model.Attribute) *doc.Value {
	for i := range fields {
		if fields[i].Attr == a {
			return &fields[i]
		}
	}
	return &absent
}

// some reports whether one of the values satisfies the filter in n's brackets.
func (n *node) some(s *scope, values []doc.Value) bool {
	inner := scope{doc: s.doc, work: s.work}
	for i := range values {
		v := &values[i]
		if s.work.err != nil {
			return false
		}
		if inner.fields, inner.self = v.Kids(), v; isPresent(v) && n.left.match(&inner) {
			return true
		}
	}
	return false
}

// isPresent reports whether v, which is no list, has contents.
func isPresent(v *doc.Value) bool {
	return v.Attr != nil && (v.Attr.Kind != model.Complex || len(v.Kids()) > 0)
}

// holds reports whether n is true for one value. It is false once the work has ended.
func (n *node) holds(s *scope, v *doc.Value) bool {
	cost := costOfTerm + len(v.Text)
	if n.op == opCO {
		cost += len(v.Text)
	}
	if !s.work.Spend(cost) {
		return false
	}
	switch {
	case n.op == opSome:
		return isPresent(v) && n.left.match(&scope{doc: s.doc, fields: v.Kids(), self: v, work: s.work})
	case n.op == opPR: // an empty string is a value, but not "non-empty"
		return isPresent(v) && (v.Attr.Kind == model.Complex || v.Text != "")
	case n.null:
		return isPresent(v) == (n.op == opNE)
	case !isPresent(v):
		return n.op == opNE
	}
	switch n.mode {
	case modeFold:
		return n.holdsFold(s.work, v.Text)
	case modeNumber:
		x, ok := parseNumber(v.Text)
		return n.holdsFor(ok, x.compare(n.num))
	case modeInstant:
		if n.op != opCO && n.op != opSW && n.op != opEW {
			x, ok := parseInstant(v.Text)
			return n.holdsFor(ok, x.compare(n.at))
		}
	case modeBool:
		return (v.Text == n.text) == (n.op == opEQ)
	}
	return n.holdsExact(v.Text)
}

func (n *node) holdsExact(text string) bool {
	switch n.op {
	case opEQ:
		return text == n.text
	case opNE:
		return text != n.text
	case opCO:
		return strings.Contains(text, n.text)
	case opSW:
		return strings.HasPrefix(text, n.text)
	case opEW:
		return strings.HasSuffix(text, n.text)
	}
	return n.holdsFor(true, strings.Compare(text, n.text))
}

func (n *node) holdsFold(w *Work, text string) bool {
	switch n.op {
	case opEQ:
		return w.foldEqual(text, n.key)
	case opNE:
		return !w.foldEqual(text, n.key)
	case opCO:
		return w.foldContains(text, n.key, n.find)
	case opSW:
		return w.foldHasPrefix(text, n.key)
	case opEW:
		return w.foldHasSuffix(text, n.key)
	}
	return n.holdsFor(true, w.foldCompare(text, n.key))
}

// holdsFor reports whether the operator is true if the value compares as c with the
// literal. Some values cannot be compared, for example after a change of the schema. Then
// only "ne" is true.
func (n *node) holdsFor(comparable bool, c int) bool {
	if !comparable {
		return n.op == opNE
	}
	switch n.op {
	case opEQ:
		return c == 0
	case opNE:
		return c != 0
	case opGT:
		return c > 0
	case opGE:
		return c >= 0
	case opLT:
		return c < 0
	case opLE:
		return c <= 0
	}
	return false
}
