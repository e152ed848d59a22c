package watch

import (
	"context"

	"github.com/scimkit/scim/internal/host"
)

type resolver struct {
	host.Resolver
	c host.Calls
}

func (r resolver) ResolveRoles(ctx context.Context, src host.RoleSource) ([]host.Role, error) {
	return call1(ctx, r.c, "RoleResolver.ResolveRoles", func(ctx context.Context) ([]host.Role, error) {
		return r.Resolver.ResolveRoles(ctx, src)
	})
}

func (r resolver) HeldRoles(ctx context.Context, userIDs []string) (map[string][]host.Role, error) {
	return call1(ctx, r.c, "RoleResolver.HeldRoles", func(ctx context.Context) (map[string][]host.Role, error) {
		return r.Resolver.HeldRoles(ctx, userIDs)
	})
}

func (r resolver) ChangeRoles(ctx context.Context, changes []host.RoleChange) error {
	return Call(ctx, r.c, "RoleResolver.ChangeRoles", func(ctx context.Context) error { return r.Resolver.ChangeRoles(ctx, changes) })
}

type ledger struct {
	host.Ledger
	c host.Calls
}

func (l ledger) Grants(ctx context.Context, userIDs []string) ([]host.Grant, error) {
	return call1(ctx, l.c, "Ledger.Grants", func(ctx context.Context) ([]host.Grant, error) { return l.Ledger.Grants(ctx, userIDs) })
}

func (l ledger) Record(ctx context.Context, put, drop []host.Grant) error {
	return Call(ctx, l.c, "Ledger.Record", func(ctx context.Context) error { return l.Ledger.Record(ctx, put, drop) })
}

func (l ledger) Links(ctx context.Context, sources []host.Source) ([]host.Link, error) {
	return call1(ctx, l.c, "Ledger.Links", func(ctx context.Context) ([]host.Link, error) { return l.Ledger.Links(ctx, sources) })
}

func (l ledger) SetLink(ctx context.Context, link host.Link) error {
	return Call(ctx, l.c, "Ledger.SetLink", func(ctx context.Context) error { return l.Ledger.SetLink(ctx, link) })
}
