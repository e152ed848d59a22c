package projection

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/apptables"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// project brings resources in line with the application's rows.
func (f *Follower) project(ctx context.Context, m *apptables.Table, ids []string, lock string) error {
	rows, err := projectAll(ctx, f, m, ids, lock)
	if err != nil || f.db.Dialect != dialect.SQLite {
		return err
	}
	displaced, err := findDisplaced(ctx, f, m, ids, rows)
	if err != nil {
		return err
	}
	_, err = projectAll(ctx, f, m, displaced, lock)
	return err
}

// findDisplaced returns the ids of resources with a name that one of rows has. SQLite's REPLACE erases
// a row for its unique value, and no trigger notes it.
func findDisplaced(ctx context.Context, f *Follower, m *apptables.Table, ids []string, rows map[string]*mapping.Row) ([]string, error) {
	path, keys, log := "displayName", []string(nil), slog.New(slog.DiscardHandler) // projectAll has logged what is wrong.
	if m.Type == search.UserType {
		path = "userName"
	}
	for _, id := range ids {
		row := rows[id]
		if row == nil {
			continue
		}
		r, err := m.ResourceType.Bind(scim.Meta{ID: id}, nil, nil)
		if err != nil {
			return nil, err
		}
		if name := m.Merge(ctx, log, r, nil, row).String(path); name != "" {
			keys = append(keys, search.IndexKey(scim.Fold(name)))
		}
	}
	return f.projections.Namesakes(ctx, m.Type, dialect.Distinct(keys), ids)
}

// projectAll brings resources in line, and returns their rows.
func projectAll(ctx context.Context, f *Follower, m *apptables.Table, ids []string, lock string) (map[string]*mapping.Row, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	before, err := f.projections.Lock(ctx, m.ResourceType, ids, apptables.ToUpdate)
	if err != nil {
		return nil, err
	}
	rows, err := m.Read(ctx, ids, lock)
	if err != nil {
		return nil, err
	}
	return rows, projectRows(ctx, f, m, ids, before, rows)
}

// projectRows brings resources in line with rows that are read.
func projectRows(ctx context.Context, f *Follower, m *apptables.Table, ids []string, before map[string]*owntables.Projection, rows map[string]*mapping.Row) error {
	var fresh []*owntables.Row
	var created []string
	for _, id := range ids {
		row, err := f.projectOne(ctx, m, id, before[id], rows[id])
		if err != nil {
			return fmt.Errorf("%s %q: %w", m.Type, id, err)
		}
		if row != nil {
			fresh, created = append(fresh, row), append(created, id)
		}
		if m.Type == search.GroupType && before[id] != nil && rows[id] == nil { // No trigger has noted that it is gone: see forget.
			if err := f.ledger.SetLink(ctx, scim.Link{Source: scim.GroupSource(id)}); err != nil {
				return err
			}
		}
	}
	if err := f.projections.InsertAll(ctx, fresh); database.IsDuplicate(err) { // Another transaction has just inserted it too.
		return fmt.Errorf("%w: %w", database.ErrMoved, err)
	} else if err != nil {
		return err
	}
	return f.projectMemberships(ctx, m, created)
}

// projectOne brings one resource in line. It returns the row of a new resource, which the
// caller inserts.
func (f *Follower) projectOne(ctx context.Context, m *apptables.Table, id string, was *owntables.Projection, app *mapping.Row) (row *owntables.Row, err error) {
	if was == nil {
		return projectNew(ctx, f, m, id, app)
	}
	var r *scim.Resource
	if app != nil && app.Visible {
		r = m.Merge(ctx, f.log, was.Resource, was.Seen, app)
		if m.Type == search.UserType && r.String("userName") == "" {
			r = nil
		}
	}
	switch {
	case r == nil:
		return nil, f.resources.Erase(ctx, was.Resource.Ref(), false)
	case r != was.Resource && !r.Equal(was.Resource):
		meta := r.Meta()
		meta.LastModified = later(f.db.Now(), meta.LastModified)
		return nil, f.projections.Update(ctx, owntables.Written{Before: was.Resource, After: withNewVersion(r.WithMeta(meta)), Seen: app.Seen, Claimed: was.Claimed})
	case !app.Seen.Equal(was.Seen):
		return nil, f.projections.Update(ctx, owntables.Written{Before: was.Resource, After: r, Seen: app.Seen, Claimed: was.Claimed})
	}
	return nil, nil
}

// projectNew returns the row of a new resource, or nil if clients do not see it. It does not need app.Seen.
func projectNew(ctx context.Context, f *Follower, m *apptables.Table, id string, app *mapping.Row) (*owntables.Row, error) {
	if app == nil || !app.Visible {
		return nil, nil
	}
	now := f.db.Now()
	meta := scim.Meta{ID: id, Created: now, LastModified: now, Version: newVersion()}
	if !app.Created.IsZero() {
		meta.Created = app.Created
	}
	r, err := m.ResourceType.Bind(meta, nil, nil)
	if err != nil {
		return nil, err
	}
	if r = m.Merge(ctx, f.log, r, nil, app); m.Type == search.UserType && r.String("userName") == "" {
		return nil, nil
	}
	return f.projections.NewRow(r, mapping.AppendSeen(make([]byte, 0, 512), m.Mapping, app))
}

// newVersion returns a new version. It is random: a client learns nothing from it about attributes
// that it cannot see. All servers agree on it, because it is stored with the projection.
func newVersion() string { return rand.Text() }

// withNewVersion returns r with a new version.
func withNewVersion(r *scim.Resource) *scim.Resource {
	m := r.Meta()
	m.Version = newVersion()
	return r.WithMeta(m)
}

// projectMemberships brings in the memberships of new resources.
func (f *Follower) projectMemberships(ctx context.Context, m *apptables.Table, ids []string) error {
	if f.joins == nil || m.Type != search.UserType && m.Type != search.GroupType {
		return nil
	}
	all, err := f.joins.ReadAll(ctx, m.Type, ids)
	if err == nil {
		_, err = f.members.AddKnown(ctx, all)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.joins.Name, err)
	}
	return nil
}

// projectMembers brings the memberships of some users in a group in line with the
// application's.
func (f *Follower) projectMembers(ctx context.Context, group string, users []string) error {
	groups, err := f.projections.Lock(ctx, f.tables[search.GroupType].ResourceType, []string{group}, apptables.ToUpdate)
	if err != nil || groups[group] == nil {
		return err // The memberships come with the group.
	}
	changed := 0
	for part := range slices.Chunk(users, dialect.MaxArguments) {
		there, err := f.joins.ReadGroup(ctx, group, part)
		if err != nil {
			return fmt.Errorf("%s: %w", f.joins.Name, err)
		}
		added, err := f.members.AddKnown(ctx, there)
		if err != nil {
			return err
		}
		isThere := make(map[string]bool, len(there))
		for _, e := range there {
			isThere[e.Member.ID] = true
		}
		var gone []scim.Ref
		for _, id := range part {
			if !isThere[id] {
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
	return f.projections.Update(ctx, owntables.Written{Before: g.Resource, After: withNewVersion(g.Resource.WithMeta(meta)), Seen: g.Seen, Claimed: g.Claimed})
}

// later returns the later one of two times.
func later(t, than time.Time) time.Time {
	if t.Before(than) {
		return than
	}
	return t
}
