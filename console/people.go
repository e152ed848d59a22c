package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/journal"
)

// listing is a page of people or groups.
type listing struct {
	Text  string
	Rows  []resourceRow
	Total int
	// Older is the query of the next page; "" if there is none.
	Next, Previous string
	// Pending are the matters that wait for somebody, on the page of groups. IsMore says that there are others.
	Pending []pendingView
	IsMore  bool
	// MayDecide says that the viewer may confirm and decline.
	MayDecide bool
	// Wrong says why a decision was not carried out.
	Wrong string
	// HasRoles says that roles are shown.
	HasRoles bool
}

// resourceRow is a person or a group as a line of a list.
type resourceRow struct {
	ID, Name, UserName, Client string
	Active                     bool
	Roles                      []linkView
}

// rowOfResource describes a resource.
func rowOfResource(r *scim.Resource) resourceRow {
	return resourceRow{ID: r.ID(), Name: nameOf(r), UserName: r.String("userName"), Client: r.String("externalId"), Active: r.Active()}
}

// nameOf returns the name of a resource for people.
func nameOf(r *scim.Resource) string {
	return cmp.Or(r.String("displayName"), r.String("name.formatted"), strings.TrimSpace(r.String("name.givenName")+" "+r.String("name.familyName")), r.String("userName"), r.ID())
}

func showPeople(ctx context.Context, q *request) error {
	body := &listing{}
	p := q.c.newPage(q, "people", "People", body)
	if err := body.fill(ctx, q, scim.UserType(), "userName", "displayName", "emails.value", "name.familyName"); err != nil {
		return err
	}
	q.c.render(q.w, q.r, http.StatusOK, "people", p)
	return nil
}

// fill reads a page of resources: all of them, or those of which an attribute begins with what somebody has typed.
func (l *listing) fill(ctx context.Context, q *request, t *scim.ResourceType, paths ...string) error {
	if q.tenant.Directory == nil {
		return scim.ErrNotFound
	}
	form := q.r.URL.Query()
	l.Text = strings.TrimSpace(form.Get("q"))
	offset, _ := strconv.Atoi(form.Get("skip")) //nolint:errcheck // 0 is the first page
	find := &scim.Query{Offset: min(max(offset, 0), 1<<30), Limit: perPage, Total: true, MaxBytes: 8 << 20}
	if l.Text != "" {
		text, err := json.Marshal(l.Text)
		if err != nil {
			return err
		}
		conditions := []string{fmt.Sprintf("id eq %s or externalId eq %s", text, text)}
		for _, path := range paths {
			conditions = append(conditions, fmt.Sprintf("%s sw %s", path, text))
		}
		if find.Filter, err = scim.ParseFilter(t, strings.Join(conditions, " or ")); err != nil {
			return errForm
		}
	}
	page, err := q.tenant.Directory.List(ctx, t, find)
	if err != nil {
		return err
	}
	l.Total = page.Total
	for _, r := range page.Resources {
		l.Rows = append(l.Rows, rowOfResource(r))
	}
	end := find.Offset + len(page.Resources)
	if len(page.Resources) > 0 && end < page.Total {
		l.Next = queryOf(url.Values{"q": {l.Text}, "skip": {strconv.Itoa(end)}})
	}
	if find.Offset > 0 {
		l.Previous = queryOf(url.Values{"q": {l.Text}, "skip": {strconv.Itoa(max(0, find.Offset-perPage))}})
	}
	return nil
}

// person is the page of a person: what came, what it became, and which roles follow from it.
type person struct {
	resourceRow
	Steps []step
	Facts []fact
	// HasRoles says that the tenant has roles, and Standings are those of the person.
	HasRoles  bool
	Standings []standingView
	// IsWaiting says that a role is not given yet.
	IsWaiting bool
	// Leaver is a warning about roles that were given by hand to somebody who has left.
	Leaver string
	Rows   []row
	// IsMore says that the journal has more entries of the person.
	IsMore bool
}

// fact is a line about a person or group.
type fact struct{ Name, Text string }

// standingView is a role with its explanation.
type standingView struct {
	Role, Why, Tone, State string
}

func showPerson(ctx context.Context, q *request) error {
	id := idIn(q.r.PathValue("id"))
	r, err := q.resource(ctx, scim.Ref{Type: "User", ID: id})
	if err != nil {
		return err
	}
	body := &person{resourceRow: rowOfResource(r), HasRoles: q.tenant.Roles != nil}
	p := q.c.newPage(q, "people", body.Name, body)
	list, err := q.tokens(ctx)
	if err != nil {
		return err
	}
	names := &lookup{ctx: ctx, q: q}
	if body.HasRoles {
		all, err := q.tenant.Roles.Explain(ctx, id)
		if err != nil && !isUnknown(err) {
			return err
		}
		for _, e := range all {
			v := explain(e, names)
			body.Standings = append(body.Standings, v)
			body.IsWaiting = body.IsWaiting || v.Tone == "w"
			if !body.Active && (e.State == scim.StateByHand || e.State == scim.StateBoth) {
				body.Leaver = "This person is deactivated, and still has a role that was given by hand. No identity provider takes it away: take it in the application."
			}
		}
	}
	body.Facts, err = factsOf(ctx, q, r, list)
	if err != nil {
		return err
	}
	var after string
	if body.Rows, after, err = rows(ctx, q, list, journal.Query{Tenant: q.id, Person: id, Limit: 20}, anyEntry); err != nil {
		p.Down = whyDown(ctx, q, err)
	}
	body.IsMore = after != ""
	body.Steps = body.steps(err != nil)
	q.c.render(q.w, q.r, http.StatusOK, "person", p)
	return nil
}

// isUnknown reports whether an error says that there is no such resource.
func isUnknown(err error) bool {
	e, ok := errors.AsType[*scim.Error](err)
	return errors.Is(err, scim.ErrNotFound) || ok && e.Status == http.StatusNotFound
}

// resource reads a resource of the tenant. The error is scim.ErrNotFound if there is none.
func (q *request) resource(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	if q.tenant.Directory == nil {
		return nil, scim.ErrNotFound
	}
	r, err := q.tenant.Directory.Get(ctx, ref)
	if err != nil && isUnknown(err) {
		return nil, scim.ErrNotFound
	}
	return r, err
}

// factsOf says who wrote a resource, and when.
func factsOf(ctx context.Context, q *request, r *scim.Resource, list []tokens.Token) ([]fact, error) {
	m := r.Meta()
	all := []fact{{"Id in this application", r.ID()}}
	if id := r.String("externalId"); id != "" {
		all = append(all, fact{"Id in the identity provider", id})
	}
	if !m.Created.IsZero() {
		all = append(all, fact{"Created", agoOf(m.Created, q.c.o.Now())})
	}
	if !m.LastModified.IsZero() {
		all = append(all, fact{"Last changed", agoOf(m.LastModified, q.c.o.Now())})
	}
	if q.tenant.Roles == nil {
		return all, nil
	}
	managed, err := q.tenant.Roles.Managed(ctx, r.Ref())
	switch {
	case err != nil && isUnknown(err):
		return all, nil // deleted meanwhile
	case err != nil:
		return nil, err
	case !managed.IsClaimed:
		all = append(all, fact{"Managed by", "the application: no identity provider has claimed it"})
	case managed.Client != "":
		all = append(all, fact{"Managed by", cmp.Or(labelOf(list, managed.Client), managed.Client)})
	}
	return all, nil
}

// steps says how a request becomes roles.
func (p *person) steps(isDown bool) []step {
	var all []step
	switch {
	case isDown:
	case len(p.Rows) == 0:
		all = append(all, step{"nothing received yet", "w"})
	default:
		all = append(all, step{"received", ""})
	}
	if p.Client != "" {
		all = append(all, step{"matched: " + shorten(p.Client) + " in the identity provider", ""})
	}
	if p.Active {
		all = append(all, step{"stored: active", "g"})
	} else {
		all = append(all, step{"stored: deactivated", "x"})
	}
	if !p.HasRoles {
		return all
	}
	var held []string
	for _, s := range p.Standings {
		if s.Tone != "w" {
			held = append(held, s.Role)
		}
	}
	if len(held) == 0 {
		return append(all, step{"no role", ""})
	}
	return append(all, step{"role: " + shorten(listWords(held)), "g"})
}
