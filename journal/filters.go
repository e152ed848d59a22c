package journal

import (
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/filterlang"
)

// maxFilterNames is how many texts of a filter find an entry.
const maxFilterNames = 20

// touchedByURL returns what the address of a request names.
func touchedByURL(r *redactor, kind, id, query string) (all []Touched) {
	if id != "" && !r.mentions(id) && len(id) <= maxHeader {
		all = append(all, Touched{Type: kind, ID: id})
	}
	for _, filter := range filtersIn(query) {
		if !r.mentions(filter) && isFindable(filter) {
			all = append(all, touchedByFilter(kind, filter)...)
		}
	}
	return all
}

// isFindable reports whether all texts of a filter find the entry. Otherwise it is not shown.
func isFindable(filter string) bool { return len(quoted(filter)) <= maxFilterNames }

// touchedByFilter returns what a filter for a resource type names. All texts of a filter that cannot be read are names.
func touchedByFilter(kind, text string) (all []Touched) {
	e, err := filterlang.ParseFilter(text, filterlang.Limits{}, nil)
	if err != nil {
		for _, name := range quoted(text) {
			all = append(all, Touched{Type: kind, Names: []string{name}})
			if strings.Contains(strings.ToLower(text), "members") {
				all = append(all, Touched{Type: "User", ID: name})
			}
		}
		return all
	}
	return touchedByExpression(nil, kind, "", e)
}

// touchedByExpression adds what a filter names. within is the attribute whose elements it selects; "" for none.
func touchedByExpression(all []Touched, kind, within string, e filter.Expression) []Touched {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		return touchedByExpression(touchedByExpression(all, kind, within, e.Left), kind, within, e.Right)
	case *filter.NotExpression:
		return touchedByExpression(all, kind, within, e.Expression)
	case *filter.ValuePath:
		return touchedByExpression(all, kind, strings.ToLower(e.AttributePath.AttributeName), e.ValueFilter)
	case *filter.AttributeExpression:
		text, ok := e.CompareValue.(string)
		if !ok || text == "" {
			return all
		}
		attribute, sub := strings.ToLower(e.AttributePath.AttributeName), ""
		if e.AttributePath.SubAttribute != nil {
			sub = strings.ToLower(*e.AttributePath.SubAttribute)
		}
		if within != "" {
			attribute, sub = within, attribute
		}
		return append(all, touchedByComparison(kind, attribute, sub, text))
	}
	return all
}

// touchedByComparison returns what the value of a comparison names. Attribute names are in small letters.
func touchedByComparison(kind, attribute, sub, text string) Touched {
	switch attribute {
	case "members", "manager":
		kind = "User"
	case "groups":
		kind = "Group"
	case "id":
		return Touched{Type: kind, ID: text}
	default:
		return Touched{Type: kind, Names: []string{text}}
	}
	if sub == "" || sub == "value" {
		return Touched{Type: kind, ID: text}
	}
	return Touched{Type: kind, Names: []string{text}}
}
