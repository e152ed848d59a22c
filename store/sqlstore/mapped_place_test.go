package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// One connection.
func TestMappedOneConnection(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("CREATE TABLE jobs (id integer PRIMARY KEY, title text)")
		a.exec("INSERT INTO jobs VALUES (1, 'Sales')")
		a.exec("CREATE TABLE job_people (job_id integer, person_id bigint, PRIMARY KEY (job_id, person_id))")
		jobs, err := a.s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "jobs", ID: "id", Name: "title", Holders: "job_people", User: "person_id", Role: "job_id"})
		if err != nil {
			a.t.Fatal(err)
		}
		a.db.SetMaxOpenConns(1)
		c := newClient(a.t, scim.Config{Store: a.s, Limits: scim.Limits{Time: 3 * time.Second}, Roles: &scim.Roles{Resolver: jobs}, Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson)}})
		a.exec("UPDATE people SET status = 'active'")
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"2"}]}]}`, 204)
		a.exec("UPDATE people SET first_name = 'x'")
		c.do("GET", "/Users?filter=active+eq+true", "", 200)
		c.do("GET", "/Groups", "", 200)
		c.do("POST", "/Users", `{"userName":"robot@example.com"}`, 409)
		c.do("POST", "/Users", `{"userName":"n@example.com"}`, 201)
		a.exec("UPDATE people SET first_name = 'y'")
		c.do("PATCH", "/Users/2", externalID, 200) // else it is unclaimed
		c.do("DELETE", "/Users/2", "", 204)
		c.do("DELETE", "/Groups/1", "", 204)
	})
}

// Processes of several tenants migrate at once, while the application writes.
func TestMappedMigrateAtOnce(t *testing.T) {
	processes(t, 6, func(t *testing.T, dbs []*sql.DB, d sqlstore.Dialect) {
		makeApp(t, dbs[0], d)
		ctx, cancel := context.WithCancel(t.Context())
		wrote := make(chan int, 1)
		go func() {
			n := 0
			for ; ctx.Err() == nil; n++ {
				for _, org := range []string{"a", "b", "c"} {
					if _, err := dbs[0].Exec(says(d, "INSERT INTO people (org, email) VALUES ($1, $2)"), org, fmt.Sprint("p", n)); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(time.Millisecond)
			}
			wrote <- n
		}()
		time.Sleep(20 * time.Millisecond)
		var stores [6]*sqlstore.Store
		parallel(t, 6, func(i int) (err error) {
			if stores[i], err = sqlstore.New(dbs[i], d, appOptions(string(rune('a'+i%3)))); err == nil {
				err = stores[i].Migrate(t.Context())
			}
			return err
		})
		time.Sleep(20 * time.Millisecond)
		cancel()
		n := <-wrote
		for i, s := range stores {
			page, err := s.List(t.Context(), scim.UserType(), &scim.Query{Total: true})
			if err != nil || page.Total != n {
				t.Errorf("store %d: %d, %v, want %d", i, page.Total, err, n)
			}
		}
	})
}

// Schemas and quoted names.
func TestMappedQuoted(t *testing.T) {
	db := postgres.DB(t)
	a := app{t: t, db: db, d: sqlstore.Postgres}
	a.exec("CREATE SCHEMA app")
	a.exec("CREATE EXTENSION IF NOT EXISTS citext")
	a.exec(`CREATE TABLE app."User" ("userId" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "eMail" citext NOT NULL UNIQUE, "isActive" boolean NOT NULL DEFAULT true, "createdAt" timestamptz NOT NULL DEFAULT now())`)
	a.exec(`CREATE TABLE app."Group" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "displayName" varchar(20) NOT NULL)`)
	a.exec(`CREATE TABLE app."Member" ("groupId" bigint REFERENCES app."Group" ON DELETE CASCADE, "userId" uuid REFERENCES app."User" ON DELETE CASCADE, PRIMARY KEY ("groupId", "userId")) PARTITION BY HASH ("groupId")`)
	a.exec(`CREATE TABLE app.member0 PARTITION OF app."Member" FOR VALUES WITH (MODULUS 1, REMAINDER 0)`)
	a.exec(`CREATE TABLE app."Role" (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name citext UNIQUE)`)
	a.exec(`CREATE TABLE app."UserRole" (role uuid REFERENCES app."Role" ON DELETE CASCADE, "userId" uuid REFERENCES app."User" ON DELETE CASCADE, PRIMARY KEY (role, "userId"))`)
	a.exec(`INSERT INTO app."Role" (name) VALUES ('Sales')`)
	a.exec(`INSERT INTO app."Group" ("displayName") VALUES ('Sales')`)
	a.exec(`INSERT INTO app."User" ("eMail") VALUES ('Bob@x.com')`)
	a.exec(`INSERT INTO app."Member" SELECT 1, "userId" FROM app."User"`)
	s := newStore(t, db, a.d, sqlstore.Options{Tables: []sqlstore.Table{
		{Type: "User", Name: `app."User"`, Key: `"userId"`, Created: `"createdAt"`, Columns: []sqlstore.Column{{Name: `"eMail"`, Path: "userName"}, {Name: `"isActive"`, Path: "active", Empty: true}}},
		{Type: "Group", Name: `app."Group"`, Key: "id", Columns: []sqlstore.Column{{Name: `"displayName"`, Path: "displayName"}}},
	}, Members: &sqlstore.Join{Name: `app."Member"`, Group: `"groupId"`, User: `"userId"`}})
	a.s = s
	jobs, err := s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: `app."Role"`, ID: "id", Name: "name", Holders: `app."UserRole"`, User: `"userId"`, Role: "role"})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, scim.Config{Store: s, Roles: &scim.Roles{Resolver: jobs}})
	a.want("members", 1, len(a.members("1")))
	u := c.do("POST", "/Users", `{"userName":"ann@x.com"}`, 201)
	c.do("POST", "/Users", `{"userName":"BOB@x.com"}`, 409)
	c.do("PATCH", "/Groups/1", fmt.Sprintf(`{"Operations":[{"op":"add","path":"members","value":[{"value":"%s"}]}]}`, u["id"]), 204)
	c.do("POST", "/Groups", `{"displayName":"a name that is longer than twenty"}`, 400)
	a.want("members", 2, len(a.members("1")))
	a.want("roles of who is new", "1", a.row(`SELECT count(*) FROM app."UserRole" JOIN app."User" u USING ("userId") WHERE u."eMail" = 'ann@x.com'`))
	c.do("PATCH", "/Users/"+fmt.Sprint(u["id"]), `{"Operations":[{"op":"replace","path":"active","value":false}]}`, 200)
	a.want("roles of who is inactive", "0", a.row(`SELECT count(*) FROM app."UserRole" JOIN app."User" u USING ("userId") WHERE u."eMail" = 'ann@x.com'`))
	c.do("DELETE", "/Users/"+fmt.Sprint(u["id"]), "", 204)
	c.do("DELETE", "/Groups/1", "", 204)
}

// Limits that administrators set for a role or a database.
func TestMappedLockTimeout(t *testing.T) {
	for _, setting := range []string{"lock_timeout", "statement_timeout"} {
		t.Run(setting, func(t *testing.T) {
			db := postgres.DB(t)
			makeApp(t, db, sqlstore.Postgres)
			a := app{t: t, db: db, d: sqlstore.Postgres}
			a.exec("INSERT INTO people (org, email) VALUES ('o', 'bob')")
			a.s = newStore(t, db, a.d, appOptions("o"))
			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback() //nolint:errcheck // over
			if _, err := tx.Exec("UPDATE people SET first_name = 'x'"); err != nil {
				t.Fatal(err)
			}
			a.exec(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET ` + setting + ` = ''300ms''', current_database()); END $$`)
			db.SetMaxIdleConns(0) // new connections
			c := newClient(t, scim.Config{Store: a.s})
			c.do("PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"title","value":"x"}]}`, 503)
		})
	}
}
