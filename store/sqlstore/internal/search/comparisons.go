package search

import (
	"strconv"

	"github.com/scimkit/scim"
)

// Comparisons returns how many terms of q's filter the database compares with resources,
// and a query for the number of these resources, up to most. text is "" if a single term is
// left: that many comparisons are always allowed. An index answers the other terms.
func (w *Writer) Comparisons(q *scim.Query) (terms, most int, text string, err error) {
	if q.Filter == nil || q.MaxComparisons <= 0 || q.IDs != nil {
		return 0, 0, "", nil
	}
	c, err := w.translate(q.Filter)
	if err != nil {
		return 0, 0, "", err
	}
	key, isEmail := w.emailOf(q.Filter)
	switch terms = c.terms - len(c.among); {
	case terms <= 1:
		return terms, 0, "", nil
	case c.among != nil:
		text = w.findAll(c.among, " UNION ALL ")
	case isEmail:
		text = w.emails(key)
	default:
		text = "SELECT r.id AS value" + w.everything(q)
	}
	most = q.MaxComparisons/terms + 1
	return terms, most, "SELECT count(*) FROM (" + text + " LIMIT " + strconv.Itoa(most) + ") x", nil
}
