// Package host describes, in internal terms, what the application supplies: its store, its
// roles, and its settings. The root package turns the public interfaces into these. Other
// internal packages know only these.
//
// Structs that the root package also has have the same fields in the same order. So one
// converts to the other, and the build breaks if they differ.
package host

import (
	"context"
	"time"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// Ref names a resource: its type's name and its id.
type Ref = member.Ref

// RefOf is the reference to a resource.
func RefOf(d *doc.Document) Ref { return Ref{Type: d.Type.Name, ID: d.ID} }

// Tenant is one customer of the application, with its own endpoint.
type Tenant struct {
	ID         string
	Types      Types
	Stores     Stores
	Roles      *Roles // nil: the tenant has no roles
	Members    MemberPolicy
	BaseURL    string
	Tolerances Tolerances
	Self       *Self // nil: there is no /Me

	// Judge runs the application's rules on a change. Nil: there are none.
	Judge func(ctx context.Context, c *Change) error
	// Written tells the application of a write, before the commit. Nil: it does not want to know.
	Written func(ctx context.Context, w *Written) error
	// Seats is how many users may be active. Nil: any number.
	Seats func(ctx context.Context) (int, error)
	// Allow asks the application whether an operation is allowed. Nil: all are allowed.
	Allow func(ctx context.Context, a Access) error
}

// Stores is the application's store and its optional capabilities. A missing capability is
// nil.
type Stores struct {
	Store
	Tx          Transactor
	Members     MemberStore
	Groups      GroupReader
	Changer     MemberChanger
	Passwords   PasswordSetter
	Deactivator Deactivator
	Claimer     Claimer
	Exempter    Exempter
	Locker      TenantLocker
	Clients     ClientKeeper
	// HasUniqueIDs says that no user and group have the same id.
	HasUniqueIDs bool
}

// Roles configures how sources give roles.
type Roles struct {
	Resolver Resolver
	Ledger   Ledger
	// LedgerLocks says that the ledger's calls commit with the store's transaction, and that
	// Grants locks the users until its end.
	LedgerLocks bool
	// Sources is the ledger if it can drop grants by their source and roles commit with the
	// store. Nil: the engine drops grants one by one.
	Sources SourceLedger
	// Finder is the ledger if it finds grants by their source. Nil: it cannot.
	Finder SourceLedger
	// Pending is the ledger if it can list what awaits somebody. Nil: it cannot.
	Pending PendingLedger
	// Ender is the ledger if it can forget a tenant. Nil: it cannot.
	Ender      TenantLedger
	Attributes []*model.Attribute // the attributes of users that name roles
	// Joint says that the application's role changes commit with the store's.
	Joint bool
	// PolicyOf is the policy of a scope.
	PolicyOf func(scope string) RolePolicy
	Refuse   bool // refuse a new group that stands for no role
	// Creator creates the role of a group that stands for none. Nil: do not. With it, there
	// is Names.
	Creator RoleCreator
	// Names lists the names of roles. Nil: it cannot.
	Names RoleNamer
	// SwitchNeedsUnassign refuses to replace the role of an active user by another one.
	SwitchNeedsUnassign bool
	Paused              bool // give nothing, and go on taking
	// WithoutGroups says that groups give nothing, and that what they gave ends.
	WithoutGroups bool
	Guards        Guards
}

// Self configures what users may do at /Me.
type Self struct {
	UserOf   func(ctx context.Context, p Principal) (userID string, err error)
	Writable []string // paths of attributes that users may change on themselves
}

// Tolerances says which tolerances are switched off.
type Tolerances struct {
	Strict bool
	Off    []tolerance.Name
}

// Use returns a new count of the tolerances that one request needs.
func (t Tolerances) Use() *tolerance.Use { return &tolerance.Use{Strict: t.Strict, Off: t.Off} }

// MemberPolicy configures the treatment of group members where clients differ.
type MemberPolicy struct {
	SkipUnknown     bool
	KeepAbsent      bool
	RemoveUnclaimed bool
	Nested          bool
	MaxDepth        int
}

// Limits bound what a client can make large.
type Limits struct {
	Body        int64
	GroupBody   int64
	BulkBody    int64
	BulkOps     int
	Members     int
	Depth       int
	Text        int
	Name        int
	Values      int
	Filter      int
	Comparisons int
	PageSize    int
	MaxPage     int
	Answer      int64
	BodyTime    time.Duration
	Requests    int
	BodyMemory  int64
	Time        time.Duration
	CursorTime  time.Duration
}

// BodyOf is the most bytes of a write's body. A type with members has a higher limit.
func (l *Limits) BodyOf(t *model.Type) int64 {
	if t != nil && t.Members != nil {
		return l.GroupBody
	}
	return l.Body
}

// Resource are the limits of one resource. It has at most half the bytes of a body, so that
// a client can send back with PUT what it has read.
func (l *Limits) Resource() doc.Limits {
	return doc.Limits{Text: l.Text, Name: l.Name, Values: l.Values, Size: int(l.Body / 2)}
}

// Op is a kind of operation.
type Op string

const (
	OpCreate  Op = "create"
	OpGet     Op = "get"
	OpList    Op = "list"
	OpReplace Op = "replace"
	OpPatch   Op = "patch"
	OpDelete  Op = "delete"
)

// Change is a write before the store has it. Before is nil on create, After on delete.
// Judge may replace After, and take members out of Add. It may set Adopt to the id of a
// resource that a new one adopts.
type Change struct {
	Op            Op
	Before, After *doc.Document
	Add, Remove   []Ref
	Principal     Principal
	Adopt         string
	SetsPassword  bool     // false after Judge: the password is dropped
	Reconcile     bool     // reconcile the roles of the user or the group's members
	Left          []string // why parts of the request were left out
}

// Written is a write that the store has. Before is nil after a creation, After after a deletion.
type Written struct {
	Op            Op
	Before, After *doc.Document
	IsAdopted     bool
	Add, Remove   []Ref // the members that have joined and left
	Principal     Principal
}

// Access describes an operation to Tenant.Allow.
type Access struct {
	Op        Op
	Type, ID  string
	Query     *Query
	Principal Principal
}

// Query is a question to Store.List.
type Query struct {
	Filter     *match.Filter // nil: all resources
	IDs        []string      // not nil: only resources with these ids
	SortBy     string
	Descending bool
	Offset     int
	After      *Key
	Limit      int
	Total      bool
	MaxBytes   int
	// WithoutAttributes says that only the existence of the resources matters.
	WithoutAttributes bool
	// WithGroups says that the memberships of the users of the page are asked for next.
	WithGroups bool
	ForClient  bool        // a client asked for the list
	Work       *match.Work // limits a store that evaluates the filter with Scan; nil: no limit
	// MaxComparisons is how many terms times resources the filter may take; 0 means any number.
	MaxComparisons int
}

// Key is a place in the order of a list.
type Key struct {
	Value   *string
	Created time.Time
	ID      string
}

// Page is a part of a list.
type Page struct {
	Resources []*doc.Document
	Total     int
	Cut       bool
	Groups    []Membership // of all resources; nil: not read
}
