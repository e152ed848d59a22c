package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// Problem is one cause for which requests of a tenant have failed, with all the people whom it concerns.
type Problem struct {
	// Status and Type are those of the answers. Detail is the text of the newest one.
	Status int
	Type   string
	Detail string
	// Requests is how many have failed.
	Requests int
	// Since and Last are when the first and the newest of them failed.
	Since, Last time.Time
	// Concerned is how many people, groups or, if the client was refused, clients it concerns.
	Concerned int
	// Solved is for how many of them a later change has succeeded; for a client, a later request of the
	// same kind, or any one if the client was refused. If it is Concerned, the problem has solved itself.
	Solved int
	// Actor is who has to act, and Advice says how, to people who set up clients.
	Actor  Actor
	Advice string
	// Newest is the ID of the newest entry.
	Newest string
}

// IsSolved reports whether nobody has to act any more.
func (p *Problem) IsSolved() bool { return p.Solved >= p.Concerned }

// Actor is who has to act.
type Actor string

// The actors.
const (
	Customer Actor = "customer" // who administers the identity provider
	Vendor   Actor = "vendor"   // who runs the application
	Nobody   Actor = "nobody"   // the client tries again by itself
)

const (
	maxFailed    = 5000 // failed entries that Problems reads
	maxConcerned = 200  // of one problem, for which Problems looks whether it is solved
)

// Problems groups the failed requests of a tenant since a time by their cause, those that are not solved first, then the
// newest. It reads at most the newest 5,000; more says that there are others. It looks at most at 200 people of a
// problem, so Solved may be too low for a larger one. Operations that failed within a bulk request do not count.
func (j *Journal) Problems(ctx context.Context, tenant string, since time.Time) (all []Problem, more bool, err error) {
	if since.IsZero() {
		return nil, false, errNoTime
	}
	found := map[string]*causes{}
	for _, class := range []string{classOf(500), classOf(400), classOf(0)} {
		full, err := collect(ctx, j, tenant, class, since, found)
		if err != nil {
			return nil, false, err
		}
		more = more || full
	}
	for _, c := range found {
		if err := c.solve(ctx, j, tenant); err != nil {
			return nil, false, err
		}
		all = append(all, c.Problem)
	}
	slices.SortFunc(all, func(a, b Problem) int {
		if s := a.IsSolved(); s != b.IsSolved() {
			return map[bool]int{false: -1, true: 1}[s]
		}
		return cmp.Or(b.Last.Compare(a.Last), strings.Compare(a.Newest, b.Newest))
	})
	return all, more, nil
}

// causes is a problem with those whom it concerns, and the newest failure of each.
type causes struct {
	Problem
	concerned map[scim.Ref]Head
}

// collect adds the failed entries of a class. full says that there are more of them.
func collect(ctx context.Context, j *Journal, tenant, class string, since time.Time, found map[string]*causes) (full bool, err error) {
	h, err := j.ring.hasher(ctx, tenant)
	if err != nil {
		return false, err
	}
	s := Search{Tenant: tenant, Terms: []Term{h.term(termFailed, class)}, From: firstID(since), Limit: maxLimit}
	for read := 0; read < maxFailed; read += s.Limit {
		page, err := j.findAny(ctx, []Search{s})
		if err != nil {
			return false, err
		}
		for i := range page {
			e := &page[i]
			if e.Detail == nil || e.Detail.Failure == nil {
				continue
			}
			key := causeOf(e)
			c := found[key]
			if c == nil { // The newest comes first.
				c = &causes{Problem{Status: e.Status, Type: e.Detail.Failure.Type, Detail: e.Detail.Failure.Detail, Last: e.Time, Newest: e.ID}, map[scim.Ref]Head{}}
				c.Actor, c.Advice = adviceFor(e)
				found[key] = c
			}
			c.Requests++
			c.Since = e.Time
			if ref := concernedBy(e); c.concerned[ref].ID == "" {
				c.concerned[ref] = e.Head
			}
		}
		if len(page) < s.Limit {
			return false, nil
		}
		s.Before = page[len(page)-1].ID
	}
	return true, nil
}

// causeOf returns what failures of one cause have in common: the text without what stands in quotes.
func causeOf(e *Entry) string {
	f := e.Detail.Failure
	var b strings.Builder
	fmt.Fprint(&b, e.Status, " ", f.Type, " ", e.Kind, " ")
	for i, part := range strings.Split(f.Detail, `"`) {
		if i%2 == 0 {
			b.WriteString(part)
		}
	}
	return b.String()
}

// concernedBy returns whom a failure concerns: the first resource that the request names, or else the client.
func concernedBy(e *Entry) scim.Ref {
	if e.Kind != Refused {
		for _, t := range e.Detail.Touched {
			switch {
			case t.ID != "":
				return scim.Ref{Type: t.Type, ID: t.ID}
			case len(t.Names) > 0:
				return scim.Ref{Type: t.Type, ID: scim.Fold(t.Names[0])}
			}
		}
	}
	return scim.Ref{Type: termClient, ID: e.Detail.Client}
}

// solve counts for how many a later change has succeeded.
func (c *causes) solve(ctx context.Context, j *Journal, tenant string) error {
	c.Concerned = len(c.concerned)
	h, err := j.ring.hasher(ctx, tenant)
	if err != nil {
		return err
	}
	n := 0
	for ref, failed := range c.concerned {
		if n++; n > maxConcerned {
			return nil
		}
		s := Search{Tenant: tenant, Kind: Exchange, Class: 2, From: failed.ID, Limit: 20}
		switch {
		case ref.Type != termClient:
			s.Terms = []Term{h.term(cmp.Or(ref.Type, unknownType), ref.ID)}
		case ref.ID != "":
			s.Terms = []Term{h.term(termClient, ref.ID)}
			s.Limit = 200 // most of what a client sends has nothing to do with the failure
		}
		later, err := j.store.Find(ctx, s)
		if err != nil {
			return fmt.Errorf("journal: find: %w", err)
		}
		if slices.ContainsFunc(later, func(r Record) bool { return isSuccess(ref, failed, r) }) {
			c.Solved++
		}
	}
	return nil
}

// isSuccess reports whether a later exchange, which concerns ref too, does what has failed.
func isSuccess(ref scim.Ref, failed Head, later Record) bool {
	switch {
	case ref.Type != termClient: // To be read is no success of a change.
		return later.Method != http.MethodGet
	case failed.Kind == Refused: // The client may send anything again.
		return true
	}
	return later.Method == failed.Method && later.Type == failed.Type
}

// adviceFor says who has to act, and how.
func adviceFor(e *Entry) (Actor, string) {
	failure := e.Detail.Failure
	switch {
	case e.Status == 0:
		return Vendor, "The connection ended before the answer: look at proxies and their time limits, and at the log of the application."
	case e.Status == http.StatusTooManyRequests:
		return Nobody, "The client sends more requests than it may, and tries again later. If this goes on for hours, raise the limit."
	case e.Status == http.StatusNotImplemented:
		return Customer, "The application does not offer this: switch it off in the settings of the identity provider."
	case e.Status == http.StatusServiceUnavailable:
		return Vendor, "The application was not available: look at its database, and whether SCIM is switched on for this tenant."
	case e.Status >= 500:
		return Vendor, "This is an error of the application: find the id of the request in its log."
	case e.Status == http.StatusUnauthorized:
		return Customer, "The client's credentials are not accepted: make a new token, and enter it in the identity provider."
	case e.Kind == Refused:
		return Customer, "There is no endpoint at this address: compare it with the one that the application shows."
	case e.Status == http.StatusForbidden && strings.HasPrefix(failure.Detail, "this token does not have the scope"):
		return Customer, "The token does not open this: make one with the scope that the text names, or switch these requests off in the identity provider."
	case e.Status == http.StatusForbidden:
		return Vendor, "The application does not allow this: its text says which rule, permission or limit of seats decides."
	case e.Status == http.StatusConflict || failure.Type == "uniqueness":
		return Customer, "Somebody has this value already: change one of the two in the directory, or delete or adopt the account in the application."
	case e.Status == http.StatusNotFound:
		return Customer, "The client names what the application does not have: start the provisioning of this person or group again in the identity provider."
	case e.Status == http.StatusRequestEntityTooLarge:
		return Customer, "The request is too large: let the client send fewer members or operations at once."
	}
	return Customer, "A value is not what the application accepts: change the mapping of attributes in the identity provider, or the value in the directory."
}

// errNoTime is what Problems returns for the zero time: it would read everything.
var errNoTime = errors.New("journal: Problems needs a time to begin with")
