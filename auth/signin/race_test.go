package signin_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/signin"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

// sessions is what a sign-in begins and a deactivation ends.
type sessions interface {
	scim.Store
	begin(ctx context.Context, user *scim.Resource) error
	count() (int, error)
}

// inMemory keeps sessions in a map.
type inMemory struct {
	*memory.Store
	mu  sync.Mutex
	all map[string]int
}

func (s *inMemory) begin(_ context.Context, user *scim.Resource) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[user.ID()]++
	return nil
}

func (s *inMemory) Deactivate(_ context.Context, user *scim.Resource) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, user.ID())
	return nil
}

func (s *inMemory) count() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all), nil
}

// inSQL keeps sessions in a table.
type inSQL struct {
	*sqlstore.Store
	db *sql.DB
}

func (s *inSQL) begin(ctx context.Context, user *scim.Resource) error {
	_, err := s.DB(ctx).ExecContext(ctx, "INSERT INTO sessions (user_id) VALUES (?)", user.ID())
	return err
}

func (s *inSQL) Deactivate(ctx context.Context, user *scim.Resource) error {
	_, err := s.DB(ctx).ExecContext(ctx, "DELETE FROM sessions WHERE user_id = ?", user.ID())
	return err
}

func (s *inSQL) count() (n int, err error) {
	err = s.db.QueryRow("SELECT count(*) FROM sessions").Scan(&n)
	return n, err
}

func newSQL(t *testing.T) *inSQL {
	t.Helper()
	db, err := sql.Open(sqlitetest.Driver, sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "app.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	if _, err := db.Exec("CREATE TABLE sessions (user_id text NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	store, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{Types: []*scim.ResourceType{signin.UserType(), scim.GroupType()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &inSQL{store, db}
}

// A person is deactivated while signing in, the first time and later. Afterwards there is no session:
// either the sign-in was refused, or the deactivation has ended its session.
func TestDeactivationAtOnce(t *testing.T) {
	for name, store := range map[string]sessions{
		"memory": &inMemory{Store: memory.New(), all: map[string]int{}},
		"SQLite": newSQL(t),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, store, staff...)
			p := w.people(func(o *signin.Options) { o.Session = store.begin })
			ann := "/Users/" + w.ids["ann@acme.com"]
			before := w.send("GET", ann, "").Body.String()
			if _, err := p.SignIn(t.Context(), okta, "00u1", nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, w.send("GET", ann, "").Body.String()); diff != "" {
				t.Errorf("clients see the sign-in (-before +after):\n%s", diff)
			}
			set := func(active string) {
				if out := w.send("PATCH", ann, `{"Operations": [{"op": "replace", "path": "active", "value": `+active+`}]}`); out.Code >= 300 {
					t.Errorf("%d %s", out.Code, out.Body)
				}
			}
			refused := 0
			for round := range 20 {
				if round%2 == 0 {
					if err := p.Forget(t.Context(), w.ids["ann@acme.com"]); err != nil {
						t.Fatal(err)
					}
				}
				set("true")
				var wg sync.WaitGroup
				errs := make([]error, 3)
				for i := range errs {
					wg.Go(func() { _, errs[i] = p.SignIn(t.Context(), okta, "00u1", nil) })
				}
				wg.Go(func() { set("false") })
				wg.Wait()
				for _, err := range errs {
					switch {
					case errors.Is(err, signin.ErrInactive):
						refused++
					case err != nil:
						t.Error(err)
					}
				}
				if n, err := store.count(); n != 0 || err != nil {
					t.Fatalf("round %d: %d sessions of an inactive person, error %v", round, n, err)
				}
			}
			if _, err := p.SignIn(t.Context(), okta, "00u1", nil); !errors.Is(err, signin.ErrInactive) {
				t.Errorf("afterwards: %v", err)
			}
			t.Logf("%d of 60 sign-ins were refused", refused)
		})
	}
}

// plain hides all capabilities of a store.
type plain struct{ scim.Store }

func (plain) Volatile() {}

// A store without transactions looks afterwards whether the person is still active.
func TestWithoutTransactions(t *testing.T) {
	for _, c := range []struct {
		name string
		act  func(w *world) error // while the session begins
		want error
	}{
		{"active", func(*world) error { return nil }, nil},
		{"deactivated", func(w *world) error {
			w.send("PUT", "/Users/"+w.ids["ann@acme.com"], `{"userName": "ann@acme.com", "active": false}`)
			return nil
		}, signin.ErrInactive},
		{"deleted", func(w *world) error { w.send("DELETE", "/Users/"+w.ids["ann@acme.com"], ""); return nil }, signin.ErrUnknown},
		{"no session", func(*world) error { return errSession }, errSession},
	} {
		w := newWorld(t, plain{memory.New()}, staff...)
		p := w.people(func(o *signin.Options) { o.Session = func(context.Context, *scim.Resource) error { return c.act(w) } })
		if person, err := p.SignIn(t.Context(), okta, "00u1", nil); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || (person.User == nil) != (err != nil) {
			t.Errorf("%s: %+v, error %v, want %v", c.name, person, err, c.want)
		}
	}
	w := newWorld(t, memory.New(), staff...)
	p := w.people(func(o *signin.Options) { o.Session = func(context.Context, *scim.Resource) error { return errSession } })
	if _, err := p.SignIn(t.Context(), okta, "00u7", claims{"preferred_username": "bob@acme.com"}); !errors.Is(err, errSession) {
		t.Errorf("error %v", err)
	}
	if _, err := w.people(nil).SignIn(t.Context(), okta, "00u8", claims{"preferred_username": "bob@acme.com"}); err != nil {
		t.Errorf("a failed sign-in has bound the subject: %v", err)
	}
}

var errSession = errors.New("no room for sessions")

// Over the application's tables the subject is kept beside them, or in a column.
func TestMappedTables(t *testing.T) {
	for _, withColumn := range []bool{false, true} {
		db, err := sql.Open(sqlitetest.Driver, sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "app.db")))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
		for _, text := range []string{
			"CREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL UNIQUE, status text NOT NULL DEFAULT 'active', sso text UNIQUE)",
			"INSERT INTO users (email) VALUES ('old@acme.com')",
		} {
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		columns := []sqlstore.Column{{Name: "email", Path: "userName"}, sqlstore.ActiveWhen("status", "active", "locked")}
		o := signin.Options{Issuers: []signin.Issuer{signin.Okta(okta)}}
		if withColumn {
			columns = append(columns, sqlstore.Column{Name: "sso", Path: signin.SubjectPath})
			o.Indexed = []string{signin.SubjectPath}
		}
		store, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{Types: []*scim.ResourceType{signin.UserType(), scim.GroupType()},
			Tables: []sqlstore.Table{{Type: "User", Name: "users", Key: "id", Unclaimed: sqlstore.FindUnclaimed, Columns: columns}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, store, staff...)
		o.Store = store
		p, err := signin.New(o)
		if err != nil {
			t.Fatal(err)
		}
		in := func(subject, name string, want error) {
			t.Helper()
			if _, err := p.SignIn(t.Context(), okta, subject, claims{"preferred_username": name}); !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("%s as %s, with a column %t: error %v, want %v", name, subject, withColumn, err, want)
			}
		}
		bob := "/Users/" + w.ids["bob@acme.com"]
		before := w.send("GET", bob, "").Body.String()
		in("00u2", "bob@acme.com", nil)
		if diff := cmp.Diff(before, w.send("GET", bob, "").Body.String()); diff != "" {
			t.Errorf("with a column %t clients see the sign-in (-before +after):\n%s", withColumn, diff)
		}
		in("00u2", "bob@acme.com", nil)
		in("00u3", "bob@acme.com", signin.ErrOtherPerson)
		in("c0ffee", "cy@acme.com", signin.ErrInactive)
		in("00u4", "old@acme.com", signin.ErrUnknown)
		if withColumn {
			in("00u2", "robert@acme.com", nil)
			var bound string
			if err := db.QueryRow("SELECT sso FROM users WHERE email = 'bob@acme.com'").Scan(&bound); err != nil || bound != okta+" 00u2" {
				t.Errorf("the column has %q, error %v", bound, err)
			}
		}
		w.send("PUT", bob, `{"userName": "bob@acme.com"}`)
		in("00u3", "bob@acme.com", signin.ErrOtherPerson)
		in("00u2", "bob@acme.com", nil)
	}
}
