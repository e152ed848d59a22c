package mapped

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

// Writes of types that have a Table: the application's row first, and then what it has
// become is taken over.

// Writer writes resources of types that have a Table.
type Writer struct{ *Follower }

// take locks a resource and the application's row, and brings the former in line.
func (s *Writer) take(ctx context.Context, m *apptables.Table, ref scim.Ref, lock string) (*owntables.Stored, *mapping.Row, error) {
	if err := s.Follow(ctx); err != nil {
		return nil, nil, err
	}
	if len(dialect.Storable([]string{ref.ID})) == 0 {
		return nil, nil, scim.ErrNotFound
	}
	for range 3 { // once more, if the application has changed the row since
		all, err := s.resources.Locked(ctx, m.ResourceType, []string{ref.ID}, lock)
		if err != nil {
			return nil, nil, fmt.Errorf("sqlstore: get %s %q: %w", ref.Type, ref.ID, err)
		}
		p := all[ref.ID]
		if p == nil || p.Seen == nil { // from before the type had a Table, and not in it
			return nil, nil, scim.ErrNotFound
		}
		rows, err := m.Read(ctx, []string{ref.ID}, lock)
		if err != nil {
			return nil, nil, err
		}
		row := rows[ref.ID]
		if row != nil && row.Visible && upToDate(p, row) {
			return p, row, nil
		}
		if _, err := s.projectOne(ctx, m, ref.ID, p, row); err != nil {
			return nil, nil, fmt.Errorf("sqlstore: get %s %q: %w", ref.Type, ref.ID, err)
		}
	}
	return nil, nil, database.ErrMoved
}

// upToDate reports whether a row is what was seen of it.
func upToDate(p *owntables.Stored, row *mapping.Row) bool {
	for name, is := range row.Seen {
		if was, ok := p.Seen[name]; !ok || string(was) != string(is) {
			return false
		}
	}
	return true
}

func (s *Writer) Create(ctx context.Context, m *apptables.Table, r *scim.Resource) (out *scim.Resource, err error) {
	err = s.db.Write(ctx, func(ctx context.Context) error {
		if err := s.Follow(ctx); err != nil {
			return err
		}
		if err := s.unique(ctx, m, "", r); err != nil {
			return err
		}
		key, err := m.InsertRow(ctx, r)
		if err != nil {
			return m.Refusal(ctx, nil, r, err)
		}
		meta := r.Meta()
		meta.ID = key
		out, err = s.takeOver(ctx, m, nil, r.WithMeta(meta), nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Writer) Update(ctx context.Context, m *apptables.Table, ref scim.Ref, fn func(before *scim.Resource) (*scim.Resource, error)) (out *scim.Resource, err error) {
	err = s.db.Write(ctx, func(ctx context.Context) error {
		before, row, err := s.take(ctx, m, ref, apptables.ToUpdate)
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
		if err := owntables.Updates(ref, after); err != nil {
			return err
		}
		if scim.Fold(after.String("userName")) != scim.Fold(before.Resource.String("userName")) {
			if err := s.unique(ctx, m, ref.ID, after); err != nil {
				return err
			}
		}
		if err := m.UpdateRow(ctx, ref.ID, before.Resource, after, row); err != nil {
			return m.Refusal(ctx, before.Resource, after, err)
		}
		out, err = s.takeOver(ctx, m, before, after, row)
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
func (s *Writer) takeOver(ctx context.Context, m *apptables.Table, before *owntables.Stored, after *scim.Resource, was *mapping.Row) (*scim.Resource, error) {
	rows, err := m.Read(ctx, []string{after.ID()}, apptables.Unlocked)
	if err != nil {
		return nil, err
	}
	row := rows[after.ID()]
	switch {
	case row == nil:
		return nil, fmt.Errorf("sqlstore: the row of %s %q is not there after it was written", m.Type, after.ID())
	case !row.Visible && before == nil:
		return nil, &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Detail: "the application does not take a " + m.Type + " like this one"}
	case !row.Visible: // it was hidden by this, as by the application
		return after, s.resources.Erase(ctx, after.Ref(), false)
	}
	known := make(map[string]json.RawMessage, len(row.Seen))
	for i := range m.Columns {
		c := &m.Columns[i]
		v := c.ValueIn(after)
		switch {
		case before == nil && (v != nil || c.Empty != nil), before != nil && !reflect.DeepEqual(c.ValueIn(before.Resource), v): // written
			if !c.ReadOnly && c.Took(v, row.Cells[i]) {
				known[c.Seen()] = row.Seen[c.Seen()]
			}
		case before != nil:
			known[c.Seen()] = was.Seen[c.Seen()]
		}
	}
	for i := range m.Children {
		c := &m.Children[i]
		v := after.Get(c.Path)
		switch {
		case before == nil && v != nil:
			known[c.Seen()] = row.Seen[c.Seen()]
		case before != nil && reflect.DeepEqual(before.Resource.Get(c.Path), v):
			known[c.Seen()] = was.Seen[c.Seen()]
		case before != nil:
			// The lock on its row does not keep the application from its children.
			moved, err := s.notes.HasOthers(ctx, m.Type, after.ID())
			if err != nil {
				return nil, err
			}
			if !moved {
				known[c.Seen()] = row.Seen[c.Seen()]
			}
		}
	}
	meta := after.Meta()
	if before == nil && !row.Created.IsZero() {
		meta.Created = row.Created
		meta.LastModified = later(meta.LastModified, meta.Created)
	}
	meta.Created, meta.LastModified = dialect.FromMicros(dialect.Micros(meta.Created)), dialect.FromMicros(dialect.Micros(meta.LastModified))
	out := m.Says(ctx, s.log, after.WithMeta(meta), known, row)
	if before == nil {
		err = s.resources.InsertClaimed(ctx, out, row.Seen)
	} else {
		err = s.resources.UpdateMapped(ctx, before.Resource, out, row.Seen, true)
	}
	if err != nil {
		return nil, err
	}
	return out, s.notes.DeleteOwn(ctx, m.Type, out.ID(), nil)
}

// unique refuses a userName that another user has. The application's own indexes may
// compare otherwise, and may allow it what clients are not.
func (s *Writer) unique(ctx context.Context, m *apptables.Table, id string, r *scim.Resource) error {
	if m.Type != search.UserType {
		return nil
	}
	key := search.IndexKey(scim.Fold(r.String("userName")))
	if err := s.db.LockName(ctx, "userName "+key); err != nil {
		return err
	}
	taken, err := s.db.HasAny(ctx,
		"SELECT 1 FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND r.user_name = $3 AND r.id <> $4 AND "+live+" LIMIT 1", m.Type, key, id)
	if err == nil && taken {
		err = scim.Conflict("userName")
	}
	return err
}

// live is the condition of the index by which userNames of a mapped type are found.
const live = "r.deleted = 0 AND r.seen IS NOT NULL"

func (s *Writer) Delete(ctx context.Context, m *apptables.Table, ref scim.Ref, check func(before *scim.Resource) error) error {
	return s.db.Write(ctx, func(ctx context.Context) error {
		before, _, err := s.take(ctx, m, ref, apptables.ToBeErased)
		if err != nil {
			return err
		}
		if err := check(before.Resource); err != nil {
			return err
		}
		if err := s.resources.Erase(ctx, ref, s.resources.Keep || m.Retire != nil); err != nil {
			return err
		}
		// Afterwards, so that memberships that somebody was just writing are seen.
		if s.joins != nil {
			if err = s.joins.DeleteAll(ctx, m.Type, ref.ID); err != nil {
				err = fmt.Errorf("%s: %w", s.joins.Name, err)
			}
		}
		if err == nil {
			err = m.DeleteRow(ctx, ref.ID)
		}
		if err != nil {
			return fmt.Errorf("sqlstore: delete %s %q: %w", ref.Type, ref.ID, err)
		}
		if m.Retire != nil {
			if err := s.retired(ctx, m, ref.ID); err != nil {
				return err
			}
		}
		return s.notes.DeleteOwn(ctx, m.Type, ref.ID, nil)
	})
}

// retired remembers how a row was left when its resource was deleted, by which Link knows
// it again.
func (s *Writer) retired(ctx context.Context, m *apptables.Table, id string) error {
	rows, err := m.Read(ctx, []string{id}, apptables.Unlocked)
	if err != nil || rows[id] == nil {
		return err
	}
	seen, err := json.Marshal(rows[id].Seen)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `UPDATE {p}resources SET seen = $4 WHERE tenant = $1 AND type = $2 AND id = $3
		AND deleted = (SELECT max(o.deleted) FROM {p}resources o WHERE o.tenant = $1 AND o.type = $2 AND o.id = $3)`, m.Type, id, string(seen))
	return err
}
