package journal

import "strings"

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

// touchedByFilter returns what a filter for a resource type names: each text of it, by the attribute before it. It need
// not be a filter that SCIM allows.
func touchedByFilter(kind, text string) (all []Touched) {
	var words []string // since the last text or parenthesis
	within := ""       // the attribute before "["
	for text != "" {
		switch c := text[0]; c {
		case '"':
			found, rest := cutQuoted(text)
			if found == nil {
				return all
			}
			name := ""
			if len(words) >= 2 { // attribute and operator
				name = words[len(words)-2]
			}
			all = append(all, touchedByComparison(kind, within, name, *found))
			words, text = nil, rest
			continue
		case '[':
			within = attributeBefore(words)
			words = nil
		case ']':
			within, words = "", nil
		case '(', ')', ' ', '\t':
		default:
			end := strings.IndexAny(text, " \t()[]\"")
			if end < 0 {
				return all
			}
			words, text = append(words, text[:end]), text[end:]
			continue
		}
		text = text[1:]
	}
	return all
}

// attributeBefore returns the attribute that the last word is.
func attributeBefore(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return attributeOf(words[len(words)-1])
}

// touchedByComparison returns what the text of a comparison names. path is the attribute that is compared, of the elements
// of within.
func touchedByComparison(kind, within, path, text string) Touched {
	attribute, sub := attributeOf(path), ""
	if within != "" {
		attribute, sub = within, attribute
	} else if i := strings.LastIndexByte(path, '.'); i > strings.LastIndexByte(path, ':') {
		sub = strings.ToLower(path[i+1:])
	}
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
