// Package host describes, in internal terms, what the application supplies: its
// store, its roles, and its settings. The root package turns the public interfaces
// into these; internal packages know no others.
//
// Structs that the root package has too have the same fields in the same order, so
// that one converts to the other and the build breaks if they drift.
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

// Tenant is one customer's endpoint.
type Tenant struct {
	ID         string
	Types      Types
	Stores     Stores
	Roles      *Roles // nil: nothing gives roles
	Members    MemberPolicy
	BaseURL    string
	Tolerances Tolerances
	Self       *Self // nil: /Me is not served

	// Judge runs the application's rules over a change. Nil: there are none.
	Judge func(ctx context.Context, c *Change) error
	// Allow is the application's answer to an operation. Nil: all are allowed.
	Allow func(ctx context.Context, a Access) error
}

// Stores is the application's store, and what else it can do. What it cannot is nil.
type Stores struct {
	Store
	Tx          Transactor
	Members     MemberStore
	Passwords   PasswordSetter
	Deactivator Deactivator
}

// Roles is how sources become roles.
type Roles struct {
	Resolver Resolver
	Ledger   Ledger
	// LedgerLocks says that the ledger's calls commit with the store's transaction, and that
	// Grants locks the users until its end.
	LedgerLocks bool
	// Sources is the ledger, if entries can be dropped by their source while roles
	// commit with the store. Nil: they are dropped one by one.
	Sources    SourceLedger
	Attributes []*model.Attribute // of users, that name roles
	// Joint says that the resolver's changes commit with the store's.
	Joint bool
	// Pick chooses among the roles that sources give. Nil: all of them.
	Pick      func(all []Candidate) []Role
	Refuse    bool // a new group that stands for no role is refused
	Exclusive bool // the application keeps one role per user
}

// Self is how users reach themselves by /Me.
type Self struct {
	UserOf   func(ctx context.Context, p Principal) (userID string, err error)
	Writable []string // paths of attributes that users may change on themselves
}

// Tolerances says which leniencies are off.
type Tolerances struct {
	Strict bool
	Off    []tolerance.Name
}

// Use starts to keep count of the leniencies that one request needs.
func (t Tolerances) Use() *tolerance.Use { return &tolerance.Use{Strict: t.Strict, Off: t.Off} }

// MemberPolicy says what becomes of group members where clients differ.
type MemberPolicy struct {
	SkipUnknown bool
	KeepAbsent  bool
}

// Limits bound what a client can make big.
type Limits struct {
	Body       int64
	GroupBody  int64
	BulkBody   int64
	BulkOps    int
	Depth      int
	Filter     int
	PageSize   int
	MaxPage    int
	Time       time.Duration
	CursorTime time.Duration
}

// BodyOf is how long the body of a write may be: longer for a type with members.
func (l *Limits) BodyOf(t *model.Type) int64 {
	if t != nil && t.Members != nil {
		return l.GroupBody
	}
	return l.Body
}

// Principal is an authenticated client.
type Principal struct {
	ID, Tenant string
	Scopes     []string
	Data       any
}

// Op is what a client does.
type Op string

// The operations.
const (
	OpCreate  Op = "create"
	OpGet     Op = "get"
	OpList    Op = "list"
	OpReplace Op = "replace"
	OpPatch   Op = "patch"
	OpDelete  Op = "delete"
)

// Change is a write before it is stored. Before is nil on create, After on delete.
// Judge may replace After, and name in Adopt a resource that a new one takes over.
type Change struct {
	Op            Op
	Before, After *doc.Document
	Add, Remove   []Ref
	Principal     Principal
	Adopt         string
}

// Access is an operation that Tenant.Allow judges.
type Access struct {
	Op        Op
	Type, ID  string
	Query     *Query
	Principal Principal
}

// Query is what Store.List is asked for.
type Query struct {
	Filter     *match.Filter // nil: everything
	IDs        []string      // if not nil: only these
	SortBy     string
	Descending bool
	Offset     int
	After      *Key
	Limit      int
	Total      bool
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
}
