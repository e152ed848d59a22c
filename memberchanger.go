package scim

import (
	"context"

	"github.com/scimkit/scim/internal/host"
)

// MemberChanger is a MemberStore that changes one member together with what a request does next, so
// that a client waits less often for a database. Without it the handler looks whether the member
// exists, and then calls ChangeMembers and Update. A Store that embeds another one and overrides Update
// or ChangeMembers must override ChangeMember as well.
type MemberChanger interface {
	MemberStore
	// ChangeMember adds one member to a group, or takes one out. If that changes the memberships, it
	// stores c.Group, as Update does. The handler calls it in a transaction in which Update has read
	// the group. If the error wraps errors.ErrUnsupported, nothing is changed, and the handler makes the
	// other calls: a store may decide so for each change.
	//
	// A member to add that does not exist is no error: the store changes nothing, and IsKnown is false.
	// A member that is added cannot be deleted until the transaction ends.
	ChangeMember(ctx context.Context, c MemberChange) (MemberChanged, error)
}

// MemberChange is what MemberChanger.ChangeMember does.
type MemberChange struct {
	// Group is the group with the Version and the LastModified that it gets if the memberships change.
	// Its attributes are those that the store has.
	Group *Resource
	// Version is the version that the group has. If the store has another one, ChangeMember changes
	// nothing, and its error makes InTx run the transaction again or wraps errors.ErrUnsupported.
	Version string
	// Members names the member. To take one out whose type the client does not say, it has two
	// references with the same ID.
	Members []Ref
	// Remove says that the member leaves. Otherwise it joins.
	Remove bool
	// ReadsGrants says that the handler next asks the store's Ledger for the Links of the group. If these
	// give something, it asks for the Grants of the member, which lock the member. A store may lock the
	// member already, but after what it locks to change the membership.
	ReadsGrants bool
}

// MemberChanged is what MemberChanger.ChangeMember has done.
type MemberChanged struct {
	Group   *Resource // Group is the group as it is stored now.
	Changed []Ref     // Changed are those of MemberChange.Members that have joined or left.
	// IsKnown says that the member to add exists. It is true if the member was in the group before.
	IsKnown bool
}

// NextGrants says for which user the handler is going to call Grants of the store's Ledger, in a
// transaction that begins with the lock of a resource. The context of the Update that takes this lock
// has it. Grants locks the user. A Store may do so in the Update already, after the resource, to wait
// less often for a database. It must not if the resource is a group without a Link: if the group gets
// one, other users are locked first. A Store that does nothing about it is right, too.
type NextGrants struct {
	// UserID is the user.
	UserID string
	// Joins says that the user is going to be a member of the group of the Update. A Store then locks the
	// resource of the user against deletion, before it locks the user.
	Joins bool
}

// NextGrantsOf returns what a context says about the next call of Grants. ok is false if it says nothing.
func NextGrantsOf(ctx context.Context) (n NextGrants, ok bool) {
	next, ok := host.NextGrantsOf(ctx)
	return NextGrants(next), ok
}

type changerPort port[MemberChanger]

func (p changerPort) ChangeMember(ctx context.Context, c *host.MemberChange) (out host.MemberChanged, err error) {
	defer p.Catch(&err)
	done, err := p.app.ChangeMember(ctx, MemberChange{Group: resource(c.Group), Version: c.Version, Members: convert(c.Members, refOut),
		Remove: c.Remove, ReadsGrants: c.ReadsGrants})
	return host.MemberChanged{Group: document(done.Group), Changed: convert(done.Changed, refIn), IsKnown: done.IsKnown}, inward(err)
}
