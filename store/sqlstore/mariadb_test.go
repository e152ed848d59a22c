package sqlstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/mariatest"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// mariadb is the server of this test process.
var mariadb mariatest.Server

func TestMariaDB(t *testing.T) {
	db := mariadb.DB(t) // each step is a tenant of its own
	storetest.Run(t, func(t *testing.T) scim.Store {
		return newStore(t, db, sqlstore.MariaDB, sqlstore.Options{Tenant: t.Name()})
	})
}

// The driver writes arguments into the statements, and times as texts. What clients send stays a value.
func TestMariaDBInterpolates(t *testing.T) {
	db := openDB(t, mariatest.Driver, strings.Replace(mariadb.DSN(t), "parseTime=true", "interpolateParams=true", 1))
	makeApp(t, db, sqlstore.MariaDB)
	if os.Getenv("SCIM_LONG") == "1" {
		storetest.Run(t, func(t *testing.T) scim.Store { return newStore(t, db, sqlstore.MariaDB, appOptions(t.Name())) })
	}
	for name, o := range map[string]sqlstore.Options{"own tables": {Tenant: "own"}, "mapped": appOptions(t.Name())} {
		s := newStore(t, db, sqlstore.MariaDB, o)
		for i, text := range []string{`o'Hara`, `back\slash`, `\'`, `\\' OR 1 = 1 -- `, `"quoted"`, "line\nbreak", `?`, `$1`, "\u00fc\U0001F600", `%_`} {
			t.Run(name+"/"+strconv.Quote(text), func(t *testing.T) {
				made := create(t, s, user(t, fmt.Sprintf("u%d@example.com", i), map[string]any{"name": map[string]any{"givenName": text, "familyName": "Holm"}}))
				got, err := s.Get(t.Context(), made.Ref())
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(text, got.String("name.givenName")); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
				if d := cmp.Diff([]string{made.String("userName")}, find(t, s, "name.givenName eq "+string(testhost.Must(json.Marshal(text))))); d != "" {
					t.Errorf("found (-want +got):\n%s", d)
				}
			})
		}
	}
}

// Migrate refuses settings with which data would be lost, and says what to write.
func TestMariaDBSettings(t *testing.T) {
	for setting, want := range map[string]string{
		"":                     "",
		"&sql_mode=%27%27":     "sql_mode is not strict",
		"&sql_mode=%27ANSI%27": "sql_mode is not strict",
		"&sql_mode=%27STRICT_ALL_TABLES,ANSI_QUOTES,PIPES_AS_CONCAT%27": "",
		"&sql_mode=%27STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES%27":        "NO_BACKSLASH_ESCAPES",
		"&charset=latin1":                  "add charset=utf8mb4",
		"&collation=utf8mb4_unicode_ci":    "",
		"&autocommit=0":                    "autocommit is off",
		"&interpolateParams=true":          "",
		"&clientFoundRows=true":            "",
		"&tx_isolation=%27SERIALIZABLE%27": "",
	} {
		t.Run(setting, func(t *testing.T) {
			s, err := sqlstore.New(openDB(t, mariatest.Driver, mariadb.DSN(t)+setting), sqlstore.MariaDB, sqlstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			switch err := s.Migrate(t.Context()); {
			case want == "" && err != nil:
				t.Error(err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("error %v, want %q in it", err, want)
			}
			if want == "" {
				create(t, s, user(t, "ann", nil))
			}
		})
	}
	if _, err := sqlstore.New(mariadb.DB(t), sqlstore.MariaDB, sqlstore.Options{Tenant: strings.Repeat("x", 256)}); err == nil {
		t.Error("a tenant for which the keys have no room")
	}
}

// After a deadlock the database has rolled back the whole transaction. It runs again, also if its
// function does not tell of the error.
func TestMariaDBLost(t *testing.T) {
	s := newStore(t, mariadb.DB(t), sqlstore.MariaDB, sqlstore.Options{})
	refs := []scim.Ref{create(t, s, user(t, "a", map[string]any{"nickName": "0"})).Ref(), create(t, s, user(t, "b", map[string]any{"nickName": "0"})).Ref()}
	countUp := func(ctx context.Context, ref scim.Ref) error {
		_, err := s.Update(ctx, ref, func(u *scim.Resource) (*scim.Resource, error) {
			n, err := strconv.Atoi(u.String("nickName"))
			if err != nil {
				return nil, err
			}
			return u.With(map[string]any{"nickName": strconv.Itoa(n + 1)})
		})
		return err
	}
	var both sync.WaitGroup
	both.Add(2)
	runs := make(chan int, 100)
	parallel(t, 2, func(i int) error {
		isFirst := true
		return s.InTx(t.Context(), func(ctx context.Context) error {
			runs <- i
			if err := countUp(ctx, refs[i]); err != nil {
				return err
			}
			if isFirst {
				isFirst = false
				both.Done()
				both.Wait()
			}
			_ = s.InTx(ctx, func(ctx context.Context) error { return countUp(ctx, refs[1-i]) })
			return nil
		})
	})
	for _, ref := range refs {
		if u, err := s.Get(t.Context(), ref); err != nil || u.String("nickName") != "2" {
			t.Errorf("%v, error %v: two transactions have counted", u, err)
		}
	}
	if len(runs) < 3 {
		t.Errorf("%d runs: there was no deadlock", len(runs))
	}
}

// A tenant and a key are what they are, also where the column's collation takes others for them.
func TestMariaDBCollation(t *testing.T) {
	db := mariadb.DB(t)
	a := app{t: t, db: db, d: sqlstore.MariaDB}
	a.exec("CREATE TABLE people (id varchar(50) COLLATE utf8mb4_unicode_ci PRIMARY KEY, org varchar(50) COLLATE utf8mb4_unicode_ci, email varchar(100) COLLATE utf8mb4_unicode_ci UNIQUE)")
	a.exec("INSERT INTO people VALUES ('a', 'acme', 'ann'), ('b', 'ACME', 'bob'), ('c', 'acme ', 'cy')")
	open := func(tenant string) *sqlstore.Store {
		return newStore(t, db, a.d, sqlstore.Options{Tenant: tenant, Tables: []sqlstore.Table{{Type: "User", Name: "people", Key: "id", KeepID: true, Tenant: "org",
			Columns: []sqlstore.Column{{Name: "email", Path: "userName"}}}}})
	}
	for tenant, want := range map[string]string{"acme": "ann", "ACME": "bob", "acme ": "cy"} {
		s := open(tenant)
		a.want(tenant, []string{want}, names(t, s))
		if _, err := s.Create(t.Context(), user(t, "ÄNN", nil)); !conflict(err) {
			t.Errorf("a name that the index takes for another one: %v, want a conflict", err)
		}
	}
	a.s = open("acme")
	a.exec("UPDATE people SET email = 'Ann' WHERE id = 'a'")
	a.want("a spelling that the collation does not tell apart", []string{"Ann"}, names(t, a.s))
	if _, err := a.s.Get(t.Context(), scim.Ref{Type: "User", ID: "A"}); err == nil {
		t.Error("A is a")
	}
}
