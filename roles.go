package scim

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/host"
)

// RoleResolver is the application's side of roles: which role a group stands for,
// which roles people hold, and the change itself. Calls name at most 1,000 users.
// ctx carries the Store's transaction, if it has one. It is safe for concurrent use.
type RoleResolver interface {
	// ResolveRole tells which role src stands for. It has no effects. ErrNoRole: there
	// is none, and Roles.Missing applies. An *Error with a status below 500 means the
	// same and says why, for instance that groups cannot give this role; it is the answer
	// where Missing refuses. Any other error fails the request: an outage is not an
	// answer.
	ResolveRole(ctx context.Context, src RoleSource) (Role, error)
	// HeldRoles lists every role that the users hold now, however come by. A default
	// that everybody has is left out: it is what remains when nothing is given.
	HeldRoles(ctx context.Context, userIDs []string) (map[string][]Role, error)
	// ChangeRoles carries out all changes or none. It is idempotent: granting what is
	// held and revoking what is not are no errors. ErrNoRole if a granted role is gone.
	ChangeRoles(ctx context.Context, changes []RoleChange) error
}

// Role is one of the application's roles. Its identity is ID, which a rename should
// not change. Weight is for PickHeaviest. A Protected role, such as administrator,
// is given by name only after the application confirms (Reconciler.Confirm), and
// waits when a person comes back.
type Role struct {
	ID, Name  string
	Weight    int
	Protected bool
}

// RoleSource is what may stand for a role: a group, or a value of one of
// Roles.Attributes; then Group is nil. Whether a role may come from the one or the other
// is the resolver's answer.
type RoleSource struct {
	Group *Resource
	// PreviousName is set when the client has just renamed the group.
	PreviousName string
	// Attribute is the path, as in Resource.Get, and Value what it says; of an element of
	// a complex attribute, such as roles, that is its value.
	Attribute, Value string
	// Linked is the id of the role that the group or value was linked to, set when the
	// application reported a change of its mapping: a resolver with stable ids returns
	// that role as it is now, if it still exists and the source still stands for it;
	// otherwise it looks at the name.
	Linked string
}

// Name is what a role is looked up by: the group's displayName, or the attribute's value.
func (s RoleSource) Name() string {
	if s.Group != nil {
		return s.Group.String("displayName")
	}
	return s.Value
}

// RoleChange is what happens to one user's roles, in one step. Roles lists all that
// SCIM wants the user to hold afterwards, primary first; hand-given ones are not in
// it.
type RoleChange struct {
	UserID               string
	Grant, Revoke, Roles []Role
}

// Ledger remembers what the library granted and which role each group is linked to,
// as durably as the Store. Without a transaction around them its calls are atomic
// and durable one by one.
type Ledger interface {
	// Grants lists the entries of the users, in any order. In a transaction it first
	// locks these users, in order of id, until the transaction ends.
	Grants(ctx context.Context, userIDs []string) ([]Grant, error)
	// Record drops and puts entries. An entry's identity is user, role and source; put
	// replaces the entry that is there.
	Record(ctx context.Context, put, drop []Grant) error
	// Links lists the links of those of the sources that have one, in any order.
	Links(ctx context.Context, sources []Source) ([]Link, error)
	// SetLink replaces the link of l.Source; one without a Role.ID takes it away.
	SetLink(ctx context.Context, l Link) error
}

// SourceLedger is a Ledger that finds the entries of a source, and drops them all at once.
// Where a group is deleted that gave thousands of people a role, that is much less work than
// one by one; and it finds those too who are no members any more, because the application
// has taken or hidden them and told nobody.
type SourceLedger interface {
	// SourceUsers lists users who have an entry with this Source, in ascending order of id,
	// beginning behind after; "": at the first. At most limit, which is at least 1.
	SourceUsers(ctx context.Context, source Source, after string, limit int) ([]string, error)
	// DropSource drops every entry with this Source, whosever it is. None is no error.
	DropSource(ctx context.Context, source Source) error
}

// Grant is an entry of the ledger: SCIM wants the user to hold the role because of
// a source. ByHand: the user held the role before, so it stays when the source lets
// go. Waiting: not granted yet.
type Grant struct {
	UserID, RoleID  string
	Source          Source // AttributeSource without a value for attributes
	At              time.Time
	ByHand, Waiting bool
}

// Link says which role a source stands for, as the resolver described it last. Until
// Confirmed it gives nothing: a protected role waits for the application.
type Link struct {
	Source    Source
	Role      Role
	Confirmed bool
}

// Source is what gives a role: a group, or a value of one of Roles.Attributes. It is a
// text that never changes its form. Ledgers store it and compare it as it is.
type Source string

// GroupSource is the group with an id.
func GroupSource(groupID string) Source { return Source(host.GroupSource(groupID)) }

// AttributeSource is a value of the attribute at a path, as in Resource.Get. The value ""
// stands for all values of the attribute together, as in a Grant. A value of more than 200
// bytes is kept as a hash.
func AttributeSource(path, value string) Source { return Source(host.AttributeSource(path, value)) }

// Group returns the id of the group. ok is false if the source is an attribute.
func (s Source) Group() (id string, ok bool) { return host.Source(s).Group() }

// Attribute returns the path and the value of the attribute. ok is false if the source is
// a group.
func (s Source) Attribute() (path, value string, ok bool) { return host.Source(s).Attribute() }

// MissingRole says what happens when a client pushes a group that stands for no
// role.
type MissingRole int

const (
	// LinkLater accepts the group and links it when the role appears.
	LinkLater MissingRole = iota
	// RefuseGroup refuses the new group: 400 invalidValue. A known group that is
	// renamed is accepted and loses its link, because a client that could not rename
	// could not remove anybody either.
	RefuseGroup
)

// Roles turns groups, and users' attributes, into roles.
type Roles struct {
	Resolver RoleResolver
	// Attributes are the paths of attributes of users that name roles: "roles" (their
	// value is what names one), "userType", or one of your own. For clients that send no
	// groups, as Google Workspace, or app roles, as Microsoft Entra. A value that names no
	// role is refused (400 invalidValue), except where the request deactivates the user:
	// then the attribute keeps its value. A value that is sent back as it was read is not
	// judged again. Call Reconciler.RolesChanged after a change of Attributes. Nil: none.
	Attributes []string
	Ledger     Ledger // nil: the Store, if it is one
	// Separate says that the resolver's changes do not commit with the Store's
	// transaction: its roles live in another database or behind an API. The ledger
	// then leads each grant and trails each revocation, so that nothing is forgotten
	// in a crash. It is implied by a Store without transactions.
	Separate bool
	// Pick chooses the roles that apply, in order: the first is the primary one. It gets the
	// roles that a user's attributes give, in order, and then those of the groups, in order
	// of membership. Nil: all of them.
	Pick    func(candidates []Candidate) []Role
	Missing MissingRole
	// Exclusive says that the application keeps one role per user, in one column. A
	// hand-given role then occupies the place, and what a group gives waits. Pick must
	// return at most one role; nil means PickHeaviest here.
	Exclusive bool
}

// Candidate is a role that a source gives to a user, for Roles.Pick.
type Candidate struct {
	Role
	Held bool // the user holds the role already
}

// PickHeaviest is a Roles.Pick that leaves the role of the greatest weight: of equals
// the one that is held already, then the one with the smaller id.
func PickHeaviest(candidates []Candidate) []Role {
	if len(candidates) == 0 {
		return nil
	}
	heaviest := slices.MaxFunc(candidates, func(a, b Candidate) int {
		switch {
		case a.Weight != b.Weight:
			return a.Weight - b.Weight
		case a.Held != b.Held:
			if a.Held {
				return 1
			}
			return -1
		default:
			return strings.Compare(b.ID, a.ID)
		}
	})
	return []Role{heaviest.Role}
}
