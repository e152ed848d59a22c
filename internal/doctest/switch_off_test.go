package doctest

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// What follows, up to the end marker, is in docs/switch-off.md.

// rolesOf makes a tenant's Roles from what its administrators have switched on.
func rolesOf(resolver scim.RoleResolver, on Switches) *scim.Roles {
	roles := &scim.Roles{Resolver: resolver, Paused: !on.GiveRoles, WithoutGroups: !on.GroupRoles}
	if on.RoleAttribute {
		roles.Attributes = []string{"userType"}
	}
	return roles
}

func report(ctx context.Context, h *scim.Handler, tenant *scim.Tenant) error {
	roles, err := h.Reconciler(tenant)
	if err != nil {
		return err
	}
	var failed error
	for after, more := "", true; more; more = after != "" {
		after, err = roles.RolesChangedFrom(ctx, after)
		failed = errors.Join(failed, err)
	}
	return failed
}

func afterRestore(ctx context.Context, roles *scim.Reconciler) error {
	if err := roles.Distrust(ctx, scim.DistrustRevoke); err != nil {
		return err
	}
	return repair(ctx, roles) // All, until it returns ""
}

func end(ctx context.Context, roles *scim.Reconciler, keep bool) error {
	how := scim.EndRevoke
	if keep {
		how = scim.EndKeep
	}
	for {
		isDone, err := roles.End(ctx, how)
		if err != nil || isDone {
			return err
		}
	}
}

// The end of what the page shows.

// Switches are the reader's own settings of a tenant.
type Switches struct{ GiveRoles, GroupRoles, RoleAttribute bool }

// Each switch acts with the next request, and the report does the rest.
func TestSwitches(t *testing.T) {
	m := newRoleMap()
	store, on := memory.New(), Switches{true, true, true}
	tenant := func() *scim.Tenant { return &scim.Tenant{Store: store, Roles: rolesOf(m, on)} }
	h, err := scim.New(scim.Config{Auth: auth.None(), TenantFor: func(context.Context, scim.Principal) (*scim.Tenant, error) { return tenant(), nil }})
	if err != nil {
		t.Fatal(err)
	}
	ann := id(request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann", "userType": "Editor"}`))
	request(t, h, http.StatusCreated, "POST", "/Groups", `{"displayName": "Editor", "members": [{"value": "`+ann+`"}]}`)
	set := func(what string, now Switches, want int) {
		t.Helper()
		on = now
		if err := report(t.Context(), h, tenant()); err != nil {
			t.Fatal(err)
		}
		if got := len(m.held[ann]); got != want {
			t.Errorf("%s: Ann holds %d roles, want %d", what, got, want)
		}
	}
	set("without the attribute", Switches{GiveRoles: true, GroupRoles: true}, 1)
	set("without groups too", Switches{GiveRoles: true}, 0)
	set("paused", Switches{GroupRoles: true}, 0)
	set("on again", Switches{GiveRoles: true, GroupRoles: true}, 1)
}

// After a restored backup a client names people again. Then SCIM ends, and Ann keeps her role.
func TestDistrustAndEnd(t *testing.T) {
	m := newRoleMap()
	h := handler(t, scim.Config{Store: memory.New(), Roles: &scim.Roles{Resolver: m}})
	ann := id(request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann"}`))
	group := id(request(t, h, http.StatusCreated, "POST", "/Groups", `{"displayName": "Editor", "members": [{"value": "`+ann+`"}]}`))
	roles := testhost.Must(h.Reconciler(nil))
	holds := func(when string, want int) {
		t.Helper()
		if got := len(m.held[ann]); got != want {
			t.Errorf("%s Ann holds %d roles, want %d", when, got, want)
		}
	}
	if err := afterRestore(t.Context(), roles); err != nil {
		t.Fatal(err)
	}
	holds("distrusted,", 0)
	request(t, h, http.StatusNoContent, "PATCH", "/Groups/"+group, `{"Operations": [{"op": "add", "path": "members", "value": [{"value": "`+ann+`"}]}]}`)
	holds("named again,", 1)
	if err := end(t.Context(), roles, true); err != nil {
		t.Fatal(err)
	}
	holds("at the end", 1)
	request(t, h, http.StatusNoContent, "DELETE", "/Groups/"+group, "")
	holds("by hand,", 1)
}
