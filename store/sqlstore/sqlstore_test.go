package sqlstore_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

func TestNewListsMistakes(t *testing.T) {
	c := scim.GroupConfig()
	c.Name = "Group'"
	odd, err := scim.NewResourceType(c)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sqlstore.New(nil, 0, sqlstore.Options{Prefix: "a-b", Tenant: "\x00", Types: []*scim.ResourceType{scim.UserType(), scim.UserType(), odd}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"db is nil", "unknown dialect 0", `Prefix "a-b"`, `Tenant "\x00"`, `two types "User"`, `type "Group'"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not tell of %s:\n%v", want, err)
		}
	}
	if _, err := sqlstore.NewLedger(nil, sqlstore.SQLite, sqlstore.Options{}); err == nil {
		t.Error("a ledger without a database")
	}
}

func TestWithoutMigrate(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s, err := sqlstore.New(db, d, sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Create(t.Context(), user(t, "ann", nil)); err == nil {
			t.Error("a user was created without tables")
		}
	})
}

func TestLedgerAlone(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		storetest.RunLedger(t, func(t *testing.T) scim.Ledger {
			l, err := sqlstore.NewLedger(db, d, sqlstore.Options{Tenant: t.Name()})
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			return l
		})
	})
}

// Links are stored by the text of their source, which never changes: a ledger of earlier days
// must still be read.
func TestStoredLinks(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		l, err := sqlstore.NewLedger(db, d, sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for stored, source := range map[string]scim.Source{
			"group:g1":      scim.GroupSource("g1"),
			"attr:roles=a":  scim.AttributeSource("roles", "a"),
			"group:attr:x":  scim.GroupSource("attr:x"),
			"group:group:x": scim.GroupSource("group:x"),
		} {
			want := scim.Link{Source: source, Name: "R (7)", At: time.UnixMicro(1).UTC(), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r", Name: "R", Weight: 2, Protected: true}, Confirmed: true}}}
			if err := l.SetLink(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			var n int
			if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM scim_links WHERE source = '"+stored+"'").Scan(&n); n != 1 || err != nil {
				t.Errorf("%s is not stored as %q: %d rows, error %v", source, stored, n, err)
			}
			if got, err := l.Links(t.Context(), []scim.Source{source}); err != nil || !cmp.Equal(got, []scim.Link{want}) {
				t.Errorf("Links of %s: %v, error %v", source, got, err)
			}
		}
	})
}

// A ledger alone joins the application's transaction, and locks users that it has
// never seen.
func TestLedgerJoins(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		l, err := sqlstore.NewLedger(db, d, sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		grant := scim.Grant{UserID: "7", RoleID: "editor", Source: "group:1", At: time.UnixMicro(1).UTC()}
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Record(sqlstore.WithTx(t.Context(), db, tx), []scim.Grant{grant}, nil); err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if got, err := l.Grants(t.Context(), []string{"7"}); len(got) > 0 || err != nil {
			t.Errorf("%v is there after a rollback, error %v", got, err)
		}
		const n = 10
		var o *sql.TxOptions
		if d == sqlstore.MariaDB { // see WithTx
			o = &sql.TxOptions{Isolation: sql.LevelReadCommitted}
		}
		parallel(t, n, func(i int) error {
			tx, err := db.BeginTx(t.Context(), o)
			if err != nil {
				return err
			}
			defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
			ctx := sqlstore.WithTx(t.Context(), db, tx)
			users := []string{"7", "8"}
			if i%2 == 1 {
				users = []string{"8", "7"}
			}
			have, err := l.Grants(ctx, users)
			if err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
			grant := grant
			grant.RoleID = fmt.Sprint("role", len(have))
			if err := l.Record(ctx, []scim.Grant{grant}, nil); err != nil {
				return err
			}
			return tx.Commit()
		})
		if got, err := l.Grants(t.Context(), []string{"7"}); len(got) != n || err != nil {
			t.Errorf("%d entries, error %v, after %d transactions put one beside those they saw", len(got), err, n)
		}
	})
}

// What the application writes with Store.DB commits and rolls back with the rest.
func TestHostJoins(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		if _, err := db.Exec("CREATE TABLE app_roles (name text)"); err != nil {
			t.Fatal(err)
		}
		refused := errors.New("refused")
		for _, want := range []error{refused, nil} {
			err := s.InTx(t.Context(), func(ctx context.Context) error {
				if sqlstore.Tx(ctx, db) == nil || sqlstore.Tx(ctx, new(sql.DB)) != nil {
					t.Error("the transaction is not, or not only, that of its database")
				}
				if _, err := s.DB(ctx).ExecContext(ctx, "INSERT INTO app_roles (name) VALUES ('x')"); err != nil {
					return err
				}
				return want
			})
			if err != want {
				t.Errorf("InTx: error %v, want %v", err, want)
			}
		}
		var n int
		if err := s.DB(t.Context()).QueryRowContext(t.Context(), "SELECT count(*) FROM app_roles").Scan(&n); n != 1 || err != nil {
			t.Errorf("%d rows, error %v, want the one that was committed", n, err)
		}
		if sqlstore.Tx(t.Context(), db) != nil {
			t.Error("there is a transaction where none was begun")
		}
	})
}

// What was not done to its end is not there, also if the host commits nevertheless.
func TestHostCommitsAfterCancel(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
		ctx, cancel := context.WithCancel(sqlstore.WithTx(t.Context(), db, tx))
		err = s.InTx(ctx, func(ctx context.Context) error {
			if _, err := s.Create(ctx, user(t, "half", nil)); err != nil {
				return err
			}
			cancel()
			return ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that the context was canceled", err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string(nil), names(t, s)); diff != "" {
			t.Errorf("users (-want +got):\n%s", diff)
		}
	})
}

func TestTenantsApart(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.SQLite {
			db = relaxed(t)
		}
		for name, other := range map[string]sqlstore.Options{"another tenant": {Tenant: "b"}, "another prefix": {Prefix: "other_"}} {
			t.Run(name, func(t *testing.T) {
				storetest.RunTenants(t, func(t *testing.T) (a, b scim.Store) {
					other := other
					other.Tenant += t.Name()
					return newStore(t, db, d, sqlstore.Options{Tenant: t.Name()}), newStore(t, db, d, other)
				})
			})
		}
	})
}

// Reindex of one tenant leaves what others have alone.
func TestReindexApart(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a, b := newStore(t, db, d, sqlstore.Options{Tenant: "a"}), newStore(t, db, d, sqlstore.Options{Tenant: "b"})
		create(t, a, user(t, "ann", map[string]any{"emails": []any{map[string]any{"value": "ann@example.com"}}}))
		if err := b.Reindex(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"ann"}, find(t, a, `emails.value eq "ann@example.com"`)); diff != "" {
			t.Errorf("the other tenant afterwards (-want +got):\n%s", diff)
		}
	})
}

func TestKeepDeleted(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		at := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
		s := newStore(t, db, d, sqlstore.Options{KeepDeleted: true, Now: func() time.Time { return at }})
		u := user(t, "ann", map[string]any{"emails": []any{map[string]any{"value": "ann@example.com"}}})
		for range 3 { // the same id and the same moment
			create(t, s, u)
			if diff := cmp.Diff([]string{"ann"}, find(t, s, `emails.value eq "ann@example.com"`)); diff != "" {
				t.Errorf("users (-want +got):\n%s", diff)
			}
			if err := s.Delete(t.Context(), u.Ref(), func(*scim.Resource) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Get(t.Context(), u.Ref()); !errors.Is(err, scim.ErrNotFound) {
				t.Errorf("Get after Delete: %v", err)
			}
			if got := names(t, s); len(got) > 0 {
				t.Errorf("List after Delete: %q", got)
			}
		}
		var rows int
		var first, last int64
		if err := db.QueryRow("SELECT count(*), min(deleted), max(deleted) FROM scim_resources").Scan(&rows, &first, &last); err != nil {
			t.Fatal(err)
		}
		if rows != 3 || first != at.UnixMicro() || last != first+2 {
			t.Errorf("%d rows are labelled from %d to %d, want 3 from %d on", rows, first, last, at.UnixMicro())
		}
	})
	t.Run("contract", func(t *testing.T) {
		db := postgres.DB(t)
		storetest.Run(t, func(t *testing.T) scim.Store {
			return newStore(t, db, sqlstore.Postgres, sqlstore.Options{Tenant: t.Name(), KeepDeleted: true, UniqueIDs: true, Prefix: "kept_"})
		})
	})
}

// Values longer than a database takes into an index are stored, found and unique.
func TestLongValues(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		long := ""
		for i := range 200 { // what does not compress: 3,400 bytes, and a filter has 4,096 at most
			long += fmt.Sprintf("é%x", sha256.Sum256([]byte{byte(i)}))[:17]
		}
		for i := range 2 {
			text := fmt.Sprint(long, i)
			create(t, s, user(t, text, map[string]any{"displayName": text, "externalId": text, "emails": []any{map[string]any{"value": text}}}))
		}
		for _, path := range []string{"userName", "displayName", "externalId", "emails.value"} {
			for filter, want := range map[string][]string{
				path + ` eq "` + long + `1"`:                {long + "1"},
				path + ` eq "` + long + `"`:                 nil,
				path + ` sw "` + long + `" and userName pr`: {long + "0", long + "1"},
			} {
				if diff := cmp.Diff(want, find(t, s, filter)); diff != "" {
					t.Errorf("%.20s… (-want +got):\n%.200s", filter, diff)
				}
			}
		}
		if _, err := s.Create(t.Context(), user(t, strings.ToUpper(long)+"1", nil)); !conflict(err) {
			t.Errorf("create of a long name that is taken: %v", err)
		}
	})
}

// After a change of the schema, Reindex makes filters see what is stored.
func TestReindex(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		type world struct {
			*sqlstore.Store
			typ *scim.ResourceType
		}
		with := func(caseExact bool) world {
			c := scim.UserConfig()
			c.Schema.Attributes = append(c.Schema.Attributes,
				schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: "team", CaseExact: caseExact})))
			typ, err := scim.NewResourceType(c)
			if err != nil {
				t.Fatal(err)
			}
			return world{newStore(t, db, d, sqlstore.Options{Types: []*scim.ResourceType{typ}}), typ}
		}
		count := func(w world) int {
			f, err := scim.ParseFilter(w.typ, `team eq "RED"`)
			if err != nil {
				t.Fatal(err)
			}
			p, err := w.List(t.Context(), w.typ, &scim.Query{Filter: f})
			if err != nil {
				t.Fatal(err)
			}
			return p.Total
		}
		exact, folded := with(true), with(false)
		const n = 501 // more than one batch
		if err := exact.InTx(t.Context(), func(ctx context.Context) error {
			for i := range n {
				if _, err := exact.Create(ctx, bind(t, exact.typ, map[string]any{"userName": fmt.Sprint("u", i), "team": "Red"})); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if got := count(exact); got != 0 {
			t.Errorf("%d users are found by a team in another case, which counts", got)
		}
		if err := folded.Reindex(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := count(folded); got != n {
			t.Errorf("%d users are found by what is no longer case-exact, want %d", got, n)
		}
	})
}

// A database that cannot be reached is an answer that a client tries again after.
func TestUnreachable(t *testing.T) {
	db, err := sql.Open(pgtest.Driver, "postgres://nobody@127.0.0.1:1/none?sslmode=disable&connect_timeout=2")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // it was never open
	s, err := sqlstore.New(db, sqlstore.Postgres, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Get(t.Context(), scim.Ref{Type: "User", ID: "1"})
	_, err2 := s.Create(t.Context(), user(t, "ann", nil))
	for _, err := range []error{err, err2} {
		var e *scim.Error
		if !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable || e.RetryAfter <= 0 || strings.Contains(e.Detail, "127.0.0.1") || e.Err == nil {
			t.Errorf("error %#v, want 503 with Retry-After, and a cause that is not sent", err)
		}
	}
}
