package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// inLargeApp runs a test on each database. The application has n people of the tenant "o" in three
// teams, and nobody has called Migrate.
func inLargeApp(t *testing.T, n int, test func(a app)) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeApp(t, db, d)
		s, err := sqlstore.New(db, d, appOptions("o"))
		if err != nil {
			t.Fatal(err)
		}
		a := app{t: t, db: db, d: d, s: s}
		a.exec("INSERT INTO teams (org, title) VALUES ('o', 'Red'), ('o', 'Green'), ('o', 'Blue'), ('other', 'Red')")
		var people, joins []string
		for i := 1; i <= n; i++ {
			people = append(people, fmt.Sprintf("('o', 'p%d@example.com', 'Eva')", i))
			joins = append(joins, fmt.Sprintf("(%d, %d)", 1+i%3, i))
		}
		a.exec("INSERT INTO people (org, email, first_name) VALUES " + strings.Join(people, ", "))
		a.exec("INSERT INTO team_people (team_id, person_id) VALUES " + strings.Join(joins, ", "))
		a.exec("INSERT INTO people_emails (person_id, address, kind) VALUES (1, 'one@example.com', 'work'), (2, 'two@example.com', 'work')")
		test(a)
	})
}

// list lists the lines that a query of the application gives.
func (a app) list(query string) []string {
	a.t.Helper()
	rows, err := a.db.Query(says(a.d, query))
	if err != nil {
		a.t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // Err reports it
	lines := []string{}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			a.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		a.t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

// joined is a query for texts that are joined.
func (a app) joinTexts(parts ...string) string {
	if a.d == sqlstore.MariaDB {
		return "concat(" + strings.Join(parts, ", ' ', ") + ")"
	}
	return strings.Join(parts, " || ' ' || ")
}

// wantSame compares what clients see with what the application has, and wants no notes.
func (a app) wantSame() {
	a.t.Helper()
	people, members := []string{}, []string{}
	q := &scim.Query{Limit: 1000}
	for {
		page, err := a.s.List(a.t.Context(), scim.UserType(), q)
		if err != nil {
			a.t.Fatal(err)
		}
		for _, r := range page.Resources {
			mails, _ := r.Get("emails.value").([]any)
			people = append(people, fmt.Sprint(r.ID(), " ", r.String("userName"), " ", r.String("name.givenName"), " ", len(mails)))
		}
		if len(page.Resources) < q.Limit {
			break
		}
		q.After = scim.KeyOf(q, page.Resources[len(page.Resources)-1])
	}
	groups, err := a.s.List(a.t.Context(), scim.GroupType(), &scim.Query{Limit: 1000})
	if err != nil {
		a.t.Fatal(err)
	}
	for _, g := range groups.Resources {
		list, err := a.s.Members(a.t.Context(), g.ID(), scim.Ref{}, 1_000_000)
		if err != nil {
			a.t.Fatal(err)
		}
		for _, m := range list {
			members = append(members, fmt.Sprint(g.String("displayName"), " ", m.Ref.ID))
		}
	}
	slices.Sort(people)
	slices.Sort(members)
	id, mails := "CAST(p.id AS text)", "CAST((SELECT count(*) FROM people_emails e WHERE e.person_id = p.id) AS text)"
	const visible = " p.org = 'o' AND p.kind = 'person' AND p.left_at IS NULL"
	a.want("people", a.list("SELECT "+a.joinTexts(id, "p.email", "p.first_name", mails)+" FROM people p WHERE"+visible), people)
	a.want("members", a.list("SELECT "+a.joinTexts("t.title", id)+" FROM team_people j JOIN people p ON p.id = j.person_id JOIN teams t ON t.id = j.team_id WHERE t.org = 'o' AND"+visible), members)
	a.want("notes that are left", "0", a.row("SELECT count(*) FROM scim_stale"))
}

// migrateHalf stops the first Migrate when it has brought in some users.
func (a app) migrateHalf() {
	a.t.Helper()
	ctx, stop := context.WithCancel(a.t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- a.s.Migrate(ctx) }()
	for {
		select {
		case err := <-ended:
			if err == nil {
				a.t.Fatal("Migrate had no time to be stopped")
			}
			return
		case <-time.After(time.Millisecond):
			n := 0
			if a.db.QueryRow("SELECT count(*) FROM scim_resources WHERE type = 'User'").Scan(&n) == nil && n > 0 { // Otherwise there is no table yet.
				stop()
			}
		}
	}
}

// disturb changes rows of the application in each way. The people have the numbers n+1 to n+9.
func (a app) disturb(n int) {
	for i, text := range []string{
		"UPDATE people SET first_name = 'Changed' WHERE id = %d",
		"DELETE FROM people WHERE id = %d",
		"UPDATE people SET org = 'other' WHERE id = %d",
		"UPDATE people SET left_at = CURRENT_TIMESTAMP WHERE id = %d",
		"UPDATE people SET id = 1000000 + id WHERE id = %d",
		"INSERT INTO people_emails (person_id, address) VALUES (%d, 'late@example.com')",
		"UPDATE team_people SET team_id = 4 - team_id WHERE person_id = %d",
		"INSERT INTO team_people (team_id, person_id) SELECT t.id, %d FROM teams t WHERE t.title = 'Late'",
		"UPDATE people SET email = concat('moved', id) WHERE id = %d",
	} {
		id := n + i + 1
		if i == 1 || i == 4 { // Nothing refers to them.
			a.exec("DELETE FROM people_emails WHERE person_id = $1", id)
			a.exec("DELETE FROM team_people WHERE person_id = $1", id)
		}
		if i == 8 && a.d == sqlstore.SQLite {
			text = "UPDATE people SET email = 'moved' || id WHERE id = %d"
		}
		a.exec(fmt.Sprintf(text, id))
		if i == 1 { // Another person gets the key.
			a.exec("INSERT INTO people (id, org, email, first_name) VALUES ($1, 'o', $2, 'New')", id, fmt.Sprint("new", id))
			if n%20 == 0 {
				a.exec("DELETE FROM people WHERE id = $1", id)
			}
		}
	}
}

// The first Migrate is stopped half-way, and the application writes before the next one, which
// goes on.
func TestFirstMigrateGoesOn(t *testing.T) {
	const n = 6000
	inLargeApp(t, n, func(a app) {
		a.migrateHalf()
		if _, err := a.s.Get(a.t.Context(), scim.Ref{Type: "User", ID: "1"}); err == nil || !strings.Contains(err.Error(), "call Migrate") {
			a.t.Errorf("half-way: error %v", err)
		}
		versions := "SELECT " + a.joinTexts("id", "version") + " FROM scim_resources WHERE type = 'User'"
		before := a.list(versions)
		if len(before) == n {
			a.t.Fatal("Migrate had no time to be stopped")
		}
		a.exec("INSERT INTO teams (org, title) VALUES ('o', 'Late')")
		for i := 10; i < n; i += n / 12 {
			a.disturb(i)
		}
		if err := a.s.Migrate(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
		a.wantSame()
		now := make(map[string]bool)
		for _, line := range a.list(versions) {
			now[line] = true
		}
		kept := 0
		for _, line := range before {
			if now[line] {
				kept++
			}
		}
		if kept < len(before)*9/10 {
			a.t.Errorf("%d of %d users that the first call brought in are as it left them", kept, len(before))
		}
	})
}

// The application inserts, changes and deletes rows, and moves them to another tenant, while the
// first Migrate runs. Its writes do not wait for the end.
func TestFirstMigrateMeanwhile(t *testing.T) {
	const n = 6000
	inLargeApp(t, n, func(a app) {
		a.exec("INSERT INTO teams (org, title) VALUES ('o', 'Late')")
		ended := make(chan error, 1)
		go func() { ended <- a.s.Migrate(a.t.Context()) }()
		running, rounds := true, 0
		for i := 10; i < n-10 && running; i += 20 {
			a.disturb(i)
			rounds++
			select {
			case err := <-ended:
				running = false
				if err != nil {
					a.t.Fatal(err)
				}
			default:
			}
		}
		if running {
			if err := <-ended; err != nil {
				a.t.Fatal(err)
			}
		}
		if rounds < 2 {
			a.t.Errorf("the application could write %d times only", rounds)
		}
		a.wantSame()
	})
}

// Several processes call Migrate for the first time at once, and the application writes.
func TestFirstMigrateOfMany(t *testing.T) {
	const n = 4000
	inLargeApp(t, n, func(a app) {
		a.exec("INSERT INTO teams (org, title) VALUES ('o', 'Late')")
		var processes sync.WaitGroup
		for range 3 {
			s, err := sqlstore.New(a.db, a.d, appOptions("o"))
			if err != nil {
				a.t.Fatal(err)
			}
			processes.Go(func() {
				if err := s.Migrate(a.t.Context()); err != nil {
					a.t.Error(err)
				}
				if _, err := s.Get(a.t.Context(), scim.Ref{Type: "User", ID: "2999"}); err != nil {
					a.t.Errorf("after Migrate: %v", err)
				}
			})
		}
		for i := 10; i < n/2; i += 100 {
			a.disturb(i)
		}
		processes.Wait()
		a.wantSame()
	})
}

// A tenant begins while a transaction is open that has written rows of it. Triggers of another
// tenant exist, and have not noted them.
func TestFirstMigrateAwaitsWriters(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		if a.d == sqlstore.SQLite { // Nobody else writes.
			return
		}
		for _, text := range []string{
			"INSERT INTO people (org, email) VALUES ('other', 'new@example.com')",
			"INSERT INTO people_emails (person_id, address) VALUES (4, 'ann@example.org')",
			"DELETE FROM team_people WHERE team_id = 2",
		} {
			o := appOptions("other")
			s, err := sqlstore.New(a.db, a.d, o)
			if err != nil {
				a.t.Fatal(err)
			}
			tx, err := a.db.Begin()
			if err != nil {
				a.t.Fatal(err)
			}
			if _, err := tx.Exec(text); err != nil {
				a.t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- s.Migrate(a.t.Context()) }()
			select {
			case err := <-ended:
				a.t.Errorf("%s: Migrate did not wait: error %v", text, err)
				ended <- nil
			case <-time.After(300 * time.Millisecond):
			}
			if err := tx.Commit(); err != nil {
				a.t.Fatal(err)
			}
			if err := <-ended; err != nil {
				a.t.Fatal(err)
			}
			other := app{t: a.t, db: a.db, d: a.d, s: s}
			switch {
			case strings.Contains(text, "people_emails"):
				a.want("emails", []any{"ann@example.org"}, other.get("User", "4").Get("emails.value"))
			case strings.Contains(text, "team_people"):
				a.want("members", []string{}, other.members("2"))
			default:
				a.want("people", 2, len(names(a.t, s)))
			}
			if _, err := s.EraseTenant(a.t.Context(), 1000); err != nil {
				a.t.Fatal(err)
			}
		}
	})
}

// A function of the application panics, and the caller of Migrate can recover.
func TestFirstMigratePanics(t *testing.T) {
	inLargeApp(t, 10, func(a app) {
		o := appOptions("o")
		o.Tables[0].Columns[0].From = func(v any) (any, error) {
			if v == "p7@example.com" {
				panic("seven")
			}
			return v, nil
		}
		s, err := sqlstore.New(a.db, a.d, o)
		if err != nil {
			a.t.Fatal(err)
		}
		defer func() {
			if r := recover(); r != "seven" {
				a.t.Errorf("recovered %v", r)
			}
		}()
		a.t.Errorf("Migrate returned %v", s.Migrate(a.t.Context()))
	})
}

// A process has read rows and has not inserted their resources yet. Meanwhile another one enrols
// the tenant, and follows what the application changes. The first one must not bring back what it
// has read.
func TestFirstMigrateReadLongAgo(t *testing.T) {
	inLargeApp(t, 10, func(a app) {
		o := appOptions("o")
		hasRead, goOn := make(chan bool, 1), make(chan bool)
		o.Tables[0].Columns[0].From = func(v any) (any, error) {
			if v == "p7@example.com" {
				hasRead <- true
				<-goOn
			}
			return v, nil
		}
		slow, err := sqlstore.New(a.db, a.d, o)
		if err != nil {
			a.t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- slow.Migrate(a.t.Context()) }()
		<-hasRead
		a.s = newStore(a.t, a.db, a.d, appOptions("o"))
		a.exec("DELETE FROM team_people WHERE person_id = 7")
		a.exec("DELETE FROM people WHERE id = 7")
		a.exec("UPDATE people SET first_name = 'Late' WHERE id = 8")
		a.wantSame()
		close(goOn)
		if err := <-ended; err != nil {
			a.t.Fatal(err)
		}
		a.wantSame()
	})
}

// The tenant had users and groups of its own before their types got Tables, with the keys of
// rows. They keep what has no column. Triggers of another tenant exist.
func TestFirstMigrateOfOldResources(t *testing.T) {
	inLargeApp(t, 10, func(a app) {
		newStore(a.t, a.db, a.d, appOptions("other"))
		own := newStore(a.t, a.db, a.d, sqlstore.Options{Tenant: "o"})
		for id, typ := range map[string]*scim.ResourceType{"1": scim.UserType(), "3": scim.GroupType()} {
			r, err := typ.Bind(scim.Meta{ID: id, Created: epoch, LastModified: epoch, Version: "1"}, nil, map[string]any{"externalId": "x" + id})
			if err != nil {
				a.t.Fatal(err)
			}
			create(a.t, own, r)
		}
		if err := a.s.Migrate(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
		a.want("what the user had", "x1", a.get("User", "1").String("externalId"))
		a.want("what the group had", "x3", a.get("Group", "3").String("externalId"))
		a.wantSame()
	})
}

// A resource exists behind many rows that are new, so nobody looks for it before its row is inserted.
func TestFirstMigrateFindsDuplicates(t *testing.T) {
	const n = 13_500
	inLargeApp(t, n, func(a app) {
		own := newStore(a.t, a.db, a.d, sqlstore.Options{Tenant: "o"})
		for _, id := range []int{n, n - 100} {
			r, err := scim.UserType().Bind(scim.Meta{ID: fmt.Sprint(id), Created: epoch, LastModified: epoch, Version: "1"}, nil, map[string]any{"externalId": fmt.Sprint("x", id)})
			if err != nil {
				t.Fatal(err)
			}
			create(a.t, own, r)
		}
		if err := a.s.Migrate(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
		a.want("what the user had", fmt.Sprint("x", n), a.get("User", fmt.Sprint(n)).String("externalId"))
		a.want("users with a row", fmt.Sprint(n), a.row("SELECT count(*) FROM scim_resources WHERE type = 'User' AND seen IS NOT NULL"))
	})
}

// Values that are special in some form of a statement arrive as they are. Others are left out, and the
// rest of their row stays.
func TestFirstMigrateOfOddTexts(t *testing.T) {
	inLargeApp(t, 200, func(a app) {
		for i, text := range []string{`a"b`, `a\\b`, "{a,b}", "NULL", "", "a'b", "a\x1fb", "a\tb\nc", "<&>", "ä\u2028", `\"`, "}", "$1 ? {p}"} {
			a.exec("UPDATE people SET first_name = $1, last_name = $2, email = $3 WHERE id = $4", text, text, fmt.Sprint(i, text), 3+i)
		}
		a.exec("UPDATE people SET status = 'odd' WHERE id = 50")
		o := appOptions("o")
		o.Tables[0].Columns[2].From = func(v any) (any, error) {
			if v == "{a,b}" {
				return nil, errors.New("no such name")
			}
			return v, nil
		}
		s, err := sqlstore.New(a.db, a.d, o)
		if err != nil {
			a.t.Fatal(err)
		}
		a.s = s
		if err := s.Migrate(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
		a.wantSame()
		a.want("the name that From takes", "a\x1fb", a.get("User", "9").String("name.familyName"))
		a.want("the name that From refuses", "", a.get("User", "5").String("name.familyName"))
		a.want("the look-up", []string{`0a"b`}, find(a.t, a.s, `userName eq "0a\"b"`))
	})
}
