package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// ScopedResolver is a RoleResolver for the roles of some scopes: see JoinResolvers.
type ScopedResolver struct {
	// Scope begins the scopes of the resolver's roles. The resolver itself does not know it:
	// "licence:" makes "licence:team 1" of its scope "team 1". "" is for a resolver whose
	// scopes stay as they are. No Scope may begin with another one, except "".
	Scope    string
	Resolver RoleResolver
}

// JoinResolvers returns one RoleResolver for several ones, such as roles in tables of the
// application and licences behind an API. A source stands for the roles that any of them
// finds. A role is given and taken by the resolver that owns its scope.
//
// If one resolver fails to change roles, the changes that others have made for the same call are
// undone. If one of them is outside the Store's transaction, set Roles.Separate: it then holds
// for all.
//
// The result is a RoleHolders if all are, and a RoleNamer if all are. It is a RoleCreator if all
// are a RoleNamer and one is a RoleCreator: the first of these creates roles.
//
// To add a resolver later, give the former one the Scope "": its roles stay what they are. If a
// resolver is left out, what it gave stays where it was given, and SCIM forgets it at the next
// change: call Reconciler.RolesChanged before, with a resolver that no longer finds its roles.
func JoinResolvers(parts ...ScopedResolver) (RoleResolver, error) {
	j := &joined{slices.Clone(parts)}
	names, holds, creates := true, true, false
	var err error
	for i, p := range parts {
		if p.Resolver == nil {
			err = errors.Join(err, fmt.Errorf("scim: JoinResolvers: the resolver of scope %q is nil", p.Scope))
		}
		for _, o := range parts[:i] {
			if o.Scope == p.Scope || o.Scope != "" && p.Scope != "" && (strings.HasPrefix(o.Scope, p.Scope) || strings.HasPrefix(p.Scope, o.Scope)) {
				err = errors.Join(err, fmt.Errorf("scim: JoinResolvers: the scopes %q and %q are not distinct", o.Scope, p.Scope))
			}
		}
		_, isNamer := p.Resolver.(RoleNamer)
		_, isHolders := p.Resolver.(RoleHolders)
		_, isCreator := p.Resolver.(RoleCreator)
		names, holds, creates = names && isNamer, holds && isHolders, creates || isCreator
	}
	switch {
	case len(parts) == 0:
		return nil, errors.New("scim: JoinResolvers needs a resolver")
	case err != nil:
		return nil, err
	case names && creates && holds:
		return &joinedCreatorHolders{joinedCreator{joinedNamer{j}}, joinedHolders{j}}, nil
	case names && creates:
		return &joinedCreator{joinedNamer{j}}, nil
	case names && holds:
		return &joinedNamerHolders{joinedNamer{j}, joinedHolders{j}}, nil
	case names:
		return &joinedNamer{j}, nil
	case holds:
		return &joinedHolders{j}, nil
	}
	return j, nil
}

// joined is a RoleResolver over several ones.
type joined struct{ parts []ScopedResolver }

// owner returns the index of the part that a scope belongs to, or -1.
func (j *joined) owner(scope string) int {
	found := -1
	for i, p := range j.parts {
		if strings.HasPrefix(scope, p.Scope) && (found < 0 || p.Scope != "") {
			found = i
		}
	}
	return found
}

// out returns a role of a part as the library sees it.
func (j *joined) out(i int, r Role) (Role, error) {
	r.Scope = j.parts[i].Scope + r.Scope
	if o := j.owner(r.Scope); o != i {
		return r, fmt.Errorf("scim: JoinResolvers: the resolver of scope %q has a role in scope %q, which belongs to %q", j.parts[i].Scope, r.Scope, j.parts[o].Scope)
	}
	return r, nil
}

// in returns those of some roles that a part owns, as the part sees them.
func (j *joined) in(i int, all []Role) (own []Role) {
	for _, r := range all {
		if j.owner(r.Scope) == i {
			r.Scope = strings.TrimPrefix(r.Scope, j.parts[i].Scope)
			own = append(own, r)
		}
	}
	return own
}

// ResolveRoles implements RoleResolver.
func (j *joined) ResolveRoles(ctx context.Context, src RoleSource) (all []Role, err error) {
	linked := src.Linked
	var refusal error
	for i, p := range j.parts {
		src.Linked = j.in(i, linked)
		roles, err := p.Resolver.ResolveRoles(ctx, src)
		var e *Error
		switch {
		case errors.As(err, &e) && e.Status < http.StatusInternalServerError:
			if !errors.As(refusal, &e) { // The first one that tells the client why.
				refusal = err
			}
		case errors.Is(err, ErrNoRole):
			if refusal == nil {
				refusal = err
			}
		case err != nil:
			return nil, err
		case len(roles) == 0:
			return nil, fmt.Errorf("scim: JoinResolvers: the resolver of scope %q finds no role and returns no error: return ErrNoRole", p.Scope)
		}
		if err != nil {
			continue
		}
		for _, r := range roles {
			if r, err = j.out(i, r); err != nil {
				return nil, err
			}
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return nil, refusal
	}
	return all, nil
}

// HeldRoles implements RoleResolver.
func (j *joined) HeldRoles(ctx context.Context, userIDs []string) (map[string][]Role, error) {
	all := make(map[string][]Role, len(userIDs))
	for i, p := range j.parts {
		held, err := p.Resolver.HeldRoles(ctx, userIDs)
		if err != nil {
			return nil, err
		}
		for user, roles := range held {
			for _, r := range roles {
				if r, err = j.out(i, r); err != nil {
					return nil, err
				}
				all[user] = append(all[user], r)
			}
		}
	}
	return all, nil
}

// partChanges are the changes of one part.
type partChanges struct {
	resolver RoleResolver
	all      []RoleChange
}

// split returns the changes of each part that has some.
func (j *joined) split(changes []RoleChange) ([]partChanges, error) {
	of := make([][]RoleChange, len(j.parts))
	for _, c := range changes {
		for _, r := range c.Grant {
			if j.owner(r.Scope) < 0 {
				return nil, fmt.Errorf("role %q: scope %q: %w", r.ID, r.Scope, ErrNoRole)
			}
		}
		isOrder := len(c.Grant)+len(c.Revoke) == 0
		for i := range j.parts {
			own := RoleChange{UserID: c.UserID, Grant: j.in(i, c.Grant), Revoke: j.in(i, c.Revoke), Roles: j.in(i, c.Roles)}
			// Two roles have an order, which may change too.
			if len(own.Grant)+len(own.Revoke) > 0 || len(own.Roles) > 1 || isOrder && len(own.Roles) > 0 {
				of[i] = append(of[i], own)
			}
		}
	}
	var all []partChanges
	for i, own := range of {
		if len(own) > 0 {
			all = append(all, partChanges{j.parts[i].Resolver, own})
		}
	}
	return all, nil
}

// ChangeRoles implements RoleResolver.
func (j *joined) ChangeRoles(ctx context.Context, changes []RoleChange) error {
	all, err := j.split(changes)
	if err != nil {
		return err
	}
	var undo []partChanges
	for i, p := range all {
		if i < len(all)-1 { // Otherwise nothing comes after it that may fail.
			back, err := p.inverse(ctx)
			if err != nil {
				return errors.Join(err, undoAll(ctx, undo))
			}
			undo = append(undo, back)
		}
		if err := p.resolver.ChangeRoles(ctx, p.all); err != nil {
			switch failed := undoAll(ctx, undo[:min(i, len(undo))]); {
			case failed != nil && errors.Is(err, ErrNoRole): // which says that nothing has changed
				return fmt.Errorf("scim: JoinResolvers: %w, after: %v", failed, err)
			default:
				return errors.Join(err, failed)
			}
		}
	}
	return nil
}

// inverse returns what undoes changes. Granting a role that is held changes nothing, and
// neither does revoking one that is not held.
func (p partChanges) inverse(ctx context.Context) (partChanges, error) {
	ids := make([]string, len(p.all))
	for i, c := range p.all {
		ids[i] = c.UserID
	}
	held, err := p.resolver.HeldRoles(ctx, ids)
	if err != nil {
		return partChanges{}, err
	}
	back := partChanges{resolver: p.resolver}
	for _, c := range p.all {
		isHeld := func(r Role) bool {
			return slices.ContainsFunc(held[c.UserID], func(h Role) bool { return h.ID == r.ID && h.Scope == r.Scope })
		}
		isNotHeld := func(r Role) bool { return !isHeld(r) }
		own := RoleChange{UserID: c.UserID, Grant: slices.DeleteFunc(slices.Clone(c.Revoke), isNotHeld), Revoke: slices.DeleteFunc(slices.Clone(c.Grant), isHeld)}
		isNew := func(r Role) bool {
			return slices.ContainsFunc(own.Revoke, func(o Role) bool { return o.ID == r.ID && o.Scope == r.Scope })
		}
		own.Roles = append(slices.DeleteFunc(slices.Clone(c.Roles), isNew), own.Grant...)
		back.all = append(back.all, own)
	}
	return back, nil
}

// undoAll carries out what undoes changes, the last ones first.
func undoAll(ctx context.Context, all []partChanges) (err error) {
	for _, p := range slices.Backward(all) {
		err = errors.Join(err, p.resolver.ChangeRoles(context.WithoutCancel(ctx), p.all))
	}
	return err
}

// joinedNamer is a joined whose parts are all a RoleNamer.
type joinedNamer struct{ *joined }

// RoleNames implements RoleNamer.
func (j joinedNamer) RoleNames(ctx context.Context, attribute string) (all []string, err error) {
	for _, p := range j.parts {
		names, err := p.Resolver.(RoleNamer).RoleNames(ctx, attribute)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all, nil
}

// joinedHolders is a joined whose parts are all a RoleHolders.
type joinedHolders struct{ *joined }

// RoleHolders implements RoleHolders.
func (j joinedHolders) RoleHolders(ctx context.Context, role Role, after string, limit int) ([]string, error) {
	i := j.owner(role.Scope)
	if i < 0 {
		return nil, nil
	}
	return j.parts[i].Resolver.(RoleHolders).RoleHolders(ctx, j.in(i, []Role{role})[0], after, limit)
}

// joinedCreator is a joinedNamer with a part that is a RoleCreator.
type joinedCreator struct{ joinedNamer }

// CreateRole implements RoleCreator.
func (j joinedCreator) CreateRole(ctx context.Context, src RoleSource) (Role, error) {
	for i, p := range j.parts {
		if c, ok := p.Resolver.(RoleCreator); ok {
			role, err := c.CreateRole(ctx, src)
			if err != nil {
				return role, err
			}
			return j.out(i, role)
		}
	}
	return Role{}, ErrNoRole
}

// These have two capabilities.
type (
	joinedNamerHolders struct {
		joinedNamer
		holders
	}
	joinedCreatorHolders struct {
		joinedCreator
		holders
	}
)

// holders is the method of joinedHolders without those of joined.
type holders interface {
	RoleHolders(ctx context.Context, role Role, after string, limit int) ([]string, error)
}
