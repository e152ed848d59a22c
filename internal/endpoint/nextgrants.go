package endpoint

import (
	"context"
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/patch"
	"github.com/scimkit/scim/internal/roles"
)

// lockFor returns the function that locks the resource of a PATCH. It says for which user the
// engine of roles next asks the ledger, if the transaction locks nothing else in between: no rule runs,
// no value of an attribute is linked, and no seat is taken.
func lockFor(w *writer, t *model.Type, id string, p *patch.Request) locker {
	next, ok := nextGrants(w, t, id, p)
	if !ok {
		return w.dir.Lock
	}
	return func(ctx context.Context, ref host.Ref) (*doc.Document, error) {
		if roles.IsAlone(w.work) {
			ctx = host.WithNextGrants(ctx, next)
		}
		return w.dir.Lock(ctx, ref)
	}
}

func nextGrants(w *writer, t *model.Type, id string, p *patch.Request) (next host.NextGrants, ok bool) {
	if w.t.Judge != nil || !roles.ReadsGrants(w.work) {
		return next, false
	}
	switch t {
	case w.t.Types.User:
		active := t.Root.Lookup("active")
		return host.NextGrants{UserID: id}, active != nil && patch.ChangesOnly(p, active) && w.t.Roles.Attributes == nil && w.t.Seats == nil
	case w.t.Types.Group:
		c := oneMember{w: w}
		c.plan.add, c.plan.Remove = p.Members().Add(), p.Members().Remove()
		if w.t.Stores.Changer == nil || w.t.Members.Nested || p.Members().All || !patch.ChangesOnly(p, nil) || !c.isOne() {
			return next, false
		}
		for _, m := range slices.Concat(c.plan.add, c.plan.Remove) {
			if m.Type == "User" {
				return host.NextGrants{UserID: m.ID, Joins: len(c.plan.add) > 0}, true
			}
		}
	}
	return next, false
}
