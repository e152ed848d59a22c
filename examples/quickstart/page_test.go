package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
)

// post sends a form as a browser does from the page itself, unless headers say
// otherwise. "Host" is the request's host.
func (s *running) post(t *testing.T, path string, fields, headers map[string]string) (int, string) {
	t.Helper()
	form := url.Values{}
	for k, v := range fields {
		form.Set(k, v)
	}
	r, err := http.NewRequest("POST", s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", s.url)
	r.Header.Set("Cookie", "quickstart="+s.key)
	set(r, headers)
	return do(t, r)
}

func set(r *http.Request, headers map[string]string) {
	for k, v := range headers {
		if k == "Host" {
			r.Host = v
			continue
		}
		r.Header.Set(k, v)
	}
}

// visit is a request for the page by a browser that has opened the printed address.
func (s *running) visit(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequest("GET", s.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", "quickstart="+s.key)
	return r
}

// holds are the roles that the page shows, in order.
func (s *running) holds(t *testing.T) []string {
	t.Helper()
	r := s.visit(t)
	status, body := do(t, r)
	if status != 200 {
		t.Fatalf("GET /: %d %s", status, body)
	}
	var all []string
	for _, m := range regexp.MustCompile(`<li>(.*)</li>`).FindAllStringSubmatch(body, -1) {
		all = append(all, m[1])
	}
	return all
}

// expect compares the roles that the page shows.
func (s *running) expect(t *testing.T, reason string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.holds(t)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", reason, diff)
	}
}

func (s *running) must(t *testing.T, path string, fields map[string]string) {
	t.Helper()
	if status, body := s.post(t, path, fields, nil); status != 200 { // after the redirect
		t.Fatalf("POST %s %v: %d %s", path, fields, status, body)
	}
}

func (s *running) members(t *testing.T, op, groupID, userID string) {
	t.Helper()
	o := `{"op":"add","path":"members","value":[{"value":"` + userID + `"}]}`
	if op == "remove" {
		o = `{"op":"remove","path":"members[value eq \"` + userID + `\"]"}`
	}
	status, answer := s.scim(t, "PATCH", "/Groups/"+groupID,
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+o+`]}`)
	if status != 204 {
		t.Fatalf("%s: %d %s", op, status, answer)
	}
}

func TestByHandAndThroughGroup(t *testing.T) {
	s := start(t, "-token", secret)
	ada := s.create(t, "/Users", user("ada"))
	editors := s.create(t, "/Groups", group("Editor"))
	editor := map[string]string{"user": ada, "role": "role-2"}

	s.expect(t, "nothing gives a role yet", "no roles")
	s.must(t, "/give", editor)
	s.expect(t, "an administrator gave it", "Editor, by hand")
	s.members(t, "add", editors, ada)
	s.expect(t, "the group gives what the user has already", "Editor, by hand and through group Editor")
	s.members(t, "remove", editors, ada)
	s.expect(t, "what was given by hand stays", "Editor, by hand")
	s.must(t, "/take", editor)
	s.expect(t, "an administrator took it", "no roles")
	s.members(t, "add", editors, ada)
	s.expect(t, "the group gives it", "Editor, through group Editor")
	if status, body := s.post(t, "/take", editor, nil); status != 400 || !strings.Contains(body, "group:"+editors) {
		t.Errorf("taking what a group gives: %d %s, want 400 and the group", status, body)
	}
	s.expect(t, "what a group gives stays", "Editor, through group Editor")
	s.must(t, "/give", editor)
	s.expect(t, "given by hand what the group gives", "Editor, by hand and through group Editor")
	s.must(t, "/give", map[string]string{"user": ada, "role": "role-3"})
	s.members(t, "remove", editors, ada)
	s.expect(t, "the group let go; both were given by hand", "Editor, by hand", "Viewer, by hand")
}

func TestMissingRole(t *testing.T) {
	t.Run("link", func(t *testing.T) {
		s := start(t, "-token", secret)
		ada := s.create(t, "/Users", user("ada"))
		s.create(t, "/Groups", group("Billing", ada))
		s.expect(t, "no role has this name", "no roles")
		s.must(t, "/roles", map[string]string{"name": "Billing"})
		s.expect(t, "the role appeared and the members have it", "Billing, through group Billing")
	})
	t.Run("create", func(t *testing.T) {
		s := start(t, "-token", secret, "-missing-role", "create")
		ada := s.create(t, "/Users", user("ada"))
		s.create(t, "/Groups", group("Billing", ada))
		s.expect(t, "the group created its role", "Billing, through group Billing")
		if status, body := s.scim(t, "POST", "/Groups", group("EDIT\u200bOR")); status != 400 || !strings.Contains(body, "Editor") {
			t.Errorf("a name that looks like Editor: %d %s, want 400", status, body)
		}
	})
	t.Run("refuse", func(t *testing.T) {
		s := start(t, "-token", secret, "-missing-role", "refuse")
		status, body := s.scim(t, "POST", "/Groups", group("Billing"))
		if status != 400 || !strings.Contains(body, "invalidValue") {
			t.Errorf("got %d %s, want 400 invalidValue", status, body)
		}
		s.must(t, "/roles", map[string]string{"name": "Billing"})
		s.create(t, "/Groups", group("Billing"))
	})
}

func TestFormsThatAreRefused(t *testing.T) {
	s := start(t, "-token", secret)
	ada := s.create(t, "/Users", user("ada"))
	_, port, _ := strings.Cut(strings.TrimPrefix(s.url, "http://"), ":")
	editor := map[string]string{"user": ada, "role": "role-2"}
	for _, c := range []struct {
		name, path string
		fields     map[string]string
		headers    map[string]string
		status     int
		reason     string
	}{
		{"foreign Origin, give", "/give", editor, map[string]string{"Origin": "https://evil.example"}, 403, "another site sends the form"},
		{"foreign Origin, take", "/take", editor, map[string]string{"Origin": "https://evil.example"}, 403, "another site sends the form"},
		{"foreign Origin, roles", "/roles", map[string]string{"name": "X"}, map[string]string{"Origin": "https://evil.example"}, 403, "another site sends the form"},
		{"null Origin", "/give", editor, map[string]string{"Origin": "null"}, 403, "a sandboxed frame sends the form"},
		{"another port", "/give", editor, map[string]string{"Origin": "http://127.0.0.1:1"}, 403, "another server of this machine is another origin"},
		{"same site", "/give", editor, map[string]string{"Sec-Fetch-Site": "same-site"}, 403, "same site is not same origin"},
		{"foreign Host", "/give", editor, map[string]string{"Host": "evil.example:" + port, "Origin": "http://evil.example:" + port}, 403, "DNS rebinding: the foreign page is same-origin for the browser"},
		{"Host that only begins well", "/give", editor, map[string]string{"Host": "127.0.0.1.evil.example", "Origin": "http://127.0.0.1.evil.example"}, 403, "host names are compared whole"},
		{"no such user", "/give", map[string]string{"user": "nobody", "role": "role-2"}, nil, 400, "roles are for users that are there"},
		{"no such role", "/give", map[string]string{"user": ada, "role": "role-9"}, nil, 400, "only what the application has can be given"},
		{"a role that is there", "/roles", map[string]string{"name": " admin "}, nil, 400, "names differ by more than case and spaces"},
		{"no name", "/roles", map[string]string{"name": " "}, nil, 400, "a role needs a name"},
		{"too big", "/roles", map[string]string{"name": strings.Repeat("x", 70_000)}, nil, 400, "a form is limited to 64 kB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, body := s.post(t, c.path, c.fields, c.headers); status != c.status {
				t.Errorf("%s: %d %s, want %d", c.reason, status, body, c.status)
			}
			s.expect(t, "nothing was given", "no roles")
		})
	}
	s.must(t, "/give", editor)
	s.expect(t, "the same form from the page itself", "Editor, by hand")
}

func TestHosts(t *testing.T) {
	s := start(t)
	for _, c := range []struct {
		host   string
		status int
		reason string
	}{
		{"localhost", 200, "this machine"},
		{"LOCALHOST:80", 200, "names are case-insensitive"},
		{"127.0.0.1:8080", 200, "this machine"},
		{"127.9.9.9", 200, "all of 127/8 is this machine"},
		{"[::1]:8080", 200, "this machine"},
		{"[::1]", 200, "this machine"},
		{"evil.example", 403, "reading is refused too: the page shows who has which role"},
		{"localhost.evil.example", 403, "names are compared whole"},
		{"192.0.2.1", 403, "an address that nobody configured"},
	} {
		r := s.visit(t)
		r.Host = c.host
		if status, _ := do(t, r); status != c.status {
			t.Errorf("Host %s: %d, want %d: %s", c.host, status, c.status, c.reason)
		}
	}
	for _, c := range []struct {
		configured, host string
		status           int
	}{
		{"scim.example", "scim.example:8080", 200}, {"scim.example", "evil.example", 403},
		{"192.0.2.1", "192.0.2.1:8080", 200}, {"", ":8080", 403},
	} {
		if status := guarded(c.configured, c.host, "127.0.0.1:9", nil); status != c.status {
			t.Errorf("-addr %s, Host %q: %d, want %d", c.configured, c.host, status, c.status)
		}
	}
}

// guarded is the status of a request with the right cookie for a page that answers 200.
func guarded(addr, host, peer string, here net.Addr) int {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	r := httptest.NewRequest("GET", "http://"+host+"/", nil)
	r.Host, r.RemoteAddr = host, peer
	r.Header.Set("Cookie", "quickstart=k")
	w := httptest.NewRecorder()
	(&guard{addr, "k", ok, ok}).handler().ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, here)))
	return w.Code
}

// The Host is what a client sends. Its address is not.
func TestOtherMachinesAreRefused(t *testing.T) {
	here := &net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 8080}
	for _, c := range []struct {
		peer   string
		here   net.Addr
		status int
		reason string
	}{
		{"127.0.0.1:9", here, 200, "this machine"},
		{"127.0.0.1:9", nil, 200, "this machine, if the server says nothing of itself"},
		{"[::1]:9", here, 200, "this machine"},
		{"[::ffff:127.0.0.1]:9", here, 200, "this machine"},
		{"192.0.2.1:9", here, 200, "this machine by its own address"},
		{"192.0.2.2:9", here, 403, "another machine that sends Host: localhost"},
		{"192.0.2.1:9", nil, 403, "nobody knows whose address this is"},
		{"", here, 403, "no address"},
		{"@", here, 403, "a socket in a file"},
	} {
		if status := guarded("", "localhost:8080", c.peer, c.here); status != c.status {
			t.Errorf("peer %s: %d, want %d: %s", c.peer, status, c.status, c.reason)
		}
	}
}

// Other users of the machine reach the port too. Only who sees the terminal has the key.
func TestPageNeedsTheKey(t *testing.T) {
	s := start(t, "-token", secret)
	ada := s.create(t, "/Users", user("ada"))
	admin := map[string]string{"user": ada, "role": "role-1"}
	for _, c := range []struct{ name, cookie string }{
		{"no cookie", ""}, {"another value", "quickstart=x"}, {"no value", "quickstart="}, {"another name", "key=" + s.key}, {"the token", "quickstart=" + secret},
	} {
		r := s.visit(t)
		r.Header.Set("Cookie", c.cookie)
		if status, body := do(t, r); status != 403 || strings.Contains(body, "ada") {
			t.Errorf("GET with %s: %d %s, want 403", c.name, status, body)
		}
		for _, path := range []string{"/give", "/take", "/roles", "/give?key=" + s.key} {
			if status, body := s.post(t, path, admin, map[string]string{"Cookie": c.cookie}); status != 403 {
				t.Errorf("POST %s with %s: %d %s, want 403", path, c.name, status, body)
			}
		}
	}
	s.expect(t, "nobody made an administrator", "no roles")

	for _, c := range []struct {
		key    string
		status int
	}{{s.key, 303}, {"x", 403}, {"", 403}, {secret, 403}} {
		r, err := http.NewRequest("GET", s.url+"/?key="+url.QueryEscape(c.key), nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultTransport.RoundTrip(r) // follows no redirect
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close() //nolint:errcheck // only the header counts
		if res.StatusCode != c.status || (len(res.Cookies()) == 1) != (c.status == 303) {
			t.Errorf("the address with the key %q: %d and %d cookies, want %d", c.key, res.StatusCode, len(res.Cookies()), c.status)
			continue
		}
		if c.status != 303 {
			continue
		}
		k := res.Cookies()[0]
		if k.Name != "quickstart" || k.Value != s.key || !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Domain != "" || res.Header.Get("Location") != "/" {
			t.Errorf("the cookie is %v, and the redirect leads to %q", k, res.Header.Get("Location"))
		}
	}
	if other := start(t); other.key == s.key {
		t.Error("two quickstarts have the same key")
	}
	s.must(t, "/give", admin)
	s.expect(t, "whoever has the key", "Admin, by hand")
}

func TestNamesAreEscaped(t *testing.T) {
	s := start(t, "-token", secret)
	s.create(t, "/Users", user("<script>alert(1)</script>"))
	s.create(t, "/Groups", group("<img src=x>"))
	r := s.visit(t)
	_, body := do(t, r)
	for _, raw := range []string{"<script", "<img"} {
		if strings.Contains(body, raw) {
			t.Errorf("the page has %s from a client", raw)
		}
	}
	for _, shown := range []string{"&lt;script&gt;alert(1)", "&lt;img src=x&gt;"} {
		if !strings.Contains(body, shown) {
			t.Errorf("the page does not show %s", shown)
		}
	}
}

func TestDeletedUserIsForgotten(t *testing.T) {
	a := newApp("Admin")
	if err := a.give(t.Context(), "u1", "role-1"); err != nil {
		t.Fatal(err)
	}
	if err := a.forget(t.Context(), "u1"); err != nil {
		t.Fatal(err)
	}
	held, err := a.HeldRoles(context.Background(), []string{"u1"})
	if diff := cmp.Diff(map[string][]scim.Role{}, held); diff != "" || err != nil {
		t.Errorf("error %v, held (-want +got):\n%s", err, diff)
	}
}

func TestChangeRolesIsAllOrNothing(t *testing.T) {
	a, ctx := newApp("Admin", "Editor"), context.Background()
	admin, gone := scim.Role{ID: "role-1"}, scim.Role{ID: "role-9"}
	if err := a.ChangeRoles(ctx, []scim.RoleChange{{UserID: "u1", Grant: []scim.Role{admin}}}); err != nil {
		t.Fatal(err)
	}
	err := a.ChangeRoles(ctx, []scim.RoleChange{
		{UserID: "u1", Revoke: []scim.Role{admin}},
		{UserID: "u2", Grant: []scim.Role{gone}},
	})
	if !errors.Is(err, scim.ErrNoRole) {
		t.Errorf("error %v, want ErrNoRole: the role is gone", err)
	}
	held, _ := a.HeldRoles(ctx, []string{"u1", "u2"})
	want := map[string][]scim.Role{"u1": {{ID: "role-1", Name: "Admin"}}}
	if diff := cmp.Diff(want, held); diff != "" {
		t.Errorf("the first change of a failed call stays undone (-want +got):\n%s", diff)
	}
}

// The members of a group in a group get what that one gives, unless -nested=false.
func TestNested(t *testing.T) {
	for _, where := range []string{"memory", "sqlite:" + filepath.Join(t.TempDir(), "scim.db")} {
		t.Run(where[:6], func(t *testing.T) {
			s := start(t, "-token", secret, "-store", where)
			team := s.create(t, "/Groups", group("Team", s.create(t, "/Users", user("ada"))))
			editors := s.create(t, "/Groups", group("Editor", team)) // without a type
			s.expect(t, "through a group in a group", "Editor, through group Editor")
			if where != "memory" {
				s.stop()
				err := <-s.done
				s.done <- err
				s = start(t, "-token", secret, "-store", where, "-nested=false")
				s.expect(t, "started again without", "no roles")
				s.stop()
				err = <-s.done
				s.done <- err
				s = start(t, "-token", secret, "-store", where)
				s.expect(t, "and with it", "Editor, through group Editor")
			}
			if status, answer := s.scim(t, "PUT", "/Groups/"+team, group("Team", editors)); status != 200 || strings.Contains(answer, editors) {
				t.Errorf("a circle: %d %s", status, answer) // ada leaves, so it is carried out without the group
			}
			s.expect(t, "no member any more", "no roles")
		})
	}
	t.Run("off", func(t *testing.T) {
		s := start(t, "-token", secret, "-nested=false")
		team := s.create(t, "/Groups", group("Team", s.create(t, "/Users", user("ada"))))
		s.create(t, "/Groups", group("Editor", team))
		s.expect(t, "groups in groups give nothing", "no roles")
	})
}
