package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	// Requests is how many requests and operations of bulk requests have failed.
	Requests int
	// Since and Last are when the first and the newest of them failed.
	Since, Last time.Time
	// Concerned is how many people, groups or, if the client was refused, clients it concerns.
	Concerned int
	// Solved is for how many of them it is over: a later request about the same person or group does what has failed, with
	// the attribute that the text names. For a client, it is a later request to the same address, or any one if the
	// client was refused. A malformed request that names nobody stays. If Solved is Concerned, the problem has solved itself.
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
// problem, so Solved may be too low for a larger one.
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
	concerned map[scim.Ref]*failed
}

// failed is a request or an operation of a bulk request that failed.
type failed struct {
	*Entry  // of the request
	method  string
	typ     string // the resource type in the address
	status  int
	failure *Failure
	about   scim.Ref // whom it concerns
}

// failuresOf returns what failed in an entry.
func failuresOf(e *Entry) (all []failed) {
	d := e.Detail
	if d == nil {
		return nil
	}
	if d.Failure != nil {
		all = append(all, failed{e, e.Method, e.Type, e.Status, d.Failure, concernedBy(e)})
	}
	for i := range d.Operations {
		o := &d.Operations[i]
		ref, ok := o.Resource.refOf()
		if !ok {
			ref = scim.Ref{Type: termClient, ID: d.Client}
		}
		all = append(all, failed{e, o.Method, o.Resource.Type, o.Status, &o.Failure, ref})
	}
	return all
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
			for _, f := range failuresOf(&page[i]) {
				if classOf(f.status) == class { // A bulk request may have failures of several classes.
					add(found, &f)
				}
			}
		}
		if len(page) < s.Limit {
			return false, nil
		}
		s.Before = page[len(page)-1].ID
	}
	return true, nil
}

// add adds a failure, which is older than those before.
func add(found map[string]*causes, f *failed) {
	key := f.cause()
	c := found[key]
	if c == nil {
		c = &causes{Problem{Status: f.status, Type: f.failure.Type, Detail: f.failure.Detail, Last: f.Time, Newest: f.ID}, map[scim.Ref]*failed{}}
		c.Actor, c.Advice = f.advice()
		found[key] = c
	}
	c.Requests++
	c.Since = f.Time
	if c.concerned[f.about] == nil {
		c.concerned[f.about] = f
	}
}

// cause is what failures of one cause have in common: the text without what stands in quotes.
func (f *failed) cause() string {
	return fmt.Sprint(f.status, " ", f.failure.Type, " ", f.Kind, " ", withoutQuotes(f.failure.Detail))
}

func withoutQuotes(s string) string {
	var b strings.Builder
	for i, part := range strings.Split(s, `"`) {
		if i%2 == 0 {
			b.WriteString(part)
		}
	}
	return b.String()
}

// concernedBy returns whom a failure concerns: the first resource that the request names, or else the client.
func concernedBy(e *Entry) scim.Ref {
	if e.Kind != Refused {
		for i := range e.Detail.Touched {
			if ref, ok := e.Detail.Touched[i].refOf(); ok {
				return ref
			}
		}
	}
	return scim.Ref{Type: termClient, ID: e.Detail.Client}
}

// solve counts for how many a later request has succeeded.
func (c *causes) solve(ctx context.Context, j *Journal, tenant string) error {
	c.Concerned = len(c.concerned)
	h, err := j.ring.hasher(ctx, tenant)
	if err != nil {
		return err
	}
	n := 0
	for _, f := range c.concerned {
		if n++; n > maxConcerned {
			return nil
		}
		isSolved, err := f.isSolved(ctx, j, h)
		if err != nil {
			return err
		}
		if isSolved {
			c.Solved++
		}
	}
	return nil
}

// errNoTime is what Problems returns for the zero time: it would read everything.
var errNoTime = errors.New("journal: Problems needs a time to begin with")
