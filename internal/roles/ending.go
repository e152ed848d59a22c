package roles

import (
	"context"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// Ending is the part of a Work that deletes one resource.
type Ending struct {
	w    *Work
	gone *doc.Document
	run  run
}

// Ending begins the deletion of a resource. It deactivates a user, and finds the users
// whose roles the deletion ends.
func (w *Work) Ending(ctx context.Context, gone *doc.Document) (*Ending, error) {
	if err := w.deactivate(ctx, gone); err != nil {
		return nil, err
	}
	e := &Ending{w: w, gone: gone}
	switch {
	case !w.t.hasRoles():
	case gone.Type == w.t.Types.User:
		e.run.ids, e.run.view.deleted = []string{gone.ID}, gone.ID
	case gone.Type == w.t.Types.Group && w.t.Roles.Joint:
		e.run.group, e.run.view.gone = gone.ID, gone.ID
	case gone.Type == w.t.Types.Group:
		// Read the members now: after the deletion the store no longer knows them.
		e.run.view.gone = gone.ID
		return e, w.t.dir.EachMember(ctx, gone, func(page []host.Ref) error {
			e.run.ids = append(e.run.ids, userIDs(page)...)
			return nil
		})
	}
	return e, nil
}

// Before revokes the roles that the deletion ends. If roles do not commit with the store,
// an error stops the deletion, so that the client can repeat it. If the store then refuses
// the deletion, the users get the revoked roles back.
func (e *Ending) Before(ctx context.Context) error {
	w, r := e.w, e.run
	if len(r.ids) == 0 && r.group == "" || w.t.Roles.Joint {
		return w.reconcile(ctx, r)
	}
	if r.view.deleted == "" {
		w.restore = append(w.restore, func(ctx context.Context) error { return w.settleAll(ctx, run{ids: r.ids}) })
	}
	r.ahead = true
	return w.settleAll(ctx, r)
}

// After finishes what Before began. Call it when the store has deleted the resource.
func (e *Ending) After(ctx context.Context) error {
	w := e.w
	w.stored = !w.t.isTransactional()
	if !w.t.hasRoles() {
		return nil
	}
	if e.gone.Type == w.t.Types.Group {
		if err := w.t.Roles.Ledger.SetLink(ctx, host.Link{Source: host.GroupSource(e.gone.ID)}); err != nil {
			return err
		}
		if w.t.Roles.Sources != nil {
			if err := w.t.Roles.Sources.DropSource(ctx, host.GroupSource(e.gone.ID)); err != nil {
				return err
			}
		}
	}
	if w.t.Roles.Joint {
		return nil
	}
	return w.reconcile(ctx, e.run)
}
