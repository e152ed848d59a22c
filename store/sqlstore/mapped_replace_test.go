package sqlstore_test

import (
	"errors"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// SQLite's REPLACE erases the row that has a unique value, and fires no trigger for it. Nobody stays
// a user, or a group, whose row is gone.
func TestMappedReplace(t *testing.T) {
	for _, tt := range []struct {
		reason, statement string
		names             []string
		gone              []scim.Ref
	}{
		{"an insert takes the name of a user", "REPLACE INTO people (id, org, email) VALUES (7, 'o', 'bob@example.com')",
			[]string{"Ann@example.com", "bob@example.com"}, []scim.Ref{{Type: "User", ID: "2"}}},
		{"the same under another spelling of the statement", "INSERT OR REPLACE INTO people (id, org, email) VALUES (7, 'o', 'bob@example.com')",
			[]string{"Ann@example.com", "bob@example.com"}, []scim.Ref{{Type: "User", ID: "2"}}},
		{"a user gets the name of another one", "UPDATE OR REPLACE people SET email = 'bob@example.com' WHERE id = 1", []string{"bob@example.com"}, []scim.Ref{{Type: "User", ID: "2"}}},
		{"a user who is hidden gets it", "UPDATE OR REPLACE people SET email = 'bob@example.com', kind = 'person' WHERE id = 3",
			[]string{"Ann@example.com", "bob@example.com"}, []scim.Ref{{Type: "User", ID: "2"}}},
		{"a row that clients do not see takes it", "REPLACE INTO people (id, org, email, kind) VALUES (7, 'o', 'bob@example.com', 'robot')",
			[]string{"Ann@example.com"}, []scim.Ref{{Type: "User", ID: "2"}}},
		{"a row is written again under its own key: the user stays", "REPLACE INTO people (id, org, email) VALUES (2, 'o', 'bob@example.com')", []string{"Ann@example.com", "bob@example.com"}, nil},
		{"a group", "REPLACE INTO teams (id, org, title) VALUES (9, 'o', 'Sales')", []string{"Ann@example.com", "bob@example.com"}, []scim.Ref{{Type: "Group", ID: "1"}}},
		{"another tenant's names do not matter", "REPLACE INTO people (id, org, email) VALUES (8, 'other', 'bob@example.com')", []string{"Ann@example.com", "bob@example.com"}, nil},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			a := app{t: t, db: relaxed(t), d: sqlstore.SQLite}
			makeApp(t, a.db, a.d)
			a.exec("CREATE UNIQUE INDEX team_titles ON teams (org, title)")
			a.exec("INSERT INTO people (org, email, kind) VALUES ('o', 'Ann@example.com', 'person'), ('o', 'bob@example.com', 'person'), ('o', 'robot', 'robot')")
			a.exec("INSERT INTO teams (org, title) VALUES ('o', 'Sales')")
			a.s = newStore(t, a.db, a.d, appOptions("o"))
			a.update("2", map[string]any{"nickName": "Bobby"})
			if err := a.s.SetLink(t.Context(), scim.Link{Source: scim.GroupSource("1"), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}}}}); err != nil {
				t.Fatal(err)
			}
			a.exec(tt.statement)
			a.want("names", tt.names, names(t, a.s))
			for _, ref := range tt.gone {
				if _, err := a.s.Get(t.Context(), ref); !errors.Is(err, scim.ErrNotFound) {
					t.Errorf("%v is there, error %v", ref, err)
				}
				links, err := a.s.Links(t.Context(), []scim.Source{scim.GroupSource("1")})
				if err != nil || ref.Type == "Group" && len(links) > 0 {
					t.Errorf("the group that is gone has the links %v, error %v", links, err)
				}
			}
			if tt.gone == nil {
				a.want("what has no column", "Bobby", a.get("User", "2").String("nickName"))
			}
		})
	}
}

// With recursive_triggers SQLite notes every row that it erases, such as a membership.
func TestMappedReplaceRecursive(t *testing.T) {
	a := app{t: t, db: relaxed(t), d: sqlstore.SQLite}
	a.db.SetMaxOpenConns(1)
	makeApp(t, a.db, a.d)
	a.exec("PRAGMA recursive_triggers = ON")
	a.exec("CREATE UNIQUE INDEX one_team ON team_people (person_id)")
	a.exec("INSERT INTO people (org, email) VALUES ('o', 'ann')")
	a.exec("INSERT INTO teams (org, title) VALUES ('o', 'Sales'), ('o', 'Support')")
	a.exec("INSERT INTO team_people VALUES (1, 1)")
	a.s = newStore(t, a.db, a.d, appOptions("o"))
	a.want("before", []string{"1"}, a.members("1"))
	a.exec("REPLACE INTO team_people VALUES (2, 1)")
	a.want("the team of before", []string{}, a.members("1"))
	a.want("the team of now", []string{"1"}, a.members("2"))
}
