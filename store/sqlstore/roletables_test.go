package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

const roleTables = `
CREATE TABLE jobs (id {serial}, org text NOT NULL, title text NOT NULL, rank bigint, careful {bool});
CREATE TABLE job_people (
	job_id bigint NOT NULL REFERENCES jobs (id), person_id bigint NOT NULL REFERENCES people (id), giver text NOT NULL,
	PRIMARY KEY (person_id, job_id));
INSERT INTO jobs (org, title, rank, careful) VALUES ('o', 'viewer', 1, NULL), ('o', 'editor', 2, false), ('other', 'viewer', 3, true), ('o', 'Chief', NULL, true);
INSERT INTO jobs (org, title) VALUES ('o', 'Caf` + "\u00e9" + `')`

func jobs() sqlstore.RoleTables {
	return sqlstore.RoleTables{Roles: "jobs", ID: "id", Name: "title", Weight: "rank", Protected: "careful", Tenant: "org",
		Holders: "job_people", User: "person_id", Role: "job_id", Insert: func(_ context.Context, _, _ string) map[string]any { return map[string]any{"giver": "scim"} }}
}

func TestRoleTables(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.SQLite {
			db = relaxed(t)
		}
		makeApp(t, db, d)
		for _, text := range inDialect(d, roleTables) {
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		s := newStore(t, db, d, appOptions("o"))
		resolver, err := s.RoleResolver(t.Context(), jobs())
		if err != nil {
			t.Fatal(err)
		}
		exec := func(ctx context.Context, text string, args ...any) error {
			return run(ctx, s.DB(ctx), d, text, args...)
		}
		storetest.RunRoles(t, func(t *testing.T) storetest.Harness {
			if err := exec(t.Context(), "DELETE FROM job_people"); err != nil {
				t.Fatal(err)
			}
			var one, two string
			if err := errors.Join(
				db.QueryRow(says(d, "INSERT INTO jobs (org, title) VALUES ('o', $1) RETURNING CAST(id AS text)"), "one "+t.Name()).Scan(&one),
				db.QueryRow(says(d, "INSERT INTO jobs (org, title) VALUES ('o', $1) RETURNING CAST(id AS text)"), "two "+t.Name()).Scan(&two)); err != nil {
				t.Fatal(err)
			}
			return storetest.Harness{
				Resolver: resolver, Store: s, Roles: []scim.Role{{ID: one, Name: "one " + t.Name()}, {ID: two, Name: "two " + t.Name()}},
				AddUser: func(ctx context.Context) (string, error) {
					u, err := s.Create(ctx, user(t, uuid.NewString(), nil))
					if err != nil {
						return "", err
					}
					return u.ID(), nil
				},
				Give: func(ctx context.Context, userID, roleID string) error {
					return exec(ctx, "INSERT INTO job_people (person_id, job_id, giver) VALUES ($1, $2, 'hand')", userID, roleID)
				},
				Take: func(ctx context.Context, userID, roleID string) error {
					return exec(ctx, "DELETE FROM job_people WHERE person_id = $1 AND job_id = $2", userID, roleID)
				},
				Rename: func(ctx context.Context, roleID, name string) error {
					return exec(ctx, "UPDATE jobs SET title = $1 WHERE id = $2", name, roleID)
				},
				Drop: func(ctx context.Context, roleID string) error {
					if err := exec(ctx, "DELETE FROM job_people WHERE job_id = $1", roleID); err != nil {
						return err
					}
					return exec(ctx, "DELETE FROM jobs WHERE id = $1", roleID)
				},
			}
		})

		for name, want := range map[string]scim.Role{
			"viewer":       {ID: "1", Name: "viewer", Weight: 1},
			"Chief":        {ID: "4", Name: "Chief", Protected: true},
			"Cafe\u0301":   {ID: "5", Name: "Caf\u00e9"},
			"Viewer":       {}, // exactly, because a look-alike must not give a role
			"viewer ":      {},
			"view\u200ber": {},
		} {
			got, err := resolver.ResolveRoles(t.Context(), scim.RoleSource{Group: group(t, name)})
			if !slices.Equal(got, roles(want)) || (want.ID == "") != errors.Is(err, scim.ErrNoRole) {
				t.Errorf("group %q: %+v, error %v, want %+v", name, got, err, want)
			}
			got, err = resolver.ResolveRoles(t.Context(), scim.RoleSource{Attribute: "roles", Value: name})
			var e *scim.Error
			if !slices.Equal(got, roles(want)) || (want.ID == "") != (errors.As(err, &e) && e.Status == 400 && strings.Contains(e.Detail, "roles: ") && strings.Contains(e.Detail, "viewer, ")) {
				t.Errorf("value %q: %+v, error %v, want %+v", name, got, err, want)
			}
		}
	})
}

// Two roles may have one name, as teams of different people. Nobody knows which one a group means.
func TestRoleTablesTwins(t *testing.T) {
	onProducts(t, `CREATE TABLE teams (id {serial}, name text NOT NULL);
CREATE TABLE members (user_id text NOT NULL, team_id bigint NOT NULL, PRIMARY KEY (user_id, team_id));
INSERT INTO teams (name) VALUES ('Holiday'), ('Holiday'), ('Sales')`, nil, func(p *product) {
		p.serve(sqlstore.Options{}, scim.Roles{Missing: scim.CreateRole, Attributes: []string{"userType"}}, func(*sqlstore.Store) []sqlstore.RoleShape {
			return []sqlstore.RoleShape{sqlstore.RoleTables{Roles: "teams", ID: "id", Name: "name", Holders: "members", User: "user_id", Role: "team_id",
				Create: func(string) map[string]any { return nil }}}
		})
		want := func(what, rows string) {
			p.t.Helper()
			p.want(what, rows, p.row("SELECT CAST(count(*) AS text) FROM members"))
		}
		ann := p.user("ann")
		p.group("Sales", ann)
		want("one role of this name", "1")
		p.group("Holiday", ann)
		want("two roles of this name", "1")
		detail := fmt.Sprint(p.set(ann, "userType", `"Holiday"`, 400)["detail"])
		p.want("the reason", `userType: several roles have the name "Holiday"`, detail)
		p.want("no team is made", "3", p.row("SELECT CAST(count(*) AS text) FROM teams"))
		p.exec("UPDATE teams SET name = 'Vacation' WHERE id = 1")
		if err := reconciler(p.h).RolesChanged(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
		want("one role of this name", "2")
		p.want("it is the other one", "3 2", p.row("SELECT CAST(max(team_id) AS text) || ' ' || CAST(min(team_id) AS text) FROM members"))
	})
}

// roles is the list of one role; none if it has no ID.
func roles(r scim.Role) []scim.Role {
	if r.ID == "" {
		return nil
	}
	return []scim.Role{r}
}

func TestRoleTablesMistakes(t *testing.T) {
	s, err := sqlstore.New(relaxed(t), sqlstore.SQLite, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "roles; DROP", ID: "id", Name: "name", Weight: "a b", Holders: "h", User: "u"})
	for _, want := range []string{`Roles "roles; DROP"`, `Weight "a b"`, `Role ""`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not tell of %s", err, want)
		}
	}
}
