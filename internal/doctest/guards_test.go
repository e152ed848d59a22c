package doctest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
)

// What follows, up to the end marker, is in docs/guards.md.

func guardedRoles(resolver scim.RoleResolver) *scim.Roles {
	return &scim.Roles{
		Resolver:       resolver,
		KeepLastHolder: true,
		Breaker:        &scim.Breaker{Share: 0.2, Minimum: 20, Window: 10 * time.Minute},
		Guard:          keepAuditors,
	}
}

// keepAuditors refuses whatever takes the role auditor from more than one user.
func keepAuditors(ctx context.Context, plan *scim.RolePlan) error {
	for _, c := range plan.Roles {
		if c.Role.ID == "auditor" && c.Revokes > 1 {
			return &scim.Error{Status: http.StatusConflict, Detail: fmt.Sprintf("this takes the role auditor from %d users; ask the security team", c.Revokes)}
		}
	}
	return nil
}

// usersWhoLose lists who would lose a role.
func usersWhoLose(ctx context.Context, plan *scim.RolePlan) (ids []string, err error) {
	for change, err := range plan.Changes(ctx) {
		if err != nil {
			return nil, err
		}
		if len(change.Revoke) > 0 {
			ids = append(ids, change.UserID)
		}
	}
	return ids, nil
}

func letThrough(ctx context.Context, roles *scim.Reconciler) error {
	return roles.ReleaseBreaker(ctx, 30*time.Minute)
}

func withSeats(store scim.Store, plans Plans) scim.Config {
	return scim.Config{Store: store, Auth: auth.None(), Seats: plans.seats}
}

// The end of what the page shows.

// Plans are what the reader's customers have bought.
type Plans struct{ bought int }

func (p Plans) seats(context.Context) (int, error) { return p.bought, nil }

// auditors says who holds a role.
type auditors struct{ *roleMap }

func (m auditors) RoleHolders(_ context.Context, role scim.Role, after string, limit int) (ids []string, err error) {
	for user, of := range m.held {
		if user > after && slices.ContainsFunc(of, func(r scim.Role) bool { return r.ID == role.ID }) {
			ids = append(ids, user)
		}
	}
	slices.Sort(ids)
	return ids[:min(limit, len(ids))], nil
}

// The guards of the page refuse what the page says.
func TestGuards(t *testing.T) {
	m := auditors{newRoleMap()}
	m.roles = []scim.Role{{ID: "auditor", Name: "auditor"}, {ID: "editor", Name: "editor"}}
	roles := guardedRoles(m)
	var lost []string
	roles.Guard = func(ctx context.Context, p *scim.RolePlan) (err error) {
		if lost, err = usersWhoLose(ctx, p); err != nil {
			return err
		}
		return keepAuditors(ctx, p)
	}
	store := memory.New()
	c := withSeats(store, Plans{30})
	c.Roles = roles
	h, err := scim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	members := ""
	for i := range 30 {
		user := id(request(t, h, http.StatusCreated, "POST", "/Users", fmt.Sprintf(`{"userName": "user%d"}`, i)))
		members += fmt.Sprintf(`, {"value": %q}`, user)
	}
	members = members[2:]
	request(t, h, http.StatusForbidden, "POST", "/Users", `{"userName": "one too many"}`)
	group := func(name string) string {
		return id(request(t, h, http.StatusCreated, "POST", "/Groups", fmt.Sprintf(`{"displayName": %q, "members": [%s]}`, name, members)))
	}
	auditor, editor := group("auditor"), group("editor")
	request(t, h, http.StatusConflict, "DELETE", "/Groups/"+auditor, "")
	if len(lost) != 30 { // the guard comes before the breaker
		t.Errorf("%d users would lose a role, want 30", len(lost))
	}
	request(t, h, http.StatusTooManyRequests, "DELETE", "/Groups/"+editor, "")
	r, err := h.Reconciler(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := letThrough(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	request(t, h, http.StatusNoContent, "DELETE", "/Groups/"+editor, "")
}
