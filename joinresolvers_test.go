package scim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/storetest"
)

// twoSystems are roles in the application and licences in another system.
type twoSystems struct {
	app, licences *testhost.Roles
	scim.RoleResolver
}

func newTwoSystems(t *testing.T) *twoSystems {
	t.Helper()
	s := &twoSystems{app: testhost.NoRoles(), licences: testhost.NoRoles()}
	for _, r := range []scim.Role{{ID: "1", Name: "Editors"}, {ID: "2", Name: "Admins"}, {ID: "3", Name: "Lead", Scope: "team 1"}} {
		s.app.Put(r)
	}
	for _, r := range []scim.Role{{ID: "1", Name: "Pro", Weight: 2}, {ID: "2", Name: "Editors", Weight: 1}} {
		s.licences.Put(r)
	}
	var err error
	if s.RoleResolver, err = scim.JoinResolvers(scim.ScopedResolver{Resolver: s.app}, scim.ScopedResolver{Scope: "licence:", Resolver: s.licences}); err != nil {
		t.Fatal(err)
	}
	return s
}

// held lists what a user holds in both systems.
func (s *twoSystems) held(user string) string {
	return strings.Join(s.app.Of(user), ",") + " " + strings.Join(s.licences.Of(user), ",")
}

func groupNamed(t *testing.T, name string) *scim.Resource {
	t.Helper()
	g, err := scim.GroupType().Bind(scim.Meta{ID: "g"}, nil, map[string]any{"displayName": name})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestJoinResolversMistakes(t *testing.T) {
	app := testhost.NoRoles()
	for _, tt := range []struct {
		name  string
		parts []scim.ScopedResolver
		want  string // "": it is fine
	}{
		{"nothing", nil, "needs a resolver"},
		{"nil", []scim.ScopedResolver{{Scope: "a:"}}, `the resolver of scope "a:" is nil`},
		{"the same scope", []scim.ScopedResolver{{Scope: "a:", Resolver: app}, {Scope: "a:", Resolver: app}}, `"a:" and "a:" are not distinct`},
		{"no scope twice", []scim.ScopedResolver{{Resolver: app}, {Resolver: app}}, `"" and "" are not distinct`},
		{"one begins the other", []scim.ScopedResolver{{Scope: "a", Resolver: app}, {Scope: "ab", Resolver: app}}, `"a" and "ab" are not distinct`},
		{"one without a scope", []scim.ScopedResolver{{Scope: "a", Resolver: app}, {Resolver: app}, {Scope: "b", Resolver: app}}, ""},
		{"a single one", []scim.ScopedResolver{{Resolver: app}}, ""},
	} {
		_, err := scim.JoinResolvers(tt.parts...)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A source stands for the roles of each system, and a role is changed where it is.
func TestJoinResolvers(t *testing.T) {
	s := newTwoSystems(t)
	h := testhost.New(t, scim.Config{Store: memory.New(), Roles: &scim.Roles{Resolver: s, Separate: true, PolicyOf: func(scope string) scim.RolePolicy {
		return scim.RolePolicy{Exclusive: scope == "licence:"}
	}}})
	ann := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
	want := func(when, want string) {
		t.Helper()
		if got := s.held(ann); got != want {
			t.Errorf("%s: ann holds %q, want %q", when, got, want)
		}
	}
	join := func(name string) (path string) {
		t.Helper()
		return "/Groups/" + testhost.Create(t, h, "/Groups", fmt.Sprintf(`{"displayName":%q,"members":[{"value":%q}]}`, name, ann))
	}
	editors := join("Editors")
	want("a name that both systems have", "Editors Editors")
	pro := join("Pro")
	want("a heavier licence, of which one is possible", "Editors Pro")
	lead := join("Lead")
	want("a role with a scope of its own", "Editors,Lead Pro")
	s.app.Give(ann, "2")
	testhost.Do(t, h, "DELETE", pro, "")
	want("the former licence", "Admins,Editors,Lead Editors")
	testhost.Do(t, h, "DELETE", editors, "")
	want("no licence, and what was given by hand", "Admins,Lead ")
	testhost.Do(t, h, "DELETE", lead, "")
	want("what was given by hand", "Admins ")
}

// An outage of one system changes nothing in the other one, and what was held stays.
func TestJoinResolversOutage(t *testing.T) {
	outage := errors.New("the licences are down")
	for _, err := range []error{outage, scim.ErrNoRole} {
		s := newTwoSystems(t)
		s.app.Give("ann", "2")
		s.licences.Fail = func(op string) error {
			if op == "change" {
				return err
			}
			return nil
		}
		role := func(scope, id string) []scim.Role { return []scim.Role{{Scope: scope, ID: id}} }
		got := s.ChangeRoles(t.Context(), []scim.RoleChange{
			{UserID: "ann", Grant: slices.Concat(role("", "1"), role("", "2"), role("licence:", "1"))},
			{UserID: "bob", Revoke: role("", "2"), Grant: role("licence:", "1")},
		})
		if !errors.Is(got, err) || s.held("ann") != "Admins " || s.held("bob") != " " {
			t.Errorf("error %v, ann holds %q, bob holds %q", got, s.held("ann"), s.held("bob"))
		}
		s.licences.Fail = nil
		s.app.Fail = func(string) error { return outage }
		if _, err := s.ResolveRoles(t.Context(), scim.RoleSource{Group: groupNamed(t, "Pro")}); !errors.Is(err, outage) {
			t.Errorf("ResolveRoles: error %v, want the outage: it is no answer", err)
		}
		if _, err := s.HeldRoles(t.Context(), []string{"ann"}); !errors.Is(err, outage) {
			t.Errorf("HeldRoles: error %v", err)
		}
		// What concerns one system alone does not need the other one.
		if err := s.ChangeRoles(t.Context(), []scim.RoleChange{{UserID: "bob", Grant: role("licence:", "1"), Roles: role("licence:", "1")}}); err != nil {
			t.Error(err)
		}
	}
}

func TestJoinResolversResolve(t *testing.T) {
	s := newTwoSystems(t)
	no := func(detail string) func(scim.RoleSource) ([]scim.Role, error) {
		return func(scim.RoleSource) ([]scim.Role, error) {
			return nil, &scim.Error{Status: 400, Type: "invalidValue", Detail: detail}
		}
	}
	for _, tt := range []struct {
		name          string
		app, licences func(src scim.RoleSource) ([]scim.Role, error)
		src           scim.RoleSource
		want          string // roles, or a part of the error
	}{
		{"both", nil, nil, scim.RoleSource{Attribute: "userType", Value: "Editors"}, "/1 licence:/2"},
		{"the second one", nil, nil, scim.RoleSource{Attribute: "userType", Value: "Pro"}, "licence:/1"},
		{"none", nil, nil, scim.RoleSource{Attribute: "userType", Value: "?"}, scim.ErrNoRole.Error()},
		{"none, and the second one says why", nil, no("not by an attribute"), scim.RoleSource{Attribute: "userType", Value: "?"}, "not by an attribute"},
		{"one says why, and the other one has a role", no("not by an attribute"), nil, scim.RoleSource{Attribute: "userType", Value: "Pro"}, "licence:/1"},
		{"each knows its own links", nil, nil, scim.RoleSource{Attribute: "userType", Value: "renamed", Linked: []scim.Role{{ID: "2"}, {ID: "1", Scope: "licence:"}}}, "/2 licence:/1"},
		{"the scope of another one", func(scim.RoleSource) ([]scim.Role, error) { return []scim.Role{{ID: "x", Scope: "licence:x"}}, nil }, nil, scim.RoleSource{}, `which belongs to "licence:"`},
		{"nothing, and no error", func(scim.RoleSource) ([]scim.Role, error) { return nil, nil }, nil, scim.RoleSource{Value: "Pro"}, "return ErrNoRole"},
	} {
		s.app.Resolve, s.licences.Resolve = tt.app, tt.licences
		all, err := s.ResolveRoles(t.Context(), tt.src)
		var got []string
		for _, r := range all {
			got = append(got, r.Scope+"/"+r.ID)
		}
		if text := strings.Join(got, " "); err == nil && text != tt.want || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %q, error %v, want %q", tt.name, text, err, tt.want)
		}
	}
}

// namer, holder and creator are resolvers with capabilities.
type (
	plainResolver struct{ scim.RoleResolver }
	namer         struct {
		plainResolver
		all []string
	}
	creator      struct{ namer }
	namingHolder struct {
		namer
		lister
	}
	lister scim.RoleHolders // a field of the type itself would hide the method
)

func (n namer) RoleNames(context.Context, string) ([]string, error) { return n.all, nil }
func (creator) CreateRole(context.Context, scim.RoleSource) (scim.Role, error) {
	return scim.Role{ID: "new"}, nil
}

func TestJoinResolversCapabilities(t *testing.T) {
	roles := testhost.NewRoles()
	bare := plainResolver{roles}
	a, b := namer{bare, []string{"x", "y"}}, creator{namer{bare, []string{"y", "z"}}}
	for _, tt := range []struct {
		name string
		all  []scim.RoleResolver
		want string // the capabilities
	}{
		{"nothing", []scim.RoleResolver{bare, bare}, ""},
		{"one is a namer", []scim.RoleResolver{bare, a}, ""},
		{"all are namers", []scim.RoleResolver{a, a}, "names"},
		{"one creates", []scim.RoleResolver{a, b}, "names creates"},
		{"one creates, and another has no names", []scim.RoleResolver{bare, b}, ""},
		{"all list holders", []scim.RoleResolver{roles, roles}, "holders"},
		{"all list holders and names", []scim.RoleResolver{namingHolder{a, roles}, namingHolder{a, roles}}, "names holders"},
	} {
		var parts []scim.ScopedResolver
		for i, r := range tt.all {
			parts = append(parts, scim.ScopedResolver{Scope: fmt.Sprint("s", i, ":"), Resolver: r})
		}
		j, err := scim.JoinResolvers(parts...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if n, ok := j.(scim.RoleNamer); ok {
			got = append(got, "names")
			if _, err := n.RoleNames(t.Context(), ""); err != nil {
				t.Error(err)
			}
		}
		if c, ok := j.(scim.RoleCreator); ok {
			got = append(got, "creates")
			names, err := c.RoleNames(t.Context(), "")
			role, failed := c.CreateRole(t.Context(), scim.RoleSource{})
			if diff := cmp.Diff([]any{[]string{"x", "y", "z"}, scim.Role{ID: "new", Scope: "s1:"}}, []any{names, role}); diff != "" || err != nil || failed != nil {
				t.Errorf("%s: errors %v, %v, names and new role (-want +got):\n%s", tt.name, err, failed, diff)
			}
		}
		if h, ok := j.(scim.RoleHolders); ok {
			got = append(got, "holders")
			roles.Give("ann", "r-admin")
			all, err := h.RoleHolders(t.Context(), scim.Role{ID: "r-admin", Scope: "s1:"}, "", 10)
			none, failed := h.RoleHolders(t.Context(), scim.Role{ID: "r-admin", Scope: "?"}, "", 10)
			if len(all) != 1 || len(none) != 0 || err != nil || failed != nil {
				t.Errorf("%s: holders %v and %v, errors %v and %v", tt.name, all, none, err, failed)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// The joined resolver keeps the contract of a single one.
func TestJoinResolversContract(t *testing.T) {
	storetest.RunRoles(t, func(t *testing.T) storetest.Harness {
		app, licences := testhost.NoRoles(), testhost.NoRoles()
		app.Put(scim.Role{ID: "1", Name: "Editors"})
		app.Put(scim.Role{ID: "2", Name: "Admins", Protected: true})
		licences.Put(scim.Role{ID: "3", Name: "Pro"})
		j, err := scim.JoinResolvers(scim.ScopedResolver{Resolver: app}, scim.ScopedResolver{Scope: "licence:", Resolver: licences})
		if err != nil {
			t.Fatal(err)
		}
		of := func(id string) *testhost.Roles {
			if id == "3" {
				return licences
			}
			return app
		}
		users := 0
		return storetest.Harness{
			Resolver: j,
			Roles:    []scim.Role{{ID: "1", Name: "Editors"}, {ID: "3", Name: "Pro", Scope: "licence:"}, {ID: "2", Name: "Admins", Protected: true}},
			AddUser:  func(context.Context) (string, error) { users++; return fmt.Sprint("u", users), nil },
			Give:     func(_ context.Context, user, role string) error { of(role).Give(user, role); return nil },
			Take:     func(_ context.Context, user, role string) error { of(role).Take(user, role); return nil },
			Rename:   func(_ context.Context, id, name string) error { of(id).Put(scim.Role{ID: id, Name: name}); return nil },
			Drop:     func(_ context.Context, id string) error { of(id).Drop(id); return nil },
		}
	})
}
