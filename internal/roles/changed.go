package roles

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// report is one pass over everything that a change in the application can affect. It can
// stop after each step, and go on later from the text that the step returns.
type report struct {
	c    *Admin
	seen map[host.Source]bool // values that are looked up already
	omitted
	left leftOut // users whose roles cannot be changed: the report goes on after them
}

func newReport(c *Admin) *report {
	return &report{c: c, seen: map[host.Source]bool{}, omitted: omitted{of: c}}
}

// part is a part of a report. Its step handles what comes after a place ("": everything), up
// to a limit. It returns the place at which the next step begins, "" if nothing is left.
type part struct {
	name string
	step func(ctx context.Context, after string) (next string, err error)
}

// parts are the parts of a report. What takes roles away comes first.
func (r *report) parts() []part {
	return []part{{"off", r.endOff}, {"groups", r.relinkGroups}, {"users", r.relinkValues}, {"left", r.follow}, {"open", r.reopen}}
}

// step does one step of the report.
func (r *report) step(ctx context.Context, after string) (next string, err error) {
	if after == "" {
		if err := r.c.beginReport(ctx); err != nil {
			return "", err
		}
	}
	parts := r.parts()
	name, place, _ := strings.Cut(after, " ")
	i := 0
	if after != "" {
		if i = slices.IndexFunc(parts, func(p part) bool { return p.name == name }); i < 0 {
			return "", fmt.Errorf("scim: Reconciler.RolesChangedFrom: %q is no text that it returned", after)
		}
	}
	if place, err = parts[i].step(ctx, place); err != nil {
		if parts[i].name != "left" { // what the report has changed so far does not wait for the rest
			err = joinErrors(err, settleAfter(ctx, r.c))
		}
		return "", err
	}
	switch {
	case place != "":
		return parts[i].name + " " + place, nil
	case i+1 < len(parts):
		return parts[i+1].name, nil
	}
	return "", nil
}

// RolesChanged looks up the role of every group again, and with Roles.Attributes that of
// every value. It reconciles, in batches, the users whose role changed.
func (c *Admin) RolesChanged(ctx context.Context) error {
	r := newReport(c)
	for after := ""; ; {
		next, err := r.step(ctx, after)
		if err != nil || next == "" {
			return joinErrors(r.omitted.err(), r.left.with(err))
		}
		after = next
	}
}

// RolesChangedFrom does one step of RolesChanged. If the step leaves sources or users out, it
// returns both next and an error.
func (c *Admin) RolesChangedFrom(ctx context.Context, after string) (next string, err error) {
	r := newReport(c)
	next, err = r.step(ctx, after)
	return next, joinErrors(r.omitted.err(), r.left.with(err))
}

// GroupRolesChanged is RolesChanged for one group.
func (c *Admin) GroupRolesChanged(ctx context.Context, groupID string) error {
	if source := host.GroupSource(groupID); c.isOff(source) {
		return endOff(ctx, c, source)
	}
	g, err := c.t.Stores.Get(ctx, groupRef(groupID))
	if err != nil {
		return err
	}
	o := omitted{of: c}
	if err := joinErrors(c.groupChanged(ctx, g), followReport(ctx, c, host.GroupSource(groupID))); err != nil {
		return err
	}
	return o.source(ctx, host.GroupSource(groupID), run{}, nil)
}

// endOff ends a source that is switched off, if it has a link.
func endOff(ctx context.Context, c *Admin, s host.Source) error {
	links, err := c.t.links(ctx, []host.Source{s})
	if err != nil || !links[s].IsLinked() {
		return err
	}
	return c.endSource(ctx, links[s])
}

// runOf is a run for all to whom a source gives something, as notes keep it.
func runOf(t tenant, s host.Source) run {
	if group, ok := s.Group(); ok {
		return run{group: group}
	}
	path, text, _ := s.Attribute()
	if a := t.Types.User.Find(path); a != nil {
		return run{values: []value{{a, text}}}
	}
	return run{}
}

// isOff reports whether the application's settings say that a source gives nothing.
func (c *Admin) isOff(s host.Source) bool {
	if _, ok := s.Group(); ok {
		return c.t.Roles.WithoutGroups
	}
	path, _, ok := s.Attribute()
	return ok && !slices.ContainsFunc(c.t.Roles.Attributes, func(a *model.Attribute) bool { return a.Path == path })
}

// linksInStep is how many links or groups a step handles at most.
const linksInStep = 100

// endOff revokes what sources gave that are switched off now.
func (r *report) endOff(ctx context.Context, after string) (next string, err error) {
	if r.c.t.Roles.Pending == nil {
		return "", nil
	}
	links, err := r.c.t.Roles.Pending.AllLinks(ctx, host.Source(after), linksInStep)
	if err != nil {
		return "", err
	}
	for _, l := range links {
		next = string(l.Source)
		if !r.c.isOff(l.Source) {
			continue
		}
		if err := r.source(ctx, l.Source, runOf(r.c.t, l.Source), r.left.add(r.c.endSource(ctx, l))); err != nil {
			return "", err
		}
	}
	if len(links) < linksInStep {
		return "", nil
	}
	return next, nil
}

// endSource revokes what a source gave that is switched off, and then ends its link. A group
// keeps its link without confirmations: so it gets its roles back when it is switched on.
func (c *Admin) endSource(ctx context.Context, l host.Link) error {
	of := l.Source
	if path, _, isValue := l.Source.Attribute(); isValue {
		of = host.AttributeSource(path, "")
	}
	off := []host.Source{of}
	if of != l.Source && c.t.Roles.Finder != nil { // users whom the application has confirmed by name
		off = append(off, l.Source)
	}
	r := run{cause: applicationReports, view: view{off: off}}
	if err := c.judgeReport(ctx, l.Source, r); err != nil {
		return err
	}
	if err := c.usersOf(ctx, r); err != nil {
		return err
	}
	group, isGroup := l.Source.Group()
	if !isGroup {
		return c.t.Roles.Ledger.SetLink(ctx, host.Link{Source: l.Source})
	}
	now := l
	now.Roles = slices.Clone(l.Roles)
	for i := range now.Roles {
		now.Roles[i].Confirmed = false
	}
	if slices.Equal(now.Roles, l.Roles) {
		return nil
	}
	return c.do(ctx, group, func(ctx context.Context, w *Work) error {
		if c.t.Types.Group != nil { // else nobody can change or delete the group
			_, err := w.t.dir.Lock(ctx, groupRef(group))
			if host.IsNotFound(err) {
				now.Roles, err = nil, nil
			}
			if err != nil {
				return err
			}
		}
		return c.t.Roles.Ledger.SetLink(ctx, now)
	})
}

// judgeReport asks the guards about what a report is about to do, before any of it is done.
// source is what gives something else; "" for what waited.
func (c *Admin) judgeReport(ctx context.Context, source host.Source, r run) error {
	if !c.t.Roles.Guards.Judges() {
		return nil
	}
	return c.do(ctx, "", func(ctx context.Context, w *Work) error {
		w.guards.subject = subject{source: source, cause: host.CauseReport}
		if group, ok := source.Group(); ok {
			w.guards.subject.ref = groupRef(group)
		}
		r.ending = w.left.ending
		return judge{w}.run(ctx, r)
	})
}

// relinkGroups looks up groups again.
func (r *report) relinkGroups(ctx context.Context, after string) (next string, err error) {
	if r.c.t.Types.Group == nil || r.c.t.Roles.WithoutGroups {
		return "", nil
	}
	return r.page(ctx, r.c.t.Types.Group, linksInStep, after, func(g *doc.Document) error {
		return r.source(ctx, host.GroupSource(g.ID), run{group: g.ID}, r.left.add(r.c.groupChanged(ctx, g)))
	})
}

// relinkValues looks up the values of users again.
func (r *report) relinkValues(ctx context.Context, after string) (next string, err error) {
	if r.c.t.Roles.Attributes == nil {
		return "", nil
	}
	return r.page(ctx, r.c.t.Types.User, directory.Batch, after, func(u *doc.Document) error {
		for _, v := range valuesOf(r.c.t.Tenant, u) {
			if r.seen[v.key()] {
				continue
			}
			r.seen[v.key()] = true
			if err := r.source(ctx, v.key(), run{values: []value{v}}, r.left.add(r.c.valueChanged(ctx, v))); err != nil {
				return err
			}
		}
		return nil
	})
}

// page calls fn with resources of a type, in order of creation, at most limit.
func (r *report) page(ctx context.Context, t *model.Type, limit int, after string, fn func(*doc.Document) error) (next string, err error) {
	q := &host.Query{Limit: limit}
	if after != "" {
		if err := json.Unmarshal([]byte(after), &q.After); err != nil {
			return "", fmt.Errorf("scim: Reconciler.RolesChangedFrom: %q is no text that it returned: %w", after, err)
		}
	}
	page, err := r.c.t.Stores.List(ctx, t, q)
	if err != nil {
		return "", err
	}
	for _, d := range page.Resources {
		if err := fn(d); err != nil {
			return "", err
		}
	}
	if len(page.Resources) < limit {
		return "", nil
	}
	key, err := json.Marshal(host.KeyOf(q, page.Resources[limit-1]))
	return string(key), err
}

// reopen reconciles users with grants that are as they are because of what a report can end: a
// pause, a distrust, a role that takes the place of another, or the guard of last holders.
func (r *report) reopen(ctx context.Context, after string) (next string, err error) {
	if r.c.t.Roles.Pending == nil {
		return "", nil
	}
	ids, next, err := reopened(ctx, r.c, after)
	if err != nil {
		return "", err
	}
	if err := r.c.judgeReport(ctx, "", run{ids: ids, cause: applicationReports}); err != nil {
		return next, r.omitted.add(ctx, err) // these users stay as they are
	}
	return next, r.left.add(r.c.Users(ctx, ids...))
}

// eachReopened calls fn with all users whom reopen reconciles, in pages.
func eachReopened(ctx context.Context, c *Admin, fn func(ids []string) error) error {
	for after := ""; ; {
		ids, next, err := reopened(ctx, c, after)
		if err != nil {
			return err
		}
		if err := fn(ids); err != nil || next == "" {
			return err
		}
		after = next
	}
}

// reopened lists a page of the users whom reopen reconciles.
func reopened(ctx context.Context, c *Admin, after string) (ids []string, next string, err error) {
	var from host.Grant
	if after != "" {
		if err := json.Unmarshal([]byte(after), &from); err != nil {
			return nil, "", fmt.Errorf("scim: Reconciler.RolesChangedFrom: %q is no text that it returned: %w", after, err)
		}
	}
	grants, err := c.t.Roles.Pending.OpenGrants(ctx, from, directory.Batch)
	if err != nil || len(grants) == 0 {
		return nil, "", err
	}
	for _, g := range grants {
		switch g.State {
		case host.GrantPaused, host.GrantWaitsForTrust, host.GrantWaitsForPlace, host.GrantRetained, host.GrantRetainedForPlace:
			ids = append(ids, g.UserID)
		}
	}
	last := grants[len(grants)-1]
	place, err := json.Marshal(host.Grant{UserID: last.UserID, Scope: last.Scope, RoleID: last.RoleID, Source: last.Source})
	return slices.Compact(ids), string(place), err
}
