package mapped

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/apptables"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Adopter lets new resources adopt rows that are there.
type Adopter struct{ *Follower }

func (a *Adopter) Adopt(ctx context.Context, m *apptables.Table, c *scim.Change, may func(existing, sent *scim.Resource) bool) error {
	if err := a.Follow(ctx); err != nil {
		return err
	}
	column, path := "r.seen IS NOT NULL AND r.user_name", "userName" // see named
	if c.After.String(path) == "" {
		column, path = "r.display_name", "displayName"
	}
	key := search.IndexKey(scim.Fold(c.After.String(path)))
	if err := a.db.LockName(ctx, path+" "+key); err != nil {
		return err
	}
	if path == "userName" {
		taken, err := a.db.HasAny(ctx,
			"SELECT 1 FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND r.user_name = $3 AND r.claimed = 1 AND "+live+" LIMIT 1", m.Type, key)
		if err != nil || taken {
			return err // Create refuses it
		}
	}
	// The first that has the name: one that is there, or else the last one that left.
	var found *scim.Resource
	var deleted int64
	var seen []byte
	err := a.db.Each(ctx, func(scan func(...any) error) (err error) {
		found, err = a.resources.Bind(m.ResourceType, func(dest ...any) error { return scan(append(dest, &deleted)...) })
		return err
	}, "SELECT "+owntables.Columns+", r.deleted FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND "+column+" = $3 AND r.deleted = 0"+
		" AND r.claimed = 0 ORDER BY r.created, r.id LIMIT 1", m.Type, key)
	if err == nil && found == nil && m.Retire != nil {
		err = a.db.Each(ctx, func(scan func(...any) error) (err error) {
			found, err = a.resources.Bind(m.ResourceType, func(dest ...any) error { return scan(append(dest, &deleted, &seen)...) })
			return err
		}, "SELECT "+owntables.Columns+", r.deleted, r.seen FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND "+column+" = $3 AND r.deleted <> 0"+
			// The application may have brought it back by itself, under another name, and a
			// client may then have deleted it again.
			" AND NOT EXISTS (SELECT 1 FROM {p}resources o WHERE o.tenant = r.tenant AND o.type = r.type AND o.id = r.id AND (o.deleted = 0 OR o.deleted > r.deleted))"+
			" ORDER BY r.deleted DESC LIMIT 1", m.Type, key)
	}
	switch {
	case err != nil || found == nil:
		return err
	case !may(found, c.After):
		if deleted == 0 {
			return nil // Create refuses it
		}
		return &scim.Error{Status: http.StatusConflict, Type: "uniqueness",
			Detail: path + " is taken: a former resource has this value, and is not the same one"}
	case deleted != 0:
		if err := a.revive(ctx, m, found, deleted, path, seen); errors.Is(err, scim.ErrNotFound) {
			return nil // the application has erased the row since, or it is somebody else's
		} else if err != nil {
			return err
		}
	}
	merged, err := overlay(found, c.After)
	if err == nil && deleted != 0 && m.Type == search.UserType && c.After.Get("active") == nil {
		merged, err = merged.With(map[string]any{"active": true}) // as one who is provisioned
	}
	if err != nil {
		return err
	}
	c.After, c.Adopt = merged, found.ID()
	// Now, because where nothing is left to be changed nothing will be written.
	_, err = a.db.Exec(ctx, "UPDATE {p}resources SET claimed = 1 WHERE tenant = $1 AND type = $2 AND id = $3 AND deleted = 0", m.Type, found.ID())
	return err
}

// revive brings back the row of a resource that was deleted at a certain time, unless its
// name has changed since: then it is somebody else'a.
func (a *Adopter) revive(ctx context.Context, m *apptables.Table, r *scim.Resource, deleted int64, name string, seen []byte) error {
	rows, err := m.Read(ctx, []string{r.ID()}, apptables.ToUpdate)
	if err != nil {
		return err
	}
	app := rows[r.ID()]
	if app == nil {
		return scim.ErrNotFound
	}
	var was map[string]json.RawMessage
	if err := json.Unmarshal(seen, &was); err != nil {
		return fmt.Errorf("sqlstore: former %s %q: %w", m.Type, r.ID(), err)
	}
	for i := range m.Columns {
		if c := &m.Columns[i]; c.Path == name && string(was[c.Seen()]) != string(app.Seen[c.Seen()]) {
			return scim.ErrNotFound
		}
	}
	if len(m.Revive) > 0 {
		if err := a.db.InTx(ctx, func(ctx context.Context) error { return m.Set(ctx, r.ID(), mapping.Extra(m.Revive)) }); err != nil {
			return m.Refusal(ctx, nil, r, err)
		}
	}
	// With nothing seen, so that the columns have their say: Retire may have set them.
	if _, err := a.db.Exec(ctx, "UPDATE {p}resources SET deleted = 0, seen = '{}' WHERE tenant = $1 AND type = $2 AND id = $3 AND deleted = $4",
		m.Type, r.ID(), deleted); err != nil {
		return err
	}
	w, err := a.resources.Row(r)
	if err != nil {
		return err
	}
	if err := a.resources.PutEmails(ctx, r.Ref(), nil, w.Emails); err != nil {
		return err
	}
	if err := a.project(ctx, m, []string{r.ID()}, apptables.ToUpdate); err != nil {
		return err
	}
	_, err = a.resources.Fetch(ctx, r.Ref(), "")
	if errors.Is(err, scim.ErrNotFound) { // Revive does not undo all for which it is not Visible
		return &scim.Error{Status: http.StatusConflict, Type: "uniqueness", Detail: "a former resource has this name, and cannot be brought back"}
	}
	if err != nil {
		return err
	}
	return a.projectMemberships(ctx, m, []*owntables.Row{w})
}

// overlay is what was sent, and what is there beside it.
func overlay(there, sent *scim.Resource) (*scim.Resource, error) {
	values := make(map[string]json.RawMessage)
	for _, r := range []*scim.Resource{there, sent} {
		doc, err := r.MarshalJSON()
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(doc, &values); err != nil {
			return nil, err
		}
	}
	doc, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	return sent.Type().Bind(sent.Meta(), doc, nil)
}
