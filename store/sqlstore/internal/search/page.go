package search

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// IsClaimed is the condition that a client has claimed a resource, as r. It is written so
// that it does not fit the index of claimed resources: without statistics PostgreSQL would
// go through that index in the place of a look-up.
const IsClaimed = " AND r.claimed <> 0"

// Where returns the FROM and WHERE clauses of the resources that q is about, as r.
func (w *Writer) Where(q *scim.Query) (string, error) {
	cond, ids, few, err := w.condition(q.Filter)
	if err != nil {
		return "", err
	}
	own := w.own()
	if w.unclaimed == HideUnclaimed {
		own += IsClaimed
	}
	switch {
	case q.IDs != nil:
		return w.d.Each(w.d.Texts(w.text(dialect.List(dialect.Distinct(q.IDs)))), "resources", "r", own+" AND r.id = w.value", "") + " WHERE " + cond, nil
	case ids != nil:
		return w.d.Each("("+ids()+")", "resources", "r", own+" AND r.id = w.value", "") + " WHERE " + cond, nil
	case few:
		return " FROM {p}resources r WHERE " + own + " AND " + cond, nil
	default:
		return w.everything(q) + " AND " + cond, nil
	}
}

// own is the condition of the resources of the type and the tenant, as r.
func (w *Writer) own() string {
	return "r.tenant = $1 AND r.type = " + dialect.Quote(w.t.Name()) + " AND r.deleted = 0"
}

// everything selects all resources of the type that the query may list, as r. The index of
// the order of creation is the best one: conditions on the tenant and the type would not do,
// because a planner expects fewer rows with each condition, and would sort them.
func (w *Writer) everything(q *scim.Query) string {
	claimed := "" // the condition of the index of claimed resources
	if w.unclaimed == HideUnclaimed || w.unclaimed == FindUnclaimed && q.ForClient {
		claimed = " AND r.claimed = 1"
	}
	if path, ok := indexOf(w, q); ok {
		return " FROM {p}resources r WHERE " + isListed(w, "r.", ofPlaces, path) + claimed
	}
	return " FROM {p}resources r WHERE r.collection = " + w.collection() + " AND r.deleted = 0" + claimed
}

// Page returns the query for a page of these resources, in order, from the place of q.After on. It
// skips some first; q.Offset does not count.
func (w *Writer) Page(columns, where string, q *scim.Query, skip int) (string, error) {
	keys, after, err := w.order(q)
	if err != nil {
		return "", err
	}
	direction, behind := "", ">"
	if q.Descending {
		direction, behind = " DESC", "<"
	}
	if q.After != nil {
		where += " AND " + w.d.Beyond(keys, after, behind)
		if w.d == dialect.SQLite && w.isSorted(q) { // It does not find the place of a row if one of its keys is an expression.
			where += " AND " + keys[0] + " " + behind + "= " + after[0]
		}
	}
	order := " ORDER BY " + strings.Join(keys, direction+", ") + direction
	window := " LIMIT " + w.number(int64(q.Limit))
	if skip > 0 {
		window += " OFFSET " + w.number(int64(skip))
	}
	if q.SortBy == "" {
		return "SELECT " + columns + where + order + window, nil
	}
	// Unless an index has this order, the database sorts the ids, because the resources are long.
	ids := "(SELECT r.id AS value" + where + order + window + ")"
	return "SELECT " + columns + w.d.Each(ids, "resources", "r", w.own()+" AND r.id = w.value", "") + order, nil
}

// order returns the expressions to sort by, and those of the place q.After.
func (w *Writer) order(q *scim.Query) (keys, after []string, err error) {
	if q.SortBy != "" {
		a, ok := w.t.Attribute(q.SortBy)
		if !ok {
			return nil, nil, fmt.Errorf("sqlstore: sort by %q: %s has no such attribute", q.SortBy, w.t.Name())
		}
		isAbsent, place := absent, ""
		if w.d == dialect.MariaDB { // It does not compare a long text that it has put together.
			key := w.sortKey("r.", &a)
			keys = []string{"CASE WHEN " + key + " IS NULL THEN '" + absent + "' ELSE '" + present + "' END", "COALESCE(" + key + ", '')"}
		} else {
			keys = []string{w.place("r.", &a)}
		}
		if q.After != nil && q.After.Value != nil {
			isAbsent, place = present, placeOf(a, *q.After.Value)
		}
		switch {
		case q.After == nil:
		case w.d == dialect.MariaDB:
			after = []string{w.text(isAbsent), w.text(place)}
		default:
			after = []string{w.text(isAbsent + place)}
		}
	}
	keys = append(keys, "r.created", "r.id_length", "r.id") // So ids that are numbers are in their own order.
	if q.After != nil {
		after = append(after, w.number(dialect.Micros(q.After.Created)), w.number(int64(utf8.RuneCountInString(q.After.ID))), w.text(q.After.ID))
	}
	return keys, after, nil
}

// placeOf returns the text to sort by of a scim.PageKey.
func placeOf(a scim.Attribute, value string) string {
	if isText(a) {
		return value // It is folded and cut.
	}
	place, _ := keyOf(a, value)
	if a.Type == scim.TypeDateTime && len(place) > instantLen {
		place = place[:instantLen]
	}
	return place
}

// isText reports whether values of a are sorted as texts.
func isText(a scim.Attribute) bool {
	return a.Type == scim.TypeString || a.Type == scim.TypeReference || a.Type == scim.TypeBinary
}

// sortKey returns the text to sort by. A multi-valued attribute has that of its first
// element. *a becomes the attribute that is sorted.
func (w *Writer) sortKey(alias string, a *scim.Attribute) string {
	if *a = sorted(w.t, *a); a.Type == scim.TypeComplex {
		return "CAST(NULL AS text)"
	}
	if a.Path == "id" {
		return cut(dialect.Characters(w.d, alias+"id"), scim.SortLength)
	}
	d, s := w.d, scope{object: alias + "search"}
	for s.base != a.Path {
		m, ok := outermost(s.base, *a)
		switch {
		case !ok:
			s.self, s.base = d.MemberText(s.object, Below(s.base, a.Path)), a.Path
		case m.Path == a.Path:
			s.self, s.base = d.FirstText(s.object, Below(s.base, m.Path)), m.Path
		default:
			s.object, s.base = d.First(s.object, Below(s.base, m.Path)), m.Path
		}
	}
	key := d.Text("(" + s.self + ")")
	switch {
	case a.Type == scim.TypeDateTime:
		return cut(key, instantLen)
	case isText(*a):
		return cut(key, scim.SortLength)
	}
	return key
}

// cut returns the first n characters of a text.
func cut(text string, n int) string { return "substr(" + text + ", 1, " + strconv.Itoa(n) + ")" }
