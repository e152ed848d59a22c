package roles

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// unfinishedKind is the kind of the notes about deferred reconciliations.
const unfinishedKind = "unfinished"

// later are the reconciliations that a unit of work runs after the store's commit. Notes in
// the ledger make them outlive the process. If the ledger commits with the store, the notes
// commit with the write. Otherwise the ledger has them before the store commits.
type later struct {
	runs  []run
	state laterState
	notes []string  // the keys of the notes to delete when all runs are done
	since time.Time // the time of the oldest note
}

// laterState says whether the ledger needs notes about the runs.
type laterState int

const (
	laterIdle  laterState = iota // as far as the unit knows, the runs change nothing
	laterDue                     // the runs change something, and no note says so yet
	laterNoted                   // notes say so
)

// add defers a run. due says that it changes something, or may do so.
func (l *later) add(r run, due bool) {
	l.runs = append(l.runs, r)
	if due {
		l.state = laterDue
	}
}

// rewind forgets the runs behind the first n, because an attempt failed. rollsBack says that
// the attempt's notes are gone with it.
func (l *later) rewind(n int, rollsBack bool) {
	l.runs = l.runs[:n]
	if rollsBack && n == 0 {
		*l = later{}
	}
}

// openNote is an unfinished reconciliation in the ledger.
type openNote struct {
	key  string
	at   time.Time
	runs []run
}

// afterwards is the part of a unit that follows its commit. key is the key of the unit.
type afterwards struct {
	w   *Work
	key string
}

// note notes what the unit has deferred. It also takes over what earlier units with the key
// have left, unless roles commit with the store: then no write of a client leaves anything.
func (a afterwards) note(ctx context.Context) error {
	if !a.w.t.hasRoles() || a.w.t.Roles.Pending == nil {
		return nil
	}
	if a.key != "" && !a.w.t.Roles.Joint {
		if err := a.takeOver(ctx, notePrefix(a.key)); err != nil {
			return err
		}
	}
	if a.w.later.state != laterDue {
		return nil
	}
	return a.write(ctx)
}

// takeOver makes the unit complete the reconciliations in the notes whose keys have a
// prefix.
func (a afterwards) takeOver(ctx context.Context, prefix string) error {
	old, err := openNotes(ctx, a.w.t, prefix)
	for _, n := range old {
		l := &a.w.later
		if slices.Contains(l.notes, n.key) {
			continue
		}
		l.notes = append(l.notes, n.key)
		if l.since.IsZero() || n.at.Before(l.since) {
			l.since = n.at
		}
		for _, r := range n.runs {
			r.cause = a.w.left.cause
			if r.view.deleted, err = ifGone(ctx, a.w.t, r.view.deleted); err != nil {
				return err
			}
			l.runs = append(l.runs, r)
		}
	}
	return err
}

// ifGone returns the id of a deleted user, and "" if a user has this id again.
func ifGone(ctx context.Context, t tenant, userID string) (string, error) {
	if userID == "" {
		return "", nil
	}
	_, err := t.Stores.Get(ctx, userRef(userID))
	if errors.Is(err, host.ErrNotFound) {
		return userID, nil
	}
	return "", err
}

// write notes all deferred runs, in the place of the notes that the unit knows.
func (a afterwards) write(ctx context.Context) error {
	l, p := &a.w.later, a.w.t.Roles.Pending
	if l.since.IsZero() {
		l.since = a.w.e.now()
	}
	prefix := notePrefix(a.key) + rand.Text() // no unit overwrites the note of another one
	var notes []string
	for i, part := range packed(merge(l.runs)) {
		text, err := json.Marshal(part)
		if err != nil {
			return err
		}
		n := host.Note{Kind: unfinishedKind, Key: fmt.Sprintf("%s.%06d", prefix, i), At: l.since, Text: string(text)}
		if err := p.SetNote(ctx, n); err != nil {
			return err
		}
		notes = append(notes, n.Key)
	}
	for _, old := range l.notes {
		if err := p.SetNote(ctx, host.Note{Kind: unfinishedKind, Key: old}); err != nil {
			return err
		}
	}
	l.state, l.notes = laterNoted, notes
	return nil
}

// drop deletes the notes of runs that are done.
func (a afterwards) drop(ctx context.Context) {
	for _, key := range a.w.later.notes {
		if err := a.w.t.Roles.Pending.SetNote(ctx, host.Note{Kind: unfinishedKind, Key: key}); err != nil {
			a.w.e.Log.WarnContext(ctx, "scim: the note about a finished change could not be deleted; run Reconciler.Settle", "error", err)
			break
		}
	}
	a.w.later = later{}
}

// finish runs the deferred reconciliations, and those that earlier units with the key
// could not finish. isGone says that the unit did not find the resource.
func (a afterwards) finish(ctx context.Context, isGone bool) error {
	hasNotes := a.w.t.hasRoles() && a.w.t.Roles.Pending != nil
	if hasNotes && isGone && a.key != "" && !a.w.t.Roles.Joint {
		if err := a.takeOver(ctx, notePrefix(a.key)); err != nil {
			return err
		}
	}
	if !hasNotes && a.key != "" {
		for _, r := range a.w.e.unsettled.take(keylock.Key(a.w.t.ID, a.key)) {
			r.cause = a.w.left.cause
			a.w.later.add(r, true)
		}
	}
	failed := a.run(ctx)
	switch {
	case failed == nil:
		a.drop(ctx)
		return nil
	case !hasNotes && a.key != "":
		a.w.e.unsettled.keep(keylock.Key(a.w.t.ID, a.key), a.w.later.runs)
	case hasNotes && a.w.later.state != laterNoted:
		if err := a.write(ctx); err != nil {
			a.w.e.Log.ErrorContext(ctx, "scim: an unfinished change could not be noted", "error", err)
		}
	}
	a.w.e.Log.ErrorContext(ctx, "scim: roles could not be reconciled after a write; repeat the request, or run Reconciler.Settle",
		"left", describe(a.w.later.runs), "error", failed)
	a.w.later.runs = nil // the notes stay: see Forget
	return failed
}

// run runs the deferred reconciliations. Those that it does not finish stay in
// w.later: of a run that leaves out some users, only these.
func (a afterwards) run(ctx context.Context) error {
	var left leftOut
	var open []run
	l := &a.w.later
	for len(l.runs) > 0 {
		r := l.runs[0]
		r.view = view{deleted: r.view.deleted} // the store has everything else by now
		r.ending = a.w.left.ending
		err, out := a.w.settleMost(ctx, r), (*leftOut)(nil)
		switch {
		case errors.As(err, &out):
			left.users, left.errs = append(left.users, out.users...), append(left.errs, out.errs...)
			open = append(open, run{ids: out.users, cause: r.cause, view: r.view})
		case err != nil:
			l.runs = append(open, l.runs...)
			return err
		}
		l.runs = l.runs[1:]
		releaseRetained(ctx, a.w)
	}
	if len(open) == 0 {
		return nil
	}
	l.runs, l.state = open, laterDue // the notes, if there are any, are about more users
	return &left
}

// Forget deletes the notes of a failed unit, because the caller has undone its write.
func (w *Work) Forget(ctx context.Context) { afterwards{w, ""}.drop(ctx) }

// notePrefix is the begin of the keys of all notes about a write with this key. Writes
// without a key have "#" alone.
func notePrefix(key string) string {
	if key == "" {
		return "#"
	}
	typ, id, _ := strings.Cut(key, "\x00")
	return typ + "/" + url.PathEscape(id) + "#"
}

// unitPrefix is the begin of the keys of notes that one unit completes together with the
// note that has this key: all about one resource, or all of one unit.
func unitPrefix(noteKey string) string {
	resource, unit, _ := strings.Cut(noteKey, "#")
	if resource != "" {
		return resource + "#"
	}
	unit, _, _ = strings.Cut(unit, ".")
	return "#" + unit + "."
}

// resourceOf is the resource whose write left a note; the zero Ref if the note does not say.
func resourceOf(noteKey string) host.Ref {
	if group, ok := reportedSource(noteKey).Group(); ok {
		return groupRef(group)
	}
	resource, _, _ := strings.Cut(noteKey, "#")
	typ, id, ok := strings.Cut(resource, "/")
	id, err := url.PathUnescape(id)
	if !ok || err != nil {
		return host.Ref{}
	}
	return host.Ref{Type: typ, ID: id}
}

// openNotes reads the notes whose keys have a prefix.
func openNotes(ctx context.Context, t tenant, prefix string) (all []openNote, err error) {
	for after := prefix; ; {
		page, err := t.Roles.Pending.Notes(ctx, unfinishedKind, after, notesPage)
		if err != nil {
			return nil, err
		}
		for _, n := range page {
			if !strings.HasPrefix(n.Key, prefix) {
				return all, nil
			}
			runs, err := t.unpack(n)
			if err != nil {
				return nil, err
			}
			all, after = append(all, openNote{n.Key, n.At, runs}), n.Key
		}
		if len(page) < notesPage {
			return all, nil
		}
	}
}

// notesPage is how many notes are read at once. A note has at most noteSize users and values.
const (
	notesPage = 20
	noteSize  = directory.Batch
)

// noteRun is a run in the text of a note.
type noteRun struct {
	Users   []string    `json:"users,omitempty"`
	Group   string      `json:"group,omitempty"`
	Below   []string    `json:"below,omitempty"`
	Values  [][2]string `json:"values,omitempty"` // paths of attributes, and values
	Deleted string      `json:"deleted,omitempty"`
}

func (r *noteRun) size() int { return 1 + len(r.Users) + len(r.Below) + len(r.Values) }

// packed divides runs so that each part fits into a note.
func packed(runs []run) (notes [][]noteRun) {
	var part []noteRun
	size := 0
	add := func(r noteRun) {
		if size > 0 && size+r.size() > noteSize+1 {
			notes, part, size = append(notes, part), nil, 0
		}
		part, size = append(part, r), size+r.size()
	}
	for _, r := range runs {
		if r.group != "" {
			add(noteRun{Group: r.group})
		}
		for ids := range slices.Chunk(r.ids, noteSize) {
			add(noteRun{Users: ids, Deleted: r.view.deleted})
		}
		for ids := range slices.Chunk(r.below, noteSize) {
			add(noteRun{Below: ids})
		}
		for values := range slices.Chunk(r.values, noteSize) {
			n := noteRun{}
			for _, v := range values {
				n.Values = append(n.Values, [2]string{v.attr.Path, v.text})
			}
			add(n)
		}
	}
	if size > 0 {
		notes = append(notes, part)
	}
	return notes
}

// unpack reads the runs in a note. It leaves out values of attributes that no longer exist.
func (t tenant) unpack(n host.Note) ([]run, error) {
	var list []noteRun
	if err := json.Unmarshal([]byte(n.Text), &list); err != nil {
		return nil, fmt.Errorf("scim: the note %q of kind %q in the ledger: %w", n.Key, n.Kind, err)
	}
	runs := make([]run, 0, len(list))
	for _, r := range list {
		in := run{ids: r.Users, group: r.Group, below: r.Below, view: view{deleted: r.Deleted}}
		for _, v := range r.Values {
			if a := t.Types.User.Find(v[0]); a != nil {
				in.values = append(in.values, value{a, v[1]})
			}
		}
		runs = append(runs, in)
	}
	return runs, nil
}

// Settle completes the changes of roles that writes have left unfinished, in any process. It
// looks up again what reports have left out. It goes on after a change that fails.
func (c *Admin) Settle(ctx context.Context) error {
	if c.t.Roles.Pending == nil {
		return errNoPending
	}
	left, failed := settleWrites(ctx, c)
	err := eachOmitted(ctx, c, func(n host.Note) error {
		if err := lookUp(ctx, c, n); err != nil {
			left, failed = left+1, cmp.Or(failed, err)
		}
		return ctx.Err()
	})
	failed = cmp.Or(failed, err)
	if left > 0 {
		return fmt.Errorf("scim: Reconciler.Settle: %d changes are still unfinished, the first because of: %w", left, failed)
	}
	return failed
}

// settleWrites settles what all notes about writes say. left is how many changes are still
// unfinished, the first because of failed.
func settleWrites(ctx context.Context, c *Admin) (left int, failed error) {
	for after := ""; ; {
		next, n, err := settlePage(ctx, c, after)
		left, failed = left+n, cmp.Or(failed, err)
		if next == "" || ctx.Err() != nil {
			return left, failed
		}
		after = next
	}
}

// settlePage settles what a page of notes says. left is how many changes are still unfinished, the
// first because of failed. next is the last note, "" if no more follow.
func settlePage(ctx context.Context, c *Admin, after string) (next string, left int, failed error) {
	page, err := c.t.Roles.Pending.Notes(ctx, unfinishedKind, after, notesPage)
	if err != nil {
		return "", 0, err
	}
	done := ""
	for _, n := range page {
		next = n.Key
		prefix := unitPrefix(n.Key)
		if prefix == done || isUnderWay(c, n) {
			continue
		}
		done = prefix
		if err := settleNotes(ctx, c, prefix); err != nil {
			left, failed = left+1, cmp.Or(failed, err)
		}
		if err := ctx.Err(); err != nil {
			return "", left, cmp.Or(failed, err)
		}
	}
	if len(page) < notesPage {
		next = ""
	}
	return next, left, failed
}

// isUnderWay reports whether a write may still have to commit. Its note is there already if
// the store has transactions and the ledger takes no part in them. A write with a key excludes
// Settle meanwhile.
func isUnderWay(c *Admin, n host.Note) bool {
	return c.t.isTransactional() && !c.t.Roles.LedgerLocks && resourceOf(n.Key) == host.Ref{} && c.e.now().Sub(n.At) < 2*c.e.Time
}

// settleNotes completes what the notes with a prefix say. Like the write that left them, it
// holds the lock of the resource. Guards have judged the write, and judge only what takes the
// place of a role that is gone.
func settleNotes(ctx context.Context, c *Admin, prefix string) error {
	ref := resourceOf(prefix)
	key := ""
	if ref != (host.Ref{}) {
		key = keylock.Key(ref.Type, ref.ID)
	}
	w := c.e.Begin(c.t.Tenant, "")
	if w.left.ending = c.ending; c.ending != "" { // a person has decided that SCIM ends
		SkipGuards(w)
	}
	w.guards.subject = subject{ref: ref, cause: host.CauseWrite}
	if source := reportedSource(prefix); source != "" {
		w.left.cause = applicationReports
		w.guards.subject = subject{ref: ref, source: source, cause: host.CauseReport}
	}
	err := w.Isolate(ctx, key, func(ctx context.Context) error {
		if key != "" {
			if _, err := w.t.dir.Lock(ctx, ref); err != nil && !host.IsNotFound(err) {
				return err
			}
		}
		return afterwards{w, key}.takeOver(ctx, prefix)
	})
	w.Deliver(ctx)
	return err
}
