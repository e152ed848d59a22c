package search

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim"
)

// Comparisons say how many comparisons the database makes for a query.
type Comparisons struct {
	Terms int // Terms is how many it makes with each resource. To sort without an index counts as one.
	Most  int // Most is with how many resources it may make them.
	// HasCandidates says that an index finds the resources, which may be many.
	HasCandidates bool

	text string
}

// Count is a query for the number of the resources, up to one above most. It is empty if there is nothing
// to count: an index answers everything, or it finds a few resources that the database compares once.
func (c *Comparisons) Count(most int) string {
	if c.text == "" {
		return ""
	}
	return "SELECT count(*) FROM (" + c.text + " LIMIT " + strconv.Itoa(most+1) + ") x"
}

// Comparisons returns the comparisons that the database makes for q. An index answers the other
// terms.
func (w *Writer) Comparisons(q *scim.Query) (n Comparisons, err error) {
	if q.IDs != nil {
		return n, nil
	}
	c, err := w.translate(q.Filter)
	if err != nil {
		return n, err
	}
	key, isEmail := w.emailOf(q.Filter)
	isExact := w.isExact(c.among)
	n.Terms = c.terms - len(c.among)
	switch {
	case (isExact || isEmail) && n.Terms <= 1:
		return n, nil
	case c.among != nil && (isExact || !isEmail):
		n.text, n.HasCandidates = w.findAll(c.among, " UNION ALL "), !isExact
	case isEmail:
		n.text = w.emails(key)
	default:
		if q.SortBy != "" && !w.isSorted(q) {
			n.Terms++
		}
		if n.Terms == 0 {
			return n, nil
		}
		n.text = "SELECT r.id AS value" + w.everything(&scim.Query{ForClient: q.ForClient})
	}
	n.Terms, n.Most = max(n.Terms, 1), math.MaxInt32
	if q.MaxComparisons > 0 {
		n.Most = q.MaxComparisons / n.Terms
	}
	return n, nil
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
	e.Detail = fmt.Sprintf("the search takes more than %d comparisons with %ss, for %s: narrow it down by eq on id, userName, externalId, displayName or emails.value, "+
		"or by a longer text, or use fewer terms; or ask the provider for an index of the attribute", q.MaxComparisons, w.t.Name(), strings.Join(all, ", "))
	return e
}

// maxNames is how many terms an error names.
const maxNames = 5
