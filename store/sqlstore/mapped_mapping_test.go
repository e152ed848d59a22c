package sqlstore_test

import (
	"context"
	"database/sql"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// The tables of the tests hold everything that RunMapping writes.
func TestMappedMapping(t *testing.T) {
	apps(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		storetest.RunMapping(t, func(t *testing.T) storetest.Mapping {
			return storetest.Mapping{Store: newStore(t, db, d, appOptions(t.Name()))}
		})
	})
}

// limitedTables are tables of an application whose columns hold little.
const limitedTables = `
CREATE TABLE people (
	id {serial}, org text NOT NULL, email text NOT NULL, first text NOT NULL, nick varchar(20), kind text CHECK (kind IN ('member', 'guest')),
	zone text, lang text, full_name text GENERATED ALWAYS AS (first || '!') STORED, note text, mail varchar(60), status smallint NOT NULL DEFAULT 1,
	chief bigint REFERENCES people (id), gone_at {time}, made {time} NOT NULL DEFAULT {second}, UNIQUE (org, email), UNIQUE (org, mail));
CREATE TABLE teams (id {serial}, org text NOT NULL, title varchar(40) NOT NULL, UNIQUE (org, title));
CREATE TABLE team_people (team_id bigint NOT NULL REFERENCES teams (id), person_id bigint NOT NULL REFERENCES people (id), PRIMARY KEY (team_id, person_id))`

// limitedOptions maps them.
func limitedOptions(org string) sqlstore.Options {
	lower := func(v any) (any, error) { return strings.ToLower(v.(string)), nil }
	return sqlstore.Options{Tenant: org, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Tables: []sqlstore.Table{
		{Type: "User", Name: "people", Key: "id", Tenant: "org", Created: "made", Visible: "t.gone_at IS NULL",
			Columns: []sqlstore.Column{
				{Name: "email", Path: "userName", To: lower}, {Name: "first", Path: "name.givenName"}, {Name: "nick", Path: "nickName"},
				{Name: "kind", Path: "userType"}, {Name: "zone", Path: "timezone", SetOnce: true}, {Name: "lang", Path: "preferredLanguage", KeepWhenAbsent: true},
				{Name: "full_name", Path: "displayName", ReadOnly: true}, {Name: "note", Path: "title", To: lower}, {Name: "mail", Path: "emails.value"},
				sqlstore.ActiveWhen("status", 1, 0), {Name: "chief", Path: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"},
			},
			Retire: func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
				return map[string]any{"gone_at": now}
			}},
		{Type: "Group", Name: "teams", Key: "id", Tenant: "org", Columns: []sqlstore.Column{{Name: "title", Path: "displayName"}}},
	}, Members: &sqlstore.Join{Name: "team_people", Group: "team_id", User: "person_id"}}
}

// What columns cannot hold is declared, and the rest holds.
func TestMappedMappingLimits(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		second := "(date_trunc('second', now()))"
		switch d {
		case sqlstore.SQLite:
			db, second = relaxed(t), "CURRENT_TIMESTAMP"
		case sqlstore.MariaDB:
			second = "CURRENT_TIMESTAMP"
		}
		for _, text := range inDialect(d, strings.ReplaceAll(limitedTables, "{second}", second)) {
			if d == sqlstore.SQLite { // which ignores lengths
				text = strings.NewReplacer("nick varchar(20)", "nick varchar(20) CHECK (length(nick) <= 20)").Replace(text)
			}
			execText(t, db, text)
		}
		storetest.RunMapping(t, func(t *testing.T) storetest.Mapping {
			return storetest.Mapping{Store: newStore(t, db, d, limitedOptions(t.Name())), KeepsNames: true, Users: map[string]storetest.Limit{
				"name.givenName":    {Required: true},
				"userType":          {Values: [2]any{"member", "guest"}},
				"timezone":          {SetOnce: true},
				"preferredLanguage": {KeepWhenAbsent: true},
				"displayName":       {ReadOnly: true},
				"title":             {Changes: true},
			}}
		})
	})
}
