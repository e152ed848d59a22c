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
)

// Config is what New makes a Handler from. Store (or TenantFor) and Auth are
// needed; everything else has a safe zero value.
type Config struct {
	// Store keeps the resources of an application with one tenant. The fields
	// from here to Me have the meaning that they have in Tenant.
	Store   Store
	Types   []*ResourceType
	Roles   *Roles
	Rules   []Rule
	Allow   func(ctx context.Context, a Access) error
	BaseURL string
	Strict  bool
	Without []Tolerance
	Members MemberPolicy
	Me      *SelfService

	// TenantFor finds the tenant of an authenticated request, in the place of the
	// fields above. It is called for each request, so settings may change while
	// the server runs. ErrNotFound: there is no endpoint here (404, as to everyone).
	// An *Error is answered as it stands, for instance 503 for one that is off.
	TenantFor func(ctx context.Context, p Principal) (*Tenant, error)

	// Auth authenticates every request. To run without, say auth.None().
	Auth Authenticator

	// OpenDiscovery lets clients that are not authenticated read
	// /ServiceProviderConfig, /ResourceTypes and /Schemas (RFC 7644, Section 4). With
	// TenantFor, that is asked with the zero Principal.
	OpenDiscovery bool
	// CursorKeys seal the cursors of paged lists (RFC 9865), at least 16 random bytes
	// each. Servers of one endpoint share them. The first one seals, all of them open,
	// so keys can be rotated. Nil: a random key, and cursors end with the process.
	CursorKeys [][]byte

	Limits  Limits
	OnEvent func(ctx context.Context, e Event) // after commit, in order, at most once; nil: dropped
	Log     *slog.Logger                       // nil: slog.Default()
	// Trace gets each request and answer as readable text, without passwords and
	// credentials, for the first afternoon with a new client. It holds personal
	// data: leave it nil in production.
	Trace io.Writer

	// TrustedProxies are those whose X-Forwarded-Host and X-Forwarded-Proto are
	// believed in making absolute addresses. Without BaseURL and proxies the
	// request's own Host is used.
	TrustedProxies []netip.Prefix

	Now   func() time.Time // nil: time.Now
	NewID func() string    // ids of new resources; nil: UUIDv7 (RFC 9562)
}

// Tenant is one customer's endpoint: its store, and the rules that hold in it.
type Tenant struct {
	ID    string // "" in an application with one tenant
	Store Store
	// Types are the resource types served; nil: UserType and GroupType. Make each
	// once, for the store's resources are bound to the very value. Leave groups out, and /Groups is an empty list that cannot be written.
	Types []*ResourceType
	Roles *Roles // nil: groups give no roles
	Rules []Rule // run in order before each write
	// Allow is asked before every operation, reads included. Its error is the
	// answer; one that is no *Error becomes 403 without detail. Nil: all allowed.
	Allow func(ctx context.Context, a Access) error
	// BaseURL is the endpoint's absolute address, such as
	// "https://app.example.com/scim/v2". "": taken from each request.
	BaseURL string
	Strict  bool        // refuse everything that the RFCs do not ask to accept
	Without []Tolerance // tolerances to switch off one by one
	Members MemberPolicy
	Me      *SelfService // nil: /Me is not served (501)
}

// MemberPolicy says what becomes of group members where clients differ.
type MemberPolicy struct {
	// SkipUnknown leaves out members that are not provisioned and reports them.
	// By default a request that only adds is refused with their ids.
	SkipUnknown bool
	// KeepAbsent makes a PUT without "members" keep them; null and an empty list are
	// the same as none (RFC 7643, Section 2.5). By default it empties the group, as
	// Keycloak relies on.
	KeepAbsent bool
}

// Limits bound what a client can make big. Zero fields mean the defaults.
type Limits struct {
	Body      int64         // bytes of a request body; 1 MiB
	GroupBody int64         // the same for /Groups, whose lists are long; 16 MiB
	BulkBody  int64         // the same for /Bulk as a whole; 16 MiB
	BulkOps   int           // operations in one bulk request; 1,000
	Depth     int           // of nested JSON; 32
	Filter    int           // bytes of a filter; 4096
	PageSize  int           // resources when the client names no count; 100
	MaxPage   int           // resources at most in a page; 200
	Time      time.Duration // for one request; 30 s
	// CursorTime is how long the cursor of a page can be used; 1 h.
	CursorTime time.Duration
}

// SelfService turns on /SelfService, the alias of the user that makes the request (RFC 7644, Section
// 3.11).
type SelfService struct {
	// UserOf finds the id of the user whom an authenticated client is. ErrNotFound: it
	// is no user, and /Me is 404.
	UserOf func(ctx context.Context, p Principal) (userID string, err error)
	// Writable lists the paths of top-level attributes that users may change on
	// themselves by PUT and PATCH. Empty: /Me can only be read. What gives access cannot
	// be in it: active, userName, externalId, password, emails, groups, roles,
	// entitlements, members.
	Writable []string
}

// Tolerance names one thing that is accepted from real clients although the RFCs
// do not ask for it. All are on unless Strict or Without say otherwise; each use is
// reported in an event. README.md lists them with the client that needs each.
type Tolerance string

// Tolerances lists the names of all tolerances.
func Tolerances() []Tolerance {
	var all []Tolerance
	for _, n := range tolerance.All() {
		all = append(all, Tolerance(n))
	}
	return all
}

// withDefaults fills in what is zero.
func (l Limits) withDefaults() Limits {
	byDefault(&l.Body, 1<<20)
	byDefault(&l.GroupBody, 16<<20)
	byDefault(&l.BulkBody, 16<<20)
	byDefault(&l.BulkOps, 1000)
	byDefault(&l.Depth, 32)
	byDefault(&l.Filter, 4096)
	byDefault(&l.PageSize, 100)
	byDefault(&l.MaxPage, 200)
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
		{"Members", t.Members != MemberPolicy{}}, {"Me", t.Me != nil},
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
// asserts them.
func bindTenant(c *Tenant) (*host.Tenant, error) {
	if c.Store == nil {
		return nil, mistake("Store", "is missing")
	}
	t := &host.Tenant{ID: c.ID, BaseURL: c.BaseURL, Members: host.MemberPolicy(c.Members), Allow: allowPort(c.Allow), Self: selfPort(c.Me)}
	var errs []error
	t.Types, errs = bindTypes(c.Types)
	t.Judge = rulesPort(c, &t.Types)
	t.Stores = bindStores(c.Store)
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
		errs = append(errs, bindRoles(c, t)...)
	}
	return t, errors.Join(errs...)
}

func bindTypes(list []*ResourceType) (t host.Types, errs []error) {
	if list == nil {
		list = []*ResourceType{UserType(), GroupType()}
	}
	t.All = make([]*model.Type, 0, len(list))
	for _, rt := range list {
		if rt == nil {
			errs = append(errs, mistake("Types", "there is a nil among them"))
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
	return t, errs
}

// bindStores allocates all ports at once: with TenantFor it runs for each request.
func bindStores(s Store) host.Stores {
	p := &struct {
		storePort
		txPort
		membersPort
		passwordPort
		deactivatorPort
	}{storePort: storePort{s}}
	b := host.Stores{Store: &p.storePort}
	if c, ok := s.(Transactor); ok {
		p.txPort = txPort{c}
		b.Tx = &p.txPort
	}
	if c, ok := s.(MemberStore); ok {
		p.membersPort = membersPort{c}
		b.Members = &p.membersPort
	}
	if c, ok := s.(PasswordSetter); ok {
		p.passwordPort = passwordPort{c}
		b.Passwords = &p.passwordPort
	}
	if c, ok := s.(Deactivator); ok {
		p.deactivatorPort = deactivatorPort{c}
		b.Deactivator = &p.deactivatorPort
	}
	return b
}

func bindRoles(c *Tenant, t *host.Tenant) (errs []error) {
	r := c.Roles
	if r.Resolver == nil {
		errs = append(errs, mistake("Roles.Resolver", "is missing"))
	}
	if t.Types.User == nil || t.Types.Group == nil && len(r.Attributes) == 0 {
		return append(errs, mistake("Roles", "groups give roles, so Types must have User and Group"))
	}
	all := &struct { // allocated at once, as in bindStores
		host.Roles
		resolverPort
		ledgerPort
		sourcePort
	}{resolverPort: resolverPort{r.Resolver}}
	b := &all.Roles
	*b = host.Roles{Resolver: &all.resolverPort, Pick: pickPort(r.Pick), Refuse: r.Missing == RefuseGroup, Exclusive: r.Exclusive,
		Attributes: slices.Grow([]*model.Attribute(nil), len(r.Attributes))}
	t.Roles = b
	if r.Pick == nil && r.Exclusive {
		b.Pick = pickPort(PickHeaviest)
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
			errs = append(errs, mistake("Me.Writable", "%s gives roles, so nobody may change it on themselves", a.Path))
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
		errs = append(errs, mistake("Roles.Ledger", "%T forgets at a restart what %T keeps, so roles that were given could never be taken away: use a ledger that lasts as long as the store, or give the store a method Volatile() if it forgets too", ledger, c.Store))
	}
	all.ledgerPort = ledgerPort{ledger}
	b.Ledger = &all.ledgerPort
	_, joins := ledger.(TxLedger)
	b.LedgerLocks = t.Stores.Tx != nil && (r.Ledger == nil || joins)
	b.Joint = b.LedgerLocks && !r.Separate
	if s, ok := ledger.(SourceLedger); ok && b.Joint { // else entries trail the revocations, one after the other
		all.sourcePort = sourcePort{s}
		b.Sources = &all.sourcePort
	}
	return errs
}

// givesAccess are attributes that nobody changes on themselves.
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
			return mistake("Me.Writable", "%s gives access, so nobody may change it on themselves", a.Name)
		}
	}
	return nil
}
