package endpoint

import (
	"context"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/roles"
)

// written tells the application that a resource is written, if anything changed.
func written(ctx context.Context, w *writer, op host.Op, write roles.Write, out *doc.Document) error {
	m := write.Members
	if w.t.Written == nil || write.Before == out && len(m.Added)+len(m.Removed) == 0 {
		return nil
	}
	return w.t.Written(ctx, &host.Written{Op: op, Before: write.Before, After: out, IsAdopted: write.Kind == roles.Adopts,
		Add: m.Added, Remove: m.Removed, Principal: w.r.who})
}

// removeTold deletes a resource and tells the application.
func removeTold(ctx context.Context, w *writer, before *doc.Document) error {
	if err := w.remove(ctx, before); err != nil || w.t.Written == nil {
		return err
	}
	return w.t.Written(ctx, &host.Written{Op: host.OpDelete, Before: before, Principal: w.r.who})
}
