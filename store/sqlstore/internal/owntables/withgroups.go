package owntables

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// withGroups is a query for the user $2 with the user's memberships. Its rows are of two kinds, which
// have their columns in the same order. shown and seesGroup are conditions: clients see the user, or
// the group of a membership.
func withGroups(d dialect.Dialect, shown, seesGroup string) string {
	return "SELECT CAST('user' AS text), r.id, r.version, r.doc, CAST(r.created AS bigint), CAST(r.modified AS bigint)" +
		" FROM {p}resources r WHERE r.tenant = $1 AND r.type = 'User' AND r.id = $2 AND r.deleted = 0" + shown +
		" UNION ALL SELECT CAST('member' AS text), m.group_id, '', " + nameOf(d, isGroup) + ", CAST(m.since AS bigint), CAST(0 AS bigint)" +
		" FROM {p}members m WHERE m.tenant = $1 AND m.member_type = 'User' AND m.member_id = $2" + seesGroup
}

// WithGroupsQuery is the query of GetWithGroups where clients see everything.
func WithGroupsQuery(d dialect.Dialect) string { return withGroups(d, "", "") }

// GetWithGroups reads a user and the memberships that clients see.
func (s *Resources) GetWithGroups(ctx context.Context, members *Members, id string) (u *scim.Resource, groups []scim.Membership, err error) {
	t, ok := s.Types[search.UserType]
	if !ok || len(dialect.Storable([]string{id})) == 0 {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		return nil, nil, scim.ErrNotFound
	}
	err = s.db.Read(ctx, func() error {
		u, groups = nil, nil
		return s.db.Each(ctx, func(scan func(...any) error) (err error) {
			var kind, key, version string
			var text []byte
			var at, modified int64
			if err := scan(&kind, &key, &version, &text, &at, &modified); err != nil {
				return err
			}
			if kind == "user" {
				u, err = t.ResourceType.Bind(scim.Meta{ID: key, Version: version, Created: dialect.FromMicros(at), LastModified: dialect.FromMicros(modified)}, text, nil)
				return err
			}
			m := scim.Membership{GroupID: key, Member: scim.Ref{Type: search.UserType, ID: id}, Since: dialect.FromMicros(at)}
			m.Display, err = decodeDisplay(string(text))
			groups = append(groups, m)
			return err
		}, withGroups(s.db.Dialect, s.shown(search.UserType), members.seesGroup), id)
	})
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("sqlstore: get User %q with groups: %w", id, err)
	case u == nil:
		return nil, nil, scim.ErrNotFound
	}
	return u, groups, nil
}
