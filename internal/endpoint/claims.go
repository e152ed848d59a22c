package endpoint

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/member"
)

// guard keeps clients from changing what is not theirs.
type guard struct {
	t   *host.Tenant
	dir directory.Directory
}

// checkExempt refuses to write an exempt user.
func (g guard) checkExempt(ctx context.Context, ref host.Ref) error {
	exempt, err := g.dir.Exempt(ctx, ref)
	if err == nil && exempt[ref] {
		err = fault.Refuse(http.StatusForbidden, "", fmt.Sprintf("%s %s is exempt: only the application can change this account", ref.Type, fault.Quote(ref.ID)))
	}
	return err
}

// leaveExempt leaves exempt users out of a change of members. If nothing else is left of
// the request's list, leaveExempt refuses it. there are current members, of which a list
// that names them changes nothing.
func (g guard) leaveExempt(ctx context.Context, before *doc.Document, d *member.Delta, p *memberPlan, there map[host.Ref]bool) error {
	if g.t.Stores.Exempter == nil {
		return nil
	}
	changed := slices.Concat(p.Remove, slices.DeleteFunc(slices.Clone(p.add), func(r host.Ref) bool { return there[r] }))
	exempt, err := g.dir.Exempt(ctx, changed...)
	if err != nil || len(exempt) == 0 {
		return err
	}
	isExempt := func(r host.Ref) bool { return exempt[r] }
	named := slices.Concat(d.Add(), d.Remove())
	// A removal without a type names the user and the group with this id.
	others := slices.DeleteFunc(slices.Concat(named, changed), func(r host.Ref) bool {
		return exempt[host.Ref{Type: g.t.Types.User.Name, ID: r.ID}]
	})
	if len(named) > 0 && len(others) == 0 {
		named = slices.DeleteFunc(named, func(r host.Ref) bool { return !exempt[r] })
		return fault.Refuse(http.StatusForbidden, "", "members: exempt, so only the application can change their memberships: "+listRefs(named))
	}
	for _, r := range changed {
		if !exempt[r] {
			continue
		}
		e := host.Event{Kind: host.MemberExempt, Member: r, Reason: "left out: the user is exempt"}
		if before != nil {
			e.Resource = host.RefOf(before)
		}
		p.left = append(p.left, e)
	}
	p.add, p.Remove = slices.DeleteFunc(p.add, isExempt), slices.DeleteFunc(p.Remove, isExempt)
	return nil
}

// checkClaimed refuses to delete a resource that no client has claimed.
func (g guard) checkClaimed(ctx context.Context, ref host.Ref) error {
	if g.t.Stores.Claimer == nil {
		return nil
	}
	claimed, err := g.t.Stores.Claimer.IsClaimed(ctx, ref)
	if err != nil || claimed {
		return err
	}
	return fault.Refuse(http.StatusForbidden, "", fmt.Sprintf("%s %s is the application's own: no client has created or changed it, "+
		"so clients cannot delete it; delete it in the application, or change it first, such as its externalId, if it is yours", ref.Type, fault.Quote(ref.ID)))
}

// keepUnclaimed makes a full list of members keep the unclaimed members of a group that it
// does not name, and claim those that it names.
func (g guard) keepUnclaimed(ctx context.Context, group *doc.Document, p *memberPlan) error {
	unclaimed, err := g.unclaimedMembers(ctx, group)
	if err != nil || len(unclaimed) == 0 {
		return err
	}
	for _, r := range p.add {
		if unclaimed[r] {
			p.claim = append(p.claim, r)
		}
	}
	if g.t.Members.RemoveUnclaimed {
		return nil
	}
	all := len(p.Remove)
	p.Remove = slices.DeleteFunc(p.Remove, func(r host.Ref) bool { return unclaimed[r] })
	if kept := all - len(p.Remove); kept > 0 {
		p.left = append(p.left, host.Event{Kind: host.MembersKept, Resource: host.RefOf(group),
			Reason: fmt.Sprintf("the application added members that the list does not name; they stay: %d", kept)})
	}
	return nil
}

// unclaimedMembers are the members of a group that no client has named.
func (g guard) unclaimedMembers(ctx context.Context, group *doc.Document) (map[host.Ref]bool, error) {
	if g.t.Stores.Claimer == nil || g.t.Stores.Members == nil {
		return nil, nil
	}
	all := map[host.Ref]bool{}
	for after := (host.Ref{}); ; {
		page, err := g.t.Stores.Claimer.UnclaimedMembers(ctx, group.ID, after, directory.Batch)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			all[r] = true
		}
		if len(page) < directory.Batch {
			return all, nil
		}
		after = page[len(page)-1]
	}
}
