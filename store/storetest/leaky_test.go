package storetest

import (
	"context"
	"errors"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

// leaky is the store of one tenant. Its fault lets it reach the store of another tenant.
type leaky struct {
	*memory.Store
	other *memory.Store
	fault string
}

func leakyTenants(fault string) tenants {
	a := memory.New()
	return tenants{a, &leaky{memory.New(), a, fault}}
}

// reaches returns the store in which a call with this fault finds a resource.
func (l *leaky) reaches(ctx context.Context, ref scim.Ref, fault string) *memory.Store {
	if _, err := l.Store.Get(ctx, ref); l.fault == fault && errors.Is(err, scim.ErrNotFound) {
		return l.other
	}
	return l.Store
}

func (l *leaky) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	return l.reaches(ctx, ref, "gets everybody's").Get(ctx, ref)
}

func (l *leaky) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	return l.reaches(ctx, ref, "updates everybody's").Update(ctx, ref, fn)
}

func (l *leaky) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	return l.reaches(ctx, ref, "deletes everybody's").Delete(ctx, ref, check)
}

func (l *leaky) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	if l.fault == "lists everybody's" && q.Filter != nil {
		return l.other.List(ctx, t, q)
	}
	return l.Store.List(ctx, t, q)
}

func (l *leaky) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	if l.fault == "one index for everybody" {
		if _, err := l.other.Get(ctx, r.Ref()); err == nil {
			return nil, scim.Conflict("userName")
		}
	}
	return l.Store.Create(ctx, r)
}

func (l *leaky) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	if l.fault == "memberships of everybody" {
		return l.other.GroupsOf(ctx, members)
	}
	return l.Store.GroupsOf(ctx, members)
}

func (l *leaky) Record(ctx context.Context, put, drop []scim.Grant) error {
	if l.fault == "drops everybody's" {
		if err := l.other.Record(ctx, nil, drop); err != nil {
			return err
		}
	}
	return l.Store.Record(ctx, put, drop)
}

func (l *leaky) Notes(ctx context.Context, kind, after string, limit int) ([]scim.Note, error) {
	if l.fault == "notes of everybody" {
		return l.other.Notes(ctx, kind, after, limit)
	}
	return l.Store.Notes(ctx, kind, after, limit)
}

func brokenTenants() []broken[tenants] {
	return []broken[tenants]{
		{"gets everybody's", "a customer reads another one's people", leakyTenants, "tenants/get", nil},
		{"updates everybody's", "a customer takes over another one's account", leakyTenants, "tenants/update", nil},
		{"deletes everybody's", "a customer deletes another one's account", leakyTenants, "tenants/delete", nil},
		{"lists everybody's", "a customer finds another one's people", leakyTenants, "tenants/list", nil},
		{"one index for everybody", "a consultant cannot be with two customers", leakyTenants, "tenants/same names", []string{"tenants/members", "tenants/ledger"}},
		{"memberships of everybody", "a customer's groups give roles at another one", leakyTenants, "tenants/members", nil},
		{"notes of everybody", "a customer sees what another one's clients have left unfinished", leakyTenants, "tenants/ledger", nil},
		{"drops everybody's", "grants are forgotten, and look hand-given for ever", leakyTenants, "tenants/ledger", nil},
	}
}
