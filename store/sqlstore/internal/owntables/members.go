package owntables

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// byType yields the ids of members by type. They are sorted and each comes once.
func byType(all []scim.Ref) iter.Seq2[string, []string] {
	types := make(map[string][]string)
	for _, r := range all {
		types[r.Type] = append(types[r.Type], r.ID)
	}
	return func(yield func(string, []string) bool) {
		for _, t := range dialect.Distinct(slices.Collect(maps.Keys(types))) {
			if ids := dialect.Distinct(types[t]); len(ids) > 0 && !yield(t, ids) {
				return
			}
		}
	}
}

// Members are the memberships in this package's table.
type Members struct {
	db *database.DB
	// seesGroup and seesMember are conditions: clients see the group, or the member, of
	// a membership, as m. They are empty if clients see all.
	seesGroup, seesMember string
}

// NewMembers returns the memberships of a tenant.
func NewMembers(db *database.DB) *Members { return &Members{db: db} }

// Hide hides the memberships of unclaimed resources, by type, from clients.
func (s *Members) Hide(types ...string) {
	for _, typ := range types {
		hide := func(key string) string {
			return " AND NOT EXISTS (SELECT 1 FROM {p}resources h WHERE h.tenant = $1 AND h.type = " + dialect.Quote(typ) +
				" AND h.id = m." + key + " AND h.deleted = 0 AND h.seen IS NOT NULL AND h.claimed = 0)"
		}
		s.seesMember += hide("member_id AND m.member_type = " + dialect.Quote(typ))
		if typ == search.GroupType {
			s.seesGroup += hide("group_id")
		}
	}
}

// PageQuery is the query of Page. It reads the display name of each member by the primary
// key, or in SQLite in an index that has the names. Rows that were written before the column
// display have NULL there: their doc answers.
func PageQuery(d dialect.Dialect) string { return pageOf(d) + pageOrder }

func pageOf(d dialect.Dialect) string {
	return "SELECT m.member_type, m.member_id, " + nameOf(d, isMember) + " FROM {p}members m WHERE m.tenant = $1 AND m.group_id = $2 AND " + behindMember(d)
}

// nameOf is the display name of the resource r that a condition names, for decodeDisplay.
func nameOf(d dialect.Dialect, condition string) string {
	if d == dialect.SQLite {
		// SQLite reads the second one only if the first one is NULL. By itself it would use the primary key.
		return "coalesce((SELECT r.display FROM {p}resources r INDEXED BY {p}resources_shown WHERE " + condition + "), " +
			"(SELECT r.doc FROM {p}resources r WHERE " + condition + "), '')"
	}
	return "coalesce((SELECT coalesce(r.display, r.doc) FROM {p}resources r WHERE " + condition + "), '')"
}

// isMember and isGroup are the conditions that r is the resource, or the group, of a membership m.
const (
	isMember = "r.tenant = $1 AND r.type = m.member_type AND r.id = m.member_id AND r.deleted = 0"
	isGroup  = "r.tenant = $1 AND r.type = 'Group' AND r.id = m.group_id AND r.deleted = 0"
)

// behindMember is the condition that a member comes after $3 and $4.
func behindMember(d dialect.Dialect) string {
	return d.Beyond([]string{"m.member_type", "m.member_id"}, []string{"$3", "$4"}, ">")
}

const pageOrder = ` ORDER BY m.member_type, m.member_id LIMIT $5`

// Page lists members of a group, in order, after one of them. An unknown group has no
// members.
func (s *Members) Page(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	// The variables and their list are made once, because a group has many rows.
	var typ sql.RawBytes
	var id, display string
	dest := []any{&typ, &id, &display}
	last := after.Type
	all, err := database.ReadAll(ctx, s.db, max(0, min(limit, 1000)), func(scan func(...any) error) (m scim.Member, err error) {
		if err := scan(dest...); err != nil {
			return m, err
		}
		if string(typ) != last {
			last = string(typ)
		}
		m.Ref = scim.Ref{Type: last, ID: id}
		m.Display, err = decodeDisplay(display)
		return m, err
	}, pageOf(s.db.Dialect)+s.seesMember+pageOrder, groupID, after.Type, after.ID, limit)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: members of group %q: %w", groupID, err)
	}
	return all, nil
}

// GroupsOf lists the memberships of members.
func (s *Members) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	if all, ok := takeMemberships(ctx, s.db, members); ok {
		return all, ctx.Err()
	}
	if err := database.PlanAgain(ctx, s.db, len(members)); err != nil {
		return nil, err
	}
	all := make([]scim.Membership, 0, len(members))
	err := s.db.Read(ctx, func() error {
		all = all[:0]
		for typ, ids := range byType(members) {
			err := s.db.Each(ctx, func(scan func(...any) error) error {
				m := scim.Membership{Member: scim.Ref{Type: typ}}
				var since int64
				var name string
				err := scan(&m.GroupID, &m.Member.ID, &since, &name)
				if err == nil {
					m.Display, err = decodeDisplay(name)
				}
				m.Since = dialect.FromMicros(since)
				all = append(all, m)
				return err
			}, "SELECT m.group_id, m.member_id, m.since, "+nameOf(s.db.Dialect, isGroup)+s.db.Dialect.Each(s.db.Dialect.Texts("$3"), "members", "m",
				"m.tenant = $1 AND m.member_type = $2 AND m.member_id = w.value"+s.seesGroup, ""), typ, dialect.List(ids))
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: groups of %d members: %w", len(members), err)
	}
	return all, nil
}

// oneByOne is up to how many members are removed by a statement each. A statement for many
// would make the database read a whole group, whose size it does not know.
const oneByOne = 20

// Remove removes members of a group and returns those that it had.
func (s *Members) Remove(ctx context.Context, groupID string, remove []scim.Ref) (removed []scim.Ref, err error) {
	collect := func(scan func(...any) error) error {
		var r scim.Ref
		err := scan(&r.Type, &r.ID)
		removed = append(removed, r)
		return err
	}
	if err := database.PlanAgain(ctx, s.db, len(remove)); err != nil {
		return nil, err
	}
	keys := s.keys(groupID, remove)
	if s.db.Dialect == dialect.MariaDB {
		err = s.removeRows(ctx, keys, collect)
		return removed, err
	}
	if len(keys) > oneByOne {
		err = s.db.Each(ctx, collect, `DELETE FROM {p}members WHERE $1 = $1 AND (tenant, group_id, member_type, member_id) IN
			(SELECT e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3 FROM {rows $2})
			RETURNING member_type, member_id`, dialect.List(keys))
		return removed, err
	}
	types := make(map[string][]string) // by id: a client may not say which type it means
	for typ, ids := range byType(remove) {
		for _, id := range ids {
			types[id] = append(types[id], typ)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(types)) {
		args, is := []any{groupID, id}, ""
		for _, typ := range types[id] {
			args = append(args, typ)
			is += fmt.Sprintf(", $%d", len(args)+1)
		}
		err := s.db.Each(ctx, collect, "DELETE FROM {p}members WHERE tenant = $1 AND group_id = $2 AND member_type IN ("+is[2:]+`)
			AND member_id = $3 RETURNING member_type, member_id`, args...)
		if err != nil {
			return nil, err
		}
	}
	return removed, nil
}

// keys returns the primary keys of memberships of a group.
func (s *Members) keys(groupID string, members []scim.Ref) (keys [][]any) {
	for typ, ids := range byType(members) {
		for _, id := range ids {
			keys = append(keys, []any{s.db.Tenant, groupID, typ, id})
		}
	}
	return keys
}

// Add adds members to a group and returns those that are new. A member that does not exist
// is not added.
func (s *Members) Add(ctx context.Context, groupID string, add []scim.Ref) (added []scim.Ref, err error) {
	if err := database.PlanAgain(ctx, s.db, len(add)); err != nil {
		return nil, err
	}
	now := dialect.Micros(s.db.Now())
	for typ, ids := range byType(add) {
		// The statement locks the members in order, so that nobody can delete them.
		err := s.db.Each(ctx, func(scan func(...any) error) error {
			r := scim.Ref{Type: typ}
			err := scan(&r.ID)
			added = append(added, r)
			return err
		}, s.insert("tenant, group_id, member_type, member_id, since")+`
			SELECT $1, $2, $3, r.id, CAST($5 AS bigint)`+s.db.Dialect.Each(s.db.Dialect.Texts("$4"), "resources", "r",
			"r.tenant = $1 AND r.type = $3 AND r.deleted = 0 AND r.id = w.value", " FOR KEY SHARE")+
			orNothing(s.db.Dialect, " WHERE 1 = 1")+" RETURNING member_id", groupID, typ, dialect.List(ids), now)
		if err != nil {
			return nil, err
		}
	}
	return added, nil
}

// insert begins an INSERT of memberships that leaves alone those that exist. orNothing ends it.
func (s *Members) insert(columns string) string {
	if s.db.Dialect == dialect.MariaDB { // The values fit: others have them already.
		return "INSERT IGNORE INTO {p}members (" + columns + ")"
	}
	return "INSERT INTO {p}members (" + columns + ")"
}

// orNothing ends an INSERT that leaves alone what exists. where is a condition that SQLite needs
// after a SELECT. In MariaDB an INSERT IGNORE does so, or an error that ends no transaction.
func orNothing(d dialect.Dialect, where string) string {
	if d == dialect.MariaDB {
		return ""
	}
	return where + " ON CONFLICT DO NOTHING"
}

// Lock locks a group, so that requests change its members one after the other. isClaimed
// says that a client has claimed it.
func (s *Members) Lock(ctx context.Context, groupID string) (isClaimed bool, err error) {
	found := false
	if len(dialect.Storable([]string{groupID})) == 1 {
		err := s.db.Each(ctx, func(scan func(...any) error) error {
			found = true
			return scan(&isClaimed)
		}, `SELECT claimed FROM {p}resources WHERE tenant = $1 AND type = $2 AND id = $3 AND deleted = 0{lock  FOR NO KEY UPDATE}`, search.GroupType, groupID)
		if err != nil {
			return false, err
		}
	}
	if !found {
		return false, scim.ErrNotFound
	}
	return isClaimed, nil
}

// Claim marks memberships of a group as claimed by a client.
func (s *Members) Claim(ctx context.Context, groupID string, members []scim.Ref) error {
	keys := s.keys(groupID, members)
	if len(keys) > oneByOne {
		_, err := s.db.Exec(ctx, s.db.Dialect.UpdateRows("members", "claimed = 1", "claimed = 0", "tenant", "group_id", "member_type", "member_id"), dialect.List(keys))
		return err
	}
	for _, k := range keys {
		if _, err := s.db.Exec(ctx, `UPDATE {p}members SET claimed = 1 WHERE tenant = $1 AND group_id = $2 AND member_type = $3
			AND member_id = $4 AND claimed = 0`, k[1:]...); err != nil {
			return err
		}
	}
	return nil
}

// Unclaimed lists members of a group whose membership no client has claimed, in order,
// after one of them.
func (s *Members) Unclaimed(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Ref, error) {
	return database.ReadAll(ctx, s.db, 0, func(scan func(...any) error) (r scim.Ref, err error) {
		err = scan(&r.Type, &r.ID)
		return r, err
	}, `SELECT m.member_type, m.member_id FROM {p}members m WHERE m.tenant = $1 AND m.group_id = $2 AND m.claimed = 0
		AND `+behindMember(s.db.Dialect)+` ORDER BY m.member_type, m.member_id LIMIT $5`, groupID, after.Type, after.ID, limit)
}

// AddKnown adds memberships whose user and group exist as resources, and returns the groups
// that it changed. The application has them, so no client has claimed them.
func (s *Members) AddKnown(ctx context.Context, all []scim.Membership) (groups []string, err error) {
	if len(all) == 0 {
		return nil, nil
	}
	lock := " FOR KEY SHARE"
	first := lock
	if s.db.Dialect == dialect.MariaDB { // One lock is for both.
		first = ""
	}
	err = s.db.Each(ctx, database.Texts(&groups), s.insert("tenant, group_id, member_type, member_id, since, claimed")+
		" SELECT $1, e.value ->> 0, 'User', e.value ->> 1, CAST(e.value ->> 2 AS bigint), 0 FROM {rows $2}"+
		s.db.Dialect.Also("resources", "g", "g.tenant = $1 AND g.type = 'Group' AND g.deleted = 0 AND g.id = e.value ->> 0", first)+
		s.db.Dialect.Also("resources", "u", "u.tenant = $1 AND u.type = 'User' AND u.deleted = 0 AND u.id = e.value ->> 1", lock)+
		orNothing(s.db.Dialect, " WHERE 1 = 1")+" RETURNING group_id", dialect.Tuples(all, func(m scim.Membership) []any { return []any{m.GroupID, m.Member.ID, dialect.Micros(m.Since)} }))
	return groups, err
}
