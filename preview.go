package scim

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/roles"
)

// WhatIf is a change in the application whose effect Reconciler.Preview shows. The zero WhatIf
// is a change that the resolver knows already, and RolesChanged was not told.
type WhatIf struct {
	// Roles replaces the tenant's Roles. Change a copy: other Attributes, another Pick,
	// PolicyOf, Paused. Its Ledger must be the same. Nil: the Roles as they are.
	Roles *Roles
	// Members replaces the tenant's MemberPolicy, for example with another Nested. Nil: the
	// policy as it is.
	Members *MemberPolicy
	// Resolve replaces RoleResolver.ResolveRoles: other sources have other roles. Nil: the
	// resolver's answers. If the resolver is ready-made, as that of sqlstore, set Roles instead,
	// with a second resolver.
	Resolve func(ctx context.Context, src RoleSource) ([]Role, error)
	// Only is the only source whose roles are looked up again. Other sources keep theirs. If it
	// is a group, the preview reads only its users. "": all sources.
	Only Source
}

// Preview lists what a change in the application would grant and revoke, and to whom. It does
// what RolesChanged and All would do after the change, and changes nothing: it calls
// ResolveRoles and HeldRoles, and no other method that has effects. It does not ask guards, so
// it lists what Roles.Breaker or Roles.Guard would hold back. Where several users would lose a
// protected role and Roles.KeepLastHolder keeps it for one of them, this may be another one.
//
// Each call reads at most 1,000 users. It begins after the user after, or at the first one if
// after is "". Call it again with the id that it returns, until it returns "". Users without a
// change are not in the list, so it may be empty before the end.
func (c *Reconciler) Preview(ctx context.Context, change WhatIf, after string) (changes []RoleChange, next string, err error) {
	t, err := c.tenantIf(change)
	if err != nil {
		return nil, "", err
	}
	list, next, err := c.h.engine.Admin(t).Preview(ctx, host.Source(change.Only), after)
	return convert(list, roleChangeOut), next, outward(err)
}

// tenantIf is the tenant after a change.
func (c *Reconciler) tenantIf(change WhatIf) (*host.Tenant, error) {
	t := *c.t
	g := host.Guard{Log: c.h.engine.Log}
	if change.Members != nil {
		t.Members = host.MemberPolicy(*change.Members)
		byDefault(&t.Members.MaxDepth, 10)
	}
	if change.Roles != nil {
		store := t.Stores.Store.(*storePort).app
		if errs := bindRoles(&Tenant{Store: store, Roles: change.Roles}, &t, g); len(errs) > 0 {
			return nil, errors.Join(errs...)
		}
	}
	if change.Resolve != nil {
		roles := *t.Roles
		roles.Resolver = resolveInstead{roles.Resolver, g, change.Resolve}
		t.Roles = &roles
	}
	return &t, nil
}

// resolveInstead is a resolver with another ResolveRoles.
type resolveInstead struct {
	host.Resolver
	host.Guard
	resolve func(ctx context.Context, src RoleSource) ([]Role, error)
}

func (r resolveInstead) ResolveRoles(ctx context.Context, src host.RoleSource) (_ []host.Role, err error) {
	defer r.Catch(&err)
	roles, err := r.resolve(ctx, roleSourceOut(src))
	return convert(roles, roleIn), inward(err)
}

// Request is a request that a client might send: see Reconciler.PreviewRequest.
type Request struct {
	// Method is the HTTP method. Path is the path below the endpoint with the query, such as
	// "/Groups/2819".
	Method, Path string
	// Header may be nil. Authentication is not read.
	Header http.Header
	// Body may be nil.
	Body []byte
	// Principal is the client that sends the request.
	Principal Principal
}

// Foreseen is the outcome that a request would have.
type Foreseen struct {
	// Status is the status of the answer. Detail is the text of an error; "" for none.
	Status int
	Detail string
	// Body is the body of the answer: all of it, or nil if it is longer than 64 KiB.
	Body []byte
	// Changes are the changes of roles, in order of UserID. If the request changes a user
	// several times, they are one change. A user whose changes cancel each other is not in the
	// list, so it may be empty although Next is not.
	Changes []RoleChange
	// Next is the after of the next page, "" if nothing follows.
	Next string
}

// PreviewRequest says how the handler would answer a request, and which roles it would grant
// and revoke. It plays the request in a transaction and rolls it back. It lists the changes of
// at most limit users, in order of id, behind the user after. 0 means 1,000, which is the most.
// Each page plays the request again.
//
// The request has all scopes. It runs in full: it calls Store, Ledger, Rules, Allow and Roles.Guard, but neither
// ChangeRoles, CreateRole, SetPassword, Deactivate, OnWrite nor OnEvent. A role that CreateRole would
// create has the name of its group as the ID. A method of yours that does something outside
// the transaction asks IsPreview. What Roles.Breaker would hold back is foreseen as 429, and
// not counted. A role that is gone, without a report, counts as if it existed.
// A deletion may fail although the request would not: if rows of roles refer to the user's row
// without ON DELETE CASCADE, ChangeRoles would have deleted them first.
//
// The Store must be a Transactor, and the Ledger must take part in its transactions.
// Otherwise PreviewRequest returns an error.
func (c *Reconciler) PreviewRequest(ctx context.Context, r Request, after string, limit int) (*Foreseen, error) {
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	q, err := http.NewRequestWithContext(ctx, r.Method, "http://localhost"+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	if r.Header != nil {
		q.Header = r.Header.Clone()
	}
	f, err := c.h.server.Preview(ctx, c.t, host.Principal(r.Principal), q, after, limit)
	if err != nil {
		return nil, outward(err)
	}
	return &Foreseen{Status: f.Status, Detail: f.Detail, Body: f.Body, Changes: convert(f.Changes, roleChangeOut), Next: f.Next}, nil
}

// CanPreview says why PreviewRequest cannot foresee requests. Nil: it can.
func (c *Reconciler) CanPreview() error {
	return outward(roles.CanRehearse(c.t))
}

// IsPreview reports whether ctx is that of a request which Reconciler.PreviewRequest plays. Its
// transaction is rolled back.
func IsPreview(ctx context.Context) bool { return host.IsPreview(ctx) }
