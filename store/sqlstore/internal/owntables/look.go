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
// A write that comes after the lock can make the look too: see locknext.go.
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
	// lookAll is a whole look, which another statement has made. Grants divides it into these parts.
	lookAll = "all"
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

// LookQuery is the query of a look at the users $2. $3 is the source ofTenant.
func LookQuery(d dialect.Dialect) string { return lookText(d, "$2", "$3") }

// lookRow selects a row of a look. Its rows are of several kinds, which have their columns in the same
// order. Columns that are not given are empty: the first five are texts, the others numbers.
func lookRow(kind string, columns ...string) string {
	all := []string{dialect.Quote(kind), "''", "''", "''", "''", "''", "0", "0", "0"}
	copy(all[1:], columns)
	for i, c := range all {
		as := "text"
		if i > 5 {
			as = "bigint"
		}
		all[i] = "CAST(" + c + " AS " + as + ")"
	}
	return "SELECT " + strings.Join(all, ", ")
}

// lookLink selects the row of a link k.
func lookLink() string {
	return lookRow("link", "k.source", "k.name", "k.roles", "''", "''", "k.at")
}

func lookText(d dialect.Dialect, users, ofTenant string) string {
	ids, text := d.Texts(users), lookRow
	ofUser := "m.tenant = $1 AND m.member_type = 'User' AND m.member_id = w.value"
	return text("grant", "g.user_id", "g.scope", "g.role_id", "g.source", "g.state", "g.at", "g.by_hand", "g.rank") +
		d.Each(ids, "grants", "g", "g.tenant = $1 AND g.user_id = w.value", "") +
		" UNION ALL " + text("member", "m.group_id", "m.member_id", nameOf(d, isGroup), "''", "''", "m.since") +
		d.Each(ids, "members", "m", ofUser, "") +
		" UNION ALL " + lookLink() +
		d.Each(ids, "members", "m", ofUser, "") + d.Also("links", "k", "k.tenant = $1 AND k.source = "+dialect.Concat(d, dialect.Quote(string(scim.GroupSource(""))), "m.group_id"), "") +
		" UNION ALL " + lookLink() +
		" FROM {p}links k WHERE k.tenant = $1 AND k.source = " + ofTenant +
		" UNION ALL " + text("user", "r.id", "r.version", "r.doc", "''", "''", "r.created", "r.modified") +
		d.Each(ids, "resources", "r", "r.tenant = $1 AND r.type = 'User' AND r.deleted = 0 AND r.id = w.value", "")
}

// ofTenant is the source of the link that the engine keeps for a tenant, and always asks for.
const ofTenant = scim.Source("tenant:")

// looking is a look whose rows are read one by one.
type looking struct {
	l       *Ledger
	grants  []scim.Grant
	members looked[scim.Membership]
	links   looked[scim.Link]
	users   looked[*scim.Resource]
	isKnown map[scim.Source]bool // isKnown has the sources of links.
}

func newLooking(l *Ledger, ids []string) *looking {
	k := &looking{l: l, members: looked[scim.Membership]{covers: map[string]bool{}},
		links: looked[scim.Link]{covers: map[string]bool{string(ofTenant): true}},
		users: looked[*scim.Resource]{covers: map[string]bool{}}, isKnown: map[scim.Source]bool{}}
	for _, id := range ids {
		k.members.covers[id], k.users.covers[id] = true, true
	}
	return k
}

// add reads a row. It returns the kind of the row and its texts.
func (k *looking) add(scan func(...any) error) (kind string, t [5]string, err error) {
	var n [3]int64
	if err := scan(&kind, &t[0], &t[1], &t[2], &t[3], &t[4], &n[0], &n[1], &n[2]); err != nil {
		return "", t, err
	}
	switch kind {
	case "grant":
		k.grants = append(k.grants, scim.Grant{UserID: t[0], Scope: t[1], RoleID: t[2], Source: scim.Source(t[3]), State: scim.GrantState(t[4]),
			At: dialect.FromMicros(n[0]), ByHand: n[1] != 0, Rank: int(n[2])})
	case "member":
		name, err := decodeDisplay(t[2])
		k.join(scim.Membership{GroupID: t[0], Member: scim.Ref{Type: search.UserType, ID: t[1]}, Since: dialect.FromMicros(n[0]), Display: name})
		return kind, t, err
	case "link":
		link, err := linkOf(scim.Source(t[0]), t[1], n[0], t[2])
		if err == nil && !k.isKnown[link.Source] { // Two users may be in a group.
			k.isKnown[link.Source] = true
			k.links.rows = append(k.links.rows, link)
		}
		return kind, t, err
	case "user":
		m := scim.Meta{ID: t[0], Version: t[1], Created: dialect.FromMicros(n[0]), LastModified: dialect.FromMicros(n[1])}
		u, err := k.l.Looks.Bind(m, []byte(t[2]), nil)
		k.users.rows = append(k.users.rows, u)
		k.users.size += len(t[2])
		return kind, t, err
	}
	return kind, t, nil
}

// join adds a membership.
func (k *looking) join(m scim.Membership) {
	k.members.rows = append(k.members.rows, m)
	k.links.covers[string(scim.GroupSource(m.GroupID))] = true
}

// keep keeps the parts of the look for the calls that ask for them, and returns the grants.
func (k *looking) keep(ctx context.Context) []scim.Grant {
	m := k.l.db.Transaction(ctx).Looked()
	m.Store(lookOf(k.l.db, lookMembers), k.members)
	m.Store(lookOf(k.l.db, lookLinks), k.links)
	m.Store(lookOf(k.l.db, lookUsers), k.users)
	return k.grants
}

// keepWhole keeps the look for Grants.
func (k *looking) keepWhole(ctx context.Context) {
	k.l.db.Transaction(ctx).Looked().Store(lookOf(k.l.db, lookAll), k)
}

// takeWhole takes a look that another statement has made after the lock of a user, if the user is the
// only one of ids.
func takeWhole(ctx context.Context, db *database.DB, ids []string) (*looking, bool) {
	v, _ := db.Transaction(ctx).Looked().LoadAndDelete(lookOf(db, lookAll))
	k, ok := v.(*looking)
	return k, ok && len(ids) == 1 && k.users.covers[ids[0]]
}

// look reads what decides about the roles of users that are locked, and returns their grants.
func (l *Ledger) look(ctx context.Context, ids []string) ([]scim.Grant, error) {
	k := newLooking(l, ids)
	err := l.db.Each(ctx, func(scan func(...any) error) error {
		_, _, err := k.add(scan)
		return err
	}, LookQuery(l.db.Dialect), dialect.List(ids), string(ofTenant))
	if err != nil {
		return nil, err
	}
	return k.keep(ctx), nil
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
