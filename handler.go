package scim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// newHandler validates a copy of c and fills in defaults there.
func newHandler(c Config) (*Handler, error) {
	h := &Handler{c: c, locks: &keyedLocks{}}
	d := &h.c
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.NewID == nil {
		d.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	defaults(&d.Limits.Body, 1<<20)
	defaults(&d.Limits.GroupBody, 16<<20)
	defaults(&d.Limits.BulkBody, 16<<20)
	defaults(&d.Limits.BulkOps, 1000)
	defaults(&d.Limits.Depth, 32)
	defaults(&d.Limits.Filter, 4096)
	defaults(&d.Limits.PageSize, 100)
	defaults(&d.Limits.MaxPage, 200)
	defaults(&d.Limits.Time, 30*time.Second)
	defaults(&d.Limits.CursorTime, time.Hour)
	var errs []error
	var err error
	if h.cursors, err = newCursors(c.CursorKeys); err != nil {
		errs = append(errs, err)
	}
	if c.Auth == nil {
		errs = append(errs, mistake("Auth", "is missing; to serve everyone say auth.None()"))
	}
	flat := Tenant{Store: c.Store, Types: c.Types, Roles: c.Roles, Rules: c.Rules, Allow: c.Allow,
		BaseURL: c.BaseURL, Strict: c.Strict, Without: c.Without, Members: c.Members, Me: c.Me}
	switch {
	case c.TenantFor == nil:
		t, err := bindTenant(&flat)
		if err != nil {
			errs = append(errs, err)
		}
		h.single = t
	case c.Store != nil || c.Types != nil || c.Roles != nil || c.Rules != nil || c.Allow != nil || c.BaseURL != "" || c.Me != nil:
		errs = append(errs, mistake("TenantFor", "is set: Store, Types, Roles, Rules, Allow, BaseURL and Me belong into the Tenants it returns"))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("scim: the configuration is not usable: %w", errors.Join(errs...))
	}
	if h.single != nil {
		d.Log.Info("scim: ready", "store", fmt.Sprintf("%T", c.Store), "transactions", h.single.tx != nil,
			"member store", h.single.members != nil, "roles", c.Roles != nil, "roles commit with the store", h.single.joint,
			"passwords", h.single.passwords != nil, "deactivator", h.single.deactivator != nil)
	}
	return h, nil
}

// mistake says what is wrong with a field of the configuration.
func mistake(field, format string, args ...any) error {
	return fmt.Errorf("%s: "+format, append([]any{field}, args...)...)
}

func defaults[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// tenant is a Tenant whose store's capabilities have been looked at. This is the
// only place that asserts them.
type tenant struct {
	*Tenant
	types       []*ResourceType
	user, group *ResourceType // nil if not served
	tx          Transactor
	members     MemberStore
	passwords   PasswordSetter
	deactivator Deactivator
	ledger      Ledger
	sources     SourceLedger // nil: entries are dropped one by one
	roleAttrs   []*model.Attribute
	// joint: the resolver's changes commit with the store's.
	joint bool
}

func bindTenant(c *Tenant) (*tenant, error) {
	t := &tenant{Tenant: c, types: c.Types}
	if c.Store == nil {
		return nil, mistake("Store", "is missing")
	}
	if t.types == nil {
		t.types = []*ResourceType{UserType(), GroupType()}
	}
	var errs []error
	seen := map[string]bool{}
	for _, rt := range t.types {
		if rt == nil {
			errs = append(errs, mistake("Types", "there is a nil among them"))
			continue
		}
		for _, key := range []string{rt.Name(), rt.Endpoint()} {
			if seen[key] {
				errs = append(errs, mistake("Types", "%s is there twice", key))
			}
			seen[key] = true
		}
		switch rt.Name() {
		case "User":
			t.user = rt
		case "Group":
			t.group = rt
		}
	}
	t.tx, _ = c.Store.(Transactor)
	t.members, _ = c.Store.(MemberStore)
	t.passwords, _ = c.Store.(PasswordSetter)
	t.deactivator, _ = c.Store.(Deactivator)
	known := map[Tolerance]bool{}
	for _, n := range Tolerances() {
		known[n] = true
	}
	for _, n := range c.Without {
		if !known[n] {
			errs = append(errs, mistake("Without", "there is no tolerance %q", n))
		}
	}
	if c.BaseURL != "" && !strings.HasPrefix(c.BaseURL, "https://") && !strings.HasPrefix(c.BaseURL, "http://") || strings.ContainsAny(c.BaseURL, "?#") {
		errs = append(errs, mistake("BaseURL", "%q is not an absolute http address without a query", c.BaseURL))
	}
	if c.Me != nil {
		if err := c.Me.check(t.user); err != nil {
			errs = append(errs, err)
		}
	}
	if c.Roles != nil {
		errs = append(errs, t.bindRoles(c.Roles)...)
	}
	return t, errors.Join(errs...)
}

func (t *tenant) bindRoles(r *Roles) (errs []error) {
	if r.Resolver == nil {
		errs = append(errs, mistake("Roles.Resolver", "is missing"))
	}
	if t.user == nil || t.group == nil && len(r.Attributes) == 0 {
		return append(errs, mistake("Roles", "groups give roles, so Types must have User and Group"))
	}
	for _, path := range r.Attributes {
		a, err := roleAttribute(t.user, path)
		switch {
		case err != nil:
			errs = append(errs, err)
		case slices.Contains(t.roleAttrs, a):
			errs = append(errs, mistake("Roles.Attributes", "%s is there twice", a.Path))
		default:
			t.roleAttrs = append(t.roleAttrs, a)
		}
		if t.Me != nil && a != nil && slices.ContainsFunc(t.Me.Writable, func(p string) bool { return within(a, t.user.m.Find(p)) }) {
			errs = append(errs, mistake("Me.Writable", "%s gives roles, so nobody may change it on themselves", a.Path))
		}
	}
	t.ledger = r.Ledger
	if t.ledger == nil {
		t.ledger, _ = t.Store.(Ledger)
	}
	if t.ledger == nil {
		errs = append(errs, mistake("Roles.Ledger", "is missing and %T is not a Ledger: give one that lasts as long as the store", t.Store))
		return errs
	}
	_, forgets := t.ledger.(Volatile)
	if _, store := t.Store.(Volatile); forgets && !store {
		errs = append(errs, mistake("Roles.Ledger", "%T forgets at a restart what %T keeps, so roles that were given could never be taken away: use a ledger that lasts as long as the store, or give the store a method Volatile() if it forgets too", t.ledger, t.Store))
	}
	_, joins := t.ledger.(TxLedger)
	t.joint = t.tx != nil && !r.Separate && (r.Ledger == nil || joins)
	if t.joint { // else entries trail the revocations, one after the other
		t.sources, _ = t.ledger.(SourceLedger)
	}
	return errs
}

// typeAt finds the resource type served at an endpoint such as "/Users".
func (t *tenant) typeAt(endpoint string) *ResourceType {
	for _, rt := range t.types {
		if rt.Endpoint() == endpoint {
			return rt
		}
	}
	return nil
}

// typeOf finds a resource type by its name.
func (t *tenant) typeOf(name string) *ResourceType {
	for _, rt := range t.types {
		if rt.Name() == name {
			return rt
		}
	}
	return nil
}

func (t *tenant) tolerances() *tolerance.Use {
	u := &tolerance.Use{Strict: t.Strict}
	for _, n := range t.Without {
		u.Off = append(u.Off, tolerance.Name(n))
	}
	return u
}

// inTx runs fn in the store's transaction if it has them.
func (t *tenant) inTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if t.tx == nil {
		return fn(ctx)
	}
	return t.tx.InTx(ctx, fn)
}

// Tolerances lists the names of all tolerances.
func Tolerances() []Tolerance {
	var all []Tolerance
	for _, n := range tolerance.All() {
		all = append(all, Tolerance(n))
	}
	return all
}
