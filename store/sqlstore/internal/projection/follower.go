// Package projection keeps the resources of types that have a Table in line with the
// application's tables. It follows what the application changes, writes what clients
// change, and lets new resources adopt rows that exist.
//
// The application's tables are the truth. {p}resources holds what clients see of them, and
// answers filters and lists. A transaction that writes {p}resources first locks its row
// there, and then reads the application's row. So of two such transactions the later one
// sees what the earlier one saw, or newer contents.
package projection

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

// Follower brings {p}resources in line with the application's tables.
type Follower struct {
	db          *database.DB
	resources   *owntables.Resources
	projections *owntables.Projections
	members     *owntables.Members
	ledger      *owntables.Ledger
	tables      map[string]*apptables.Table // by type
	types       []string                    // types are the keys of tables, in order.
	joins       *apptables.Joins            // joins is nil if the application has no table of memberships.
	notes       *notes.Notes
	log         *slog.Logger
}

// New returns a follower of the tables that are bound, and of the table of memberships,
// which may be nil.
func New(db *database.DB, r *owntables.Resources, m *owntables.Members, l *owntables.Ledger,
	bound map[string]*mapping.Mapping, join *mapping.Join, log *slog.Logger) *Follower {
	f := &Follower{db: db, resources: r, projections: r.Projections(), members: m, ledger: l, tables: make(map[string]*apptables.Table),
		types: slices.Sorted(maps.Keys(bound)), notes: notes.New(db), log: log}
	for typ, m := range bound {
		f.tables[typ] = apptables.NewTable(db, m)
	}
	if join != nil {
		f.joins = apptables.NewJoins(db, join, f.notes, f.tables[search.GroupType])
	}
	return f
}

// Table returns the table that a type is mapped onto, or nil.
func (f *Follower) Table(typ string) *apptables.Table { return f.tables[typ] }

// JoinsOf returns the application's table of memberships, or nil.
func JoinsOf(f *Follower) *apptables.Joins { return f.joins }

// IsEmpty reports whether the application has no tables.
func (f *Follower) IsEmpty() bool { return len(f.tables) == 0 }

// Writer returns the writer of a type that has a Table.
func (f *Follower) Writer(typ string) *Writer { return &Writer{f, f.tables[typ]} }

// Adopter returns the adopter of a type that has a Table.
func (f *Follower) Adopter(typ string) *Adopter { return &Adopter{f.Writer(typ)} }

// Check looks for the tables and columns that the mappings name, and for mistakes. It logs what
// is doubtful.
func (f *Follower) Check(ctx context.Context) error {
	var doubts []error
	err := f.db.Retry(ctx, func() (err error) {
		for _, typ := range f.types {
			err = errors.Join(err, f.tables[typ].Check(ctx))
		}
		if f.joins != nil {
			err = errors.Join(err, f.joins.Check(ctx, f.tables[search.UserType].Name, f.tables[search.GroupType].Name))
		}
		if err == nil {
			doubts, err = doubtsOf(ctx, f.types, f.tables, f.joins)
		}
		return err
	})
	for _, doubt := range doubts {
		f.log.WarnContext(ctx, doubt.Error())
	}
	return err
}

// doubtsOf returns what is doubtful about tables, and about one of memberships, which may be nil.
func doubtsOf(ctx context.Context, types []string, tables map[string]*apptables.Table, joins *apptables.Joins) (all []error, err error) {
	for _, typ := range types {
		some, err := tables[typ].Doubts(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	if joins == nil {
		return all, nil
	}
	some, err := joins.Doubts(ctx, tables[search.UserType].Name, tables[search.GroupType].Name)
	return append(all, some...), err
}

// WarnOfNamesakes logs two users whom clients see under one name.
func WarnOfNamesakes(ctx context.Context, f *Follower) error {
	m := f.tables[search.UserType]
	if m == nil {
		return nil
	}
	ids, err := f.projections.SameNames(ctx, m.Type)
	if err == nil && ids != nil {
		f.log.WarnContext(ctx, fmt.Sprintf("sqlstore: table %s: the users %s and %s have one userName, because clients compare it without regard to case: give each a name of its own",
			m.Name, ids[0], ids[1]))
	}
	return err
}

// ChangeJoins changes the application's memberships of a group as this package's tables
// have been changed. The application's database may reject a membership, by a unique index
// or a trigger that suppresses the insert. Then the store leaves that member out of the
// group and logs it. ChangeJoins returns the members that remain added.
func (f *Follower) ChangeJoins(ctx context.Context, groupID string, added, removed []scim.Ref) ([]scim.Ref, error) {
	if f.joins == nil {
		return added, nil
	}
	rejected, err := f.joins.Change(ctx, groupID, added, removed)
	if err != nil || len(rejected) == 0 {
		return added, err
	}
	f.log.WarnContext(ctx, "sqlstore: the application's database rejects members of a group; they are left out",
		"table", f.joins.Name, "group", groupID, "users", len(rejected), "first", rejected[0].ID)
	added = slices.DeleteFunc(added, func(r scim.Ref) bool { return slices.Contains(rejected, r) })
	_, err = f.members.Remove(ctx, groupID, rejected)
	return added, err
}

// Follow brings in what the application has changed since the last call. Every method that
// reads calls it first, and InTx before each transaction. In a transaction it brings in only
// what the transaction itself has written. Following others takes locks of groups and users,
// which the transaction takes in an order of its own. The first call in a transaction of the
// application follows others too: nothing has done so before.
func (f *Follower) Follow(ctx context.Context) error {
	if len(f.tables) == 0 {
		return nil
	}
	tx := f.db.Transaction(ctx)
	which := notes.All
	switch {
	case tx == nil || f.db.Dialect == dialect.SQLite: // In SQLite nobody else can have written notes.
	case tx.IsOwn() || !tx.IsFirst(f.db.Prefix+"\x00"+f.db.Tenant):
		which = notes.Own
	default:
		if err := database.SetMark(ctx, f.db); err != nil {
			return fmt.Errorf("sqlstore: follow the application's tables: %w", err)
		}
	}
	for n := 1; ; n++ {
		stale := false
		err := f.db.Read(ctx, func() (err error) {
			stale, err = f.notes.HasAny(ctx, which)
			return err
		})
		switch {
		case err != nil || !stale:
		case tx == nil:
			err = f.db.InTxAlone(ctx, func(ctx context.Context) error { return f.followSome(ctx, which) })
		default:
			err = f.followSome(ctx, which)
		}
		if err == nil && stale && n&(n-1) == 0 && n > 1 && tx == nil { // The database would not do so while the loop fills the tables.
			err = f.projections.Analyze(ctx)
		}
		if err != nil {
			return fmt.Errorf("sqlstore: follow the application's tables: %w", err)
		}
		if !stale {
			return nil
		}
	}
}

// followSome follows one batch of notes.
func (f *Follower) followSome(ctx context.Context, which notes.Which) error {
	if which == notes.All {
		// Two transactions that follow at once would not see that both insert a resource.
		if err := f.db.LockName(ctx, notes.FollowLock); err != nil {
			return err
		}
	}
	batch, err := f.notes.Read(ctx, which)
	if err != nil {
		return err
	}
	erased, err := f.lock(ctx, batch)
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
	if f.joins != nil { // Otherwise the notes are for another Store.
		for _, group := range slices.Sorted(maps.Keys(batch.Members)) {
			if err := f.projectMembers(ctx, group, dialect.Distinct(batch.Members[group])); err != nil {
				return err
			}
		}
	}
	if err := f.resources.EraseLocks(ctx, search.UserType, erased); err != nil {
		return err
	}
	return f.notes.Delete(ctx, batch)
}

// lock locks all resources that a batch changes: groups before others, and each type in
// order of id. These include the groups of resources that the batch erases. It returns the
// users among those. In SQLite a transaction has the database to itself.
func (f *Follower) lock(ctx context.Context, batch *notes.Batch) (users []string, err error) {
	if f.db.Dialect == dialect.SQLite {
		return nil, nil
	}
	changed, erased := make(map[string][]string), make(map[string][]string)
	var members []scim.Ref
	for _, typ := range f.types {
		changed[typ] = dialect.Distinct(batch.Changed[typ])
		if erased[typ], err = f.tables[typ].Invisible(ctx, changed[typ]); err != nil {
			return nil, err
		}
		erased[typ] = dialect.Distinct(slices.Concat(erased[typ], batch.Gone[typ]))
		for _, id := range erased[typ] {
			members = append(members, scim.Ref{Type: typ, ID: id})
		}
	}
	left, err := f.groupsOf(ctx, members)
	if err != nil {
		return nil, err
	}
	changed[search.GroupType] = slices.Concat(changed[search.GroupType], slices.Collect(maps.Keys(batch.Members)), left)
	types := slices.DeleteFunc(slices.Clone(f.types), func(typ string) bool { return typ == search.GroupType })
	for _, typ := range slices.Insert(types, 0, search.GroupType) {
		if err := f.resources.Lock(ctx, typ, changed[typ], apptables.ToUpdate); err != nil {
			return nil, err
		}
		if err := f.resources.Lock(ctx, typ, erased[typ], apptables.ToBeErased); err != nil {
			return nil, err
		}
	}
	now, err := f.groupsOf(ctx, members)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(now, func(id string) bool { return !slices.Contains(left, id) }) {
		return nil, database.ErrMoved // Somebody has added one of them to another group.
	}
	return erased[search.UserType], nil
}

// groupsOf lists the ids of the groups that have one of some members.
func (f *Follower) groupsOf(ctx context.Context, members []scim.Ref) ([]string, error) {
	if len(members) == 0 {
		return nil, nil
	}
	all, err := f.members.GroupsOf(ctx, members)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(all))
	for i, m := range all {
		ids[i] = m.GroupID
	}
	return dialect.Distinct(ids), nil
}

// forget erases resources whose rows are gone. A row that gets the same key later must not
// inherit what has no column, the members, and the role of a group. Grants stay in the
// ledger until they are taken away.
func (f *Follower) forget(ctx context.Context, m *apptables.Table, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	there, err := f.projections.Lock(ctx, m.ResourceType, ids, apptables.ToBeErased)
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
			if err := f.ledger.SetLink(ctx, scim.Link{Source: scim.GroupSource(id)}); err != nil {
				return err
			}
		}
	}
	return nil
}
