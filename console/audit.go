package console

import (
	"context"
	"log/slog"
)

// maxObject is how many characters of an object are kept. Viewers can write any text into an address.
const maxObject = 1000

// audit records the act of a request, also if the browser has gone meanwhile.
func audit(ctx context.Context, q *request, object string, err error) {
	q.isAudited = true
	if all := []rune(object); len(all) > maxObject {
		object = string(all[:maxObject]) + "…"
	}
	ctx = context.WithoutCancel(ctx)
	level, outcome := slog.LevelInfo, "done"
	if err != nil {
		level, outcome = slog.LevelWarn, "failed"
	}
	a := Act{At: q.c.o.Now().UTC(), Viewer: q.viewer.ID, Tenant: q.id, Kind: q.act, Object: object, Err: err}
	if q.link != nil {
		a.SetupLink = q.link.ID
	}
	q.c.o.Log.Log(ctx, level, "scim console: "+string(a.Kind), "viewer", a.Viewer, "setup_link", a.SetupLink, "tenant", a.Tenant, "object", object, "outcome", outcome, "error", err)
	if q.c.o.Audit != nil {
		q.c.o.Audit(ctx, a)
	}
}
