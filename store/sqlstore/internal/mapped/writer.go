package mapped

import (
	"context"
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

// Writes of types that have a Table: the application's row first, and then what it has
// become is taken over.

// Writer writes resources of types that have a Table.
type Writer struct {
	*Follower
	table *apptables.Table
}

// take locks a resource and the application's row, and brings the former in line.
func (s *Writer) take(ctx context.Context, ref scim.Ref, lock string) (*owntables.Projection, *mapping.Row, error) {
	if err := s.Follow(ctx); err != nil {
		return nil, nil, err
	}
	if len(dialect.Storable([]string{ref.ID})) == 0 {
		return nil, nil, scim.ErrNotFound
	}
	for range 3 { // once more, if the application has changed the row since
		all, err := s.shown.Lock(ctx, s.table.ResourceType, []string{ref.ID}, lock)
		if err != nil {
			return nil, nil, fmt.Errorf("sqlstore: get %s %q: %w", ref.Type, ref.ID, err)
		}
		p := all[ref.ID]
		if p == nil || p.Seen == nil { // from before the type had a Table, and not in it
			return nil, nil, scim.ErrNotFound
		}
		rows, err := s.table.Read(ctx, []string{ref.ID}, lock)
		if err != nil {
			return nil, nil, err
		}
		row := rows[ref.ID]
		if row != nil && row.Visible && mapping.Seen(p.Seen).Contains(row.Seen) {
			return p, row, nil
		}
		if _, err := s.projectOne(ctx, s.table, ref.ID, p, row); err != nil {
			return nil, nil, fmt.Errorf("sqlstore: get %s %q: %w", ref.Type, ref.ID, err)
		}
	}
	return nil, nil, database.ErrMoved
}

func (s *Writer) Create(ctx context.Context, r *scim.Resource) (out *scim.Resource, err error) {
	err = s.db.Write(ctx, func(ctx context.Context) error {
		if err := s.Follow(ctx); err != nil {
			return err
		}
		if err := s.unique(ctx, "", r); err != nil {
			return err
		}
		key, err := s.table.InsertRow(ctx, r)
		if err != nil {
			return s.table.Refusal(ctx, nil, r, err)
		}
		meta := r.Meta()
		meta.ID = key
		out, err = s.takeOver(ctx, nil, r.WithMeta(meta), nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Writer) Update(ctx context.Context, ref scim.Ref, fn func(before *scim.Resource) (*scim.Resource, error)) (out *scim.Resource, err error) {
	err = s.db.Write(ctx, func(ctx context.Context) error {
		before, row, err := s.take(ctx, ref, apptables.ToUpdate)
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
		if scim.Fold(after.String("userName")) != scim.Fold(before.Resource.String("userName")) {
			if err := s.unique(ctx, ref.ID, after); err != nil {
				return err
			}
		}
		if err := s.table.UpdateRow(ctx, ref.ID, before.Resource, after, row); err != nil {
			return s.table.Refusal(ctx, before.Resource, after, err)
		}
		out, err = s.takeOver(ctx, before, after, row)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// takeOver stores a resource as it is after a write of the application's row. before and
// was are nil for a new one. Columns that the write did not touch, and that are another
// nevertheless, have their say: a default, or a trigger of the application's.
func (s *Writer) takeOver(ctx context.Context, before *owntables.Projection, after *scim.Resource, was *mapping.Row) (*scim.Resource, error) {
	rows, err := s.table.Read(ctx, []string{after.ID()}, apptables.Unlocked)
	if err != nil {
		return nil, err
	}
	row := rows[after.ID()]
	switch {
	case row == nil:
		return nil, fmt.Errorf("sqlstore: the row of %s %q is not there after it was written", s.table.Type, after.ID())
	case !row.Visible && before == nil:
		return nil, &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Detail: "the application does not take a " + s.table.Type + " like this one"}
	case !row.Visible: // it was hidden by this, as by the application
		return after, s.resources.Erase(ctx, after.Ref(), false)
	}
	known, err := s.untouched(ctx, before, after, was, row)
	if err != nil {
		return nil, err
	}
	meta := after.Meta()
	if before == nil && !row.Created.IsZero() {
		meta.Created = row.Created
		meta.LastModified = later(meta.LastModified, meta.Created)
	}
	meta.Created, meta.LastModified = dialect.FromMicros(dialect.Micros(meta.Created)), dialect.FromMicros(dialect.Micros(meta.LastModified))
	out := s.table.Merge(ctx, s.log, after.WithMeta(meta), known, row)
	if before == nil {
		err = s.shown.Insert(ctx, out, row.Seen)
	} else {
		err = s.shown.Update(ctx, before.Resource, out, row.Seen, true)
	}
	if err != nil {
		return nil, err
	}
	return out, s.notes.DeleteOwn(ctx, s.table.Type, out.ID(), nil)
}

// untouched is what is known of a row after a write.
func (s *Writer) untouched(ctx context.Context, before *owntables.Projection, after *scim.Resource, was, row *mapping.Row) (mapping.Seen, error) {
	known := make(mapping.Seen, len(row.Seen))
	for i := range s.table.Columns {
		c := &s.table.Columns[i]
		v := c.ValueIn(after)
		switch {
		case before == nil && (v != nil || c.Empty != nil), before != nil && !reflect.DeepEqual(c.ValueIn(before.Resource), v): // written
			if !c.ReadOnly && c.Matches(v, row.Cells[i]) {
				known[c.SeenKey()] = row.Seen[c.SeenKey()]
			}
		case before != nil:
			known[c.SeenKey()] = was.Seen[c.SeenKey()]
		}
	}
	for i := range s.table.Children {
		c := &s.table.Children[i]
		v := after.Get(c.Path)
		switch {
		case before == nil && v != nil:
			known[c.SeenKey()] = row.Seen[c.SeenKey()]
		case before != nil && reflect.DeepEqual(before.Resource.Get(c.Path), v):
			known[c.SeenKey()] = was.Seen[c.SeenKey()]
		case before != nil:
			// The lock on its row does not keep the application from its children.
			moved, err := s.notes.HasOthers(ctx, s.table.Type, after.ID())
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

// unique refuses a userName that another user has. The application's own indexes may
// compare otherwise, and may allow it what clients are not.
func (s *Writer) unique(ctx context.Context, id string, r *scim.Resource) error {
	if s.table.Type != search.UserType {
		return nil
	}
	key := search.IndexKey(scim.Fold(r.String("userName")))
	if err := s.db.LockName(ctx, "userName "+key); err != nil {
		return err
	}
	taken, err := s.shown.HasUserName(ctx, s.table.Type, key, id)
	if err == nil && taken {
		err = scim.Conflict("userName")
	}
	return err
}

func (s *Writer) Delete(ctx context.Context, ref scim.Ref, check func(before *scim.Resource) error) error {
	return s.db.Write(ctx, func(ctx context.Context) error {
		before, _, err := s.take(ctx, ref, apptables.ToBeErased)
		if err != nil {
			return err
		}
		if err := check(before.Resource); err != nil {
			return err
		}
		if err := s.resources.Erase(ctx, ref, s.resources.KeepDeleted || s.table.Retire != nil); err != nil {
			return err
		}
		// Afterwards, so that memberships that somebody was just writing are seen.
		if s.joins != nil {
			if err = s.joins.DeleteAll(ctx, s.table.Type, ref.ID); err != nil {
				err = fmt.Errorf("%s: %w", s.joins.Name, err)
			}
		}
		if err == nil {
			err = s.table.DeleteRow(ctx, ref.ID)
		}
		if err != nil {
			return fmt.Errorf("sqlstore: delete %s %q: %w", ref.Type, ref.ID, err)
		}
		if s.table.Retire != nil {
			if err := s.retired(ctx, ref.ID); err != nil {
				return err
			}
		}
		return s.notes.DeleteOwn(ctx, s.table.Type, ref.ID, nil)
	})
}

// retired remembers how a row was left when its resource was deleted, by which Link knows
// it again.
func (s *Writer) retired(ctx context.Context, id string) error {
	rows, err := s.table.Read(ctx, []string{id}, apptables.Unlocked)
	if err != nil || rows[id] == nil {
		return err
	}
	return s.shown.SetSeenOfDeleted(ctx, scim.Ref{Type: s.table.Type, ID: id}, rows[id].Seen)
}
