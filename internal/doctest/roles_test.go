package doctest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/testhost"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
)

// What follows, up to the end marker, is in docs/roles.md.

func (a *Application) ResolveRoles(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
	for _, linked := range src.Linked { // the role that the source had; it may have another name now
		if role, err := a.roleByID(ctx, linked.ID); !errors.Is(err, scim.ErrNoRole) {
			return []scim.Role{role}, err
		}
	}
	role, err := a.roleByName(ctx, src.Name()) // a group's displayName, or an attribute's value
	return []scim.Role{role}, err
}

func (a *Application) RoleNames(ctx context.Context, attribute string) ([]string, error) {
	if attribute == "userType" {
		return a.personalNames(ctx)
	}
	return a.allNames(ctx)
}

func (a *Application) CreateRole(ctx context.Context, src scim.RoleSource) (scim.Role, error) {
	return a.addRole(ctx, src.Name())
}

func giveByHand(ctx context.Context, app *Application, roles *scim.Reconciler, user, role string) error {
	return roles.GiveByHand(ctx, user, scim.Role{ID: role}, func(ctx context.Context) error {
		return app.give(ctx, user, role)
	})
}

func takeByHand(ctx context.Context, app *Application, roles *scim.Reconciler, user, role string) error {
	still, err := roles.TakeByHand(ctx, user, scim.Role{ID: role}, func(ctx context.Context) error {
		return app.take(ctx, user, role)
	})
	if err == nil && len(still) > 0 {
		err = fmt.Errorf("%v still gives the role", still)
	}
	return err
}

func repair(ctx context.Context, roles *scim.Reconciler) (failed error) {
	for next, more := "", true; more; more = next != "" {
		var err error
		next, err = roles.All(ctx, next) // it goes on if the roles of one user cannot be changed
		failed = errors.Join(failed, err)
	}
	return failed
}

func attributesGiveRoles(resolver scim.RoleResolver) *scim.Roles {
	return &scim.Roles{Resolver: resolver, Attributes: []string{"roles", "userType"}}
}

func groupsInGroups(store scim.Store, roles *scim.Roles) scim.Config {
	return scim.Config{Store: store, Roles: roles, Members: scim.MemberPolicy{Nested: true}}
}

func listPending(ctx context.Context, roles *scim.Reconciler) (lines []string, err error) {
	for next := ""; ; {
		var page []scim.Pending
		if page, next, err = roles.Pending(ctx, next, 100); err != nil {
			return nil, err
		}
		for _, p := range page {
			lines = append(lines, fmt.Sprintf("%s: %s %s %s since %s: %s", p.Kind, p.Name, p.UserID, p.Role.Name, p.At.Format(time.DateOnly), p.Reason))
		}
		if next == "" {
			return lines, nil
		}
	}
}

func decide(ctx context.Context, roles *scim.Reconciler, key string, yes bool) error {
	decide := roles.DeclinePending
	if yes {
		decide = roles.ConfirmPending
	}
	err := decide(ctx, key)
	if errors.Is(err, scim.ErrMoved) {
		return errors.New("this has changed meanwhile: look at the list again")
	}
	return err
}

func whatIfAll(ctx context.Context, roles *scim.Reconciler, now scim.Roles) (gain, lose int, err error) {
	now.Exclusive, now.Pick = false, nil // a copy: all roles instead of one
	for next := ""; ; {
		var page []scim.RoleChange
		if page, next, err = roles.Preview(ctx, scim.WhatIf{Roles: &now}, next); err != nil {
			return 0, 0, err
		}
		for _, c := range page {
			gain, lose = gain+len(c.Grant), lose+len(c.Revoke)
		}
		if next == "" {
			return gain, lose, nil
		}
	}
}

func whatIfDeleted(ctx context.Context, roles *scim.Reconciler, groupID string) ([]scim.RoleChange, error) {
	f, err := roles.PreviewRequest(ctx, scim.Request{Method: "DELETE", Path: "/Groups/" + groupID}, "", 1000)
	if err != nil {
		return nil, err
	}
	if f.Status >= 400 {
		return nil, errors.New(f.Detail)
	}
	return f.Changes, nil // of the first 1,000 users; f.Next says whether more follow
}

// withLicences joins the roles of the application, which keep their scopes, with licences elsewhere.
func withLicences(app, licences scim.RoleResolver) (*scim.Roles, error) {
	both, err := scim.JoinResolvers(
		scim.ScopedResolver{Scope: "", Resolver: app},
		scim.ScopedResolver{Scope: "licence:", Resolver: licences},
	)
	return &scim.Roles{Resolver: both, Separate: true, PolicyOf: func(scope string) scim.RolePolicy {
		return scim.RolePolicy{Exclusive: scope == "licence:"} // one licence for each user
	}}, err
}

// The end of what the page shows.

// Application is the reader's own.
type Application struct {
	roles []scim.Role
	token auth.Token
}

func (a *Application) find(is func(scim.Role) bool) (scim.Role, error) {
	if i := slices.IndexFunc(a.roles, is); i >= 0 {
		return a.roles[i], nil
	}
	return scim.Role{}, scim.ErrNoRole
}

func (a *Application) roleByID(_ context.Context, id string) (scim.Role, error) {
	return a.find(func(r scim.Role) bool { return r.ID == id })
}

func (a *Application) roleByName(_ context.Context, name string) (scim.Role, error) {
	return a.find(func(r scim.Role) bool { return r.Name == name })
}

var _ scim.RoleCreator = (*Application)(nil)

func (a *Application) allNames(context.Context) (names []string, err error) {
	for _, r := range a.roles {
		names = append(names, r.Name)
	}
	return names, nil
}

func (*Application) personalNames(context.Context) ([]string, error) { return []string{"Author"}, nil }

func (a *Application) addRole(_ context.Context, name string) (scim.Role, error) {
	a.roles = append(a.roles, scim.Role{ID: name, Name: name})
	return a.roles[len(a.roles)-1], nil
}

func (*Application) give(context.Context, string, string) error { return nil }
func (*Application) take(context.Context, string, string) error { return nil }

// A group and an attribute give the same role; by hand it stays when both let go.
func TestRoles(t *testing.T) {
	m := newRoleMap()
	roles := attributesGiveRoles(m)
	h := handler(t, scim.Config{Store: memory.New(), Roles: roles})
	ann := id(request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann", "userType": "Editor"}`))
	group := id(request(t, h, http.StatusCreated, "POST", "/Groups", `{"displayName": "Editor", "members": [{"value": "`+ann+`"}]}`))
	holds := func(when string, want int) {
		t.Helper()
		if got := len(m.held[ann]); got != want {
			t.Errorf("%s Ann holds %d roles, want %d", when, got, want)
		}
	}
	holds("given by an attribute and a group,", 1)
	request(t, h, http.StatusBadRequest, "PATCH", "/Users/"+ann, `{"Operations": [{"op": "replace", "path": "userType", "value": "Nobody"}]}`)
	request(t, h, http.StatusNoContent, "DELETE", "/Groups/"+group, "")
	holds("given by an attribute,", 1)
	m.roles[0].Name, m.held[ann][0].Name = "Author", "Author" // a renamed role keeps its link
	if err := testhost.Must(h.Reconciler(nil)).RolesChanged(t.Context()); err != nil {
		t.Fatal(err)
	}
	holds("after the role was renamed,", 1)
	byHand := testhost.Must(h.Reconciler(nil))
	if err := takeByHand(t.Context(), &Application{}, byHand, ann, "1"); err == nil || !strings.Contains(err.Error(), "userType") {
		t.Errorf("what the attribute gives was taken by hand: %v", err)
	}
	if err := giveByHand(t.Context(), &Application{}, byHand, ann, "1"); err != nil {
		t.Fatal(err)
	}
	request(t, h, http.StatusOK, "PATCH", "/Users/"+ann, `{"Operations": [{"op": "remove", "path": "userType"}]}`)
	holds("by hand,", 1)
	if err := repair(t.Context(), testhost.Must(h.Reconciler(nil))); err != nil {
		t.Fatal(err)
	}
	holds("after everything was reconciled,", 1)
	request(t, h, http.StatusNoContent, "DELETE", "/Users/"+ann, "")
	holds("deleted,", 0)
}

// A group in a group gives the role of the group above.
func TestGroupsInGroups(t *testing.T) {
	m := newRoleMap()
	h := handler(t, groupsInGroups(memory.New(memory.UniqueIDs()), &scim.Roles{Resolver: m}))
	ann := id(request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann"}`))
	team := id(request(t, h, http.StatusCreated, "POST", "/Groups", `{"displayName": "Team", "members": [{"value": "`+ann+`"}]}`))
	all := id(request(t, h, http.StatusCreated, "POST", "/Groups", `{"displayName": "Editor", "members": [{"value": "`+team+`"}]}`))
	if len(m.held[ann]) != 1 {
		t.Errorf("through a group in a group Ann holds %v", m.held[ann])
	}
	request(t, h, http.StatusBadRequest, "PATCH", "/Groups/"+team, `{"Operations": [{"op": "add", "path": "members", "value": [{"value": "`+all+`"}]}]}`)
	request(t, h, http.StatusNoContent, "DELETE", "/Groups/"+all, "")
	if len(m.held[ann]) != 0 {
		t.Errorf("without the group above Ann holds %v", m.held[ann])
	}
}

// What awaits somebody is listed and decided, and a preview tells what then happens.
func TestPendingAndPreview(t *testing.T) {
	m := newRoleMap()
	m.roles[0].Protected = true
	roles := scim.Roles{Resolver: m, Exclusive: true}
	h := handler(t, scim.Config{Store: memory.New(), Roles: &roles})
	c := testhost.Must(h.Reconciler(nil))
	ann := id(request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann"}`))
	member := `"members": [{"value": "` + ann + `"}]}`
	group := id(request(t, h, http.StatusCreated, "POST", "/Groups", `{"displayName": "Editor", `+member))
	request(t, h, http.StatusCreated, "POST", "/Groups", `{"displayName": "Viewer", `+member)
	lines, err := listPending(t.Context(), c)
	if err != nil || len(lines) != 1 {
		t.Fatalf("%q, error %v", lines, err)
	}
	list, _, err := c.Pending(t.Context(), "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if gain, lose, err := whatIfAll(t.Context(), c, roles); gain+lose != 0 || err != nil {
		t.Errorf("+%d -%d, error %v, want no change", gain, lose, err)
	}
	if err := decide(t.Context(), c, list[0].Key, true); err != nil {
		t.Fatal(err)
	}
	if err := decide(t.Context(), c, list[0].Key, true); err == nil {
		t.Error("decided twice")
	}
	if gain, lose, err := whatIfAll(t.Context(), c, roles); gain != 1 || lose != 0 || err != nil {
		t.Errorf("+%d -%d, error %v, want one more role", gain, lose, err)
	}
	was := slices.Clone(m.held[ann])
	changes, err := whatIfDeleted(t.Context(), c, group)
	if err != nil || len(changes) > 1 || !slices.Equal(was, m.held[ann]) {
		t.Errorf("%v, error %v; Ann holds %v, held %v", changes, err, m.held[ann], was)
	}
	if _, err := whatIfDeleted(t.Context(), c, "nobody"); err == nil {
		t.Error("an unknown group could be deleted")
	}
}

// TestWithLicences gives a role and a licence by one group.
func TestWithLicences(t *testing.T) {
	app, licences := testhost.NewRoles(), testhost.NewRoles()
	roles, err := withLicences(app, licences)
	if err != nil {
		t.Fatal(err)
	}
	h := testhost.New(t, scim.Config{Store: memory.New(), Roles: roles})
	ann := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
	for _, name := range []string{"Viewer", "Editor"} {
		testhost.Create(t, h, "/Groups", fmt.Sprintf(`{"displayName":%q,"members":[{"value":%q}]}`, name, ann))
	}
	if got, licence := app.Of(ann), licences.Of(ann); !slices.Equal(got, []string{"Editor", "Viewer"}) || !slices.Equal(licence, []string{"Editor"}) {
		t.Errorf("ann has the roles %q and the licences %q", got, licence)
	}
}
