// Package owntables keeps resources, memberships and the ledger in the tables of package
// sqlstore.
package owntables

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// shown is the condition that clients see a resource of a type, as r.
func (s *Resources) shown(typ string) string {
	if s.Hides(typ) {
		return search.IsClaimed
	}
	return ""
}

// Hides reports whether clients do not see the unclaimed resources of a type.
func (s *Resources) Hides(typ string) bool { return s.Types[typ].Unclaimed == search.HideUnclaimed }

// Fetch reads a resource. more is appended to the query: a condition, or a lock on the row.
func (s *Resources) Fetch(ctx context.Context, ref scim.Ref, more string) (*scim.Resource, error) {
	t, ok := s.Types[ref.Type]
	if !ok || len(dialect.Storable([]string{ref.ID})) == 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, scim.ErrNotFound
	}
	var r *scim.Resource
	err := s.db.Each(ctx, func(scan func(...any) error) (err error) {
		r, err = bind(t.ResourceType, scan)
		return err
	}, "SELECT "+Columns+" FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND r.id = $3 AND r.deleted = 0"+more, ref.Type, ref.ID)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: get %s %q: %w", ref.Type, ref.ID, err)
	}
	if r == nil {
		return nil, scim.ErrNotFound
	}
	return r, nil
}

// Get reads a resource.
func (s *Resources) Get(ctx context.Context, ref scim.Ref) (r *scim.Resource, err error) {
	err = s.db.Read(ctx, func() error {
		r, err = s.Fetch(ctx, ref, s.shown(ref.Type))
		return err
	})
	return r, err
}

// Create stores a new resource.
func (s *Resources) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	if r.ID() == "" || len(dialect.Storable([]string{r.ID()})) == 0 {
		return nil, fmt.Errorf("sqlstore: a resource needs an id in UTF-8 without U+0000: %q", r.ID())
	}
	w, err := s.Row(r)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: create %s %q: %w", r.Type().Name(), r.ID(), err)
	}
	w.client = clientOf(ctx)
	err = s.db.Write(ctx, func(ctx context.Context) error {
		if err := s.refuseTwin(ctx, r.Ref()); err != nil {
			return err
		}
		switch n, err := s.insertRow(ctx, w); {
		case err != nil:
			return fmt.Errorf("sqlstore: create %s %q: %w", r.Type().Name(), r.ID(), err)
		case n == 0:
			return s.findConflict(ctx, r.Ref())
		}
		return s.putEmails(ctx, r.Ref(), nil, w.emails)
	})
	if err != nil {
		return nil, err
	}
	return w.Resource, nil
}

// refuseTwin refuses a user with the id of a group, and a group with the id of a user, if
// UniqueIDs says so. It locks the id, because no unique index covers both types.
func (s *Resources) refuseTwin(ctx context.Context, ref scim.Ref) error {
	other := search.GroupType
	switch {
	case !s.UniqueIDs || ref.Type != search.UserType && ref.Type != search.GroupType:
		return nil
	case ref.Type == search.GroupType:
		other = search.UserType
	}
	if err := s.db.LockName(ctx, "id "+ref.ID); err != nil {
		return fmt.Errorf("sqlstore: lock the id %q: %w", ref.ID, err)
	}
	switch _, err := s.Fetch(ctx, scim.Ref{Type: other, ID: ref.ID}, ""); {
	case err == nil:
		return scim.Conflict("id")
	case !errors.Is(err, scim.ErrNotFound):
		return err
	}
	return nil
}

// insertRow inserts the row of a new resource, unless one of its unique values exists. An
// error would end a transaction of PostgreSQL that could go on.
func (s *Resources) insertRow(ctx context.Context, w *Row) (n int64, err error) {
	ref := w.Resource.Ref()
	n, err = s.db.Count(ctx, `INSERT INTO {p}resources
		(tenant, type, id, deleted, collection, created, modified, version, user_name, external_id, display_name, doc, search, seen, claimed, display, client)
		VALUES ($1, $2, $3, 0, $12, $4, $5, $6, $7, $8, $9, $10, $11, $13, $14, $15, $16)`+orNothing(s.db.Dialect, ""),
		ref.Type, ref.ID, w.created, w.lastModified, w.Resource.Meta().Version, w.userName, w.externalID, w.displayName, w.doc, w.search,
		s.collection(ref.Type), w.seen, dialect.Bit(w.claimed), w.display, w.client)
	if s.db.Dialect == dialect.MariaDB && database.IsDuplicate(err) {
		return 0, nil
	}
	return n, err
}

// updateRow replaces the row of a resource. If it no longer has the version was, unless that is "",
// the error is database.ErrMoved.
func (s *Resources) updateRow(ctx context.Context, w *Row, was string) error {
	text, args := updateText(w, was)
	n, err := s.db.Count(ctx, text, args...)
	if err == nil && n == 0 && was != "" {
		err = database.ErrMoved
	}
	return err
}

// updateText is the statement of updateRow, with its arguments.
func updateText(w *Row, was string) (text string, args []any) {
	ref := w.Resource.Ref()
	return `UPDATE {p}resources SET created = $4, modified = $5, version = $6, user_name = $7,
		external_id = $8, display_name = $9, doc = $10, search = $11, seen = $12, claimed = $13, display = $14,
		client = CASE WHEN CAST($15 AS text) = '' THEN client ELSE CAST($15 AS text) END
		WHERE tenant = $1 AND type = $2 AND id = $3 AND deleted = 0 AND (version = $16 OR $16 = '')`,
		[]any{ref.Type, ref.ID, w.created, w.lastModified, w.Resource.Meta().Version, w.userName, w.externalID, w.displayName, w.doc, w.search,
			w.seen, dialect.Bit(w.claimed), w.display, w.client, was}
}

// findConflict returns the conflict of a new resource: a resource with its id or its
// userName exists.
func (s *Resources) findConflict(ctx context.Context, ref scim.Ref) error {
	switch _, err := s.Fetch(ctx, ref, ""); {
	case err == nil:
		return scim.Conflict("id")
	case errors.Is(err, scim.ErrNotFound):
		return scim.Conflict("userName")
	default:
		return err
	}
}

// putEmails changes the look-ups of a resource from the addresses before to those after.
func (s *Resources) putEmails(ctx context.Context, ref scim.Ref, before, after []string) error {
	if slices.Equal(before, after) {
		return nil
	}
	if len(before) > 0 {
		if _, err := s.db.Exec(ctx, "DELETE FROM {p}lookups WHERE tenant = $1 AND type = $2 AND id = $3", ref.Type, ref.ID); err != nil {
			return fmt.Errorf("sqlstore: look-ups of %s %q: %w", ref.Type, ref.ID, err)
		}
	}
	if len(after) > 0 {
		_, err := s.db.Exec(ctx, `INSERT INTO {p}lookups (tenant, type, id, path, value)
			SELECT $1, $2, $3, $4, e.value ->> 0 FROM {rows $5}`, ref.Type, ref.ID, search.EmailPath, dialect.Tuples(after, func(v string) []any { return []any{v} }))
		if err != nil {
			return fmt.Errorf("sqlstore: look-ups of %s %q: %w", ref.Type, ref.ID, err)
		}
	}
	return nil
}

// Update changes a resource by fn.
func (s *Resources) Update(ctx context.Context, ref scim.Ref, fn func(before *scim.Resource) (*scim.Resource, error)) (out *scim.Resource, err error) {
	err = s.db.Write(ctx, func(ctx context.Context) error {
		wasLocked := IsLocked(ctx, s.db, ref)
		out, err = updateLocked(ctx, s, ref, fn)
		if wasLocked && errors.Is(err, database.ErrMoved) { // The application has rolled back a savepoint of its own.
			keptOf(s.db, ref).forget(s.db.Transaction(ctx))
			out, err = updateLocked(ctx, s, ref, fn)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// updateLocked is Update in a transaction.
func updateLocked(ctx context.Context, s *Resources, ref scim.Ref, fn func(before *scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	before, err := fetchLocked(ctx, s, ref, false)
	if err != nil {
		return nil, err
	}
	after, err := fn(before)
	if err != nil || after == before {
		return before, err
	}
	if err := CheckUpdate(ref, after); err != nil {
		return nil, err
	}
	out, err := s.replace(ctx, before, after)
	if j, k := s.db.Transaction(ctx), keptOf(s.db, ref); err == nil {
		k.put(j, keptRow{out, k.in(j).toDelete})
	}
	return out, err
}

// CheckUpdate returns an error if after is not the resource that is updated.
func CheckUpdate(ref scim.Ref, after *scim.Resource) error {
	if after == nil || after.Ref() != ref {
		return fmt.Errorf("sqlstore: the update of %s %q must return that resource", ref.Type, ref.ID)
	}
	return nil
}

// replace replaces a resource that is locked.
func (s *Resources) replace(ctx context.Context, before, after *scim.Resource) (*scim.Resource, error) {
	ref := after.Ref()
	fail := func(err error) (*scim.Resource, error) {
		return nil, fmt.Errorf("sqlstore: update %s %q: %w", ref.Type, ref.ID, err)
	}
	old, err := s.Row(before)
	if err != nil {
		return fail(err)
	}
	w, err := s.Row(after)
	if err != nil {
		return fail(err)
	}
	w.client = clientOf(ctx)
	was := ""
	if IsLocked(ctx, s.db, ref) {
		was = before.Meta().Version
	}
	update := func(ctx context.Context) error { return s.updateRow(ctx, w, was) }
	taken, isRenamed := false, w.userName != old.userName
	if isRenamed {
		taken, err = s.isTaken(ctx, ref, w.userName)
	}
	switch {
	case err != nil:
	case taken:
		return nil, scim.Conflict("userName")
	case isRenamed:
		err = s.db.InTx(ctx, update) // Without a savepoint PostgreSQL accepts no statement after a duplicate.
	case ref.Type == search.UserType && was != "" && isLockedAhead(ctx, s.db, ref.ID):
		err = updateAndLook(ctx, s, w, was)
	default:
		err = update(ctx)
	}
	switch {
	case err != nil && database.IsDuplicate(err):
		return nil, scim.Conflict("userName")
	case err != nil:
		return fail(err)
	}
	return w.Resource, s.putEmails(ctx, ref, old.emails, w.emails)
}

// isTaken reports whether another resource has a userName, given as a key. A write that
// takes the name fails too, but it first waits for a transaction that gives the name up.
// Two such transactions would wait for each other if users exchange their names.
func (s *Resources) isTaken(ctx context.Context, ref scim.Ref, userName any) (bool, error) {
	return s.db.HasAny(ctx, `SELECT 1 FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND r.user_name = $3 AND r.id <> $4
		AND r.deleted = 0 AND r.seen IS NULL LIMIT 1`, ref.Type, userName, ref.ID)
}

// Delete deletes a resource with its memberships, in either direction, if check agrees.
func (s *Resources) Delete(ctx context.Context, ref scim.Ref, check func(before *scim.Resource) error) error {
	return s.db.Write(ctx, func(ctx context.Context) error {
		before, err := fetchLocked(ctx, s, ref, true)
		if err != nil {
			return err
		}
		if err := check(before); err != nil {
			return err
		}
		return s.erase(ctx, ref, s.KeepDeleted, true)
	})
}

// Erase erases a resource, or labels it if keep is true.
func (s *Resources) Erase(ctx context.Context, ref scim.Ref, keep bool) error {
	return s.erase(ctx, ref, keep, false)
}

// erase is Erase, and EraseLocks if withLocks is true.
func (s *Resources) erase(ctx context.Context, ref scim.Ref, keep, withLocks bool) error {
	var statements []string
	if keep {
		if err := s.labelDeleted(ctx, ref); err != nil {
			return err
		}
	} else {
		statements = append(statements, "DELETE FROM {p}resources WHERE tenant = $1 AND type = $2 AND id = $3 AND deleted = 0")
	}
	j := s.db.Transaction(ctx)
	isLocked := keptOf(s.db, ref).in(j).toDelete
	keptOf(s.db, ref).forget(j)
	// The resource comes first. Its lock waits for transactions that add it to a group, or
	// members to it, and keeps others from starting. Their memberships are then visible here.
	statements = append(statements,
		"DELETE FROM {p}lookups WHERE tenant = $1 AND type = $2 AND id = $3",
		"DELETE FROM {p}members WHERE tenant = $1 AND member_type = $2 AND member_id = $3")
	if ref.Type == search.GroupType {
		statements = append(statements, "DELETE FROM {p}members WHERE tenant = $1 AND $2 = 'Group' AND group_id = $3")
	}
	if s.db.Dialect == dialect.Postgres && isLocked { // Nobody is left to wait for, so all see the same.
		if withLocks && ref.Type == search.UserType {
			statements, withLocks = append(statements, eraseLock), false
		}
		statements = []string{inOne(statements)}
	}
	for _, text := range statements {
		if _, err := s.db.Exec(ctx, text, ref.Type, ref.ID); err != nil {
			return fmt.Errorf("sqlstore: delete %s %q: %w", ref.Type, ref.ID, err)
		}
	}
	if !withLocks {
		return nil
	}
	return s.EraseLocks(ctx, ref.Type, []string{ref.ID})
}

// inOne makes one statement of several for PostgreSQL. All see the database as it is before them.
func inOne(statements []string) string {
	last := len(statements) - 1
	text := "WITH "
	for i, statement := range statements[:last] {
		if i > 0 {
			text += ", "
		}
		text += "s" + strconv.Itoa(i) + " AS (" + statement + ")"
	}
	return text + " " + statements[last]
}

// labelDeleted labels a resource as deleted now, or just after the last one that had its
// id.
func (s *Resources) labelDeleted(ctx context.Context, ref scim.Ref) error {
	_, err := s.db.Exec(ctx, `UPDATE {p}resources SET deleted = (SELECT CASE WHEN max(o.deleted) < $4 THEN $4 ELSE max(o.deleted) + 1 END
			FROM {p}resources o WHERE o.tenant = $1 AND o.type = $2 AND o.id = $3)
		WHERE tenant = $1 AND type = $2 AND id = $3 AND deleted = 0`, ref.Type, ref.ID, dialect.Micros(s.db.Now()))
	if err != nil {
		return fmt.Errorf("sqlstore: delete %s %q: %w", ref.Type, ref.ID, err)
	}
	return nil
}

// errCut ends a page early.
var errCut = errors.New("the page has enough bytes")

// List reads a page of the resources of a type that clients see. Of a type that the store does not keep,
// there are none: an application without groups has a console too.
func (s *Resources) List(ctx context.Context, members *Members, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	kept, ok := s.Types[t.Name()]
	if !ok {
		return &scim.Page{}, ctx.Err()
	}
	if page, ok := takePage(ctx, s.db, t, q); ok {
		return page, ctx.Err()
	}
	if page, ok, err := pageAhead(ctx, s, t, q); ok || err != nil {
		return page, err
	}
	if page, ok, err := pageWithGroups(ctx, s, members, kept, q); ok || err != nil {
		return page, err
	}
	return s.list(ctx, kept, q)
}

// ListAll reads a page of all resources of a type, hidden ones too.
func (s *Resources) ListAll(ctx context.Context, t search.Type, q *scim.Query) (*scim.Page, error) {
	t.Unclaimed = search.ListUnclaimed
	return s.list(ctx, t, q)
}

func (s *Resources) list(ctx context.Context, t search.Type, q *scim.Query) (*scim.Page, error) {
	page := &scim.Page{}
	t, err := chooseIndexes(ctx, s.db, t, q)
	if err != nil {
		return nil, err
	}
	w := search.NewWriter(s.db.Dialect, t)
	where, err := w.Where(q)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: filter %s: %w", q.Filter.Text(), err)
	}
	at := window{q: *q}
	if q.After == nil {
		at.skip = q.Offset
	}
	mayKeep := isWalk(q) && s.db.Transaction(ctx) == nil
	switch {
	case mayKeep && q.Offset > 0:
		at.start(s.places.before(listOf(ctx, t.ResourceType, q), q.Offset))
	case mayKeep && s.places.areKept():
		s.places.forget(listOf(ctx, t.ResourceType, q))
	}
	if q.Limit > 0 {
		if err := readPage(ctx, s.db, w, where, &at, t.ResourceType, page); err != nil {
			return nil, err
		}
		if !q.Total || at.from == nil && findTotal(q, page) {
			return page, nil
		}
	}
	if !at.knowsTotal(page) {
		if page.Total, err = countAll(ctx, s.db, t, q); err != nil {
			return nil, err
		}
	}
	if at.isPast(page) {
		s.places.forget(listOf(ctx, t.ResourceType, q))
		return s.list(ctx, t, q)
	}
	if mayKeep && len(page.Resources) > 0 && at.hasMore(page) { // which a look-up has not
		s.places.keep(at.end(listOf(ctx, t.ResourceType, q), page), at.from)
	}
	return page, nil
}

// readPage reads the resources of a page.
func readPage(ctx context.Context, db *database.DB, w *search.Writer, where string, at *window, t *scim.ResourceType, page *scim.Page) error {
	q := &at.q
	columns := Columns
	if q.WithoutAttributes {
		columns = withoutDoc
	}
	text, err := w.Page(columns, where, q, at.skip)
	if err != nil {
		return err
	}
	err = db.Read(ctx, func() error {
		page.Resources, page.Cut = nil, false
		size := 0
		return db.Each(ctx, func(scan func(...any) error) error {
			if q.MaxBytes > 0 && size >= q.MaxBytes {
				page.Cut = true
				return errCut
			}
			r, n, err := bindSize(t, scan)
			size += n
			page.Resources = append(page.Resources, r)
			return err
		}, text, w.Args...)
	})
	if err != nil && !errors.Is(err, errCut) {
		return fmt.Errorf("sqlstore: list %ss: %w", t.Name(), err)
	}
	return nil
}

// findTotal finds the total of a query by its last page, if this is the last one, and so without
// counting. A look-up has one page.
func findTotal(q *scim.Query, page *scim.Page) bool {
	n := len(page.Resources)
	if q.After != nil || page.Cut || n >= q.Limit || n == 0 && q.Offset > 0 {
		return false
	}
	page.Total = q.Offset + n
	return true
}
