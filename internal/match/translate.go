package match

import (
	"time"

	"github.com/scimkit/scim/internal/model"
)

// Visitor builds a T from a filter, bottom up.
type Visitor[T any] struct {
	And, Or func(left, right T) T
	Not     func(in T) T
	Const   func(yes bool) T
	Compare func(c Comparison) (T, error)
	// Some handles a value path. in is true for some element of the multi-valued attribute,
	// or for the single complex value. Its comparisons are InElement.
	Some func(a *model.Attribute, in T) (T, error)
}

// Comparison is one comparison. Its literal has the form of the compared values.
type Comparison struct {
	Attr      *model.Attribute
	Op        string
	Null      bool
	Literal   any  // string (its fold.Key if Folded), bool, int64, float64 or time.Time; nil for pr and null
	Folded    bool // compare values by their fold.Key
	Text      bool // compare a dateTime's text, not its instant
	InElement bool
}

var opNames = map[op]string{opEQ: "eq", opNE: "ne", opCO: "co", opSW: "sw", opEW: "ew", opGT: "gt", opGE: "ge", opLT: "lt", opLE: "le", opPR: "pr"}

// Translate folds f with v.
func Translate[T any](f *Filter, v Visitor[T]) (T, error) { return translate(f.root, v, false) }

func translate[T any](n *node, v Visitor[T], inside bool) (T, error) {
	var none T
	switch n.op {
	case opAnd, opOr:
		l, err := translate(n.left, v, inside)
		if err != nil {
			return none, err
		}
		r, err := translate(n.right, v, inside)
		if err != nil {
			return none, err
		}
		if n.op == opAnd {
			return v.And(l, r), nil
		}
		return v.Or(l, r), nil
	case opNot:
		in, err := translate(n.left, v, inside)
		if err != nil {
			return none, err
		}
		return v.Not(in), nil
	case opConst:
		return v.Const(n.yes), nil
	case opSome:
		in, err := translate(n.left, v, true)
		if err != nil {
			return none, err
		}
		return v.Some(n.attr, in)
	}
	c := Comparison{Attr: n.attr, Op: opNames[n.op], Null: n.null, InElement: inside}
	switch n.mode {
	case modeExact:
		c.Literal = n.text
	case modeFold:
		c.Literal, c.Folded = n.key, true
	case modeBool:
		c.Literal = n.text == "true"
	case modeNumber:
		if n.num.isInt {
			c.Literal = n.num.i
		} else {
			c.Literal = n.num.f
		}
	case modeInstant:
		if n.op == opCO || n.op == opSW || n.op == opEW {
			c.Literal, c.Text = n.text, true
		} else {
			c.Literal = time.Unix(n.at.sec, int64(n.at.nano)).UTC()
		}
	}
	return v.Compare(c)
}
