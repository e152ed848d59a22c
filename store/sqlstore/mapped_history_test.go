package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// appActor changes the application's tables by itself, and as a client does.
type appActor struct {
	t  *testing.T
	db *sql.DB
	d  sqlstore.Dialect
	s  *sqlstore.Store
	r  *rand.Rand
	// alone: nobody else writes meanwhile, so that whatever fails is a fault.
	alone bool
	name  string
}

// sql runs a statement of the application's own.
func (a *appActor) sql(text string, args ...any) {
	if err := run(a.t.Context(), a.db, a.d, text, args...); err != nil && a.alone {
		a.t.Fatalf("%s %v: %v", text, args, err)
	}
}

// scim reports an error of the store that is not an answer.
func (a *appActor) scim(what string, err error) {
	var e *scim.Error
	switch {
	case err == nil, errors.Is(err, scim.ErrNotFound) && !a.alone, conflict(err) && !a.alone:
	case errors.As(err, &e) && e.Status == 503 && !a.alone:
	default:
		a.t.Errorf("%s: %v", what, err)
	}
}

func (a *appActor) one(query string) (id string, ok bool) {
	err := a.db.QueryRowContext(a.t.Context(), says(a.d, query+" ORDER BY random() LIMIT 1")).Scan(&id)
	return id, err == nil
}

const visible = "org = 'o' AND kind = 'person' AND left_at IS NULL"

func (a *appActor) fresh(what string) string { return fmt.Sprint(what, a.name, a.r.IntN(1_000_000)) }

func (a *appActor) some(list ...string) string { return list[a.r.IntN(len(list))] }

func (a *appActor) step() {
	ctx := a.t.Context()
	person, known := a.one("SELECT CAST(id AS text) FROM people WHERE " + visible)
	team, there := a.one("SELECT CAST(id AS text) FROM teams WHERE org = 'o'")
	user, group := scim.Ref{Type: "User", ID: person}, scim.Ref{Type: "Group", ID: team}
	change := func(v map[string]any) {
		_, err := a.s.Update(ctx, user, func(r *scim.Resource) (*scim.Resource, error) { return r.With(v) })
		a.scim(fmt.Sprint("update ", v), err)
	}
	switch k := a.r.IntN(22); {
	case k == 0:
		a.sql("INSERT INTO people (org, email, first_name, kind) VALUES ($1, $2, $3, $4)", a.some("o", "o", "other"), a.fresh("Hand-made "), a.some("", "Ann"), a.some("person", "person", "robot"))
	case k == 1:
		a.sql("INSERT INTO teams (org, title) VALUES ('o', $1)", a.fresh("Team "))
	case k == 2:
		_, err := a.s.Create(ctx, bind(a.t, scim.UserType(), map[string]any{"userName": a.fresh("Pushed "), "name.givenName": "Bob", "nickName": "n",
			"emails": []any{map[string]any{"value": "x@example.com", "type": "work", "primary": true}, map[string]any{"value": "y@example.com"}}}))
		a.scim("create a user", err)
	case k == 3:
		_, err := a.s.Create(ctx, bind(a.t, scim.GroupType(), map[string]any{"displayName": a.fresh("Pushed ")}))
		a.scim("create a group", err)
	case k == 4 && there && known:
		a.sql("INSERT INTO team_people (team_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", team, person)
	case k == 5 && there && known:
		a.sql("DELETE FROM team_people WHERE team_id = $1 AND person_id = $2", team, person)
	case k == 6 && known:
		a.sql("UPDATE people SET email = $1 WHERE id = $2", a.fresh("Renamed "), person)
	case k == 7 && known:
		a.sql("UPDATE people SET first_name = $1, status = $2, mobile = $3 WHERE id = $4", a.some("", "Cy", "Di"), a.some("active", "invited", "suspended"), a.some("1", "2"), person)
	case k == 8:
		a.sql("UPDATE people SET kind = $1 WHERE id IN (SELECT id FROM people ORDER BY random() LIMIT 2)", a.some("person", "robot"))
	case k == 9:
		a.sql("UPDATE people SET org = $1 WHERE id IN (SELECT id FROM people ORDER BY random() LIMIT 1)", a.some("o", "other"))
	case k == 10 && known:
		a.sql("INSERT INTO people_emails (person_id, address, kind, is_main) VALUES ($1, $2, 'home', $3)", person, a.fresh("mail"), a.r.IntN(2) == 0)
	case k == 11 && known:
		a.sql("DELETE FROM people_emails WHERE person_id = $1", person)
	case k == 12 && known && a.r.IntN(3) == 0:
		a.sql("DELETE FROM team_people WHERE person_id = $1", person)
		a.sql("DELETE FROM people_emails WHERE person_id = $1", person)
		a.sql("DELETE FROM people WHERE id = $1", person)
	case k == 13 && there && a.r.IntN(3) == 0:
		a.sql("DELETE FROM team_people WHERE team_id = $1", team)
		a.sql("DELETE FROM teams WHERE id = $1", team)
	case k == 14 && there:
		a.sql("UPDATE teams SET title = $1 WHERE id = $2", a.fresh("Team "), team)
	case k == 15 && known:
		change(map[string]any{"userName": a.fresh("Changed "), "active": a.r.IntN(2) == 0})
	case k == 16 && known:
		change(map[string]any{"name.givenName": a.some("Eve", "Flo"), "nickName": a.fresh("nick"), "phoneNumbers": []any{map[string]any{"type": "mobile", "value": a.some("3", "4")}}})
	case k == 17 && known:
		change(map[string]any{"emails": []any{map[string]any{"type": "work", "value": a.fresh("mail"), "display": "as it was sent"}}, "phoneNumbers": nil})
	case k == 18 && known && a.r.IntN(3) == 0:
		a.scim("delete a user", a.s.Delete(ctx, user, func(*scim.Resource) error { return nil }))
	case k == 19 && there && a.r.IntN(3) == 0:
		a.scim("delete a group", a.s.Delete(ctx, group, func(*scim.Resource) error { return nil }))
	case k >= 20 && there && known:
		other, _ := a.one("SELECT CAST(id AS text) FROM people WHERE " + visible)
		var add, remove []scim.Ref
		if add = []scim.Ref{user}; other != person {
			remove = []scim.Ref{{Type: "User", ID: other}}
		}
		_, _, err := a.s.ChangeMembers(ctx, team, add, remove)
		a.scim("change members", err)
	}
}

// agree compares what clients see with what the application's tables say.
func (a *appActor) agree() {
	a.t.Helper()
	lines := func(query string) (all []string) {
		rows, err := a.db.Query(says(a.d, query))
		if err != nil {
			a.t.Fatalf("%s: %v", query, err)
		}
		defer rows.Close() //nolint:errcheck // Err tells
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				a.t.Fatal(err)
			}
			all = append(all, line)
		}
		if err := rows.Err(); err != nil {
			a.t.Fatal(err)
		}
		sort.Strings(all)
		return all
	}
	want := lines("SELECT 'User ' || CAST(id AS text) || ' ' || email || ' ' || first_name || ' ' || CASE WHEN status = 'active' THEN 'active' ELSE 'inactive' END || ' ' || COALESCE(mobile, '') FROM people WHERE " + visible)
	want = append(want, lines("SELECT 'mail ' || CAST(p.id AS text) || ' ' || e.address || ' ' || COALESCE(e.kind, '') FROM people p JOIN people_emails e ON e.person_id = p.id WHERE "+visible2())...)
	want = append(want, lines("SELECT 'Group ' || CAST(id AS text) || ' ' || title FROM teams WHERE org = 'o'")...)
	want = append(want, lines("SELECT 'member ' || CAST(t.id AS text) || ' ' || CAST(p.id AS text) FROM teams t JOIN team_people m ON m.team_id = t.id JOIN people p ON p.id = m.person_id WHERE t.org = 'o' AND "+visible2())...)
	var got []string
	ctx := context.Background()
	var people []scim.Ref
	list := func(typ *scim.ResourceType) []*scim.Resource {
		page, err := a.s.List(ctx, typ, &scim.Query{Limit: 10_000})
		if err != nil {
			a.t.Fatal(err)
		}
		return page.Resources
	}
	for _, u := range list(scim.UserType()) {
		people = append(people, u.Ref())
		state, mobile := "inactive", ""
		if u.Active() {
			state = "active"
		}
		mails, _ := u.Get("emails").([]any)
		phones, _ := u.Get("phoneNumbers").([]any)
		for _, p := range phones {
			mobile = p.(map[string]any)["value"].(string)
		}
		got = append(got, fmt.Sprintf("User %s %s %s %s %s", u.ID(), u.String("userName"), u.String("name.givenName"), state, mobile))
		for _, m := range mails {
			m := m.(map[string]any)
			typ, _ := m["type"].(string)
			got = append(got, fmt.Sprintf("mail %s %s %s", u.ID(), m["value"], typ))
		}
		if found := find(a.t, a.s, fmt.Sprintf("userName eq %q", strings.ToUpper(u.String("userName")))); !slices.Contains(found, u.String("userName")) {
			a.t.Errorf("%s is not found by userName, but %q", u.String("userName"), found)
		}
	}
	for _, g := range list(scim.GroupType()) {
		got = append(got, fmt.Sprintf("Group %s %s", g.ID(), g.String("displayName")))
		members, err := a.s.Members(ctx, g.ID(), scim.Ref{}, 10_000)
		if err != nil {
			a.t.Fatal(err)
		}
		for _, m := range members {
			got = append(got, fmt.Sprintf("member %s %s", g.ID(), m.Ref.ID))
		}
	}
	sort.Strings(want)
	sort.Strings(got)
	if diff := cmp.Diff(want, got); diff != "" {
		a.t.Fatalf("what clients see is not what the application has (-application +clients):\n%s", diff)
	}
	memberships, err := a.s.GroupsOf(ctx, people)
	if n := len(slices.DeleteFunc(want, func(s string) bool { return !strings.HasPrefix(s, "member ") })); err != nil || len(memberships) != n {
		a.t.Fatalf("GroupsOf lists %d memberships, want %d, error %v", len(memberships), n, err)
	}
}

func visible2() string {
	return strings.ReplaceAll(strings.ReplaceAll(visible, "kind", "p.kind"), "org", "p.org")
}

// Whatever the application and clients do by turns, clients see what the application
// has, at once.
func TestMappedHistory(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.SQLite {
			db = relaxed(t)
		}
		makeApp(t, db, d)
		a := &appActor{t: t, db: db, d: d, r: rand.New(rand.NewPCG(seed, 1)), alone: true}
		for range 20 { // from before
			a.sql("INSERT INTO people (org, email) VALUES ('o', $1)", a.fresh("Old "))
		}
		a.s = newStore(t, db, d, appOptions("o"))
		steps := 150
		if os.Getenv("SCIM_LONG") == "1" {
			steps = 2000
		}
		for range steps {
			a.step()
			a.agree()
			if t.Failed() {
				return
			}
		}
	})
}

// The same with several of them at once.
func TestMappedAtOnce(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	processes(t, 4, func(t *testing.T, dbs []*sql.DB, d sqlstore.Dialect) {
		makeApp(t, dbs[0], d)
		actors := make([]*appActor, len(dbs))
		for round := range 3 {
			parallel(t, len(dbs), func(i int) error {
				a := &appActor{t: t, db: dbs[i], d: d, name: fmt.Sprint(round, "-", i, "-"), r: rand.New(rand.NewPCG(seed, uint64(round*10+i)))}
				s, err := sqlstore.New(dbs[i], d, appOptions("o"))
				if err != nil {
					return err
				}
				if err := s.Migrate(t.Context()); err != nil {
					return err
				}
				a.s, actors[i] = s, a
				for range 60 {
					a.step()
				}
				return nil
			})
			for _, a := range actors {
				a.agree()
			}
		}
	})
}
