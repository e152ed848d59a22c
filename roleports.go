package scim

import (
	"context"
	"maps"
	"slices"

	"github.com/scimkit/scim/internal/host"
)

// This file has the ports of roles: see ports.go.

func roleIn(r Role) host.Role  { return host.Role(r) }
func roleOut(r host.Role) Role { return Role(r) }

func roleSourceOut(src host.RoleSource) RoleSource {
	return RoleSource{Group: resource(src.Group), PreviousName: src.PreviousName,
		Attribute: src.Attribute, Value: src.Value, Linked: convert(src.Linked, roleOut)}
}

func roleChangeOut(c host.RoleChange) RoleChange {
	return RoleChange{UserID: c.UserID, Grant: convert(c.Grant, roleOut), Revoke: convert(c.Revoke, roleOut), Roles: convert(c.Roles, roleOut)}
}

type resolverPort port[RoleResolver]

func (p resolverPort) ResolveRoles(ctx context.Context, src host.RoleSource) (_ []host.Role, err error) {
	defer p.Catch(&err)
	roles, err := p.app.ResolveRoles(ctx, roleSourceOut(src))
	return convert(roles, roleIn), inward(err)
}

func (p resolverPort) HeldRoles(ctx context.Context, userIDs []string) (_ map[string][]host.Role, err error) {
	defer p.Catch(&err)
	held, err := p.app.HeldRoles(ctx, userIDs)
	all := make(map[string][]host.Role, len(held))
	for id, roles := range held {
		all[id] = convert(roles, roleIn)
	}
	return all, failed(err)
}

func (p resolverPort) ChangeRoles(ctx context.Context, changes []host.RoleChange) (err error) {
	defer p.Catch(&err)
	return failed(p.app.ChangeRoles(ctx, convert(changes, roleChangeOut)))
}

type namerPort port[RoleNamer]

func (p namerPort) RoleNames(ctx context.Context, attribute string) (_ []string, err error) {
	defer p.Catch(&err)
	names, err := p.app.RoleNames(ctx, attribute)
	return names, inward(err)
}

type creatorPort port[RoleCreator]

func (p creatorPort) CreateRole(ctx context.Context, src host.RoleSource) (_ host.Role, err error) {
	defer p.Catch(&err)
	role, err := p.app.CreateRole(ctx, roleSourceOut(src))
	return host.Role(role), inward(err)
}

// bindResolver looks at the capabilities of the resolver.
func bindResolver(r *Roles, b *host.Roles, g host.Guard) []error {
	b.SwitchNeedsUnassign = r.SwitchNeedsUnassign
	if n, ok := r.Resolver.(RoleNamer); ok {
		b.Names = namerPort{n, g}
	}
	if r.Missing != CreateRole {
		return nil
	}
	c, ok := r.Resolver.(RoleCreator)
	if !ok {
		return []error{mistake("Roles.Missing", "CreateRole needs a Resolver that is a RoleCreator, and %T is none", r.Resolver)}
	}
	b.Creator = creatorPort{c, g}
	return nil
}

func pickPort(pick func([]Candidate) []Role) func([]host.Candidate) []host.Role {
	if pick == nil {
		return nil
	}
	return func(all []host.Candidate) []host.Role {
		return convert(pick(convert(all, func(c host.Candidate) Candidate { return Candidate{Role(c.Role), c.Held} })), roleIn)
	}
}

// policyPort returns a function that knows the policy of each scope.
func policyPort(r *Roles) func(scope string) host.RolePolicy {
	in := func(p RolePolicy) host.RolePolicy {
		if p.Exclusive && p.Pick == nil {
			p.Pick = PickHeaviest
		}
		return host.RolePolicy{Pick: pickPort(p.Pick), Exclusive: p.Exclusive, Base: p.Base}
	}
	if r.PolicyOf == nil {
		p := in(RolePolicy{Pick: r.Pick, Exclusive: r.Exclusive})
		return func(string) host.RolePolicy { return p }
	}
	return func(scope string) host.RolePolicy { return in(r.PolicyOf(scope)) }
}

// placed is a RoleResolver with scopes that have one place, such as a column. It says which role
// stands there for none; "": no role does.
type placed interface{ RolePlaces() map[string]string }

// checkPlaces compares the policies with what the resolver says about places.
func checkPlaces(r *Roles, policy func(scope string) host.RolePolicy) (errs []error) {
	resolver, ok := r.Resolver.(placed)
	if !ok {
		return nil
	}
	places := resolver.RolePlaces()
	for _, scope := range slices.Sorted(maps.Keys(places)) {
		switch p := policy(scope); {
		case !p.Exclusive:
			errs = append(errs, mistake("Roles", "the scope %q is a column, which holds one role: set Exclusive", scope))
		case p.Base != "" && p.Base != places[scope]:
			errs = append(errs, mistake("Roles.PolicyOf", "the scope %q: Base is %q, and the column's is %q", scope, p.Base, places[scope]))
		}
	}
	return errs
}

type ledgerPort port[Ledger]

func (p ledgerPort) Grants(ctx context.Context, userIDs []string) (_ []host.Grant, err error) {
	defer p.Catch(&err)
	list, err := p.app.Grants(ctx, userIDs)
	return convert(list, grantIn), inward(err)
}

func grantIn(g Grant) host.Grant {
	return host.Grant{UserID: g.UserID, Scope: g.Scope, RoleID: g.RoleID, Source: host.Source(g.Source), At: g.At, ByHand: g.ByHand,
		State: host.GrantState(g.State), Rank: g.Rank}
}

func grantOut(g host.Grant) Grant {
	return Grant{UserID: g.UserID, Scope: g.Scope, RoleID: g.RoleID, Source: Source(g.Source), At: g.At, ByHand: g.ByHand,
		State: GrantState(g.State), Rank: g.Rank}
}

func sourceOut(s host.Source) Source { return Source(s) }

func (p ledgerPort) Record(ctx context.Context, put, drop []host.Grant) (err error) {
	defer p.Catch(&err)
	return inward(p.app.Record(ctx, convert(put, grantOut), convert(drop, grantOut)))
}

func (p ledgerPort) Links(ctx context.Context, sources []host.Source) (_ []host.Link, err error) {
	defer p.Catch(&err)
	list, err := p.app.Links(ctx, convert(sources, sourceOut))
	return convert(list, linkIn), inward(err)
}

func linkIn(l Link) host.Link {
	return host.Link{Source: host.Source(l.Source), Name: l.Name, At: l.At, Roles: convert(l.Roles, func(r LinkedRole) host.LinkedRole {
		return host.LinkedRole{Role: host.Role(r.Role), Confirmed: r.Confirmed, Declined: r.Declined, Newer: r.Newer}
	})}
}

func (p ledgerPort) SetLink(ctx context.Context, l host.Link) (err error) {
	defer p.Catch(&err)
	return inward(p.app.SetLink(ctx, Link{Source: Source(l.Source), Name: l.Name, At: l.At, Roles: convert(l.Roles, func(r host.LinkedRole) LinkedRole {
		return LinkedRole{Role: Role(r.Role), Confirmed: r.Confirmed, Declined: r.Declined, Newer: r.Newer}
	})}))
}

// ledgerPorts are the capabilities of a ledger.
type ledgerPorts struct {
	ledgerPort
	sourcePort
	pendingPort
	tenantLedgerPort
}

// bind looks at the capabilities of a ledger.
func (p *ledgerPorts) bind(ledger Ledger, b *host.Roles, g host.Guard) {
	p.ledgerPort = ledgerPort{ledger, g}
	b.Ledger = &p.ledgerPort
	if c, ok := ledger.(SourceLedger); ok {
		p.sourcePort = sourcePort{c, g}
		b.Finder = &p.sourcePort
		if b.Joint { // else entries trail the revocations, one after the other
			b.Sources = b.Finder
		}
	}
	if c, ok := ledger.(PendingLedger); ok {
		p.pendingPort = pendingPort{c, g}
		b.Pending = &p.pendingPort
	}
	if c, ok := ledger.(TenantLedger); ok {
		p.tenantLedgerPort = tenantLedgerPort{c, g}
		b.Ender = &p.tenantLedgerPort
	}
}

type pendingPort port[PendingLedger]

func (p pendingPort) AllLinks(ctx context.Context, after host.Source, limit int) (_ []host.Link, err error) {
	defer p.Catch(&err)
	list, err := p.app.AllLinks(ctx, Source(after), limit)
	return convert(list, linkIn), inward(err)
}

func (p pendingPort) OpenGrants(ctx context.Context, after host.Grant, limit int) (_ []host.Grant, err error) {
	defer p.Catch(&err)
	list, err := p.app.OpenGrants(ctx, grantOut(after), limit)
	return convert(list, grantIn), inward(err)
}

func (p pendingPort) Notes(ctx context.Context, kind, after string, limit int) (_ []host.Note, err error) {
	defer p.Catch(&err)
	list, err := p.app.Notes(ctx, kind, after, limit)
	return convert(list, func(n Note) host.Note { return host.Note(n) }), inward(err)
}

func (p pendingPort) SetNote(ctx context.Context, n host.Note) (err error) {
	defer p.Catch(&err)
	return inward(p.app.SetNote(ctx, Note(n)))
}

type tenantLedgerPort port[TenantLedger]

func (p tenantLedgerPort) UsersWithGrants(ctx context.Context, after string, limit int) (_ []string, err error) {
	defer p.Catch(&err)
	ids, err := p.app.UsersWithGrants(ctx, after, limit)
	return ids, inward(err)
}

func (p tenantLedgerPort) Fence(ctx context.Context) (err error) {
	defer p.Catch(&err)
	return inward(p.app.Fence(ctx))
}

func (p tenantLedgerPort) Forget(ctx context.Context, keep host.Source, limit int) (_ bool, err error) {
	defer p.Catch(&err)
	isLeft, err := p.app.Forget(ctx, Source(keep), limit)
	return isLeft, inward(err)
}

type sourcePort port[SourceLedger]

func (p sourcePort) SourceUsers(ctx context.Context, source host.Source, after string, limit int) (_ []string, err error) {
	defer p.Catch(&err)
	ids, err := p.app.SourceUsers(ctx, Source(source), after, limit)
	return ids, inward(err)
}

func (p sourcePort) DropSource(ctx context.Context, source host.Source) (err error) {
	defer p.Catch(&err)
	return inward(p.app.DropSource(ctx, Source(source)))
}

func explanationOut(s host.Explanation) Explanation {
	return Explanation{Role: Role(s.Role), State: RoleState(s.State), Sources: convert(s.Sources, sourceOut), Reason: s.Reason}
}
