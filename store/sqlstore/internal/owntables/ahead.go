package owntables

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// A request that changes members locks the group, looks for the users, and then reads the links of the
// group. So a statement that looks for users also reads the links of the groups that its transaction
// has locked. They are a part of a look: see take.

// AheadQuery is the query of a look for the users $2 with the links of the sources $3. Its rows are of
// two kinds, which have their columns in the same order.
func AheadQuery(d dialect.Dialect) string {
	return "SELECT CAST('user' AS text), r.id, r.version, r.doc, CAST(r.created AS bigint), CAST(r.modified AS bigint)" +
		d.Each(d.Texts("$2"), "resources", "r", "r.tenant = $1 AND r.type = 'User' AND r.deleted = 0 AND r.id = w.value", "") +
		" UNION ALL SELECT CAST('link' AS text), k.source, k.name, k.roles, CAST(k.at AS bigint), CAST(0 AS bigint)" +
		d.Each(d.Texts("$3"), "links", "k", "k.tenant = $1 AND k.source = w.value", "")
}

// pageAhead reads the page of a query for users by their ids, and ahead of their use the links of the
// groups that the transaction has locked. ok says that it has done so.
func pageAhead(ctx context.Context, s *Resources, t *scim.ResourceType, q *scim.Query) (page *scim.Page, ok bool, err error) {
	j := s.db.Transaction(ctx)
	if j.Looked() == nil || !isByIDs(t, q) || len(q.IDs) > min(lookSize, q.Limit) || s.Types[t.Name()].HasTable {
		return nil, false, nil
	}
	groups := lockedGroups(j, s.db)
	if len(groups) == 0 || len(groups) > lookSize {
		return nil, false, nil
	}
	users, size := []*scim.Resource(nil), 0
	links := looked[scim.Link]{covers: map[string]bool{}}
	for _, g := range groups {
		links.covers[g] = true
	}
	err = s.db.Each(ctx, func(scan func(...any) error) error {
		var kind, key, name, text string
		var at, modified int64
		if err := scan(&kind, &key, &name, &text, &at, &modified); err != nil {
			return err
		}
		if kind == "link" {
			k, err := linkOf(scim.Source(key), name, at, text)
			links.rows = append(links.rows, k)
			return err
		}
		u, err := t.Bind(scim.Meta{ID: key, Version: name, Created: dialect.FromMicros(at), LastModified: dialect.FromMicros(modified)}, []byte(text), nil)
		users, size = append(users, u), size+len(text)
		return err
	}, AheadQuery(s.db.Dialect), dialect.List(dialect.Distinct(q.IDs)), dialect.List(groups))
	switch {
	case err != nil:
		return nil, false, fmt.Errorf("sqlstore: %d users by id: %w", len(q.IDs), err)
	case q.MaxBytes > 0 && size > q.MaxBytes:
		return nil, false, nil
	}
	j.Looked().Store(lookOf(s.db, lookLinks), links)
	return pageOfUsers(users), true, nil
}

// lockedGroups returns the sources that are groups which the transaction has locked, without a Table.
func lockedGroups(j *database.Transaction, db *database.DB) (sources []string) {
	j.Kept().Range(func(key, row any) bool {
		k, _ := key.(kept)
		if r, _ := row.(keptRow); r.resource != nil && k == keptOf(db, k.ref) && k.ref.Type == search.GroupType {
			sources = append(sources, string(scim.GroupSource(k.ref.ID)))
		}
		return true
	})
	return sources
}
