package projection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/apptables"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Adopter lets new resources of a type adopt rows that exist.
type Adopter struct{ *Writer }

// Adopt looks for a row that the new resource of a change can adopt. If there is one and
// may agrees, the change becomes an update of the row's resource.
func (a *Adopter) Adopt(ctx context.Context, c *scim.Change, may func(existing, sent *scim.Resource) bool) error {
	if err := a.Follow(ctx); err != nil {
		return err
	}
	path := "userName"
	if c.After.String(path) == "" {
		path = "displayName"
	}
	key := search.IndexKey(scim.Fold(c.After.String(path)))
	if err := a.db.LockName(ctx, path+" "+key); err != nil {
		return err
	}
	former, err := a.find(ctx, path, c.After.String(path), key)
	switch {
	case err != nil || former == nil:
		return err
	case !may(former.Resource, c.After):
		if former.Deleted == 0 {
			return nil // Create refuses it.
		}
		return &scim.Error{Status: http.StatusConflict, Type: "uniqueness",
			Detail: path + " is taken: a former resource has this value, and it is another person or group"}
	case former.Deleted != 0:
		if err := a.revive(ctx, former, path); errors.Is(err, scim.ErrNotFound) {
			return nil // The application has erased the row since, or given it to somebody else.
		} else if err != nil {
			return err
		}
	}
	merged, err := overlay(former.Resource, c.After)
	if err == nil && former.Deleted != 0 && a.table.Type == search.UserType && c.After.Get("active") == nil {
		merged, err = merged.With(map[string]any{"active": true}) // A client that creates a user expects an active one.
	}
	if err != nil {
		return err
	}
	c.After, c.Adopt = merged, former.Resource.ID() // The handler calls Claim.
	return nil
}

// find returns the resource to adopt, or nil: the one that exists and that no client has
// claimed, or else the one that was deleted last. Of several that exist with this name, it is the one
// with the same spelling, because a guess could give somebody another person's account.
func (a *Adopter) find(ctx context.Context, path, name, key string) (*owntables.Former, error) {
	if path == "userName" {
		taken, err := a.projections.HasClaimedUserName(ctx, a.table.Type, key)
		if err != nil || taken {
			return nil, err // Create refuses it.
		}
	}
	all, err := a.projections.FindNamed(ctx, a.table.ResourceType, path, key)
	if err != nil {
		return nil, err
	}
	isUnclaimed := func(n owntables.Named) bool { return !n.IsClaimed }
	if !slices.ContainsFunc(all, isUnclaimed) {
		if a.table.Revive == nil { // Nobody comes back.
			return nil, nil
		}
		return a.projections.FindDeleted(ctx, a.table.ResourceType, path, key)
	}
	if len(all) > 1 {
		all = slices.DeleteFunc(all, func(n owntables.Named) bool { return n.Resource.String(path) != name })
	}
	if len(all) != 1 || all[0].IsClaimed {
		return nil, nil
	}
	return &all[0].Former, nil
}

// revive restores a resource that was deleted, and its row. It returns scim.ErrNotFound if
// the row is gone or has another name now: then it is somebody else's.
func (a *Adopter) revive(ctx context.Context, former *owntables.Former, name string) error {
	r, m := former.Resource, a.table
	rows, err := m.Read(ctx, []string{r.ID()}, apptables.ToUpdate)
	if err != nil {
		return err
	}
	app := rows[r.ID()]
	if app == nil {
		return scim.ErrNotFound
	}
	var was mapping.Seen
	if err := json.Unmarshal(former.Seen, &was); err != nil {
		return fmt.Errorf("sqlstore: former %s %q: %w", m.Type, r.ID(), err)
	}
	for i := range m.Columns {
		if c := &m.Columns[i]; c.Path == name && !was.IsSame(app.Seen, c.SeenKey()) {
			return scim.ErrNotFound
		}
	}
	if m.Revive != nil {
		if err := a.db.InTx(ctx, func(ctx context.Context) error { return m.Set(ctx, r.ID(), mapping.SettingsOf(m.Revive(ctx, r))) }); err != nil {
			return m.Refusal(ctx, nil, r, err)
		}
	}
	if err := a.projections.Restore(ctx, former); err != nil {
		return err
	}
	if err := a.project(ctx, m, []string{r.ID()}, apptables.ToUpdate); err != nil {
		return err
	}
	_, err = a.resources.Fetch(ctx, r.Ref(), "")
	if errors.Is(err, scim.ErrNotFound) { // Revive did not make the row Visible.
		return &scim.Error{Status: http.StatusConflict, Type: "uniqueness", Detail: "a former resource has this name, and it cannot be restored"}
	}
	if err != nil {
		return err
	}
	return a.projectMemberships(ctx, m, []string{r.ID()})
}

// overlay returns what was sent, with the attributes of there that were not sent.
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
