package roles

import (
	"context"
	"crypto/rand"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// A report looks up all sources that the store has. A write looks up a new source before the
// store has it. If the application's mapping changes in between and is reported, the report does
// not see the source, and the write would store what the source stood for before. So each report
// first leaves a mark in the ledger, and a write that finds another mark at its end than before its
// look-ups looks up again.

// reportSource is where the ledger keeps the mark of the last report.
const reportSource = host.Source("report:")

// lookUps are what a unit has looked up that the store may not have yet.
type lookUps struct {
	isMarked bool
	mark     string // of the last report before the first look-up
	groups   []*doc.Document
	values   []value
}

// markOf is the mark of the last report in links.
func markOf(links map[host.Source]host.Link) string {
	if l := links[reportSource]; l.IsLinked() {
		return l.Roles[0].Role.ID
	}
	return ""
}

// note notes which report was the last one. Call it before a look-up, with a mark that was read
// before it.
func (l *lookUps) note(mark string) {
	if !l.isMarked {
		l.isMarked, l.mark = true, mark
	}
}

// lastReport reads the mark of the last report.
func (t tenant) lastReport(ctx context.Context) (string, error) {
	links, err := t.links(ctx, []host.Source{reportSource})
	return markOf(links), err
}

// beginReport leaves the mark of a new report. It waits for the writes that have compared marks
// and have yet to commit.
func (c *Admin) beginReport(ctx context.Context) error {
	l := host.Link{Source: reportSource, Roles: []host.LinkedRole{{Role: host.Role{ID: rand.Text()}, Confirmed: true}}} // it awaits nobody
	if !c.t.Roles.LedgerLocks {
		return c.t.Roles.Ledger.SetLink(ctx, l)
	}
	return c.t.Stores.InTx(ctx, func(ctx context.Context) error {
		if err := fence(ctx, c.t); err != nil {
			return err
		}
		return c.t.Roles.Ledger.SetLink(ctx, l)
	})
}

// checkLookUps returns host.ErrStale if a report began since the look-ups of the unit. No other
// report begins before the transaction ends. Only a ledger that commits with the store can say so.
func checkLookUps(ctx context.Context, w *Work) error {
	if !w.needs.lookUps.isMarked || !w.t.Roles.LedgerLocks {
		return nil
	}
	if _, err := w.t.Roles.Ledger.Grants(ctx, nil); err != nil { // shares the fence
		return err
	}
	mark, err := w.t.lastReport(ctx)
	if err == nil && mark != w.needs.lookUps.mark {
		w.needs.answers = nil
		return host.ErrStale
	}
	return err
}

// lookUpAgain repeats the look-ups of a unit that has written, if a report began meanwhile and the
// ledger does not commit with the store.
func lookUpAgain(ctx context.Context, w *Work) {
	l := w.needs.lookUps
	w.needs.lookUps = lookUps{}
	if !l.isMarked || w.t.Roles.LedgerLocks {
		return
	}
	mark, err := w.t.lastReport(ctx)
	c := w.e.Admin(w.t.Tenant)
	if mark == l.mark && err == nil {
		return
	}
	out := &omitted{of: c}
	for _, g := range l.groups {
		s := host.GroupSource(g.ID)
		err = joinErrors(err, out.source(ctx, s, run{group: g.ID}, joinErrors(c.groupChanged(ctx, g), followReport(ctx, c, s))))
	}
	for _, v := range l.values {
		err = joinErrors(err, out.source(ctx, v.key(), run{values: []value{v}}, joinErrors(c.valueChanged(ctx, v), followReport(ctx, c, v.key()))))
	}
	if err = joinErrors(err, out.err()); err != nil { // the client cannot do anything about it
		w.e.Log.ErrorContext(ctx, "scim: a source could not be looked up again after a report; run Reconciler.RolesChanged", "error", err)
	}
}
