package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/mariatest"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/store/sqlstore"
)

// processes runs a test on n pools of one new database, as n processes have them.
func processes(t *testing.T, n int, test func(t *testing.T, dbs []*sql.DB, d sqlstore.Dialect)) {
	open := func(t *testing.T, driver, dsn string) []*sql.DB {
		dbs := make([]*sql.DB, n)
		for i := range dbs {
			db, err := sql.Open(driver, dsn)
			if err != nil {
				t.Fatal(err)
			}
			db.SetMaxOpenConns(8)
			t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
			dbs[i] = db
		}
		return dbs
	}
	t.Run("SQLite", func(t *testing.T) {
		test(t, open(t, sqlitetest.Driver, sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "scim.db"))), sqlstore.SQLite)
	})
	t.Run("PostgreSQL", func(t *testing.T) { test(t, open(t, pgtest.Driver, postgres.DSN(t)), sqlstore.Postgres) })
	t.Run("MariaDB", func(t *testing.T) { test(t, open(t, mariatest.Driver, mariadb.DSN(t)), sqlstore.MariaDB) })
}

// parallel calls fn n times at once and reports its errors.
func parallel(t *testing.T, n int, fn func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			if err := fn(i); err != nil {
				t.Errorf("number %d: %v", i, err)
			}
		})
	}
	close(start)
	wg.Wait()
}

// Processes that start at once all find the tables made.
func TestMigrateAtOnce(t *testing.T) {
	processes(t, 8, func(t *testing.T, dbs []*sql.DB, d sqlstore.Dialect) {
		parallel(t, len(dbs), func(i int) error {
			s, err := sqlstore.New(dbs[i], d, sqlstore.Options{})
			if err != nil {
				return err
			}
			if err := s.Migrate(t.Context()); err != nil {
				return err
			}
			_, err = s.Create(t.Context(), user(t, fmt.Sprint("u", i), nil))
			return err
		})
		s := newStore(t, dbs[0], d, sqlstore.Options{}) // again
		page, err := s.List(t.Context(), scim.UserType(), &scim.Query{})
		if err != nil || page.Total != len(dbs) {
			t.Errorf("%d users, error %v, want one of each process", page.Total, err)
		}
	})
}

func TestMigrateNewerTables(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		if _, err := db.Exec("UPDATE scim_schema SET version = 1000 WHERE part = 'store'"); err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context()); err == nil {
			t.Error("tables that a later version made were taken for its own")
		}
	})
}

// Several handlers over one database lose nothing and let nothing in twice.
func TestManyHandlers(t *testing.T) {
	processes(t, 4, func(t *testing.T, dbs []*sql.DB, d sqlstore.Dialect) {
		stores := make([]*sqlstore.Store, len(dbs))
		for i, db := range dbs {
			stores[i] = newStore(t, db, d, sqlstore.Options{})
		}
		ctx := t.Context()
		counter := create(t, stores[0], user(t, "counter", map[string]any{"nickName": "0"}))
		group := create(t, stores[0], group(t, "Everybody"))
		const each = 6
		var mu sync.Mutex
		conflicts := 0
		parallel(t, len(stores)*each, func(i int) error {
			s := stores[i%len(stores)]
			err := s.InTx(ctx, func(ctx context.Context) error {
				seen := ""
				if _, err := s.Update(ctx, counter.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
					seen = before.String("nickName")
					return before, nil
				}); err != nil {
					return err
				}
				n, err := strconv.Atoi(seen)
				if err != nil {
					return err
				}
				_, err = s.Update(ctx, counter.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
					return before.With(map[string]any{"nickName": strconv.Itoa(n + 1)})
				})
				return err
			})
			if err != nil {
				return err
			}
			made, err := s.Create(ctx, user(t, fmt.Sprint("User", i/2), nil))
			if conflict(err) {
				mu.Lock()
				defer mu.Unlock()
				conflicts++
				return nil
			}
			if err != nil {
				return err
			}
			_, _, err = s.ChangeMembers(ctx, group.ID(), []scim.Ref{made.Ref()}, nil)
			return err
		})
		got, err := stores[1].Get(ctx, counter.Ref())
		if err != nil || got.String("nickName") != strconv.Itoa(len(stores)*each) {
			t.Errorf("the counter is %s, error %v, after %d counted", got.String("nickName"), err, len(stores)*each)
		}
		members, err := stores[2].Members(ctx, group.ID(), scim.Ref{}, 100)
		if half := len(stores) * each / 2; err != nil || len(members) != half || conflicts != half {
			t.Errorf("%d members and %d conflicts, error %v, want %d of each: every name was taken twice", len(members), conflicts, err, half)
		}
	})
}

// Transactions that lock in opposite order both come through: one of them twice.
func TestDeadlock(t *testing.T) {
	processes(t, 2, func(t *testing.T, dbs []*sql.DB, d sqlstore.Dialect) {
		stores := []*sqlstore.Store{newStore(t, dbs[0], d, sqlstore.Options{}), newStore(t, dbs[1], d, sqlstore.Options{})}
		refs := []scim.Ref{create(t, stores[0], user(t, "a", nil)).Ref(), create(t, stores[0], user(t, "b", nil)).Ref()}
		parallel(t, 2, func(i int) error {
			s := stores[i]
			return s.InTx(t.Context(), func(ctx context.Context) error {
				for _, ref := range []scim.Ref{refs[i], refs[1-i]} {
					if _, err := s.Update(ctx, ref, func(r *scim.Resource) (*scim.Resource, error) {
						return r.With(map[string]any{"title": r.String("title") + strconv.Itoa(i)})
					}); err != nil {
						return err
					}
					time.Sleep(100 * time.Millisecond)
				}
				return nil
			})
		})
		a, err := stores[0].Get(t.Context(), refs[0])
		if err != nil {
			t.Fatal(err)
		}
		b, err := stores[0].Get(t.Context(), refs[1])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a.String("title"), b.String("title")); diff != "" || len(a.String("title")) != 2 {
			t.Errorf("two transactions wrote %q and %q", a.String("title"), b.String("title"))
		}
	})
}

// A user who is being deleted does not become a member on the way.
func TestDeleteAgainstAdd(t *testing.T) {
	processes(t, 2, func(t *testing.T, dbs []*sql.DB, d sqlstore.Dialect) {
		stores := []*sqlstore.Store{newStore(t, dbs[0], d, sqlstore.Options{}), newStore(t, dbs[1], d, sqlstore.Options{})}
		g := create(t, stores[0], group(t, "Everybody"))
		for n := range 25 {
			u := create(t, stores[0], user(t, fmt.Sprint("u", n), nil)).Ref()
			parallel(t, 2, func(i int) error {
				if i == 0 {
					return stores[0].Delete(t.Context(), u, func(*scim.Resource) error { return nil })
				}
				_, _, err := stores[1].ChangeMembers(t.Context(), g.ID(), []scim.Ref{u}, nil)
				return err
			})
		}
		left, err := stores[0].Members(t.Context(), g.ID(), scim.Ref{}, 100)
		if len(left) > 0 || err != nil {
			t.Errorf("%d members are nobody, error %v", len(left), err)
		}
	})
}

// A transaction goes on after a nested call that failed, and has the rest.
func TestNestedFailure(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		create(t, s, user(t, "ann", nil))
		bob := create(t, s, user(t, "bob", nil))
		refused := errors.New("refused")
		err := s.InTx(t.Context(), func(ctx context.Context) error {
			if err := s.InTx(ctx, func(ctx context.Context) error {
				if _, err := s.Create(ctx, user(t, "carl", nil)); err != nil {
					return err
				}
				return refused
			}); err != refused {
				t.Errorf("a nested call: error %v, want %v", err, refused)
			}
			if _, err := s.Create(ctx, user(t, "ANN", nil)); !conflict(err) {
				t.Errorf("create of a second ann: error %v", err)
			}
			if _, err := s.Update(ctx, bob.Ref(), func(r *scim.Resource) (*scim.Resource, error) {
				return r.With(map[string]any{"userName": "Ann"})
			}); !conflict(err) {
				t.Errorf("renaming bob to ann: error %v", err)
			}
			_, err := s.Create(ctx, user(t, "dora", nil))
			return err
		})
		if err != nil {
			t.Errorf("InTx: %v", err)
		}
		if diff := cmp.Diff([]string{"ann", "bob", "dora"}, names(t, s)); diff != "" {
			t.Errorf("users (-want +got):\n%s", diff)
		}
	})
}

// If ids are unique, one of a user and a group with the same id is created, and the other one
// conflicts, also in two processes at once.
func TestUniqueIDs(t *testing.T) {
	processes(t, 2, func(t *testing.T, dbs []*sql.DB, d sqlstore.Dialect) {
		stores := make([]*sqlstore.Store, len(dbs))
		for i, db := range dbs {
			stores[i] = newStore(t, db, d, sqlstore.Options{UniqueIDs: true})
		}
		for round := range 30 {
			m := scim.Meta{ID: fmt.Sprint("twin", round), Created: time.Now(), LastModified: time.Now()}
			user, err := scim.UserType().Bind(m, nil, map[string]any{"userName": m.ID})
			if err != nil {
				t.Fatal(err)
			}
			g, err := scim.GroupType().Bind(m, nil, map[string]any{"displayName": m.ID})
			if err != nil {
				t.Fatal(err)
			}
			var conflicts [2]bool
			parallel(t, 2, func(i int) error {
				_, err := stores[(i+round)%2].Create(t.Context(), []*scim.Resource{user, g}[i])
				var e *scim.Error
				if conflicts[i] = errors.As(err, &e) && e.Status == 409; conflicts[i] {
					return nil
				}
				return err
			})
			if conflicts[0] == conflicts[1] {
				t.Fatalf("round %d: the user conflicts: %t, the group: %t", round, conflicts[0], conflicts[1])
			}
		}
	})
}
