package owntables

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// A request that adds one member to a group, or takes one out, waits for PostgreSQL once for all of
// this: the membership, the new version of the group, the link of the group, and what decides about the
// roles of a user. The transaction has locked the group before, and mostly the user too: see locknext.go.
// If it has not, this statement locks the user, and a later one looks.
//
// The user comes after the member's resource in the order of locks. The statement changes one member
// only, so there is no order among users to keep.

// MemberStep says what the statement of ChangeMember does about the ledger's user.
type MemberStep int

// These are the steps.
const (
	NoUser    MemberStep = iota // It does nothing.
	LocksUser                   // It locks the user.
	Looks                       // It looks at the user, who is locked.
)

// ChangeMemberQuery is the statement of ChangeMember in PostgreSQL. Its rows are those of a look. $2 is the
// group, $3 the id of the member, which has the type $4 or $5. $6, $7, $8, $12 and $13 are what Update writes, and
// $9 is the version that the group has. $10 is the group as a source, $11 the time. To lock, $14 is the key
// of the lock that Fence takes alone. To look, $14 is the list of the user, and $15 the source ofTenant.
func ChangeMemberQuery(remove bool, step MemberStep) string {
	text := "WITH g AS MATERIALIZED (SELECT k.source, k.name, k.roles, k.at FROM {p}links k WHERE k.tenant = $1 AND k.source = $10), " +
		"v AS MATERIALIZED (SELECT r.id FROM {p}resources r WHERE r.tenant = $1 AND r.type = 'Group' AND r.id = $2 AND r.deleted = 0 AND r.version = $9), "
	users := "k AS x WHERE 'User' IN ($4, $5)"
	if remove {
		text += "k AS (SELECT CAST($3 AS text) AS id), m AS (DELETE FROM {p}members WHERE tenant = $1 AND group_id = $2" +
			" AND member_type IN ($4, $5) AND member_id = $3 AND CAST($11 AS bigint) IS NOT NULL AND EXISTS (SELECT 1 FROM v) RETURNING member_type, member_id)"
		users += " AND (" + isKnownUser("x.id") + ")"
	} else {
		// k locks the member, so that nobody can delete it, and then the others read k.
		lock := " FOR KEY SHARE"
		if step == Looks { // It has this lock. A statement that looks must not wait.
			lock = ""
		}
		text += "k AS MATERIALIZED (SELECT r.id FROM {p}resources r WHERE r.tenant = $1 AND r.type = $4 AND r.type = $5 AND r.deleted = 0 AND r.id = $3" + lock + "), " +
			"m AS (INSERT INTO {p}members (tenant, group_id, member_type, member_id, since) SELECT $1, $2, $4, k.id, CAST($11 AS bigint) FROM k WHERE EXISTS (SELECT 1 FROM v)" +
			" ON CONFLICT DO NOTHING RETURNING member_type, member_id)"
	}
	text += ", t AS (UPDATE {p}resources SET modified = $6, version = $7, doc = $12, search = $13, client = CASE WHEN CAST($8 AS text) = '' THEN client ELSE CAST($8 AS text) END" +
		" WHERE tenant = $1 AND type = 'Group' AND id = $2 AND deleted = 0 AND version = $9 AND EXISTS (SELECT 1 FROM m) RETURNING id)"
	if step == LocksUser {
		text += ", p AS MATERIALIZED (SELECT x.id FROM g, " + users + "), " + lockNextUser("p", "$14")
	}
	text += " " + lookLink() + " FROM g AS k UNION ALL " + lookRow("known", "k.id") + " FROM k UNION ALL " +
		lookRow("changed", "m.member_type", "m.member_id") + " FROM m UNION ALL " + lookRow("group", "t.id") + " FROM t UNION ALL " +
		lookRow("version", "v.id") + " FROM v"
	switch step {
	case LocksUser:
		text += " UNION ALL " + lookRow("locked", "p.id") + " FROM p"
	case Looks: // at what was before this statement
		text += " UNION ALL " + lookText(dialect.Postgres, "$14", "$15")
	}
	return text
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
	meta, source := c.Group.Meta(), scim.GroupSource(group.ID)
	meta.Created = row.resource.Meta().Created
	next, err := l.RowOf(c.Group.WithMeta(meta)) // Filters compare the version and the times too.
	if err != nil {
		return out, failChange(group, err)
	}
	now := dialect.Micros(l.db.Now())
	args := []any{group.ID, one.ID, one.Type, other.Type, next.lastModified, meta.Version, clientOf(ctx), c.Version, string(source), now, next.doc, next.search}
	step, isStored, isSame, isLocked := l.memberStep(ctx, c), false, false, false
	switch step {
	case LocksUser:
		args = append(args, l.db.NameKey(fence))
	case Looks:
		args = append(args, dialect.List([]string{one.ID}), string(ofTenant))
	}
	look := newLooking(l, []string{one.ID})
	at.Looked().Clear()
	err = l.db.Each(ctx, func(scan func(...any) error) error {
		kind, t, err := look.add(scan)
		switch kind {
		case "known":
			out.IsKnown = true
		case "changed":
			out.Changed = append(out.Changed, scim.Ref{Type: t[0], ID: t[1]})
		case "group":
			isStored = true
		case "version":
			isSame = true
		case "locked": // The user is known, and there is a link.
			isLocked = true
		}
		return err
	}, ChangeMemberQuery(c.Remove, step), args...)
	out.Group = row.resource
	switch {
	case err != nil:
		return scim.MemberChanged{}, failChange(group, err)
	case !isSame: // The application has rolled back a savepoint of its own. Update finds that out, too.
		return scim.MemberChanged{}, errors.ErrUnsupported
	case isStored != (len(out.Changed) > 0), // Then another transaction got the lock.
		step == Looks && !look.isKnown[source]: // The user is locked for a link that is gone.
		return scim.MemberChanged{}, failChange(group, database.ErrMoved)
	case isStored:
		out.Group = next.Resource
		keptOf(l.db, group).put(at, keptRow{out.Group, row.toDelete})
	}
	at.Looked().Store(lookOf(l.db, lookLinks), look.linksOf(source))
	switch {
	case step == Looks:
		look.change(out, scim.Membership{GroupID: group.ID, Since: dialect.FromMicros(now)}, c.Remove)
		look.keepWhole(ctx)
	case isLocked:
		at.Ahead().Store(lockedUser{l.db.Prefix, l.db.Tenant, one.ID}, true)
	}
	return out, nil
}

// memberStep says what ChangeMember does about the ledger's user.
func (l *Ledger) memberStep(ctx context.Context, c scim.MemberChange) MemberStep {
	id := c.Members[0].ID
	switch {
	case !c.ReadsGrants || !slices.Contains(c.Members, scim.Ref{Type: search.UserType, ID: id}):
		return NoUser
	case isLockedAhead(ctx, l.db, id):
		return Looks
	}
	return LocksUser
}

// change makes a look at what was before a change of one member one at what is after it. in is the
// membership that begins or ends.
func (k *looking) change(done scim.MemberChanged, in scim.Membership, remove bool) {
	for _, in.Member = range done.Changed {
		if in.Member.Type != search.UserType {
			continue
		}
		if remove {
			k.members.rows = slices.DeleteFunc(k.members.rows, func(m scim.Membership) bool { return m.GroupID == in.GroupID })
			continue
		}
		if in.Display = done.Group.String("displayName"); in.Display == "" {
			in.Display = done.Group.String("userName")
		}
		k.join(in)
	}
}

// linksOf returns the link with a source, if there is one.
func (k *looking) linksOf(source scim.Source) looked[scim.Link] {
	isOther := func(l scim.Link) bool { return l.Source != source }
	return looked[scim.Link]{rows: slices.DeleteFunc(slices.Clone(k.links.rows), isOther), covers: map[string]bool{string(source): true}}
}

func failChange(group scim.Ref, err error) error {
	return fmt.Errorf("sqlstore: change a member of group %q: %w", group.ID, err)
}
