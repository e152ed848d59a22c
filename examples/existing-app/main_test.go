package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { postgres.Main(m) }

// running is the program, in this process.
type running struct {
	t   *testing.T
	url string
}

func start(t *testing.T, where string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-addr", "127.0.0.1:0", "-token", "secret", "-db", where}, w)
		w.CloseWithError(err) //nolint:errcheck // it returns nil
		done <- err
	}()
	lines := bufio.NewScanner(r)
	if !lines.Scan() {
		t.Fatal(<-done)
	}
	url, ok := strings.CutPrefix(lines.Text(), "listening on ")
	if !ok {
		t.Fatalf("the first line is %q", lines.Text())
	}
	go io.Copy(io.Discard, r) //nolint:errcheck // the end of the program closes it
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &running{t, url}
}

// scim makes a request of a client and returns the answer.
func (r *running) scim(want int, method, path, body string) map[string]any {
	r.t.Helper()
	req, err := http.NewRequest(method, r.url+"/scim/v2"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer secret")
	req.Header.Set("Content-Type", "application/scim+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if res.StatusCode != want {
		r.t.Fatalf("%s %s: %d %s, want %d", method, path, res.StatusCode, raw, want)
	}
	var answer map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &answer); err != nil {
			r.t.Fatal(err)
		}
	}
	return answer
}

// lookUp is the id of the one user of a name, "" if there is none.
func (r *running) lookUp(name string) string {
	r.t.Helper()
	list := r.scim(200, "GET", "/Users?filter="+url.QueryEscape(fmt.Sprintf("userName eq %q", name)), "")
	all, _ := list["Resources"].([]any)
	if len(all) != 1 {
		return ""
	}
	return all[0].(map[string]any)["id"].(string)
}

var cells = regexp.MustCompile(`<tr><td>(.*)</tr>`)

// page returns the lines of the application's page, one for each user.
func (r *running) page() []string {
	r.t.Helper()
	res, err := http.Get(r.url)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var lines []string
	for _, m := range cells.FindAllSubmatch(raw, -1) {
		lines = append(lines, string(bytes.ReplaceAll(m[1], []byte("<td>"), []byte("|"))))
	}
	return lines
}

func (r *running) expect(what string, want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.page()); diff != "" {
		r.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// post sends a form to a page of the application.
func (r *running) post(want int, path string, form url.Values) {
	r.t.Helper()
	res, err := http.PostForm(r.url+path, form)
	if err != nil {
		r.t.Fatal(err)
	}
	res.Body.Close() //nolint:errcheck // only the status counts
	if res.StatusCode != want {
		r.t.Errorf("%s with %v: %d, want %d", path, form, res.StatusCode, want)
	}
}

func members(ids ...string) string {
	var list []string
	for _, id := range ids {
		list = append(list, fmt.Sprintf(`{"value":%q}`, id))
	}
	return strings.Join(list, ",")
}

// TestApplication lets a client adopt the users, teams and roles from before SCIM.
func TestApplication(t *testing.T) {
	places := map[string]func(t *testing.T) (where string, db *sql.DB){
		"SQLite": func(t *testing.T) (string, *sql.DB) {
			where := "sqlite:" + filepath.Join(t.TempDir(), "app.db")
			db, _, err := open(where)
			if err != nil {
				t.Fatal(err)
			}
			return where, db
		},
		"PostgreSQL": func(t *testing.T) (string, *sql.DB) {
			where := postgres.DSN(t)
			db, _, err := open(where)
			if err != nil {
				t.Fatal(err)
			}
			return where, db
		},
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			where, db := place(t)
			defer db.Close() //nolint:errcheck // the test is over
			app := start(t, where)
			app.expect("before", "ann@example.com|Ann Lee|active||Admin", "bob@example.com|Bob Ray|active|Sales|", "old@example.com|Olga Dean|locked||")

			// The client looks up Bob and finds him. It creates Ann, and so adopts the existing user.
			bob := app.lookUp("BOB@example.com")
			app.scim(200, "PUT", "/Users/"+bob, `{"userName":"bob@example.com","externalId":"00u2","displayName":"Robert Ray","active":true}`)
			ann := app.scim(201, "POST", "/Users", `{"userName":"ann@example.com","externalId":"00u1","name":{"givenName":"Ann"}}`)["id"].(string)
			app.scim(409, "POST", "/Users", `{"userName":"ann@example.com","externalId":"00u9"}`)
			cy := app.scim(201, "POST", "/Users", `{"userName":"cy@example.com","displayName":"Cy"}`)["id"].(string)
			app.expect("people", "ann@example.com|Ann Lee|active||Admin", "bob@example.com|Robert Ray|active|Sales|", "old@example.com|Olga Dean|locked||", "cy@example.com|Cy|active||")

			// Sales is a team and a role, and Admin becomes a team. Ann keeps the role that she has by hand.
			sales := app.scim(201, "POST", "/Groups", `{"displayName":"Sales","members":[`+members(bob, cy)+`]}`)["id"].(string)
			admins := app.scim(201, "POST", "/Groups", `{"displayName":"Admin","members":[`+members(ann, cy)+`]}`)["id"].(string)
			app.expect("a protected role waits", "ann@example.com|Ann Lee|active|Admin|Admin", "bob@example.com|Robert Ray|active|Sales|Sales",
				"old@example.com|Olga Dean|locked||", "cy@example.com|Cy|active|Admin, Sales|Sales")
			app.post(200, "/confirm", url.Values{"team": {"Admin"}, "role": {"Admin"}})
			app.expect("groups", "ann@example.com|Ann Lee|active|Admin|Admin", "bob@example.com|Robert Ray|active|Sales|Sales",
				"old@example.com|Olga Dean|locked||", "cy@example.com|Cy|active|Admin, Sales|Admin, Sales")
			app.scim(204, "PATCH", "/Groups/"+sales, `{"Operations":[{"op":"Remove","path":"members[value eq \"`+cy+`\"]"}]}`)
			app.scim(204, "DELETE", "/Groups/"+admins, "")
			app.expect("groups let go", "ann@example.com|Ann Lee|active||Admin", "bob@example.com|Robert Ray|active|Sales|Sales",
				"old@example.com|Olga Dean|locked||", "cy@example.com|Cy|active||")

			// A deactivated user cannot log in. SCIM shows changes of the application at once.
			app.scim(200, "PATCH", "/Users/"+bob, `{"Operations":[{"op":"replace","path":"active","value":false}]}`)
			app.post(http.StatusForbidden, "/login", url.Values{"email": {"bob@example.com"}})
			if _, err := db.Exec("UPDATE users SET email = 'carl@example.com' WHERE email = 'cy@example.com'"); err != nil {
				t.Fatal(err)
			}
			if id := app.lookUp("carl@example.com"); id != cy || app.lookUp("cy@example.com") != "" {
				t.Errorf("after the application has changed an address the user is found as %q, want %q", id, cy)
			}
			app.scim(204, "DELETE", "/Users/"+cy, "")
			app.expect("the end", "ann@example.com|Ann Lee|active||Admin", "bob@example.com|Robert Ray|locked|Sales|", "old@example.com|Olga Dean|locked||")
		})
	}
}

// Servers that start at once on a new database all start, and the data is there once.
func TestStartAtOnce(t *testing.T) {
	for _, where := range []string{"sqlite:" + filepath.Join(t.TempDir(), "app.db"), postgres.DSN(t)} {
		errs := make(chan error)
		for range 8 {
			go func() { errs <- startOne(t, where) }()
		}
		for range 8 {
			if err := <-errs; err != nil {
				t.Errorf("%s: %v", where, err)
			}
		}
		start(t, where).expect("people", "ann@example.com|Ann Lee|active||Admin", "bob@example.com|Bob Ray|active|Sales|", "old@example.com|Olga Dean|locked||")
	}
}

// startOne starts the application up to its first request. The database stays open until the end
// of the test: SQLite is locked for others for a moment while its last connection closes.
func startOne(t *testing.T, where string) error {
	db, d, err := open(where)
	if err != nil {
		return err
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // every change was committed
	if err := install(t.Context(), db, d); err != nil {
		return err
	}
	_, _, err = withSCIM(t.Context(), http.NotFoundHandler(), db, d, "secret")
	return err
}

// What administrators do by hand stays, and a protected role waits for them.
func TestAdministrators(t *testing.T) {
	app := start(t, "sqlite:"+filepath.Join(t.TempDir(), "app.db"))
	const ann, olga = "ann@example.com|Ann Lee|active||Admin", "old@example.com|Olga Dean|locked||"
	bob := app.lookUp("bob@example.com")
	editors := app.scim(201, "POST", "/Groups", `{"displayName":"Editor","members":[`+members(bob)+`]}`)["id"].(string)
	app.expect("a group gives a role", ann, "bob@example.com|Bob Ray|active|Editor, Sales|Editor", olga)
	app.post(200, "/give", url.Values{"email": {"bob@example.com"}, "role": {"Editor"}})
	app.post(409, "/give", url.Values{"email": {"bob@example.com"}, "role": {"Nothing"}})
	app.scim(204, "DELETE", "/Groups/"+editors, "")
	app.expect("given by hand meanwhile", ann, "bob@example.com|Bob Ray|active|Sales|Editor", olga)

	app.post(409, "/confirm", url.Values{"team": {"Admin"}, "role": {"Admin"}})
	admins := app.scim(201, "POST", "/Groups", `{"displayName":"Admin","members":[`+members(bob)+`]}`)["id"].(string)
	app.expect("waiting", ann, "bob@example.com|Bob Ray|active|Admin, Sales|Editor", olga)
	app.post(409, "/confirm", url.Values{"team": {"Admin"}, "role": {"Editor"}})
	app.expect("still waiting", ann, "bob@example.com|Bob Ray|active|Admin, Sales|Editor", olga)
	app.post(200, "/confirm", url.Values{"team": {"Admin"}, "role": {"Admin"}})
	app.expect("confirmed", ann, "bob@example.com|Bob Ray|active|Admin, Sales|Admin, Editor", olga)
	app.scim(204, "DELETE", "/Groups/"+admins, "")
	app.expect("the end", ann, "bob@example.com|Bob Ray|active|Sales|Editor", olga)
}

// README.md shows scim.go as a whole.
func TestSize(t *testing.T) {
	raw, err := os.ReadFile("scim.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(raw, []byte("\n")); n >= 80 {
		t.Errorf("scim.go has %d lines; they were to be less than 80", n)
	}
}
