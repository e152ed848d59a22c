// Package roles decides who holds which role. It tells the application to grant and revoke,
// and records this in the ledger.
//
// plan.go has the rules as a function without side effects: read it first. A Work is the
// unit in which one operation changes roles. It alone defers changes until the store's
// commit, retries them, and undoes them.
package roles

import (
	"context"
	"log/slog"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// Engine has the state that all units of work of one handler share, for all its tenants.
type Engine struct {
	Locks *keylock.Locks
	Log   *slog.Logger
	Now   func() time.Time
	// Time limits the work after a write, which goes on even if the client is gone.
	Time time.Duration
	// Emit receives each event. Nil: no events.
	Emit func(ctx context.Context, e host.Event)
	// Calls watches reconciliations. Nil: nobody does.
	Calls host.Calls

	unsettled unsettled
	// fences are shared, by tenant, while users are reconciled whom the ledger does not lock. Who
	// changes the standing of a tenant has its fence alone, and so waits for them.
	fences  keylock.Fences
	endings endings
}

// Begin begins a unit of work in a tenant. who is the client's id for events, "" for the
// application.
func (e *Engine) Begin(t *host.Tenant, who string) *Work {
	return &Work{e: e, t: tenant{t, directory.Of(t)}, who: who}
}

// Admin is the application's handle on the roles of a tenant that has roles.
func (e *Engine) Admin(t *host.Tenant) *Admin { return &Admin{e: e, t: tenant{t, directory.Of(t)}} }

func (e *Engine) now() time.Time { return e.Now().UTC().Truncate(time.Microsecond) }

// fence waits for the other transactions that have read grants, and lets no further one read any
// until this one ends. It also is the lock of the values of attributes, because no row of a value
// makes the writes wait that give it to users.
func fence(ctx context.Context, t tenant) error {
	if t.Roles.Ender == nil || !t.Roles.LedgerLocks {
		return nil
	}
	return t.Roles.Ender.Fence(ctx)
}

// tenant is a tenant with its directory.
type tenant struct {
	*host.Tenant
	dir directory.Directory
}

// hasRoles reports whether the tenant has roles.
func (t tenant) hasRoles() bool { return t.Roles != nil }

func (t tenant) isTransactional() bool { return t.Stores.Tx != nil }

func isUser(r host.Ref) bool { return r.Type == "User" }

func groupRef(id string) host.Ref { return host.Ref{Type: "Group", ID: id} }

func userRef(id string) host.Ref { return host.Ref{Type: "User", ID: id} }
