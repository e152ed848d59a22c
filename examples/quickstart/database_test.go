package main

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/store/storetest"
)

// postgres is the server of this test process.
var postgres pgtest.Server

// databases are those that the example can keep its data in, each new.
func databases(t *testing.T, test func(t *testing.T, where func(t *testing.T) string)) {
	t.Run("SQLite", func(t *testing.T) {
		test(t, func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "scim.db") })
	})
	t.Run("PostgreSQL", func(t *testing.T) { test(t, func(t *testing.T) string { return postgres.DSN(t) }) })
}

func openAt(t *testing.T, where string) *place {
	t.Helper()
	p, err := open(t.Context(), where, "Admin", "Editor", "Viewer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.close() }) //nolint:errcheck // the test is over
	return p
}

// Servers that start at once on a new database all start, and the roles are there once.
func TestStartAtOnce(t *testing.T) {
	databases(t, func(t *testing.T, where func(t *testing.T) string) {
		at := where(t)
		errs := make(chan error)
		for range 8 {
			go func() {
				p, err := open(t.Context(), at, "Admin", "Editor", "Viewer")
				if err == nil {
					err = p.close()
				}
				errs <- err
			}()
		}
		for range 8 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if roles, err := openAt(t, at).app.list(t.Context()); len(roles) != 3 || err != nil {
			t.Errorf("roles %v, error %v, want three", roles, err)
		}
	})
}

func TestDatabaseRoles(t *testing.T) {
	databases(t, func(t *testing.T, where func(t *testing.T) string) {
		storetest.RunRoles(t, func(t *testing.T) storetest.Harness { return harness(t, openAt(t, where(t))) })
	})
}

func harness(t *testing.T, p *place) storetest.Harness {
	t.Helper()
	roles, err := p.app.list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return storetest.Harness{
		Resolver: p.app, Roles: roles, Give: p.app.give, Take: p.app.take,
		Store: p.store.(scim.Transactor),
		AddUser: func(ctx context.Context) (string, error) {
			u, err := scim.UserType().Bind(scim.Meta{ID: uuid.NewString()}, nil, map[string]any{"userName": uuid.NewString()})
			if err != nil {
				return "", err
			}
			u, err = p.store.Create(ctx, u)
			if err != nil {
				return "", err
			}
			return u.ID(), nil
		},
	}
}

func TestDatabaseSurvives(t *testing.T) {
	args := []string{"-token", secret, "-store", "sqlite:" + filepath.Join(t.TempDir(), "scim.db")}
	s := start(t, args...)
	ada := s.create(t, "/Users", user("ada"))
	editors := s.create(t, "/Groups", group("Editor", ada))
	s.must(t, "/give", map[string]string{"user": ada, "role": "role-3"})
	s.must(t, "/roles", map[string]string{"name": "Billing"})
	want := []string{"Editor, through group Editor", "Viewer, by hand"}
	s.expect(t, "before the end", want...)
	s.stop()
	err := <-s.done
	s.done <- err
	if err != nil {
		t.Fatal(err)
	}

	s = start(t, args...)
	s.expect(t, "after the start", want...)
	billing := s.create(t, "/Groups", group("Billing", ada))
	s.expect(t, "a role that was added", "Editor, through group Editor", "Viewer, by hand", "Billing, through group Billing")
	for _, path := range []string{"/Groups/" + editors, "/Groups/" + billing} {
		if status, body := s.scim(t, "DELETE", path, ""); status != 204 {
			t.Fatalf("DELETE %s: %d %s", path, status, body)
		}
	}
	s.expect(t, "groups took away what they had given before the end", "Viewer, by hand")
	if status, body := s.post(t, "/roles", map[string]string{"name": " admin "}, nil); status != 400 {
		t.Errorf("a role that is there: %d %s", status, body)
	}
	if status, body := s.scim(t, "DELETE", "/Users/"+ada, ""); status != 204 {
		t.Fatalf("DELETE of the user: %d %s", status, body)
	}
}

// Roles.Attributes asks the resolver about values too. There is no group then.
func TestResolveValue(t *testing.T) {
	check := func(t *testing.T, app roleApp) {
		roles, err := app.ResolveRoles(t.Context(), scim.RoleSource{Attribute: "userType", Value: "editor"})
		if err != nil || len(roles) != 1 || roles[0].Name != "Editor" {
			t.Errorf("the role of a value: %+v and error %v, want Editor", roles, err)
		}
		if _, err := app.ResolveRoles(t.Context(), scim.RoleSource{Attribute: "userType", Value: "Nobody"}); !errors.Is(err, scim.ErrNoRole) {
			t.Errorf("the role of an unknown value: error %v, want ErrNoRole", err)
		}
	}
	t.Run("memory", func(t *testing.T) { check(t, newApp("Admin", "Editor")) })
	databases(t, func(t *testing.T, where func(t *testing.T) string) { check(t, openAt(t, where(t)).app) })
}
