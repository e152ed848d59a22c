package sqlstore_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// uniqueOptions maps people with a userName, a displayName, a title and an e-mail address.
func uniqueOptions(tenant string) sqlstore.Options {
	return sqlstore.Options{Tenant: tenant, Tables: []sqlstore.Table{{
		Type: "User", Name: "people", Key: "id", Tenant: "org", Visible: "t.left_at IS NULL",
		Columns: []sqlstore.Column{{Name: "shown", Path: "displayName"}, {Name: "email", Path: "userName"}, {Name: "number", Path: "title"},
			{Name: "first", Path: "name.givenName"}, {Name: "last", Path: "name.familyName"}},
		Children: []sqlstore.Child{{Path: "emails", Name: "addresses", Parent: "person", Columns: []sqlstore.Column{{Name: "address", Path: "value"}}}},
	}}}
}

// uniquePeople makes the table, with the indexes of an application. Tenant b uses SCIM, c
// does not.
func uniquePeople(t *testing.T, db *sql.DB, d sqlstore.Dialect, indexes ...string) app {
	t.Helper()
	a := app{t: t, db: db, d: d}
	for _, text := range inDialect(d, `CREATE TABLE people (id {serial}, org text NOT NULL, email text NOT NULL, shown text, number text, first text, last text, left_at {time});
CREATE TABLE addresses (person bigint NOT NULL REFERENCES people (id), address text)`) {
		a.exec(text)
	}
	for _, text := range indexes {
		a.exec(text)
	}
	a.exec(`INSERT INTO people (org, email, left_at) VALUES ('a', 'bob@x.com', NULL), ('a', 'gone@x.com', '2026-01-01 00:00:00'),
		('b', 'ann@x.com', NULL), ('b', 'Mixed@X.com', NULL), ('c', 'eve@x.com', NULL), ('c', 'left@x.com', '2026-01-01 00:00:00')`)
	newStore(t, db, d, uniqueOptions("b"))
	a.s = newStore(t, db, d, uniqueOptions("a"))
	return a
}

// A userName is unique in the tenant as SCIM compares it. Where the application's unique
// index looks further, at hidden rows or at other tenants, look-alikes are refused too.
func TestMappedLookAlikes(t *testing.T) {
	names := []string{"BOB@x.com", "GONE@x.com", "Ann@X.com", "mixed@x.com", "Eve@X.com", "LEFT@x.com", "new@x.com"}
	for _, c := range []struct {
		name, index string
		status      []int // of names
		reason      string
	}{
		{"unique in the table", "CREATE UNIQUE INDEX i ON people (email)", []int{409, 409, 409, 409, 409, 409, 201}, "the index looks at all rows"},
		{"unique in the tenant", "CREATE UNIQUE INDEX i ON people (org, email)", []int{409, 409, 201, 201, 201, 201, 201}, "other tenants are others, hidden rows are not"},
		{"unique among those who are there", "CREATE UNIQUE INDEX i ON people (email) WHERE left_at IS NULL", []int{409, 201, 409, 409, 409, 201, 201}, "who left does not count"},
		{"unique among those who left", "CREATE UNIQUE INDEX i ON people (email) WHERE(left_at IS NOT NULL)", []int{409, 201, 201, 201, 201, 201, 201}, "the index does not have the new row"},
		{"unique with another column", "CREATE UNIQUE INDEX i ON people (email, number)", []int{409, 201, 201, 201, 201, 201, 201}, "NULL is no number"},
		{"in any case", "CREATE UNIQUE INDEX i ON people (lower(email))", []int{409, 409, 409, 409, 409, 409, 201}, "the database compares as SCIM does"},
		{"not unique", "CREATE INDEX i ON people (email)", []int{409, 201, 201, 201, 201, 201, 201}, "only SCIM needs it to be unique"},
	} {
		t.Run(c.name, func(t *testing.T) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				if d == sqlstore.MariaDB && strings.Contains(c.index, "WHERE") {
					return // It has no such indexes, and nothing says which rows a generated column is about.
				}
				a := uniquePeople(t, db, d, c.index)
				h := newClient(t, scim.Config{Store: a.s})
				for i, name := range names {
					answer := h.do("POST", "/Users", `{"userName":"`+name+`"}`, c.status[i])
					if want := "userName is taken: another resource has this value"; c.status[i] == 409 && answer["detail"] != want {
						t.Errorf("%s: the detail is %q, want %q, whoever has the name", name, answer["detail"], want)
					}
				}
				if t.Failed() {
					t.Log(c.reason)
				}
				if n := a.row("SELECT count(*) FROM people"); n != fmt.Sprint(6+7-strings.Count(fmt.Sprint(c.status), "409")) {
					t.Errorf("%s rows: what is refused leaves none", n)
				}
			})
		})
	}
}

// A rename is judged as a creation is. A change of other attributes is not judged.
func TestMappedLookAlikesOfRename(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := uniquePeople(t, db, d, "CREATE UNIQUE INDEX i ON people (email)")
		h := newClient(t, scim.Config{Store: a.s})
		rename := func(name string, status int) {
			t.Helper()
			h.do("PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"userName","value":"`+name+`"}]}`, status)
		}
		rename("GONE@x.com", 409)
		rename("ANN@x.com", 409)
		rename("mixed@x.com", 409)
		a.want("the name", "bob@x.com", a.row("SELECT email FROM people WHERE id = 1"))
		rename("BOB@x.com", 200)
		rename("Robert@X.com", 200)
		a.exec("INSERT INTO people (org, email) VALUES ('c', 'robert@x.com')") // by the application
		h.do("PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"title","value":"x"}]}`, 200)
		rename("ROBERT@x.com", 200) // the same name for SCIM
	})
}

// Of two tenants that create look-alikes at once, one succeeds.
func TestMappedLookAlikesAtOnce(t *testing.T) {
	processes(t, 2, func(t *testing.T, dbs []*sql.DB, d sqlstore.Dialect) {
		uniquePeople(t, dbs[0], d, "CREATE UNIQUE INDEX i ON people (email)")
		stores := []*sqlstore.Store{newStore(t, dbs[0], d, uniqueOptions("a")), newStore(t, dbs[1], d, uniqueOptions("b"))}
		for n := range 20 {
			spellings := []string{fmt.Sprintf("N%d@X.com", n), fmt.Sprintf("n%d@X.com", n)}
			var errs [2]error
			parallel(t, 2, func(i int) error {
				_, errs[i] = stores[i].Create(t.Context(), user(t, spellings[i], nil))
				return nil
			})
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Errorf("%v: errors %v, want one", spellings, errs)
			}
			for _, err := range errs {
				if err != nil && !conflict(err) {
					t.Error(err)
				}
			}
		}
	})
}

// A 409 names the attribute that is taken. It says the same of all rows: those of the
// tenant, hidden ones, and those of other tenants.
func TestMappedConflictNamesTheAttribute(t *testing.T) {
	for _, c := range []struct{ name, index, body, want string }{
		{"a column", "CREATE UNIQUE INDEX i ON people (number)", `"title":"%s"`, "title is taken: another resource has this value"},
		{"with the tenant", "CREATE UNIQUE INDEX i ON people (org, number)", `"title":"%s"`, "title is taken: another resource has this value"},
		{"an expression", "CREATE UNIQUE INDEX i ON people (lower(number))", `"title":"%s"`, "title is taken: another resource has this value"},
		{"an expression and a condition", "CREATE UNIQUE INDEX i ON people (lower(number)) WHERE email <> ''", `"title":"%s"`, "title is taken: another resource has this value"},
		{"two columns", "CREATE UNIQUE INDEX i ON people (first, last)", `"name":{"givenName":"%s","familyName":"l"}`, "name.givenName, name.familyName are taken together: another resource has these values"},
		{"an element", "CREATE UNIQUE INDEX i ON addresses (address)", `"emails":[{"value":"%s"}]`, "emails.value is taken: another resource has this value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				if d == sqlstore.MariaDB && strings.Contains(c.index, "WHERE") {
					return // Its generated column names the columns of the condition, too.
				}
				a := uniquePeople(t, db, d, c.index)
				a.exec("UPDATE people SET shown = 'Everybody', number = 'n' || id, first = 'n' || id, last = 'l'")
				a.exec("INSERT INTO addresses SELECT id, 'n' || id FROM people")
				a.exec("CREATE INDEX everybody ON people (shown)")
				h := newClient(t, scim.Config{Store: a.s})
				taken := []string{"n1", "n2", "n3", "n5", "n6"} // of the tenant, hidden, of another, of one without SCIM, hidden there
				if c.name == "with the tenant" {
					taken = taken[:2]
				}
				for i, value := range taken {
					body := fmt.Sprintf(`{"userName":"u%d","displayName":"Everybody",`+c.body+`}`, i, value)
					if answer := h.do("POST", "/Users", body, 409); answer["detail"] != c.want || answer["scimType"] != "uniqueness" {
						t.Errorf("%s: the detail is %q, want %q", value, answer["detail"], c.want)
					}
				}
				free := h.do("POST", "/Users", fmt.Sprintf(`{"userName":"u","displayName":"Everybody",`+c.body+`}`, "free"), 201)
				answer := h.do("PUT", "/Users/"+fmt.Sprint(free["id"]), fmt.Sprintf(`{"userName":"u","displayName":"Everybody",`+c.body+`}`, "n2"), 409)
				if answer["detail"] != c.want {
					t.Errorf("PUT: the detail is %q, want %q", answer["detail"], c.want)
				}
			})
		})
	}
}
