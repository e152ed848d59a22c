package console

import (
	"context"
	"log/slog"
)

// audit records an act, also if the browser has gone meanwhile.
func audit(ctx context.Context, q *request, kind ActKind, object string, err error) {
	ctx = context.WithoutCancel(ctx)
	level, outcome := slog.LevelInfo, "done"
	if err != nil {
		level, outcome = slog.LevelWarn, "failed"
	}
	q.c.o.Log.Log(ctx, level, "scim console: "+string(kind), "viewer", q.viewer.ID, "tenant", q.id, "object", object, "outcome", outcome, "error", err)
	if q.c.o.Audit != nil {
		q.c.o.Audit(ctx, Act{At: q.c.o.Now().UTC(), Viewer: q.viewer.ID, Tenant: q.id, Kind: kind, Object: object, Err: err})
	}
}
