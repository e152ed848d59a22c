package roles

import (
	"context"
	"errors"

	"github.com/scimkit/scim/internal/host"
)

// errProbed ends the transaction of a probe.
var errProbed = errors.New("scim: the role exists")

// deadRoles returns those roles of the batch's grants that the application does not have. It
// grants each role by itself, and takes that back.
func (b *batch) deadRoles(ctx context.Context) (dead map[host.RoleKey]bool, err error) {
	dead = map[host.RoleKey]bool{}
	for _, p := range b.outs {
		for _, role := range p.change.Grant {
			if _, isKnown := dead[role.Key()]; isKnown {
				continue
			}
			err := b.probe(ctx, host.RoleChange{UserID: p.change.UserID, Grant: []host.Role{role}, Roles: p.change.Roles})
			if err != nil && !errors.Is(err, host.ErrNoRole) {
				return nil, err
			}
			dead[role.Key()] = err != nil
		}
	}
	return dead, nil
}

// probe makes one grant, and takes it back. If roles do not commit with the store, the ledger
// has the grant already, so a crash in between loses nothing.
func (b *batch) probe(ctx context.Context, change host.RoleChange) error {
	t := b.w.t
	if !t.Roles.Joint {
		if err := t.Roles.Resolver.ChangeRoles(ctx, []host.RoleChange{change}); err != nil {
			return err
		}
		change.Grant, change.Revoke = nil, change.Grant
		return t.Roles.Resolver.ChangeRoles(ctx, []host.RoleChange{change})
	}
	err := t.Stores.InTx(ctx, func(ctx context.Context) error {
		if err := t.Roles.Resolver.ChangeRoles(ctx, []host.RoleChange{change}); err != nil {
			return err
		}
		return errProbed
	})
	if errors.Is(err, errProbed) {
		return nil
	}
	return err
}
