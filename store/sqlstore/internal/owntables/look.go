package owntables

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// The engine of roles locks users by Grants. Then it reads what decides about their roles: the groups
// that they are in, the links of these groups, and whether the users are active. Grants reads all
// of it in one statement after the lock, and the transaction keeps each part for the next call that
// asks for it. The lock is a statement before: a statement that waits for a lock sees the rest as it
// was before.
//
// A part is used once, and no part is used after a write of the transaction: what others commit
// meanwhile, such as a membership, must be seen as soon as without this.

// lookSize is of how many users a look reads everything. More of them are read part by part: whether
// they are active matters only for some.
const lookSize = 10

// look is the key of a part of what was read.
type look struct{ prefix, tenant, part string }

// These are the parts.
const (
	lookMembers = "members"
	lookLinks   = "links"
	lookUsers   = "users"
)

func lookOf(db *database.DB, part string) look { return look{db.Prefix, db.Tenant, part} }

// looked is a part. covers are the keys that it answers for, those without a row too.
type looked[T any] struct {
	covers map[string]bool
	rows   []T
	size   int // size is how many bytes the documents have.
}

// take returns a part, once, if it answers for all keys.
func take[T any](ctx context.Context, db *database.DB, part string, keys []string, keyOf func(T) string) (rows []T, size int, ok bool) {
	m := db.Transaction(ctx).Looked()
	if m == nil {
		return nil, 0, false
	}
	v, _ := m.LoadAndDelete(lookOf(db, part))
	l, ok := v.(looked[T])
	if !ok || slices.ContainsFunc(keys, func(k string) bool { return !l.covers[k] }) {
		return nil, 0, false
	}
	is := make(map[string]bool, len(keys))
	for _, k := range keys {
		is[k] = true
	}
	return slices.DeleteFunc(l.rows, func(row T) bool { return !is[keyOf(row)] }), l.size, true
}

// LookQuery is the query of a look. Its rows are of several kinds, which have their columns in the same order.
func LookQuery(d dialect.Dialect) string {
	ids := d.Texts("$2")
	ofUser := "m.tenant = $1 AND m.member_type = 'User' AND m.member_id = w.value"
	text := func(columns ...string) string {
		for i, c := range columns {
			as := "text"
			if i > 5 {
				as = "bigint"
			}
			columns[i] = "CAST(" + c + " AS " + as + ")"
		}
		return "SELECT " + strings.Join(columns, ", ")
	}
	return text("'grant'", "g.user_id", "g.scope", "g.role_id", "g.source", "g.state", "g.at", "g.by_hand", "g.rank") +
		d.Each(ids, "grants", "g", "g.tenant = $1 AND g.user_id = w.value", "") +
		" UNION ALL " + text("'member'", "m.group_id", "m.member_id", nameOf(d, isGroup), "''", "''", "m.since", "0", "0") +
		d.Each(ids, "members", "m", ofUser, "") +
		" UNION ALL " + text("'link'", "k.source", "k.name", "k.roles", "''", "''", "k.at", "0", "0") +
		d.Each(ids, "members", "m", ofUser, "") + d.Also("links", "k", "k.tenant = $1 AND k.source = "+dialect.Concat(d, dialect.Quote(string(scim.GroupSource(""))), "m.group_id"), "") +
		" UNION ALL " + text("'link'", "k.source", "k.name", "k.roles", "''", "''", "k.at", "0", "0") +
		" FROM {p}links k WHERE k.tenant = $1 AND k.source = $3" +
		" UNION ALL " + text("'user'", "r.id", "r.version", "r.doc", "''", "''", "r.created", "r.modified", "0") +
		d.Each(ids, "resources", "r", "r.tenant = $1 AND r.type = 'User' AND r.deleted = 0 AND r.id = w.value", "")
}

// ofTenant is the source of the link that the engine keeps for a tenant, and always asks for.
const ofTenant = scim.Source("tenant:")

// look reads what decides about the roles of users that are locked, and returns their grants.
func (l *Ledger) look(ctx context.Context, ids []string) ([]scim.Grant, error) {
	var grants []scim.Grant
	members := looked[scim.Membership]{covers: map[string]bool{}}
	links := looked[scim.Link]{covers: map[string]bool{string(ofTenant): true}}
	users := looked[*scim.Resource]{covers: map[string]bool{}}
	for _, id := range ids {
		members.covers[id], users.covers[id] = true, true
	}
	known := map[scim.Source]bool{}
	err := l.db.Each(ctx, func(scan func(...any) error) error {
		var kind string
		var t [5]string
		var n [3]int64
		if err := scan(&kind, &t[0], &t[1], &t[2], &t[3], &t[4], &n[0], &n[1], &n[2]); err != nil {
			return err
		}
		switch kind {
		case "grant":
			grants = append(grants, scim.Grant{UserID: t[0], Scope: t[1], RoleID: t[2], Source: scim.Source(t[3]), State: scim.GrantState(t[4]),
				At: dialect.FromMicros(n[0]), ByHand: n[1] != 0, Rank: int(n[2])})
		case "member":
			name, err := decodeDisplay(t[2])
			members.rows = append(members.rows, scim.Membership{GroupID: t[0], Member: scim.Ref{Type: search.UserType, ID: t[1]}, Since: dialect.FromMicros(n[0]), Display: name})
			links.covers[string(scim.GroupSource(t[0]))] = true
			return err
		case "link":
			k, err := linkOf(scim.Source(t[0]), t[1], n[0], t[2])
			if err == nil && !known[k.Source] { // Two users may be in a group.
				known[k.Source] = true
				links.rows = append(links.rows, k)
			}
			return err
		case "user":
			m := scim.Meta{ID: t[0], Version: t[1], Created: dialect.FromMicros(n[0]), LastModified: dialect.FromMicros(n[1])}
			u, err := l.Looks.Bind(m, []byte(t[2]), nil)
			users.rows = append(users.rows, u)
			users.size += len(t[2])
			return err
		}
		return nil
	}, LookQuery(l.db.Dialect), dialect.List(ids), string(ofTenant))
	if m := l.db.Transaction(ctx).Looked(); err == nil {
		m.Store(lookOf(l.db, lookMembers), members)
		m.Store(lookOf(l.db, lookLinks), links)
		m.Store(lookOf(l.db, lookUsers), users)
	}
	return grants, err
}

// takeMemberships takes the memberships of users.
func takeMemberships(ctx context.Context, db *database.DB, members []scim.Ref) ([]scim.Membership, bool) {
	ids := make([]string, len(members))
	for i, m := range members {
		if m.Type != search.UserType {
			return nil, false
		}
		ids[i] = m.ID
	}
	all, _, ok := take(ctx, db, lookMembers, ids, func(m scim.Membership) string { return m.Member.ID })
	return all, ok
}

// takePage takes the page of a query for users by their ids.
func takePage(ctx context.Context, db *database.DB, t *scim.ResourceType, q *scim.Query) (*scim.Page, bool) {
	if !isByIDs(t, q) {
		return nil, false
	}
	all, size, ok := take(ctx, db, lookUsers, q.IDs, (*scim.Resource).ID)
	if !ok || len(all) > q.Limit || q.MaxBytes > 0 && size > q.MaxBytes {
		return nil, false
	}
	return pageOfUsers(all), true
}

// isByIDs reports whether a query asks for users by their ids, and for nothing else.
func isByIDs(t *scim.ResourceType, q *scim.Query) bool {
	return t.Name() == search.UserType && q.IDs != nil && q.Filter == nil && q.SortBy == "" && !q.Descending && q.Offset == 0 && q.After == nil && !q.Total
}

// pageOfUsers is the page that lists users, in order of creation.
func pageOfUsers(all []*scim.Resource) *scim.Page {
	slices.SortFunc(all, func(a, b *scim.Resource) int {
		x, y := a.ID(), b.ID()
		return cmp.Or(a.Meta().Created.Compare(b.Meta().Created), cmp.Compare(utf8.RuneCountInString(x), utf8.RuneCountInString(y)), cmp.Compare(x, y))
	})
	return &scim.Page{Resources: all}
}
