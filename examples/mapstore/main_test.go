package main

import (
	"context"
	"fmt"
	"go/format"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/storetest"
)

func newApp() *App {
	return &App{accounts: map[scim.Ref]Account{}, roles: []string{"Editor", "Viewer"}}
}

// TestForm holds the form in which docs/write-a-store.md shows this program.
func TestForm(t *testing.T) {
	program := read(t, "main.go")
	formatted, err := format.Source([]byte(program))
	if err != nil || string(formatted) != program {
		t.Errorf("main.go is not in the form of gofmt (error %v)", err)
	}
	lines := strings.Split(strings.TrimSuffix(program, "\n"), "\n")
	if len(lines) >= 150 {
		t.Errorf("main.go has %d lines; it is meant to be read in one go, in less than 150", len(lines))
	}
	for i, line := range lines {
		if n := len([]rune(strings.ReplaceAll(line, "\t", "    "))); n > 100 {
			t.Errorf("main.go:%d has %d columns, more than 100", i+1, n)
		}
	}
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) scim.Store { return newApp() })
}

func TestRoles(t *testing.T) {
	storetest.RunRoles(t, func(t *testing.T) storetest.Harness {
		app, n := newApp(), 0
		return storetest.Harness{
			Resolver: app,
			Roles:    []scim.Role{{ID: "Editor", Name: "Editor"}, {ID: "Viewer", Name: "Viewer"}},
			AddUser: func(ctx context.Context) (string, error) {
				n++
				u, err := scim.UserType().Bind(scim.Meta{ID: fmt.Sprint(n)}, nil, map[string]any{"userName": fmt.Sprint("user", n)})
				if err != nil {
					return "", err
				}
				_, err = app.Create(ctx, u)
				return u.ID(), err
			},
		}
	})
}

// TestProvisioning plays what docs/write-a-store.md tells the reader to try, in this order.
func TestProvisioning(t *testing.T) {
	app := newApp()
	h, err := scim.New(scim.Config{
		Store: app,
		Auth:  auth.Bearer(auth.TokenOf("the-token-of-this-test-is-long-enough")),
		Roles: &scim.Roles{Resolver: app, Ledger: memory.NewLedger()},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(scim.Mount("/scim/v2", h, app))
	defer server.Close()
	ids := map[string]string{}
	for _, step := range []struct {
		name, method, path, body string
		reason                   string
		status                   int
		keep                     string // the name under which the new resource's id is kept
		page                     string // what the application's page says afterwards
	}{
		{name: "create user", method: "POST", path: "/Users", body: `{"userName": "ann@example.com"}`, status: 201, keep: "ann",
			page: "map[]", reason: "a new person holds no role"},
		{name: "same user again", method: "POST", path: "/Users", body: `{"userName": "ANN@example.com"}`, status: 409,
			page: "map[]", reason: "userName is unique in any case"},
		{name: "create group", method: "POST", path: "/Groups", body: `{"displayName": "Editor"}`, status: 201, keep: "editors",
			page: "map[]", reason: "a group without members gives nothing"},
		{name: "add member", method: "PATCH", path: "/Groups/{editors}", status: 204,
			body: `{"Operations": [{"op": "add", "path": "members", "value": [{"value": "{ann}"}]}]}`,
			page: "map[{ann}:[{Editor Editor  0 false}]]", reason: "members of the group Editor hold the role Editor"},
		{name: "remove member", method: "PATCH", path: "/Groups/{editors}", status: 204,
			body: `{"Operations": [{"op": "remove", "path": "members[value eq \"{ann}\"]"}]}`,
			page: "map[{ann}:[]]", reason: "who leaves the group loses the role"},
		{name: "add member again", method: "PATCH", path: "/Groups/{editors}", status: 204,
			body: `{"Operations": [{"op": "add", "path": "members", "value": [{"value": "{ann}"}]}]}`,
			page: "map[{ann}:[{Editor Editor  0 false}]]", reason: "and gets it back"},
		{name: "deactivate", method: "PATCH", path: "/Users/{ann}", status: 200,
			body: `{"Operations": [{"op": "replace", "path": "active", "value": false}]}`,
			page: "map[{ann}:[]]", reason: "who is not active holds nothing"},
		{name: "delete", method: "DELETE", path: "/Users/{ann}", status: 204, page: "map[{ann}:[]]", reason: "nothing comes back"},
	} {
		fill := func(s string) string {
			return regexp.MustCompile(`{(ann|editors)}`).ReplaceAllStringFunc(s, func(m string) string { return ids[m[1:len(m)-1]] })
		}
		req, err := http.NewRequest(step.method, server.URL+"/scim/v2"+fill(step.path), strings.NewReader(fill(step.body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer the-token-of-this-test-is-long-enough")
		status, body, location := do(t, req)
		if status != step.status {
			t.Fatalf("%s: status %d, want %d: %s", step.name, status, step.status, body)
		}
		if step.keep != "" {
			ids[step.keep] = location[strings.LastIndex(location, "/")+1:]
		}
		page, err := http.NewRequest("GET", server.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, got, _ := do(t, page)
		if diff := cmp.Diff("Who holds which role: "+fill(step.page)+"\n", got); diff != "" {
			t.Errorf("%s: %s: the application's page (-want +got):\n%s", step.name, step.reason, diff)
		}
	}
}

func do(t *testing.T, req *http.Request) (status int, body, location string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header.Get("Location")
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Roles.Attributes asks the resolver about values too. There is no group then.
func TestResolveValue(t *testing.T) {
	roles, err := newApp().ResolveRoles(t.Context(), scim.RoleSource{Attribute: "userType", Value: "Editor"})
	if err != nil || len(roles) != 1 || roles[0].ID != "Editor" {
		t.Errorf("the role of a value: %+v and error %v, want Editor", roles, err)
	}
	if _, err := newApp().ResolveRoles(t.Context(), scim.RoleSource{Attribute: "userType", Value: "Nobody"}); err != scim.ErrNoRole {
		t.Errorf("the role of an unknown value: error %v, want ErrNoRole", err)
	}
}
