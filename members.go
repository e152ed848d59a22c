package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/member"
)

// memberPlan is what a request does to a group's members.
type memberPlan struct {
	add, remove    []Ref // to be changed; with a MemberStore some may be so already
	named          []Ref // whom the client named as members, those that are there included
	dropped        []Ref // whom the client asked to remove, those that are gone included
	added, removed []Ref // what really changed
}

// planMembers compares what a request asks for with who is there, and looks for
// members that do not exist. A request that only adds is refused for them; one that
// also removes does so, and leaves them out: taking away never waits for giving.
func (o *operation) planMembers(ctx context.Context, before *Resource, d *member.Delta) (*memberPlan, error) {
	p := &memberPlan{}
	if !d.Touched() {
		return p, nil
	}
	p.add, p.remove = refs(d.Add()), refs(d.Remove())
	there := map[Ref]bool{}
	if before != nil && (d.All || o.t.members == nil) {
		keep := map[Ref]bool{}
		for _, r := range p.add {
			keep[r] = true
		}
		err := o.t.eachMember(ctx, before, func(page []Ref) error {
			for _, m := range page {
				there[m] = true
				if d.All && !keep[m] {
					p.remove = append(p.remove, m)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	unknown, err := o.unknownMembers(ctx, p.add, there)
	if err != nil {
		return nil, err
	}
	if len(unknown) > 0 {
		if !o.t.Members.SkipUnknown && len(p.remove) == 0 {
			return nil, refuse(http.StatusBadRequest, "invalidValue",
				"members: not provisioned here: "+listRefs(unknown)+"; provision them first")
		}
		gone := map[Ref]bool{}
		for _, r := range unknown {
			gone[r] = true
			e := Event{Kind: MemberUnknown, Member: r, Reason: "left out: not provisioned"}
			if before != nil {
				e.Resource = before.Ref()
			}
			o.event(e)
		}
		p.add = slices.DeleteFunc(p.add, func(r Ref) bool { return gone[r] })
	}
	p.named, p.dropped = slices.Clone(p.add), slices.Clone(p.remove)
	if before == nil || d.All || o.t.members == nil {
		p.add = slices.DeleteFunc(p.add, func(r Ref) bool { return there[r] })
		if before == nil || o.t.members == nil {
			p.remove = slices.DeleteFunc(p.remove, func(r Ref) bool { return !there[r] })
		}
	}
	return p, nil
}

// unknownMembers lists those of refs that neither are in the group nor exist.
func (o *operation) unknownMembers(ctx context.Context, list []Ref, there map[Ref]bool) ([]Ref, error) {
	known := map[Ref]bool{}
	for _, t := range []*ResourceType{o.t.user, o.t.group} {
		if t == nil {
			continue
		}
		var ids []string
		for _, r := range list {
			if r.Type == t.Name() && !there[r] {
				ids = append(ids, r.ID)
			}
		}
		if err := o.t.byID(ctx, t, ids, func(r *Resource) { known[r.Ref()] = true }); err != nil {
			return nil, err
		}
	}
	var unknown []Ref
	for _, r := range list {
		if !there[r] && !known[r] {
			unknown = append(unknown, r)
		}
	}
	return unknown, nil
}

func listRefs(list []Ref) string {
	var names []string
	for i, r := range list {
		if i == 10 {
			names = append(names, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		names = append(names, fmt.Sprintf("%s %q", r.Type, clip(r.ID)))
	}
	return strings.Join(names, ", ")
}

// embed puts the members into the group resource itself, for a store without edges.
func (p *memberPlan) embed(before, after *Resource) *Resource {
	d := &member.Delta{}
	for _, r := range memberRefs(p.remove) {
		d.Leave(r)
	}
	for _, r := range memberRefs(p.add) {
		d.Join(r)
	}
	if before != nil {
		after = after.with(doc.Put(doc.Drop(after.d.Values, after.t.m.Members), doc.Composite(after.t.m.Members, before.members()...)))
	}
	if !d.Touched() {
		return after
	}
	return after.withMembers(d)
}

// changeMembers writes the edges, and notes what really changed.
func (o *operation) changeMembers(ctx context.Context, groupID string, p *memberPlan) error {
	if o.t.members == nil {
		p.added, p.removed = p.add, p.remove
		return nil
	}
	change := func(add, remove []Ref) error {
		added, removed, err := o.t.members.ChangeMembers(ctx, groupID, add, remove)
		p.added, p.removed = append(p.added, added...), append(p.removed, removed...)
		return err
	}
	p.added, p.removed = nil, nil
	for chunk := range slices.Chunk(p.remove, batch) {
		if err := change(nil, chunk); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(p.add, batch) {
		if err := change(chunk, nil); err != nil {
			return err
		}
	}
	return nil
}

// leaveGroups takes a user or group that is being deleted out of all groups.
func (o *operation) leaveGroups(ctx context.Context, ref Ref) error {
	ms, err := o.t.groupsOf(ctx, []Ref{ref})
	if err != nil {
		return err
	}
	for _, m := range ms {
		group := Ref{"Group", m.GroupID}
		if o.t.members != nil {
			if _, _, err := o.t.members.ChangeMembers(ctx, m.GroupID, nil, []Ref{ref}); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		_, err := o.t.Store.Update(ctx, group, func(g *Resource) (*Resource, error) {
			after := g
			if o.t.members == nil {
				d := &member.Delta{}
				d.Leave(member.Ref(ref))
				after = g.withMembers(d)
			}
			return o.stamp(g, after), nil
		})
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		o.event(Event{Kind: MemberRemoved, Resource: group, Member: ref, Reason: "deleted"})
	}
	return nil
}

// tell notes the events of a write.
func (o *operation) tell(before, after *Resource, p *memberPlan, adopted bool) {
	ref, reason := after.Ref(), ""
	if adopted {
		reason = "took over what was there"
	}
	note := func(k EventKind) { o.event(Event{Kind: k, Resource: ref, Reason: reason}) }
	switch after.t {
	case o.t.user:
		switch {
		case adopted:
			note(UserProvisioned)
		case before == nil:
			note(UserProvisioned)
		case before.Active() && !after.Active():
			note(UserDeactivated)
		case !before.Active() && after.Active():
			note(UserReactivated)
		case after != before:
			note(UserUpdated)
		}
	case o.t.group:
		switch {
		case before == nil || adopted:
			note(GroupCreated)
		case after.String("displayName") != before.String("displayName") || after.String("externalId") != before.String("externalId"):
			note(GroupUpdated)
		}
	default:
		if after != before {
			note(ResourceChanged)
		}
	}
	for _, m := range p.removed {
		o.event(Event{Kind: MemberRemoved, Resource: ref, Member: m})
	}
	for _, m := range p.added {
		o.event(Event{Kind: MemberAdded, Resource: ref, Member: m})
	}
}
