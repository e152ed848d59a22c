package scim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/cursor"
	"github.com/scimkit/scim/internal/endpoint"
	"github.com/scimkit/scim/internal/roles"

	"github.com/scimkit/scim/internal/trace"

	"github.com/google/uuid"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
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
	switch {
	case c.TenantFor == nil:
		if h.single, err = bindTenant(&flat); err != nil {
			errs = append(errs, err)
		}
	case c.Store != nil || c.Types != nil || c.Roles != nil || c.Rules != nil || c.Allow != nil || c.BaseURL != "" || c.Me != nil:
		errs = append(errs, mistake("TenantFor", "is set: Store, Types, Roles, Rules, Allow, BaseURL and Me belong into the Tenants it returns"))
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
	for _, n := range c.Without {
		if !slices.Contains(tolerance.All(), tolerance.Name(n)) {
			errs = append(errs, mistake("Without", "there is no tolerance %q", n))
		}
		t.Tolerances.Off = append(t.Tolerances.Off, tolerance.Name(n))
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

func bindStores(s Store) host.Stores {
	b := host.Stores{Store: storePort{s}}
	if c, ok := s.(Transactor); ok {
		b.Tx = txPort{c}
	}
	if c, ok := s.(MemberStore); ok {
		b.Members = membersPort{c}
	}
	if c, ok := s.(PasswordSetter); ok {
		b.Passwords = passwordPort{c}
	}
	if c, ok := s.(Deactivator); ok {
		b.Deactivator = deactivatorPort{c}
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
	b := &host.Roles{Resolver: resolverPort{r.Resolver}, Pick: pickPort(r.Pick), Refuse: r.Missing == MissingRefuse, Exclusive: r.Exclusive}
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
	b.Ledger = ledgerPort{ledger}
	_, joins := ledger.(TxLedger)
	b.Joint = t.Stores.Tx != nil && !r.Separate && (r.Ledger == nil || joins)
	if s, ok := ledger.(SourceLedger); ok && b.Joint { // else entries trail the revocations, one after the other
		b.Sources = sourcePort{s}
	}
	return errs
}

// Me turns on /Me, the alias of the user that makes the request (RFC 7644, Section
// 3.11).
type Me struct {
	// UserOf finds the id of the user whom an authenticated client is. ErrNotFound: it
	// is no user, and /Me is 404.
	UserOf func(ctx context.Context, p Principal) (userID string, err error)
	// Writable lists the paths of top-level attributes that users may change on
	// themselves by PUT and PATCH. Empty: /Me can only be read. What gives access cannot
	// be in it: active, userName, externalId, password, emails, groups, roles,
	// entitlements, members.
	Writable []string
}

// givesAccess are attributes that nobody changes on themselves.
var givesAccess = []string{"schemas", "id", "meta", "externalid", "active", "username", "password", "emails", "groups", "roles", "entitlements", "members", "x509certificates"}

func (m *Me) check(user *model.Type) error {
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
		case slices.Contains(givesAccess, strings.ToLower(a.Name)):
			return mistake("Me.Writable", "%s gives access, so nobody may change it on themselves", a.Name)
		}
	}
	return nil
}

// Tolerances lists the names of all tolerances.
func Tolerances() []Tolerance {
	var all []Tolerance
	for _, n := range tolerance.All() {
		all = append(all, Tolerance(n))
	}
	return all
}
