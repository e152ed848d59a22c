package sqlstore_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// To and From of the application for "active", with a value that says nothing about it.
func TestMappedActiveAbsent(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		a.exec(inDialect(d, "CREATE TABLE people (id {serial}, email text NOT NULL UNIQUE, state integer NOT NULL)")[0])
		a.exec("INSERT INTO people (email, state) VALUES ('unknown', 0), ('on', 1), ('off', 2)")
		a.s = newStore(t, db, d, sqlstore.Options{Tables: []sqlstore.Table{
			{Type: "User", Name: "people", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}, {
				Name: "state", Path: "active", Empty: 0,
				To: func(v any) (any, error) {
					if v == true {
						return 1, nil
					}
					return 2, nil
				},
				From: func(v any) (any, error) {
					if v == int64(0) {
						return nil, nil
					}
					return v == int64(1), nil
				},
			}}}}})
		c := newClient(t, scim.Config{Store: a.s})
		shown := func(id string) any { return c.do("GET", "/Users/"+id, "", 200)["active"] }
		state := func(id string) string { return a.row("SELECT CAST(state AS text) FROM people WHERE id = " + id) }
		a.want("unknown", nil, shown("1"))
		a.want("on", any(true), shown("2"))
		a.want("off", any(false), shown("3"))
		a.want("found as inactive", []string{"off"}, find(t, a.s, "active eq false"))
		id := c.do("POST", "/Users", `{"userName":"ann"}`, 201)["id"].(string)
		a.want("created without active: the handler activates", "1", state(id))
		a.want("unknown counts as active", true, a.get("User", "1").Active())
		c.do("PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"displayName","value":"U"}]}`, 200)
		a.want("after another change", "0", state("1"))
		c.do("PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"active","value":false}]}`, 200)
		a.want("deactivated", "2", state("1"))
		c.do("PUT", "/Users/1", `{"userName":"unknown"}`, 200)
		a.want("after a PUT without active", "2", state("1"))
		a.exec("UPDATE people SET state = 0 WHERE id = 1")
		a.want("the application takes it back", nil, shown("1"))
	})
}

// One column from two attributes, by a rule, and two columns from one attribute.
func TestMappedFullName(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		a.exec(inDialect(d, "CREATE TABLE people (id {serial}, email text NOT NULL UNIQUE, login text NOT NULL UNIQUE, full_name text NOT NULL)")[0])
		login := func(v any) (any, error) { name, _, _ := strings.Cut(v.(string), "@"); return name, nil }
		a.s = newStore(t, db, d, sqlstore.Options{Tables: []sqlstore.Table{
			{Type: "User", Name: "people", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"},
				{Name: "login", Path: "userName", To: login}, {Name: "full_name", Path: "displayName", Empty: ""}}}}})
		c := newClient(t, scim.Config{Store: a.s, Rules: []scim.Rule{func(_ context.Context, c *scim.Change) (err error) {
			if c.After != nil {
				name := c.After.String("name.givenName") + " " + c.After.String("name.familyName")
				c.After, err = c.After.With(map[string]any{"displayName": strings.TrimSpace(name)})
			}
			return err
		}}})
		row := func() string {
			return a.row("SELECT email || ' ' || login || ' ' || full_name FROM people WHERE id = 1")
		}
		c.do("POST", "/Users", `{"userName":"ann@x.com","name":{"givenName":"Ann","familyName":"Lee"}}`, 201)
		a.want("created", "ann@x.com ann Ann Lee", row())
		c.do("PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"name.familyName","value":"Day"}]}`, 200)
		a.want("married", "ann@x.com ann Ann Day", row())
		c.do("PUT", "/Users/1", `{"userName":"eve@x.com","name":{"givenName":"Eve"}}`, 200)
		a.want("replaced", "eve@x.com eve Eve", row())
		a.want("shown", "Eve", a.get("User", "1").String("displayName"))
	})
}

// A column with Of is for the element with this type only. A column without Of is for the primary
// element, or else the first.
func TestMappedOfType(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		a.exec(inDialect(d, "CREATE TABLE people (id {serial}, login text NOT NULL UNIQUE, phone text, email text)")[0])
		a.s = newStore(t, db, d, sqlstore.Options{Tables: []sqlstore.Table{
			{Type: "User", Name: "people", Key: "id", Columns: []sqlstore.Column{{Name: "login", Path: "userName"},
				{Name: "phone", Path: "phoneNumbers.value", Of: "work"}, {Name: "email", Path: "emails.value"}}}}})
		c := newClient(t, scim.Config{Store: a.s})
		row := func() string {
			return a.row("SELECT COALESCE(phone, '-') || ' ' || COALESCE(email, '-') FROM people WHERE id = 1")
		}
		c.do("POST", "/Users", `{"userName":"ann","phoneNumbers":[{"value":"1"},{"value":"2","type":"home"}],"emails":[{"value":"a@x.com"},{"value":"b@x.com"}]}`, 201)
		a.want("no phone of this type; the first address", "- a@x.com", row())
		a.want("phones beside the table", 2, len(a.get("User", "1").Get("phoneNumbers").([]any)))
		c.do("PUT", "/Users/1", `{"userName":"ann","phoneNumbers":[{"value":"1"},{"value":"3","type":"Work"}],"emails":[{"value":"a@x.com"},{"value":"b@x.com","primary":true}]}`, 200)
		a.want("the phone of this type; the primary address", "3 b@x.com", row())
	})
}
