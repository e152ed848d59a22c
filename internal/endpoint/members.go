package endpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/roles"
)

// memberPlan is the change of a group's members.
type memberPlan struct {
	add   []host.Ref   // the members to add
	claim []host.Ref   // unclaimed members of the group that the request names
	left  []host.Event // about members that the plan leaves out or keeps
	roles.Members
}

// planMembers compares the members that a request asks for with the current ones. It looks
// for members that do not exist. If the request only adds members, planMembers refuses it.
// If the request also removes some, planMembers leaves the unknown ones out: an unknown
// member must not block a removal.
func (w *writer) planMembers(ctx context.Context, before *doc.Document, d *member.Delta) (*memberPlan, error) {
	p := &memberPlan{}
	if !d.Touched() {
		return p, nil
	}
	p.add, p.Remove = d.Add(), d.Remove()
	there := map[host.Ref]bool{}
	if before != nil && (d.All || w.t.Stores.Members == nil) {
		var current []host.Ref
		err := w.dir.EachMember(ctx, before, func(page []host.Ref) error {
			current = append(current, page...)
			return nil
		})
		if err != nil {
			return nil, err
		}
		for _, m := range current {
			there[m] = true
		}
		guessAgain(w, d, p, there)
		if err := removeOthers(ctx, w, before, d, p, current); err != nil {
			return nil, err
		}
	}
	unknown, err := w.unknownMembers(ctx, p.add, there)
	if err == nil {
		unknown, err = guessGroups(ctx, w, d, p, unknown)
	}
	if err != nil {
		return nil, err
	}
	if len(unknown) > 0 {
		if !w.t.Members.SkipUnknown && len(p.Remove) == 0 {
			return nil, fault.Refuse(http.StatusBadRequest, "invalidValue",
				"members: not provisioned here: "+listRefs(unknown)+"; provision them first")
		}
		gone := map[host.Ref]bool{}
		for _, r := range unknown {
			gone[r] = true
			e := host.Event{Kind: host.MemberUnknown, Member: r, Reason: "left out: not provisioned"}
			if before != nil {
				e.Resource = host.RefOf(before)
			}
			p.left = append(p.left, e)
		}
		p.add = slices.DeleteFunc(p.add, func(r host.Ref) bool { return gone[r] })
	}
	if err := w.guard.leaveExempt(ctx, before, d, p, there); err != nil {
		return nil, err
	}
	p.Named, p.Dropped = slices.Clone(p.add), slices.Clone(p.Remove)
	if before == nil || d.All || w.t.Stores.Members == nil {
		p.add = slices.DeleteFunc(p.add, func(r host.Ref) bool { return there[r] })
		if before == nil || w.t.Stores.Members == nil {
			p.Remove = slices.DeleteFunc(p.Remove, func(r host.Ref) bool { return !there[r] })
		}
	}
	return p, nil
}

// leaveOut removes the members to add that are not among allowed, and returns them.
func (p *memberPlan) leaveOut(allowed []host.Ref) []host.Ref {
	if len(allowed) == len(p.add) {
		return nil
	}
	may := make(map[host.Ref]bool, len(allowed))
	for _, r := range allowed {
		may[r] = true
	}
	out := slices.DeleteFunc(slices.Clone(p.add), func(r host.Ref) bool { return may[r] })
	p.drop(out)
	return out
}

// drop removes members from those to add. They do not count as named either.
func (p *memberPlan) drop(refused []host.Ref) {
	if len(refused) == 0 {
		return
	}
	gone := make(map[host.Ref]bool, len(refused))
	for _, r := range refused {
		gone[r] = true
	}
	isGone := func(r host.Ref) bool { return gone[r] }
	p.add, p.Named, p.claim = slices.DeleteFunc(p.add, isGone), slices.DeleteFunc(p.Named, isGone), slices.DeleteFunc(p.claim, isGone)
}

// removeOthers makes the plan of a full list remove the current members that it does not
// name.
func removeOthers(ctx context.Context, w *writer, before *doc.Document, d *member.Delta, p *memberPlan, current []host.Ref) error {
	if !d.All {
		return nil
	}
	keep := map[host.Ref]bool{}
	for _, r := range p.add {
		keep[r] = true
	}
	for _, m := range current {
		if !keep[m] {
			p.Remove = append(p.Remove, m)
		}
	}
	return w.guard.keepUnclaimed(ctx, before, p)
}

// unknownMembers lists those of refs that do not exist and are not in the group.
func (w *writer) unknownMembers(ctx context.Context, list []host.Ref, there map[host.Ref]bool) ([]host.Ref, error) {
	known := map[host.Ref]bool{}
	for _, t := range []*model.Type{w.t.Types.User, w.t.Types.Group} {
		if t == nil {
			continue
		}
		var ids []string
		for _, r := range list {
			if r.Type == t.Name && !there[r] {
				ids = append(ids, r.ID)
			}
		}
		if err := directory.Exist(ctx, w.dir, t, ids, func(id string) { known[host.Ref{Type: t.Name, ID: id}] = true }); err != nil {
			return nil, err
		}
	}
	var unknown []host.Ref
	for _, r := range list {
		if !there[r] && !known[r] {
			unknown = append(unknown, r)
		}
	}
	return unknown, nil
}

func listRefs(list []host.Ref) string {
	var names []string
	for i, r := range list {
		if i == 10 {
			names = append(names, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		names = append(names, fmt.Sprintf("%s %q", r.Type, fault.Clip(r.ID)))
	}
	return strings.Join(names, ", ")
}

// embed puts the members into the group resource itself, for a store that is no
// MemberStore.
func (p *memberPlan) embed(before, after *doc.Document) *doc.Document {
	d := &member.Delta{}
	for _, r := range p.Remove {
		d.Leave(r)
	}
	for _, r := range p.add {
		d.Join(r)
	}
	if before != nil {
		after = after.With(doc.Put(doc.Drop(after.Values, after.Type.Members), doc.Composite(after.Type.Members, before.Find(after.Type.Members).Kids()...)))
	}
	if !d.Touched() {
		return after
	}
	return d.Apply(after)
}

// changeMembers changes the members in the MemberStore, and records which of them really
// changed.
func (w *writer) changeMembers(ctx context.Context, groupID string, p *memberPlan) error {
	if w.t.Stores.Members == nil {
		p.Added, p.Removed = p.add, p.Remove
		return nil
	}
	change := func(add, remove []host.Ref) error {
		added, removed, err := w.t.Stores.Members.ChangeMembers(ctx, groupID, add, remove)
		p.Added, p.Removed = append(p.Added, added...), append(p.Removed, removed...)
		return err
	}
	p.Added, p.Removed = nil, nil
	for chunk := range slices.Chunk(p.Remove, directory.Batch) {
		if err := change(nil, chunk); err != nil {
			return err
		}
	}
	// The store locks these members against deletion. In order, they cannot wait for one another.
	named := slices.Concat(p.add, p.claim)
	slices.SortFunc(named, func(a, b host.Ref) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID)) })
	for chunk := range slices.Chunk(named, directory.Batch) {
		if err := change(chunk, nil); err != nil {
			return err
		}
	}
	return nil
}

// dropDeleted removes members from a written group whose deletion ran beside the write: it
// may have looked for their groups before the write. Only a store without transactions needs
// this, because nothing locks the members there.
func dropDeleted(ctx context.Context, w *writer, group *doc.Document, added []host.Ref) (*doc.Document, error) {
	if w.t.Stores.Tx != nil || len(added) == 0 {
		return group, nil
	}
	gone, err := w.unknownMembers(ctx, added, nil)
	if err != nil || len(gone) == 0 {
		return group, err
	}
	var left []host.Ref
	after, err := w.t.Stores.Update(ctx, host.RefOf(group), func(now *doc.Document) (*doc.Document, error) {
		there := member.Of(now)
		left = slices.DeleteFunc(slices.Clone(gone), func(m host.Ref) bool { return !slices.Contains(there, m) })
		if len(left) == 0 {
			return now, nil
		}
		d := &member.Delta{}
		for _, m := range left {
			d.Leave(m)
		}
		return w.stamp(now, d.Apply(now)), nil
	})
	if err != nil {
		return group, err
	}
	for _, m := range left {
		w.work.Tell(host.Event{Kind: host.MemberRemoved, Resource: host.RefOf(group), Member: m, Reason: "deleted"})
	}
	return after, nil
}

// leaveAll removes a user or group from all groups after its deletion.
func leaveAll(ctx context.Context, w *writer, ref host.Ref) error {
	in, err := w.dir.GroupsOf(ctx, []host.Ref{ref})
	if err != nil {
		return err
	}
	return w.leaveGroups(ctx, ref, in)
}

// leaveGroups removes a user or group from groups before or after its deletion. A MemberStore
// deletes the memberships with the resource, so that only the groups get new versions.
func (w *writer) leaveGroups(ctx context.Context, ref host.Ref, in []host.Membership) error {
	for _, m := range in {
		group := host.Ref{Type: "Group", ID: m.GroupID}
		_, err := w.t.Stores.Update(ctx, group, func(g *doc.Document) (*doc.Document, error) {
			after := g
			if w.t.Stores.Members == nil {
				d := &member.Delta{}
				d.Leave(ref)
				after = d.Apply(g)
			}
			return w.stamp(g, after), nil
		})
		if err != nil && !errors.Is(err, host.ErrNotFound) {
			return err
		}
		w.work.Tell(host.Event{Kind: host.MemberRemoved, Resource: group, Member: ref, Reason: "deleted"})
	}
	return nil
}

// tell queues the events of a write.
func (w *writer) tell(before, after *doc.Document, p *memberPlan, adopted bool) {
	ref, reason := host.RefOf(after), ""
	if adopted {
		reason = "took over what was there"
	}
	w.work.Tell(p.left...)
	note := func(k host.EventKind) { w.work.Tell(host.Event{Kind: k, Resource: ref, Reason: reason}) }
	switch after.Type {
	case w.t.Types.User:
		switch {
		case adopted:
			note(host.UserProvisioned)
		case before == nil:
			note(host.UserProvisioned)
		case before.Active() && !after.Active():
			note(host.UserDeactivated)
		case !before.Active() && after.Active():
			note(host.UserReactivated)
		case after != before:
			note(host.UserUpdated)
		}
	case w.t.Types.Group:
		switch {
		case before == nil || adopted:
			note(host.GroupCreated)
		case after.Text("displayName") != before.Text("displayName") || after.Text("externalId") != before.Text("externalId"):
			note(host.GroupUpdated)
		}
	default:
		if after != before {
			note(host.ResourceChanged)
		}
	}
	for _, m := range p.Removed {
		w.work.Tell(host.Event{Kind: host.MemberRemoved, Resource: ref, Member: m})
	}
	for _, m := range p.Added {
		w.work.Tell(host.Event{Kind: host.MemberAdded, Resource: ref, Member: m})
	}
}
