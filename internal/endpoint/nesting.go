package endpoint

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/member"
)

// guessAgain reads a member without a type as a group if the group has this member already.
// It does so only if no user can have the same id.
func guessAgain(w *writer, d *member.Delta, p *memberPlan, there map[host.Ref]bool) {
	if !w.t.Stores.HasUniqueIDs {
		return
	}
	for i, r := range p.add {
		if g := (host.Ref{Type: "Group", ID: r.ID}); d.IsGuess(r) && there[g] {
			p.add[i] = g
		}
	}
	p.distinct()
}

// guessGroups reads those unknown members as groups that the client named without a type and
// that are groups. It does so only if no user can have the same id. It returns the members
// that are still unknown.
func guessGroups(ctx context.Context, w *writer, d *member.Delta, p *memberPlan, unknown []host.Ref) ([]host.Ref, error) {
	var ids []string
	for _, r := range unknown {
		if d.IsGuess(r) {
			ids = append(ids, r.ID)
		}
	}
	if !w.t.Stores.HasUniqueIDs || w.t.Types.Group == nil || len(ids) == 0 {
		return unknown, nil
	}
	groups := map[string]bool{}
	if err := directory.Exist(ctx, w.dir, w.t.Types.Group, ids, func(id string) { groups[id] = true }); err != nil {
		return nil, err
	}
	isGroup := func(r host.Ref) bool { return groups[r.ID] && d.IsGuess(r) }
	for i, r := range p.add {
		if isGroup(r) {
			p.add[i].Type = w.t.Types.Group.Name
		}
	}
	p.distinct()
	return slices.DeleteFunc(unknown, isGroup), nil
}

// distinct removes duplicates from the members to add, and what is to be added from the
// members to remove.
func (p *memberPlan) distinct() {
	seen := make(map[host.Ref]bool, len(p.add))
	p.add = slices.DeleteFunc(p.add, func(r host.Ref) bool {
		was := seen[r]
		seen[r] = true
		return was
	})
	p.Remove = slices.DeleteFunc(p.Remove, func(r host.Ref) bool { return seen[r] })
}

// nesting judges the groups that a write puts into groups.
type nesting struct{ w *writer }

// check judges the groups that a group gets as members, and locks what is below the
// groups that join or leave. A group that would belong to itself, or would be too deep, is
// treated as an unknown member is: a request that only adds is refused; from one that also
// removes, the group is left out.
func (n nesting) check(ctx context.Context, before, after *doc.Document, p *memberPlan) error {
	if !n.w.t.Members.Nested || after.Type != n.w.t.Types.Group {
		return nil
	}
	joining, leaving := groupIDs(p.add), groupIDs(p.Remove)
	if len(joining)+len(leaving) == 0 {
		return nil
	}
	self, parent := "", "" // a new group is not locked, and nothing is above it
	if before != nil {
		parent = before.ID
		if !slices.Contains(n.w.created, host.RefOf(before)) {
			self = before.ID
		}
		// A removal without a type names the user and the group with this id.
		in, err := n.members(ctx, before, slices.Concat(joining, leaving))
		if err != nil {
			return err
		}
		joining = slices.DeleteFunc(joining, func(id string) bool { return in[id] })
		leaving = slices.DeleteFunc(leaving, func(id string) bool { return !in[id] })
		if len(joining)+len(leaving) == 0 {
			return nil
		}
	}
	below, err := n.w.dir.Below(ctx, slices.Concat(joining, leaving)...)
	if err != nil {
		return err
	}
	if err := n.w.work.LockGroups(self, n.existing(below.IDs())); err != nil {
		return err
	}
	refused, err := n.w.dir.CheckNesting(ctx, parent, joining, below)
	if err != nil || len(refused) == 0 {
		return err
	}
	if len(p.Remove) == 0 {
		return n.refuse(ctx, after, refused[0])
	}
	for _, r := range refused {
		ref := host.Ref{Type: "Group", ID: r.Child}
		p.drop([]host.Ref{ref})
		reason := fmt.Sprintf("left out: the group would be more than %d levels deep", n.w.t.Members.MaxDepth)
		if r.IsCircle {
			reason = "left out: the group would belong to itself"
		}
		p.left = append(p.left, host.Event{Kind: host.MemberNested, Resource: host.RefOf(after), Member: ref, Reason: reason})
	}
	return nil
}

// existing are those of the groups that the request has not created. Nobody else sees the
// others.
func (n nesting) existing(groups []string) []string {
	return slices.DeleteFunc(groups, func(id string) bool {
		return slices.Contains(n.w.created, host.Ref{Type: "Group", ID: id})
	})
}

// members are those of the groups that a group has as members.
func (n nesting) members(ctx context.Context, group *doc.Document, ids []string) (map[string]bool, error) {
	refs := make([]host.Ref, len(ids))
	for i, id := range ids {
		refs[i] = host.Ref{Type: "Group", ID: id}
	}
	ms, err := n.w.dir.GroupsOf(ctx, refs)
	if err != nil {
		return nil, err
	}
	in := map[string]bool{}
	for _, m := range ms {
		if m.GroupID == group.ID {
			in[m.Member.ID] = true
		}
	}
	return in, nil
}

// refuse is the error for a group that cannot become a member.
func (n nesting) refuse(ctx context.Context, after *doc.Document, r directory.Refusal) error {
	// Name the groups for people, if the client may see their names.
	names := map[string]string{}
	if n.w.r.mayList(ctx, n.w.t.Types.Group) == nil {
		var err error
		if names, err = n.w.r.displayNames(ctx, n.w.t.Types.Group, r.Chain); err != nil {
			return err
		}
		names[""] = after.Text("displayName")
	}
	chain := make([]string, len(r.Chain))
	for i, id := range r.Chain {
		name := names[id]
		switch {
		case id == "":
			chain[i] = fmt.Sprintf("the new group %q", fault.ClipName(name))
		case name != "":
			chain[i] = fmt.Sprintf("%q (%s)", fault.ClipName(name), fault.Clip(id))
		default:
			chain[i] = fault.Quote(id)
		}
	}
	way := strings.Join(chain, " contains ")
	if r.IsCircle {
		return fault.Refuse(http.StatusBadRequest, fault.InvalidValue, fmt.Sprintf(
			"members: a group cannot belong to itself, but %s; take one of these groups out first", way))
	}
	return fault.Refuse(http.StatusBadRequest, fault.InvalidValue, fmt.Sprintf(
		"members: at most %d groups can be above a group, but %s", n.w.t.Members.MaxDepth, way))
}

// groupIDs lists the ids of those references that name groups.
func groupIDs(list []host.Ref) []string {
	var ids []string
	for _, r := range list {
		if r.Type == "Group" {
			ids = append(ids, r.ID)
		}
	}
	return ids
}
