package conformance

import (
	"net/http"
	"testing"

	"github.com/scimkit/scim/internal/testhost"
)

// writeConformance is RFC 7644, Sections 3.3, 3.5.1 and 3.6.
var writeConformance = []conformance{
	{ids: "7644-3.3-02 7644-3.3-03 7644-3.3-04", name: "creation", reason: "201, the whole resource and its address, at which it can be had", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a", "name": {"givenName": "Ann"}}

>> 201
Location: ${base}/Users/${a}

{"schemas": ["<User>"], "id": "${a:=}", "userName": "a", "name": {"givenName": "Ann"}, "meta": {"location": "${base}/Users/${a}"}}

GET /Users/${a}

>> 200

{"id": "${a}", "userName": "a"}
`},
	{ids: "7644-3.3-05", name: "duplicates", reason: "409 uniqueness, and nothing is stored", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a"}

>> 201
` + duplicates("a", "A") + counts("/Users", `userName pr`, 1)},
	{ids: "7644-3.5-01 7644-3.5.1-02 7644-3.5.1-07", name: "replacement", reason: "what is given replaces, what is left out goes, the answer is the whole", play: `
POST /Probes

{"schemas": ["<Probe>", "<Extra>"], "text": "t", "list": ["a", "b"], "box": {"a": "1", "b": "2"}, "secret": "s", "<Extra>": {"colour": "c"}}

>> 201
Location: ${base}/Probes/${p:=}

PUT /Probes/${p}

{"schemas": ["<Probe>"], "exact": "e", "list": ["c"], "box": {"b": "3"}, "secret": "t"}

>> 200

{"id": "${p}", "schemas": ["<Probe>"], "text": "${absent}", "exact": "e", "list": ["c"], "box": {"a": "${absent}", "b": "3"}, "<Extra>": "${absent}", "given": "by the server"}

GET /Probes/${p}

>> 200

{"text": "${absent}", "exact": "e", "list": ["c"]}
`},
	{ids: "7644-3.5.1-01 7644-3.2-02", name: "replacement of nothing", reason: "the server gives ids, so PUT cannot create", play: `
PUT /Users/new

{"schemas": ["<User>"], "userName": "a"}

>> 404

GET /Users

>> 200

{"totalResults": 0}
`},
	{ids: "7644-3.5.1-06", name: "replacement without what is required", reason: "and the resource stays as it was", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a"}

>> 201

{"id": "${a:=}"}

PUT /Users/${a}

{"schemas": ["<User>"], "title": "x"}

>> 400

{"scimType": "invalidValue", "detail": "${re:userName}"}

GET /Users/${a}

>> 200

{"userName": "a", "title": "${absent}"}
`},
	{ids: "7644-3.6-01 7644-3.6-02 7644-3.6-03 7644-3.6-04", name: "deletion", reason: "afterwards it is unknown to every operation, and its name is free (Q64)", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a", "externalId": "x"}

>> 201

{"id": "${a:=}"}

POST /Groups

{"schemas": ["<Group>"], "displayName": "G", "members": [{"value": "${a}"}]}

>> 201

{"id": "${g:=}"}

DELETE /Users/${a}

>> 204

GET /Users/${a}

>> 404

PUT /Users/${a}

{"schemas": ["<User>"], "userName": "a"}

>> 404

PATCH /Users/${a}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "title", "value": "x"}]}

>> 404

DELETE /Users/${a}

>> 404

GET /Groups/${g}

>> 200

{"members": []}
` + counts("/Users", `userName eq "a"`, 0, `externalId eq "x"`, 0) + counts("/", `id eq "${a}"`, 0) + `
POST /Users

{"schemas": ["<User>"], "userName": "a"}

>> 201

{"id": "${again:=}"}
`, test: func(t *testing.T, h http.Handler) {
		if n := testhost.Decode(t, testhost.Do(t, h, "GET", "/Users", ""))["totalResults"]; n != 1.0 {
			t.Errorf("%v users, want the new one", n)
		}
	}},
}
