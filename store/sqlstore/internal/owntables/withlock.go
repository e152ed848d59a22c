package owntables

import (
	"context"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Who changes one member of a group that gives roles locks the member next, by Grants. The statement
// that changes the membership does it as well, for one member only: then it has no order to keep among
// users. What decides about the roles is read by a later statement, as everywhere: see look.

// gives is the key by which a transaction keeps that a group gives roles.
type gives struct {
	prefix, tenant string
	source         scim.Source
}

// lockedUser is the key by which a transaction keeps that it has locked a user.
type lockedUser struct{ prefix, tenant, id string }

// keepGiving keeps which of a few links give roles.
func keepGiving(ctx context.Context, db *database.DB, links []scim.Link) {
	m := db.Transaction(ctx).Kept()
	if m == nil || len(links) > lookSize {
		return
	}
	for _, k := range links {
		if len(k.Roles) > 0 {
			m.Store(gives{db.Prefix, db.Tenant, k.Source}, true)
		}
	}
}

// locksMember reports whether a statement that changes these members also locks them.
func (s *Members) locksMember(ctx context.Context, groupID string, members []scim.Ref) bool {
	m := s.db.Transaction(ctx).Kept()
	if m == nil || !s.LocksUsers || s.db.Dialect != dialect.Postgres || len(members) == 0 {
		return false
	}
	// A client may not say which type it means: then there is a reference for each.
	if slices.ContainsFunc(members, func(r scim.Ref) bool { return r.ID != members[0].ID }) {
		return false
	}
	_, ok := m.Load(gives{s.db.Prefix, s.db.Tenant, scim.GroupSource(groupID)})
	return ok
}

// withLock makes a statement that returns the type and the id of the members it has changed also lock
// those that are users. One part feeds the other, so the membership, which locks the resource, comes
// first. fence is the argument with the key of the lock that Fence takes alone.
func withLock(statement, fence string) string {
	return "WITH m AS (" + statement + "), l AS (INSERT INTO {p}users AS u (tenant, user_id)" +
		" SELECT $1, m.member_id FROM m, (SELECT pg_advisory_xact_lock_shared(" + fence + ")) AS f WHERE m.member_type = 'User'" +
		" ON CONFLICT (user_id, tenant) DO UPDATE SET tenant = u.tenant WHERE false) SELECT member_type, member_id FROM m"
}

// keepLocked keeps that the transaction has locked those of the members that are users.
func keepLocked(ctx context.Context, db *database.DB, members []scim.Ref) {
	for _, r := range members {
		if r.Type == search.UserType {
			db.Transaction(ctx).Kept().Store(lockedUser{db.Prefix, db.Tenant, r.ID}, true)
		}
	}
}

// areLocked reports whether the transaction keeps that it has locked all of some users.
func areLocked(ctx context.Context, db *database.DB, ids []string) bool {
	m := db.Transaction(ctx).Kept()
	if m == nil {
		return false
	}
	for _, id := range ids {
		if _, ok := m.Load(lockedUser{db.Prefix, db.Tenant, id}); !ok {
			return false
		}
	}
	return true
}
