package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// running is the program, in this process.
type running struct {
	t   *testing.T
	url string
}

func start(t *testing.T, file string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-addr", "127.0.0.1:0", "-token", "secret", "-db", file}, w)
		w.CloseWithError(err) //nolint:errcheck // it returns nil
		done <- err
	}()
	lines := bufio.NewScanner(r)
	if !lines.Scan() {
		t.Fatal(<-done)
	}
	url := strings.TrimPrefix(lines.Text(), "listening on ")
	go io.Copy(io.Discard, r) //nolint:errcheck // the end of the program closes it
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &running{t, url}
}

// do makes a request and returns the answer.
func (r *running) do(want int, method, path, kind, body string) string {
	r.t.Helper()
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer secret")
	req.Header.Set("Content-Type", kind)
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
		r.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, res.StatusCode, raw, want)
	}
	return string(raw)
}

// scim makes a request of a client.
func (r *running) scim(want int, method, path, body string) map[string]any {
	r.t.Helper()
	answer := map[string]any{}
	if raw := r.do(want, method, "/scim/v2"+path, "application/scim+json", body); raw != "" {
		if err := json.Unmarshal([]byte(raw), &answer); err != nil {
			r.t.Fatal(err)
		}
	}
	return answer
}

// user creates a user, or adopts the one who is there.
func (r *running) user(name string) string {
	r.t.Helper()
	return r.scim(201, "POST", "/Users", fmt.Sprintf(`{"userName":%q,"emails":[{"value":"%s@example.com","type":"work"}]}`, name, name))["id"].(string)
}

func (r *running) group(name string, members ...string) string {
	r.t.Helper()
	list := make([]string, len(members))
	for i, id := range members {
		list[i] = fmt.Sprintf(`{"value":%q}`, id)
	}
	return r.scim(201, "POST", "/Groups", fmt.Sprintf(`{"displayName":%q,"members":[%s]}`, name, strings.Join(list, ",")))["id"].(string)
}

func (r *running) leave(group, user string) {
	r.t.Helper()
	r.scim(204, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"remove","path":"members[value eq \"`+user+`\"]"}]}`)
}

var keys = regexp.MustCompile(` \(key .+\)`)

// expect compares the page, without its keys.
func (r *running) expect(what string, want ...string) {
	r.t.Helper()
	got := strings.Split(strings.TrimSpace(keys.ReplaceAllString(r.do(200, "GET", "/", "", ""), "")), "\n")
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		r.t.Errorf("%s: the page says\n%s\nwant\n%s", what, g, w)
	}
}

func Test(t *testing.T) {
	file := filepath.Join(t.TempDir(), "vikunja.db")
	r := start(t, file)
	r.expect("before SCIM", "owner* status 0: Apollo* Holiday*", "ann status 0: Apollo")

	ann, bob, cy := r.user("ann"), r.user("bob"), r.user("cy")
	if ann != "2" {
		t.Errorf("Ann was there and has the id %s, want 2", ann)
	}
	apollo, admins := r.group("Apollo", ann, bob, cy), r.group("Apollo admins", bob)
	r.group("Holiday", ann, bob)
	r.group("Holiday admins", cy)
	r.expect("the groups fill the team, and no private one", "owner* status 0: Apollo* Holiday*", "ann status 0: Apollo", "bob status 0: Apollo*", "cy status 0: Apollo")
	r.leave(admins, bob)
	r.expect("an administrator becomes a member", "owner* status 0: Apollo* Holiday*", "ann status 0: Apollo", "bob status 0: Apollo", "cy status 0: Apollo")
	r.leave(apollo, ann)
	r.leave(apollo, cy)
	r.expect("who joined by hand stays", "owner* status 0: Apollo* Holiday*", "ann status 0: Apollo", "bob status 0: Apollo", "cy status 0:")

	r.scim(200, "PATCH", "/Users/"+bob, `{"Operations":[{"op":"replace","path":"active","value":false}]}`)
	r.expect("inactive", "owner* status 0: Apollo* Holiday*", "ann status 0: Apollo", "bob status 2:", "cy status 0:")
	r.scim(200, "PATCH", "/Users/"+bob, `{"Operations":[{"op":"replace","path":"active","value":true}]}`)
	r.scim(403, "DELETE", "/Users/"+bob, "")

	r.group("Vikunja administrators", cy)
	key := regexp.MustCompile(`waits: Vikunja administrators for Vikunja administrators \(key (.+)\)`).FindStringSubmatch(r.do(200, "GET", "/", "", ""))
	if key == nil {
		t.Fatal("nothing waits")
	}
	r.do(200, "POST", "/confirm", "application/x-www-form-urlencoded", url.Values{"key": {key[1]}}.Encode())
	r.expect("confirmed", "owner* status 0: Apollo* Holiday*", "ann status 0: Apollo", "bob status 0: Apollo", "cy* status 0:")

	r.scim(204, "PATCH", "/Groups/"+admins, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+ann+`"}]}]}`)
	r.expect("what was given by hand keeps its place", "owner* status 0: Apollo* Holiday*", "ann status 0: Apollo", "bob status 0: Apollo", "cy* status 0:",
		"waits: Apollo admins for Administrator")
	r.leave(admins, ann)

	r.scim(204, "DELETE", "/Groups/"+apollo, "")
	r.expect("the group is gone, the team is not", "owner* status 0: Apollo* Holiday*", "ann status 0: Apollo", "bob status 0:", "cy* status 0:")
}

// TestSeconds reads the times as Vikunja's columns have them.
func TestSeconds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "vikunja.db")
	r := start(t, file)
	db, err := open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	if _, err := db.Exec("INSERT INTO users (username, created, updated) VALUES ('dan', '2024-02-29 09:30:00', '2024-02-29 09:30:00')"); err != nil {
		t.Fatal(err)
	}
	created := func(id string) string {
		return r.scim(200, "GET", "/Users/"+id, "")["meta"].(map[string]any)["created"].(string)
	}
	if got := created("3"); !strings.HasPrefix(got, "2024-02-29T09:30:00") {
		t.Errorf("meta.created of Dan: %s", got)
	}
	bob := r.user("bob")
	var text, other string
	if err := db.QueryRow("SELECT CAST(created AS text), datetime(updated) FROM users WHERE id = ?", bob).Scan(&text, &other); err != nil {
		t.Fatal(err)
	}
	if want := created(bob); text[:10] != want[:10] || text[11:19] != want[11:19] {
		t.Errorf("the column holds %s, meta.created is %s", text, want)
	}
	if other == "" {
		t.Error("SQLite does not understand the time of the last change")
	}
}
