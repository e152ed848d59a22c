package console

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
)

// linkView is a role that a group stands for.
type linkView struct{ Role, State string }

// pendingView is a matter that waits for somebody.
type pendingView struct {
	Key, Text, Reason string
	At                time.Time
	// CanConfirm and CanDecline say what can be done here.
	CanConfirm, CanDecline bool
}

const maxPending = 50

func showGroups(ctx context.Context, q *request) error {
	return renderGroups(ctx, q, http.StatusOK, "")
}

// renderGroups shows the groups, and what waits.
func renderGroups(ctx context.Context, q *request, status int, wrong string) error {
	body := &listing{Wrong: wrong, HasRoles: q.tenant.Links != nil, MayDecide: q.viewer.May.Roles}
	p := q.c.newPage(q, "groups", "Groups", body)
	if err := body.fill(ctx, q, scim.GroupType(), "displayName"); err != nil {
		return err
	}
	if err := body.addLinks(ctx, q); err != nil {
		return err
	}
	if q.tenant.Roles != nil {
		all, next, err := q.tenant.Roles.Pending(ctx, "", maxPending)
		if err != nil {
			// A ledger may not be able to list what waits. The rest of the page is as useful.
			q.c.o.Log.ErrorContext(ctx, "scim console: what waits is missing", "tenant", q.id, "error", err)
			p.Down = "What waits for a confirmation cannot be listed now."
		}
		body.IsMore = next != ""
		names := &lookup{ctx: ctx, q: q}
		for _, m := range all {
			body.Pending = append(body.Pending, viewOfPending(m, names))
		}
	}
	q.c.render(q.w, q.r, status, "groups", p)
	return nil
}

// addLinks adds the roles for which the groups stand.
func (l *listing) addLinks(ctx context.Context, q *request) error {
	if q.tenant.Links == nil || len(l.Rows) == 0 {
		return nil
	}
	var sources []scim.Source
	for _, r := range l.Rows {
		sources = append(sources, scim.GroupSource(r.ID))
	}
	links, err := q.tenant.Links.Links(ctx, sources)
	if err != nil {
		return err
	}
	for _, link := range links {
		id, _ := link.Source.Group()
		i := slices.IndexFunc(l.Rows, func(r resourceRow) bool { return r.ID == id })
		if i < 0 {
			continue
		}
		for _, r := range link.Roles {
			v := linkView{Role: roleName(r.Role)}
			switch {
			case r.Declined:
				v.State = "declined"
			case !r.Confirmed:
				v.State = "waits for a confirmation"
			}
			l.Rows[i].Roles = append(l.Rows[i].Roles, v)
		}
	}
	return nil
}

// viewOfPending says in words what waits.
func viewOfPending(m scim.Pending, names *lookup) pendingView {
	v := pendingView{Key: base64.RawURLEncoding.EncodeToString([]byte(m.Key)), Reason: m.Reason, At: m.At, CanConfirm: true}
	who := names.name(scim.Ref{Type: "User", ID: m.UserID})
	role := "the role " + roleName(m.Role)
	switch m.Kind {
	case scim.PendingLink:
		v.Text, v.CanDecline = names.source(m.Source)+" asks for "+role+". Its members do not get it before somebody here agrees.", true
	case scim.PendingPerson:
		v.Text, v.CanDecline = who+" waits for "+role+", through "+names.source(m.Source)+".", true
	case scim.PendingRetained:
		v.Text = who + " keeps " + role + " although no group gives it. To confirm makes it one that was given by hand."
	case scim.PendingNesting:
		v.Text, v.CanConfirm = names.name(m.Member)+" is a group in "+names.name(m.Resource)+" and gives nothing. Change the groups in the identity provider.", false
	case scim.PendingHeldBack:
		v.Text = "A change that would take roles from many people is held back. To confirm lets it through for an hour."
	case scim.PendingUnfinished:
		v.Text = "A change is stored, and not all roles follow from it yet. To confirm completes it."
	default:
		v.Text = string(m.Kind)
	}
	if m.Kind == scim.PendingHeldBack && m.Resource.ID != "" {
		v.Text += " It is about " + names.name(m.Resource) + "."
	}
	if rest, ok := strings.CutPrefix(v.Text, "the "); ok {
		v.Text = "The " + rest
	}
	return v
}

// decidePending confirms or declines what waits.
func decidePending(ctx context.Context, q *request) error {
	if q.r.PostFormValue("decision") == "decline" {
		q.act = Decline
	}
	switch {
	case !q.viewer.May.Roles:
		return errForbidden
	case q.tenant.Roles == nil:
		return scim.ErrNotFound
	}
	key, err := base64.RawURLEncoding.DecodeString(q.r.PostFormValue("key"))
	if err != nil || len(key) == 0 {
		return errForm
	}
	decide := q.tenant.Roles.ConfirmPending
	switch q.r.PostFormValue("decision") {
	case "confirm":
	case "decline":
		decide = q.tenant.Roles.DeclinePending
	default:
		return errForm
	}
	err = decide(ctx, string(key))
	audit(ctx, q, string(key), err)
	switch {
	case errors.Is(err, scim.ErrMoved):
		return renderGroups(ctx, q, http.StatusConflict, "This matter has changed meanwhile, and nothing was done. Look at it again.")
	case err != nil:
		q.c.o.Log.ErrorContext(ctx, "scim console: a decision failed", "tenant", q.id, "viewer", q.viewer.ID, "error", err)
		return renderGroups(ctx, q, http.StatusConflict, "This could not be done. The log of the application says why.")
	}
	redirect(q.w, q.base()+"groups")
	return nil
}

// group is the page of a group.
type group struct {
	resourceRow
	Facts []fact
	// Members are the first ones. IsMore says that there are others.
	Members []memberLine
	IsMore  bool
	// Unknown are the newest entries in which members were left out, because they are not provisioned.
	Unknown []row
	Rows    []row
	// Choices are the roles for which the group could stand, and Preview what the chosen one would change.
	Choices []choice
	Preview *preview
}

// memberLine is a member. Path is the address of its page.
type memberLine struct{ Name, Path string }

// choice is a role that a form offers.
type choice struct {
	Value, Name string
	IsChosen    bool
}

// preview is what a change would do.
type preview struct {
	Role    string
	Changes []changeLine
	// Total is how many people it concerns; IsMore says that there are others that were not looked at.
	Total  int
	IsMore bool
}

// changeLine is what a change does to a person.
type changeLine struct{ Name, ID, Text string }

const (
	maxMembers = 50
	maxChanges = 100
)

func showGroup(ctx context.Context, q *request) error {
	id := idIn(q.r.PathValue("id"))
	r, err := q.resource(ctx, scim.Ref{Type: "Group", ID: id})
	if err != nil {
		return err
	}
	one := &listing{Rows: []resourceRow{rowOfResource(r)}}
	if err := one.addLinks(ctx, q); err != nil {
		return err
	}
	body := &group{resourceRow: one.Rows[0]}
	p := q.c.newPage(q, "groups", body.Name, body)
	list, err := q.tokens(ctx)
	if err != nil {
		return err
	}
	if body.Facts, err = factsOf(ctx, q, r, list); err != nil {
		return err
	}
	if err := body.addMembers(ctx, q, r); err != nil {
		return err
	}
	if err := body.addPreview(ctx, q); err != nil {
		return err
	}
	find := journal.Query{Tenant: q.id, Group: id, Limit: 20}
	if body.Rows, _, err = rows(ctx, q, list, find, anyEntry); err == nil {
		find.Event, find.Limit = scim.MemberUnknown, 5
		body.Unknown, _, err = rows(ctx, q, list, find, anyEntry)
	}
	if err != nil {
		p.Down = whyDown(ctx, q, err)
	}
	q.c.render(q.w, q.r, http.StatusOK, "group", p)
	return nil
}

// addMembers reads the first members.
func (g *group) addMembers(ctx context.Context, q *request, r *scim.Resource) error {
	add := func(ref scim.Ref, name string) {
		if len(g.Members) == maxMembers {
			g.IsMore = true
			return
		}
		if name == "" {
			name = ref.ID
		}
		path := "people/"
		if ref.Type == "Group" {
			name, path = name+" (group)", "groups/"
		}
		g.Members = append(g.Members, memberLine{name, path + segmentOf(ref.ID)})
	}
	if s, ok := q.tenant.Directory.(scim.MemberStore); ok {
		list, err := s.Members(ctx, g.ID, scim.Ref{}, maxMembers+1)
		for _, m := range list {
			add(m.Ref, m.Display)
		}
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	var doc struct {
		Members []struct{ Value, Display, Type string }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	names := &lookup{ctx: ctx, q: q}
	for _, m := range doc.Members {
		if m.Type == "" {
			m.Type = "User"
		}
		ref := scim.Ref{Type: m.Type, ID: m.Value}
		add(ref, names.name(ref))
		if g.IsMore {
			break
		}
	}
	return nil
}

// addPreview adds the roles to choose from, and what the chosen one would change.
func (g *group) addPreview(ctx context.Context, q *request) error {
	if q.tenant.Roles == nil || q.tenant.AllRoles == nil {
		return nil
	}
	all, err := q.tenant.AllRoles(ctx)
	if err != nil {
		return err
	}
	chosen := q.r.URL.Query().Get("role")
	for _, r := range all {
		c := choice{Value: base64.RawURLEncoding.EncodeToString([]byte(r.Scope + "\x00" + r.ID)), Name: roleName(r)}
		c.IsChosen = c.Value == chosen
		g.Choices = append(g.Choices, c)
		if c.IsChosen {
			if g.Preview, err = previewOf(ctx, q, g.ID, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// previewOf says what would change if a group stood for a role.
func previewOf(ctx context.Context, q *request, groupID string, role scim.Role) (*preview, error) {
	changes, next, err := q.tenant.Roles.Preview(ctx, scim.WhatIf{
		Only:    scim.GroupSource(groupID),
		Resolve: func(context.Context, scim.RoleSource) ([]scim.Role, error) { return []scim.Role{role}, nil },
	}, "")
	if err != nil {
		return nil, err
	}
	p := &preview{Role: roleName(role), Total: len(changes), IsMore: next != ""}
	names := &lookup{ctx: ctx, q: q}
	for _, c := range changes[:min(len(changes), maxChanges)] {
		line := changeLine{Name: names.name(scim.Ref{Type: "User", ID: c.UserID}), ID: c.UserID}
		var parts []string
		for _, r := range c.Grant {
			parts = append(parts, "gets "+roleName(r))
		}
		for _, r := range c.Revoke {
			parts = append(parts, "loses "+roleName(r))
		}
		if line.Text = listWords(parts); line.Text == "" {
			line.Text = "keeps its roles, in another order"
		}
		p.Changes = append(p.Changes, line)
	}
	return p, nil
}
