package main

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/examples/internal/pagetest"
	"github.com/scimkit/scim/internal/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { postgres.Main(m) }

// officeTest is the running application with Okta's "SCIM 2.0 Test App" as its client, and its administrator Ola.
type officeTest struct {
	*testing.T
	app  *pagetest.Running
	okta pagetest.Okta
	ola  *pagetest.Browser
}

// TestTerminal runs the commands that the terminal shows: the list, a deletion, and a Former.
func TestTerminal(t *testing.T) {
	app := pagetest.Start(t, program.Run, "sqlite:"+filepath.Join(t.TempDir(), "app.db"))
	if diff := cmp.Diff([]string{"200", "403", "200"}, app.Curl(t)); diff != "" {
		t.Error(diff)
	}
}

func TestOfficeRnD(t *testing.T) {
	pagetest.Each(t, postgres.DSN, func(t *testing.T, where string) {
		app := pagetest.Start(t, program.Run, where)
		ola, _ := app.LogIn("ola@example.com")
		for _, step := range []struct {
			name string
			test func(r *officeTest)
		}{
			{"OR-1 SCIM needs single sign-on", (*officeTest).activation},
			{"OR-2 as the SCIM 2.0 Test App", (*officeTest).testApp},
			{"OR-3 teams from before", (*officeTest).ownTeams},
			{"OR-4 a primary team and additional ones", (*officeTest).primary},
			{"OR-5 who leaves is a Former", (*officeTest).former},
			{"OR-6 one way only", (*officeTest).oneWay},
			{"OR-7 the secret is replaced, not shown", (*officeTest).secret},
			{"OR-8 the word Bearer twice", (*officeTest).twice},
			{"OR-9 bookings of Formers", (*officeTest).bookings},
			{"OR-10 a team from before as the primary one", (*officeTest).primaryFromBefore},
			{"the last administrator", (*officeTest).administrators},
		} {
			t.Run(step.name, func(t *testing.T) {
				step.test(&officeTest{t, app, pagetest.Okta{Client: app.Client("/scim/v2", app.Token).In(t), Patches: true}, ola.In(t)})
			})
		}
	})
}

func (r *officeTest) want(what, want, got string) {
	r.Helper()
	if want != got {
		r.Errorf("%s: %q, want %q", what, got, want)
	}
}

// wantTeams compares the teams that the page shows of an employee.
func (r *officeTest) wantTeams(email, want string) {
	r.Helper()
	cells := strings.Split(r.ola.Line("/employees", email), " | ")
	if len(cells) < 3 {
		r.Fatalf("%s is not on the page", email)
	}
	r.want("the teams of "+email, want, cells[2])
}

func (r *officeTest) activation() {
	// As the application was installed.
	r.app.Exec("UPDATE settings SET sso = FALSE, scim = ''")
	want := func(status int) {
		r.Helper()
		if got := r.okta.Test(); got != status {
			r.Errorf("Test API Credentials: %d, want %d", got, status)
		}
	}
	set := func(name, on string) (text, secret string, ok bool) {
		return r.ola.Try("/integrations/switch", url.Values{"name": {name}, "on": {on}})
	}
	want(404)
	if text, secret, ok := set("scim", "true"); ok || secret != "" || !strings.Contains(text, "single sign-on first") {
		r.Errorf("SCIM without single sign-on: %t %q %q", ok, text, secret)
	}
	want(404)
	if r.onIntegrations("Base URL") {
		r.Error("the page shows a base URL before SCIM is activated")
	}
	set("sso", "true")
	text, secret, ok := set("scim", "true")
	if !ok || !strings.Contains(text, r.app.URL+"/scim/v2") || !strings.HasPrefix(secret, "officernd_") {
		r.Errorf("the activation gives %q %q", text, secret)
	}
	want(200)
	if got := (pagetest.Okta{Client: r.app.Client("/scim/v2", secret)}).Test(); got != 200 {
		r.Errorf("the secret: %d", got)
	}
	set("scim", "false")
	want(503)
	if _, again, _ := set("scim", "true"); again != "" {
		r.Error("the second activation makes another secret")
	}
	want(200)
	set("sso", "false")
	want(503)
	if !r.onIntegrations("clients get 503") || r.onIntegrations("Base URL") {
		r.Error("without single sign-on the page does not say that SCIM is stopped")
	}
	set("sso", "true")
	want(200)
}

// onIntegrations reports whether the page of the integrations has a text.
func (r *officeTest) onIntegrations(text string) bool {
	r.Helper()
	return strings.Contains(r.ola.Page("/integrations"), text)
}

func (r *officeTest) testApp() {
	id := r.okta.Assign("joe@example.com", "Joe", "Day", "")
	r.want("the page", "joe@example.com · Joe Day | SCIM | none | no", r.ola.Line("/employees", "joe"))
	a := r.okta.Want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","value":{"password":"N3w-pass"}}]}`)
	if strings.Contains(a.Text, "assword") {
		r.Errorf("the answer has a password: %s", a.Text)
	}
	r.okta.Update(id, map[string]any{"name": map[string]any{"givenName": "Joseph", "familyName": "Day"}})
	r.want("the page", "joe@example.com · Joseph Day | SCIM | none | no", r.ola.Line("/employees", "joe"))
	joe, status := r.app.LogIn("joe@example.com")
	if status != http.StatusSeeOther {
		r.Errorf("the log-in: %d", status)
	}
	r.okta.Unassign(id)
	if got := joe.Status("/"); got != http.StatusSeeOther {
		r.Errorf("the next click of a Former: %d, want 303 to the log-in", got)
	}
	r.okta.Reassign(id)
	if _, status := r.app.LogIn("joe@example.com"); status != http.StatusSeeOther {
		r.Errorf("the log-in of who is back: %d", status)
	}
}

func (r *officeTest) ownTeams() {
	list := r.okta.Want(200, "GET", "/Groups?startIndex=1&count=100", "")
	if diff := cmp.Diff([]string{"Reception", "Board"}, list.Values("Resources", "displayName")); diff != "" {
		r.Error(diff)
	}
	nat := r.okta.Find("/Users", "userName", "nat@example.com")
	reception, board := list.String("Resources.0.id"), list.String("Resources.1.id")
	r.want("members that can be imported", nat, r.okta.Want(200, "GET", "/Groups/"+reception, "").String("members.0.value"))
	joe := r.okta.Find("/Users", "userName", "joe@example.com")
	r.okta.Refused(403, "", "DELETE", "/Groups/"+board, "")
	r.okta.Add(board, joe) // a client has taken the team over
	r.okta.Refused(403, "", "DELETE", "/Groups/"+board, "", "cannot delete")
	r.okta.Rename(board, "Board") // Okta repeats the name before each change of members
	r.wantTeams("joe@example.com", "primary: Board")
	r.okta.Remove(board, joe)
	r.wantTeams("joe@example.com", "none")
	pushed := r.okta.Push("Temp")
	r.okta.Want(204, "DELETE", "/Groups/"+pushed, "")
}

func (r *officeTest) primary() {
	joe, kim := r.okta.Find("/Users", "userName", "joe@example.com"), r.okta.Assign("kim@example.com", "Kim", "Fox", "")
	design, sales := r.okta.Push("Design", joe), r.okta.Push("Sales", joe, kim)
	ops := r.okta.Push("Ops", kim, joe)
	r.okta.Add(design, kim)
	r.wantTeams("joe@example.com", "primary: Design Sales Ops")
	r.wantTeams("kim@example.com", "primary: Sales Ops Design")
	// A push of what is there changes nothing.
	r.okta.PushAll(ops, "Ops", joe, kim)
	r.okta.Rename(design, "Design")
	r.okta.Update(joe, map[string]any{"title": "x"})
	r.wantTeams("joe@example.com", "primary: Design Sales Ops")
	r.okta.Remove(design, joe)
	r.wantTeams("joe@example.com", "primary: Sales Ops")
	r.okta.Add(design, joe) // who comes back to a team is its newest member
	r.wantTeams("joe@example.com", "primary: Sales Ops Design")
	r.okta.Want(204, "DELETE", "/Groups/"+sales, "")
	r.wantTeams("joe@example.com", "primary: Ops Design")
	r.wantTeams("kim@example.com", "primary: Ops Design")
	j, _ := r.app.LogIn("joe@example.com")
	r.want("the employee's own page", "primary: Ops Design", strings.Join(j.Lines("/"), ""))
}

func (r *officeTest) former() {
	joe := r.okta.Find("/Users", "userName", "joe@example.com")
	r.ola.Post("/employees/admin", url.Values{"user": {joe}, "is": {"true"}})
	r.okta.Unassign(joe)
	r.want("the page", "joe@example.com Former · Joseph Day | SCIM | none | no", r.ola.Line("/employees", "joe"))
	r.want("active", "false", r.okta.Want(200, "GET", "/Users/"+joe, "").String("active"))
	r.okta.Reassign(joe)
	r.want("back, without the access of before", "joe@example.com · Joseph Day | SCIM | none | no", r.ola.Line("/employees", "joe"))
	ops := r.okta.Push("Ops", joe)
	r.wantTeams("joe@example.com", "primary: Ops")

	r.ola.Post("/employees/admin", url.Values{"user": {joe}, "is": {"true"}})
	r.okta.Want(204, "DELETE", "/Users/"+joe, "")
	r.okta.Want(404, "GET", "/Users/"+joe, "")
	r.want("a look-up", "", r.okta.Find("/Users", "userName", "joe@example.com"))
	r.okta.Want(404, "DELETE", "/Users/"+joe, "")
	r.want("the page", "joe@example.com Former · Joseph Day | SCIM · deleted by the client | none | no", r.ola.Line("/employees", "joe"))
	r.okta.Refused(409, "uniqueness", "POST", "/Users", strings.Replace(pagetest.User("joe@example.com", "Joe", "Roe", ""), `"00u-Joe"`, `"00u-another"`, 1), "userName")
	r.want("provisioned again", joe, r.okta.Assign("joe@example.com", "Joe", "Day", ""))
	r.want("back, without the access of before", "joe@example.com · Joe Day | SCIM | none | no", r.ola.Line("/employees", "joe"))
	if diff := cmp.Diff([]string(nil), r.okta.Want(200, "GET", "/Users/"+joe, "").Values("groups", "value")); diff != "" {
		r.Error(diff)
	}
	r.okta.Add(ops, joe)
	r.wantTeams("joe@example.com", "primary: Ops")
}

// oneWay fails each request that the program would send: the tests' clients have a transport of their own.
func (r *officeTest) oneWay() {
	sent := make(chan string, 100)
	before := http.DefaultTransport
	http.DefaultTransport = transport(func(q *http.Request) (*http.Response, error) {
		sent <- q.URL.String()
		return nil, http.ErrServerClosed
	})
	defer func() { http.DefaultTransport = before }()
	r.okta.Update(r.okta.Find("/Users", "userName", "joe@example.com"), map[string]any{"title": "y"})
	r.ola.Post("/teams/add", url.Values{"name": {"Night"}})
	select {
	case to := <-sent:
		r.Errorf("the application sent a request to %s", to)
	default:
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }

func (r *officeTest) secret() {
	id := r.ola.Field("/integrations", "officernd_", "id")
	_, secret := r.ola.Post("/integrations/replace", url.Values{"id": {id}})
	html := r.ola.Page("/integrations")
	if strings.Contains(html, secret) || !strings.Contains(html, secret[len(secret)-4:]) {
		r.Error("the page shows the secret, or not its last four characters")
	}
	_, next := r.ola.Post("/integrations/replace", url.Values{"id": {r.ola.Field("/integrations", "officernd_", "id")}})
	for token, status := range map[string]int{secret: 401, next: 200} {
		if got := (pagetest.Okta{Client: r.app.Client("/scim/v2", token)}).Test(); got != status {
			r.Errorf("a secret: %d, want %d", got, status)
		}
	}
}

func (r *officeTest) twice() {
	for _, header := range []string{"Bearer Bearer " + r.app.Token, "Bearer " + r.app.Token, r.app.Token} {
		c := r.app.Client("/scim/v2", "").In(r.T)
		c.Header.Set("Authorization", header)
		if got := (pagetest.Okta{Client: c}).Test(); got != 200 {
			r.Errorf("%.14q…: %d", header, got)
		}
	}
}

func (r *officeTest) bookings() {
	nat := r.okta.Assign("nat@example.com", "Nat", "Moe", "")
	if diff := cmp.Diff([]string(nil), r.ola.Lines("/bookings")); diff != "" {
		r.Error(diff)
	}
	r.okta.Unassign(nat)
	future := []string{"nat@example.com | Desk 5 | 2999-02-03", "nat@example.com | Desk 4 | 2020-02-03 | past"}
	if diff := cmp.Diff(future, r.ola.Lines("/bookings")); diff != "" {
		r.Errorf("after the deactivation: %s", diff)
	}
	r.okta.Want(204, "DELETE", "/Users/"+nat, "")
	if diff := cmp.Diff(future, r.ola.Lines("/bookings")); diff != "" {
		r.Errorf("after the deletion: %s", diff)
	}
	r.okta.Assign("nat@example.com", "Nat", "Moe", "")
	r.okta.Unassign(nat)
	id := url.Values{"id": {r.ola.Field("/bookings", "nat@example.com", "id")}}
	r.okta.Reassign(nat)
	r.refused("/bookings/cancel", id, "out of date") // Nat is back since the page was shown
	r.okta.Unassign(nat)
	r.ola.Post("/bookings/cancel", id)
	r.refused("/bookings/cancel", id, "out of date")
	r.refused("/bookings/cancel", url.Values{"id": {"1"}}, "out of date") // a past one
	if diff := cmp.Diff(future[1:], r.ola.Lines("/bookings")); diff != "" {
		r.Errorf("after the administrator has cancelled: %s", diff)
	}
	r.okta.Reassign(nat)
	b, _ := r.app.LogIn("nat@example.com")
	if diff := cmp.Diff([]string{"none", "Desk 4 | 2020-02-03"}, b.Lines("/")); diff != "" {
		r.Errorf("the page of an employee who is back: %s", diff)
	}
}

// refused wants a form to be refused with a text.
func (r *officeTest) refused(path string, form url.Values, want string) {
	r.Helper()
	if text, _, ok := r.ola.Try(path, form); ok || !strings.Contains(text, want) {
		r.Errorf("%s %v: %t %q, want refused: %s", path, form, ok, text, want)
	}
}

// administrators are made by hand. The last one stays, whatever the form.
func (r *officeTest) administrators() {
	ola, kim := r.okta.Find("/Users", "userName", "ola@example.com"), r.okta.Find("/Users", "userName", "kim@example.com")
	set := func(id, is string) url.Values { return url.Values{"user": {id}, "is": {is}} }
	r.refused("/employees/admin", set(ola, "false"), "last administrator")
	r.refused("/employees/admin", set("99", "true"), "out of date")
	r.ola.Post("/employees/admin", set(kim, "true"))
	r.okta.Unassign(kim) // an administrator who cannot log in is none
	r.refused("/employees/admin", set(ola, "false"), "last administrator")
	r.okta.Reassign(kim)
	r.ola.Post("/employees/admin", set(kim, "true"))
	r.ola.Post("/employees/admin", set(kim, "false"))
	r.want("the page", "yes · by hand", strings.Join(strings.Split(r.ola.Line("/employees", "ola"), " | ")[3:], ""))
}

func (r *officeTest) primaryFromBefore() {
	// Eva was an employee of the Board before SCIM.
	r.app.Exec("INSERT INTO employees (email, first_name, last_name) VALUES ('eva@example.com', 'Eva', 'Orr')")
	r.app.Exec("INSERT INTO employee_teams (team_id, employee_id) SELECT t.id, e.id FROM teams t, employees e WHERE t.name = 'Board' AND e.email = 'eva@example.com'")
	r.wantTeams("eva@example.com", "primary: Board")
	eva, kim := r.okta.Assign("eva@example.com", "Eva", "Orr", ""), r.okta.Find("/Users", "userName", "kim@example.com")
	r.okta.Push("Design", eva)
	r.wantTeams("eva@example.com", "primary: Board Design")
	board := r.okta.Push("Board", kim)
	r.okta.PushAll(board, "Board", kim) // a whole list without Eva, whom no client has put there
	pagetest.Okta{Client: r.okta.Client}.PushAll(board, "Board", kim)
	r.wantTeams("eva@example.com", "primary: Board Design")
	r.wantTeams("kim@example.com", "primary: Ops Design Board")
}
