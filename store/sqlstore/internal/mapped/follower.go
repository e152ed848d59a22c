// Package mapped keeps resources of types that have a Table in line with the
// application's tables: it follows what the application changes, writes what clients
// change, and lets new resources adopt rows that are there.
package mapped

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

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

// Follower brings {p}resources in line with the application's tables.
type Follower struct {
	db        *database.DB
	resources *owntables.Resources
	shown     *owntables.Projections
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

	f := &Follower{db: db, resources: r, shown: r.Projections(), members: m, ledger: l, tables: make(map[string]*apptables.Table),

		types: slices.Sorted(maps.Keys(bound)), notes: notes.New(db), log: log}

	for typ, m := range bound {

		f.tables[typ] = apptables.NewTable(db, m)

	}

	if join != nil {

		f.joins = apptables.NewJoins(db, join, f.notes)

	}

	return f

}

// Table returns the table that a type is mapped onto, or nil.
func (f *Follower) Table(typ string) *apptables.Table { return f.tables[typ] }

// IsEmpty reports whether there is no table of the application.
func (f *Follower) IsEmpty() bool { return len(f.tables) == 0 }

// Writer returns the writer of a type that has a Table.
func (f *Follower) Writer(typ string) *Writer { return &Writer{f, f.tables[typ]} }

// Adopter returns the adopter of a type that has a Table.
func (f *Follower) Adopter(typ string) *Adopter { return &Adopter{f.Writer(typ)} }

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
	which := notes.All
	if tx != nil && f.db.Dialect == dialect.Postgres && !tx.IsFirst(f.db.Prefix+"\x00"+f.db.Tenant) {
		which = notes.Own // In SQLite nobody else can have written.
	}
	for n := 1; ; n++ {
		stale := false
		err := f.db.Read(ctx, func() (err error) {
			stale, err = f.notes.HasAny(ctx, which)
			return err
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
func (f *Follower) followSome(ctx context.Context, which notes.Which) error {
	if which == notes.All {
		// One at a time: two that make the same new resource would not see each other.
		if err := f.db.LockName(ctx, "follow"); err != nil {
			return err
		}
	}
	batch, err := f.notes.Read(ctx, which)
	if err != nil {
		return err
	}
	for _, typ := range f.types {
		if err := f.forget(ctx, f.tables[typ], dialect.Distinct(batch.Gone[typ])); err != nil {
			return err
		}
		if err := f.project(ctx, f.tables[typ], dialect.Distinct(batch.Changed[typ]), apptables.Unlocked); err != nil {
			return err
		}
	}
	if f.joins != nil { // else the notes are those of another Store
		for _, group := range slices.Sorted(maps.Keys(batch.Members)) {
			if err := f.projectEdges(ctx, group, dialect.Distinct(batch.Members[group])); err != nil {
				return err
			}
		}
	}
	return f.notes.Delete(ctx, batch)
}

// forget erases resources whose rows are gone, with what a row that has such a key now
// must not inherit: what has no column, members, and the role of a group. What the ledger
// says was given stays in it, until it is taken away.
func (f *Follower) forget(ctx context.Context, m *apptables.Table, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	there, err := f.shown.Lock(ctx, m.ResourceType, ids, apptables.ToBeErased)
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
