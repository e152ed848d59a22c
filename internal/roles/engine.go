// Package roles decides who holds which role, carries that out through the
// application, and remembers it in the ledger.
//
// plan.go has the rules as a function without effects: read it first. A Work is the
// unit in which one operation changes roles. It alone knows what is deferred until
// the store's commit, what is tried again, and what is undone.
package roles

import (
	"context"
	"log/slog"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// Engine is what the units of work of all tenants of one handler share.
type Engine struct {
	Locks *keylock.Locks
	Log   *slog.Logger
	Now   func() time.Time
	// Time limits what has to be finished after a write, however the request ended.
	Time time.Duration
	// Emit receives each event. Nil: nobody listens.
	Emit func(ctx context.Context, e host.Event)

	unsettled unsettled
}

// Begin begins a unit of work in a tenant. who is the client's id for events, "" for the
// application.
func (e *Engine) Begin(t *host.Tenant, who string) *Work {
	return &Work{e: e, t: tenant{t, directory.Of(t)}, who: who}
}

// Admin is the application's handle on the roles of a tenant that has roles.
func (e *Engine) Admin(t *host.Tenant) *Admin { return &Admin{e, tenant{t, directory.Of(t)}} }

func (e *Engine) now() time.Time { return e.Now().UTC().Truncate(time.Microsecond) }

// tenant is a tenant with its directory.
type tenant struct {
	*host.Tenant
	dir directory.Directory
}

// hasRoles reports whether anything gives roles here.
func (t tenant) hasRoles() bool { return t.Roles != nil }

// isTransactional reports whether the store has transactions.
func (t tenant) isTransactional() bool { return t.Stores.Tx != nil }

// isUser reports whether r is a user.
func isUser(r host.Ref) bool { return r.Type == "User" }

// groupRef refers to a group.
func groupRef(id string) host.Ref { return host.Ref{Type: "Group", ID: id} }

// userRef refers to a user.
func userRef(id string) host.Ref { return host.Ref{Type: "User", ID: id} }
