package dialect

import (
	"regexp"
	"strconv"
	"strings"
)

// MaxArguments is how many keys a statement on a table of the application has at most.
const MaxArguments = 1000

// Arguments collects the arguments of a statement on tables of the application. The
// database converts them to the types of the columns, so keys are given as texts.
type Arguments struct {
	Dialect Dialect
	Values  []any
}

// Add adds an argument and returns its placeholder.
func (w *Arguments) Add(v any) string {
	w.Values = append(w.Values, v)
	if w.Dialect == SQLite {
		return "?" + strconv.Itoa(len(w.Values))
	}
	return "$" + strconv.Itoa(len(w.Values))
}

// AddAll adds arguments and returns their placeholders, with commas between them.
func (w *Arguments) AddAll(all []string) string {
	places := make([]string, len(all))
	for i, v := range all {
		places[i] = w.Add(v)
	}
	return strings.Join(places, ", ")
}

// In is the condition that a column has one of these keys. SQLite gets them as one argument: it
// takes longer to bind the hundredth one than the first.
func (w *Arguments) In(column string, keys []string) string {
	if w.Dialect == SQLite {
		return column + " IN (SELECT value FROM json_each(" + w.Add(List(keys)) + "))"
	}
	return column + " IN (" + w.AddAll(keys) + ")"
}

// names matches the names of tables and columns.
var names = regexp.MustCompile("^" + oneName + `(\.` + oneName + ")*$")

// oneName matches a name without those of the database and the schema. It may be in quotes, which
// are grave accents in MariaDB.
const oneName = `([A-Za-z_]\w*|"[^"{}$?]+"|` + "`[^`{}$?]+`)"

// IsName reports whether text is the name of a table or a column, as SQL writes it.
func IsName(text string) bool { return names.MatchString(text) }
