package host

import (
	"context"
	"time"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
)

// Store keeps resources of every type.
type Store interface {
	Create(ctx context.Context, d *doc.Document) (*doc.Document, error)
	Get(ctx context.Context, ref Ref) (*doc.Document, error)
	List(ctx context.Context, t *model.Type, q *Query) (*Page, error)
	Update(ctx context.Context, ref Ref, fn func(before *doc.Document) (*doc.Document, error)) (*doc.Document, error)
	Delete(ctx context.Context, ref Ref, check func(before *doc.Document) error) error
}

// Transactor runs calls in one transaction.
type Transactor interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// MemberStore owns memberships as edges.
type MemberStore interface {
	Members(ctx context.Context, groupID string, after Ref, limit int) ([]Member, error)
	GroupsOf(ctx context.Context, members []Ref) ([]Membership, error)
	ChangeMembers(ctx context.Context, groupID string, add, remove []Ref) (added, removed []Ref, err error)
}

// GroupReader reads a user together with the user's memberships.
type GroupReader interface {
	GetWithGroups(ctx context.Context, userID string) (*doc.Document, []Membership, error)
}

// MemberChanger changes one member of a group, and the group with it.
type MemberChanger interface {
	ChangeMember(ctx context.Context, c *MemberChange) (MemberChanged, error)
}

// MemberChange is a change of one member.
type MemberChange struct {
	Group       *doc.Document // the group with the version and time that it gets if the memberships change
	Version     string        // the version that the group has
	Members     []Ref         // the member; two references with one id if the client does not say the type
	Remove      bool          // the member leaves; otherwise it joins
	ReadsGrants bool          // the grants of the member are read next, if the group has a link
}

// MemberChanged is what a change of one member has done.
type MemberChanged struct {
	Group   *doc.Document // the group as it is stored now
	Changed []Ref         // who has joined or left
	IsKnown bool          // the member to add exists
}

// Member is a member of a group with its display name: displayName, or else userName.
type Member struct {
	Ref     Ref
	Display string
}

// Membership says that Member has been in the group since a point in time.
type Membership struct {
	GroupID string
	Member  Ref
	Since   time.Time
	Display string // the name of the group; "": the store does not say
}

// PasswordSetter takes passwords.
type PasswordSetter interface {
	SetPassword(ctx context.Context, userID, password string) error
}

// Deactivator ends the sessions and tokens of a deactivated user.
type Deactivator interface {
	Deactivate(ctx context.Context, user *doc.Document) error
}

// Claimer knows which resources and memberships a client has claimed.
type Claimer interface {
	IsClaimed(ctx context.Context, ref Ref) (bool, error)
	Claim(ctx context.Context, ref Ref) error
	UnclaimedMembers(ctx context.Context, groupID string, after Ref, limit int) ([]Ref, error)
}

// Exempter knows the users that clients never change.
type Exempter interface {
	Exempt(ctx context.Context, userIDs []string) ([]string, error)
}

// ClientKeeper remembers which client wrote a resource last.
type ClientKeeper interface {
	ClientsOf(ctx context.Context, refs []Ref) (map[Ref]string, error)
}

// TenantLocker locks a tenant for decisions of a kind, until the end of the transaction.
type TenantLocker interface {
	LockTenant(ctx context.Context, kind string) error
}

// InTx runs fn in the store's transaction, or directly if the store has no transactions.
func (s *Stores) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if s.Tx == nil {
		return fn(ctx)
	}
	return s.Tx.InTx(ctx, fn)
}
