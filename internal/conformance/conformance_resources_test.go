package conformance

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
)

// resourceConformance is RFC 7643, Sections 3.1 and 4: common attributes, users and
// groups.
var resourceConformance = []conformance{
	{ids: "7643-3.1-01 7643-3.1-02 7643-3.1-04 7643-3.1-07 7643-3.1-12 7643-3.1-13 7643-3.1-14 7643-3.1-16 7643-3.1-17 7644-3.3.1-01 7644-3.3-01 7644-3.14-01 7644-3.14-02",
		name: "what the server assigns", reason: "id and meta are its own, on every type, whatever the client sends", play: `
POST /Users

{"schemas": ["<User>"], "id": "mine", "externalId": "X1", "meta": {"resourceType": "Group", "created": "1999-01-01T00:00:00Z", "location": "x", "version": "y"}, "userName": "a"}

>> 201
ETag: ${tag:=}
Location: ${base}/Users/${a}

{"id": "${a:=}", "externalId": "X1", "meta": {"resourceType": "User", "created": "${created:=}", "lastModified": "${created}", "location": "${base}/Users/${a}", "version": "${re:^W/\"[^\"]+\"$}"}}

GET /Users/mine

>> 404

GET /Users/${a}

>> 200
ETag: ${tag}

{"meta": {"created": "${re:^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$}", "version": "${tag}"}}

POST /Groups

{"schemas": ["<Group>"], "id": "mine", "externalId": "X1", "displayName": "G"}

>> 201

{"id": "${re:^[^m]}", "externalId": "X1", "meta": {"resourceType": "Group", "created": "${*}", "lastModified": "${*}", "location": "${*}"}}

POST /Probes

{"schemas": ["<Probe>"], "id": "mine", "externalId": "X1", "text": "t"}

>> 201

{"id": "${*}", "externalId": "X1", "meta": {"resourceType": "Probe", "created": "${*}", "lastModified": "${*}", "location": "${re:/Probes/}"}}
`},
	{ids: "7643-3.1-15", name: "Content-Location", reason: "it is where the representation that is sent can be had", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a"}

>> 201
Content-Location: ${base}/Users/${a}

{"id": "${a:=}"}

GET /Users/${a}

>> 200
Content-Location: ${base}/Users/${a}

{"meta": {"location": "${base}/Users/${a}"}}

PATCH /Users/${a}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "title", "value": "x"}]}

>> 200
Content-Location: ${base}/Users/${a}
`},
	{ids: "7643-3.1-05 7643-3.1-06 7643-3.1-08", name: "ids", reason: "one for each resource, for good, over all types",
		test: func(t *testing.T, h http.Handler) {
			seen := map[string]bool{}
			for i := range 50 {
				target, body := "/Groups", `{"displayName":"x"}`
				if i%2 == 0 {
					target, body = "/Users", `{"userName":"same"}`
				}
				id, _ := testhost.Decode(t, testhost.Do(t, h, "POST", target, body))["id"].(string)
				if id == "" || seen[id] || strings.Contains(strings.ToLower(id), "bulkid") {
					t.Fatalf("id %q, after %d others", id, len(seen))
				}
				seen[id] = true
				if res := testhost.Do(t, h, "PUT", target+"/"+id, strings.Replace(body, "{", `{"id":"other","title":"x",`, 1)); testhost.Decode(t, res)["id"] != id {
					t.Fatal("a PUT changes the id")
				}
				testhost.Do(t, h, "DELETE", target+"/"+id, "")
			}
		}},
	{ids: "7643-3.1-03 7643-3.1-09 7643-3.1-10", name: "common attributes in queries", reason: "id and externalId are case-exact, and externalId is not unique; no schema has to list them", play: `
POST /Probes

{"schemas": ["<Probe>"], "externalId": "Ext"}

>> 201

{"id": "${p:=}"}

POST /Probes

{"schemas": ["<Probe>"], "externalId": "Ext"}

>> 201

GET /Probes/${p}?excludedAttributes=id,externalId,schemas

>> 200

{"id": "${p}", "schemas": ["<Probe>"], "externalId": "${absent}"}

GET /Probes?filter=externalId eq "Ext"

>> 200

{"totalResults": 2}

GET /Probes?filter=externalId eq "ext"

>> 200

{"totalResults": 0}

PATCH /Probes/${p}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "replace", "path": "id", "value": "other"}]}

>> 400

{"scimType": "mutability"}
`},
	{ids: "7643-4.1.1-01 7643-4.1.1-02 7643-4.1.1-03 7643-7-15 7644-3.3-05 7644-7.8-01 7644-5-01", name: "userName",
		reason: "there, not empty, and unique by PRECIS: width, case and composition do not tell two people apart", play: refusedUsers(`"title": "x"`, `"userName": ""`, `"userName": " "`, `"userName": null`) + `
POST /Users

{"schemas": ["<User>"], "userName": "Zoë"}

>> 201

{"id": "${zoe:=}"}
` + duplicates("ZOË", "zoe\u0308", "\uff3aoë") + counts("/Users", `userName eq "zOË"`, 1, `userName eq "zoe"`, 0) + `
POST /Users

{"schemas": ["<User>"], "userName": "zoe"}

>> 201

{"id": "${other:=}"}

PUT /Users/${other}

{"schemas": ["<User>"], "userName": "zOë"}

>> 409

{"scimType": "uniqueness"}

PATCH /Users/${other}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "replace", "path": "userName", "value": "zOë"}]}

>> 409

{"scimType": "uniqueness"}
`},
	{ids: "7643-4.1.1-04 7643-7-09 7643-7-11 7644-3.4.2.5-01", name: "what never leaves", reason: "neither by default nor if asked for; scimtest looks for passwords in every answer", play: `
POST /Users?attributes=password,userName

{"schemas": ["<User>"], "userName": "a", "password": "t1meMa$heen"}

>> 201

{"userName": "a", "password": "${absent}"}

POST /Probes?attributes=secret,hidden,text

{"schemas": ["<Probe>"], "text": "t", "secret": "s", "hidden": "h"}

>> 201
Location: ${base}/Probes/${p:=}

{"text": "t", "secret": "${absent}", "hidden": "${absent}"}

GET /Probes/${p}

>> 200

{"text": "t", "secret": "${absent}", "hidden": "${absent}"}

GET /Probes?filter=secret eq "s"

>> 400

{"scimType": "invalidFilter"}
`},
	{ids: "7643-4.1.2-08 7643-4.1.2-09 7643-7-07 7643-4.3-01 7644-3.3-01 7644-3.5.1-05", name: "readOnly", reason: "ignored in bodies, refused in a path", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a", "<Enterprise>": {"manager": {"value": "m", "displayName": "Boss"}}}

>> 201

{"id": "${a:=}", "<Enterprise>": {"manager": {"value": "m", "displayName": "${absent}"}}}

POST /Groups

{"schemas": ["<Group>"], "displayName": "G", "members": [{"value": "${a}"}]}

>> 201

{"id": "${g:=}"}

PUT /Users/${a}

{"schemas": ["<User>"], "userName": "a", "groups": [{"value": "other"}]}

>> 200

{"groups": [{"value": "${g}", "type": "direct"}]}

PATCH /Users/${a}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "remove", "path": "groups"}]}

>> 400

{"scimType": "mutability", "detail": "${re:groups}"}

POST /Probes

{"schemas": ["<Probe>"], "given": "mine"}

>> 201
Location: ${base}/Probes/${p:=}

{"given": "by the server"}

PUT /Probes/${p}

{"schemas": ["<Probe>"], "given": "mine", "text": "t"}

>> 200

{"given": "by the server", "text": "t"}
`},
	{ids: "7643-4.1.2-10", name: "certificates", reason: "base64 or nothing", play: refusedUsers(`"userName": "a", "x509Certificates": [{"value": "not base64!"}]`) + `
POST /Users

{"schemas": ["<User>"], "userName": "a", "x509Certificates": [{"value": "MIIDQzCCAqygAwIBAgICEAAwDQ=="}]}

>> 201

{"x509Certificates": [{"value": "MIIDQzCCAqygAwIBAgICEAAwDQ=="}]}
`},
	{ids: "7643-4.2-01", name: "displayName of groups", reason: "required, by the schema too", play: `
POST /Groups

{"schemas": ["<Group>"], "members": []}

>> 400

{"scimType": "invalidValue", "detail": "${re:displayName}"}

GET /Schemas/<Group>

>> 200

{"attributes": ["...", {"name": "displayName", "required": true}]}
`},
	{ids: "7643-4.2-02 7643-4.2-04", name: "members", reason: "ids of resources that there are; Q42: a list changes, an element does not", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a"}

>> 201

{"id": "${a:=}"}

POST /Users

{"schemas": ["<User>"], "userName": "b"}

>> 201

{"id": "${b:=}"}

POST /Groups

{"schemas": ["<Group>"], "displayName": "G", "members": [{"value": "nobody"}]}

>> 400

{"scimType": "invalidValue", "detail": "${re:nobody}"}

POST /Groups

{"schemas": ["<Group>"], "displayName": "G", "members": [{"value": "${a}"}]}

>> 201

{"id": "${g:=}"}

PATCH /Groups/${g}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "replace", "path": "members[value eq \"${a}\"].value", "value": "${b}"}]}

>> 400

{"scimType": "mutability"}

PUT /Groups/${g}

{"schemas": ["<Group>"], "displayName": "G", "members": [{"value": "${b}", "type": "User"}]}

>> 200

{"members": [{"value": "${b}", "type": "User"}]}
`},
	{ids: "7643-3.1-11 7644-6.2-01", name: "externalId of two tenants", reason: "each tenant has a store of its own, so the same externalId means two people",
		change: twoTenants, play: `
POST /Users

{"schemas": ["<User>"], "userName": "a", "externalId": "7"}

>> 201

{"id": "${here:=}"}

POST /Users
Authorization: Bearer other-tenant

{"schemas": ["<User>"], "userName": "a", "externalId": "7"}

>> 201

{"id": "${there:=}"}

GET /Users?filter=externalId eq "7"

>> 200

{"totalResults": 1, "Resources": [{"id": "${here}"}]}

GET /Users?filter=externalId eq "7"
Authorization: Bearer other-tenant

>> 200

{"totalResults": 1, "Resources": [{"id": "${there}"}]}
`},
}

// twoTenants configures a second tenant with its own store and token.
func twoTenants(c *scim.Config) {
	other := auth.TokenOf("other-tenant")
	other.Tenant = "other"
	c.Auth = auth.Bearer(auth.TokenOf(testhost.Secret), other)
	stores := map[string]scim.Store{"": c.Store, "other": testhost.NewBareStore()}
	c.Store, c.Types, c.Rules = nil, nil, nil
	c.TenantFor = func(_ context.Context, p scim.Principal) (*scim.Tenant, error) {
		return &scim.Tenant{ID: p.Tenant, Store: stores[p.Tenant]}, nil
	}
}

// refusedUsers is a transcript in which the server refuses users with each of the members.
func refusedUsers(members ...string) string {
	var b strings.Builder
	for _, m := range members {
		b.WriteString("\nPOST /Users\n\n" + `{"schemas": ["<User>"], ` + m + "}\n\n>> 400\n\n" + `{"scimType": "invalidValue"}` + "\n")
	}
	return b.String()
}

// duplicates is a transcript in which the names after the first are duplicates.
func duplicates(names ...string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString("\nPOST /Users\n\n" + `{"schemas": ["<User>"], "userName": "` + n + "\"}\n\n>> 409\n\n" + `{"scimType": "uniqueness", "detail": "${re:userName}"}` + "\n")
	}
	return b.String()
}
