package scim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/scimkit/scim/internal/address"
	"github.com/scimkit/scim/internal/cursor"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/endpoint"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
	"github.com/scimkit/scim/internal/roles"
	"github.com/scimkit/scim/internal/trace"
)

// New makes a Handler from c. Its error lists every mistake in c at once.
func New(c Config) (*Handler, error) {
	var errs []error
	cursors, err := cursor.New(c.CursorKeys)
	if err != nil {
		errs = append(errs, mistake("CursorKeys", "%w", err))
	}
	if c.Auth == nil {
		errs = append(errs, mistake("Auth", "is missing; to serve everyone say auth.None()"))
	}
	h, log := &Handler{}, cmp.Or(c.Log, slog.Default())
	guard := host.Guard{Log: log}
	if slices.Contains(c.Observers, nil) {
		errs = append(errs, mistake("Observers", "contains nil"))
	}
	observer, calls := observersIn(c.Observers, guard)
	flat := Tenant{Store: c.Store, Types: c.Types, Roles: c.Roles, Rules: c.Rules, Allow: c.Allow,
		BaseURL: c.BaseURL, Strict: c.Strict, Without: c.Without, Members: c.Members, OnWrite: c.OnWrite, Seats: c.Seats, Me: c.Me}
	if c.TenantFor == nil {
		if h.single, err = bindTenant(&flat, guard, calls); err != nil {
			errs = append(errs, err)
		}
	} else if set := flat.setFields(); len(set) > 0 {
		errs = append(errs, mistake("TenantFor", "is set, so the Tenants that it returns need these fields, and Config must not have them: %s", strings.Join(set, ", ")))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("scim: the configuration is not usable: %w", errors.Join(errs...))
	}
	now, limits := c.Now, c.Limits.withDefaults()
	if now == nil {
		now = time.Now
	}
	h.engine = &roles.Engine{Locks: &keylock.Locks{}, Log: log, Now: now, Time: limits.Time, Emit: eventPort(c.OnEvent, guard), Calls: calls}
	e := endpoint.Config{Auth: authPort{c.Auth}, TenantOf: tenantPort(c.TenantFor, h.single, guard, calls), OpenDiscovery: c.OpenDiscovery,
		Limits: host.Limits(limits), TrustedProxies: slices.Clone(c.TrustedProxies), Log: log, Now: now, NewID: c.NewID, Cursors: cursors, Engine: h.engine,
		Limiter: limiterIn(c.Limiter, guard), Watchers: endpoint.Watchers{Observer: observer}}
	if e.NewID == nil {
		e.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if c.Trace != nil {
		e.Watchers.Tracer = trace.New(c.Trace, now)
	}
	h.server = endpoint.New(e)
	if t := h.single; t != nil {
		log.Info("scim: ready", "store", fmt.Sprintf("%T", c.Store), "transactions", t.Stores.Tx != nil,
			"member store", t.Stores.Members != nil, "roles", t.Roles != nil, "roles commit with the store", t.Roles != nil && t.Roles.Joint,
			"passwords", t.Stores.Passwords != nil, "deactivator", t.Stores.Deactivator != nil,
			"claimer", t.Stores.Claimer != nil, "exempter", t.Stores.Exempter != nil,
			"tenant locker", t.Stores.Locker != nil, "unique ids", t.Stores.HasUniqueIDs, "clients", t.Stores.Clients != nil)
	}
	return h, nil
}

// Handler serves the SCIM endpoint of one Config. It is safe for concurrent use.
//
// You can mount it under any prefix, with or without http.StripPrefix. One case needs
// http.StripPrefix: a router that does not set Request.Pattern, inside an http.ServeMux
// that does.
type Handler struct {
	server *endpoint.Server
	engine *roles.Engine
	single *host.Tenant // nil with TenantFor
}

// ServeHTTP serves one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.server.ServeHTTP(w, r) }

// HostOf returns the host that the client has sent r to, with its port if it has one. It comes from
// X-Forwarded-Host if one of Config.TrustedProxies sent r, and otherwise from r.Host. The client
// chooses it, so it may be any text.
func (h *Handler) HostOf(r *http.Request) string { return h.server.HostOf(r) }

// Reconciler returns the application's handle on the roles of t, for use outside
// requests. With a single tenant in Config, pass nil. With TenantFor, pass the Tenant
// that it returns. It returns an error if the tenant has no Roles or its configuration is
// not usable.
func (h *Handler) Reconciler(t *Tenant) (*Reconciler, error) {
	bound := h.single
	if t != nil {
		b, err := bindTenant(t, host.Guard{Log: h.engine.Log}, h.engine.Calls)
		if err != nil {
			return nil, fmt.Errorf("scim: tenant %q is not usable: %w", t.ID, err)
		}
		bound = b
	}
	if bound == nil {
		return nil, errors.New("scim: Handler.Reconciler: there is no single tenant: with TenantFor, pass a Tenant")
	}
	if bound.Roles == nil {
		return nil, errors.New("scim: Handler.Reconciler: this tenant has no Roles")
	}
	return &Reconciler{h, bound, h.engine.Admin(bound)}, nil
}

// Mount returns a handler that serves h under prefix, and next everywhere else. h is a *Handler, or
// something around one, such as Journal.Handler. next may be nil: other addresses are then 404.
//
// Put it in front of the application's mux. http.ServeMux answers "//Users" with a redirect, and
// clients do not follow it. A plain mux works too, except for such addresses.
func Mount(prefix string, h, next http.Handler) http.Handler {
	return address.Mount(prefix, h, next)
}

// Ref names a resource by the name of its type, such as "User", and its id. The id alone
// is not enough: in some applications a user and a group have the same id.
type Ref struct{ Type, ID string }

// Meta holds what a store keeps beside a resource's attributes (RFC 7643, Section 3.1).
type Meta struct {
	// ID is the resource's id. Version is an opaque text that the server sends as ETag.
	// The server makes a new, random Version at each change. If a store does not keep it
	// (""), the server sends a hash of LastModified and of what clients can see instead. A
	// change of attributes that are never returned then shows in LastModified only.
	ID, Version string
	// Created and LastModified are meta.created and meta.lastModified.
	Created, LastModified time.Time
}

// Store keeps resources of every type. Its methods are safe for concurrent use. A
// Resource never changes, so a store may keep and share it.
//
// The handler turns errors into answers. ErrNotFound becomes 404. Conflict(attr) becomes
// 409 uniqueness. An *Error is sent as it is. Any other error becomes 500: the handler
// logs it and never sends its text. A panic counts as an error of the call that panics, here
// and in everything else that the application supplies.
//
// The handler answers with the resource that Create or Update returns. A store may
// therefore choose ids and versions itself, for example from a bigserial column.
type Store interface {
	// Create stores r. The store keeps the id of r or chooses another one.
	//
	// Create checks uniqueness itself, atomically. No two users of the store, inactive
	// ones included, have the same Fold of userName. The second one is refused with
	// Conflict("userName") (RFC 7643, Section 4.1.1).
	Create(ctx context.Context, r *Resource) (*Resource, error)
	// Get returns the resource, or ErrNotFound.
	Get(ctx context.Context, ref Ref) (*Resource, error)
	// List returns the page that q asks for. The order is that of creation, unless
	// q.SortBy names an attribute. A store that cannot filter or sort passes its
	// resources to Scan.
	List(ctx context.Context, t *ResourceType, q *Query) (*Page, error)
	// Update calls fn with the stored resource and stores the result. It isolates the
	// resource from other writers meanwhile. If fn returns its argument, Update writes
	// nothing. If fn returns an error, Update stores nothing and returns that error as it
	// is. An unknown resource is ErrNotFound. Update checks uniqueness as Create does.
	//
	// fn is pure: it never calls the Store and never blocks. Update may call it again.
	Update(ctx context.Context, ref Ref, fn func(before *Resource) (*Resource, error)) (*Resource, error)
	// Delete calls check with the stored resource, isolated as in Update. check is pure
	// as well. If check returns an error, Delete deletes nothing and returns that error
	// as it is. An unknown resource is ErrNotFound. In a transaction the handler first
	// calls Delete with a check that refuses, to lock the resource as a deletion does.
	//
	// After Delete the resource is unknown and its unique values are free. The store may
	// erase the row or retire it.
	Delete(ctx context.Context, ref Ref, check func(before *Resource) error) error
}

// Transactor is a Store with transactions. Without it the handler orders its writes so
// that a crash leaves too little access rather than too much. A Reconciler then repairs
// the rest.
type Transactor interface {
	// InTx calls fn in a transaction. All calls of the Store, the Ledger and the
	// RoleResolver that use fn's ctx commit together or not at all. Roles.Separate is
	// for resolvers that cannot take part. An error of fn rolls everything back, and
	// InTx returns it. InTx may call fn again.
	//
	// A nested call joins the outer transaction. A resource that Update has read in the
	// transaction stays locked until InTx returns.
	//
	// The handler locks groups first, then other resources, then users in the Ledger, each
	// in order of id. So two of its transactions never wait for each other.
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// MemberStore is a Store that keeps memberships itself, apart from the group resources.
// Its group resources never contain "members", neither in what it receives nor in what it
// returns. Delete of a group or a user also deletes its memberships. No Query has a filter
// on members: the handler answers these itself.
//
// Without MemberStore the group resource contains its members. That is correct, but the
// cost of a change grows with the size of the group.
type MemberStore interface {
	Transactor
	// Members lists at most limit members of a group, in ascending order of type and then
	// id. It begins after the place of the member after, which may have left the group since;
	// the zero Ref means the start. Read the display names in the same statement, or in one
	// more for the page. A GET of a group calls it once for each page and lets the client take
	// its time in between: hold no cursor and no connection when it returns.
	Members(ctx context.Context, groupID string, after Ref, limit int) ([]Member, error)
	// GroupsOf lists the memberships of at most 1,000 members, in any order.
	GroupsOf(ctx context.Context, members []Ref) ([]Membership, error)
	// ChangeMembers adds and removes members. It skips members that it need not add or
	// remove. added and removed list what really changed. An unknown group is
	// ErrNotFound. The handler has checked that the members exist. It never passes the
	// same reference in both lists.
	ChangeMembers(ctx context.Context, groupID string, add, remove []Ref) (added, removed []Ref, err error)
}

// Member is a member of a group as clients see it (RFC 7643, Section 4.2). A group of
// 10,000 is therefore read without its 10,000 users.
type Member struct {
	// Ref names the member.
	Ref Ref
	// Display is the member's displayName, or else its userName. "": it has neither. The
	// store computes it. The handler hides it from clients that may not list the type.
	Display string
}

// Membership says that Member belongs to the group since a point in time.
type Membership struct {
	GroupID string
	Member  Ref
	Since   time.Time
	Display string // the group's displayName; "": the handler reads the group to show it to clients
}

// PasswordSetter is a Store that takes passwords. A Resource never contains one (RFC
// 7643, Section 7: returned "never"). Without PasswordSetter the handler drops passwords.
type PasswordSetter interface {
	// SetPassword sets the password of a user. The handler calls it in the transaction of
	// the request.
	SetPassword(ctx context.Context, userID, password string) error
}

// Deactivator is a Store that ends a user's access beyond the login, such as sessions and
// API keys.
type Deactivator interface {
	// Deactivate ends the access of user. The handler calls it when a user becomes
	// inactive and before a user is deleted, in the same transaction. It is idempotent.
	Deactivate(ctx context.Context, user *Resource) error
}

// Claimer is a Store that also keeps resources and memberships that the application made.
// It knows which of them are unclaimed: no client has claimed them. Some clients list all
// users and delete those whom they do not know.
//
// A client claims a resource when it creates or adopts it, or changes it: see Claims. It
// claims a group also when it adds a member. It claims a membership when it names the
// member in a list or adds it. What the application changes claims nothing.
//
// The handler refuses to delete what is unclaimed (403). A full list of members does not
// remove unclaimed members, unless MemberPolicy.RemoveUnclaimed is set. Everything else,
// a deactivation too, is allowed. Without Claimer everything counts as claimed.
type Claimer interface {
	// IsClaimed reports whether a client has claimed a resource. For an unknown one both
	// answers are right.
	IsClaimed(ctx context.Context, ref Ref) (bool, error)
	// Claim records that a client has claimed a resource. The handler calls it when a new
	// resource adopts an existing one. The application may call it to hand a resource
	// over to the client. The Store itself records all other claims: in Create, in Update
	// if Claims says so, and in ChangeMembers.
	//
	// ChangeMembers claims the group if there is a member to add, and the memberships of
	// all members to add, also of those that the group has already.
	Claim(ctx context.Context, ref Ref) error
	// UnclaimedMembers lists at most limit unclaimed members of a group, in ascending
	// order of type and then id. It begins after the member after; the zero Ref means the
	// start. The handler calls it only on a MemberStore.
	UnclaimedMembers(ctx context.Context, groupID string, after Ref, limit int) ([]Ref, error)
}

// Claims reports whether a client that changes before to after claims the resource. It
// does if it changes any attribute but active. It does not if it deactivates the user,
// unless it also sets externalId: some clients deactivate whom they do not know, and
// delete them later.
func Claims(before, after *Resource) bool {
	if id := after.String("externalId"); id != "" && id != before.String("externalId") {
		return true
	}
	if before.Active() && !after.Active() {
		return false
	}
	active := before.d.Type.Root.Lookup("active")
	if active == nil {
		return !before.d.Equal(&after.d)
	}
	return !doc.EqualFields(doc.Drop(before.d.Values, active), doc.Drop(after.d.Values, active))
}

// Exempter is a Store with users who are exempt from SCIM, such as an administrator for
// emergencies. The way back in must not depend on the client.
//
// The handler refuses to change, deactivate or delete an exempt user (403), and to change
// its memberships. From a longer list of members it leaves the user out, and reports that
// with the event MemberExempt. SCIM never gives or takes the user's roles. Clients read
// the user like any other.
type Exempter interface {
	// Exempt returns those of at most 1,000 users who are exempt. Unknown ids are no
	// error. ctx carries the Store's transaction, if there is one.
	Exempt(ctx context.Context, userIDs []string) (exempt []string, err error)
}

// Volatile marks a Store or Ledger that loses its contents when the process ends.
//
// New refuses a volatile Ledger beside a durable Store. After a restart, every role that
// SCIM gave would look as if it was given by hand. SCIM could then never revoke it.
type Volatile interface{ Volatile() }

// TxLedger marks a Ledger that is not the Store itself but takes part in its
// transactions. Calls with the ctx of a transaction commit with it. With any other Ledger
// beside the Store, roles change after the Store's commit, as with Roles.Separate.
type TxLedger interface{ JoinsTransactions() }

// Op is the operation that a client asks for.
type Op string

// The operations.
const (
	OpCreate  Op = "create"  // POST
	OpGet     Op = "get"     // GET by id
	OpList    Op = "list"    // GET of a resource type
	OpReplace Op = "replace" // PUT
	OpPatch   Op = "patch"   // PATCH
	OpDelete  Op = "delete"  // DELETE
)

// Change is a write before the handler stores it. A Rule judges it.
type Change struct {
	// Op is OpCreate, OpReplace, OpPatch or OpDelete.
	Op Op
	// Before is the stored resource; nil on create. After is the new contents; nil on
	// delete. A rule may replace After.
	Before, After *Resource
	// Add and Remove are the members that join and leave a group. A rule may take members out
	// of Add. They do not join.
	Add, Remove []Ref
	// Principal is the client.
	Principal Principal
	// Tenant is the tenant of the request.
	Tenant *Tenant
	// Adopt is the id of an existing resource. A rule sets it on create to adopt that
	// resource. The existing resource keeps its id and roles and gets the contents of
	// After. The client gets the answer of a creation.
	Adopt string
	// SetsPassword says that the request sets a password and that the Store takes passwords.
	// A rule drops the password by setting it to false.
	SetsPassword bool
	// Reconcile makes the handler reconcile the roles of the user, or of the group's members,
	// after the write. Without it the handler reconciles if the write changes a source, or
	// whether the user is active. A rule sets it if the application changed something itself.
	Reconcile bool
	// Left says which parts of the request a rule left out, and why. Each text becomes the
	// event PartLeftOut.
	Left []string
}

// Rule judges a change before it is stored. It may replace c.After by a copy that
// Resource.With made. It refuses the change with an *Error. Do not refuse a request that
// deactivates a user: access must end without delay. Leave out the part that the rule does
// not allow, and say so in c.Left. The package rules has ready-made rules.
type Rule func(ctx context.Context, c *Change) error

// Written is a write that the Store has, and that is not committed yet. Tenant.OnWrite is told
// of it.
type Written struct {
	// Op is OpCreate, OpReplace, OpPatch or OpDelete.
	Op Op
	// Before is the resource before the write; nil after a creation. After is the stored
	// resource, with its final id; nil after a deletion.
	Before, After *Resource
	// Adopted says that the creation has adopted the existing resource Before: see
	// Change.Adopt.
	Adopted bool
	// Add and Remove are the members that have joined and left a group.
	Add, Remove []Ref
	// Principal is the client. It is zero if the application deletes a group with
	// Reconciler.Release.
	Principal Principal
	// Tenant is the tenant of the request.
	Tenant *Tenant
}

// Access is an operation that Tenant.Allow judges.
type Access struct {
	// Op is the operation.
	Op Op
	// Type is the name of the resource type. ID is the id of the resource; "" for create,
	// for list, and for the question about role attributes (see Tenant.Allow).
	Type, ID string
	// Query is what a list asks for; nil for other operations.
	Query *Query
	// Principal is the client.
	Principal Principal
}

// Authenticator identifies the client of a request.
type Authenticator interface {
	// Authenticate returns the client that sent r. The handler calls it before it parses
	// the request. An *Error is sent as it is. ErrNotFound becomes 404, as if there were
	// no endpoint. Any other error becomes 401.
	Authenticate(r *http.Request) (Principal, error)
}

// AuthScheme describes one way in which clients authenticate. The fields are those of
// authenticationSchemes in /ServiceProviderConfig (RFC 7643, Section 5).
type AuthScheme struct{ Type, Name, Description, SpecURI string }

// SchemeLister is an Authenticator that describes how clients authenticate. Schemes lists
// the preferred way first. /ServiceProviderConfig shows the list. Without SchemeLister
// the list is empty.
type SchemeLister interface{ Schemes() []AuthScheme }

// Challenger is an Authenticator with its own challenge. Challenge returns the
// WWW-Authenticate header of a 401 (RFC 9110, Section 11.6.1). Without Challenger the
// header is "Bearer".
type Challenger interface{ Challenge() string }

// Principal is an authenticated client.
type Principal struct {
	// ID names the client in logs and events. Tenant is the ID of its tenant, for
	// TenantFor.
	ID, Tenant string
	// Scopes are what the client may read and write: see ScopeUsers. Nil means all, and an
	// empty list means none.
	Scopes []string
	// Data is any value that the Authenticator passes to the application.
	Data any
}

// PrincipalOf returns the client whose request has the context ctx, for code of the application
// that gets no Principal. ok is false outside a request.
func PrincipalOf(ctx context.Context) (p Principal, ok bool) {
	of, ok := host.PrincipalOf(ctx)
	return Principal(of), ok
}

var (
	// ErrNotFound is what Store methods return for an unknown resource. It becomes 404.
	ErrNotFound = host.ErrNotFound
	// ErrNoRole is what RoleResolver methods return for a role that does not exist.
	ErrNoRole = host.ErrNoRole
)

// Error is an error that a client sees (RFC 7644, Section 3.12).
type Error struct {
	// Status is the HTTP status.
	Status int
	// Type is the scimType, such as "invalidValue"; "" for none.
	Type string
	// Detail is the text that the client sees.
	Detail string
	// RetryAfter becomes the Retry-After header of a 429 or 503, in whole seconds.
	RetryAfter time.Duration
	// Err is the cause. The handler logs it and never sends it.
	Err error
}

// Error returns the status, the detail and the cause as one text, for logs.
func (e *Error) Error() string {
	s := "scim: " + http.StatusText(e.Status)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Conflict returns the error for a value that another resource already has: 409
// uniqueness (RFC 7644, Section 3.12). Stores return it from Create and Update.
func Conflict(attribute string) error {
	return &Error{Status: http.StatusConflict, Type: "uniqueness",
		Detail: attribute + " is taken: another resource has this value"}
}

// WriteError answers a request with err in the form of RFC 7644, Section 3.12. An
// application's own middleware, such as a rate limit, uses it for SCIM clients.
// ErrNotFound becomes 404. An error that is no *Error becomes a 500 without its text.
func WriteError(w http.ResponseWriter, err error) { host.Answer(inward(err)).Write(w) }
