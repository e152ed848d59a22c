package scimtest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// canned answers every request alike and keeps what it was sent.
type canned struct {
	status int
	header map[string]string
	body   string

	requests []string
}

func (c *canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	c.requests = append(c.requests, fmt.Sprintf("%s %s %s | %s | %s | %s | %s",
		r.Method, r.Host, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header.Get("User-Agent"), body))
	w.Header().Set("Content-Type", "application/scim+json")
	for name, value := range c.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(c.status)
	io.WriteString(w, c.body) //nolint:errcheck // a recorder
}

func user(body string) *canned { return &canned{status: 200, body: body} }

const ann = `{"schemas": ["u"], "id": "7", "name": {"given": "Ann \"A\""}, "age": 40.0, "on": true, "list": [{"v": "a"}, {"v": "b"}], "none": null}`

// TestPlay checks that all files are played, and each against a target of its own.
func TestPlay(t *testing.T) {
	files := fstest.MapFS{
		"one.http":      {Data: []byte("GET /Users/7\n\n>> 200\n")},
		"sub/two.http":  {Data: []byte("GET /Users/7\n\n>> 200\n\nGET /Users/8\n\n>> 200\n")},
		"sub/notes.txt": {Data: []byte("nothing to play")},
	}
	var targets []*canned
	Play(t, files, func(*testing.T) Target {
		c := user(ann)
		targets = append(targets, c)
		return Target{Handler: c}
	})
	var counts []int
	for _, c := range targets {
		counts = append(counts, len(c.requests))
	}
	if d := cmp.Diff([]int{1, 2}, counts); d != "" {
		t.Errorf("requests of each target (-want +have):\n%s", d)
	}
}

func TestRequests(t *testing.T) {
	const defaults = "User-Agent: Test\nContent-Type: application/scim+json\n\n"
	tests := []struct {
		name, text string
		target     Target
		want       []string
		reason     string
	}{
		{"without a body", defaults + "GET /Users?a=%20b\n\n>> 200\n", Target{Token: "t"},
			[]string{"GET scim.test /scim/v2/Users?a=%20b | Bearer t |  | Test | "},
			"the address goes as written; Content-Type belongs to a body"},
		{"with a body", defaults + "POST /Users\n\n{\n# no part of it\n}\n\n>> 200\n", Target{},
			[]string{"POST scim.test /scim/v2/Users |  | application/scim+json | Test | {\n\n}"},
			"defaults go along, comments and the empty lines around do not"},
		{"own headers", defaults + "POST //Users\nuser-agent: Mine\nContent-Type: ${absent}\nAuthorization: Basic x\nHost: h.test\n\nno json\n\n>> 200\n", Target{Token: "t"},
			[]string{"POST h.test /scim/v2//Users | Basic x |  | Mine | no json"},
			"a request's own headers replace the others, in any spelling"},
		{"without a token", "GET /Users\nAuthorization: ${absent}\n\n>> 200\n", Target{Token: "t"},
			[]string{"GET scim.test /scim/v2/Users |  |  |  | "}, "absent sends no header"},
		{"another address", "GET /Users\n\n>> 200\n", Target{URL: "https://ex.test/"},
			[]string{"GET ex.test /Users |  |  |  | "}, "the target decides host and prefix"},
		{"variables", "GET /Users\nETag: ${token}\n\n>> 200\n\n{\"id\": \"${id:=}\", \"name\": {\"given\": \"${n:=}\"}}\n\n" +
			"PUT /Users/${id}\nUser-Agent: a ${id}\n\n{\"n\": \"${n}\", \"f\": \"${fill:3}\", \"b\": \"${base}\"}\n\n>> 200\n", Target{},
			[]string{"GET scim.test /scim/v2/Users |  |  |  | ",
				`PUT scim.test /scim/v2/Users/7 |  |  | a 7 | {"n": "Ann \"A\"", "f": "xxx", "b": "http://scim.test/scim/v2"}`},
			"captures are used afterwards, in a body as part of a string"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := user(ann)
			test.target.Handler = c
			if err := play("x.http", test.text, test.target); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, c.requests); d != "" {
				t.Errorf("%s (-want +have):\n%s", test.reason, d)
			}
		})
	}
}

// TestExpectations plays one request; want "" passes, otherwise it is the beginning
// of the error's first line.
func TestExpectations(t *testing.T) {
	tests := []struct{ name, expect, want, reason string }{
		{"nothing but the status", ">> 200", "", "what is not written is not compared"},
		{"status", ">> 201", "x.http:3: status: want 201, have 200", "the status always counts"},
		{"subset", `>> 200` + "\n\n" + `{"id": "7", "name": {}}`, "", "members that are not written may be there"},
		{"string", `>> 200` + "\n\n" + `{"id": "8"}`, `x.http:5: body.id: want "8", have "7"`, "strings are compared"},
		{"no string", `>> 200` + "\n\n" + `{"age": "40"}`, `x.http:5: body.age: want the string "40", have 40.0`, "types are compared"},
		{"missing", `>> 200` + "\n\n" + `{"email": "7"}`, `x.http:5: body.email: want "7", it is absent`, "a written member must be there"},
		{"null is there", `>> 200` + "\n\n" + `{"none": null}`, "", "null is a value"},
		{"null is not absent", `>> 200` + "\n\n" + `{"none": "${absent}"}`, "x.http:5: body.none: want it absent, have null", "null is a value"},
		{"absent", `>> 200` + "\n\n" + `{"email": "${absent}"}`, "", "it is not there"},
		{"anything", `>> 200` + "\n\n" + `{"age": "${*}", "name": "${*}"}`, "", "of any type"},
		{"anything must be there", `>> 200` + "\n\n" + `{"email": "${*}"}`, `x.http:5: body.email: want "${*}", it is absent`, "any value, but a value"},
		{"numbers", `>> 200` + "\n\n" + `{"age": 4e1}`, "", "by value"},
		{"number", `>> 200` + "\n\n" + `{"age": 41}`, "x.http:5: body.age: want 41, have 40.0", "by value"},
		{"boolean", `>> 200` + "\n\n" + `{"on": false}`, "x.http:5: body.on: want false, have true", "by value"},
		{"array", `>> 200` + "\n\n" + `{"list": [{"v": "a"}, {"v": "b"}]}`, "", "element by element"},
		{"array too short", `>> 200` + "\n\n" + `{"list": [{"v": "a"}]}`, "x.http:5: body.list: want 1 elements, have 2", "all elements"},
		{"array in another order", `>> 200` + "\n\n" + `{"list": [{"v": "b"}, {"v": "a"}]}`, `x.http:5: body.list[0].v: want "b", have "a"`, "order counts"},
		{"set", `>> 200` + "\n\n" + `{"list": ["${set}", {"v": "b"}, {"v": "a"}]}`, "", "order does not count"},
		{"set too short", `>> 200` + "\n\n" + `{"list": ["${set}", {"v": "b"}]}`, "x.http:5: body.list: want 1 elements, have 2", "all elements"},
		{"set with the same twice", `>> 200` + "\n\n" + `{"list": ["${set}", {"v": "b"}, {"v": "b"}]}`, `x.http:5: body.list: no element is {"v":"b"}`, "each has an element of its own"},
		{"among others", `>> 200` + "\n\n" + `{"list": ["...", {"v": "b"}]}`, "", "others may be there"},
		{"not among others", `>> 200` + "\n\n" + `{"list": ["...", {"v": "c"}]}`, `x.http:5: body.list: no element is {"v":"c"}`, "this one must be"},
		{"regular expression", `>> 200` + "\n\n" + `{"id": "${re:^[0-9]{1}$}"}`, "", "braces are part of it"},
		{"other regular expression", `>> 200` + "\n\n" + `{"id": "${re:^a}"}`, `x.http:5: body.id: want ${re:^a}, have "7"`, "it is not found"},
		{"part of a text", `>> 200` + "\n\n" + `{"name": {"given": "A${*} \"A\""}}`, "", "any text in the middle"},
		{"not the whole text", `>> 200` + "\n\n" + `{"name": {"given": "Ann"}}`, `x.http:5: body.name.given: want "Ann", have "Ann \"A\""`, "from beginning to end"},
		{"unknown variable", `>> 200` + "\n\n" + `{"id": "${who}"}`, `x.http:5: body.id: no answer has captured ${who} so far`, "a typing error must not pass"},
		{"header", ">> 200\nLocation: ${base}/Users/${id}\n\n" + `{"id": "${id:=}"}`, "", "it uses what the body captures"},
		{"other header", ">> 200\nLocation: ${base}/Users/8", `x.http:4: Location: want "http://scim.test/scim/v2/Users/8" (${base}/Users/8), have "http://scim.test/scim/v2/Users/7"`, "headers are compared"},
		{"missing header", ">> 200\nETag: ${*}", `x.http:4: Etag: want "${*}", it is absent`, "a written header must be there"},
		{"absent header", ">> 200\nETag: ${absent}", "", "it is not there"},
		{"header too many", ">> 200\nLocation: ${absent}", `x.http:4: Location: want it absent, have ["http://scim.test/scim/v2/Users/7"]`, "it is there"},
		{"check", ">> 200\n\nroles: 7 = Admin, Editor", "", "the function says so"},
		{"check of nothing", ">> 200\n\nroles: 8 =", "", "the result is empty"},
		{"failing check", ">> 200\n\nroles: 7 = Admin", `x.http:5: roles: 7: want "Admin", have "Admin, Editor"`, "the whole result counts"},
		{"unknown check", ">> 200\n\nrole: 7 = Admin", `x.http:5: there is no check "role": Target.Checks has ["roles"]`, "a typing error must not pass"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := user(ann)
			c.header = map[string]string{"Location": DefaultURL + "/Users/7"}
			err := play("x.http", "GET /Users/7\n\n"+test.expect+"\n", Target{Handler: c, Checks: map[string]func(string) string{
				"roles": func(arg string) string { return map[string]string{"7": "Admin, Editor"}[arg] },
			}})
			if d := cmp.Diff(test.want, firstLine(err)); d != "" {
				t.Errorf("%s (-want +have):\n%s", test.reason, d)
			}
		})
	}
}

func firstLine(err error) string {
	if err == nil {
		return ""
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func TestDump(t *testing.T) {
	err := play("x.http", "GET /Users/7\n\n>> 404\n", Target{Handler: user(`{"schemas":["u"]}`)})
	want := "x.http:3: status: want 404, have 200\nx.http:1: GET /Users/7 was answered:\n200 OK\nContent-Type: application/scim+json\n\n{\n  \"schemas\": [\n    \"u\"\n  ]\n}"
	if d := cmp.Diff(want, fmt.Sprint(err)); d != "" {
		t.Errorf("an error shows the whole answer (-want +have):\n%s", d)
	}
}

func TestLaws(t *testing.T) {
	const e = `{"schemas": ["` + errorURN + `"], "status": "%s", "detail": "why"}`
	loc := map[string]string{"Location": "http://scim.test/1"}
	tests := []struct {
		name   string
		method string
		answer canned
		want   string
		reason string
	}{
		{"resource", "GET", canned{status: 200, body: ann}, "", "all is well"},
		{"charset", "GET", canned{status: 200, body: ann, header: map[string]string{"Content-Type": "application/scim+json; charset=utf-8"}}, "", "a parameter is allowed"},
		{"content type", "GET", canned{status: 200, body: ann, header: map[string]string{"Content-Type": "application/json"}},
			`Content-Type: want application/scim+json, have "application/json"`, "RFC 7644, Section 3.1"},
		{"no JSON", "GET", canned{status: 200, body: "<html>"}, "the body is not JSON: invalid character '<' looking for beginning of value", "clients show it as their own failure"},
		{"two values", "GET", canned{status: 200, body: ann + ann}, "the body is not JSON: there is something behind the JSON value", "one answer, one value"},
		{"no object", "GET", canned{status: 200, body: "[]"}, "the body is not a JSON object", "all of SCIM's messages are"},
		{"no body", "GET", canned{status: 200}, "there must be a body", "Okta and Keycloak fail on it"},
		{"no schemas", "GET", canned{status: 200, body: `{"id": "1"}`}, "body.schemas: want at least one URN, have null", "RFC 7643, Section 3"},
		{"204", "DELETE", canned{status: 204}, "", "all is well"},
		{"204 with a body", "DELETE", canned{status: 204, body: ann}, "there must be no body", "RFC 9110, Section 15.3.5"},
		{"HEAD with a body", "HEAD", canned{status: 200, body: ann}, "there must be no body", "RFC 9110, Section 9.3.2"},
		{"201", "POST", canned{status: 201, body: `{"schemas": ["u"], "meta": {"location": "http://scim.test/1"}}`, header: loc}, "", "all is well"},
		{"201 without Location", "POST", canned{status: 201, body: ann}, "201 without Location", "RFC 7644, Section 3.3"},
		{"two locations", "POST", canned{status: 201, body: `{"schemas": ["u"], "meta": {"location": "/2"}}`, header: loc},
			`Location is "http://scim.test/1", but meta.location "/2"`, "RFC 7643, Section 3.1"},
		{"two versions", "GET", canned{status: 200, body: `{"schemas": ["u"], "meta": {"version": "W/\"2\""}}`, header: map[string]string{"ETag": `W/"1"`}},
			`ETag is W/"1", but meta.version "W/\"2\""`, "RFC 7643, Section 3.1"},
		{"password", "GET", canned{status: 200, body: `{"schemas": ["` + listURN + `"], "totalResults": 1, "Resources": [{"password": "x"}]}`},
			"body.Resources[0].password: a password is never returned", "RFC 7643, Section 4.1.1"},
		{"error", "GET", canned{status: 404, body: fmt.Sprintf(e, "404")}, "", "all is well"},
		{"error of another status", "GET", canned{status: 404, body: fmt.Sprintf(e, "400")}, `body.status: want "404", have "400"`, "RFC 7644, Section 3.12"},
		{"status as a number", "GET", canned{status: 404, body: `{"schemas": ["` + errorURN + `"], "status": 404, "detail": "why"}`}, `body.status: want the string "404", have 404`, "RFC 7644, Section 3.12"},
		{"error without detail", "GET", canned{status: 404, body: `{"schemas": ["` + errorURN + `"], "status": "404"}`}, `body.detail: want "${re:.}", it is absent`, "Okta shows it"},
		{"error in another form", "GET", canned{status: 404, body: `{"schemas": ["u"], "status": "404", "detail": "x"}`}, `body.schemas[0]: want "` + errorURN + `", have "u"`, "RFC 7644, Section 3.12"},
		{"401", "GET", canned{status: 401, body: fmt.Sprintf(e, "401"), header: map[string]string{"WWW-Authenticate": "Bearer"}}, "", "all is well"},
		{"401 without a challenge", "GET", canned{status: 401, body: fmt.Sprintf(e, "401")}, "401 without WWW-Authenticate", "RFC 9110, Section 15.5.2"},
		{"405 without Allow", "GET", canned{status: 405, body: fmt.Sprintf(e, "405")}, "405 without Allow", "RFC 9110, Section 15.5.6"},
		{"empty list", "GET", canned{status: 200, body: `{"schemas": ["` + listURN + `"], "totalResults": 0, "itemsPerPage": 0, "Resources": []}`}, "", "all is well"},
		{"list without Resources", "GET", canned{status: 200, body: `{"schemas": ["` + listURN + `"], "totalResults": 0}`},
			"body.Resources: want an array, even an empty one, have null", "authentik looks into it at once"},
		{"total as a string", "GET", canned{status: 200, body: `{"schemas": ["` + listURN + `"], "totalResults": "0", "Resources": []}`},
			`body.totalResults: want a number, have "0"`, "RFC 7644, Section 3.4.2"},
		{"total too small", "GET", canned{status: 200, body: `{"schemas": ["` + listURN + `"], "totalResults": 0, "Resources": [{}]}`},
			"body.totalResults: 0 is less than the 1 resources there are", "RFC 7644, Section 3.4.2"},
		{"wrong count", "GET", canned{status: 200, body: `{"schemas": ["` + listURN + `"], "totalResults": 2, "itemsPerPage": 2, "Resources": [{}]}`},
			"body.itemsPerPage: want 1, have 2", "RFC 7644, Section 3.4.2.4"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := test.want
			if want != "" {
				want = "x.http:3: " + want
			}
			text := fmt.Sprintf("%s /Users\n\n>> %d\n", test.method, test.answer.status)
			if d := cmp.Diff(want, firstLine(play("x.http", text, Target{Handler: &test.answer}))); d != "" {
				t.Errorf("%s (-want +have):\n%s", test.reason, d)
			}
		})
	}
}
