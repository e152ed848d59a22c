// Package mapped keeps resources of types that have a Table in line with the
// application's tables: it follows what the application changes, writes what clients
// change, and lets new resources adopt rows that are there.
package mapped

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/apptables"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/notes"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// The application's tables are the truth about a mapped type, and {p}resources is what
// filters and lists are answered from. follow brings the latter up to date.
//
// Who writes {p}resources locks its row first and reads the application's row after
// that, so that of two writers the later one sees what the earlier one saw, or more.

// followBatch is how many notes are followed in one transaction.
const followBatch = 1000

// Follower brings {p}resources in line with the application's tables.
type Follower struct {
	db        *database.DB
	resources *owntables.Resources
	members   *owntables.Members
	ledger    *owntables.Ledger
	tables    map[string]*apptables.Table // by type
	types     []string                    // those in tables, in order
	joins     *apptables.Joins            // nil: memberships are this package's alone
	notes     *notes.Notes
	log       *slog.Logger
}

// New follows the tables of the application that are bound, and its memberships
// if there is a table of them.
func New(db *database.DB, r *owntables.Resources, m *owntables.Members, l *owntables.Ledger,
	bound map[string]*mapping.Mapping, join *mapping.Join, log *slog.Logger) *Follower {
	f := &Follower{db: db, resources: r, members: m, ledger: l, tables: make(map[string]*apptables.Table),
		types: slices.Sorted(maps.Keys(bound)), notes: notes.New(db), log: log}
	for typ, m := range bound {
		f.tables[typ] = apptables.NewTable(db, m)
	}
	if join != nil {
		f.joins = apptables.NewJoins(db, join, f.notes)
	}
	return f
}

// Table is the one that a type is mapped onto, nil if there is none.
func (f *Follower) Table(typ string) *apptables.Table { return f.tables[typ] }

// IsEmpty reports whether there is no table of the application.
func (f *Follower) IsEmpty() bool { return len(f.tables) == 0 }

// NewWriter writes resources of types that have a Table.
func (f *Follower) NewWriter() *Writer { return &Writer{f} }

// NewAdopter adopts rows.
func (f *Follower) NewAdopter() *Adopter { return &Adopter{f} }

// Check looks for the tables and columns of Options.Tables and Options.Members.
func (f *Follower) Check(ctx context.Context) error {
	return f.db.Retry(ctx, func() (err error) {
		for _, typ := range f.types {
			err = errors.Join(err, f.tables[typ].Check(ctx))
		}
		if f.joins != nil {
			err = errors.Join(err, f.joins.Check(ctx))
		}
		return err
	})
}

// ChangeJoins makes the application's memberships follow a change of a group. It returns
// the added members without those that the application keeps out.
func (f *Follower) ChangeJoins(ctx context.Context, groupID string, added, removed []scim.Ref) ([]scim.Ref, error) {
	if f.joins == nil {
		return added, nil
	}
	kept, err := f.joins.Change(ctx, groupID, added, removed)
	if err != nil || len(kept) == 0 {
		return added, err
	}
	f.log.WarnContext(ctx, "sqlstore: a unique index or trigger of the application keeps users out of a group; they are left out",
		"table", f.joins.Name, "group", groupID, "users", len(kept), "first", kept[0].ID)
	added = slices.DeleteFunc(added, func(r scim.Ref) bool { return slices.Contains(kept, r) })
	_, err = f.members.Remove(ctx, groupID, kept)
	return added, err
}

// Follow sees to what the application has changed since the last call. Every method
// that reads begins with it. In a transaction the first call does that, and the later
// ones see to what has been written in it: who follows others holds locks that it may be
// holding itself, and would wait for its end.
func (f *Follower) Follow(ctx context.Context) error {
	if len(f.tables) == 0 {
		return nil
	}
	tx := f.db.Transaction(ctx)
	key, which := f.db.Prefix+"\x00"+f.db.Tenant, ""
	if tx != nil && f.db.Dialect == dialect.Postgres { // in SQLite nobody else can have written
		if !tx.IsFirst(key) {
			which = " AND tx = txid_current_if_assigned()"
		}
	}
	for n := 1; ; n++ {
		stale := false
		err := f.db.Read(ctx, func() error {
			return f.db.Each(ctx, func(scan func(...any) error) error { stale = true; return nil },
				"SELECT 1 FROM {p}stale WHERE tenant = $1"+which+" LIMIT 1")
		})
		if err == nil && stale {
			err = f.db.Write(ctx, func(ctx context.Context) error { return f.followSome(ctx, which) })
		}
		if err == nil && stale && n&(n-1) == 0 && n > 1 && f.db.Dialect == dialect.Postgres && tx == nil {
			// Plans that were made for small tables are kept until the database has looked
			// again, and it does not look while these grow.
			_, err = f.db.Pool.ExecContext(ctx, f.db.Statement("ANALYZE {p}resources, {p}lookups, {p}members, {p}stale"))
		}
		if err != nil {
			return fmt.Errorf("sqlstore: following the application's tables: %w", err)
		}
		if !stale {
			return nil
		}
	}
}

// followSome follows a batch of notes: all, or those that satisfy a condition, which
// nobody else sees.
func (f *Follower) followSome(ctx context.Context, which string) error {
	if which == "" {
		// One at a time: two that make the same new resource would not see each other.
		if err := f.db.LockName(ctx, "follow"); err != nil {
			return err
		}
	}
	var seqs []int64
	ids, erased := make(map[string][]string), make(map[string][]string) // by type
	edges := make(map[string][]string)
	err := f.db.Each(ctx, func(scan func(...any) error) error {
		var seq int64
		var typ, id, member string
		if err := scan(&seq, &typ, &id, &member); err != nil {
			return err
		}
		seqs = append(seqs, seq)
		if typ == notes.Membership {
			edges[id] = append(edges[id], member)
		} else {
			ids[typ] = append(ids[typ], id)
			if member == notes.Gone {
				erased[typ] = append(erased[typ], id)
			}
		}
		return nil
	}, "SELECT seq, type, id, member FROM {p}stale WHERE tenant = $1"+which+" ORDER BY type, id, seq LIMIT $2", followBatch)
	if err != nil {
		return err
	}
	for _, typ := range f.types {
		if err := f.forget(ctx, f.tables[typ], dialect.Distinct(erased[typ])); err != nil {
			return err
		}
		if err := f.project(ctx, f.tables[typ], dialect.Distinct(ids[typ]), apptables.Unlocked); err != nil {
			return err
		}
	}
	if f.joins == nil { // another Store's
		clear(edges)
	}
	for _, group := range slices.Sorted(maps.Keys(edges)) {
		if err := f.projectEdges(ctx, group, dialect.Distinct(edges[group])); err != nil {
			return err
		}
	}
	_, err = f.db.Exec(ctx, "DELETE FROM {p}stale WHERE tenant = $1 AND seq IN (SELECT CAST(e.value ->> 0 AS bigint) FROM {rows $2})",
		dialect.Tuples(seqs, func(n int64) []any { return []any{n} }))
	return err
}

// forget erases resources whose rows are gone, with what a row that has such a key now
// must not inherit: what has no column, members, and the role of a group. What the ledger
// says was given stays in it, until it is taken away.
func (f *Follower) forget(ctx context.Context, m *apptables.Table, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	there, err := f.resources.Locked(ctx, m.ResourceType, ids, apptables.ToBeErased)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if there[id] != nil {
			if err := f.resources.Erase(ctx, there[id].Resource.Ref(), false); err != nil {
				return err
			}
		}
		if m.Type == search.GroupType {
			if err := f.ledger.SetLink(ctx, scim.Link{GroupID: id}); err != nil {
				return err
			}
		}
	}
	return nil
}

// project brings resources in line with the application's rows.
func (f *Follower) project(ctx context.Context, m *apptables.Table, ids []string, lock string) error {
	if len(ids) == 0 {
		return nil
	}
	before, err := f.resources.Locked(ctx, m.ResourceType, ids, apptables.ToUpdate)
	if err != nil {
		return err
	}
	rows, err := m.Read(ctx, ids, lock)
	if err != nil {
		return err
	}
	var fresh []*owntables.Row
	for _, id := range ids {
		made, err := f.projectOne(ctx, m, id, before[id], rows[id])
		if err != nil {
			return fmt.Errorf("%s %q: %w", m.Type, id, err)
		}
		if made != nil {
			fresh = append(fresh, made)
		}
	}
	if err := f.resources.InsertAll(ctx, fresh); database.IsDuplicate(err) { // another transaction has just written it too
		return fmt.Errorf("%w: %w", database.ErrMoved, err)
	} else if err != nil {
		return err
	}
	return f.projectMemberships(ctx, m, fresh)
}

// projectOne brings one resource in line. One that is new it returns, to be stored.
func (f *Follower) projectOne(ctx context.Context, m *apptables.Table, id string, was *owntables.Stored, app *mapping.Row) (made *owntables.Row, err error) {
	var r *scim.Resource
	if app != nil && app.Visible {
		now := f.db.Now()
		meta, known := scim.Meta{ID: id, Created: now, LastModified: now}, map[string]json.RawMessage(nil)
		if !app.Created.IsZero() {
			meta.Created = app.Created
		}
		if was != nil {
			meta, known = was.Resource.Meta(), was.Seen
			r = was.Resource
		} else if r, err = m.ResourceType.Bind(meta, nil, nil); err != nil {
			return nil, err
		}
		r = m.Says(ctx, f.log, r, known, app)
		if m.Type == search.UserType && r.String("userName") == "" {
			r = nil
		}
	}
	switch {
	case r == nil && was == nil:
		return nil, nil
	case r == nil:
		return nil, f.resources.Erase(ctx, was.Resource.Ref(), false)
	case was == nil:
		return f.resources.MappedRow(stepped(r, r.Meta().LastModified.UnixNano()), app.Seen, false)
	case r != was.Resource && !r.Equal(was.Resource):
		meta := r.Meta()
		meta.LastModified = later(f.db.Now(), meta.LastModified)
		return nil, f.resources.UpdateMapped(ctx, was.Resource, stepped(r.WithMeta(meta), 0), app.Seen, was.Claimed)
	case !maps.EqualFunc(was.Seen, app.Seen, func(a, b json.RawMessage) bool { return string(a) == string(b) }):
		return nil, f.resources.UpdateMapped(ctx, was.Resource, r, app.Seen, was.Claimed)
	}
	return nil, nil
}

// stepped is r with a version after the one that it has.
func stepped(r *scim.Resource, salt int64) *scim.Resource {
	m := r.Meta()
	doc, _ := r.MarshalJSON() // never fails; the version before is in it
	sum := sha256.Sum256(fmt.Append(doc, salt))
	m.Version = hex.EncodeToString(sum[:8])
	return r.WithMeta(m)
}

// projectMemberships brings in the memberships of resources that are new to
// {p}resources.
func (f *Follower) projectMemberships(ctx context.Context, m *apptables.Table, fresh []*owntables.Row) error {
	if f.joins == nil || m.Type != search.UserType && m.Type != search.GroupType {
		return nil
	}
	ids := make([]string, len(fresh))
	for i, w := range fresh {
		ids[i] = w.Resource.ID()
	}
	column := f.joins.User
	if m.Type == search.GroupType {
		column = f.joins.Group
	}
	for part := range slices.Chunk(ids, dialect.MaxArguments) {
		w := f.db.Arguments()
		edges, err := f.joins.Read(ctx, w, "j."+column+" IN ("+w.AddAll(part)+")")
		if err == nil {
			_, err = f.members.AddEdges(ctx, edges)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.joins.Name, err)
		}
	}
	return nil
}

// projectEdges brings memberships of a group in line with the application'f.
func (f *Follower) projectEdges(ctx context.Context, group string, users []string) error {
	groups, err := f.resources.Locked(ctx, f.tables[search.GroupType].ResourceType, []string{group}, apptables.ToUpdate)
	if err != nil || groups[group] == nil {
		return err // its memberships come with it
	}
	changed := 0
	for part := range slices.Chunk(users, dialect.MaxArguments) {
		w := f.db.Arguments()
		edges, err := f.joins.Read(ctx, w, "j."+f.joins.Group+" = "+w.Add(group)+" AND j."+f.joins.User+" IN ("+w.AddAll(part)+")")
		if err != nil {
			return fmt.Errorf("%s: %w", f.joins.Name, err)
		}
		added, err := f.members.AddEdges(ctx, edges)
		if err != nil {
			return err
		}
		there := make(map[string]bool, len(edges))
		for _, e := range edges {
			there[e.User] = true
		}
		var gone []scim.Ref
		for _, id := range part {
			if !there[id] {
				gone = append(gone, scim.Ref{Type: search.UserType, ID: id})
			}
		}
		removed, err := f.members.Remove(ctx, group, gone)
		if err != nil {
			return err
		}
		changed += len(added) + len(removed)
	}
	if changed == 0 {
		return nil
	}
	g := groups[group]
	meta := g.Resource.Meta()
	meta.LastModified = later(f.db.Now(), meta.LastModified)
	return f.resources.UpdateMapped(ctx, g.Resource, stepped(g.Resource.WithMeta(meta), int64(changed)), g.Seen, g.Claimed)
}

// later is a time that does not lie before another one.
func later(t, than time.Time) time.Time {
	if t.Before(than) {
		return than
	}
	return t
}
