package filterlang

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	filter "github.com/scim2/filter-parser/v2"
)

// Print returns the canonical text of a filter. ParseFilter makes an equal tree from it. It
// has parentheses only where the tree needs them. The nil expression is the empty text.
func Print(e filter.Expression) string { return string(appendExpr(nil, e)) }

// PrintPath returns the canonical text of a path. ParsePath makes an equal path from it.
func PrintPath(path filter.Path) string {
	b := appendPath(nil, path.AttributePath)
	if path.ValueExpression != nil {
		b = append(appendExpr(append(b, '['), path.ValueExpression), ']')
	}
	if path.SubAttribute != nil {
		b = append(append(b, '.'), *path.SubAttribute...)
	}
	return string(b)
}

func appendExpr(b []byte, e filter.Expression) []byte {
	switch e := e.(type) {
	case *filter.AttributeExpression:
		b = append(append(appendPath(b, e.AttributePath), ' '), e.Operator...)
		if e.Operator != filter.PR {
			b = appendLiteral(append(b, ' '), e.CompareValue)
		}
	case *filter.ValuePath:
		b = append(appendExpr(append(appendPath(b, e.AttributePath), '['), e.ValueFilter), ']')
	case *filter.NotExpression:
		b = append(appendExpr(append(b, "not ("...), e.Expression), ')')
	case *filter.LogicalExpression:
		// Operators associate to the left, so an equal one on the right needs parentheses.
		b = appendOperand(b, e.Left, e.Operator == filter.AND && isLogical(e.Left, filter.OR))
		b = append(append(append(b, ' '), e.Operator...), ' ')
		b = appendOperand(b, e.Right, isLogical(e.Right, filter.OR) || isLogical(e.Right, e.Operator))
	}
	return b
}

func appendOperand(b []byte, e filter.Expression, parentheses bool) []byte {
	if !parentheses {
		return appendExpr(b, e)
	}
	return append(appendExpr(append(b, '('), e), ')')
}

func isLogical(e filter.Expression, op filter.LogicalOperator) bool {
	l, ok := e.(*filter.LogicalExpression)
	return ok && l.Operator == op
}

func appendPath(b []byte, path filter.AttributePath) []byte {
	if path.URIPrefix != nil {
		b = append(append(b, *path.URIPrefix...), ':')
	}
	b = append(b, path.AttributeName...)
	if path.SubAttribute != nil {
		b = append(append(b, '.'), *path.SubAttribute...)
	}
	return b
}

func appendLiteral(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case float64:
		start := len(b)
		b = strconv.AppendFloat(b, v, 'g', -1, 64)
		if !strings.ContainsAny(string(b[start:]), ".e") {
			b = append(b, ".0"...) // or the parser would read it as an int
		}
		return b
	case string:
		return appendString(b, v)
	default:
		return appendString(b, fmt.Sprint(v)) // no parser makes one
	}
}

func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the error only reports bytes that are not UTF-8, which AppendQuote replaces
	return b
}
