package roles

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/host"
)

// EndHow says what becomes of what SCIM gave, when SCIM ends for a tenant.
type EndHow string

const (
	EndKeep   EndHow = "keep"
	EndRevoke EndHow = "revoke"
	// endSettle is for users whom unfinished changes are about, if users keep their roles: these
	// changes are completed first.
	endSettle EndHow = "settle"
)

// ends reports whether the grants of users end, whatever their sources say.
func (h EndHow) ends() bool { return h == EndKeep || h == EndRevoke }

// errEndedOtherwise is the error of an End that another one contradicts.
func errEndedOtherwise(how EndHow) error {
	return fmt.Errorf("scim: Reconciler.End: the end has begun already, to %s the roles: go on with that", how)
}

// End does one step of the end of SCIM for the tenant. The first one records that it ends,
// behind the fence: from then on no other transaction grants anything. The next one completes
// what is unfinished. Each further one takes the grants of a batch of users. The last ones
// forget the rest. It returns true if nothing of the tenant is left.
func (a Switch) End(ctx context.Context, how EndHow) (isDone bool, err error) {
	l := a.c.t.Roles.Ender
	if l == nil || a.c.t.Roles.Pending == nil {
		return false, errors.New("scim: Reconciler.End: the ledger must be a PendingLedger and a TenantLedger")
	}
	s, err := a.c.t.standing(ctx)
	if err != nil {
		return false, err
	}
	switch s.End {
	case how:
	case "":
		return false, a.beginEnd(ctx, how)
	default:
		return false, errEndedOtherwise(s.End)
	}
	unsettled := a.settleUnfinished(ctx, how)
	if unsettled != nil && how == EndKeep {
		return false, unsettled
	}
	isLeft, err := a.endUsers(ctx, how)
	if isLeft || err != nil {
		return false, err
	}
	if unsettled != nil {
		return false, unsettled
	}
	isLeft, err = l.Forget(ctx, standingSource, directory.Batch)
	if err != nil || isLeft {
		return false, err
	}
	defer a.c.e.endings.forget(a.c.t.ID)
	if err := a.c.t.Roles.Ledger.SetLink(ctx, host.Link{Source: standingSource}); err != nil {
		return false, err
	}
	return true, nil
}

// beginEnd records that SCIM ends for the tenant.
func (a Switch) beginEnd(ctx context.Context, how EndHow) error {
	defer a.c.e.endings.forget(a.c.t.ID)
	return a.changeStanding(ctx, func(ctx context.Context, s *standing) error {
		if s.End != "" && s.End != how {
			return errEndedOtherwise(s.End)
		}
		s.End = how
		return nil
	})
}

// settleUnfinished completes the changes of roles that requests and reports have left
// unfinished. Without it, users would keep what these changes take.
func (a Switch) settleUnfinished(ctx context.Context, how EndHow) error {
	c := *a.c
	if c.ending = endSettle; how == EndRevoke {
		c.ending = EndRevoke
	}
	err := error(nil)
	if how == EndRevoke { // what sources would stand for does not matter
		_, err = settleWrites(ctx, &c)
	} else {
		err = c.Settle(ctx)
	}
	if err != nil {
		return fmt.Errorf("scim: Reconciler.End goes on when the unfinished changes are complete: %w", err)
	}
	open, err := c.t.Roles.Pending.Notes(ctx, unfinishedKind, "", 1)
	if err == nil && len(open) > 0 {
		err = errors.New("scim: Reconciler.End: a request has begun that may still be under way: call End again when its time is over")
	}
	return err
}

// endUsers ends the grants of a batch of users. isLeft says that there may be more. It goes on
// after users whose roles cannot be changed. When only these are left, its error names them.
func (a Switch) endUsers(ctx context.Context, how EndHow) (isLeft bool, err error) {
	f := failures{left: failuresOfRepair}
	for after := ""; ; {
		ids, err := a.c.t.Roles.Ender.UsersWithGrants(ctx, after, directory.Batch)
		if err != nil || len(ids) == 0 {
			return false, f.with(err)
		}
		known := len(f.users)
		if err := f.most(ctx, ids, func(ids []string) error { return a.endBatch(ctx, ids, how) }); err != nil {
			return true, f.with(err)
		}
		left := f.users[known:]
		if err := a.c.keepOpen(ctx, left); err != nil {
			return true, err
		}
		if len(left) < len(ids) {
			return true, nil
		}
		after = ids[len(ids)-1]
	}
}

// endBatch ends the grants of users. A person has decided that, so of the guards only the last
// holder of a role counts.
func (a Switch) endBatch(ctx context.Context, ids []string, how EndHow) error {
	w := a.c.e.Begin(a.c.t.Tenant, "")
	SkipGuards(w)
	defer w.guards.unlock()
	err := w.settle(ctx, ids, run{ids: ids, ending: how})
	w.Deliver(ctx)
	return err
}

// endAll is the outcome of the end of SCIM for a user: nothing is left in the ledger. If a
// guard keeps a role, the user holds it by hand from now on.
func (o *outcome) endAll(p *person) {
	o.put, o.putAfter, o.retained = nil, nil, nil
	o.drop = p.entries
}

// endings remembers for which tenants SCIM is being ended, and when the ledger said so.
type endings struct {
	mu sync.Mutex
	m  map[string]ending
}

type ending struct {
	asked time.Time
	is    bool
}

// forget makes the next request ask the ledger.
func (e *endings) forget(tenant string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.m, tenant)
}

const (
	// endingTime is for how long an answer of the ledger holds.
	endingTime = time.Second
	// endingTenants is how many answers are kept.
	endingTenants = 10_000
)

// CheckOpen returns an error if SCIM is being ended for the tenant. It asks the ledger once a
// second, and an outage of the ledger closes nothing: what gives roles asks again.
func (e *Engine) CheckOpen(ctx context.Context, t *host.Tenant) error {
	if t.Roles == nil || t.Roles.Ender == nil {
		return nil
	}
	now := e.Now()
	e.endings.mu.Lock()
	last, isKnown := e.endings.m[t.ID]
	e.endings.mu.Unlock()
	if age := now.Sub(last.asked); !isKnown || age < 0 || age >= endingTime {
		s, err := tenant{Tenant: t}.standing(ctx)
		if err != nil {
			e.Log.WarnContext(ctx, "scim: the ledger does not say whether SCIM ends for the tenant", "tenant", t.ID, "error", err)
			return nil
		}
		last = ending{now, s.End != ""}
		e.endings.mu.Lock()
		if e.endings.m == nil || len(e.endings.m) >= endingTenants {
			e.endings.m = map[string]ending{}
		}
		e.endings.m[t.ID] = last
		e.endings.mu.Unlock()
	}
	if last.is {
		return errEnding()
	}
	return nil
}
