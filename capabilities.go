package scim

import (
	"context"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// TenantLocker is a Store with locks for decisions that concern a whole tenant, such as who
// gets its last seat.
//
// Without it the handler makes such decisions one after the other in this process only: run
// one process then.
type TenantLocker interface {
	Transactor
	// LockTenant locks the tenant for decisions of a kind, a short text, until the
	// transaction of ctx ends. It waits as long as another transaction, in this process or
	// in another one, has the lock. Reads after it see what that transaction committed. A
	// transaction that has the lock gets it again at once. Locks of other kinds, and of
	// other tenants, are independent. Without a transaction it returns an error.
	LockTenant(ctx context.Context, kind string) error
}

// ClientKeeper is a Store that remembers which client wrote a resource last. It finds the client
// with PrincipalOf. Without it Reconciler.Managed does not name clients.
type ClientKeeper interface {
	// ClientsOf returns the Principal.ID of the client that created, claimed or changed each of
	// at most 1,000 resources last. It leaves out resources that are unknown, or that no client
	// has written.
	ClientsOf(ctx context.Context, refs []Ref) (map[Ref]string, error)
}

// GroupReader is a MemberStore that reads a user together with the user's memberships. Without it a
// GET of a user, the commonest request of some clients, calls GroupsOf too. A Store that embeds
// another one and overrides Get or GroupsOf must override GetWithGroups as well.
type GroupReader interface {
	MemberStore
	// GetWithGroups returns what Get and GroupsOf return for a user, as it is at one moment.
	GetWithGroups(ctx context.Context, userID string) (*Resource, []Membership, error)
}

// UniqueIDs is a Store that knows whether a user and a group can have the same id. If they
// cannot, a member without a type whose id only a group has is that group (RFC 7643,
// Section 4.2). Without UniqueIDs such a member is an unknown user.
type UniqueIDs interface {
	// UniqueIDs reports whether no user and no group of the store ever have the same id. The
	// answer never changes.
	UniqueIDs() bool
}

// bindStores allocates all ports at once: with TenantFor it runs for each request.
func bindStores(s Store, g host.Guard) host.Stores {
	p := &struct {
		storePort
		txPort
		membersPort
		passwordPort
		deactivatorPort
		claimerPort
		exempterPort
		lockerPort
		clientsPort
		groupsPort
		changerPort
	}{storePort: storePort{s, g}}
	b := host.Stores{Store: &p.storePort}
	if c, ok := s.(Transactor); ok {
		p.txPort = txPort{c, g}
		b.Tx = &p.txPort
	}
	if c, ok := s.(MemberStore); ok {
		p.membersPort = membersPort{c, g}
		b.Members = &p.membersPort
	}
	if c, ok := s.(GroupReader); ok {
		p.groupsPort = groupsPort{c, g}
		b.Groups = &p.groupsPort
	}
	if c, ok := s.(MemberChanger); ok {
		p.changerPort = changerPort{c, g}
		b.Changer = &p.changerPort
	}
	if c, ok := s.(PasswordSetter); ok {
		p.passwordPort = passwordPort{c, g}
		b.Passwords = &p.passwordPort
	}
	if c, ok := s.(Deactivator); ok {
		p.deactivatorPort = deactivatorPort{c, g}
		b.Deactivator = &p.deactivatorPort
	}
	if c, ok := s.(Claimer); ok {
		p.claimerPort = claimerPort{c, g}
		b.Claimer = &p.claimerPort
	}
	if c, ok := s.(Exempter); ok {
		p.exempterPort = exempterPort{c, g}
		b.Exempter = &p.exempterPort
	}
	if c, ok := s.(TenantLocker); ok {
		p.lockerPort = lockerPort{c, g}
		b.Locker = &p.lockerPort
	}
	if c, ok := s.(ClientKeeper); ok {
		p.clientsPort = clientsPort{c, g}
		b.Clients = &p.clientsPort
	}
	if c, ok := s.(UniqueIDs); ok {
		b.HasUniqueIDs = c.UniqueIDs()
	}
	return b
}

type clientsPort port[ClientKeeper]

func (p clientsPort) ClientsOf(ctx context.Context, refs []host.Ref) (_ map[host.Ref]string, err error) {
	defer p.Catch(&err)
	all, err := p.app.ClientsOf(ctx, convert(refs, refOut))
	out := make(map[host.Ref]string, len(all))
	for ref, client := range all {
		out[host.Ref(ref)] = client
	}
	return out, inward(err)
}

type groupsPort port[GroupReader]

func (p groupsPort) GetWithGroups(ctx context.Context, userID string) (_ *doc.Document, _ []host.Membership, err error) {
	defer p.Catch(&err)
	r, list, err := p.app.GetWithGroups(ctx, userID)
	return document(r), convert(list, membershipIn), inward(err)
}

type lockerPort port[TenantLocker]

func (p lockerPort) LockTenant(ctx context.Context, kind string) (err error) {
	defer p.Catch(&err)
	return inward(p.app.LockTenant(ctx, kind))
}

var _ host.TenantLocker = lockerPort{}
