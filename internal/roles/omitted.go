package roles

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/scimkit/scim/internal/host"
)

// A report goes on after a source whose roles cannot be looked up, or of which a guard refuses
// what it stands for now. Such a source keeps its link. A note in the ledger says that it is to
// be looked up again: the next report does so, or Settle.

// omittedKind is the kind of the notes about sources that reports have left out. The source is
// the key.
const omittedKind = "omitted"

func omittedKey(s host.Source) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func omittedSource(noteKey string) host.Source {
	source, err := base64.RawURLEncoding.DecodeString(noteKey)
	if err != nil {
		return ""
	}
	return host.Source(source)
}

// omitted are the sources that a report leaves out.
type omitted struct {
	of      *Admin
	noted   map[host.Source]bool // those that notes are about; nil: they are not read yet
	errs    []error              // at most describeLimit
	more    int                  // the number of further ones
	outages int                  // the number of those that no guard has refused
}

// source handles the outcome of the look-up of a source, which r is about. It returns the error
// if the report has to end: the application has an outage.
func (o *omitted) source(ctx context.Context, s host.Source, r run, err error) error {
	if o.noted == nil {
		if failed := o.readNotes(ctx); failed != nil {
			return failed
		}
	}
	if err == nil {
		return o.drop(ctx, s)
	}
	if err := o.add(ctx, fmt.Errorf("%s: %w", s, err)); err != nil {
		return err
	}
	return o.note(ctx, s, r)
}

// add collects an error. It returns it if the report has to end.
func (o *omitted) add(ctx context.Context, err error) error {
	if host.Answer(err).Status >= http.StatusInternalServerError {
		o.outages++
	}
	if ctx.Err() != nil || o.outages > failuresOfRun {
		return err
	}
	if len(o.errs) < describeLimit {
		o.errs = append(o.errs, err)
	} else {
		o.more++
	}
	return nil
}

// readNotes reads which sources earlier reports have left out.
func (o *omitted) readNotes(ctx context.Context) error {
	o.noted = map[host.Source]bool{}
	return eachOmitted(ctx, o.of, func(n host.Note) error {
		o.noted[omittedSource(n.Key)] = true
		return nil
	})
}

// note notes that a source is left out. An earlier note stays, with its time.
func (o *omitted) note(ctx context.Context, s host.Source, r run) error {
	if o.of.t.Roles.Pending == nil || o.noted[s] {
		return nil
	}
	text, err := json.Marshal(slices.Concat(packed([]run{r})...))
	if err != nil {
		return err
	}
	o.noted[s] = true
	return o.of.t.Roles.Pending.SetNote(ctx, host.Note{Kind: omittedKind, Key: omittedKey(s), At: o.of.e.now(), Text: string(text)})
}

// drop deletes the note about a source that is looked up.
func (o *omitted) drop(ctx context.Context, s host.Source) error {
	if !o.noted[s] {
		return nil
	}
	delete(o.noted, s)
	return o.of.t.Roles.Pending.SetNote(ctx, host.Note{Kind: omittedKind, Key: omittedKey(s)})
}

// err joins the errors of all sources that are left out.
func (o *omitted) err() error {
	errs := o.errs
	if o.more > 0 {
		errs = append(errs, fmt.Errorf("scim: %d more sources could not be looked up", o.more))
	}
	return errors.Join(errs...)
}

// eachOmitted calls fn with the notes about sources that reports have left out.
func eachOmitted(ctx context.Context, c *Admin, fn func(n host.Note) error) error {
	if c.t.Roles.Pending == nil {
		return nil
	}
	for after := ""; ; {
		page, err := c.t.Roles.Pending.Notes(ctx, omittedKind, after, notesPage)
		if err != nil {
			return err
		}
		for _, n := range page {
			after = n.Key
			if err := fn(n); err != nil {
				return err
			}
		}
		if len(page) < notesPage {
			return nil
		}
	}
}

// lookUp looks up again what a note is about, and deletes the note. Guards judge it as in a
// report.
func lookUp(ctx context.Context, c *Admin, n host.Note) error {
	runs, err := c.t.unpack(n)
	if err != nil {
		return err
	}
	if s := omittedSource(n.Key); c.isOff(s) {
		runs, err = nil, endOff(ctx, c, s)
	}
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r.group != "" {
			if err := c.GroupRolesChanged(ctx, r.group); err != nil && !errors.Is(err, host.ErrNotFound) {
				return err
			}
		}
		for _, v := range r.values {
			if err := joinErrors(c.valueChanged(ctx, v), followReport(ctx, c, v.key())); err != nil {
				return err
			}
		}
	}
	return c.t.Roles.Pending.SetNote(ctx, host.Note{Kind: omittedKind, Key: n.Key})
}

// finishOmitted looks up a source that somebody has seen in the list of pending matters.
func finishOmitted(ctx context.Context, c *Admin, k pendingKey) error {
	isThere := false
	err := eachOmitted(ctx, c, func(n host.Note) error {
		if omittedPending(n) != k {
			return nil
		}
		isThere = true
		return lookUp(ctx, c, n)
	})
	if err == nil && !isThere {
		return moved("the change is finished")
	}
	return err
}

// omittedPending identifies a note about a source as it is now.
func omittedPending(n host.Note) pendingKey {
	return pendingKey{Kind: host.PendingUnfinished, Source: omittedSource(n.Key), At: n.At.UnixMicro()}
}

// omitted lists sources that reports have left out.
func (l *pendingList) omitted(ctx context.Context, from pendingKey) error {
	after := ""
	if from.Source != "" {
		after = omittedKey(from.Source)
	}
	for !l.isFull() {
		page, err := l.t.Roles.Pending.Notes(ctx, omittedKind, after, notesPage)
		if err != nil {
			return err
		}
		for _, n := range page {
			after = n.Key
			k := omittedPending(n)
			p := host.Pending{Source: k.Source, At: n.At,
				Reason: "a report could not look up what the source stands for, or a guard refused it; repeat the report, or run Reconciler.Settle"}
			if group, ok := k.Source.Group(); ok {
				p.Resource = groupRef(group)
			}
			if l.add(k, p); l.isFull() {
				return nil
			}
		}
		if len(page) < notesPage {
			return nil
		}
	}
	return nil
}
