package owntables

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Clients look users up by name again and again, and the answer shows the groups of who is found. So
// one statement reads both. If it finds more than one user it reads no memberships, which could be
// any number.

// pageWithGroups reads the page of a look-up for users, and their memberships if it is one user. ok
// says that it has done so.
func pageWithGroups(ctx context.Context, s *Resources, members *Members, t search.Type, q *scim.Query) (page *scim.Page, ok bool, err error) {
	if !q.WithGroups || t.Name() != search.UserType || t.HasTable || s.db.Dialect == dialect.MariaDB ||
		q.IDs != nil || q.SortBy != "" || q.Descending || q.Offset > 0 || q.After != nil || q.Limit < 2 || q.WithoutAttributes {
		return nil, false, nil
	}
	w := search.NewWriter(s.db.Dialect, t)
	where, err := w.Where(q)
	if err != nil || !w.IsLookUp {
		return nil, false, nil // list tells what is wrong
	}
	users, err := w.Page(Columns, where, q, 0)
	if err != nil {
		return nil, false, nil
	}
	size := 0
	err = s.db.Read(ctx, func() error {
		page, size = &scim.Page{Groups: []scim.Membership{}}, 0
		return s.db.Each(ctx, func(scan func(...any) error) error {
			var kind, key, other string
			var at, modified int64
			var text []byte
			if err := scan(&kind, &key, &other, &at, &modified, &text); err != nil {
				return err
			}
			if kind == "member" {
				name, err := decodeDisplay(string(text))
				page.Groups = append(page.Groups, scim.Membership{GroupID: key, Member: scim.Ref{Type: search.UserType, ID: other}, Since: dialect.FromMicros(at), Display: name})
				return err
			}
			u, err := t.Bind(scim.Meta{ID: key, Version: other, Created: dialect.FromMicros(at), LastModified: dialect.FromMicros(modified)}, text, nil)
			page.Resources, size = append(page.Resources, u), size+len(text)
			return err
		}, LookUpWithGroups(s.db.Dialect, users, members.seesGroup), w.Args...)
	})
	switch {
	case err != nil:
		return nil, false, fmt.Errorf("sqlstore: look a %s up: %w", t.Name(), err)
	case q.MaxBytes > 0 && size > q.MaxBytes || q.Total && !findTotal(q, page):
		return nil, false, nil
	}
	if len(page.Resources) > 1 {
		page.Groups = nil
		page.Resources = pageOfUsers(page.Resources).Resources
	}
	return page, true, nil
}

// LookUpWithGroups is a query for the users of another one, with the memberships of the user if there is
// one. Its rows are of two kinds, which have their columns in the same order.
func LookUpWithGroups(d dialect.Dialect, users, seesGroup string) string {
	return "WITH p AS (" + users + ") SELECT CAST('user' AS text), p.id, p.version, CAST(p.created AS bigint), CAST(p.modified AS bigint), p.doc FROM p" +
		" UNION ALL SELECT CAST('member' AS text), m.group_id, m.member_id, CAST(m.since AS bigint), CAST(0 AS bigint), " + nameOf(d, isGroup) +
		d.Each("(SELECT max(p.id) AS value FROM p HAVING count(*) = 1)", "members", "m", "m.tenant = $1 AND m.member_type = 'User' AND m.member_id = w.value"+seesGroup, "")
}
