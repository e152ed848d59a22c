package roles

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/scimkit/scim/internal/host"
)

// A report stores what each source stands for now, and changes the roles of users when it has
// looked at all sources. Otherwise a role that moves from one source to another would be lost
// in between, or somebody would get a role that another source displaces. Notes in the ledger
// say which sources are left. A ledger without notes changes roles source by source.

// reportUnit begins the keys of notes of reports. The source follows, so that one unit follows
// all notes about one source.
const reportUnit = "#report"

// reportPrefix is the begin of the keys of all notes of reports about a source.
func reportPrefix(s host.Source) string {
	return reportUnit + base64.RawURLEncoding.EncodeToString([]byte(s)) + "."
}

// reportedSource is the source that a note of a report is about, "" for any other note.
func reportedSource(noteKey string) host.Source {
	text, isReport := strings.CutPrefix(noteKey, reportUnit)
	text, _, _ = strings.Cut(text, ".")
	source, err := base64.RawURLEncoding.DecodeString(text)
	if !isReport || err != nil {
		return ""
	}
	return host.Source(source)
}

// reported follows a change of a source's link: it reconciles the users of the source, or notes
// that they are to be reconciled. Call it before the link is stored.
func reported(ctx context.Context, w *Work, r run, now host.Link) (reconcile func(ctx context.Context) error, err error) {
	r.ending = w.left.ending
	if w.t.Roles.Pending == nil || w.t.isTransactional() && !w.t.Roles.LedgerLocks { // the note would be there before the link
		return func(ctx context.Context) error { return w.reconcile(ctx, r) }, judge{w}.link(ctx, r, now)
	}
	if w.t.Roles.Guards.Judges() {
		judged := r
		judged.view.link = &now
		if err := (judge{w}).run(ctx, judged); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(packed([]run{r})[0])
	if err != nil {
		return nil, err
	}
	n := host.Note{Kind: unfinishedKind, Key: reportPrefix(now.Source) + rand.Text(), At: w.e.now(), Text: string(text)}
	return func(context.Context) error { return nil }, w.t.Roles.Pending.SetNote(ctx, n)
}

// follow reconciles the users of sources that a report has left, and settles whatever else is
// unfinished: a report that has failed leaves other notes. It goes on after an error.
func (r *report) follow(ctx context.Context, after string) (next string, failed error) {
	if r.c.t.Roles.Pending == nil {
		return "", nil
	}
	for range linksInStep / notesPage {
		next, _, err := settlePage(ctx, r.c, after)
		failed = joinErrors(failed, r.left.add(err))
		if next == "" {
			return "", failed
		}
		after = next
	}
	return after, failed
}

// settleAfter settles what is unfinished after an error.
func settleAfter(ctx context.Context, c *Admin) error {
	if c.t.Roles.Pending == nil {
		return nil
	}
	_, failed := settleWrites(ctx, c)
	return failed
}

// followReport reconciles the users of a source that a report has left.
func followReport(ctx context.Context, c *Admin, s host.Source) error {
	if c.t.Roles.Pending == nil {
		return nil
	}
	return settleNotes(ctx, c, reportPrefix(s))
}

// joinErrors joins errors, and leaves a single one as it is.
func joinErrors(a, b error) error {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	return errors.Join(a, b)
}
