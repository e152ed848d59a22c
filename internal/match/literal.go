package match

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/fold"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// literal sets the mode and the operand of n. It returns the literal in the attribute's
// type.
func (c *compiler) literal(n *node, name filter.CompareOperator, lit any) (any, error) {
	a := n.attr
	refuse := func(format string, args ...any) (any, error) {
		return nil, fault.New(fault.InvalidFilter, "%s %s: %s", a.Path, name, fmt.Sprintf(format, args...))
	}
	substring := n.op == opCO || n.op == opSW || n.op == opEW
	ordering := n.op == opGT || n.op == opGE || n.op == opLT || n.op == opLE
	switch a.Kind {
	case model.String, model.Reference:
		n.text = textOf(lit)
		if a.Meta && a.Name == "version" {
			n.text = opaque(n.text)
		}
		n.mode = modeExact
		if !a.CaseExact {
			n.mode, n.key = modeFold, fold.Key(n.text)
			n.find = []byte(n.key)
		}
		return n.text, nil
	case model.DateTime:
		text, ok := lit.(string)
		if !ok {
			return refuse(`a dateTime is compared with a string such as "2011-05-13T04:42:34Z", not with %s`, nameOf(lit))
		}
		n.mode, n.text = modeInstant, text
		if substring { // compare the text: dates are not strings, but clients select a day in this way
			return text, nil
		}
		if n.at, ok = parseInstant(text); !ok {
			return refuse(`%q is not a dateTime such as "2011-05-13T04:42:34Z"`, clip(text))
		}
		return text, nil
	case model.Binary:
		if substring || ordering {
			return refuse("a binary attribute is compared by eq, ne or pr")
		}
		text, ok := lit.(string)
		if !ok {
			return refuse("a binary attribute is compared with a base64 string, not with %s", nameOf(lit))
		}
		n.mode, n.text = modeExact, text
		return text, nil
	case model.Boolean:
		if substring || ordering {
			return refuse("a boolean is compared by eq, ne or pr")
		}
		b, ok := lit.(bool)
		if text, is := lit.(string); is {
			folded := model.FoldName(text)
			b = folded == "true"
			ok = (b || folded == "false") && c.tol.Allow(tolerance.BooleanLiteral, a.Path)
		}
		if !ok {
			return refuse("a boolean is compared with true or false, not with %s", nameOf(lit))
		}
		n.mode, n.text = modeBool, strconv.FormatBool(b)
		return b, nil
	case model.Integer, model.Decimal:
		if substring {
			return refuse("the %s has no substrings; it is compared by eq, ne, gt, ge, lt, le or pr", a.Kind)
		}
		num, ok := numberOf(lit)
		if text, is := lit.(string); is {
			num, ok = parseNumber(text)
			ok = ok && c.tol.Allow(tolerance.NumberString, a.Path)
		}
		if !ok {
			return refuse("the %s is compared with a number, not with %s", a.Kind, nameOf(lit))
		}
		n.mode, n.num = modeNumber, num
		const exact = 1 << 53 // a float holds every integer up to here
		if a.Kind == model.Decimal && num.isInt && -exact <= num.i && num.i <= exact {
			return float64(num.i), nil
		}
		return num.literal(), nil
	}
	return refuse("%s attributes cannot be compared", a.Kind)
}

// numberOf reads the number types that parsers put into expressions.
func numberOf(lit any) (number, bool) {
	switch x := lit.(type) {
	case int:
		return intNumber(int64(x)), true
	case int64:
		return intNumber(x), true
	case float64:
		return floatNumber(x), !math.IsNaN(x)
	case json.Number:
		return parseNumber(string(x))
	}
	return number{}, false
}

// textOf is a literal as a string. Clients write identifiers that look like numbers without
// quotes (Q47).
func textOf(lit any) string {
	switch x := lit.(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case json.Number:
		return string(x)
	}
	n, _ := numberOf(lit)
	if n.isInt {
		return strconv.FormatInt(n.i, 10)
	}
	if math.Abs(n.f) >= 1e21 {
		return strconv.FormatFloat(n.f, 'g', -1, 64)
	}
	return strconv.FormatFloat(n.f, 'f', -1, 64)
}

// nameOf describes a literal in an error.
func nameOf(lit any) string {
	switch x := lit.(type) {
	case string:
		return strconv.Quote(clip(x))
	case bool:
		return strconv.FormatBool(x)
	}
	return "the number " + clip(textOf(lit))
}

// opaque returns the version within an entity-tag: W/"…".
func opaque(s string) string {
	t := strings.TrimPrefix(s, "W/")
	if len(t) >= 2 && t[0] == '"' && t[len(t)-1] == '"' {
		return t[1 : len(t)-1]
	}
	return s
}
