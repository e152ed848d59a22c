// Package scimtest plays transcripts of SCIM clients against any SCIM endpoint. A transcript
// is a text file. The package sends each request as the file has it, and compares each
// answer with what the file expects. To test a new client, write a new file.
//
//	# What the client wants. Lines that begin with # are comments, everywhere.
//	User-Agent: Some Client 1.0
//	Content-Type: application/scim+json
//
//	POST /Users
//
//	{"userName": "ann@ex.test"}
//
//	>> 201
//	Location: ${base}/Users/${ann}
//
//	{"id": "${ann:=}", "userName": "ann@ex.test", "active": true, "password": "${absent}"}
//
//	roles: ${ann} = Editor
//
//	DELETE /Users/${ann}
//
//	>> 204
//
// # Requests
//
// A request begins with a line of method and address, as on the wire. The address is
// relative to the endpoint. Headers, an empty line and a body follow.
//
// Headers before the first request are defaults. A request uses those that it does not
// have itself. Content-Type is used only for requests with a body. The default of
// Authorization comes from Target.Token. A header with the value "${absent}" is not sent.
//
// # Answers
//
// A line ">> status" begins the expected answer: headers, an empty line and JSON.
//
// The members of an expected object must be present and match; the answer may have others.
// An array must match element by element. If its first element is the string "${set}", the
// order does not matter. If its first element is "...", the answer may also have other
// elements. Numbers are compared by value. Expected headers and strings are patterns:
//
//	${name}      the value of a variable
//	${name:=}    any text except "", which becomes the variable's value
//	${*}         any text; as the whole of a JSON string, any value at all
//	${re:x}      (as the whole) a text in which the regular expression x is found
//	${absent}    (as the whole) there is no such header or member
//
// The variable ${base} is the endpoint's absolute address, ${token} is the token. Requests
// may contain ${name}, and ${fill:n}, which is the letter x n times. In a body each value
// is written as part of a JSON string. The body of an answer is compared before its
// headers, so headers may use what the body captures.
//
// # Checks
//
// A line "name: argument = result" between requests is a check. It calls the function
// Target.Checks[name] with the argument and compares the result. Use checks for what no
// answer shows, such as the roles that a user holds in the application.
//
// # What holds for every answer
//
// Real clients need some things from every answer. The package always checks them, so
// the files do not contain them:
//
//   - A body is JSON in application/scim+json.
//   - 204, 304 and answers to HEAD have no body. Every other answer has one.
//   - An error has the form of RFC 7644, Section 3.12: its status is a string, and it has
//     a detail.
//   - 401 has the header WWW-Authenticate, 405 has Allow.
//   - 201 has the header Location, and it is equal to meta.location.
//   - A list has Resources, even if it is empty, and itemsPerPage counts them.
//   - No answer contains a password.
package scimtest

import (
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"testing"
)

// DefaultURL is the address of the endpoint if Target.URL is "".
const DefaultURL = "http://scim.test/scim/v2"

// Target is an endpoint to play transcripts against.
type Target struct {
	// Handler serves the endpoint. For an endpoint on another server use
	// httputil.NewSingleHostReverseProxy.
	Handler http.Handler
	// URL is the absolute address of the endpoint. Requests reach Handler under its path.
	// "": DefaultURL.
	URL string
	// Token is the bearer token of requests. "": they have none.
	Token string
	// Checks contains the functions that checks call, by name.
	Checks map[string]func(arg string) string
}

// Play plays each file of fsys whose name ends in ".http", in all folders. Each file is a
// sub-test with a fresh target. A file ends at its first step that fails. Play fails if
// there is no such file.
func Play(t *testing.T, fsys fs.FS, newTarget func(t *testing.T) Target) {
	t.Helper()
	played := 0
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".http" {
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		played++
		t.Run(name[:len(name)-len(".http")], func(t *testing.T) {
			if err := play(name, string(text), newTarget(t)); err != nil {
				t.Fatal(err)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if played == 0 {
		t.Fatal("scimtest: there is no file *.http")
	}
}

// play plays one transcript.
func play(name, text string, target Target) error {
	steps, err := parse(name, text)
	if err != nil {
		return err
	}
	if len(steps) == 0 {
		return fmt.Errorf("%s: there is no request in it", name)
	}
	p, err := newPlayer(name, target)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if err := p.step(s); err != nil {
			return err
		}
	}
	return nil
}
