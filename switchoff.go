package scim

import (
	"context"
	"fmt"

	"github.com/scimkit/scim/internal/roles"
)

// DistrustHow says what Reconciler.Distrust does with what sources gave before.
type DistrustHow string

// What Distrust does with what sources gave before.
const (
	DistrustKeep   DistrustHow = "keep"   // users keep what they hold
	DistrustRevoke DistrustHow = "revoke" // users lose it until they are named again
)

// Distrust makes groups give roles only to users whom a client names from now on. Without
// groupIDs it means all sources, attributes too. Call it before anything else after a backup of
// the application's database was restored: the backup does not know who has left since.
//
// A client names a user when it adds the user to the group, also if the user is a member
// already, sends the group's whole list of members, or creates the group. For an attribute it
// does so when it creates the user, replaces the user (PUT), or changes the value. Confirm names
// its users too. What a source would give to others waits with the state GrantWaitsForTrust.
//
// With DistrustRevoke and without groupIDs, run All afterwards: it takes the roles. If the roles
// of some users of groupIDs cannot be changed, Distrust does all others, and the error names these.
// They stay unfinished: call Settle, because another Distrust begins anew. Distrust needs a
// PendingLedger.
func (c *Reconciler) Distrust(ctx context.Context, how DistrustHow, groupIDs ...string) error {
	if how != DistrustKeep && how != DistrustRevoke {
		return fmt.Errorf("scim: Reconciler.Distrust: %q is neither DistrustKeep nor DistrustRevoke", how)
	}
	return outward(roles.SwitchOf(c.a).Distrust(ctx, roles.DistrustHow(how), groupIDs...))
}

// Trust ends what Distrust began, for these groups or, without groupIDs, for all sources. It
// gives what waits for it, and goes on as Users does if the roles of some users cannot be changed.
// After an error call it again.
func (c *Reconciler) Trust(ctx context.Context, groupIDs ...string) error {
	return outward(roles.SwitchOf(c.a).Trust(ctx, groupIDs...))
}

// EndHow says what Reconciler.End does with the roles that SCIM gave.
type EndHow string

// What End does with the roles that SCIM gave.
const (
	EndKeep   EndHow = "keep"   // users keep them, as if they were given by hand
	EndRevoke EndHow = "revoke" // users lose them; what was also given by hand stays
)

// End ends SCIM for the tenant. First make sure that the application lets no client in any
// more: TenantFor returns an *Error with the status 503. Nothing is granted or revoked until
// End is called.
//
// Call it until it returns true. Each call does a step: about 1,000 users. Before these, End does
// what Settle does, so that users do not keep what a client has taken already. If that fails, its
// error says why. If the roles of some users cannot be changed, End does all others before its
// error names these, and they are unfinished. After a crash or an error go on calling it, with the
// same how. From the first call on, requests and calls of the
// Reconciler that would give roles get an *Error with the status 503, in all processes.
//
// At the end the ledger has nothing of the tenant. The resources are the Store's: see its
// documentation. SCIM can begin again for the tenant. End needs a ledger that is a PendingLedger
// and a TenantLedger.
func (c *Reconciler) End(ctx context.Context, how EndHow) (isDone bool, err error) {
	if how != EndKeep && how != EndRevoke {
		return false, fmt.Errorf("scim: Reconciler.End: %q is neither EndKeep nor EndRevoke", how)
	}
	isDone, err = roles.SwitchOf(c.a).End(ctx, roles.EndHow(how))
	return isDone, outward(err)
}
