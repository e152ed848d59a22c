package projection

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/apptables"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Writer writes the resources of a type that has a Table. It writes the application's row
// first, and then stores what has become of it.
type Writer struct {
	*Follower
	table *apptables.Table
}

// lock locks a resource and the application's row, and brings the resource in line. It only
// keeps others from updating the row: roles refer to it, and users are locked before roles.
func (w *Writer) lock(ctx context.Context, ref scim.Ref, lock string) (*owntables.Projection, *mapping.Row, error) {
	if err := w.Follow(ctx); err != nil {
		return nil, nil, err
	}
	if len(dialect.Storable([]string{ref.ID})) == 0 {
		return nil, nil, scim.ErrNotFound
	}
	for range 3 { // It tries again if the application has changed the row.
		all, err := w.projections.Lock(ctx, w.table.ResourceType, []string{ref.ID}, lock)
		if err != nil {
			return nil, nil, fmt.Errorf("sqlstore: get %s %q: %w", ref.Type, ref.ID, err)
		}
		p := all[ref.ID]
		if p == nil || p.Seen == nil || !p.Claimed && w.resources.Hides(ref.Type) { // Without Seen it is older than the Table, and not in it.
			return nil, nil, scim.ErrNotFound
		}
		rows, err := w.table.Read(ctx, []string{ref.ID}, apptables.ToUpdate)
		if err != nil {
			return nil, nil, err
		}
		row := rows[ref.ID]
		if row != nil && row.Visible && mapping.Seen(p.Seen).Contains(row.Seen) {
			return p, row, nil
		}
		if _, err := w.projectOne(ctx, w.table, ref.ID, p, row); err != nil {
			return nil, nil, fmt.Errorf("sqlstore: get %s %q: %w", ref.Type, ref.ID, err)
		}
	}
	return nil, nil, database.ErrMoved
}

// Create inserts the row of a new resource.
func (w *Writer) Create(ctx context.Context, r *scim.Resource) (out *scim.Resource, err error) {
	err = w.db.Write(ctx, func(ctx context.Context) error {
		if err := w.Follow(ctx); err != nil {
			return err
		}
		namesakes, err := w.checkUserName(ctx, "", r)
		if err != nil {
			return err
		}
		to, err := w.table.InsertRow(ctx, r, namesakes)
		if err != nil {
			return w.table.Refusal(ctx, nil, r, err)
		}
		meta := r.Meta()
		meta.ID = to.Key
		out, err = w.store(ctx, nil, r.WithMeta(meta), nil, to)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Update changes a resource, and its row, by fn.
func (w *Writer) Update(ctx context.Context, ref scim.Ref, fn func(before *scim.Resource) (*scim.Resource, error)) (out *scim.Resource, err error) {
	err = w.db.Write(ctx, func(ctx context.Context) error {
		before, row, err := w.lock(ctx, ref, apptables.ToUpdate)
		if err != nil {
			return err
		}
		after, err := fn(before.Resource)
		switch {
		case err != nil:
			return err
		case after == before.Resource:
			out = after
			return nil
		}
		if err := owntables.CheckUpdate(ref, after); err != nil {
			return err
		}
		var namesakes apptables.Namesakes
		if scim.Fold(after.String("userName")) != scim.Fold(before.Resource.String("userName")) {
			if namesakes, err = w.checkUserName(ctx, ref.ID, after); err != nil {
				return err
			}
		}
		to, err := w.table.UpdateRow(ctx, ref.ID, before.Resource, after, row, namesakes)
		if err != nil {
			return w.table.Refusal(ctx, before.Resource, after, err)
		}
		out, err = w.store(ctx, before, after, row, to)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// store stores a resource after the application's row was written. before and was are nil
// for a new resource. A column that the write did not set, but that has changed, wins: it
// has a default, or a trigger of the application has set it.
func (w *Writer) store(ctx context.Context, before *owntables.Projection, after *scim.Resource, was *mapping.Row, to *apptables.Written) (*scim.Resource, error) {
	rows, err := w.table.Read(ctx, []string{after.ID()}, apptables.Unlocked)
	if err != nil {
		return nil, err
	}
	row := rows[after.ID()]
	switch {
	case row == nil:
		return nil, fmt.Errorf("sqlstore: the row of %s %q is missing after it was written", w.table.Type, after.ID())
	case !row.Visible && before == nil:
		return nil, &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Detail: "the application does not accept a " + w.table.Type + " like this one"}
	case !row.Visible: // The write has hidden it, as the application can.
		return after, w.resources.Erase(ctx, after.Ref(), false)
	}
	known, err := w.seenAfter(ctx, before, after, was, row, to)
	if err != nil {
		return nil, err
	}
	meta := after.Meta()
	if before == nil && !row.Created.IsZero() {
		meta.Created = row.Created
		meta.LastModified = later(meta.LastModified, meta.Created)
	}
	meta.Created, meta.LastModified = dialect.FromMicros(dialect.Micros(meta.Created)), dialect.FromMicros(dialect.Micros(meta.LastModified))
	out := w.table.Merge(ctx, w.log, after.WithMeta(meta), known, row)
	if before == nil {
		err = w.projections.Insert(ctx, out, row.Seen)
	} else {
		err = w.projections.Update(ctx, owntables.Written{Before: before.Resource, After: out, Seen: row.Seen,
			Claimed: before.Claimed || scim.Claims(before.Resource, after), ByClient: true})
	}
	if err != nil {
		return nil, err
	}
	return out, w.notes.DeleteOwn(ctx, w.table.Type, out.ID(), nil)
}

// seenAfter returns what counts as seen of a row after a write: the cells that the write
// has set, and those that were seen before it.
func (w *Writer) seenAfter(ctx context.Context, before *owntables.Projection, after *scim.Resource, was, row *mapping.Row, to *apptables.Written) (mapping.Seen, error) {
	known := make(mapping.Seen, len(row.Seen))
	for i := range w.table.Columns {
		c := &w.table.Columns[i]
		v := c.ValueIn(after)
		switch {
		case to.IsKept(c) && before == nil: // What the client sent counts for the tenant alone.
			if v != nil && !c.ReadOnly {
				known[c.SeenKey()] = row.Seen[c.SeenKey()]
			}
		case to.IsKept(c) && c.IsWritten(before.Resource, after):
			known[c.SeenKey()] = was.Seen[c.SeenKey()]
		case before == nil && (v != nil || c.Empty != nil), before != nil && !reflect.DeepEqual(c.ValueIn(before.Resource), v): // The write has set the column.
			if !c.ReadOnly && c.Matches(v, row.Cells[i]) {
				known[c.SeenKey()] = row.Seen[c.SeenKey()]
			}
		case before != nil:
			known[c.SeenKey()] = was.Seen[c.SeenKey()]
		}
	}
	for i := range w.table.Children {
		c := &w.table.Children[i]
		v := after.Get(c.Path)
		switch {
		case before == nil && v != nil:
			known[c.SeenKey()] = row.Seen[c.SeenKey()]
		case before != nil && reflect.DeepEqual(before.Resource.Get(c.Path), v):
			known[c.SeenKey()] = was.Seen[c.SeenKey()]
		case before != nil:
			// The lock on the row does not lock the rows of its children.
			moved, err := w.notes.HasOthers(ctx, w.table.Type, after.ID())
			if err != nil {
				return nil, err
			}
			if !moved {
				known[c.SeenKey()] = row.Seen[c.SeenKey()]
			}
		}
	}
	return known, nil
}

// checkUserName returns a conflict if another user has the userName of r. The application's
// own indexes may compare differently, and may accept what SCIM does not. If an index spans
// all tenants, checkUserName returns other tenants' users with this userName.
func (w *Writer) checkUserName(ctx context.Context, id string, r *scim.Resource) (namesakes apptables.Namesakes, err error) {
	if w.table.Type != search.UserType {
		return namesakes, nil
	}
	lock, ofAll := w.db.LockName, w.table.HasNamesOfAll()
	if ofAll {
		lock = w.db.LockNameOfAll
	}
	key := search.IndexKey(scim.Fold(r.String("userName")))
	if err := lock(ctx, "userName "+key); err != nil {
		return namesakes, err
	}
	taken, err := w.projections.HasUserName(ctx, w.table.Type, key, id)
	if err == nil && taken {
		err = scim.Conflict("userName")
	}
	if err == nil && ofAll {
		err = w.projections.EachNamesakeElsewhere(ctx, w.table.Type, key, func(tenant, id string) {
			namesakes.Elsewhere = append(namesakes.Elsewhere, apptables.Namesake{Tenant: tenant, Key: id})
		})
	}
	if err == nil && w.table.Retire != nil {
		namesakes.Spellings, err = w.formerSpellings(ctx, key, r)
	}
	return namesakes, err
}

// formerSpellings returns how the row spells the userName that a client deleted last.
func (w *Writer) formerSpellings(ctx context.Context, key string, r *scim.Resource) ([]string, error) {
	former, err := w.projections.FindDeleted(ctx, w.table.ResourceType, "userName", key)
	if err != nil || former == nil || former.Seen == nil {
		return nil, err
	}
	var was mapping.Seen
	if err := json.Unmarshal(former.Seen, &was); err != nil {
		return nil, fmt.Errorf("sqlstore: former %s %q: %w", w.table.Type, former.Resource.ID(), err)
	}
	spelling, err := w.table.Spelling(was, r.String("userName"))
	return mapping.NonEmpty(spelling), err
}

// Delete deletes a resource and its row, if check agrees.
func (w *Writer) Delete(ctx context.Context, ref scim.Ref, check func(before *scim.Resource) error) error {
	return w.db.Write(ctx, func(ctx context.Context) error {
		before, _, err := w.lock(ctx, ref, apptables.ToBeErased)
		if err != nil {
			return err
		}
		if err := check(before.Resource); err != nil {
			return err
		}
		if err := w.resources.Erase(ctx, ref, w.resources.KeepDeleted || w.table.Retire != nil); err != nil {
			return err
		}
		// The lock on the row waits for transactions of the application that refer to it.
		rows, err := w.table.Read(ctx, []string{ref.ID}, apptables.ToBeErased)
		if err != nil {
			return err
		}
		row := rows[ref.ID]
		if row == nil {
			return database.ErrMoved
		}
		// The lock of Erase waits for transactions that write memberships, so this comes next.
		if w.joins != nil {
			if err = w.joins.DeleteAll(ctx, w.table.Type, ref.ID); err != nil {
				err = fmt.Errorf("%s: %w", w.joins.Name, err)
			}
		}
		if err == nil {
			err = w.table.DeleteRow(ctx, before.Resource, row)
		}
		if err != nil {
			return fmt.Errorf("sqlstore: delete %s %q: %w", ref.Type, ref.ID, err)
		}
		if w.table.Retire != nil {
			if err := w.rememberRetired(ctx, ref.ID); err != nil {
				return err
			}
		}
		if err := w.resources.EraseLocks(ctx, ref.Type, []string{ref.ID}); err != nil {
			return err
		}
		return w.notes.DeleteOwn(ctx, w.table.Type, ref.ID, nil)
	})
}

// rememberRetired stores how a row was left when its resource was deleted. The adopter
// compares it with the row.
func (w *Writer) rememberRetired(ctx context.Context, id string) error {
	rows, err := w.table.Read(ctx, []string{id}, apptables.Unlocked)
	if err != nil || rows[id] == nil {
		return err
	}
	return w.projections.SetSeenOfDeleted(ctx, scim.Ref{Type: w.table.Type, ID: id}, rows[id].Seen)
}
