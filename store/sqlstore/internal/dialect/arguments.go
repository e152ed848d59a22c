package dialect

import (
	"regexp"
	"strconv"
	"strings"
)

// MaxArguments bounds the arguments of a statement on a table of the application.
const MaxArguments = 1000

// Arguments collects the arguments of a statement on a table of the application. Their
// types are those of the columns that they stand beside: keys are given as texts.
type Arguments struct {
	Dialect Dialect
	Values  []any
}

func (w *Arguments) Add(v any) string {
	w.Values = append(w.Values, v)
	if w.Dialect == SQLite {
		return "?" + strconv.Itoa(len(w.Values))
	}
	return "$" + strconv.Itoa(len(w.Values))
}

func (w *Arguments) AddAll(all []string) string {
	places := make([]string, len(all))
	for i, v := range all {
		places[i] = w.Add(v)
	}
	return strings.Join(places, ", ")
}

// Names matches what may stand for a table or a column.
var Names = regexp.MustCompile(`^([A-Za-z_]\w*|"[^"{}$?]+")(\.([A-Za-z_]\w*|"[^"{}$?]+"))*$`)
