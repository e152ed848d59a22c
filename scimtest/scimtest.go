// Package scimtest plays transcripts of SCIM clients, kept as text files, against any
// SCIM endpoint: each request is sent as it is written, each answer is compared with
// what the file expects. A new client, or a new quirk of one, is a new file.
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
// Headers before the first request go with every request that does not have the same
// header itself; Content-Type only goes with those that have a body. A request is a
// line with method and address below the endpoint, written as on the wire, then headers, an
// empty line and a body. The header Authorization is made from Target.Token unless it
// is written; "${absent}" as a value sends no such header.
//
// # Answers
//
// A line ">> status" begins what is expected: headers, an empty line and JSON. Of an
// object the members that are written must be there and match; others may be there.
// An array must match element by element, unless it begins with the string "${set}":
// then in any order; or "...": then others may be there too. Numbers are compared by
// value. Expected headers and strings are patterns:
//
//	${name}      the value of a variable
//	${name:=}    any text but none, which becomes the variable's value
//	${*}         any text; as the whole of a JSON string, any value at all
//	${re:x}      (as the whole) a text in which the regular expression x is found
//	${absent}    (as the whole) there is no such header or member
//
// The variable ${base} is the endpoint's absolute address, ${token} the token. In requests ${name} and
// ${fill:n}, the letter x n times, are replaced; in a body as part of a JSON string.
// An answer's body is compared before its headers, which may use what it captures.
//
// # Checks
//
// A line "name: argument = result" between requests calls the function that
// Target.Checks has under the name and compares what it returns. It looks at what no
// answer shows, such as the roles that a person holds in the application.
//
// # What holds for every answer
//
// Some things real clients need from every answer, so they are not written in the
// files but always checked: bodies are JSON in application/scim+json; 204, 304 and
// answers to HEAD have none, every other has one; an error has the form of RFC 7644,
// Section 3.12, its status as a string and a detail; 401 has WWW-Authenticate, 405
// has Allow; 201 has a Location, and it is meta.location; a list has Resources, even
// an empty one, and itemsPerPage counts them; a password is nowhere.
package scimtest

import (
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"testing"
)

// DefaultURL is the endpoint's address if Target.URL is "".
const DefaultURL = "http://scim.test/scim/v2"

// Target is an endpoint to play transcripts against.
type Target struct {
	// Handler serves the endpoint. For one that runs elsewhere use
	// httputil.NewSingleHostReverseProxy.
	Handler http.Handler
	// URL is the endpoint's absolute address, under which requests reach Handler;
	// "": DefaultURL.
	URL string
	// Token is the bearer token that goes with requests; "": none does.
	Token string
	// Checks are the functions that check lines call, by name.
	Checks map[string]func(arg string) string
}

// Play plays each file of fsys whose name ends in ".http", in all folders, as a
// sub-test of its own against a fresh target. The first step of a file that fails
// ends it.
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
