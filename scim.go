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
	"github.com/scimkit/scim/internal/endpoint"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
	"github.com/scimkit/scim/internal/roles"
	"github.com/scimkit/scim/internal/trace"
)

// New makes a Handler. Its error lists every mistake in c at once.
func New(c Config) (*Handler, error) {
	var errs []error
	cursors, err := cursor.New(c.CursorKeys)
	if err != nil {
		errs = append(errs, mistake("CursorKeys", "%w", err))
	}
	if c.Auth == nil {
		errs = append(errs, mistake("Auth", "is missing; to serve everyone say auth.None()"))
	}
	h := &Handler{}
	flat := Tenant{Store: c.Store, Types: c.Types, Roles: c.Roles, Rules: c.Rules, Allow: c.Allow,
		BaseURL: c.BaseURL, Strict: c.Strict, Without: c.Without, Members: c.Members, Me: c.Me}
	if c.TenantFor == nil {
		if h.single, err = bindTenant(&flat); err != nil {
			errs = append(errs, err)
		}
	} else if set := flat.setFields(); len(set) > 0 {
		errs = append(errs, mistake("TenantFor", "is set, so the Tenants that it returns need these fields, and Config must not have them: %s", strings.Join(set, ", ")))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("scim: the configuration is not usable: %w", errors.Join(errs...))
	}
	log, now, limits := cmp.Or(c.Log, slog.Default()), c.Now, c.Limits.withDefaults()
	if now == nil {
		now = time.Now
	}
	h.engine = &roles.Engine{Locks: &keylock.Locks{}, Log: log, Now: now, Time: limits.Time}
	if c.OnEvent != nil {
		h.engine.Emit = func(ctx context.Context, e host.Event) { c.OnEvent(ctx, eventOut(e)) }
	}
	e := endpoint.Config{Auth: authPort{c.Auth}, TenantOf: tenantPort(c.TenantFor, h.single), OpenDiscovery: c.OpenDiscovery,
		Limits: host.Limits(limits), TrustedProxies: slices.Clone(c.TrustedProxies), Log: log, Now: now, NewID: c.NewID, Cursors: cursors, Engine: h.engine}
	if e.NewID == nil {
		e.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if c.Trace != nil {
		e.Tracer = trace.New(c.Trace, now)
	}
	h.server = endpoint.New(e)
	if t := h.single; t != nil {
		log.Info("scim: ready", "store", fmt.Sprintf("%T", c.Store), "transactions", t.Stores.Tx != nil,
			"member store", t.Stores.Members != nil, "roles", t.Roles != nil, "roles commit with the store", t.Roles != nil && t.Roles.Joint,
			"passwords", t.Stores.Passwords != nil, "deactivator", t.Stores.Deactivator != nil)
	}
	return h, nil
}

// Handler serves one SCIM endpoint. It is safe for concurrent use, and may be
// mounted under any prefix, with or without http.StripPrefix. Behind a router that does
// not set Request.Pattern, within a http.ServeMux that does, strip the prefix.
type Handler struct {
	server *endpoint.Server
	engine *roles.Engine
	single *host.Tenant // nil with TenantFor
}

// ServeHTTP serves one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.server.ServeHTTP(w, r) }

// Reconciler is the application's handle on a tenant's roles, outside requests. t is nil
// for the one tenant of Config. An error says that the tenant has no Roles or is not
// usable.
func (h *Handler) Reconciler(t *Tenant) (*Reconciler, error) {
	bound := h.single
	if t != nil {
		b, err := bindTenant(t)
		if err != nil {
			return nil, fmt.Errorf("scim: tenant %q is not usable: %w", t.ID, err)
		}
		bound = b
	}
	if bound == nil {
		return nil, errors.New("scim: Handler.Reconciler: there is no single tenant: with TenantFor, name one")
	}
	if bound.Roles == nil {
		return nil, errors.New("scim: Handler.Reconciler: this tenant has no Roles")
	}
	return &Reconciler{h, bound, h.engine.Admin(bound)}, nil
}

// Mount serves h under prefix and next everywhere else. It stands before the
// application's mux, because http.ServeMux answers "//Users" with a redirect that
// clients do not follow; a plain mux works too. next may be nil.
func Mount(prefix string, h *Handler, next http.Handler) http.Handler {
	return address.Mount(prefix, h, next)
}

// Ref names a resource: its type's name, such as "User", and its id. It also
// names a member of a group; an application may count users and groups apart, so
// the id alone is not enough.
type Ref struct{ Type, ID string }

// Meta is what the server keeps beside a resource's attributes (RFC 7643, Section
// 3.1). Version is opaque; "" means that the store keeps none, and then a hash of
// the content serves as ETag.
type Meta struct {
	ID, Version           string
	Created, LastModified time.Time
}

// Store keeps resources of every type. It is safe for concurrent use. A *Resource
// never changes: keep it, share it.
//
// Errors become answers: ErrNotFound 404; Conflict(attr) 409 uniqueness; an *Error
// as it stands; anything else 500, logged, its text never sent. The resource that
// Create and Update return is the truth: id, version and all (a bigserial, a
// revived account).
type Store interface {
	// Create stores r under the id that it has, or gives it one of its own. It
	// decides uniqueness itself, atomically: userName, in the form of Fold, among
	// the users that are there, inactive ones included; a second one is
	// Conflict("userName").
	Create(ctx context.Context, r *Resource) (*Resource, error)
	// Get returns the resource, or ErrNotFound.
	Get(ctx context.Context, ref Ref) (*Resource, error)
	// List returns the page that q asks for, in the order of q: of creation unless
	// q.SortBy says otherwise. A store that cannot do this itself passes what it has
	// to Scan.
	List(ctx context.Context, t *ResourceType, q *Query) (*Page, error)
	// Update calls fn with the stored resource, isolated from its other writers, and
	// stores the result. If fn returns its argument nothing is written. fn is pure: it
	// never calls the Store or waits; it may run again. An error of fn is returned as
	// it is, and nothing is stored. Uniqueness holds as for Create.
	Update(ctx context.Context, ref Ref, fn func(before *Resource) (*Resource, error)) (*Resource, error)
	// Delete calls check (pure) under the same isolation; its error is returned and
	// nothing is deleted. Afterwards the resource is unknown and its unique values are
	// free; whether the row is erased or labelled is the host's business.
	Delete(ctx context.Context, ref Ref, check func(before *Resource) error) error
}

// Transactor is a Store with transactions. All Store, Ledger and RoleResolver calls
// made with fn's ctx commit together or not at all (see Roles.Separate for a
// resolver that cannot). fn may run again. A nested call joins. What Update has seen
// inside stays locked until InTx returns. Without it the handler orders its writes so
// that a crash leaves too little access rather than too much, and a Reconciler
// repairs the rest.
type Transactor interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// MemberStore owns memberships as edges; its group resources never carry "members",
// in either direction. Without it members live in the group resource: correct, but
// a change costs as much as the group is big. Deleting a group or a user with Delete
// takes its edges along.
type MemberStore interface {
	Transactor
	// Members lists a group's members in ascending order of type and then id, those
	// behind after (the zero Ref: from the start), at most limit.
	Members(ctx context.Context, groupID string, after Ref, limit int) ([]Ref, error)
	// GroupsOf lists the memberships of at most 1,000 members, in any order.
	GroupsOf(ctx context.Context, members []Ref) ([]Membership, error)
	// ChangeMembers adds and removes; what is there or gone already is skipped. It
	// returns what really changed. An unknown group is ErrNotFound. The members are
	// known to exist; the same reference is never in both lists.
	ChangeMembers(ctx context.Context, groupID string, add, remove []Ref) (added, removed []Ref, err error)
}

// Membership says that Member has been in the group since a point in time.
type Membership struct {
	GroupID string
	Member  Ref
	Since   time.Time
}

// PasswordSetter is a Store that takes passwords, which are never in a Resource.
// Without it they are dropped.
type PasswordSetter interface {
	SetPassword(ctx context.Context, userID, password string) error
}

// Deactivator is a Store that ends what a person can still do without logging in:
// sessions, API keys. It is called in the transaction in which a user becomes
// inactive, and before one is deleted. It is idempotent.
type Deactivator interface {
	Deactivate(ctx context.Context, user *Resource) error
}

// Volatile marks a Store or Ledger that forgets when the process ends. New refuses
// a volatile Ledger beside a Store that is not: with a forgotten ledger every role
// that SCIM gave would look hand-given and could never be taken away again.
type Volatile interface{ Volatile() }

// TxLedger marks a Ledger that is not the Store itself, but whose calls, made with the
// ctx of a transaction of the Store, commit with it. Beside any other ledger roles are
// changed after the Store has committed, as with Roles.Separate.
type TxLedger interface{ JoinsTransactions() }

// Op is what a client does.
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

// Change is a write before it is stored. Before is nil on create, After on delete.
type Change struct {
	Op            Op
	Before, After *Resource
	Add, Remove   []Ref // members that join and leave, for groups
	Principal     Principal
	Tenant        *Tenant
	// Adopt, set by a rule on create, is the id of an existing resource that the new
	// one is linked to: it takes over the contents, keeps its id and roles, and the
	// client is answered as if it had been created.
	Adopt string
}

// Rule looks at a change before it is stored. It may replace c.After, with
// Resource.With, or refuse with an *Error. A request that deactivates a user should
// not be refused: taking away never waits.
type Rule func(ctx context.Context, c *Change) error

// Access is an operation that Tenant.Allow judges. ID is "" for create and list;
// Query is set for list.
type Access struct {
	Op        Op
	Type, ID  string
	Query     *Query
	Principal Principal
}

// Authenticator tells who makes a request, before anything of it is parsed. An
// *Error is answered as it stands, any other error as 401. ErrNotFound makes the
// endpoint 404, as if there were none.
type Authenticator interface {
	Authenticate(r *http.Request) (Principal, error)
}

// AuthScheme describes one way in which clients authenticate (RFC 7643, Section 5).
type AuthScheme struct{ Type, Name, Description, SpecURI string }

// SchemeLister is an Authenticator that describes how clients authenticate, the preferred
// way first. /ServiceProviderConfig then lists these schemes; otherwise it lists none.
type SchemeLister interface{ Schemes() []AuthScheme }

// Challenger is an Authenticator that gives the WWW-Authenticate header of a 401 (RFC
// 9110, Section 11.6.1). Without it the header is "Bearer".
type Challenger interface{ Challenge() string }

// Principal is an authenticated client. ID is for logs. Tenant is the ID that
// TenantFor looks up.
type Principal struct {
	ID, Tenant string
	Scopes     []string
	Data       any
}

var (
	// ErrNotFound is returned by Store methods for an unknown resource: 404.
	ErrNotFound = host.ErrNotFound
	// ErrNoRole is returned by RoleResolver methods for a role that does not exist.
	ErrNoRole = host.ErrNoRole
)

// Error is an error that a client sees (RFC 7644, Section 3.12). Detail is sent;
// Err is logged and never sent.
type Error struct {
	Status     int
	Type       string // scimType; "" for none
	Detail     string
	RetryAfter time.Duration // sent with 429 and 503, in whole seconds
	Err        error
}

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

// Conflict is the error of a Store for a value that another resource has: 409
// uniqueness.
func Conflict(attribute string) error {
	return &Error{Status: http.StatusConflict, Type: "uniqueness",
		Detail: attribute + " is taken: another resource has this value"}
}

// WriteError answers with err in SCIM's form, so that an application's own
// middleware, such as a rate limit, can speak to SCIM clients. An error that is no
// *Error becomes a 500 without its text.
func WriteError(w http.ResponseWriter, err error) { host.Answer(inward(err)).Write(w) }
