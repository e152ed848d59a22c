package search

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim"
)

// Comparisons returns how many comparisons with each resource the database makes for q, and a query for
// the number of these resources, up to most. To sort without an index counts as one. text is empty
// if there is nothing to count: an index answers everything, or it finds a few resources that the
// database compares once. An index answers the other terms.
func (w *Writer) Comparisons(q *scim.Query) (terms, most int, text string, err error) {
	if q.MaxComparisons <= 0 || q.IDs != nil {
		return 0, 0, "", nil
	}
	c, err := w.translate(q.Filter)
	if err != nil {
		return 0, 0, "", err
	}
	key, isEmail := w.emailOf(q.Filter)
	isExact := w.isExact(c.among)
	terms = c.terms - len(c.among)
	switch {
	case (isExact || isEmail) && terms <= 1:
		return terms, 0, "", nil
	case c.among != nil && (isExact || !isEmail):
		text = w.findAll(c.among, " UNION ALL ")
	case isEmail:
		text = w.emails(key)
	default:
		if q.SortBy != "" && !w.isSorted(q) {
			terms++
		}
		text = "SELECT r.id AS value" + w.everything(q)
	}
	if terms = max(terms, 1); c.terms == 0 && terms == 1 && (q.SortBy == "" || w.isSorted(q)) {
		return 0, 0, "", nil
	}
	most = q.MaxComparisons/terms + 1
	return terms, most, "SELECT count(*) FROM (" + text + " LIMIT " + strconv.Itoa(most) + ") x", nil
}

// isExact reports whether the database only compares what an index of resources finds. These are
// few.
func (w *Writer) isExact(among []scim.Comparison) bool {
	return among != nil && !slices.ContainsFunc(among, func(c scim.Comparison) bool { return !w.isIndexed(c) })
}

// TooMany is the error of a query that takes too many comparisons. It names what no index answers.
func (w *Writer) TooMany(q *scim.Query) *scim.Error {
	var all []string
	add := func(name string) {
		if !slices.Contains(all, name) && len(all) < maxNames {
			all = append(all, name)
		}
	}
	if q.SortBy != "" && !w.isSorted(q) {
		add("sortBy " + q.SortBy)
	}
	w.onCompare = func(c scim.Comparison) {
		if !w.isIndexed(c) {
			add(c.Attribute.Path + " " + string(c.Op))
		}
	}
	w.translate(q.Filter) //nolint:errcheck // Comparisons has told
	e := scim.TooManyComparisons(q)
	e.Detail = fmt.Sprintf("the search takes more than %d comparisons of %ss for %s: look for fewer, by eq on id, userName, externalId, displayName or emails.value or by a longer text, "+
		"or use fewer terms; or ask for an index of the attribute", q.MaxComparisons, w.t.Name(), strings.Join(all, ", "))
	return e
}

// maxNames is how many terms an error names.
const maxNames = 5
