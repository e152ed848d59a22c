// Package trial tests the recipes. It plays a client over HTTP, and the application through its ORM.
package trial

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
)

// Token is the client's token.
const Token = "secret"

// App is an application, as the tests use it. Each method uses the ORM and nothing else, unless it
// says so.
type App interface {
	// SCIM returns the handler and the application's handle on roles.
	SCIM() (*scim.Handler, *scim.Reconciler)
	// Add adds a user of the application and returns the id.
	Add(ctx context.Context, email, name string) (id string, err error)
	// Read reads a user, a deleted one too.
	Read(ctx context.Context, id string) (*User, error)
	// Teams returns the names of the user's teams, in order.
	Teams(ctx context.Context, id string) ([]string, error)
	Rename(ctx context.Context, id, name string) error
	// Delete deletes the user as the ORM does it.
	Delete(ctx context.Context, id string) error
	// Give gives a role by hand, in a transaction that the application begins, and then renames
	// the user. It rolls back and returns fail if that is an error.
	Give(ctx context.Context, id, role string, fail error) error
	Close() error
}

// User is a user as the ORM reads it.
type User struct {
	Email, Name, Role  string
	IsActive           bool
	IsDeleted          bool
	CreatedAt, Updated time.Time
}

// Roles are the roles of the recipes' applications. A user without a role has Member in the column.
var Roles = []string{"editor", "viewer"}

// Member stands in the column of users without a role.
const Member = "member"

// Everyone is the team that each new user joins.
const Everyone = "Everyone"

// trial is an application with a client.
type trial struct {
	t   *testing.T
	app App
	url string
}

// Run tests an application. open opens it over an SQLite file, with at most so many connections (0
// is any number), as at each start.
func Run(t *testing.T, open func(ctx context.Context, file string, connections int) (App, error)) {
	for _, connections := range []int{0, 1} {
		t.Run(fmt.Sprintf("at most %d connections", connections), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "app.db")
			start := func() *trial {
				app, err := open(t.Context(), file, connections)
				if err != nil {
					t.Fatal(err)
				}
				h, _ := app.SCIM()
				server := httptest.NewServer(scim.Mount("/scim/v2", h, http.NotFoundHandler()))
				t.Cleanup(server.Close)
				return &trial{t, app, server.URL + "/scim/v2"}
			}
			r := start()
			r.users()
			r.isRolledBack()
			r.deleted()
			r.roles()
			r.byHand()
			r.is(r.app.Close(), "close")
			r = start() // its migrations run again, over the library's tables and triggers
			r.again()
			r.is(r.app.Close(), "close")
		})
	}
}

// is ends the test if there is an error.
func (r *trial) is(err error, what string) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("%s: %v", what, err)
	}
}

// want compares.
func want[T comparable](r *trial, what string, want, got T) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// do makes a request of a client.
func (r *trial) do(status int, method, path, body string) map[string]any {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	r.is(err, path)
	req.Header.Set("Authorization", "Bearer "+Token)
	req.Header.Set("Content-Type", "application/scim+json")
	res, err := http.DefaultClient.Do(req)
	r.is(err, path)
	defer res.Body.Close() //nolint:errcheck // it was read
	raw, err := io.ReadAll(res.Body)
	r.is(err, path)
	if res.StatusCode != status {
		r.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, res.StatusCode, raw, status)
	}
	answer := map[string]any{}
	if len(raw) > 0 {
		r.is(json.Unmarshal(raw, &answer), string(raw))
	}
	return answer
}

// find looks a user up by name, as clients do, and returns it, or nil.
func (r *trial) find(name string) map[string]any {
	r.t.Helper()
	list := r.do(200, "GET", "/Users?filter="+url.QueryEscape(fmt.Sprintf("userName eq %q", name)), "")
	all, _ := list["Resources"].([]any)
	if len(all) != 1 {
		return nil
	}
	return all[0].(map[string]any)
}

// create creates a user and returns the id.
func (r *trial) create(email, name string) string {
	r.t.Helper()
	return r.do(201, "POST", "/Users", fmt.Sprintf(`{"userName":%q,"displayName":%q,"active":true}`, email, name))["id"].(string)
}

// group creates a group and returns the id.
func (r *trial) group(name string, members ...string) string {
	r.t.Helper()
	list := make([]string, len(members))
	for i, id := range members {
		list[i] = fmt.Sprintf(`{"value":%q}`, id)
	}
	return r.do(201, "POST", "/Groups", fmt.Sprintf(`{"displayName":%q,"members":[%s]}`, name, strings.Join(list, ",")))["id"].(string)
}

// set changes an attribute of a user.
func (r *trial) set(id, path, value string) {
	r.t.Helper()
	r.do(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"`+path+`","value":`+value+`}]}`)
}

// leave removes a member from a group.
func (r *trial) leave(group, id string) {
	r.t.Helper()
	r.do(204, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"remove","path":"members[value eq \"`+id+`\"]"}]}`)
}

// read reads a user through the ORM.
func (r *trial) read(id string) *User {
	r.t.Helper()
	u, err := r.app.Read(r.t.Context(), id)
	r.is(err, "read user "+id)
	return u
}

// teams returns the user's teams through the ORM.
func (r *trial) teams(id string) string {
	r.t.Helper()
	teams, err := r.app.Teams(r.t.Context(), id)
	r.is(err, "teams of user "+id)
	return strings.Join(teams, " ")
}

// explained returns what the library says about the user's role, "" if the user has none.
func (r *trial) explained(id string) string {
	r.t.Helper()
	_, roles := r.app.SCIM()
	all, err := roles.Explain(r.t.Context(), id)
	r.is(err, "explain")
	var lines []string
	for _, e := range all {
		lines = append(lines, fmt.Sprintf("%s %s", e.Role.ID, e.State))
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}
