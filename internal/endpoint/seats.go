package endpoint

import (
	"context"
	"fmt"
	"net/http"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/match"
)

// seats counts the active users of a tenant for a writer.
type seats struct{ w *writer }

// take refuses a write that makes a user active beyond the seats of the tenant. Such writes
// run one after the other in the tenant. before is nil for a new user.
func (s seats) take(ctx context.Context, before, after *doc.Document) error {
	w := s.w
	if w.t.Seats == nil || after.Type != w.t.Types.User || !after.Active() || before != nil && before.Active() {
		return nil
	}
	n, err := w.t.Seats(ctx)
	if err != nil {
		return err
	}
	if err := w.work.LockTenant(ctx, "seats"); err != nil {
		return err
	}
	taken, err := s.taken(ctx, n)
	if err != nil || taken < n {
		return err
	}
	return fault.Refuse(http.StatusForbidden, "", fmt.Sprintf(
		"active: all %d seats are taken; deactivate another user first, or ask the administrator of the application for more seats", n))
}

// taken counts the active users. If there are fewer users than seats, it counts them all:
// stores do that without reading them.
func (s seats) taken(ctx context.Context, seats int) (int, error) {
	w := s.w
	count := func(f *match.Filter) (int, error) {
		page, err := w.t.Stores.List(ctx, w.t.Types.User, &host.Query{Filter: f, Total: true})
		if err != nil {
			return 0, err
		}
		return page.Total, nil
	}
	all, err := count(nil)
	if err != nil || all < seats {
		return all, err
	}
	const inactive = "active eq false"
	f, err := match.Parse(w.t.Types.User, inactive, filterlang.Limits{Length: len(inactive)}, nil)
	if err != nil {
		return 0, err
	}
	left, err := count(f)
	return all - left, err
}
