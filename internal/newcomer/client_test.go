package newcomer

import (
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// These begin the bodies of requests.
const (
	userURN  = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`
	groupURN = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]`
	patchURN = `"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]`
)

// client sends requests to the application, and looks at its tables.
type client struct {
	*testing.T
	url string
	db  *sql.DB
}

// start serves the application with SCIM. The database is in a file.
func start(t *testing.T, file string) *client {
	t.Helper()
	db, err := open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	h, err := withSCIM(t.Context(), &app{db: db}, db, "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.Close()
		db.Close() //nolint:errcheck // the test is over
	})
	return &client{t, s.URL, db}
}

func newFile(t *testing.T) string { return filepath.Join(t.TempDir(), "crm.db") }

// do sends a SCIM request. It returns the answer, which must have the status.
func (c *client) do(status int, method, path, body string) map[string]any {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.url+"/scim/v2"+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer s3cret")
	r.Header.Set("Content-Type", "application/scim+json")
	got, text := c.send(r)
	if got != status {
		c.Fatalf("%s %s: %d, want %d: %s", method, path, got, status, text)
	}
	var m map[string]any
	if text != "" {
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			c.Fatal(err)
		}
	}
	return m
}

// page requests a page of the application, or SCIM without a token.
func (c *client) page(status int, method, path string, form url.Values) {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if got, text := c.send(r); got != status {
		c.Fatalf("%s %s: %d, want %d: %s", method, path, got, status, text)
	}
}

func (c *client) send(r *http.Request) (status int, text string) {
	c.Helper()
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer w.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(w.Body)
	if err != nil {
		c.Fatal(err)
	}
	return w.StatusCode, string(b)
}

// find compares the ids of the resources that a filter finds.
func (c *client) find(kind, filter string, want ...string) {
	c.Helper()
	list, _ := c.do(200, "GET", "/"+kind+"?startIndex=1&count=100&filter="+url.QueryEscape(filter), "")["Resources"].([]any)
	var got []string
	for _, r := range list {
		got = append(got, r.(map[string]any)["id"].(string))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.Fatalf("%s with %s (-want +got):\n%s", kind, filter, diff)
	}
}

// rows compares the texts that a query with one column finds, in any order.
func (c *client) rows(query string, want ...string) {
	c.Helper()
	list, err := c.db.QueryContext(c.Context(), query)
	if err != nil {
		c.Fatal(err)
	}
	defer list.Close() //nolint:errcheck // Err tells
	var got []string
	for list.Next() {
		var text string
		if err := list.Scan(&text); err != nil {
			c.Fatal(err)
		}
		got = append(got, text)
	}
	if err := list.Err(); err != nil {
		c.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		c.Fatalf("%s (-want +got):\n%s", query, diff)
	}
}

// roles compares all roles that people hold: address, role, and who gave it.
func (c *client) roles(want ...string) {
	c.Helper()
	c.rows(`SELECT p.email || ' ' || r.name || ' ' || given_by FROM people_roles
		JOIN people p ON p.id = person_id JOIN roles r ON r.id = role_id`, want...)
}

// team compares the people in a team.
func (c *client) team(name string, want ...string) {
	c.Helper()
	c.rows(`SELECT p.email FROM team_people JOIN people p ON p.id = person_id JOIN teams t ON t.id = team_id
		WHERE t.name = '`+name+`'`, want...)
}

// person compares the columns of a person.
func (c *client) person(id, want string) {
	c.Helper()
	c.rows(`SELECT email || '|' || full_name || '|' || given_name || '|' || family_name || '|' || state || '|' ||
		coalesce(phone, '-') || '|' || kind FROM people WHERE id = `+id, want)
}
