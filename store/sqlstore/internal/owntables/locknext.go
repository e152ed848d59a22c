package owntables

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// A request that changes the roles of one user locks a resource, locks the user in the ledger, looks at
// what decides about the user's roles, and writes. PostgreSQL is asked twice for all of it: one statement
// takes all locks, in their order, and a later one writes and looks. A statement that waits for a lock sees the rest
// as it was before, so the statement that looks takes no lock that it could wait for.
//
// The request says in its context whom to lock: see scim.NextGrants.

// lockedUser is the key by which a transaction keeps that it has locked a user ahead of Grants.
type lockedUser struct{ prefix, tenant, id string }

// isLockedAhead reports whether a user is locked for Grants.
func isLockedAhead(ctx context.Context, db *database.DB, id string) bool {
	m := db.Transaction(ctx).Ahead()
	if m == nil {
		return false
	}
	_, ok := m.Load(lockedUser{db.Prefix, db.Tenant, id})
	return ok
}

// takeLocked reports whether the only one of some users is locked for Grants. It says so once: an
// application that rolls back a savepoint of its own gives the lock up too.
func takeLocked(ctx context.Context, db *database.DB, ids []string) bool {
	m := db.Transaction(ctx).Ahead()
	if m == nil || len(ids) != 1 {
		return false
	}
	_, ok := m.LoadAndDelete(lockedUser{db.Prefix, db.Tenant, ids[0]})
	return ok
}

// lockNextUser is a part l of a WITH clause, which locks the users whose ids another part has. The fence comes
// after what that part locks: it names the user so that it cannot come before.
func lockNextUser(from, fence string) string {
	return "l AS (INSERT INTO {p}users AS u (tenant, user_id) SELECT $1, p.id FROM " + from + " p" +
		" CROSS JOIN LATERAL (SELECT pg_advisory_xact_lock_shared(CAST(" + fence + " AS bigint) + 0 * length(p.id)) OFFSET 0) f" +
		" ON CONFLICT (user_id, tenant) DO UPDATE SET tenant = u.tenant WHERE false)"
}

// NextLock is what LockNextQuery locks after the resource.
type NextLock int

// A group has a lock after it only if it gives a role.
const (
	NextSelf   NextLock = iota // the user who is the resource
	NextJoins                  // a new member of the group, first the member's resource
	NextLeaves                 // a member of the group
)

// LockNextQuery is the statement that locks a resource and then a user in PostgreSQL. $2 is the type of
// the resource, $3 its id, $4 the key of the lock that Fence takes alone. A new or former member is $5, and $6 is the
// group as a source. Its row has Columns, and whether the user is locked.
//
// The link may be older than the lock of the group. It only says whether a lock is of use: see ChangeMember.
func LockNextQuery(next NextLock) string {
	const hasLink = "EXISTS (SELECT 1 FROM {p}links g WHERE g.tenant = $1 AND g.source = $6)"
	users := "SELECT r.id FROM r"
	switch next {
	case NextJoins:
		users = "SELECT m.id FROM r CROSS JOIN LATERAL (SELECT x.id FROM {p}resources x WHERE x.tenant = $1 AND x.type = 'User'" +
			" AND x.deleted = 0 AND x.id = $5 AND length(r.id) > 0 OFFSET 0 FOR KEY SHARE) m WHERE " + hasLink
	case NextLeaves:
		users = "SELECT m.id FROM r CROSS JOIN (SELECT CAST($5 AS text) AS id) m WHERE " + hasLink + " AND (" + isKnownUser("m.id") + ")"
	}
	return "WITH r AS MATERIALIZED (SELECT " + Columns + " FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND r.id = $3 AND r.deleted = 0" +
		" FOR NO KEY UPDATE), n AS MATERIALIZED (" + users + "), " + lockNextUser("n", "$4") +
		" SELECT " + Columns + ", EXISTS (SELECT 1 FROM n) FROM r"
}

// fetchNext reads a resource and locks it, and then the user whom ctx names. ok is false if ctx names
// nobody, or the database cannot do so, or the transaction could not run again: see ChangeMember.
func fetchNext(ctx context.Context, s *Resources, ref scim.Ref) (r *scim.Resource, ok bool, err error) {
	next, ok := scim.NextGrantsOf(ctx)
	at, t := s.db.Transaction(ctx), s.Types[ref.Type]
	if !ok || s.Ledger == nil || s.db.Dialect != dialect.Postgres || at.Ahead() == nil || !at.RunsAgain() || t.ResourceType == nil ||
		len(dialect.Storable([]string{ref.ID, next.UserID})) < 2 {
		return nil, false, nil
	}
	lock, args := NextSelf, []any{ref.Type, ref.ID, s.db.NameKey(fence)}
	switch {
	case ref == scim.Ref{Type: search.UserType, ID: next.UserID}:
	case ref.Type != search.GroupType:
		return nil, false, nil
	case next.Joins:
		lock, args = NextJoins, append(args, next.UserID, string(scim.GroupSource(ref.ID)))
	default:
		lock, args = NextLeaves, append(args, next.UserID, string(scim.GroupSource(ref.ID)))
	}
	isLocked := false
	err = s.db.Each(ctx, func(scan func(...any) error) (err error) {
		r, err = bind(t.ResourceType, func(dest ...any) error { return scan(append(dest, &isLocked)...) })
		return err
	}, LockNextQuery(lock), args...)
	switch {
	case err != nil:
		return nil, true, fmt.Errorf("sqlstore: lock %s %q and user %q: %w", ref.Type, ref.ID, next.UserID, err)
	case r == nil:
		return nil, true, scim.ErrNotFound
	case isLocked:
		at.Ahead().Store(lockedUser{s.db.Prefix, s.db.Tenant, next.UserID}, true)
	}
	return r, true, nil
}

// updateAndLook is updateRow of a user who is locked for Grants. It makes the look of Grants too.
func updateAndLook(ctx context.Context, s *Resources, w *Row, was string) error {
	text, args := updateText(w, was)
	look, isStored := newLooking(s.Ledger, []string{w.Resource.ID()}), false
	users, tenant := fmt.Sprintf("$%d", len(args)+2), fmt.Sprintf("$%d", len(args)+3)
	err := s.db.Each(ctx, func(scan func(...any) error) error {
		kind, _, err := look.add(scan)
		isStored = isStored || kind == "stored"
		return err
	}, "WITH t AS ("+text+" RETURNING id) "+lookRow("stored", "t.id")+" FROM t UNION ALL "+lookText(dialect.Postgres, users, tenant),
		append(args, dialect.List([]string{w.Resource.ID()}), string(ofTenant))...)
	if err == nil && !isStored && was != "" {
		s.db.Transaction(ctx).Ahead().Clear() // The application has rolled back a savepoint of its own.
		err = database.ErrMoved
	}
	if err != nil {
		return err
	}
	look.users.rows, look.users.size = []*scim.Resource{w.Resource}, len(w.doc)
	look.keepWhole(ctx)
	return nil
}
