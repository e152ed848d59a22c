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
		asked := time.Now() // see below
		for _, tt := range []struct {
			name               string
			h                  *scim.Handler
			method, path, body string
			keep               string // keep is the name of the id in the answer.
			sqlite, postgres   int
		}{
			{"the first create, which reads the links", with, "POST", "/Users", `{"userName":"{one}@example.com"}`, one, 4, 3},
			{"create", with, "POST", "/Users", `{"userName":"{other}@example.com"}`, other, 3, 2},
			{"create a group with a role", with, "POST", "/Groups", `{"displayName":"Admins"}`, "group", 7, 7},
			{"create a group without a role", with, "POST", "/Groups", `{"displayName":"Staff"}`, "staff", 5, 5},
			{"read", with, "GET", "/Users/{one}", "", "", 1, 1},
			{"look-up that finds", with, "GET", `/Users?filter=userName+eq+"one@example.com"`, "", "", 1, 1},
			{"look-up that finds nothing", with, "GET", `/Users?filter=userName+eq+"nobody@example.com"`, "", "", 1, 1},
			{"the only page", with, "GET", "/Users?count=10", "", "", 2, 2},
			{"one of two pages", with, "GET", "/Users?count=1", "", "", 3, 3},
			{"change an attribute", with, "PATCH", "/Users/{one}", `{"Operations":[{"op":"replace","path":"title","value":"x"}]}`, "", 4, 3},
			{"add a member who gets a role", with, "PATCH", "/Groups/{group}", `{"Operations":[{"op":"add","path":"members","value":[{"value":"{one}"}]}]}`, "", 7, 3},
			{"deactivate a user with a role", with, "PATCH", "/Users/{one}", `{"Operations":[{"op":"replace","path":"active","value":false}]}`, "", 6, 4},
			{"activate", with, "PATCH", "/Users/{one}", `{"Operations":[{"op":"replace","path":"active","value":true}]}`, "", 6, 4},
			{"read a member of a group", with, "GET", "/Users/{one}", "", "", 1, 1},
			{"remove a member with a role", with, "PATCH", "/Groups/{group}", `{"Operations":[{"op":"remove","path":"members[value eq \"{one}\"]"}]}`, "", 7, 3},
			{"add a member of a group without a role", with, "PATCH", "/Groups/{staff}", `{"Operations":[{"op":"add","path":"members","value":[{"value":"{one}"}]}]}`, "", 6, 4},
			{"remove a member of a group without a role", with, "PATCH", "/Groups/{staff}", `{"Operations":[{"op":"remove","path":"members[value eq \"{one}\"]"}]}`, "", 6, 4},
			{"add a member without roles", without, "PATCH", "/Groups/{group}", `{"Operations":[{"op":"add","path":"members","value":[{"value":"{other}"}]}]}`, "", 5, 2},
			{"remove a member without roles", without, "PATCH", "/Groups/{group}", `{"Operations":[{"op":"remove","path":"members[value eq \"{other}\"]"}]}`, "", 4, 2},
			{"add two members without roles", without, "PATCH", "/Groups/{group}", `{"Operations":[{"op":"add","path":"members","value":[{"value":"{one}"},{"value":"{other}"}]}]}`, "", 5, 4},
			{"remove them", without, "PATCH", "/Groups/{group}", `{"Operations":[{"op":"remove","path":"members","value":[{"value":"{one}"},{"value":"{other}"}]}]}`, "", 5, 4},
			{"delete a user", with, "DELETE", "/Users/{one}", "", "", 8, 6},
			{"add a member without roles again", without, "PATCH", "/Groups/{group}", `{"Operations":[{"op":"add","path":"members","value":[{"value":"{other}"}]}]}`, "", 5, 2},
			{"delete a member", without, "DELETE", "/Users/{other}", "", "", 9, 6},
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
			// For a second the roles remember whether SCIM is being ended. A slow machine reads it again.
			got := f.Sent()
			if got == want+1 && time.Since(asked) > time.Second {
				got, asked = want, time.Now()
			}
			if w.Code >= 300 || got != want {
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

// An application may roll back a savepoint of its own, with a request in it. The next request about a
// member of the same group changes the member nevertheless, and nothing of what was rolled back.
func TestOneMemberAfterSavepoint(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		h := handler(t, scim.Config{Store: s})
		one, other := create(t, s, user(t, "one", nil)).Ref(), create(t, s, user(t, "other", nil)).Ref()
		for name, op := range map[string]string{
			"add": `{"op":"add","path":"members","value":[{"value":"%s"}]}`, "remove": `{"op":"remove","path":"members[value eq \"%s\"]"}`,
		} {
			for what, undone := range map[string]string{"member": op, "name": `{"op":"replace","path":"displayName","value":"undone"}`} {
				t.Run(name+" after another "+what, func(t *testing.T) {
					g, want := create(t, s, group(t, "g")).Ref(), []scim.Ref{other}
					if name == "remove" {
						want = []scim.Ref{one}
						if _, _, err := s.ChangeMembers(t.Context(), g.ID, []scim.Ref{one, other}, nil); err != nil {
							t.Fatal(err)
						}
					}
					err := s.InTx(t.Context(), func(ctx context.Context) error {
						send := func(op string) {
							w := httptest.NewRecorder()
							h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "PATCH", "/Groups/"+g.ID, strings.NewReader(`{"Operations":[`+op+`]}`)))
							if w.Code != 204 {
								t.Errorf("%s: %d %s", op, w.Code, w.Body)
							}
						}
						if _, err := s.DB(ctx).ExecContext(ctx, "SAVEPOINT app"); err != nil {
							return err
						}
						send(strings.ReplaceAll(undone, "%s", one.ID))
						if _, err := s.DB(ctx).ExecContext(ctx, "ROLLBACK TO SAVEPOINT app"); err != nil {
							return err
						}
						send(strings.ReplaceAll(op, "%s", other.ID))
						return nil
					})
					if err != nil {
						t.Fatal(err)
					}
					var got []scim.Ref
					for _, m := range testhost.Must(s.Members(t.Context(), g.ID, scim.Ref{}, 10)) {
						got = append(got, m.Ref)
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("members (-want +got):\n%s", diff)
					}
					if r := testhost.Must(s.Get(t.Context(), g)); r.String("displayName") != "g" {
						t.Errorf("the group is called %q", r.String("displayName"))
					}
				})
			}
		}
	})
}

// If an application rolls back a savepoint of its own, with a request in it that changed a member, the
// lock of the user is gone. Grants takes it again.
func TestUserLockAfterSavepoint(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		roles := testhost.NewRoles()
		h := handler(t, scim.Config{Store: s, Roles: &scim.Roles{Resolver: roles}})
		_, g := serve(t, h, "POST", "/Groups", `{"displayName":"Editor"}`)
		u := create(t, s, user(t, "u", nil)).Ref()
		locked := make(chan error, 1)
		err := s.InTx(t.Context(), func(ctx context.Context) error {
			if _, err := s.DB(ctx).ExecContext(ctx, "SAVEPOINT app"); err != nil {
				return err
			}
			w := httptest.NewRecorder()
			body := `{"Operations":[{"op":"add","path":"members","value":[{"value":"` + u.ID + `"}]}]}`
			h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "PATCH", "/Groups/"+g["id"].(string), strings.NewReader(body)))
			if w.Code != 204 || len(roles.Of(u.ID)) != 1 {
				t.Errorf("%d %s, roles %q", w.Code, w.Body, roles.Of(u.ID))
			}
			if _, err := s.DB(ctx).ExecContext(ctx, "ROLLBACK TO SAVEPOINT app"); err != nil {
				return err
			}
			if _, err := s.Grants(ctx, []string{u.ID}); err != nil {
				return err
			}
			go func() {
				locked <- s.InTx(t.Context(), func(ctx context.Context) error {
					_, err := s.Grants(ctx, []string{u.ID})
					return err
				})
			}()
			select {
			case err := <-locked:
				t.Errorf("somebody else could lock the user, error %v", err)
				locked <- nil
			case <-time.After(300 * time.Millisecond):
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-locked; err != nil {
			t.Error(err)
		}
	})
}

// seenAfterLock locks a user, begins another transaction that needs the lock and looks, and then changes. It returns what
// the other one has seen when it was its turn.
func seenAfterLock(t *testing.T, s *sqlstore.Store, d sqlstore.Dialect, userID string, look func(context.Context) ([]string, error),
	change func(context.Context) error) []string {
	t.Helper()
	began, seen := make(chan bool), make(chan []string, 1)
	err := s.InTx(t.Context(), func(ctx context.Context) error {
		if _, err := s.Grants(ctx, []string{userID}); err != nil {
			return err
		}
		go func() {
			var all []string
			err := s.InTx(t.Context(), func(ctx context.Context) (err error) {
				close(began)
				all, err = look(ctx)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			seen <- all
		}()
		if d != sqlstore.SQLite { // There the other transaction cannot even begin.
			<-began
			time.Sleep(100 * time.Millisecond) // until it waits
		}
		return change(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	return <-seen
}

// Whoever has waited for the lock of a user sees what the transaction before it has done.
func TestLookAfterLock(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		u, g := create(t, s, user(t, "u", nil)).Ref(), create(t, s, group(t, "g")).Ref()
		source := scim.GroupSource(g.ID)
		look := func(ctx context.Context) (all []string, err error) {
			grants, err := s.Grants(ctx, []string{u.ID})
			if err != nil {
				return nil, err
			}
			for _, g := range grants {
				all = append(all, "grant "+g.RoleID)
			}
			groups, err := s.GroupsOf(ctx, []scim.Ref{u})
			if err != nil {
				return nil, err
			}
			for range groups {
				all = append(all, "membership")
			}
			links, err := s.Links(ctx, []scim.Source{source})
			if err != nil {
				return nil, err
			}
			for _, k := range links {
				all = append(all, "link "+k.Roles[0].Role.ID)
			}
			page, err := s.List(ctx, scim.UserType(), &scim.Query{IDs: []string{u.ID}, Limit: 1})
			if err != nil {
				return nil, err
			}
			for _, r := range page.Resources {
				all = append(all, "title "+r.String("title"))
			}
			return all, nil
		}
		seen := seenAfterLock(t, s, d, u.ID, look, func(ctx context.Context) error {
			if _, _, err := s.ChangeMembers(ctx, g.ID, []scim.Ref{u}, nil); err != nil {
				return err
			}
			if err := s.Record(ctx, []scim.Grant{{UserID: u.ID, RoleID: "r", Source: source}}, nil); err != nil {
				return err
			}
			if err := s.SetLink(ctx, scim.Link{Source: source, Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}}}}); err != nil {
				return err
			}
			_, err := s.Update(ctx, u, func(before *scim.Resource) (*scim.Resource, error) {
				m := before.Meta()
				m.Version += "+"
				return testhost.Must(before.With(map[string]any{"title": "new"})).WithMeta(m), nil
			})
			if err != nil {
				return err
			}
			// The transaction sees its own writes, too.
			own, err := look(ctx)
			if diff := cmp.Diff([]string{"grant r", "membership", "link r", "title new"}, own); diff != "" {
				t.Errorf("in the transaction itself: %s", diff)
			}
			return err
		})
		if diff := cmp.Diff([]string{"grant r", "membership", "link r", "title new"}, seen); diff != "" {
			t.Errorf("after the lock: %s", diff)
		}
	})
}

// What was looked at is not used after a write, nor twice.
func TestLookIsUsedOnce(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		u, g := create(t, s, user(t, "u", nil)).Ref(), create(t, s, group(t, "g")).Ref()
		err := s.InTx(t.Context(), func(ctx context.Context) error {
			count := func(want int) {
				t.Helper()
				all, err := s.GroupsOf(ctx, []scim.Ref{u})
				if err != nil || len(all) != want {
					t.Errorf("%d memberships, want %d; error %v", len(all), want, err)
				}
			}
			if _, err := s.Grants(ctx, []string{u.ID}); err != nil {
				return err
			}
			if _, _, err := s.ChangeMembers(ctx, g.ID, []scim.Ref{u}, nil); err != nil {
				return err
			}
			count(1) // after a write
			if _, err := s.Grants(ctx, []string{u.ID}); err != nil {
				return err
			}
			count(1)
			if d == sqlstore.SQLite {
				return nil // Nobody else can write.
			}
			other := create(t, s, group(t, "other")).ID() // in another transaction
			if _, _, err := s.ChangeMembers(t.Context(), other, []scim.Ref{u}, nil); err != nil {
				return err
			}
			count(2) // once more
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// Who looks for users under the lock of a group gets its link with them, once, and not after a write.
func TestLookAhead(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		u, v, g := create(t, s, user(t, "u", nil)).Ref(), create(t, s, user(t, "v", nil)).Ref(), create(t, s, group(t, "g")).Ref()
		source := scim.GroupSource(g.ID)
		link := func(ctx context.Context, role string) error {
			return s.SetLink(ctx, scim.Link{Source: source, Name: "g", Roles: []scim.LinkedRole{{Role: scim.Role{ID: role}}}})
		}
		if err := link(t.Context(), "old"); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name string
			do   func(ctx context.Context) error // between the look for users and the one for the link
			want string
		}{
			{"nothing", func(context.Context) error { return nil }, "old"},
			{"a write of the link", func(ctx context.Context) error { return link(ctx, "new") }, "new"},
			{"another write", func(ctx context.Context) error {
				_, _, err := s.ChangeMembers(ctx, g.ID, []scim.Ref{u}, nil)
				return err
			}, "old"},
			{"the link is read", func(ctx context.Context) error { _, err := s.Links(ctx, []scim.Source{source}); return err }, "old"},
			{"another one is read", func(ctx context.Context) error {
				_, err := s.Links(ctx, []scim.Source{scim.GroupSource("other")})
				return err
			}, "old"},
		} {
			undo := errors.New("undo")
			err := s.InTx(t.Context(), func(ctx context.Context) error {
				if _, err := s.Update(ctx, g, func(before *scim.Resource) (*scim.Resource, error) { return before, nil }); err != nil {
					return err
				}
				page, err := s.List(ctx, scim.UserType(), &scim.Query{IDs: []string{v.ID, "nobody", u.ID, v.ID}, Limit: 4})
				if err != nil {
					return err
				}
				var got []scim.Ref
				for _, r := range page.Resources {
					got = append(got, r.Ref())
				}
				if diff := cmp.Diff([]scim.Ref{u, v}, got); diff != "" {
					t.Errorf("%s: users in order of creation (-want +got):\n%s", tt.name, diff)
				}
				if err := tt.do(ctx); err != nil {
					return err
				}
				links, err := s.Links(ctx, []scim.Source{source})
				if err == nil && (len(links) != 1 || links[0].Roles[0].Role.ID != tt.want) {
					t.Errorf("%s: links %v, want one of the role %q", tt.name, links, tt.want)
				}
				return errors.Join(err, undo)
			})
			if !errors.Is(err, undo) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	})
}
