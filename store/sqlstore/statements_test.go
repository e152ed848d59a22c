package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// The statements of a request to a Store with tables of its own are counted, so that none comes
// back unseen. Each of them waits for the wire. Beginning and ending a transaction is not counted.
func TestStatements(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.MariaDB {
			return // It keeps no rows, and locks names by rows.
		}
		f := &storetest.Failing{Base: db.Driver(), DSN: newDSN(t, d)}
		counted := sql.OpenDB(f)
		t.Cleanup(func() { counted.Close() }) //nolint:errcheck // the test is over
		s := newStore(t, counted, d, sqlstore.Options{})
		roles := testhost.NewRoles()
		roles.Put(scim.Role{ID: "admin", Name: "Admins"})
		with, without := handler(t, scim.Config{Store: s, Roles: &scim.Roles{Resolver: roles}}), handler(t, scim.Config{Store: s})

		const one, other = "one", "other"
		ids := map[string]string{}
		for _, tt := range []struct {
			name               string
			h                  *scim.Handler
			method, path, body string
			keep               string // keep is the name of the id in the answer.
			sqlite, postgres   int
		}{
			{"the first create, which reads the links", with, "POST", "/Users", `{"userName":"{one}@example.com"}`, one, 4, 3},
			{"create", with, "POST", "/Users", `{"userName":"{other}@example.com"}`, other, 3, 2},
			{"create a group with a role", with, "POST", "/Groups", `{"displayName":"Admins"}`, "group", 9, 9},
			{"read", with, "GET", "/Users/{one}", "", "", 2, 2},
			{"look-up that finds", with, "GET", `/Users?filter=userName+eq+"one@example.com"`, "", "", 2, 2},
			{"look-up that finds nothing", with, "GET", `/Users?filter=userName+eq+"nobody@example.com"`, "", "", 1, 1},
			{"the only page", with, "GET", "/Users?count=10", "", "", 2, 2},
			{"one of two pages", with, "GET", "/Users?count=1", "", "", 3, 3},
			{"change an attribute", with, "PATCH", "/Users/{one}", `{"Operations":[{"op":"replace","path":"title","value":"x"}]}`, "", 4, 3},
			{"add a member who gets a role", with, "PATCH", "/Groups/{group}", `{"Operations":[{"op":"add","path":"members","value":[{"value":"{one}"}]}]}`, "", 10, 10},
			{"deactivate a user with a role", with, "PATCH", "/Users/{one}", `{"Operations":[{"op":"replace","path":"active","value":false}]}`, "", 9, 9},
			{"activate", with, "PATCH", "/Users/{one}", `{"Operations":[{"op":"replace","path":"active","value":true}]}`, "", 9, 9},
			{"remove a member with a role", with, "PATCH", "/Groups/{group}", `{"Operations":[{"op":"remove","path":"members[value eq \"{one}\"]"}]}`, "", 9, 9},
			{"add a member without roles", without, "PATCH", "/Groups/{group}", `{"Operations":[{"op":"add","path":"members","value":[{"value":"{other}"}]}]}`, "", 5, 4},
			{"remove a member without roles", without, "PATCH", "/Groups/{group}", `{"Operations":[{"op":"remove","path":"members[value eq \"{other}\"]"}]}`, "", 4, 3},
			{"delete a user", with, "DELETE", "/Users/{one}", "", "", 11, 12},
		} {
			fill := func(text string) string {
				for name, id := range ids {
					text = strings.ReplaceAll(text, "{"+name+"}", id)
				}
				return strings.NewReplacer("{one}", one, "{other}", other).Replace(text)
			}
			w := httptest.NewRecorder()
			f.Sent()
			tt.h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), tt.method, fill(tt.path), strings.NewReader(fill(tt.body))))
			want := tt.postgres
			if d == sqlstore.SQLite {
				want = tt.sqlite
			}
			if got := f.Sent(); w.Code >= 300 || got != want {
				t.Errorf("%s: %d statements, want %d; status %d", tt.name, got, want, w.Code)
			}
			if tt.keep != "" {
				var answer struct{ ID string }
				if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
					t.Fatal(err)
				}
				ids[tt.keep] = answer.ID
			}
		}
	})
}

// A transaction keeps a resource that it has locked, and never one that was rolled back.
func TestKeptRows(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		title := func(ctx context.Context, ref scim.Ref, text string) (was string, err error) {
			_, err = s.Update(ctx, ref, func(before *scim.Resource) (*scim.Resource, error) {
				was = before.String("title")
				m := before.Meta()
				m.Version += "+"
				return testhost.Must(before.With(map[string]any{"title": text})).WithMeta(m), nil
			})
			return was, err
		}
		undo := errors.New("undo")
		for _, tt := range []struct {
			name string
			do   func(ctx context.Context, u scim.Ref) error // after the title became "first"
			want string                                      // want is the title that the next Update finds, and "" if the user is gone.
		}{
			{"nothing in between", func(context.Context, scim.Ref) error { return nil }, "first"},
			{"another change", func(ctx context.Context, u scim.Ref) error { _, err := title(ctx, u, "second"); return err }, "second"},
			{"a change in a nested transaction that is rolled back", func(ctx context.Context, u scim.Ref) error {
				err := s.InTx(ctx, func(ctx context.Context) error {
					if _, err := title(ctx, u, "undone"); err != nil {
						return err
					}
					return undo
				})
				if !errors.Is(err, undo) {
					return err
				}
				return nil
			}, "first"},
			{"a change in a savepoint of the application", func(ctx context.Context, u scim.Ref) error {
				if _, err := s.DB(ctx).ExecContext(ctx, "SAVEPOINT app"); err != nil {
					return err
				}
				if _, err := title(ctx, u, "undone"); err != nil {
					return err
				}
				_, err := s.DB(ctx).ExecContext(ctx, "ROLLBACK TO SAVEPOINT app")
				return err
			}, "first"},
			{"a deletion", func(ctx context.Context, u scim.Ref) error {
				return s.Delete(ctx, u, func(*scim.Resource) error { return nil })
			}, ""},
			{"a deletion and a new user with the id", func(ctx context.Context, u scim.Ref) error {
				if err := s.Delete(ctx, u, func(*scim.Resource) error { return nil }); err != nil {
					return err
				}
				_, err := s.Create(ctx, testhost.Must(user(t, "again", nil).With(map[string]any{"title": "new"})).WithMeta(scim.Meta{ID: u.ID, Version: "1"}))
				return err
			}, "new"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				u := create(t, s, user(t, "u"+strings.ReplaceAll(tt.name, " ", ""), nil)).Ref()
				err := s.InTx(t.Context(), func(ctx context.Context) error {
					if _, err := title(ctx, u, "first"); err != nil {
						return err
					}
					if err := tt.do(ctx, u); err != nil {
						return err
					}
					was, err := title(ctx, u, "last")
					if tt.want == "" && errors.Is(err, scim.ErrNotFound) {
						return nil
					}
					if was != tt.want {
						t.Errorf("the next Update finds %q, want %q", was, tt.want)
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				got := ""
				if r, err := s.Get(t.Context(), u); err == nil {
					got = r.String("title")
				} else if !errors.Is(err, scim.ErrNotFound) {
					t.Fatal(err)
				}
				want := "last"
				if tt.want == "" {
					want = ""
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("the title after the commit: %s", diff)
				}
			})
		}
	})
}

// Whoever locks a user to delete it keeps others from making it a member, also if the transaction
// has locked the user less before.
func TestKeptRowsAreLockedToDelete(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		u, g := create(t, s, user(t, "u", nil)).Ref(), create(t, s, group(t, "g"))
		only := errors.New("only locked")
		added, canAdd := make(chan error, 1), false
		err := s.InTx(t.Context(), func(ctx context.Context) error {
			if _, err := s.Update(ctx, u, func(before *scim.Resource) (*scim.Resource, error) { return before, nil }); err != nil {
				return err
			}
			if err := s.Delete(ctx, u, func(*scim.Resource) error { return only }); !errors.Is(err, only) {
				return err
			}
			go func() {
				_, _, err := s.ChangeMembers(t.Context(), g.ID(), []scim.Ref{u}, nil)
				added <- err
			}()
			select {
			case err := <-added:
				canAdd = true
				return err
			case <-time.After(300 * time.Millisecond):
				return nil
			}
		})
		if err != nil || canAdd {
			t.Fatalf("error %v; somebody else could add a member that is locked: %v", err, canAdd)
		}
		if err := <-added; err != nil {
			t.Error(err)
		}
	})
}
