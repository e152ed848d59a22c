package sqlstore_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// What the application commits to a table of elements while a client writes the same
// person is there, whatever the client writes: the lock on a row does not keep anybody
// from its children. In SQLite nobody else writes meanwhile.
func TestMappedChildrenMeanwhile(t *testing.T) {
	work := func(value string) any { return map[string]any{"value": value, "type": "work"} }
	for name, test := range map[string]struct {
		meanwhile string
		write     map[string]any
		want      []any
	}{
		"added, the client writes something else":   {"INSERT INTO people_emails (person_id, address, kind) VALUES (1, 'new@x.com', 'work')", map[string]any{"nickName": "n"}, []any{work("old@x.com"), work("new@x.com")}},
		"removed, the client writes something else": {"DELETE FROM people_emails", map[string]any{"nickName": "n"}, nil},
		"added, the client writes others":           {"INSERT INTO people_emails (person_id, address, kind) VALUES (1, 'new@x.com', 'work')", map[string]any{"emails": []any{work("sent@x.com")}}, []any{work("new@x.com"), work("sent@x.com")}},
		"removed, the client keeps it":              {"DELETE FROM people_emails", map[string]any{"emails": []any{work("old@x.com"), work("sent@x.com")}}, []any{work("sent@x.com")}},
	} {
		t.Run(name, func(t *testing.T) {
			inApp(t, appOptions("o"), func(a app) {
				if a.d != sqlstore.Postgres {
					return // Whoever writes a child waits: in MariaDB for the row that it refers to.
				}
				a.exec("INSERT INTO people_emails (person_id, address, kind) VALUES (1, 'old@x.com', 'work')")
				a.get("User", "1")
				answer, err := a.s.Update(a.t.Context(), scim.Ref{Type: "User", ID: "1"}, func(r *scim.Resource) (*scim.Resource, error) {
					a.exec(test.meanwhile)
					return r.With(test.write)
				})
				if err != nil {
					a.t.Fatal(err)
				}
				var want any
				if test.want != nil {
					want = test.want
				}
				a.want("answer", want, answer.Get("emails"))
				a.want("afterwards", want, a.get("User", "1").Get("emails"))
			})
		})
	}
}

// A person who goes while a client puts them into a group is in it no longer, whoever
// takes them away.
func TestMappedMemberGoesMeanwhile(t *testing.T) {
	exec := func(text string) func(a app) error {
		return func(a app) error {
			a.exec(text)
			return nil
		}
	}
	for name, test := range map[string]struct {
		first func(a app) error // before the client's transaction ends
		then  func(a app) error // waits for it
		left  string            // in the application
	}{
		"the application hides them":   {exec("UPDATE people SET kind = 'robot' WHERE id = 2"), follow, "1,2,3"},
		"the application deletes them": {exec("DELETE FROM people WHERE id = 2"), follow, "1,2,3"},
		"another client deletes them": {exec("SELECT 1"), func(a app) error {
			return a.s.Delete(a.t.Context(), scim.Ref{Type: "User", ID: "2"}, func(*scim.Resource) error { return nil })
		}, "1,3"},
	} {
		t.Run(name, func(t *testing.T) {
			inApp(t, appOptions("o"), func(a app) {
				if a.d == sqlstore.SQLite {
					return // one after the other
				}
				key := map[sqlstore.Dialect]string{sqlstore.Postgres: "CONSTRAINT team_people_person_id_fkey", sqlstore.MariaDB: "FOREIGN KEY team_people_ibfk_2"}[a.d]
				a.exec("ALTER TABLE team_people DROP " + key) // not every application has one
				done := make(chan error, 1)
				err := a.s.InTx(a.t.Context(), func(ctx context.Context) error {
					if _, _, err := a.s.ChangeMembers(ctx, "1", []scim.Ref{{Type: "User", ID: "2"}}, nil); err != nil {
						return err
					}
					if err := test.first(a); err != nil {
						return err
					}
					go func() { done <- test.then(a) }()
					a.waits("who takes a member away for who is adding it")
					return nil
				})
				if err != nil {
					a.t.Fatal(err)
				}
				if err := <-done; err != nil {
					a.t.Fatal(err)
				}
				a.want("members", []string{"1"}, a.members("1"))
				a.want("members in the application", test.left, a.joined())
			})
		})
	}
}

// follow reads anything, which begins with what the application has changed.
func follow(a app) error {
	_, err := a.s.Members(a.t.Context(), "1", scim.Ref{}, 1)
	return err
}

// waits waits until something waits for a lock.
func (a app) waits(what string) {
	a.t.Helper()
	waiting := "SELECT count(*) FROM pg_locks WHERE NOT granted"
	if a.d == sqlstore.MariaDB {
		waiting = "SELECT (SELECT CAST(variable_value AS signed) FROM information_schema.global_status WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS') + " +
			"(SELECT count(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table%')"
	}
	for end := time.Now().Add(10 * time.Second); a.row(waiting) == "0"; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			a.t.Fatalf("nothing waits, but should: %s", what)
		}
	}
}

// A transaction does not wait for who follows the application, and waits for its locks.
// What it has itself written to the application's tables it sees.
func TestMappedFollowedMeanwhile(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		if a.d == sqlstore.SQLite {
			return // one after the other
		}
		if a.d == sqlstore.Postgres { // it would end one of them; MariaDB would at once
			a.exec("ALTER DATABASE \"" + a.row("SELECT current_database()") + "\" SET deadlock_timeout = '1min'")
		}
		a.db.SetMaxIdleConns(0)
		done := make(chan error, 1)
		err := a.s.InTx(a.t.Context(), func(ctx context.Context) error {
			if _, _, err := a.s.ChangeMembers(ctx, "1", []scim.Ref{{Type: "User", ID: "2"}}, nil); err != nil {
				return err
			}
			a.exec("DELETE FROM team_people WHERE team_id = 1 AND person_id = 1")
			go func() { done <- follow(a) }()
			a.waits("who follows a change of the team for who changes the team")
			if _, err := a.s.DB(ctx).ExecContext(ctx, "UPDATE people SET first_name = 'Bo' WHERE id = 2"); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
			defer cancel()
			u, err := a.s.Get(ctx, scim.Ref{Type: "User", ID: "2"})
			if err != nil {
				return err
			}
			a.want("what the transaction has written", "Bo", u.String("name.givenName"))
			return nil
		})
		if err != nil {
			a.t.Fatal(err)
		}
		if err := <-done; err != nil {
			a.t.Fatal(err)
		}
		a.want("members", []string{"2"}, a.members("1"))
	})
}

// A change of members that ends early leaves nothing behind in a transaction of the
// application's that goes on: its own memberships are noted as before.
func TestMappedMembersCancelled(t *testing.T) {
	o := appOptions("o")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Members.Insert = func(context.Context, string, string) map[string]any { cancel(); return nil }
	inApp(t, o, func(a app) {
		if a.d == sqlstore.Postgres {
			return // the transaction cannot go on
		}
		tx, err := a.db.Begin()
		if err != nil {
			a.t.Fatal(err)
		}
		if _, _, err := a.s.ChangeMembers(sqlstore.WithTx(ctx, a.db, tx), "1", []scim.Ref{{Type: "User", ID: "2"}}, nil); err == nil {
			a.t.Error("no error")
		}
		if err := tx.Commit(); err != nil {
			a.t.Fatal(err)
		}
		a.exec("DELETE FROM team_people WHERE person_id = 1")
		if m := a.members("1"); slices.Contains(m, "1") {
			a.t.Errorf("members are %v after the application has erased 1", m)
		}
	})
}

// A client deletes a user whom the application is just adding to a team.
func TestMappedDeleteAgainstJoin(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		if a.d == sqlstore.SQLite {
			return // one after the other
		}
		for _, test := range []struct {
			ref       scim.Ref
			statement string
		}{
			{scim.Ref{Type: "User", ID: "2"}, "INSERT INTO team_people (team_id, person_id) VALUES (1, 2)"},
			{scim.Ref{Type: "User", ID: "1"}, "INSERT INTO people_emails (person_id, address) VALUES (1, 'x')"},
			{scim.Ref{Type: "Group", ID: "1"}, "INSERT INTO team_people (team_id, person_id) VALUES (1, 4)"},
		} {
			ref := test.ref
			tx, err := a.db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(test.statement); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				done <- a.s.Delete(context.Background(), ref, func(*scim.Resource) error { return nil })
			}()
			a.waits("who deletes for who adds")
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Errorf("delete %v: %v", ref, err)
			}
		}
	})
}

// Two rows of the application that say the same are not taken for one that is gone.
func TestMappedChildrenTwice(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("INSERT INTO people_emails (person_id, address) VALUES (1, 'x'), (1, 'x'), (1, 'z')")
		mails := []any{map[string]any{"value": "x"}, map[string]any{"value": "y"}}
		a.update("1", map[string]any{"emails": mails})
		a.want("rows", "3", a.row("SELECT count(*) FROM people_emails WHERE address IN ('x', 'y')"))
		a.want("others", "0", a.row("SELECT count(*) FROM people_emails WHERE address = 'z'"))
		a.want("what the client sent", any(mails), a.get("User", "1").Get("emails"))
	})
}
