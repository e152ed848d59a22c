package console

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/scimkit/scim/journal"
)

// entryPage is an exchange with all that is known of it.
type entryPage struct {
	Entry *journal.Entry
	Row   row
	// Steps are how far the request came.
	Steps []step
	// About is whom it is about.
	About about
	// Actor and Advice say who has to act, and how. "": nobody.
	Actor, Advice string
	// Changes and Events say what the request did.
	Changes []changeView
	Events  []string
	// Duration is how long it took.
	Duration time.Duration
	// HasBodies says that there are bodies, and IsOpen that the page shows them.
	HasBodies, IsOpen bool
	// CanTry says that the viewer may try the request again, and NoTry why not. Again is what came of it.
	CanTry bool
	NoTry  string
	Again  *again
	// Curl sends the request again, and Support names nobody.
	Curl, Support string
}

// step is a part of the way of a request.
type step struct {
	Text, Tone string
}

// changeView is a change with the name of its resource.
type changeView struct {
	journal.Change
	Name string
}

func showEntry(ctx context.Context, q *request) error {
	return renderEntry(ctx, q, http.StatusOK, entryPage{})
}

// showBodies shows an entry with its bodies, and leaves a trace.
func showBodies(ctx context.Context, q *request) error {
	if !q.viewer.May.Bodies {
		return errForbidden
	}
	return renderEntry(ctx, q, http.StatusOK, entryPage{IsOpen: true})
}

// renderEntry shows the page. body says what the viewer has asked for.
func renderEntry(ctx context.Context, q *request, status int, body entryPage) error {
	e, err := q.c.o.Journal.Get(ctx, q.id, q.r.PathValue("id"))
	if err != nil {
		return err
	}
	list, err := q.tokens(ctx)
	if err != nil {
		return err
	}
	known := &lookup{ctx: ctx, q: q}
	body.Entry, body.Row, body.HasBodies = &e, rowOf(&e, list, known), e.Request != nil || e.Response != nil
	body.CanTry, body.NoTry = q.canTry(&e)
	if d := e.Detail; d != nil {
		body.Duration = d.Duration.Round(10 * time.Microsecond)
		body.fillDetail(d, q.tenant.Address, known)
		if e.Kind == journal.Exchange {
			body.About = aboutOf(q, d, known)
		}
	}
	body.Steps = stepsOf(&e)
	body.Support = supportOf(&e)
	if body.IsOpen {
		audit(ctx, q, e.ID, nil)
	}
	title := strings.TrimSpace(body.Row.What + " " + shorten(body.Row.Whom))
	q.c.render(q.w, q.r, status, "entry", q.c.newPage(q, "activity", title, &body))
	return nil
}

func (p *entryPage) fillDetail(d *journal.Detail, address string, known *lookup) {
	var actor journal.Actor
	actor, p.Advice = p.Entry.Advice()
	p.Actor = actorWords(actor)
	name := naming(d, known)
	for _, c := range d.Changes {
		p.Changes = append(p.Changes, changeView{c, name(refOf(c))})
	}
	for _, e := range d.Events {
		if text := eventWords(e, name); text != "" {
			p.Events = append(p.Events, text)
		}
	}
	if p.Entry.Kind == journal.Exchange {
		p.Curl = curlOf(p.Entry, address, p.IsOpen)
	}
}

// stepsOf says how far a request came.
func stepsOf(e *journal.Entry) []step {
	if e.Kind == journal.Gap || e.Detail == nil {
		return nil
	}
	steps := []step{{"received", ""}}
	stop := func(text string) []step { return append(steps, step{text, "x"}) }
	switch {
	case e.Kind == journal.Refused && e.Status == http.StatusTooManyRequests:
		return stop("refused: too many requests")
	case e.Kind == journal.Refused && e.Status == http.StatusUnauthorized && e.Detail.Failure != nil:
		return stop("refused: " + failureWords(e))
	case e.Kind == journal.Refused:
		return stop("refused: no client of this endpoint")
	}
	steps = append(steps, step{"client recognized", ""})
	switch {
	case e.Status == 0:
		return stop("the connection broke")
	case e.Status == http.StatusForbidden:
		return stop("not allowed")
	case e.Status == http.StatusNotFound:
		return stop("not found here")
	case e.Status == http.StatusConflict:
		return append(append(steps, step{"valid", ""}), step{"the value is taken: not stored", "x"})
	case e.Status >= 500:
		return stop("error of the application")
	case e.Status >= 400:
		return stop("not accepted")
	case isRead(e):
		return append(steps, step{"read", "g"})
	}
	steps = append(steps, step{"valid", ""})
	if len(e.Detail.Changes) == 0 && len(e.Detail.Events) == 0 {
		return append(steps, step{"nothing to change", "g"})
	}
	return append(steps, step{"stored", "g"})
}

// supportOf writes what may be shown to anybody: it names no person.
func supportOf(e *journal.Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "time: %s\nrequest id: %s\nentry: %s\nrequest: %s %s\nanswer: %d\n", e.Time.Format(time.RFC3339Nano), e.RequestID, e.ID, e.Method, cmp.Or(e.Type, "(no type)"), e.Status)
	if d := e.Detail; d != nil {
		fmt.Fprintf(&b, "duration: %v\n", d.Duration)
		if d.Failure != nil {
			fmt.Fprintf(&b, "error: %s\n", cmp.Or(d.Failure.Type, "without a type"))
		}
		for _, e := range d.Events {
			if e.Tolerance != "" {
				fmt.Fprintf(&b, "tolerance: %s\n", e.Tolerance)
			}
		}
	}
	for _, k := range e.Events {
		fmt.Fprintf(&b, "event: %s\n", k)
	}
	fmt.Fprintf(&b, "sizes: %d and %d bytes\n", e.RequestSize, e.ResponseSize)
	return b.String()
}

// originOf returns the scheme and the host of the endpoint.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "https://YOUR-HOST"
	}
	return u.Scheme + "://" + u.Host
}

// actorWords says who has to act.
func actorWords(a journal.Actor) string {
	switch a {
	case journal.Customer:
		return "Whoever administers the identity provider can solve this."
	case journal.Vendor:
		return "Whoever runs this application has to solve this."
	case journal.Nobody:
		return "Nobody has to act: the client tries again by itself."
	}
	return ""
}
