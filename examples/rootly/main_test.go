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

// acme is the running application, with Okta as the client of the team Acme, its administrator Ann, and
// the vendor's support.
type acme struct {
	*testing.T
	app       *pagetest.Running
	okta      pagetest.Okta
	ann, help *pagetest.Browser
}

// TestTerminal runs the commands that the terminal shows: Ada, the list, and a group.
func TestTerminal(t *testing.T) {
	app := pagetest.Start(t, program.Run, "sqlite:"+filepath.Join(t.TempDir(), "app.db"))
	if diff := cmp.Diff([]string{"201", "200", "201"}, app.Curl(t)); diff != "" {
		t.Error(diff)
	}
}

func TestRootly(t *testing.T) {
	pagetest.Each(t, postgres.DSN, func(t *testing.T, where string) {
		app := pagetest.Start(t, program.Run, where)
		ann, _ := app.LogIn("ann@acme.test")
		help, _ := app.LogIn("help@rootly.test")
		for _, step := range []struct {
			name string
			test func(r *acme)
		}{
			{"RT-1 no endpoint before single sign-on, 503 when it is off", (*acme).endpoint},
			{"RT-2 not together with another sync", (*acme).exclusion},
			{"RT-3 the token tells the team", (*acme).oneAddress},
			{"RT-4 operations", (*acme).operations},
			{"RT-5 attributes, and people in two teams", (*acme).people},
			{"RT-6 groups are synced behind a switch", (*acme).groupSync},
			{"RT-7 groups give roles behind a switch", (*acme).groupRoles},
			{"RT-8 groups in groups", (*acme).nested},
			{"RT-9 the log of requests", (*acme).log},
			{"RT-10 clients", (*acme).clients},
			{"RT-11 Link Group", (*acme).linkGroup},
			{"RT-12 a synced group is deleted", (*acme).deleteGroup},
			{"RT-13 switches are off again", (*acme).switchesOff},
			{"RT-14 renamed onto another group", (*acme).renameOnto},
			{"RT-15 switches of the vendor's support", (*acme).support},
			{"RT-16 a group without a role", (*acme).noRole},
			{"RT-17 telephone numbers while the switch is off", (*acme).phonesOff},
			{"RT-18 who comes back", (*acme).comeBack},
			{"the last Admin", (*acme).lastAdmin},
			{"support is in no team", (*acme).supportTokens},
		} {
			t.Run(step.name, func(t *testing.T) {
				step.test(&acme{t, app, pagetest.Okta{Client: app.Client("/scim", app.Token).In(t), Patches: true}, ann.In(t), help.In(t)})
			})
		}
	})
}

func (r *acme) want(what, want, got string) {
	r.Helper()
	if want != got {
		r.Errorf("%s: %q, want %q", what, got, want)
	}
}

// switchOwn switches as Ann, and switchSupport as the vendor's support.
func (r *acme) switchOwn(name, on string) {
	r.Helper()
	r.ann.Post("/sso/switch", url.Values{"name": {name}, "on": {on}})
}

func (r *acme) switchSupport(name, on string) {
	r.Helper()
	r.help.Post("/support/switch", url.Values{"name": {"acme/" + name}, "on": {on}})
}

// wantRoles compares what the page shows of a person's roles and groups.
func (r *acme) wantRoles(email, want string) {
	r.Helper()
	cells := strings.Split(r.ann.Line("/members", email), " | ")
	if len(cells) < 3 {
		r.Fatalf("%s is not on the page", email)
	}
	r.want("the roles of "+email, want, cells[2])
}

// wantGroup compares a line of the page of the application's groups. "" means that there is none.
func (r *acme) wantGroup(name, want string) {
	r.Helper()
	r.want("the group "+name, want, r.ann.Line("/groups", name+" |"))
}

func (r *acme) user(email string) string {
	r.Helper()
	id := r.okta.Find("/Users", "userName", email)
	if id == "" {
		id = r.okta.Assign(email, strings.Split(email, "@")[0], "Test", "")
	}
	return id
}

func (r *acme) endpoint() {
	gus, _ := r.app.LogIn("gus@globex.test")
	_, token := gus.Post("/tokens/make", url.Values{"label": {"Okta"}})
	globex := r.app.Client("/scim", token).In(r.T)
	want := func(status int) {
		r.Helper()
		for _, path := range []string{"/Users", "/Users/", "//Users"} {
			if got := globex.Do("GET", path, "").Status; got != status {
				r.Errorf("GET %s: %d, want %d", path, got, status)
			}
		}
	}
	set := func(name, on string) { gus.Post("/sso/switch", url.Values{"name": {name}, "on": {on}}) }
	want(404)
	if text, _, ok := gus.Try("/sso/switch", url.Values{"name": {"scim"}, "on": {"true"}}); ok || !strings.Contains(text, "single sign-on first") {
		r.Errorf("SCIM on without single sign-on: %t %q", ok, text)
	}
	set("sso", "true")
	want(404)
	set("scim", "true")
	want(200)
	set("scim", "false")
	want(503)
	if globex.Do("GET", "/Users", "").Header.Get("Retry-After") == "" {
		r.Error("503 without Retry-After")
	}
	set("scim", "true")
	set("sso", "false")
	want(503)
	if !strings.Contains(gus.Page("/sso"), "clients get 503") {
		r.Error("without single sign-on the page does not say that SCIM is stopped")
	}
	set("sso", "true")
	want(200)
	set("scim", "false")
}

func (r *acme) exclusion() {
	gus, _ := r.app.LogIn("gus@globex.test")
	try := func(name, on string, works bool) {
		r.Helper()
		text, _, ok := gus.Try("/sso/switch", url.Values{"name": {name}, "on": {on}})
		if ok != works || !works && !strings.Contains(text, "Google Directory Sync") && !strings.Contains(text, "SCIM") {
			r.Errorf("%s %s: %t %q, want %t", name, on, ok, text, works)
		}
	}
	try("google", "true", true)
	try("scim", "true", false)
	try("google", "false", true)
	try("scim", "true", true)
	try("google", "true", false)
}

func (r *acme) oneAddress() {
	gus, _ := r.app.LogIn("gus@globex.test")
	_, token := gus.Post("/tokens/make", url.Values{"label": {"Entra"}})
	globex := pagetest.Okta{Client: r.app.Client("/scim", token).In(r.T)}
	id := globex.Assign("gil@globex.test", "Gil", "Day", "")
	r.okta.Want(404, "GET", "/Users/"+id, "")
	r.want("a look-up of another team's person", "", r.okta.Find("/Users", "userName", "gil@globex.test"))
	r.okta.Want(404, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","value":{"active":false}}]}`)
	r.want("the person there", "true", globex.Want(200, "GET", "/Users/"+id, "").String("active"))
	if got := r.app.Client("/scim", "rootly_x").Do("GET", "/Users", "").Status; got != 401 {
		r.Errorf("an unknown token: %d", got)
	}
}

func (r *acme) operations() {
	id := r.okta.Assign("joe@acme.test", "Joe", "Day", "")
	r.okta.Update(id, map[string]any{"title": "x"})
	r.okta.Want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"title","value":"y"}]}`)
	r.okta.Unassign(id)
	r.want("active", "false", r.okta.Want(200, "GET", "/Users/"+id, "").String("active"))
	r.okta.Want(204, "DELETE", "/Users/"+id, "")
	r.okta.Want(404, "GET", "/Users/"+id, "")
	r.want("who comes back is the same member", id, r.okta.Assign("joe@acme.test", "Joe", "Day", ""))
	group := r.okta.Push("Temp", id)
	r.okta.Want(200, "PUT", "/Groups/"+group, `{"displayName":"Temp 2","members":[]}`)
	r.okta.Add(group, id)
	r.want("members", id, r.okta.Want(200, "GET", "/Groups/"+group, "").String("members.0.value"))
	r.okta.Want(204, "DELETE", "/Groups/"+group, "")
	r.okta.Want(404, "GET", "/Groups/"+group, "")
}

func (r *acme) people() {
	r.okta.Refused(400, "invalidValue", "POST", "/Users", pagetest.User("joe.day", "J", "D", ""), "userName")
	sue := r.okta.Assign("sue@acme.test", "Sue", "Orr", `,"phoneNumbers":[{"value":"(201) 555-0123","type":"mobile"},{"value":"none"}]`)
	if sue2, _ := r.app.LogIn("sue@acme.test"); !strings.Contains(sue2.Page("/"), "<b>Sue Orr</b>") {
		r.Error("displayName is not the preferred name")
	}
	r.switchSupport("phones", "true")
	r.want("the application's numbers", "sue@acme.test | +12015550123", r.ann.Line("/members", "sue@acme.test | +"))
	r.okta.Want(200, "PATCH", "/Users/"+sue, `{"Operations":[{"op":"replace","path":"phoneNumbers","value":[{"value":"+44 20 7946 0018","type":"work"}]}]}`)
	r.want("the application's numbers", "sue@acme.test | +442079460018", r.ann.Line("/members", "sue@acme.test | +"))
	r.want("what SCIM returns", "+44 20 7946 0018", r.okta.Want(200, "GET", "/Users/"+sue, "").String("phoneNumbers.0.value"))

	// Con is in two teams, each with an external id of its own.
	gus, _ := r.app.LogIn("gus@globex.test")
	_, token := gus.Post("/tokens/make", url.Values{"label": {"Okta"}})
	globex := pagetest.Okta{Client: r.app.Client("/scim", token).In(r.T), Patches: true}
	con, other := r.okta.Assign("con@partner.test", "Con", "Ray", `,"nickName":"C"`), globex.Assign("con@partner.test", "Con", "Ray", "")
	r.okta.Update(con, map[string]any{"externalId": "of-acme", "displayName": "Con of Acme", "userName": "con.ray@partner.test"})
	globex.Update(other, map[string]any{"externalId": "of-globex"})
	r.want("Acme's external id", "of-acme", r.okta.Want(200, "GET", "/Users/"+con, "").String("externalId"))
	there := func() string {
		a := globex.Want(200, "GET", "/Users/"+other, "")
		return a.String("externalId") + " " + a.String("userName") + " " + a.String("displayName") + " " + a.String("active") + " " + a.String("nickName")
	}
	const same = "of-globex con@partner.test Con Ray true "
	r.want("what Globex sees after Acme's changes", same, there())
	// A person switches between the own teams, and into no other one.
	if _, status := r.app.LogIn("con.ray@partner.test"); status != http.StatusForbidden {
		r.Errorf("an address that only Acme uses opens the global log-in: %d", status)
	}
	b, _ := r.app.LogIn("con@partner.test")
	r.want("the team after the log-in", "Acme", org(b))
	b.Try("/switch", url.Values{"key": {"globex/" + other}})
	r.want("the other team", "Globex", org(b))
	r.ann.Try("/switch", url.Values{"key": {"globex/" + other}})
	r.want("Ann in another team, as another person", "Acme", org(r.ann))
	r.okta.Unassign(con)
	r.want("what Globex sees after Acme's deactivation", same, there())
	b, status := r.app.LogIn("con@partner.test")
	if status != http.StatusSeeOther || org(b) != "Globex" || strings.Contains(b.Page("/"), "Acme") {
		r.Errorf("the global log-in: %d", status)
	}
	r.okta.Want(204, "DELETE", "/Users/"+con, "")
	r.want("what Globex sees after Acme's DELETE", same, there())
	if b.Status("/") != http.StatusOK {
		r.Error("the session at Globex has ended")
	}
	// A team can add people of other teams only after an invitation.
	globex.Refused(409, "uniqueness", "POST", "/Users", pagetest.User("sue@acme.test", "S", "O", ""), "userName")
	gus.Post("/members/invite", url.Values{"email": {"sue@acme.test"}})
	globex.Assign("sue@acme.test", "Sue", "Orr", "")
	r.want("sue at Acme", "true", r.okta.Want(200, "GET", "/Users/"+sue, "").String("active"))
	// active: false ends the membership and keeps the user: the person can log in, and is in no organisation.
	ian := r.okta.Assign("ian@acme.test", "Ian", "Fox", "")
	s, _ := r.app.LogIn("ian@acme.test")
	r.okta.Unassign(ian)
	if got := s.Status("/"); got != http.StatusSeeOther {
		r.Errorf("the next click in the team: %d", got)
	}
	s, _ = r.app.LogIn("ian@acme.test")
	if !strings.Contains(s.Page("/"), "in no organisation") {
		r.Error("the record of the user is gone")
	}
}

// org returns the team that somebody's page shows.
func org(b *pagetest.Browser) string {
	_, rest, _ := strings.Cut(b.Page("/"), `class="product">Rootly · `)
	name, _, _ := strings.Cut(rest, "<")
	return name
}

func (r *acme) groupSync() {
	sue := r.user("sue@acme.test")
	early := r.okta.Push("Early", sue)
	r.okta.Push("Search", sue) // the application has this one
	r.wantGroup("Early", "")
	r.wantGroup("Search", "Search | SCIM")
	r.switchSupport("groups", "true")
	r.wantGroup("Early", "Early | SCIM | sue@acme.test")
	r.wantGroup("Search", "Search | SCIM | sue@acme.test")
	late := r.okta.Push("Late", sue)
	r.wantGroup("Late", "Late | SCIM | sue@acme.test")
	r.okta.Rename(early, "Earlier")
	r.wantGroup("Early", "")
	r.wantGroup("Earlier", "Earlier | SCIM | sue@acme.test")
	r.okta.Remove(late, sue)
	r.wantGroup("Late", "Late | SCIM")
	r.okta.Add(late, sue)
	r.wantRoles("sue@acme.test", "in group Earlier: group Earlier in group Late: group Late in group Search: group Search")
}

func (r *acme) groupRoles() {
	sue, joe := r.user("sue@acme.test"), r.user("joe@acme.test")
	viewers, heroes := r.okta.Push("Viewers", sue, joe), r.okta.Push("Heroes", sue)
	r.ann.Post("/sso/map", url.Values{"group": {viewers}, "role": {"observer"}})
	r.ann.Post("/sso/map", url.Values{"group": {heroes}, "role": {"responder"}})
	role := func(email string) string {
		cells := strings.Split(r.ann.Line("/members", email), " | ")
		before, _, _ := strings.Cut(cells[2], "in group")
		return strings.TrimSpace(before)
	}
	r.want("before the switch", "", role("sue@acme.test"))
	r.switchOwn("roles", "true")
	r.want("the heaviest role", "Responder: group Heroes", role("sue@acme.test"))
	r.want("the only role", "Observer: group Viewers", role("joe@acme.test"))
	r.okta.Rename(heroes, "Responders")
	r.want("after a rename", "Responder: group Responders", role("sue@acme.test"))
	r.okta.Remove(heroes, sue)
	r.want("the next role", "Observer: group Viewers", role("sue@acme.test"))
	r.ann.Post("/sso/map", url.Values{"group": {viewers}, "role": {"responder"}})
	r.want("mapped to another role", "Responder: group Viewers", role("joe@acme.test"))
	// A role that was given by hand is not SCIM's.
	r.ann.Post("/members/give", url.Values{"user": {joe}, "role": {"role|responder"}})
	r.okta.Remove(viewers, joe)
	r.wantRoles("joe@acme.test", "Responder: by hand")
	if text, _, ok := r.ann.Try("/members/give", url.Values{"user": {joe}, "role": {"role|owner"}}); ok || !strings.Contains(text, "not there") {
		r.Errorf("a role that does not exist: %t %q", ok, text)
	}
	r.ann.Post("/members/take", url.Values{"user": {joe}, "role": {"role|responder"}})
	r.wantRoles("joe@acme.test", "none")
}

func (r *acme) nested() {
	kim := r.user("kim@acme.test")
	child := r.okta.Push("Night", kim)
	parent := r.okta.Push("Everybody on call")
	r.okta.Want(204, "PATCH", "/Groups/"+parent, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+child+`","type":"Group"}]}]}`)
	r.wantGroup("Everybody on call", "Everybody on call | SCIM | kim@acme.test")
	r.ann.Post("/sso/map", url.Values{"group": {parent}, "role": {"observer"}})
	r.wantRoles("kim@acme.test", "Observer: group Everybody on call in group Everybody on call: group Everybody on call in group Night: group Night")
	r.okta.Remove(child, kim)
	r.wantGroup("Everybody on call", "Everybody on call | SCIM")
	r.wantRoles("kim@acme.test", "none")
	r.okta.Refused(400, "invalidValue", "PATCH", "/Groups/"+child, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+parent+`","type":"Group"}]}]}`, "members")
}

func (r *acme) linkGroup() {
	joe := r.user("joe@acme.test")
	r.ann.Post("/groups/add", url.Values{"name": {"Core"}})
	core := r.okta.Find("/Groups", "displayName", "Core")
	list := r.okta.Want(200, "GET", "/Groups?startIndex=1&count=100", "").Values("Resources", "displayName")
	if core == "" || !strings.Contains(strings.Join(list, ","), "Core") || !strings.Contains(strings.Join(list, ","), "Payments") {
		r.Fatalf("the application's groups are not in the list: %v", list)
	}
	r.ann.Post("/members/give", url.Values{"user": {joe}, "role": {groupScope + "|" + core}})
	kim := r.user("kim@acme.test")
	r.okta.Want(204, "PATCH", "/Groups/"+core, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+kim+`"}]}]}`)
	r.wantGroup("Core", "Core | SCIM | joe@acme.test kim@acme.test")
	r.okta.Want(200, "PUT", "/Groups/"+core, `{"displayName":"Core","members":[]}`)
	r.wantGroup("Core", "Core | SCIM | joe@acme.test")
	r.wantRoles("joe@acme.test", "in group Core: by hand")
	if text, _, ok := r.ann.Try("/members/give", url.Values{"user": {joe}, "role": {"group|999"}}); ok || !strings.Contains(text, "not there") {
		r.Errorf("a group that does not exist: %t %q", ok, text)
	}
	r.okta.Unassign(joe) // who is out of the team is in none of its groups
	r.wantGroup("Core", "Core | SCIM")
	r.okta.Reassign(joe)
	r.wantGroup("Core", "Core | SCIM | joe@acme.test")
}

func (r *acme) deleteGroup() {
	kim, core := r.user("kim@acme.test"), r.okta.Find("/Groups", "displayName", "Core")
	r.okta.Add(core, kim)
	r.okta.Want(204, "DELETE", "/Groups/"+core, "")
	r.okta.Want(404, "GET", "/Groups/"+core, "")
	r.wantGroup("Core", "Core | made here | joe@acme.test")
	r.want("pushed again it is the same group", core, r.okta.Push("Core", kim))
	r.wantGroup("Core", "Core | SCIM | joe@acme.test kim@acme.test")
}

func (r *acme) switchesOff() {
	kim, core := r.user("kim@acme.test"), r.okta.Find("/Groups", "displayName", "Core")
	r.ann.Post("/sso/map", url.Values{"group": {core}, "role": {"responder"}})
	r.wantRoles("kim@acme.test", "Responder: group Core in group Core: group Core")
	r.switchOwn("roles", "false")
	r.wantRoles("kim@acme.test", "in group Core: group Core")
	r.switchSupport("groups", "false")
	r.wantRoles("kim@acme.test", "none")
	r.wantGroup("Core", "Core | SCIM | joe@acme.test")
	r.switchSupport("phones", "false")
	r.want("numbers", "", r.ann.Line("/members", "sue@acme.test | +"))
	r.okta.Remove(core, kim) // while it is off
	r.switchSupport("groups", "true")
	r.switchOwn("roles", "true")
	r.wantRoles("kim@acme.test", "none")
	r.wantRoles("sue@acme.test", "Responder: group Viewers in group Earlier: group Earlier in group Late: group Late in group Search: group Search in group Viewers: group Viewers")
}

func (r *acme) renameOnto() {
	late := r.okta.Find("/Groups", "displayName", "Late")
	for _, name := range []string{"Payments", "PAYMENTS"} {
		if a := r.okta.Rename(late, name); a.Status != 409 || a.String("scimType") != "uniqueness" {
			r.Errorf("renamed onto another group by %s: %d %s", name, a.Status, a.Text)
		}
	}
	r.wantGroup("Late", "Late | SCIM | sue@acme.test")
	if line := r.ann.Line("/groups", "Payments"); !strings.HasPrefix(line, "Payments | made here") {
		r.Errorf("the other group is %q", line)
	}
}

func (r *acme) support() {
	html := r.ann.Page("/sso")
	for _, label := range []string{"Sync SCIM groups to teams", "Sync telephone numbers"} {
		if !strings.Contains(html, `aria-label="`+label+`" disabled`) {
			r.Errorf("the switch %q is not greyed", label)
		}
	}
	for _, name := range []string{"groups", "phones"} {
		if text, _, ok := r.ann.Try("/sso/switch", url.Values{"name": {name}, "on": {"true"}}); ok || !strings.Contains(text, "support") {
			r.Errorf("an administrator switches %s: %t %q", name, ok, text)
		}
		if text, _, ok := r.ann.Try("/support/switch", url.Values{"name": {"acme/" + name}, "on": {"false"}}); ok {
			r.Errorf("an administrator switches %s by support's form: %q", name, text)
		}
	}
	if strings.Contains(r.ann.Page("/support"), "role=\"switch\"") {
		r.Error("an administrator sees support's switches")
	}
}

func (r *acme) noRole() {
	zed := r.user("zed@acme.test")
	r.okta.Push("Unmapped", zed)
	r.wantRoles("zed@acme.test", "in group Unmapped: group Unmapped")
	z, _ := r.app.LogIn("zed@acme.test")
	if !strings.Contains(z.Page("/"), "zed@acme.test · member") {
		r.Error("the person has not the default role")
	}
}

func (r *acme) phonesOff() {
	zed := r.user("zed@acme.test")
	r.okta.Want(200, "PATCH", "/Users/"+zed, `{"Operations":[{"op":"add","path":"phoneNumbers","value":[{"value":"201-555-0199","type":"mobile"},{"value":"call me","type":"home"}]}]}`)
	a := r.okta.Want(200, "GET", "/Users/"+zed, "")
	r.want("what SCIM keeps", "201-555-0199 call me", a.String("phoneNumbers.0.value")+" "+a.String("phoneNumbers.1.value"))
	r.want("the application's numbers", "", r.ann.Line("/members", "zed@acme.test | +"))
	r.switchSupport("phones", "true")
	r.want("the application's numbers", "zed@acme.test | +12015550199", r.ann.Line("/members", "zed@acme.test | +"))
}

func (r *acme) comeBack() {
	zed := r.user("zed@acme.test")
	viewers, heroes := r.okta.Push("Viewers", zed), r.okta.Push("Responders", zed)
	r.ann.Post("/sso/map", url.Values{"group": {viewers}, "role": {"observer"}})
	r.wantRoles("zed@acme.test", "Responder: group Responders in group Responders: group Responders in group Unmapped: group Unmapped in group Viewers: group Viewers")
	r.okta.Unassign(zed)
	r.wantRoles("zed@acme.test", "none")
	r.okta.Remove(heroes, zed)
	r.okta.Reassign(zed)
	r.wantRoles("zed@acme.test", "Observer: group Viewers in group Unmapped: group Unmapped in group Viewers: group Viewers")
}

// lastAdmin takes the role from the only active Admin, in each way in which the page could.
func (r *acme) lastAdmin() {
	ann, zed := r.okta.Find("/Users", "userName", "ann@acme.test"), r.user("zed@acme.test")
	form := func(id, role string) url.Values { return url.Values{"user": {id}, "role": {"role|" + role}} }
	refused := func(path, role string) {
		r.Helper()
		if text, _, ok := r.ann.Try(path, form(ann, role)); ok || !strings.Contains(text, "last Admin") {
			r.Errorf("%s %s: %t %q, want refused", path, role, ok, text)
		}
	}
	refused("/members/take", "admin")
	refused("/members/give", "observer") // there is one role in the team
	r.ann.Post("/members/give", form(zed, "admin"))
	r.okta.Unassign(zed)
	refused("/members/take", "admin") // Zed is not active
	r.okta.Reassign(zed)
	r.ann.Post("/members/take", form(zed, "admin"))
	r.wantRoles("ann@acme.test", "Admin: by hand")
}

func (r *acme) supportTokens() {
	if text, secret, ok := r.help.Try("/tokens/make", url.Values{"label": {"x"}}); ok || secret != "" || !strings.Contains(text, "organisation") {
		r.Errorf("a token of no team: %t %q", ok, text)
	}
}
