package sqlstore

import (
	"regexp"
	"strconv"
	"strings"
)

// chunk bounds the arguments of a statement on a table of the application.
const chunk = 1000

// words collects the arguments of a statement on a table of the application. Their
// types are those of the columns that they stand beside: keys are given as texts.
type words struct {
	d    Dialect
	args []any
}

func (w *words) arg(v any) string {
	w.args = append(w.args, v)
	if w.d == SQLite {
		return "?" + strconv.Itoa(len(w.args))
	}
	return "$" + strconv.Itoa(len(w.args))
}

func (w *words) list(all []string) string {
	places := make([]string, len(all))
	for i, v := range all {
		places[i] = w.arg(v)
	}
	return strings.Join(places, ", ")
}

// names matches what may stand for a table or a column.
var names = regexp.MustCompile(`^([A-Za-z_]\w*|"[^"{}$?]+")(\.([A-Za-z_]\w*|"[^"{}$?]+"))*$`)
