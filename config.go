package scim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/roles"
	"github.com/scimkit/scim/internal/tolerance"
	"github.com/scimkit/scim/internal/watch"
)

// Config is the configuration of a Handler. Auth is required, and either Store or
// TenantFor. Every other field has a safe zero value.
//
// The fields from Store to Me describe the only tenant. They repeat the fields of Tenant,
// which has the details. With TenantFor they must be zero: New refuses them.
type Config struct {
	// Store keeps the resources. It is required without TenantFor.
	Store Store
	// Types are the resource types. Nil: UserType and GroupType.
	Types []*ResourceType
	// Roles says how groups and attributes give roles. Nil: they give none.
	Roles *Roles
	// Rules judge each write, in order, before it is stored.
	Rules []Rule
	// Allow judges each operation, reads included. Nil: every operation is allowed.
	Allow func(ctx context.Context, a Access) error
	// BaseURL is the endpoint's absolute address. "": each request gives it.
	BaseURL string
	// Strict switches off all tolerances.
	Strict bool
	// Without switches off single tolerances.
	Without []Tolerance
	// Members decides how groups treat unknown and absent members, and groups in groups.
	Members MemberPolicy
	// OnWrite is told of each write before its commit. Nil: nobody is.
	OnWrite func(ctx context.Context, w *Written) error
	// Seats returns how many users may be active. Nil: any number.
	Seats func(ctx context.Context) (int, error)
	// Me turns on /Me. Nil: /Me is 501.
	Me *SelfService

	// TenantFor returns the tenant of an authenticated client. The handler calls it for
	// each request, so settings may change while the server runs. ErrNotFound becomes
	// 404, as if there were no endpoint. An *Error is sent as it is, for example 503 for
	// a tenant that is switched off. Any other error becomes 500.
	TenantFor func(ctx context.Context, p Principal) (*Tenant, error)

	// Auth authenticates every request. For an open endpoint set auth.None().
	Auth Authenticator

	// OpenDiscovery lets clients read /ServiceProviderConfig, /ResourceTypes and /Schemas
	// without authentication (RFC 7644, Section 4). TenantFor then gets the zero
	// Principal.
	OpenDiscovery bool
	// CursorKeys encrypt the cursors of paged lists (RFC 9865). Each has at least 16
	// random bytes. All servers of one endpoint share them. The first key encrypts, every
	// key decrypts, so you can rotate them. Nil: a random key. Cursors then end with the
	// process.
	CursorKeys [][]byte

	// Limits bound requests and pages. Zero fields mean the defaults.
	Limits Limits
	// Limiter limits how many requests the clients of each tenant send. Further ones are 429.
	// ratelimit.New makes one. Nil: only Limits.Requests bounds them.
	Limiter Limiter
	// OnEvent receives each event after the commit, in order, at most once. Nil: the
	// handler drops events. A panic is logged and loses that event only.
	//
	// If a method of Reconciler joins a transaction of the application, the events come when
	// the method returns, before the commit. They are void if the application rolls back.
	OnEvent func(ctx context.Context, e Event)
	// Log is the logger. Nil: slog.Default().
	Log *slog.Logger
	// Observers watch requests, for a journal, traces or metrics. They begin in order, and end
	// in the opposite order. Nil: nobody watches.
	Observers []Observer
	// Trace receives each request and answer as text, without passwords and credentials.
	// Use it to set up a new client. The text contains personal data, so leave Trace nil
	// in production.
	Trace io.Writer

	// TrustedProxies are the proxies whose X-Forwarded-Host and X-Forwarded-Proto headers
	// the handler uses for absolute addresses. Without BaseURL and proxies it uses the
	// Host of the request.
	TrustedProxies []netip.Prefix

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// NewID makes the ids of new resources. Nil: UUIDv7 (RFC 9562).
	NewID func() string
}

// Tenant is one customer of the application: its store and its settings.
type Tenant struct {
	// ID names the tenant. It is "" in an application with one tenant.
	ID string
	// Store keeps the tenant's resources. It is required.
	Store Store
	// Types are the resource types that the endpoint serves. Nil: UserType and GroupType.
	// Create each ResourceType once and reuse the pointer: stored resources refer to it.
	// Without a type "Group", /Groups is an empty list, and a write to it is refused.
	Types []*ResourceType
	// Roles says how groups and attributes give roles. Nil: they give none.
	Roles *Roles
	// Rules judge each write, in order, before it is stored.
	Rules []Rule
	// Allow judges each operation, reads included, before the handler does it. Its error
	// is the answer. An error that is no *Error becomes 403 without detail. Nil: every
	// operation is allowed.
	//
	// It judges what the scopes of the client open: see ScopeUsers. For a write the handler
	// also asks with OpGet whether the client may see the resource. If not, the answer shows
	// only its id, or is 204. For users it also asks with OpList and the type Group. If that
	// is refused, the client does not see User.groups and Roles.Attributes. To change those
	// attributes, it must be allowed OpPatch of the type Group, without an id.
	Allow func(ctx context.Context, a Access) error
	// BaseURL is the endpoint's absolute address, such as
	// "https://app.example.com/scim/v2". "": the handler takes it from each request.
	BaseURL string
	// Strict switches off all tolerances. The handler then refuses what the RFCs do not
	// require it to accept.
	Strict bool
	// Without switches off single tolerances.
	Without []Tolerance
	// Members decides how groups treat unknown and absent members, and groups in groups.
	Members MemberPolicy
	// OnWrite is told of each resource that a client creates, changes or deletes, after the
	// Store and the roles have the write, and before the commit. Use it for what must be written
	// together with the resource: an audit row, an invitation, a default project. ctx has the
	// transaction of a Transactor. OnWrite does not hear of a request that changes nothing.
	//
	// An error refuses the request, as that of a Rule does, and the transaction is rolled back.
	// If the database asks to repeat the transaction, the handler calls OnWrite again. So send
	// e-mails from OnEvent, which is called after the commit. If the Store is no Transactor, a
	// creation is undone after an error, and other writes stay.
	OnWrite func(ctx context.Context, w *Written) error
	// Seats returns how many users may be active, exempt and unclaimed ones included. The
	// handler asks when a client creates an active user or reactivates one. If that many are
	// active already, the request is refused (403). A deactivation never fails. An error
	// fails the request. With a TenantLocker exactly one of two requests for the last seat
	// succeeds, also in two processes. Nil: any number.
	Seats func(ctx context.Context) (int, error)
	// Me turns on /Me. Nil: /Me is 501.
	Me *SelfService
}

// MemberPolicy decides how groups treat unknown and absent members, where clients differ,
// and whether groups in groups count.
type MemberPolicy struct {
	// SkipUnknown leaves out members that are not provisioned, and reports each with the
	// event MemberUnknown. By default a request that only adds members is refused (400
	// invalidValue) if one is not provisioned. The answer lists the ids.
	SkipUnknown bool
	// KeepAbsent makes a PUT without "members" keep the members. By default it empties
	// the group, because Keycloak relies on that. The values null and [] mean the same as
	// no "members" (RFC 7643, Section 2.5).
	KeepAbsent bool
	// RemoveUnclaimed makes a full list of members (a PUT, or a PATCH that replaces
	// members) remove unclaimed members too: see Claimer. By default they stay until a
	// client removes them by id.
	RemoveUnclaimed bool
	// Nested makes groups in groups count: the members of a group belong to each group that
	// has it as a member, and so on. It decides about roles, about "groups" of users, where
	// such groups have the type "indirect", and about filters on "groups". By default groups
	// in groups are stored and listed, and give nothing.
	//
	// With Nested a group cannot become a member of itself, neither directly nor through
	// others (400 invalidValue). What is stored already, from a time without Nested, stays; a
	// membership that is part of a circle, or too deep, gives nothing. After a change of
	// Nested or MaxDepth run Reconciler.All.
	Nested bool
	// MaxDepth is how many groups may be above a group, one in the other. Default: 10. A
	// deeper one is refused (400 invalidValue).
	MaxDepth int
}

// Limits bound what a client can send and ask for. Zero fields mean the defaults.
type Limits struct {
	// Body is the size of a request body in bytes. Default: 1 MiB. A longer one is 413.
	Body int64
	// GroupBody is Body for /Groups, where lists of members are long. Default: 16 MiB.
	GroupBody int64
	// BulkBody is Body for /Bulk. Default: 16 MiB.
	BulkBody int64
	// BulkOps is the number of operations in one bulk request. Default: 1,000. More are
	// 413.
	BulkOps int
	// Members is the number of members that one request names, in all its operations.
	// Default: 50,000. More are 413. A bulk request may name a quarter, because each of its
	// operations commits by itself. It bounds no group: a client names further members
	// in further requests.
	Members int
	// Depth is the depth of nested JSON. Default: 32.
	Depth int
	// Text is the size of one string in bytes. Default: 64 KiB.
	//
	// This and the next two limits hold for each resource that POST, PUT or PATCH leaves,
	// also in a bulk request. More is 413. The resource may also have at most half of Body as
	// JSON, without members, so that a client can PUT what it has read. What exceeds a limit
	// already may stay as it is, and shrink. Rules may exceed the limits.
	Text int
	// Name is Text for userName, displayName and externalId, which stores keep in indexes
	// and other resources repeat. Default: 1 KiB.
	Name int
	// Values is the number of values of one multi-valued attribute, except for the members
	// of a group. Default: 10,000.
	Values int
	// Filter is the length of a filter in bytes. Default: 4096.
	Filter int
	// Comparisons is the number of comparisons that one filter may take: its terms, times the
	// resources that they are compared with. Default: 2,000,000. More are 400 tooMany. Terms
	// that an index answers are free. In store/sqlstore sortBy without an index is a term. In
	// stores that use Scan one comparison with each resource is always allowed.
	Comparisons int
	// PageSize is the number of resources in a page if the client sends no count.
	// Default: 100.
	PageSize int
	// MaxPage is the largest number of resources in a page. Default: 200. The handler
	// reduces a larger count to it.
	MaxPage int
	// Answer is the size of a list answer in bytes. Default: 32 MiB. A page by cursor ends
	// early. A page by index is never short, so a longer one is 400 tooMany, with a count
	// that fits. A single resource is always sent.
	Answer int64
	// BodyTime is the time in which the body of a request must arrive. Default: 1 min, at
	// which 16 MiB need 2.2 Mbit/s. Afterwards the answer is 408, and the connection ends. It
	// replaces the ReadTimeout of the http.Server, and needs the server's ResponseWriter: a
	// middleware that wraps it must have the method Unwrap (see http.ResponseController).
	BodyTime time.Duration
	// Requests is the number of requests that run at the same time. Default: 256. One tenant
	// has at most half of them. A further request waits for its turn for at most 1 s. Then it
	// is 429 with Retry-After.
	Requests int
	// BodyMemory is the size in bytes of all bodies of the requests that run at the same
	// time. Default: 64 MiB. One tenant has at most half of it, and further requests wait as
	// for Requests. A body of unknown length counts as the largest that is allowed until it has
	// arrived. A request
	// takes at most six times the memory of its body.
	BodyMemory int64
	// Time is the time for one request after its body has arrived. Default: 30 s. Afterwards
	// the answer is 503. If a long answer has begun, the handler breaks the connection instead.
	Time time.Duration
	// CursorTime is the time for which the cursor of a page is valid. Default: 1 h.
	// Afterwards the answer is 400 expiredCursor.
	CursorTime time.Duration
}

// SelfService turns on /Me, the alias of the user that sends the request (RFC 7644,
// Section 3.11).
type SelfService struct {
	// UserOf returns the id of the user that an authenticated client is. ErrNotFound
	// means that the client is no user: /Me is then 404.
	UserOf func(ctx context.Context, p Principal) (userID string, err error)
	// Writable lists paths of top-level attributes that users may change in their own
	// resource, by PUT and PATCH. Empty: /Me is read-only. New refuses attributes that
	// give access: active, userName, externalId, password, emails, groups, roles,
	// entitlements, members, x509Certificates.
	Writable []string
}

// Tolerance names one thing that the handler accepts although the RFCs do not require it.
// Real clients need it. All tolerances are on, unless Strict or Without switches them off.
// The event ToleranceUsed reports each use. docs/identity-providers.md lists the
// tolerances with the client that needs each.
type Tolerance string

// Tolerances lists the names of all tolerances.
func Tolerances() []Tolerance {
	var all []Tolerance
	for _, n := range tolerance.All() {
		all = append(all, Tolerance(n))
	}
	return all
}

// withDefaults replaces zero fields by the defaults.
func (l Limits) withDefaults() Limits {
	byDefault(&l.Body, 1<<20)
	byDefault(&l.GroupBody, 16<<20)
	byDefault(&l.BulkBody, 16<<20)
	byDefault(&l.BulkOps, 1000)
	byDefault(&l.Members, 50_000)
	byDefault(&l.Depth, 32)
	byDefault(&l.Text, 64<<10)
	byDefault(&l.Name, 1<<10)
	byDefault(&l.Values, 10_000)
	byDefault(&l.Filter, 4096)
	byDefault(&l.Comparisons, 2_000_000)
	byDefault(&l.PageSize, 100)
	byDefault(&l.MaxPage, 200)
	byDefault(&l.Answer, 32<<20)
	byDefault(&l.BodyTime, time.Minute)
	byDefault(&l.Requests, 256)
	byDefault(&l.BodyMemory, 64<<20)
	byDefault(&l.Time, 30*time.Second)
	byDefault(&l.CursorTime, time.Hour)
	return l
}

// setFields names the fields of t that are set, without ID.
func (t *Tenant) setFields() []string {
	var set []string
	for _, f := range []struct {
		name  string
		isSet bool
	}{
		{"Store", t.Store != nil}, {"Types", t.Types != nil}, {"Roles", t.Roles != nil}, {"Rules", t.Rules != nil},
		{"Allow", t.Allow != nil}, {"BaseURL", t.BaseURL != ""}, {"Strict", t.Strict}, {"Without", t.Without != nil},
		{"Members", t.Members != MemberPolicy{}}, {"OnWrite", t.OnWrite != nil}, {"Seats", t.Seats != nil}, {"Me", t.Me != nil},
	} {
		if f.isSet {
			set = append(set, f.name)
		}
	}
	return set
}

// mistake says what is wrong with a field of the configuration.
func mistake(field, format string, args ...any) error {
	return fmt.Errorf("%s: "+format, append([]any{field}, args...)...)
}

func byDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// bindTenant looks at the capabilities of a tenant's store. This is the only place that
// asserts them. calls watches them; nil: nobody does.
func bindTenant(c *Tenant, g host.Guard, calls host.Calls) (*host.Tenant, error) {
	if c.Store == nil {
		return nil, mistake("Store", "is missing")
	}
	t := &host.Tenant{ID: c.ID, BaseURL: c.BaseURL, Members: host.MemberPolicy(c.Members), Allow: allowPort(c.Allow, g), Self: selfPort(c.Me)}
	var errs []error
	t.Types, errs = bindTypes(c.Types)
	byDefault(&t.Members.MaxDepth, 10)
	t.Judge, t.Written, t.Seats = rulesPort(c, &t.Types, g), writtenPort(c, g), seatsPort(c.Seats, g)
	t.Stores = bindStores(c.Store, g)
	t.Tolerances.Strict = c.Strict
	t.Tolerances.Off = make([]tolerance.Name, len(c.Without))
	for i, n := range c.Without {
		t.Tolerances.Off[i] = tolerance.Name(n)
		if !tolerance.IsKnown(tolerance.Name(n)) {
			errs = append(errs, mistake("Without", "there is no tolerance %q", n))
		}
	}
	if c.BaseURL != "" && !strings.HasPrefix(c.BaseURL, "https://") && !strings.HasPrefix(c.BaseURL, "http://") || strings.ContainsAny(c.BaseURL, "?#") {
		errs = append(errs, mistake("BaseURL", "%q is not an absolute http address without a query", c.BaseURL))
	}
	if c.Me != nil {
		if err := c.Me.check(t.Types.User); err != nil {
			errs = append(errs, err)
		}
	}
	if c.Roles != nil {
		errs = append(errs, bindRoles(c, t, g)...)
	}
	watch.Tenant(t, calls)
	return t, errors.Join(errs...)
}

func bindTypes(list []*ResourceType) (t host.Types, errs []error) {
	if list == nil {
		list = []*ResourceType{UserType(), GroupType()}
	}
	t.All = make([]*model.Type, 0, len(list))
	for _, rt := range list {
		if rt == nil {
			errs = append(errs, mistake("Types", "contains nil"))
			continue
		}
		if t.Named(rt.Name()) != nil {
			errs = append(errs, mistake("Types", "%s is there twice", rt.Name()))
		}
		if t.At(rt.Endpoint()) != nil {
			errs = append(errs, mistake("Types", "%s is there twice", rt.Endpoint()))
		}
		t.All = append(t.All, rt.m)
	}
	t.User, t.Group = t.Named("User"), t.Named("Group")
	byScope := map[string]*model.Type{}
	for _, rt := range t.All {
		scope := t.ScopeOf(rt)
		if other := byScope[scope]; other != nil && other.Name != rt.Name && other.Endpoint != rt.Endpoint {
			errs = append(errs, mistake("Types", "%s and %s have the same scope %q, so a token for one would open both: change the Endpoint of one", other.Name, rt.Name, scope))
		}
		byScope[scope] = rt
	}
	return t, errs
}

func bindRoles(c *Tenant, t *host.Tenant, g host.Guard) (errs []error) {
	r := c.Roles
	if r.Resolver == nil {
		errs = append(errs, mistake("Roles.Resolver", "is missing"))
	}
	if t.Types.User == nil || t.Types.Group == nil && len(r.Attributes) == 0 && !r.WithoutGroups {
		return append(errs, mistake("Roles", "groups give roles, so Types must have User and Group"))
	}
	all := &struct { // allocated at once, as in bindStores
		host.Roles
		resolverPort
		ledgerPorts
	}{resolverPort: resolverPort{r.Resolver, g}}
	b := &all.Roles
	*b = host.Roles{Resolver: &all.resolverPort, PolicyOf: policyPort(r), Refuse: r.Missing == RefuseGroup, Paused: r.Paused,
		WithoutGroups: r.WithoutGroups || t.Types.Group == nil,
		Attributes:    slices.Grow([]*model.Attribute(nil), len(r.Attributes))}
	t.Roles = b
	errs = append(errs, bindResolver(r, b, g)...)
	errs = append(errs, checkPlaces(r, b.PolicyOf)...)
	if r.PolicyOf != nil && (r.Pick != nil || r.Exclusive) {
		errs = append(errs, mistake("Roles.PolicyOf", "takes the place of Pick and Exclusive: set only one of them"))
	}
	for _, path := range r.Attributes {
		a, err := roles.Attribute(t.Types.User, path)
		switch {
		case err != nil:
			errs = append(errs, err)
		case slices.Contains(b.Attributes, a):
			errs = append(errs, mistake("Roles.Attributes", "%s is there twice", a.Path))
		default:
			b.Attributes = append(b.Attributes, a)
		}
		if c.Me != nil && a != nil && slices.ContainsFunc(c.Me.Writable, func(p string) bool { return roles.IsWithin(a, t.Types.User.Find(p)) }) {
			errs = append(errs, mistake("Me.Writable", "%s gives roles, so users must not change it themselves", a.Path))
		}
	}
	ledger := r.Ledger
	if ledger == nil {
		ledger, _ = c.Store.(Ledger)
	}
	if ledger == nil {
		return append(errs, mistake("Roles.Ledger", "is missing and %T is not a Ledger: give one that lasts as long as the store", c.Store))
	}
	_, forgets := ledger.(Volatile)
	if _, store := c.Store.(Volatile); forgets && !store {
		errs = append(errs, mistake("Roles.Ledger", "%T loses its contents at a restart and %T does not, so SCIM could never revoke the roles that it gave: use a ledger that lasts as long as the store, or give the store a method Volatile() if it loses its contents too", ledger, c.Store))
	}
	var more []error
	b.Guards, more = bindGuards(r, ledger, g)
	errs = append(errs, more...)
	_, joins := ledger.(TxLedger)
	b.LedgerLocks = t.Stores.Tx != nil && (r.Ledger == nil || joins)
	b.Joint = b.LedgerLocks && !r.Separate
	all.bind(ledger, b, g)
	return errs
}

// givesAccess lists attributes that users must not change in their own resource.
var givesAccess = []string{"schemas", "id", "meta", "externalid", "active", "username", "password", "emails", "groups", "roles", "entitlements", "members", "x509certificates"}

func (m *SelfService) check(user *model.Type) error {
	if m.UserOf == nil {
		return mistake("Me.UserOf", "is missing")
	}
	if user == nil {
		return mistake("Me", "needs the type User")
	}
	for _, p := range m.Writable {
		a := user.Find(p)
		switch {
		case a == nil || a.Parent != user.Root:
			return mistake("Me.Writable", "%q is not a top-level attribute", p)
		case slices.ContainsFunc(givesAccess, func(name string) bool { return strings.EqualFold(name, a.Name) }):
			return mistake("Me.Writable", "%s gives access, so users must not change it themselves", a.Name)
		}
	}
	return nil
}
