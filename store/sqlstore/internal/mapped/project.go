package mapped

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
	if len(ids) == 0 {
		return nil
	}
	before, err := f.shown.Lock(ctx, m.ResourceType, ids, apptables.ToUpdate)
	if err != nil {
		return err
	}
	rows, err := m.Read(ctx, ids, lock)
	if err != nil {
		return err
	}
	var fresh []*owntables.Row
	var created []string
	for _, id := range ids {
		made, err := f.projectOne(ctx, m, id, before[id], rows[id])
		if err != nil {
			return fmt.Errorf("%s %q: %w", m.Type, id, err)
		}
		if made != nil {
			fresh, created = append(fresh, made), append(created, id)
		}
	}
	if err := f.shown.InsertAll(ctx, fresh); database.IsDuplicate(err) { // another transaction has just written it too
		return fmt.Errorf("%w: %w", database.ErrMoved, err)
	} else if err != nil {
		return err
	}
	return f.projectMemberships(ctx, m, created)
}

// projectOne brings one resource in line. One that is new it returns, to be stored.
func (f *Follower) projectOne(ctx context.Context, m *apptables.Table, id string, was *owntables.Projection, app *mapping.Row) (made *owntables.Row, err error) {
	var r *scim.Resource
	if app != nil && app.Visible {
		now := f.db.Now()
		meta, known := scim.Meta{ID: id, Created: now, LastModified: now}, mapping.Seen(nil)
		if !app.Created.IsZero() {
			meta.Created = app.Created
		}
		if was != nil {
			meta, known = was.Resource.Meta(), was.Seen
			r = was.Resource
		} else if r, err = m.ResourceType.Bind(meta, nil, nil); err != nil {
			return nil, err
		}
		r = m.Merge(ctx, f.log, r, known, app)
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
		return f.shown.Row(stepped(r, r.Meta().LastModified.UnixNano()), app.Seen, false)
	case r != was.Resource && !r.Equal(was.Resource):
		meta := r.Meta()
		meta.LastModified = later(f.db.Now(), meta.LastModified)
		return nil, f.shown.Update(ctx, was.Resource, stepped(r.WithMeta(meta), 0), app.Seen, was.Claimed)
	case !app.Seen.Equal(was.Seen):
		return nil, f.shown.Update(ctx, was.Resource, r, app.Seen, was.Claimed)
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

// projectEdges brings memberships of a group in line with the application'f.
func (f *Follower) projectEdges(ctx context.Context, group string, users []string) error {
	groups, err := f.shown.Lock(ctx, f.tables[search.GroupType].ResourceType, []string{group}, apptables.ToUpdate)
	if err != nil || groups[group] == nil {
		return err // its memberships come with it
	}
	changed := 0
	for part := range slices.Chunk(users, dialect.MaxArguments) {
		edges, err := f.joins.ReadGroup(ctx, group, part)
		if err != nil {
			return fmt.Errorf("%s: %w", f.joins.Name, err)
		}
		added, err := f.members.AddKnown(ctx, edges)
		if err != nil {
			return err
		}
		there := make(map[string]bool, len(edges))
		for _, e := range edges {
			there[e.Member.ID] = true
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
	return f.shown.Update(ctx, g.Resource, stepped(g.Resource.WithMeta(meta), int64(changed)), g.Seen, g.Claimed)
}

// later is a time that does not lie before another one.
func later(t, than time.Time) time.Time {
	if t.Before(than) {
		return than
	}
	return t
}
