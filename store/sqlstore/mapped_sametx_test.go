package sqlstore_test

import (
	"context"
	"errors"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// appStore is the Store of an application that ends sessions.
type appStore struct {
	*sqlstore.Store
	text string
	d    sqlstore.Dialect
}

func (s appStore) Deactivate(ctx context.Context, u *scim.Resource) error {
	return run(ctx, s.DB(ctx), s.d, s.text, u.ID())
}

// A Deactivator may write the person's row, in the request's transaction.
func TestMappedDeactivator(t *testing.T) {
	for what, text := range map[string]string{
		"a column that is mapped":     "UPDATE people SET status = 'suspended' WHERE id = CAST($1 AS bigint)",
		"the telephone of the person": "UPDATE people SET mobile = NULL WHERE id = CAST($1 AS bigint)",
		"a child":                     "DELETE FROM people_emails WHERE person_id = CAST($1 AS bigint)",
	} {
		t.Run(what, func(t *testing.T) {
			inApp(t, appOptions("o"), func(a app) {
				a.exec("UPDATE people SET mobile = '2' WHERE id = 2")
				a.exec("INSERT INTO people_emails (person_id, address) VALUES (2, 'x')")
				c := newClient(a.t, scim.Config{Store: appStore{a.s, text, a.d}})
				c.do("PATCH", "/Users/2", `{"Operations":[{"op":"replace","path":"active","value":false}]}`, 200)
				a.want("status", "suspended", a.row("SELECT status FROM people WHERE id = 2"))
			})
		})
	}
}

// A rule may write the person's row, in the request's transaction.
func TestMappedRuleWrites(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		rule := func(ctx context.Context, ch *scim.Change) error {
			if ch.Op != scim.OpPatch {
				return nil
			}
			return run(ctx, a.s.DB(ctx), a.d, "UPDATE people SET mobile = 'reviewed' WHERE id = CAST($1 AS bigint)", ch.After.ID())
		}
		c := newClient(a.t, scim.Config{Store: a.s, Rules: []scim.Rule{rule}})
		c.do("PATCH", "/Users/2", `{"Operations":[{"op":"replace","path":"nickName","value":"x"}]}`, 200)
	})
}

// OnWrite may write the rows of the person too, and what it wrote is read back.
func TestMappedOnWrite(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		told := func(ctx context.Context, w *scim.Written) error {
			if w.After == nil {
				return nil
			}
			if err := run(ctx, a.s.DB(ctx), a.d, "UPDATE people SET mobile = 'told' WHERE id = CAST($1 AS bigint)", w.After.ID()); err != nil {
				return err
			}
			return run(ctx, a.s.DB(ctx), a.d, "INSERT INTO people_emails (person_id, address) VALUES (CAST($1 AS bigint), $2)", w.After.ID(), string(w.Op))
		}
		c := newClient(a.t, scim.Config{Store: a.s, OnWrite: told})
		c.do("PATCH", "/Users/2", `{"Operations":[{"op":"replace","path":"nickName","value":"x"}]}`, 200)
		a.want("mobile", "told", a.row("SELECT mobile FROM people WHERE id = 2"))
		u := a.get("User", "2")
		a.want("nickName", "x", u.String("nickName"))
		a.want("emails", 1, len(u.Get("emails").([]any)))
		c.do("PATCH", "/Users/2", `{"Operations":[{"op":"replace","path":"nickName","value":"y"}]}`, 200)
		a.want("emails after a second change", 2, len(a.get("User", "2").Get("emails").([]any)))
		c.do("DELETE", "/Users/2", "", 204)
	})
}

// A trigger on memberships keeps a count, or a name, in the team's row that is mapped.
func TestMappedTeamCounter(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		if a.d == sqlstore.Postgres {
			a.exec("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE people SET status = ''active'' WHERE id = NEW.person_id; RETURN NULL; END'")
			a.exec("CREATE TRIGGER touch AFTER INSERT ON team_people FOR EACH ROW EXECUTE FUNCTION touch()")
		} else if a.d == sqlstore.MariaDB {
			a.exec("CREATE TRIGGER touch AFTER INSERT ON team_people FOR EACH ROW UPDATE people SET status = 'active' WHERE id = NEW.person_id")
		} else {
			a.exec("CREATE TRIGGER touch AFTER INSERT ON team_people BEGIN UPDATE people SET status = 'active' WHERE id = NEW.person_id; END")
		}
		a.exec("UPDATE people SET status = 'invited' WHERE id = 2")
		c := newClient(a.t, scim.Config{Store: a.s})
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"2"}]}]}`, 204)
		a.want("active", true, a.get("User", "2").Active())
	})
}

// A nested call fails, and the request's transaction goes on.
func TestMappedNestedFailure(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		if a.d != sqlstore.Postgres {
			return // Whoever writes a child waits.
		}
		changed := false
		rule := func(ctx context.Context, ch *scim.Change) error {
			if ch.Op != scim.OpPatch {
				return nil
			}
			// A check of the application's, in a savepoint that is taken back; meanwhile it changes the row's child itself.
			err := a.s.InTx(ctx, func(context.Context) error { return errors.New("not this one") })
			if !changed {
				changed = true
				a.exec("INSERT INTO people_emails (person_id, address) VALUES (2, 'x')")
			}
			_ = err
			return nil
		}
		c := newClient(a.t, scim.Config{Store: a.s, Rules: []scim.Rule{rule}})
		c.do("PATCH", "/Users/2", `{"Operations":[{"op":"replace","path":"nickName","value":"x"}]}`, 200)
	})
}

// An element is added by the application between the handler's look and its write.
func TestMappedChildMeanwhile(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		if a.d != sqlstore.Postgres {
			return // Whoever writes a child waits.
		}
		rule := func(ctx context.Context, ch *scim.Change) error {
			a.exec("INSERT INTO people_emails (person_id, address) VALUES (2, 'x')")
			return nil
		}
		c := newClient(a.t, scim.Config{Store: a.s, Rules: []scim.Rule{rule}})
		c.do("PATCH", "/Users/2", `{"Operations":[{"op":"replace","path":"nickName","value":"x"}]}`, 200)
	})
}
