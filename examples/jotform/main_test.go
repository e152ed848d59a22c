package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/examples/internal/pagetest"
	"github.com/scimkit/scim/internal/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { postgres.Main(m) }

// world is the running application, with Okta and an administrator of the company acme.
type world struct {
	*pagetest.Running
	okta  pagetest.Okta
	ana   *pagetest.Browser
	token string // that of acme, once SCIM is on
}

const acme, birch = "acme.localhost", "birch.localhost"

func (w *world) in(t *testing.T) *world {
	in := *w
	in.okta.Client, in.ana = w.okta.In(t), w.ana.In(t)
	in.okta.Header.Set("Authorization", w.token) // the token alone, as Okta sends it
	return &in
}

// at returns a client with this Authorization header at a host.
func (w *world) at(host, header string) *pagetest.Client {
	c := *w.okta.Client
	c.Header, c.Host = c.Header.Clone(), host
	c.Header.Del("Authorization")
	if header != "" {
		c.Header.Set("Authorization", header)
	}
	return &c
}

func (w *world) admin(t *testing.T, host, email string) *pagetest.Browser {
	t.Helper()
	b, status := w.LogInAt(host, email)
	if status != http.StatusSeeOther {
		t.Fatalf("%s cannot log in at %s: %d", email, host, status)
	}
	return b
}

func set(b *pagetest.Browser, name string, on bool) (secret string) {
	_, secret = b.Post("/toggle", url.Values{"name": {name}, "on": {fmt.Sprint(on)}})
	return secret
}

func begin(t *testing.T, where string) *world {
	w := &world{Running: pagetest.Start(t, program().Run, where)}
	w.okta = pagetest.Okta{Client: w.Client(path, "")}
	w.okta.Host = acme
	w.ana = w.admin(t, acme, "ana@acme.example")
	return w
}

// TestJotform has a part for each promise of the document. The first ones begin before SCIM is set up.
func TestJotform(t *testing.T) {
	pagetest.Each(t, postgres.DSN, func(t *testing.T, where string) {
		w := begin(t, where)
		for _, part := range []struct {
			name string
			test func(*testing.T, *world)
		}{
			{"JF-5 activation", activation}, {"JF-1 tenants", hosts}, {"JF-2 unique identifier", userName}, {"JF-3 groups", groups},
			{"JF-4 header", header}, {"JF-6 unassigned people", unassign}, {"JF-7 role attribute", roleAttribute}, {"JF-8 two kinds of roles", twoKinds},
			{"JF-9 switching roles", switchRoles}, {"JF-10 both roles", bothRoles}, {"JF-11 default role", defaultRole},
			{"JF-12 clearing first", clearing}, {"pages", pages}, {"JF-13 off and on", offAndOn},
		} {
			t.Run(part.name, func(t *testing.T) {
				in := w.in(t)
				part.test(t, in)
				w.token = in.token
			})
		}
	})
}

// assign assigns a person in Okta, with role attributes. It returns the body that Okta sends.
func (w *world) assign(email string, roles map[string]any) (id, body string) {
	id = w.okta.Assign(email, "Given", "Family", extra(roles))
	return id, pagetest.User(email, "Given", "Family", extra(roles))
}

func extra(values map[string]any) string {
	if len(values) == 0 {
		return ""
	}
	text, _ := json.Marshal(values) //nolint:errcheck // texts have a JSON form
	return "," + strings.Trim(string(text), "{}")
}

// roles is what a person sees of their roles in the application.
func (w *world) roles(t *testing.T, email string) string {
	t.Helper()
	b, status := w.LogInAt(acme, email)
	if status != http.StatusSeeOther {
		return "cannot log in"
	}
	_, rest, _ := strings.Cut(b.In(t).Page("/"), "Your role: ")
	role, _, _ := strings.Cut(rest, ".")
	return role
}

func (w *world) expect(t *testing.T, email, want, why string) {
	t.Helper()
	if got := w.roles(t, email); got != want {
		t.Errorf("%s: %s has %q, want %q", why, email, got, want)
	}
}

// JF-5: nothing answers until single sign-on is set up and SCIM is on.
func activation(t *testing.T, w *world) {
	notFound := func(when string) {
		t.Helper()
		unknown := w.at("nobody.localhost", "x").Want(404, "GET", "/Users", "")
		for _, auth := range []string{"", "Bearer wrong"} {
			for _, path := range []string{"/Users", "/ServiceProviderConfig", ""} {
				a := w.at(acme, auth).Do("GET", path, "")
				if a.Status != 404 || a.Text != unknown.Text || a.Header.Get("WWW-Authenticate") != "" {
					t.Errorf("%s: GET %q with %q: %d %s, want the 404 of an unknown host", when, path, auth, a.Status, a.Text)
				}
			}
		}
	}
	notFound("at first")
	if text, _, ok := w.ana.Try("/toggle", url.Values{"name": {"scim"}, "on": {"true"}}); ok || !strings.Contains(text, "single sign-on") {
		t.Errorf("SCIM can be turned on without single sign-on: %s", text)
	}
	notFound("after the refusal")
	set(w.ana, "sign_on", true)
	notFound("with single sign-on, and SCIM off")
	answers := make(chan string, 2)
	for range 2 { // two administrators at the same time
		b := w.admin(t, acme, "ana@acme.example")
		go func() {
			_, secret, _ := b.Try("/toggle", url.Values{"name": {"scim"}, "on": {"true"}})
			answers <- secret
		}()
	}
	a, b := <-answers, <-answers
	if (a == "") == (b == "") {
		t.Errorf("two administrators at the same time got the tokens %q and %q, want one token", a, b)
	}
	w.okta.Header.Set("Authorization", a+b)
	if w.okta.Test() != http.StatusOK {
		t.Error("the generated token does not work")
	}
	if page := w.ana.Page("/tokens"); strings.Contains(page, a+b) || !strings.Contains(page, (a + b)[len(a+b)-4:]) {
		t.Error("the list of tokens shows the secret, or not its last characters")
	}
	list := w.ana.Page("/tokens")
	_, rest, _ := strings.Cut(list, `action="/tokens/replace"><input type="hidden" name="id" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	_, replaced := w.ana.Post("/tokens/replace", url.Values{"id": {id}})
	if w.okta.Test() != http.StatusUnauthorized {
		t.Error("a replaced token works")
	}
	w.okta.Header.Set("Authorization", replaced)
	w.token = replaced
	if w.okta.Test() != http.StatusOK {
		t.Error("the replacement does not work")
	}
}

// JF-1: a token of one tenant is worth nothing at another's host.
func hosts(t *testing.T, w *world) {
	bea := w.admin(t, birch, "bea@birch.example").In(t)
	set(bea, "sign_on", true)
	theirs := set(bea, "scim", true)
	if got := w.at(birch, theirs).Do("GET", "/Users", "").Status; got != http.StatusOK {
		t.Errorf("birch's token at birch: %d", got)
	}
	ours := w.okta.Header.Get("Authorization")
	unknown := w.at(birch, "wrong").Want(401, "GET", "/Users", "")
	for _, path := range []string{"/Users", "/Users/1", "/Schemas", "/Groups"} {
		if a := w.at(birch, ours).Do("GET", path, ""); a.Status != 401 || a.Text != unknown.Text {
			t.Errorf("acme's token at birch, %s: %d %s, want the answer of an unknown token", path, a.Status, a.Text)
		}
	}
	id := w.at(birch, theirs).Want(201, "POST", "/Users", `{"userName":"sam@acme.example"}`).ID() // a name of acme's
	w.okta.Want(404, "GET", "/Users/"+id, "")
	w.okta.Want(404, "PUT", "/Users/"+id, `{"userName":"x@acme.example","active":false}`)
	w.okta.Want(404, "DELETE", "/Users/"+id, "")
	if b, status := w.LogInAt(birch, "ana@acme.example"); status != http.StatusForbidden {
		t.Errorf("somebody of acme logs in at birch: %d %v", status, b.Lines("/"))
	}
	cookie := w.raw(t, "POST", acme, "/login", "", url.Values{"email": {"ana@acme.example"}, "password": {w.Password}}).Header.Get("Set-Cookie")
	cookie, _, _ = strings.Cut(cookie, ";")
	for _, c := range []struct { // in this order: at another company's host a session ends
		host string
		want int
	}{{acme, http.StatusOK}, {birch, http.StatusSeeOther}, {acme, http.StatusSeeOther}, {"localhost", http.StatusSeeOther}} {
		if got := w.raw(t, "GET", c.host, "/people", cookie, nil).StatusCode; got != c.want {
			t.Errorf("a session of acme at %s: %d, want %d", c.host, got, c.want)
		}
	}
}

// raw sends a request to a page, with a cookie that a browser would not send there.
func (w *world) raw(t *testing.T, method, host, path, cookie string, form url.Values) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Cookie", cookie)
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close() //nolint:errcheck // the header counts
	return res
}

// JF-2: the unique identifier is userName.
func userName(t *testing.T, w *world) {
	id, body := w.assign("uma@acme.example", nil)
	if got := w.okta.Find("/Users", "userName", "UMA@acme.example"); got != id {
		t.Errorf("the look-up finds %q, want %q", got, id)
	}
	w.okta.Refused(409, "uniqueness", "POST", "/Users", body, "userName")
	w.okta.Refused(409, "uniqueness", "POST", "/Users", strings.Replace(body, "uma@", "Uma@", 1), "userName")
	sam := w.okta.Find("/Users", "userName", "sam@acme.example") // was there before SCIM
	if got, _ := w.assign("sam@acme.example", nil); sam == "" || got != sam {
		t.Errorf("Okta takes over %q, want %q", got, sam)
	}
}

// JF-3: groups are not supported.
func groups(t *testing.T, w *world) {
	for _, path := range []string{"/ResourceTypes", "/Schemas"} {
		if a := w.okta.Want(200, "GET", path, ""); slices.Contains(a.Values("Resources", "name"), "Group") || strings.Contains(a.Text, "core:2.0:Group") {
			t.Errorf("%s lists groups: %s", path, a.Text)
		}
	}
	for _, path := range []string{"/Groups", "/Groups?startIndex=1&count=100", "/Groups?excludedAttributes=members&filter=displayName+eq+%22x%22"} {
		if a := w.okta.Want(200, "GET", path, ""); a.String("totalResults") != "0" {
			t.Errorf("%s: %s", path, a.Text)
		}
	}
	w.okta.Refused(501, "", "POST", "/Groups", `{"displayName":"Sales"}`, "groups are not supported")
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		w.okta.Refused(501, "", method, "/Groups/1", `{}`, "groups are not supported")
	}
}

// JF-4: the raw token, with or without the word Bearer.
func header(t *testing.T, w *world) {
	token := w.okta.Header.Get("Authorization")
	for h, want := range map[string]int{token: 200, "Bearer " + token: 200, "bearer  " + token: 200, "Bearer Bearer " + token: 200,
		token[:len(token)-1]: 401, "Token " + token: 401, "": 401, "Bearer": 401} {
		if got := w.at(acme, h).Do("GET", "/Users?startIndex=1&count=2", "").Status; got != want {
			t.Errorf("%.14q…: %d, want %d", h, got, want)
		}
	}
}

// JF-6: unassigning a person deactivates or removes the account, as the administrator chose.
func unassign(t *testing.T, w *world) {
	id, _ := w.assign("vic@acme.example", map[string]any{personalAttribute: "Creator"})
	w.okta.Update(id, map[string]any{"displayName": "Victor"})
	vic := w.admin(t, acme, "vic@acme.example")
	w.okta.Unassign(id)
	if got := w.okta.Want(200, "GET", "/Users/"+id, "").String("active"); got != "false" {
		t.Errorf("active is %s", got)
	}
	if got := vic.Status("/"); got != http.StatusSeeOther {
		t.Errorf("the next click of a deactivated person is %d, want the log-in", got)
	}
	w.expect(t, "vic@acme.example", "cannot log in", "deactivated")
	if again, _ := w.assign("vic@acme.example", map[string]any{personalAttribute: "Creator"}); again != id {
		t.Errorf("who comes back is %s, want %s", again, id)
	}
	w.expect(t, "vic@acme.example", "Creator", "assigned again")

	set(w.ana, "removes", true)
	defer set(w.ana, "removes", false)
	w.okta.Update(id, map[string]any{"displayName": "Vic"}) // removes nobody
	w.expect(t, "vic@acme.example", "Creator", "a profile push while unassigned people are removed")
	body := w.okta.Want(200, "GET", "/Users/"+id, "").Body
	body["active"] = false
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if a := w.okta.Want(200, "PUT", "/Users/"+id, string(text)); a.String("active") != "false" || a.ID() != id {
		t.Errorf("the answer of the removal is %s", a.Text)
	}
	w.okta.Want(404, "GET", "/Users/"+id, "")
	w.okta.Want(404, "PUT", "/Users/"+id, string(text)) // repeated
	if found := w.okta.Find("/Users", "userName", "vic@acme.example"); found != "" {
		t.Errorf("a removed account is found: %s", found)
	}
	w.expect(t, "vic@acme.example", "cannot log in", "removed")
	if line := w.ana.Line("/people", "vic@acme.example"); line != "" {
		t.Errorf("a removed account is listed: %s", line)
	}
	again, _ := w.assign("vic@acme.example", nil)
	if again == id {
		t.Error("a removed account came back with its id")
	}
	w.expect(t, "vic@acme.example", "Viewer, the default of Acme", "a new account")
	catalogue := pagetest.Okta{Client: w.okta.Client, Patches: true} // deactivates by PATCH
	xia, _ := w.assign("xia@acme.example", nil)
	catalogue.Unassign(xia)
	w.okta.Want(404, "GET", "/Users/"+xia, "")
	created := w.okta.Want(201, "POST", "/Users", `{"userName":"wim@acme.example","active":false}`).ID()
	w.okta.Want(200, "GET", "/Users/"+created, "") // nobody was unassigned
	w.okta.Want(204, "DELETE", "/Users/"+again, "")
	w.okta.Want(404, "GET", "/Users/"+again, "")
}

// JF-7: a role attribute in the core User namespace.
func roleAttribute(t *testing.T, w *world) {
	id, body := w.assign("roa@acme.example", map[string]any{personalAttribute: "Editor"})
	a := w.okta.Want(200, "GET", "/Users/"+id, "")
	if a.String(personalAttribute) != "Editor" || strings.Contains(fmt.Sprint(a.Body["schemas"]), "jotform") {
		t.Errorf("GET: %s", a.Text)
	}
	w.expect(t, "roa@acme.example", "Editor", "POST")
	w.okta.Want(200, "PUT", "/Users/"+id, body) // the same again
	w.okta.Want(200, "PUT", "/Users/"+id, strings.Replace(body, `"Editor"`, `null`, 1))
	w.expect(t, "roa@acme.example", "Viewer, the default of Acme", "PUT null")
	for _, op := range []string{
		`{"op":"add","path":"jotform_user_role","value":"Creator"}`,
		`{"op":"replace","value":{"jotform_user_role":null}}`,
		`{"op":"Replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:jotform_user_role","value":"Creator"}`,
		`{"op":"remove","path":"Jotform_User_Role"}`,
		`{"op":"replace","value":{"jotform_user_role":"Creator"}}`,
	} {
		w.okta.Want(200, "PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+op+`]}`)
		want := "Creator"
		if strings.Contains(op, "null") || strings.Contains(op, "remove") {
			want = "Viewer, the default of Acme"
		}
		w.expect(t, "roa@acme.example", want, op)
	}
	if found := w.okta.Find("/Users", personalAttribute, "Creator"); found != id {
		t.Errorf("a filter on the attribute finds %q, want %q", found, id)
	}
	schemas := w.okta.Want(200, "GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "")
	attributes, _ := schemas.Body["attributes"].([]any)
	values := map[string]any{}
	for _, x := range attributes {
		if m, ok := x.(map[string]any); ok && strings.HasPrefix(fmt.Sprint(m["name"]), "jotform") {
			values[fmt.Sprint(m["name"])] = m["canonicalValues"]
		}
	}
	want := map[string]any{personalAttribute: []any{"Creator", "Editor", "Viewer"}, groupAttribute: []any{"Team Editor", "Team Viewer"}}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("the enumerated values in /Schemas (-want +got):\n%s", diff)
	}
}

// JF-8: a value of the wrong kind is refused, with the list.
func twoKinds(t *testing.T, w *world) {
	for attribute, lists := range map[string][2][]string{
		personalAttribute: {{"Team Editor", "Owner", "editor", "Editor "}, {"Creator", "Editor", "Viewer"}},
		groupAttribute:    {{"Editor", "Owner"}, {"Team Editor", "Team Viewer"}},
	} {
		for _, wrong := range lists[0] {
			body := pagetest.User("two@acme.example", "T", "Wo", extra(map[string]any{attribute: wrong}))
			w.okta.Refused(400, "invalidValue", "POST", "/Users", body, append(lists[1], attribute)...)
		}
	}
	if id := w.okta.Find("/Users", "userName", "two@acme.example"); id != "" {
		t.Error("a refused person is stored")
	}
	id, body := w.assign("two@acme.example", map[string]any{groupAttribute: "Team Editor"})
	w.okta.Refused(400, "invalidValue", "PUT", "/Users/"+id, strings.Replace(body, "Team Editor", "Editor", 1), "Team Viewer")
	w.okta.Want(200, "PUT", "/Users/"+id, strings.NewReplacer("Team Editor", "Editor", `"active":true`, `"active":false`).Replace(body)) // a leaver's request
	w.expect(t, "two@acme.example", "cannot log in", "a deactivation with a wrong value")
}

// JF-9: a switch straight from one role to another is refused. Who was unassigned may get another one.
func switchRoles(t *testing.T, w *world) {
	for attribute, values := range map[string][2]string{personalAttribute: {"Editor", "Creator"}, groupAttribute: {"Team Editor", "Team Viewer"}} {
		email := strings.ReplaceAll(attribute, "_", "-") + "@acme.example"
		id, body := w.assign(email, map[string]any{attribute: values[0]})
		other := strings.Replace(body, values[0], values[1], 1)
		w.okta.Refused(400, "mutability", "PUT", "/Users/"+id, other, attribute)
		w.okta.Refused(400, "mutability", "PATCH", "/Users/"+id, fmt.Sprintf(`{"Operations":[{"op":"replace","path":%q,"value":%q}]}`, attribute, values[1]), attribute)
		w.expect(t, email, values[0], "a refused switch")
		w.okta.Want(200, "PUT", "/Users/"+id, strings.Replace(other, `"active":true`, `"active":false`, 1)) // never refused
		w.expect(t, email, "cannot log in", "unassigned")
		w.okta.Want(200, "PUT", "/Users/"+id, other)
		w.expect(t, email, values[1], "assigned again with another role")
	}
}

// JF-10: a person who is assigned directly and by a group has both roles.
func bothRoles(t *testing.T, w *world) {
	id, body := w.assign("duo@acme.example", map[string]any{personalAttribute: "Editor", groupAttribute: "Team Viewer"})
	w.expect(t, "duo@acme.example", "Editor, Team Viewer", "both")
	w.okta.Want(200, "PUT", "/Users/"+id, strings.Replace(body, `"Editor"`, `null`, 1))
	w.expect(t, "duo@acme.example", "Team Viewer", "no longer assigned directly")
	w.okta.Want(200, "PUT", "/Users/"+id, body)
	w.expect(t, "duo@acme.example", "Editor, Team Viewer", "both again")
	line := w.ana.Line("/people", "duo@acme.example")
	for _, want := range []string{"Editor: attribute jotform_user_role", "Team Viewer: attribute jotform_group_role"} {
		if !strings.Contains(line, want) {
			t.Errorf("the page says %q, want %q in it", line, want)
		}
	}
}

// JF-11: who has no role attribute has the default role.
func defaultRole(t *testing.T, w *world) {
	id, _ := w.assign("def@acme.example", nil)
	w.expect(t, "def@acme.example", "Viewer, the default of Acme", "no attribute")
	if a := w.okta.Want(200, "GET", "/Users/"+id, ""); strings.Contains(a.Text, "jotform") {
		t.Errorf("the default role is shown as SCIM's: %s", a.Text)
	}
	w.ana.Post("/default", url.Values{"role": {"Creator"}})
	w.expect(t, "def@acme.example", "Creator, the default of Acme", "another default")
	w.okta.Update(id, map[string]any{personalAttribute: "Editor"})
	w.expect(t, "def@acme.example", "Editor", "the first role is no switch")
	w.ana.Post("/default", url.Values{"role": {"Viewer"}})
	if _, _, ok := w.ana.Try("/default", url.Values{"role": {"Team Editor"}}); ok {
		t.Error("a group role becomes the default")
	}
}

// JF-12: clearing the attribute in one request and setting another value in a later one.
func clearing(t *testing.T, w *world) {
	id, _ := w.assign("cly@acme.example", map[string]any{personalAttribute: "Editor"})
	w.okta.Update(id, map[string]any{personalAttribute: nil})
	w.expect(t, "cly@acme.example", "Viewer, the default of Acme", "cleared")
	w.okta.Update(id, map[string]any{personalAttribute: "Creator"})
	w.expect(t, "cly@acme.example", "Creator", "set in a later request")
	w.okta.Refused(400, "mutability", "PATCH", "/Users/"+id,
		`{"Operations":[{"op":"remove","path":"jotform_user_role"},{"op":"add","path":"jotform_user_role","value":"Editor"}]}`, personalAttribute)
	w.expect(t, "cly@acme.example", "Creator", "both in one request")
}

// What an administrator gives by hand stays, and others see no page of administrators.
func pages(t *testing.T, w *world) {
	id, _ := w.assign("pam@acme.example", nil)
	w.ana.Post("/give", url.Values{"user": {id}, "role": {"personal|Creator"}})
	w.expect(t, "pam@acme.example", "Creator", "given by hand")
	w.okta.Update(id, map[string]any{personalAttribute: "Viewer"})
	w.expect(t, "pam@acme.example", "Creator", "a role by hand keeps its place")
	w.ana.Post("/take", url.Values{"user": {id}, "role": {"personal|Creator"}})
	w.expect(t, "pam@acme.example", "Viewer", "what waited is given")
	for _, role := range []string{"personal|Owner", "personal|Team Editor", "other|Creator", "Creator", ""} {
		if text, _, ok := w.ana.Try("/give", url.Values{"user": {id}, "role": {role}}); ok {
			t.Errorf("%q is given: %s", role, text)
		}
	}
	theirs, status := w.LogInAt(acme, "pam@acme.example")
	if status != http.StatusSeeOther || theirs.Status("/people") != http.StatusForbidden || theirs.Status("/security") != http.StatusForbidden {
		t.Errorf("somebody who is no administrator: %d, %d", status, theirs.Status("/people"))
	}
	bea := w.admin(t, birch, "bea@birch.example")
	if text, _, ok := bea.Try("/give", url.Values{"user": {id}, "role": {"group|Team Editor"}}); ok {
		t.Errorf("birch gives a role to somebody of acme: %s", text)
	}
	w.expect(t, "pam@acme.example", "Viewer", "after birch tried")

	w.okta.Refused(400, "invalidValue", "POST", "/Users", `{"userName":"fail@acme.example","jotform_user_role":"Owner"}`)
	const failed = "/provisioning/t/acme/activity?f=failed"
	for end := time.Now().Add(10 * time.Second); !strings.Contains(w.ana.Page(failed), "fail@acme.example"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the administrator does not find the failed request")
		}
	}
	for _, of := range []string{"", "problems", "activity", "people", "groups", "health", "connection"} {
		if got := w.ana.In(t).Status("/provisioning/t/acme/" + of); got != http.StatusOK {
			t.Errorf("the page %q of the console: %d, want 200", of, got)
		}
	}
	if got := bea.In(t).Status(failed); got != http.StatusNotFound {
		t.Errorf("birch's administrator at acme's activity: %d, want 404", got)
	}
	if got := theirs.Status("/provisioning/"); got != http.StatusForbidden {
		t.Errorf("the console for somebody who is no administrator: %d, want 403", got)
	}
}

// JF-13: off is 503; on again: the old token is dead.
func offAndOn(t *testing.T, w *world) {
	id, _ := w.assign("off@acme.example", map[string]any{personalAttribute: "Editor"})
	set(w.ana, "scim", false)
	a := w.okta.Do("GET", "/Users/"+id, "")
	if a.Status != 503 || a.Header.Get("Retry-After") == "" {
		t.Errorf("switched off: %d %v, want 503 with Retry-After", a.Status, a.Header)
	}
	if got := w.at(acme, "wrong").Do("GET", "/Users", "").Status; got != 401 {
		t.Errorf("switched off, without a valid token: %d, want 401", got)
	}
	w.expect(t, "off@acme.example", "Editor", "switched off: nobody loses anything")
	set(w.ana, "sign_on", false)
	if text, _, ok := w.ana.Try("/toggle", url.Values{"name": {"scim"}, "on": {"true"}}); ok {
		t.Errorf("SCIM is turned on without single sign-on: %s", text)
	}
	set(w.ana, "sign_on", true)
	fresh := set(w.ana, "scim", true)
	if got := w.okta.Test(); got != http.StatusUnauthorized {
		t.Errorf("the old token, switched on again: %d, want 401", got)
	}
	if got := w.at(acme, fresh).Want(200, "GET", "/Users/"+id, "").String(personalAttribute); got != "Editor" {
		t.Errorf("the user has the role %q, want Editor", got)
	}
	set(w.ana, "sign_on", false)
	if got := w.at(acme, fresh).Do("GET", "/Users", "").Status; got != 503 {
		t.Errorf("single sign-on is off, and SCIM was on: %d, want 503", got)
	}
}
