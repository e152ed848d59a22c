package sqlstore

import (
	"context"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// PageQuery is the query by which List gets a page, for tests of its plan.
func PageQuery(s *Store, t *scim.ResourceType, q *scim.Query) (text string, args []any, err error) {
	w := &writer{d: s.db.Dialect, t: t, mapped: s.resources.types[t.Name()].mapped}
	where, err := w.where(q)
	if err != nil {
		return "", nil, err
	}
	text, err = w.page(resourceColumns, where, q)
	return s.db.Statement(text), s.db.Bound(w.args), err
}

// Statement is a statement as it is sent.
func Statement(s *Store, text string) string { return s.db.Statement(text) }

// Each is Dialect.each.
func Each(d Dialect, arg, table, alias, where string) string {
	in := dialect.Dialect(d)
	return in.Each(in.Texts(arg), table, alias, where, "")
}

// Failure is what becomes of an error of the database.
func Failure(s *Store, err error) error { return s.db.Failure(context.Background(), err) }

// LookedAt lists the columns that Visible of a type's Table looks at, without quotes.
func LookedAt(ctx context.Context, s *Store, typ string) ([]string, error) {
	columns, err := s.app.tables[typ].lookedAt(ctx)
	for i, c := range columns {
		columns[i] = strings.Trim(c, `"`)
	}
	return columns, err
}
