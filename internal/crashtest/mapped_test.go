package crashtest

import (
	"context"
	"database/sql"

	"github.com/scimkit/scim/internal/mariatest"
	"github.com/scimkit/scim/store/sqlstore"
)

// tables makes and maps the tables of an application, unless they exist. Their keys are the
// ids that the handler makes, so a client sees no difference.
func tables(ctx context.Context, db *sql.DB, d sqlstore.Dialect) (sqlstore.Options, error) {
	if _, err := db.ExecContext(ctx, "SELECT 1 FROM people, teams, team_people"); err != nil {
		for _, text := range []string{
			"CREATE TABLE people (id text PRIMARY KEY, email text NOT NULL UNIQUE, status text NOT NULL, title text)",
			"CREATE TABLE teams (id text PRIMARY KEY, name text)",
			"CREATE TABLE team_people (team_id text NOT NULL REFERENCES teams (id), person_id text NOT NULL REFERENCES people (id), PRIMARY KEY (team_id, person_id))",
			"CREATE INDEX team_people_person ON team_people (person_id)",
		} {
			if d == sqlstore.MariaDB {
				text, _ = mariatest.Statement(text)
			}
			if _, err := db.ExecContext(ctx, text); err != nil {
				return sqlstore.Options{}, err
			}
		}
	}
	return sqlstore.Options{
		Tables: []sqlstore.Table{
			{Type: "User", Name: "people", Key: "id", KeepID: true, Columns: []sqlstore.Column{
				{Name: "email", Path: "userName"}, {Name: "title", Path: "title"}, sqlstore.ActiveWhen("status", "active", "left")}},
			{Type: "Group", Name: "teams", Key: "id", KeepID: true, Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
		},
		Members: &sqlstore.Join{Name: "team_people", Group: "team_id", User: "person_id"},
	}, nil
}

// apart are queries for differences between what clients see and what the application has.
var apart = map[string]string{
	"people that clients do not see": "SELECT count(*) FROM people p WHERE NOT EXISTS (SELECT 1 FROM scim_resources r WHERE r.type = 'User' AND r.deleted = 0 AND r.id = p.id)",
	"users that are no people":       "SELECT count(*) FROM scim_resources r WHERE r.type = 'User' AND NOT EXISTS (SELECT 1 FROM people p WHERE r.id = p.id AND r.doc LIKE '%\"userName\":\"' || p.email || '\"%')",
	"teams that clients do not see":  "SELECT count(*) FROM teams t WHERE NOT EXISTS (SELECT 1 FROM scim_resources r WHERE r.type = 'Group' AND r.deleted = 0 AND r.id = t.id)",
	"groups that are no teams":       "SELECT count(*) FROM scim_resources r WHERE r.type = 'Group' AND NOT EXISTS (SELECT 1 FROM teams t WHERE r.id = t.id)",
	"people in teams, not members":   "SELECT count(*) FROM team_people j WHERE NOT EXISTS (SELECT 1 FROM scim_members m WHERE m.group_id = j.team_id AND m.member_type = 'User' AND m.member_id = j.person_id)",
	"members who are in no team":     "SELECT count(*) FROM scim_members m WHERE m.member_type = 'User' AND NOT EXISTS (SELECT 1 FROM team_people j WHERE m.group_id = j.team_id AND m.member_id = j.person_id)",
	"notes of what the store wrote":  "SELECT count(*) FROM scim_stale",
}
