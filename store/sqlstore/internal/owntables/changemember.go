package owntables

import (
	"context"
	"errors"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// A request that adds one member to a group, or takes one out, waits for PostgreSQL once for all of
// this: the membership, the new version of the group, the link of the group, and the lock of a user
// whose roles the engine reads next. The transaction has locked the group before, so the link is not
// older than that lock. What decides about roles is read by a later statement: see look.
//
// The user comes after the member's resource in the order of locks. The statement changes one member
// only, so there is no order among users to keep.

// lockedUser is the key by which a transaction keeps that it has locked a user.
type lockedUser struct{ prefix, tenant, id string }

// takeLocked reports whether ChangeMember has locked the only one of some users. It says so once: an
// application that rolls back a savepoint of its own gives the lock up too.
func takeLocked(ctx context.Context, db *database.DB, ids []string) bool {
	m := db.Transaction(ctx).Kept()
	if m == nil || len(ids) != 1 {
		return false
	}
	_, ok := m.LoadAndDelete(lockedUser{db.Prefix, db.Tenant, ids[0]})
	return ok
}

// ChangeMemberQuery is the statement of ChangeMember in PostgreSQL. Its rows are of several kinds,
// which have their columns in the same order. $2 is the group, $3 the id of the member, which has the
// type $4 or $5. $6, $7 and $8 are what Update writes, and $9 is the version that the group has. $10
// is the group as a source, $11 the time, and $12 the key of the lock that Fence takes alone.
func ChangeMemberQuery(remove, locks bool) string {
	const row = "CAST(%s AS text), CAST(%s AS text), CAST(%s AS text), CAST(%s AS text), CAST(%s AS bigint)"
	kind := func(name, a, b, c, at, from string) string {
		return " UNION ALL SELECT " + fmt.Sprintf(row, dialect.Quote(name), a, b, c, at) + " FROM " + from
	}
	text := "WITH g AS MATERIALIZED (SELECT k.source, k.name, k.roles, k.at FROM {p}links k WHERE k.tenant = $1 AND k.source = $10), "
	users := "k AS x WHERE 'User' IN ($4, $5)"
	if remove {
		text += "k AS (SELECT CAST($3 AS text) AS id), m AS (DELETE FROM {p}members WHERE tenant = $1 AND group_id = $2" +
			" AND member_type IN ($4, $5) AND member_id = $3 AND CAST($11 AS bigint) IS NOT NULL RETURNING member_type, member_id)"
		users += " AND (" + isKnownUser("x.id") + ")"
	} else {
		// k locks the member, so that nobody can delete it, and then the others read k.
		text += "k AS MATERIALIZED (SELECT r.id FROM {p}resources r WHERE r.tenant = $1 AND r.type = $4 AND r.type = $5 AND r.deleted = 0 AND r.id = $3 FOR KEY SHARE), " +
			"m AS (INSERT INTO {p}members (tenant, group_id, member_type, member_id, since) SELECT $1, $2, $4, k.id, CAST($11 AS bigint) FROM k" +
			" ON CONFLICT DO NOTHING RETURNING member_type, member_id)"
	}
	text += ", t AS (UPDATE {p}resources SET modified = $6, version = $7, client = CASE WHEN CAST($8 AS text) = '' THEN client ELSE CAST($8 AS text) END" +
		" WHERE tenant = $1 AND type = 'Group' AND id = $2 AND deleted = 0 AND version = $9 AND EXISTS (SELECT 1 FROM m) RETURNING id)"
	if locks {
		// The fence comes after the resource. It names the user so that it cannot come before.
		text += ", l AS (INSERT INTO {p}users AS u (tenant, user_id) SELECT $1, p.id FROM (SELECT x.id FROM g, " + users + ") p" +
			" CROSS JOIN LATERAL (SELECT pg_advisory_xact_lock_shared(CAST($12 AS bigint) + 0 * length(p.id)) OFFSET 0) f" +
			" ON CONFLICT (user_id, tenant) DO UPDATE SET tenant = u.tenant WHERE false)"
	}
	return text + " SELECT " + fmt.Sprintf(row, "'link'", "g.source", "g.name", "g.roles", "g.at") + " FROM g" +
		kind("member", "k.id", "''", "''", "0", "k") + kind("changed", "m.member_type", "m.member_id", "''", "0", "m") +
		kind("group", "t.id", "''", "''", "0", "t")
}

// ChangeMember changes one member of a group, and stores the group, if the transaction has locked it.
// Otherwise, and where one statement cannot do so, the error is errors.ErrUnsupported.
func (l *Ledger) ChangeMember(ctx context.Context, c scim.MemberChange) (out scim.MemberChanged, err error) {
	if len(c.Members) == 0 {
		return out, errors.ErrUnsupported
	}
	group, at := c.Group.Ref(), l.db.Transaction(ctx)
	row := keptOf(l.db, group).in(at)
	one, other := c.Members[0], c.Members[len(c.Members)-1]
	switch {
	case l.db.Dialect != dialect.Postgres || l.Looks == nil || row.resource == nil || row.resource.Meta().Version != c.Version:
		return out, errors.ErrUnsupported
	case len(c.Members) > 2 || one.ID != other.ID || !c.Remove && one != other || len(dialect.Storable([]string{one.ID, one.Type, other.Type})) < 3:
		return out, errors.ErrUnsupported
	}
	meta := c.Group.Meta()
	modified := dialect.Micros(meta.LastModified)
	meta.Created, meta.LastModified = row.resource.Meta().Created, dialect.FromMicros(modified)
	locks, isStored := c.ReadsGrants && (one.Type == search.UserType || other.Type == search.UserType), false
	links := looked[scim.Link]{covers: map[string]bool{string(scim.GroupSource(group.ID)): true}}
	args := []any{group.ID, one.ID, one.Type, other.Type, modified, meta.Version, clientOf(ctx), c.Version, string(scim.GroupSource(group.ID)), dialect.Micros(l.db.Now())}
	if locks {
		args = append(args, l.db.NameKey(fence))
	}
	at.Looked().Clear()
	err = l.db.Each(ctx, func(scan func(...any) error) error {
		var kind string
		var t [3]string
		var n int64
		if err := scan(&kind, &t[0], &t[1], &t[2], &n); err != nil {
			return err
		}
		switch kind {
		case "member":
			out.IsKnown = true
		case "changed":
			out.Changed = append(out.Changed, scim.Ref{Type: t[0], ID: t[1]})
		case "group":
			isStored = true
		case "link":
			k, err := linkOf(scim.Source(t[0]), t[1], n, t[2])
			links.rows = append(links.rows, k)
			return err
		}
		return nil
	}, ChangeMemberQuery(c.Remove, locks), args...)
	out.Group = row.resource
	switch {
	case err != nil:
		return scim.MemberChanged{}, fmt.Errorf("sqlstore: change a member of group %q: %w", group.ID, err)
	case isStored != (len(out.Changed) > 0): // The application has rolled back a savepoint of its own.
		return scim.MemberChanged{}, fmt.Errorf("sqlstore: change a member of group %q: %w", group.ID, database.ErrMoved)
	case isStored:
		out.Group = c.Group.WithMeta(meta)
		keptOf(l.db, group).put(at, keptRow{out.Group, row.toDelete})
	}
	at.Looked().Store(lookOf(l.db, lookLinks), links)
	if locks && out.IsKnown && len(links.rows) > 0 {
		at.Kept().Store(lockedUser{l.db.Prefix, l.db.Tenant, one.ID}, true)
	}
	return out, nil
}
