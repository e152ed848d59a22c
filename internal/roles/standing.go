package roles

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// standing is what the application has said about all sources of a tenant. The ledger keeps
// it as a link of a source of its own. So each reconciliation that reads links reads it in the
// same call, and most tenants have none.
type standing struct {
	// End says that SCIM is being ended for the tenant, and how. "": it is not.
	End EndHow `json:",omitempty"`
	// Doubt is the doubt about all sources.
	Doubt verdict `json:",omitzero"`
	// Some says that single sources have a mark of their own.
	Some bool `json:",omitempty"`
}

// verdict says since when the application distrusts a source, or trusts it although it
// distrusts all.
type verdict struct {
	At time.Time
	// How is what becomes of what the source gave before. "": the mark ends an older doubt.
	How DistrustHow `json:",omitempty"`
}

// Switch is the application's handle on the standing of a tenant.
type Switch struct{ c *Admin }

// SwitchOf is the Switch of a tenant.
func SwitchOf(c *Admin) Switch { return Switch{c} }

const (
	standingSource = host.Source("tenant:")
	markPrefix     = "trust:"
)

// markSource is where the ledger keeps the mark of a source.
func markSource(of host.Source) host.Source { return host.Source(markPrefix + string(of)) }

// encode makes a link that holds a value of the engine. zero deletes it.
func encode(at host.Source, value any, isZero bool) (host.Link, error) {
	l := host.Link{Source: at}
	if isZero {
		return l, nil
	}
	text, err := json.Marshal(value)
	l.Roles = []host.LinkedRole{{Role: host.Role{ID: string(text)}, Confirmed: true}} // it awaits nobody
	return l, err
}

func decode(l host.Link, value any) error {
	if !l.IsLinked() {
		return nil
	}
	if err := json.Unmarshal([]byte(l.Roles[0].Role.ID), value); err != nil {
		return fmt.Errorf("scim: the ledger's entry %q is damaged: %w", l.Source, err)
	}
	return nil
}

// errEnding is the answer while SCIM is being ended for a tenant.
func errEnding() error {
	return &fault.Error{Status: http.StatusServiceUnavailable, Detail: "SCIM is being switched off here", RetryAfter: time.Hour}
}

// noDoubt is the doubt about each source of a tenant that distrusts none.
func noDoubt(host.Source) doubt { return doubt{} }

// doubts reads what the application distrusts. links has the standing of the tenant, and the
// links with these keys. It returns an error if SCIM ends, unless the run is a part of the end.
func (t tenant) doubts(ctx context.Context, links map[host.Source]host.Link, keys []host.Source, ending EndHow) (func(of host.Source) doubt, error) {
	l, ok := links[standingSource]
	if !ok {
		return noDoubt, nil
	}
	var s standing
	if err := decode(l, &s); err != nil {
		return nil, err
	}
	if s.End != "" && ending != endSettle {
		return nil, errEnding()
	}
	marks := map[host.Source]verdict{}
	if s.Some {
		of := make([]host.Source, len(keys))
		for i, source := range keys {
			of[i] = markSource(source)
		}
		stored, err := t.links(ctx, of)
		if err != nil {
			return nil, err
		}
		for source, l := range stored {
			var m verdict
			if err := decode(l, &m); err != nil {
				return nil, err
			}
			marks[host.Source(strings.TrimPrefix(string(source), markPrefix))] = m
		}
	}
	return func(of host.Source) doubt {
		m := s.Doubt
		if own, ok := marks[of]; ok && !own.At.Before(m.At) {
			m = own
		}
		if m.How == "" {
			return doubt{}
		}
		return doubt{at: m.At, how: m.How}
	}, nil
}

// doubtsIn is doubts, without those about sources that the application is about to trust.
func doubtsIn(ctx context.Context, t tenant, r *run, links map[host.Source]host.Link, keys []host.Source) (func(of host.Source) doubt, error) {
	doubtOf, err := t.doubts(ctx, links, keys, r.ending)
	switch {
	case err != nil || r.view.trusts == "":
		return doubtOf, err
	case r.view.trusts == standingSource:
		return noDoubt, nil
	}
	return func(of host.Source) doubt {
		if of == r.view.trusts {
			return doubt{}
		}
		return doubtOf(of)
	}, nil
}

// standing reads the standing of the tenant.
func (t tenant) standing(ctx context.Context) (s standing, err error) {
	links, err := t.links(ctx, []host.Source{standingSource})
	if err != nil {
		return s, err
	}
	return s, decode(links[standingSource], &s)
}

// changeStanding calls fn with the standing of the tenant and stores what fn makes of it. Two
// changes run one after the other: in this process, and with a host.TenantLocker in all.
//
// fn runs behind the fence. Who has read the former standing has recorded its grants by then, and
// everybody else reads the new one. So fn takes the time at which the change begins to count.
func (a Switch) changeStanding(ctx context.Context, fn func(ctx context.Context, s *standing) error) error {
	if err := a.c.e.checkUnlocked(ctx, a.c.t); err != nil {
		return err
	}
	unlock, err := a.c.e.Locks.Lock(ctx, keylock.Key(a.c.t.ID, string(standingSource)))
	if err != nil {
		return err
	}
	defer unlock()
	if !a.c.t.Roles.LedgerLocks {
		leave, err := a.c.e.fences.Take(ctx, a.c.t.ID)
		if err != nil {
			return err
		}
		defer leave()
	}
	change := func(ctx context.Context) error {
		if a.c.t.Stores.Locker != nil && a.c.t.Roles.LedgerLocks {
			if err := a.c.t.Stores.Locker.LockTenant(ctx, "standing"); err != nil {
				return err
			}
		}
		if err := fence(ctx, a.c.t); err != nil {
			return err
		}
		s, err := a.c.t.standing(ctx)
		if err != nil {
			return err
		}
		if err := fn(ctx, &s); err != nil {
			return err
		}
		l, err := encode(standingSource, s, s == standing{})
		if err != nil {
			return err
		}
		return a.c.t.Roles.Ledger.SetLink(ctx, l)
	}
	if !a.c.t.isTransactional() {
		return change(ctx)
	}
	return a.c.t.Stores.InTx(ctx, change)
}

// errNoList is the error of calls that need a list of all links.
func errNoList(call string) error {
	return fmt.Errorf("scim: Reconciler.%s: the ledger must be a PendingLedger", call)
}

// Distrust makes sources give nothing to users whom no client has named since now. Without
// groups it means all sources.
func (a Switch) Distrust(ctx context.Context, how DistrustHow, groupIDs ...string) error {
	if a.c.t.Roles.Pending == nil {
		return errNoList("Distrust")
	}
	if len(groupIDs) == 0 {
		return a.changeStanding(ctx, func(_ context.Context, s *standing) error {
			s.Doubt = verdict{a.c.e.now(), how}
			return nil
		})
	}
	for _, group := range groupIDs { // all of them, before anything can fail
		if err := a.setMark(ctx, host.GroupSource(group), how); err != nil {
			return err
		}
	}
	var left leftOut
	for _, group := range groupIDs {
		if err := left.add(a.c.usersOf(ctx, run{group: group})); err != nil {
			return left.with(err)
		}
	}
	return left.with(nil)
}

// Trust ends what Distrust began, and gives what waits for it.
func (a Switch) Trust(ctx context.Context, groupIDs ...string) error {
	if a.c.t.Roles.Pending == nil {
		return errNoList("Trust")
	}
	var left leftOut
	for _, group := range groupIDs {
		source := host.GroupSource(group)
		r := run{group: group, cause: applicationReports, view: view{trusts: source}}
		if err := a.c.judgeReport(ctx, source, r); err != nil {
			return left.with(err)
		}
		if err := a.setMark(ctx, source, ""); err != nil {
			return left.with(err)
		}
		if err := left.add(a.c.usersOf(ctx, run{group: group})); err != nil {
			return left.with(err)
		}
	}
	if len(groupIDs) > 0 {
		return left.with(nil)
	}
	judge := func(ids []string) error {
		return a.c.judgeReport(ctx, "", run{ids: ids, cause: applicationReports, view: view{trusts: standingSource}})
	}
	if a.c.t.Roles.Guards.Judges() { // before anything is stored
		if err := eachReopened(ctx, a.c, judge); err != nil {
			return err
		}
	}
	if err := a.trustAll(ctx); err != nil {
		return err
	}
	err := eachReopened(ctx, a.c, func(ids []string) error { return left.add(a.c.Users(ctx, ids...)) })
	return left.with(err)
}

// trustAll forgets every doubt. The standing goes last, because without it nobody looks for the
// marks of single sources.
func (a Switch) trustAll(ctx context.Context) error {
	return a.changeStanding(ctx, func(ctx context.Context, s *standing) error {
		for after := host.Source(markPrefix); ; {
			links, err := a.c.t.Roles.Pending.AllLinks(ctx, after, directory.Batch)
			if err != nil {
				return err
			}
			for _, l := range links {
				if after = l.Source; !strings.HasPrefix(string(l.Source), markPrefix) {
					continue
				}
				if err := a.c.t.Roles.Ledger.SetLink(ctx, host.Link{Source: l.Source}); err != nil {
					return err
				}
			}
			if len(links) == 0 || !strings.HasPrefix(string(after), markPrefix) {
				s.Doubt, s.Some = verdict{}, false
				return nil
			}
		}
	})
}

// setMark stores the mark of one source: what becomes of what it gave, "" if it is trusted.
func (a Switch) setMark(ctx context.Context, of host.Source, how DistrustHow) error {
	return a.changeStanding(ctx, func(ctx context.Context, s *standing) error {
		isNeedless := how == "" && s.Doubt.At.IsZero()
		l, err := encode(markSource(of), verdict{a.c.e.now(), how}, isNeedless)
		if err != nil {
			return err
		}
		s.Some = s.Some || !isNeedless
		return a.c.t.Roles.Ledger.SetLink(ctx, l)
	})
}
