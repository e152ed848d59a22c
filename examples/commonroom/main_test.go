package main

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/examples/internal/pagetest"
	"github.com/scimkit/scim/internal/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { postgres.Main(m) }

// room is the running application with a client, and the administrator Ann at its pages.
type room struct {
	*testing.T
	app  *pagetest.Running
	okta pagetest.Okta
	ann  *pagetest.Browser
}

// TestTerminal runs the commands that the terminal shows: Ada, Boss, and a group without a role.
func TestTerminal(t *testing.T) {
	app := pagetest.Start(t, program.Run, "sqlite:"+filepath.Join(t.TempDir(), "app.db"))
	if diff := cmp.Diff([]string{"201", "400", "400"}, app.Curl(t)); diff != "" {
		t.Error(diff)
	}
}

func TestCommonRoom(t *testing.T) {
	pagetest.Each(t, postgres.DSN, func(t *testing.T, where string) {
		app := pagetest.Start(t, program.Run, where)
		ann, _ := app.LogIn("ann@example.com")
		for _, step := range []struct {
			name string
			test func(r *room)
		}{
			{"CR-1 create, update, deactivate", (*room).lifecycle},
			{"CR-2 tokens that an Admin makes", (*room).tokens},
			{"CR-3 userName is the address", (*room).address},
			{"CR-4 the attribute gives a permission", (*room).permission},
			{"CR-5 a pushed group is linked to the role of its name", (*room).link},
			{"CR-6 a group without a role is refused", (*room).noRole},
			{"CR-7 members get the role, and lose it", (*room).members},
			{"CR-8 a deleted group, and one that is left behind", (*room).unlink},
			{"CR-9 a role given by hand is not SCIM's", (*room).byHand},
			{"CR-10 by hand and by the group", (*room).byHandAndGroup},
			{"CR-11 a new address is a new account", (*room).newAddress},
			{"CR-12 one way only", (*room).oneWay},
			{"CR-13 members that are not provisioned", (*room).unknownMembers},
			{"CR-14 the attribute in /Schemas, and a permission by hand", (*room).schema},
			{"CR-15 who makes tokens", (*room).makers},
			{"CR-16 a group is renamed", (*room).rename},
			{"CR-17 a role is deleted", (*room).deleteRole},
			{"CR-18 who comes back", (*room).comeBack},
			{"the last Admin, and names of roles", (*room).refusals},
		} {
			t.Run(step.name, func(t *testing.T) {
				client := app.Client("/scim/v2", app.Token).In(t)
				step.test(&room{t, app, pagetest.Okta{Client: client, Patches: true}, ann.In(t)})
			})
		}
	})
}

// roles returns what the page shows of a user's roles.
func (r *room) roles(email string) string {
	r.Helper()
	cells := strings.Split(r.ann.Line("/people", email), " | ")
	if len(cells) < 3 {
		return ""
	}
	return cells[2]
}

func (r *room) want(what, want, got string) {
	r.Helper()
	if want != got {
		r.Errorf("%s: %q, want %q", what, got, want)
	}
}

func (r *room) wantRoles(email, want string) {
	r.Helper()
	r.want("the roles of "+email, want, r.roles(email))
}

// role makes a role in the application and returns its key for forms.
func (r *room) role(name string) (key string) {
	r.Helper()
	r.ann.Post("/roles/add", url.Values{"name": {name}})
	return r.ann.Option("/people", name)
}

func (r *room) lifecycle() {
	id := r.okta.Assign("joe@example.com", "Joe", "Day", "")
	r.okta.Update(id, map[string]any{"displayName": "Joseph Day"})
	r.want("the page", "joe@example.com · Joseph Day | SCIM | none", r.ann.Line("/people", "joe"))
	joe, status := r.app.LogIn("joe@example.com")
	if status != http.StatusSeeOther || joe.Status("/") != http.StatusOK {
		r.Errorf("the log-in of somebody provisioned: %d", status)
	}
	r.okta.Unassign(id)
	if got := joe.Status("/"); got != http.StatusSeeOther {
		r.Errorf("the next click of who was deactivated: %d, want 303 to the log-in", got)
	}
	if _, status := r.app.LogIn("joe@example.com"); status != http.StatusForbidden {
		r.Errorf("the log-in of who was deactivated: %d, want 403", status)
	}
	r.want("active", "false", r.okta.Want(200, "GET", "/Users/"+id, "").String("active"))
	// An application of the wizard deactivates by PUT of the whole user.
	wizard := pagetest.Okta{Client: r.okta.Client}
	wizard.Reassign(id)
	wizard.Unassign(id)
	if _, status := r.app.LogIn("joe@example.com"); status != http.StatusForbidden {
		r.Errorf("the log-in of who was deactivated by PUT: %d, want 403", status)
	}
}

func (r *room) tokens() {
	_, first := r.ann.Post("/tokens/make", url.Values{"label": {"Okta"}})
	_, second := r.ann.Post("/tokens/make", url.Values{"label": {"Entra"}})
	for name, token := range map[string]string{"the first": first, "the second": second} {
		if got := (pagetest.Okta{Client: r.app.Client("/scim/v2", token)}).Test(); got != 200 {
			r.Errorf("%s token: %d", name, got)
		}
	}
	other := r.app.Client("/scim/v2", first+"x")
	if a := other.Do("GET", "/Users?startIndex=1&count=2", ""); a.Status != 401 || a.Header.Get("WWW-Authenticate") == "" {
		r.Errorf("any other token: %d %v", a.Status, a.Header)
	}
	line := r.ann.Line("/tokens", "Okta")
	if !strings.Contains(line, "commonroom_") || strings.Contains(line, first) {
		r.Errorf("the list shows %q", line)
	}
	// The console makes tokens too.
	_, text := r.ann.Send("/provisioning/connection/tokens", url.Values{"label": {"Console"}, "life": {"never"}})
	third := regexp.MustCompile(`commonroom_\w{36}`).FindString(text)
	if got := (pagetest.Okta{Client: r.app.Client("/scim/v2", third)}).Test(); got != 200 {
		r.Errorf("a token of the console: %d, made by %s", got, text)
	}
	r.ann.Post("/tokens/revoke", url.Values{"id": {r.ann.Field("/tokens", "Okta", "id")}})
	if got := (pagetest.Okta{Client: r.app.Client("/scim/v2", first)}).Test(); got != 401 {
		r.Errorf("the revoked token: %d", got)
	}
	if got := (pagetest.Okta{Client: r.app.Client("/scim/v2", second)}).Test(); got != 200 {
		r.Errorf("the other one: %d", got)
	}
}

func (r *room) address() {
	r.okta.Refused(400, "invalidValue", "POST", "/Users", pagetest.User("joe.day", "J", "D", ""), "userName")
	r.okta.Refused(409, "uniqueness", "POST", "/Users", pagetest.User("JOE@example.com", "J", "D", ""), "userName")
}

// permit returns JSON of the attribute.
func permit(p string) string { return fmt.Sprintf(`,%q:{"commonRoomRole":%q}`, extension, p) }

func (r *room) permission() {
	id := r.okta.Assign("pia@example.com", "Pia", "Ray", permit("Editor"))
	r.wantRoles("pia@example.com", "permission Editor: attribute commonRoomRole")
	r.okta.Refused(400, "invalidValue", "POST", "/Users", pagetest.User("boss@example.com", "B", "B", permit("Boss")), "Admin", "Editor", "Viewer")
	r.want("who was refused", "", r.okta.Find("/Users", "userName", "boss@example.com"))
	r.okta.Refused(400, "invalidValue", "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"`+attribute+`","value":"Sales"}]}`, "Admin", "Editor", "Viewer")
	pia, _ := r.app.LogIn("pia@example.com")
	if got := pia.Status("/people"); got != 403 {
		r.Errorf("an Editor at the administrators' page: %d", got)
	}
	r.okta.Update(id, map[string]any{extension: map[string]any{"commonRoomRole": "Admin"}})
	if got := pia.Status("/people"); got != 200 {
		r.Errorf("an Admin at the administrators' page: %d", got)
	}
	r.okta.Update(id, map[string]any{extension: nil})
	r.wantRoles("pia@example.com", "none")
}

func (r *room) link() {
	pia := r.okta.Find("/Users", "userName", "pia@example.com")
	group := r.okta.Push("Community Manager", pia)
	r.wantRoles("pia@example.com", "Community Manager: group Community Manager")
	r.want("the page of groups", "Community Manager | SCIM | 1 | Community Manager", r.ann.Line("/groups", "Community"))
	// A permission is no role: there is none of this name.
	r.okta.Refused(400, "invalidValue", "POST", "/Groups", `{"displayName":"Admin"}`, "Admin")
	r.role("Admin")
	admins := r.okta.Push("Admin", pia)
	r.wantRoles("pia@example.com", "Admin: group Admin Community Manager: group Community Manager")
	p, _ := r.app.LogIn("pia@example.com")
	if got := p.Status("/tokens"); got != 403 {
		r.Errorf("the role Admin opens the page of the permission Admin: %d", got)
	}
	r.okta.Want(204, "DELETE", "/Groups/"+admins, "")
	r.okta.Want(204, "DELETE", "/Groups/"+group, "")
}

func (r *room) noRole() {
	r.okta.Refused(400, "invalidValue", "POST", "/Groups", `{"displayName":"Ops","members":[]}`, "Ops", "role")
	r.want("a group that was refused", "", r.okta.Find("/Groups", "displayName", "Ops"))
	r.want("a role of its name", "", r.ann.Line("/people", "Ops"))
	r.role("Ops")
	r.okta.Push("Ops")
	r.want("the page of groups", "Ops | SCIM | 0 | Ops", r.ann.Line("/groups", "Ops"))
	r.want("the role", "Ops | 0", r.ann.Line("/people", "Ops"))
}

func (r *room) members() {
	mia := r.okta.Assign("mia@example.com", "Mia", "Fox", permit("Viewer"))
	ops := r.okta.Push("Ops", mia)
	viewer := "permission Viewer: attribute commonRoomRole"
	r.wantRoles("mia@example.com", "Ops: group Ops "+viewer)
	r.okta.Remove(ops, mia)
	r.wantRoles("mia@example.com", viewer)
	// The wizard's application sends the whole list each time.
	wizard := pagetest.Okta{Client: r.okta.Client}
	wizard.PushAll(ops, "Ops", mia)
	r.wantRoles("mia@example.com", "Ops: group Ops "+viewer)
	wizard.PushAll(ops, "Ops")
	r.wantRoles("mia@example.com", viewer)
}

func (r *room) unlink() {
	sales := r.ann.Option("/people", "Sales")
	mia, ned := r.okta.Find("/Users", "userName", "mia@example.com"), r.okta.Assign("ned@example.com", "Ned", "Ax", "")
	r.ann.Post("/people/give", url.Values{"user": {ned}, "role": {sales}})
	r.okta.Update(mia, map[string]any{extension: nil})
	group := r.okta.Push("Sales", mia, ned)
	r.wantRoles("mia@example.com", "Sales: group Sales")
	r.okta.Want(204, "DELETE", "/Groups/"+group, "")
	r.wantRoles("mia@example.com", "none")
	r.wantRoles("ned@example.com", "Sales: by hand")
	r.wantRoles("ed@example.com", "Sales: by hand permission Editor: by hand")
	r.want("the role stays", "Sales | 2", r.ann.Line("/people", "Sales"))
	// Okta unlinks and leaves the group: it sends nothing, and an administrator releases the group.
	group = r.okta.Push("Sales", mia, ned)
	r.ann.Post("/groups/release", url.Values{"group": {group}})
	r.wantRoles("mia@example.com", "none")
	r.wantRoles("ned@example.com", "Sales: by hand")
	r.okta.Want(404, "GET", "/Groups/"+group, "")
	r.ann.Post("/people/take", url.Values{"user": {ned}, "role": {sales}})
	r.wantRoles("ned@example.com", "none")
}

func (r *room) byHand() {
	mia, ed := r.okta.Find("/Users", "userName", "mia@example.com"), r.okta.Find("/Users", "userName", "ed@example.com")
	group := r.okta.Push("Sales", mia)
	list := func() []string {
		return r.okta.Want(200, "GET", "/Groups/"+group, "").Values("members", "value")
	}
	for what, act := range map[string]func(){
		"a push":           func() { r.okta.Add(group, mia) },
		"a forced re-push": func() { pagetest.Okta{Client: r.okta.Client}.PushAll(group, "Sales", mia) },
		"a removal of who is not in the group": func() {
			r.okta.Remove(group, ed)
		},
	} {
		act()
		if diff := cmp.Diff([]string{mia}, list()); diff != "" {
			r.Errorf("members after %s: %s", what, diff)
		}
		r.wantRoles("ed@example.com", "Sales: by hand permission Editor: by hand")
	}
	r.okta.Want(204, "DELETE", "/Groups/"+group, "")
	r.wantRoles("ed@example.com", "Sales: by hand permission Editor: by hand")
	r.wantRoles("mia@example.com", "none")
}

func (r *room) byHandAndGroup() {
	mia, sales := r.okta.Find("/Users", "userName", "mia@example.com"), r.ann.Option("/people", "Sales")
	r.ann.Post("/people/give", url.Values{"user": {mia}, "role": {sales}})
	group := r.okta.Push("Sales", mia)
	r.wantRoles("mia@example.com", "Sales: by hand, and group Sales")
	r.okta.Remove(group, mia)
	r.wantRoles("mia@example.com", "Sales: by hand")
	r.okta.Add(group, mia)
	text, _ := r.ann.Post("/people/take", url.Values{"user": {mia}, "role": {sales}})
	if !strings.Contains(text, "group Sales") {
		r.Errorf("taken by hand: %q", text)
	}
	r.wantRoles("mia@example.com", "Sales: group Sales")
	r.okta.Want(204, "DELETE", "/Groups/"+group, "")
	r.wantRoles("mia@example.com", "none")
}

func (r *room) newAddress() {
	id := r.okta.Assign("zoe@example.com", "Zoe", "Orr", permit("Editor"))
	group := r.okta.Push("Ops", id)
	sales := r.ann.Option("/people", "Sales")
	r.ann.Post("/people/give", url.Values{"user": {id}, "role": {sales}})
	zoe, _ := r.app.LogIn("zoe@example.com")
	editor := "permission Editor: attribute commonRoomRole"
	r.okta.Update(id, map[string]any{"userName": "zoe@new.example.com"})

	r.want("the id", id, r.okta.Find("/Users", "userName", "zoe@new.example.com"))
	r.want("the old address", "", r.okta.Find("/Users", "userName", "zoe@example.com"))
	r.want("the old account", "zoe@example.com replaced by a new account · Zoe Orr", r.ann.Line("/people", "zoe@example.com"))
	r.wantRoles("zoe@new.example.com", "Ops: group Ops "+editor)
	if zoe.Status("/") != 303 {
		r.Error("the old account is still in")
	}
	if _, status := r.app.LogIn("zoe@example.com"); status != 403 {
		r.Errorf("the old account logs in: %d", status)
	}
	if _, status := r.app.LogIn("zoe@new.example.com"); status != 303 {
		r.Errorf("the new account logs in: %d", status)
	}
	// What SCIM gave has ended with the old account; what was given by hand stays there.
	r.want("holders of Sales", "Sales | 2", r.ann.Line("/people", "Sales"))
	r.want("holders of Ops", "Ops | 1", r.ann.Line("/people", "Ops"))
	// The client goes on with the same id. Another account's address is refused.
	r.okta.Remove(group, id)
	r.wantRoles("zoe@new.example.com", editor)
	r.okta.Refused(409, "uniqueness", "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","value":{"userName":"ann@example.com"}}]}`, "userName")
	r.okta.Refused(409, "uniqueness", "POST", "/Users", pagetest.User("zoe@example.com", "Z", "O", ""), "account that was replaced")
	r.okta.Refused(409, "uniqueness", "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","value":{"userName":"zoe@example.com"}}]}`, "account that was replaced")
	// An administrator deletes the old account. Its address is free, also for the same person.
	r.ann.Post("/people/forget", url.Values{"email": {"zoe@example.com"}})
	r.okta.Update(id, map[string]any{"userName": "zoe@example.com"})
	r.wantRoles("zoe@example.com", editor)
	r.want("the same name in other letters is no new address", "Zoe@Example.com", r.okta.Update(id, map[string]any{"userName": "Zoe@Example.com"}).String("userName"))
	r.wantRoles("Zoe@Example.com", editor)
	if _, status := r.app.LogIn("zoe@example.com"); status != 303 {
		r.Errorf("the account of the old address logs in: %d", status)
	}
	if _, status := r.app.LogIn("zoe@new.example.com"); status != 403 {
		r.Errorf("the account that was left logs in: %d", status)
	}
}

// oneWay fails each request that the program would send: the tests' clients have a transport of their own.
func (r *room) oneWay() {
	sent := make(chan string, 100)
	before := http.DefaultTransport
	http.DefaultTransport = transport(func(q *http.Request) (*http.Response, error) {
		sent <- q.URL.String()
		return nil, http.ErrServerClosed
	})
	defer func() { http.DefaultTransport = before }()
	r.okta.Update(r.okta.Find("/Users", "userName", "mia@example.com"), map[string]any{"title": "x"})
	r.role("Press")
	select {
	case to := <-sent:
		r.Errorf("the application sent a request to %s", to)
	default:
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }

func (r *room) unknownMembers() {
	mia, ned := r.okta.Find("/Users", "userName", "mia@example.com"), r.okta.Find("/Users", "userName", "ned@example.com")
	group := r.okta.Push("Sales", ned)
	r.okta.Refused(400, "invalidValue", "PATCH", "/Groups/"+group, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+mia+`"},{"value":"nobody-1"}]}]}`, "nobody-1")
	r.wantRoles("mia@example.com", "none")
	r.okta.Want(200, "PUT", "/Groups/"+group, `{"displayName":"Sales","members":[{"value":"`+mia+`"},{"value":"nobody-1"}]}`)
	r.wantRoles("mia@example.com", "Sales: group Sales")
	r.wantRoles("ned@example.com", "none")
	r.okta.Want(204, "DELETE", "/Groups/"+group, "")
}

func (r *room) schema() {
	a := r.okta.Want(200, "GET", "/Schemas/"+extension, "")
	r.want("the description", "Common Room Role", a.String("attributes.0.description"))
	if diff := cmp.Diff([]any{"Admin", "Editor", "Viewer"}, a.Body["attributes"].([]any)[0].(map[string]any)["canonicalValues"]); diff != "" {
		r.Error(diff)
	}
	// Vic is Viewer by hand. What the directory says waits.
	vic := r.okta.Assign("vic@example.com", "Vic", "Moe", permit("Editor"))
	r.want("the account was there before", "vic", vic)
	r.want("the permission", "Viewer", r.standing("vic@example.com"))
	if got := r.roles("vic@example.com"); !strings.Contains(got, "permission Viewer: by hand") || !strings.Contains(got, "permission Editor: waiting: the user holds Viewer") {
		r.Errorf("the page shows %q", got)
	}
	r.ann.Post("/people/take", url.Values{"user": {vic}, "role": {permission + "|Viewer"}})
	r.want("the permission after the one by hand was taken", "Editor", r.standing("vic@example.com"))
}

// standing returns the permission that somebody's own page shows.
func (r *room) standing(email string) string {
	r.Helper()
	b, status := r.app.LogIn(email)
	if status != 303 {
		r.Fatalf("%s cannot log in: %d", email, status)
	}
	_, rest, _ := strings.Cut(b.Page("/"), email+" · ")
	p, _, _ := strings.Cut(rest, "<")
	return p
}

func (r *room) makers() {
	for email, status := range map[string]int{"ed@example.com": 403, "vic@example.com": 403, "ann@example.com": 200} {
		b, _ := r.app.LogIn(email)
		if got := b.Status("/tokens"); got != status {
			r.Errorf("the token page for %s: %d, want %d", email, got, status)
		}
	}
	ed := r.okta.Find("/Users", "userName", "ed@example.com")
	r.ann.Post("/people/take", url.Values{"user": {ed}, "role": {permission + "|Editor"}})
	r.ann.Post("/people/give", url.Values{"user": {ed}, "role": {permission + "|Admin"}})
	b, _ := r.app.LogIn("ed@example.com")
	_, token := b.Post("/tokens/make", url.Values{"label": {"of Ed"}})
	r.ann.Post("/people/take", url.Values{"user": {ed}, "role": {permission + "|Admin"}})
	if b.Status("/tokens") != 403 {
		r.Error("Ed is still an Admin")
	}
	if got := (pagetest.Okta{Client: r.app.Client("/scim/v2", token)}).Test(); got != 200 {
		r.Errorf("the token of somebody who is no Admin any more: %d", got)
	}
	if line := r.ann.Line("/tokens", "of Ed"); !strings.Contains(line, "the maker is no Admin any more") {
		r.Errorf("the list shows %q", line)
	}
}

func (r *room) rename() {
	mia := r.okta.Find("/Users", "userName", "mia@example.com")
	group := r.okta.Push("Sales", mia)
	r.okta.Rename(group, "Press") // to the name of another role
	r.wantRoles("mia@example.com", "Press: group Press")
	r.okta.Rename(group, "Nothing") // to no role's name: accepted, or nobody could be removed any more
	r.wantRoles("mia@example.com", "none")
	r.want("the group", "Nothing | SCIM | 1 | nothing", r.ann.Line("/groups", "Nothing"))
	r.okta.Rename(group, "Sales")
	r.wantRoles("mia@example.com", "Sales: group Sales")
	version := r.okta.Want(200, "GET", "/Groups/"+group, "").String("meta.version")
	r.okta.Rename(group, "Sales") // Okta repeats it before each change of members
	r.want("the version", version, r.okta.Want(200, "GET", "/Groups/"+group, "").String("meta.version"))
	// The role gets another name: the group stays linked.
	r.ann.Post("/roles/rename", url.Values{"id": {strings.TrimPrefix(r.ann.Option("/people", "Sales"), "|")}, "name": {"Selling"}})
	r.wantRoles("mia@example.com", "Selling: group Sales")
	r.okta.Rename(group, "Sales")
	r.wantRoles("mia@example.com", "Selling: group Sales")
	r.role("Sales") // another role takes the old name: it moves nobody
	r.wantRoles("mia@example.com", "Selling: group Sales")
	r.okta.Want(204, "DELETE", "/Groups/"+group, "")
}

func (r *room) deleteRole() {
	mia := r.okta.Find("/Users", "userName", "mia@example.com")
	group := r.okta.Push("Press", mia)
	id := strings.TrimPrefix(r.ann.Option("/people", "Press"), "|")
	r.ann.Post("/roles/delete", url.Values{"id": {id}})
	r.wantRoles("mia@example.com", "none")
	r.want("the group stays, with its members", "Press | SCIM | 1 | nothing", r.ann.Line("/groups", "Press"))
	r.role("Press") // another role of this name: not before the client's next write
	r.wantRoles("mia@example.com", "none")
	r.okta.Add(group, mia)
	r.wantRoles("mia@example.com", "Press: group Press")
	r.okta.Want(204, "DELETE", "/Groups/"+group, "")
}

func (r *room) comeBack() {
	mia := r.okta.Find("/Users", "userName", "mia@example.com")
	ops, press := r.okta.Push("Ops", mia), r.okta.Push("Press", mia)
	r.okta.Unassign(mia)
	r.wantRoles("mia@example.com", "none")
	r.okta.Remove(press, mia)
	r.okta.Reassign(mia)
	r.wantRoles("mia@example.com", "Ops: group Ops")
	if _, status := r.app.LogIn("mia@example.com"); status != 303 {
		r.Errorf("who came back logs in: %d", status)
	}
	r.okta.Remove(ops, mia)
}

// refusals are what the pages refuse to an Admin, each with the reason.
func (r *room) refusals() {
	ann := r.okta.Find("/Users", "userName", "ann@example.com")
	for path, role := range map[string]string{"/people/take": permission + "|Admin", "/people/give": permission + "|Viewer"} {
		if text, _, ok := r.ann.Try(path, url.Values{"user": {ann}, "role": {role}}); ok || !strings.Contains(text, "last Admin") {
			r.Errorf("%s of the last Admin: %t %q", path, ok, text)
		}
	}
	r.want("Ann's permission", "Admin", r.standing("ann@example.com"))
	ed := r.okta.Find("/Users", "userName", "ed@example.com")
	r.ann.Post("/people/give", url.Values{"user": {ed}, "role": {permission + "|Admin"}})
	b, _ := r.app.LogIn("ed@example.com")
	b.Post("/people/give", url.Values{"user": {ann}, "role": {permission + "|Viewer"}}) // now it is not the last one
	b.Post("/people/give", url.Values{"user": {ann}, "role": {permission + "|Admin"}})
	r.ann.Post("/people/take", url.Values{"user": {ed}, "role": {permission + "|Admin"}})

	r.role("Taken")
	other := strings.TrimPrefix(r.role("Other"), "|")
	if text, _, ok := r.ann.Try("/roles/rename", url.Values{"id": {other}, "name": {"Taken"}}); ok || !strings.Contains(text, "There is a role Taken already") {
		r.Errorf("a role gets the name of another one: %t %q", ok, text)
	}
	r.ann.Post("/roles/rename", url.Values{"id": {other}, "name": {"Other"}}) // its own name

	// Two Admins who take the permission from each other at the same time: one of them stays.
	for range 20 {
		r.ann.Post("/people/give", url.Values{"user": {ed}, "role": {permission + "|Admin"}})
		var both sync.WaitGroup
		both.Go(func() { b.Send("/people/take", url.Values{"user": {ann}, "role": {permission + "|Admin"}}) })
		both.Go(func() { r.ann.Send("/people/take", url.Values{"user": {ed}, "role": {permission + "|Admin"}}) })
		both.Wait()
		if r.standing("ann@example.com") == "Admin" {
			continue
		}
		if r.standing("ed@example.com") != "Admin" {
			r.Fatal("nobody is an Admin any more")
		}
		b.Post("/people/give", url.Values{"user": {ann}, "role": {permission + "|Admin"}})
		r.ann.Post("/people/take", url.Values{"user": {ed}, "role": {permission + "|Admin"}})
	}
}
