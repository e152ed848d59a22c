package roles

import (
	"slices"

	"github.com/scimkit/scim/internal/host"
)

// scoped is what decides about one user's roles of one scope.
type scoped struct {
	*person
	scope       string
	wants       []want
	entries     []host.Grant
	held        []host.Role
	unconfirmed []want
	rest        rest
}

// rest is what holdBack has taken from the wants of a scope.
type rest struct {
	back     map[string]heldBack // by role id; nil: nothing
	unpaused []want              // the wants before holdBack; nil: there is no pause
}

func (p *scoped) holdings() holdings {
	h := holdings{map[string]host.Role{}, map[string][]host.Grant{}}
	for _, r := range p.held {
		h.held[r.ID] = r
	}
	for _, g := range p.entries {
		h.entries[g.RoleID] = append(h.entries[g.RoleID], g)
	}
	return h
}

// byScope divides what decides about a user by scope, in order of scope.
func (p *person) byScope() []*scoped {
	scopes := p.scopes()
	if len(scopes) == 1 { // most applications have one kind of role
		return []*scoped{{p, scopes[0], p.wants, p.entries, p.held, p.unconfirmed, rest{}}}
	}
	all := make([]*scoped, len(scopes))
	for i, scope := range scopes {
		wanted := func(w want) bool { return w.role.Scope == scope }
		all[i] = &scoped{p, scope, only(p.wants, wanted), only(p.entries, func(g host.Grant) bool { return g.Scope == scope }),
			only(p.held, func(r host.Role) bool { return r.Scope == scope }), only(p.unconfirmed, wanted), rest{}}
	}
	return all
}

// scopes lists the scopes of all roles that matter for the user.
func (p *person) scopes() []string {
	var all []string
	add := func(scope string) {
		if !slices.Contains(all, scope) {
			all = append(all, scope)
		}
	}
	for _, w := range p.wants {
		add(w.role.Scope)
	}
	for _, w := range p.unconfirmed {
		add(w.role.Scope)
	}
	for _, g := range p.entries {
		add(g.Scope)
	}
	for _, r := range p.held {
		add(r.Scope)
	}
	slices.Sort(all)
	return all
}

func only[T any](list []T, is func(T) bool) []T {
	var some []T
	for _, e := range list {
		if is(e) {
			some = append(some, e)
		}
	}
	return some
}
