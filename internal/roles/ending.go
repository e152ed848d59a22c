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

// Ending begins the deletion of a resource. It finds the users whose roles the deletion ends.
func (w *Work) Ending(ctx context.Context, gone *doc.Document) (*Ending, error) {
	e := &Ending{w: w, gone: gone}
	w.guards.subject = subject{ref: host.RefOf(gone), cause: host.CauseDelete}
	switch {
	case !w.t.hasRoles():
	case gone.Type == w.t.Types.User:
		e.run.ids, e.run.view.deleted, e.run.cause = []string{gone.ID}, gone.ID, userLeaves
	case gone.Type == w.t.Types.Group && w.t.Roles.Joint:
		e.run.group, e.run.view.gone = gone.ID, gone.ID
		return e, e.readAbove(ctx)
	case gone.Type == w.t.Types.Group:
		// Read the users now: after the deletion the store no longer knows them.
		e.run.view.gone = gone.ID
		return e, e.readUsers(ctx)
	}
	return e, nil
}

// coverMembers makes the run cover the members of the group. Before the end of a transaction with
// several writes the store forgets who they were.
func (e *Ending) coverMembers(ctx context.Context) error {
	if e.run.view.members = !e.w.isInner(); e.run.view.members {
		return nil
	}
	return e.readUsers(ctx)
}

// readUsers finds the users who belong to the group.
func (e *Ending) readUsers(ctx context.Context) error {
	return e.w.t.dir.UsersBelow(ctx, []string{e.gone.ID}, func(ids []string) error {
		e.run.ids = append(e.run.ids, ids...)
		return nil
	})
}

// readAbove covers them if the group, or a group above it, gives something. The ledger knows who
// has a role of the group. But an inactive member may return at the same time, or a role of the
// group can decide about other roles of a member who does not get it: Pick may give Editor only
// beside Licensed, and leave Licensed out.
func (e *Ending) readAbove(ctx context.Context) error {
	source := host.GroupSource(e.gone.ID)
	links, err := e.w.t.links(ctx, []host.Source{source})
	if err != nil {
		return err
	}
	if l := links[source]; l.IsLinked() {
		return e.coverMembers(ctx)
	}
	if !e.w.t.Tenant.Members.Nested {
		return nil
	}
	above, err := e.w.t.dir.GroupsOf(ctx, []host.Ref{groupRef(e.gone.ID)})
	if err != nil || len(above) == 0 {
		return err
	}
	return e.coverMembers(ctx)
}

// Before deactivates a user and revokes the roles that the deletion ends. An error stops the
// deletion, so that the client can repeat it. If the store then refuses the deletion, the
// users get the revoked roles back.
func (e *Ending) Before(ctx context.Context) error {
	w, r := e.w, e.run
	if e.run.cause == userLeaves {
		if err := (breaker{w}).holdLeaver(ctx, e.gone.ID); err != nil {
			return err
		}
	}
	if err := w.deactivate(ctx, e.gone); err != nil {
		return err
	}
	if len(r.ids) == 0 && r.group == "" || w.t.Roles.Joint {
		return w.reconcile(ctx, r)
	}
	if r.view.deleted == "" {
		w.restore = append(w.restore, func(ctx context.Context) error { return w.settleAll(ctx, run{ids: r.ids}) })
	}
	if err := (judge{w}).run(ctx, r); err != nil {
		return err
	}
	r.ahead = true
	return w.settleAll(ctx, r)
}

// After finishes what Before began. Call it when the store has deleted the resource. If
// roles do not commit with the store, it defers what the deletion gives, such as a lighter
// role. If that fails, the client's repeated deletion completes it.
func (e *Ending) After(ctx context.Context) error {
	w := e.w
	w.stored = !w.t.isTransactional()
	switch {
	case !w.t.hasRoles():
		return nil
	case !w.t.Roles.Joint:
		if err := w.reconcile(ctx, e.run); err != nil {
			return err
		}
		return e.unlink(ctx)
	}
	if err := e.unlink(ctx); err != nil || w.t.Roles.Sources == nil || e.gone.Type != w.t.Types.Group {
		return err
	}
	if err := w.t.Roles.Sources.DropSource(ctx, host.GroupSource(e.gone.ID)); err != nil || len(w.guards.kept) == 0 {
		return err
	}
	return w.t.Roles.Ledger.Record(ctx, w.guards.kept, nil) // those of last holders stay
}

// AfterAll replaces Before and After if roles cannot be changed now and do not commit with
// the store. It defers all changes of roles. The ledger keeps the grants until then.
func (e *Ending) AfterAll(ctx context.Context) error {
	w := e.w
	w.stored = !w.t.isTransactional()
	if !w.t.hasRoles() {
		return nil
	}
	w.later.add(e.run, true)
	return e.unlink(ctx)
}

// unlink removes the link of a deleted group.
func (e *Ending) unlink(ctx context.Context) error {
	if e.gone.Type != e.w.t.Types.Group {
		return nil
	}
	return e.w.t.Roles.Ledger.SetLink(ctx, host.Link{Source: host.GroupSource(e.gone.ID)})
}
