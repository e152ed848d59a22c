package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/journal"
)

// standing says how the connection of a tenant stands.
type standing struct {
	// Tone is "good", "warn" or "bad", and Lead the sentence that says so.
	Tone, Lead string
	// Rest is what else to know, in sentences.
	Rest []string
	// Next are the links to what should be done next.
	Next []link
	// Newest is the newest exchange. Nil: there is none.
	Newest *journal.Entry
	// Refused is the newest refused request, if nothing has come since. Nil: there is none.
	Refused *journal.Entry
}

// link is a link below the tenant's pages.
type link struct{ Path, Text string }

// overview is the first page of a tenant.
type overview struct {
	Standing *standing
	Rows     []row
}

// recent is how many exchanges the overview shows.
const recent = 8

// problemsFor is how far back problems count.
const problemsFor = 7 * 24 * time.Hour

func showOverview(ctx context.Context, q *request) error {
	body := overview{}
	p := q.c.newPage(q, "", q.name(), &body)
	list, err := q.tokens(ctx)
	if err == nil {
		body.Standing, err = findStanding(ctx, q, list)
	}
	if err == nil {
		body.Rows, _, err = rows(ctx, q, list, journal.Query{Tenant: q.id, Limit: recent}, anyEntry)
	}
	if err != nil {
		p.Down = whyDown(ctx, q, err)
	}
	q.c.render(q.w, q.r, http.StatusOK, "overview", p)
	return nil
}

// whyDown logs why a part of a page is missing, and says so without what the error has.
func whyDown(ctx context.Context, q *request, err error) string {
	q.c.o.Log.ErrorContext(ctx, "scim console: a part of a page is missing", "path", q.r.URL.Path, "tenant", q.id, "viewer", q.viewer.ID, "error", err)
	if ctx.Err() != nil {
		return "The journal did not answer in time, so a part of this page is missing. Provisioning goes on. Try again in a minute."
	}
	return "The journal cannot be read now, so a part of this page is missing. Provisioning goes on. Try again in a minute."
}

// findStanding finds out how the connection stands.
func findStanding(ctx context.Context, q *request, list []tokens.Token) (*standing, error) {
	s := &standing{}
	var err error
	if s.Newest, err = newest(ctx, q, journal.Exchange); err != nil {
		return nil, err
	}
	if s.Refused, err = newest(ctx, q, journal.Refused); err != nil {
		return nil, err
	}
	if s.Newest != nil && s.Refused != nil && s.Refused.ID < s.Newest.ID {
		s.Refused = nil
	}
	s.lead(ctx, q, list, q.c.o.Now())
	if err := s.addCounts(ctx, q); err != nil {
		return nil, err
	}
	if err := addProblems(ctx, q, s); err != nil {
		return nil, err
	}
	addPending(ctx, q, s)
	return s, nil
}

// addPending says how many matters wait for a decision. A ledger that cannot list them leaves them out.
func addPending(ctx context.Context, q *request, s *standing) {
	if q.tenant.Roles == nil || q.tenant.Directory == nil {
		return
	}
	all, next, err := q.tenant.Roles.Pending(ctx, "", maxPending)
	if err != nil || len(all) == 0 {
		return
	}
	text := countOf(len(all), "decision about roles waits", "decisions about roles wait")
	if next != "" {
		text = "More than " + text
	}
	if s.Tone == "good" {
		s.Tone = "warn"
	}
	s.Rest = append(s.Rest, text+" for you.")
	s.Next = append(s.Next, link{"groups", "decide who gets a role"})
}

// newest returns the newest entry of a kind. Nil: there is none.
func newest(ctx context.Context, q *request, kind journal.Kind) (*journal.Entry, error) {
	all, err := q.c.o.Journal.Find(ctx, journal.Query{Tenant: q.id, Kind: kind, Limit: 1})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// lead writes the sentence that says how it stands.
func (s *standing) lead(ctx context.Context, q *request, list []tokens.Token, now time.Time) {
	hasToken := slices.ContainsFunc(list, func(t tokens.Token) bool { return t.IsValid(now) })
	switch {
	case s.Newest == nil && s.Refused != nil:
		s.Tone, s.Lead = "bad", "A client is calling, and is refused."
		s.Rest = append(s.Rest, "Last try "+agoOf(s.Refused.Time, now)+": "+cmp.Or(rowOf(s.Refused, list, &lookup{ctx: ctx, q: q}).Outcome, "no reason was given")+".")
		s.Next = append(s.Next, link{"connection", "check the token and the address"})
	case s.Newest == nil && q.tenant.Tokens != nil && !hasToken:
		s.Tone, s.Lead = "warn", "Nothing is connected yet."
		s.Next = append(s.Next, link{"connection", "make a token for your identity provider"})
	case s.Newest == nil:
		s.Tone, s.Lead = "warn", "Waiting for the first request."
		s.Next = append(s.Next, link{"connection", "enter the address and the token in your identity provider"})
	case q.tenant.Tokens != nil && !hasToken:
		s.Tone, s.Lead = "bad", "No token is valid, so nobody can connect."
		s.Rest = append(s.Rest, "Last request "+agoOf(s.Newest.Time, now)+".")
		s.Next = append(s.Next, link{"connection", "make a new token"})
	default:
		s.Tone, s.Lead = "good", clientName(s.Newest, list)+" is connected."
		s.Rest = append(s.Rest, "Last request "+agoOf(s.Newest.Time, now)+".")
		if s.Refused != nil && (isKnownClient(s.Refused) || now.Sub(s.Newest.Time) > silence) {
			s.Tone = "bad"
			s.Rest = append(s.Rest, "A request was refused "+agoOf(s.Refused.Time, now)+": "+rowOf(s.Refused, list, &lookup{ctx: ctx, q: q}).Outcome+".")
			s.Next = append(s.Next, link{"activity/" + s.Refused.ID, "see why a request was refused"})
		}
	}
}

// silence is after which time without an accepted request those of unknown clients are worth a line. They may
// come from anybody.
const silence = time.Hour

// isKnownClient reports whether a refused request came from a client that was accepted before, such as one whose token has
// expired.
func isKnownClient(e *journal.Entry) bool { return e.Detail != nil && e.Detail.Client != "" }

// clientName returns the name of the client of an entry.
func clientName(e *journal.Entry, list []tokens.Token) string {
	if e.Detail == nil {
		return "A client"
	}
	return cmp.Or(e.Detail.Label, labelOf(list, e.Detail.Client), "A client")
}

// labelOf returns the label of a client's newest token; "" if there is none.
func labelOf(list []tokens.Token, client string) string {
	i := slices.IndexFunc(list, func(t tokens.Token) bool { return t.Client == client })
	if i < 0 {
		return ""
	}
	return list[i].Label
}

// addCounts says how many people and groups there are.
func (s *standing) addCounts(ctx context.Context, q *request) error {
	if q.tenant.Directory == nil {
		return nil
	}
	var n [2]int
	for i, t := range []*scim.ResourceType{scim.UserType(), scim.GroupType()} {
		page, err := q.tenant.Directory.List(ctx, t, &scim.Query{Total: true})
		if err != nil {
			return err
		}
		n[i] = page.Total
	}
	s.Rest = append(s.Rest, countOf(n[0], "person", "people")+", "+countOf(n[1], "group", "groups")+".")
	return nil
}

// addProblems says how many problems need somebody to act.
func addProblems(ctx context.Context, q *request, s *standing) error {
	all, _, err := q.problems(ctx, false)
	if err != nil {
		return err
	}
	open := openProblems(all)
	if len(open) == 0 {
		return nil
	}
	if s.Tone == "good" {
		s.Tone = "warn"
	}
	s.Rest = append(s.Rest, countOf(len(open), "problem needs", "problems need")+" you.")
	s.Next = append(s.Next, link{"problems", "see what failed and how to solve it"})
	return nil
}

// tokens lists the tokens of the tenant, without the records of set-up links; nil if they are made elsewhere.
func (q *request) tokens(ctx context.Context) ([]tokens.Token, error) {
	if q.tenant.Tokens == nil {
		return nil, nil
	}
	all, err := q.tenant.Tokens.List(ctx)
	return withoutLinks(all), err
}
