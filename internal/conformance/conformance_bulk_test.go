package conformance

import (
	"strings"

	"github.com/scimkit/scim"
)

// bulkConformance is RFC 7644, Section 3.7.
var bulkConformance = []conformance{
	{ids: "7644-3.7-02 7644-3.7-07 7644-3.7-10 7644-3.7.3-01 7644-3.7.3-02 7644-3.7.3-03", name: "results", reason: "one for each operation, with the status that it would have alone", play: `
POST /Users

{"schemas": ["<User>"], "userName": "old"}

>> 201

{"id": "${old:=}", "meta": {"version": "${v:=}"}}

POST /Bulk

{"schemas": ["<Message>:BulkRequest"], "Operations": [
 {"method": "POST", "path": "/Users", "bulkId": "q", "data": {"schemas": ["<User>"], "userName": "new"}},
 {"method": "PUT", "path": "/Users/${old}", "version": "W/\"other\"", "data": {"schemas": ["<User>"], "userName": "old"}},
 {"method": "PATCH", "path": "/Users/${old}", "data": {"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "title", "value": "x"}]}},
 {"method": "DELETE", "path": "/Users/${old}"}]}

>> 200

{"schemas": ["<Message>:BulkResponse"], "Operations": [
 {"method": "POST", "bulkId": "q", "status": "201", "location": "${base}/Users/${new:=}", "version": "${*}"},
 {"method": "PUT", "status": "412", "location": "${base}/Users/${old}", "response": {"schemas": ["<Message>:Error"], "status": "412"}},
 {"method": "PATCH", "status": "200", "location": "${base}/Users/${old}"},
 {"method": "DELETE", "status": "204", "location": "${base}/Users/${old}"}]}

GET /Users/${new}

>> 200

{"userName": "new"}
`},
	{ids: "7644-3.7-01", name: "the message's URN", change: strict, reason: "strictly it may not be missing", play: `
POST /Bulk

{"Operations": [{"method": "DELETE", "path": "/Users/x"}]}

>> 400

{"scimType": "invalidSyntax", "detail": "${re:BulkRequest}"}

POST /Bulk

{"schemas": ["<Message>:PatchOp"], "Operations": [{"method": "DELETE", "path": "/Users/x"}]}

>> 400
`},
	{ids: "7644-3.7-03 7644-3.7-04 7644-3.7-05 7644-3.7-06 7644-3.7.3-04", name: "operations that lack something", change: strict, reason: "each fails alone, with the error that says what", play: `
POST /Bulk

{"schemas": ["<Message>:BulkRequest"], "Operations": [
 {"path": "/Users", "bulkId": "a", "data": {"schemas": ["<User>"], "userName": "a"}},
 {"method": "DELETE"},
 {"method": "POST", "path": "/Users", "data": {"schemas": ["<User>"], "userName": "b"}},
 {"method": "POST", "path": "/Users", "bulkId": "c"},
 {"method": "PUT", "path": "/Users/x"},
 {"method": "PATCH", "path": "/Users/x"},
 {"method": "POST", "path": "/Users/x", "bulkId": "d", "data": {"schemas": ["<User>"], "userName": "d"}},
 {"method": "DELETE", "path": "/Users"},
 {"method": "POST", "path": "/Users", "bulkId": "e", "data": {"schemas": ["<User>"], "userName": "e"}}]}

>> 200

{"Operations": [` + strings.Repeat(`{"status": "${re:^4}", "response": {"schemas": ["<Message>:Error"], "status": "${re:^4}", "detail": "${*}"}}, `, 8) + `{"status": "201"}]}

GET /Users

>> 200

{"totalResults": 1}
`},
	{ids: "7644-3.7-08 7644-3.7.3-01 7644-3.7.3-02 7644-3.7.3-04", name: "failures", reason: "the others are done; a POST that failed has no location", play: `
POST /Bulk

{"schemas": ["<Message>:BulkRequest"], "Operations": [
 {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": ["<User>"], "userName": "same"}},
 {"method": "POST", "path": "/Users", "bulkId": "b", "data": {"schemas": ["<User>"], "userName": "same"}},
 {"method": "POST", "path": "/Users", "bulkId": "c", "data": {"schemas": ["<User>"], "userName": "other"}}]}

>> 200

{"Operations": [{"status": "201"}, {"bulkId": "b", "status": "409", "location": "${absent}", "response": {"status": "409", "scimType": "uniqueness"}}, {"status": "201"}]}
`},
	{ids: "7644-3.7-09", name: "failOnErrors", reason: "what comes after is not attempted", play: `
POST /Bulk

{"schemas": ["<Message>:BulkRequest"], "failOnErrors": 1, "Operations": [
 {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": ["<User>"], "userName": "a"}},
 {"method": "DELETE", "path": "/Users/nobody"},
 {"method": "POST", "path": "/Users", "bulkId": "c", "data": {"schemas": ["<User>"], "userName": "c"}}]}

>> 200

{"Operations": [{"status": "201"}, {"status": "404"}]}

GET /Users

>> 200

{"totalResults": 1}
`},
	{ids: "7644-3.7.2-01 7644-3.7-11", name: "bulkId references", reason: "in data and in paths, whatever the order; the order of what is not referred to stays", play: `
POST /Bulk

{"schemas": ["<Message>:BulkRequest"], "Operations": [
 {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": ["<Group>"], "displayName": "G", "members": [{"value": "bulkId:u"}]}},
 {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": ["<User>"], "userName": "u", "title": "bulkId:g"}},
 {"method": "PATCH", "path": "/Users/bulkId:u", "data": {"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "nickName", "value": "one"}]}},
 {"method": "PATCH", "path": "/Users/bulkId:u", "data": {"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "nickName", "value": "two"}]}}]}

>> 200

{"Operations": [{"status": "201", "location": "${base}/Groups/${g:=}"}, {"status": "201", "location": "${base}/Users/${u:=}"}, {"status": "200"}, {"status": "200"}]}

GET /Groups/${g}

>> 200

{"members": [{"value": "${u}"}]}

GET /Users/${u}

>> 200

{"title": "bulkId:g", "nickName": "two"}
`},
	{ids: "7644-3.7.1-01", name: "references in a circle", reason: "two groups that are members of each other's users' managers: all there or none", play: `
POST /Bulk

{"schemas": ["<Message>:BulkRequest"], "Operations": [
 {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": ["<User>", "<Enterprise>"], "userName": "a", "<Enterprise>": {"manager": {"value": "bulkId:b"}}}},
 {"method": "POST", "path": "/Users", "bulkId": "b", "data": {"schemas": ["<User>", "<Enterprise>"], "userName": "b", "<Enterprise>": {"manager": {"value": "bulkId:a"}}}}]}

>> 200

{"Operations": [{"status": "201", "location": "${base}/Users/${a:=}"}, {"status": "201", "location": "${base}/Users/${b:=}"}]}

GET /Users/${a}

>> 200

{"<Enterprise>": {"manager": {"value": "${b}"}}}

GET /Users/${b}

>> 200

{"<Enterprise>": {"manager": {"value": "${a}"}}}
`},
	{ids: "7644-3.7.4-01 7644-3.7.4-02 7644-3.7.4-03 7644-3.12-03", name: "limits", change: func(c *scim.Config) { c.Limits.BulkOps, c.Limits.BulkBody = 1, 500 },
		reason: "they are said in advance and when they are exceeded", play: `
GET /ServiceProviderConfig

>> 200

{"bulk": {"supported": true, "maxOperations": 1, "maxPayloadSize": 500}}

POST /Bulk

{"schemas": ["<Message>:BulkRequest"], "Operations": [{"method": "DELETE", "path": "/Users/a"}, {"method": "DELETE", "path": "/Users/b"}]}

>> 413

{"status": "413", "detail": "${re:\\b1\\b}"}

POST /Bulk

{"schemas": ["<Message>:BulkRequest"], "Operations": [{"method": "DELETE", "path": "/Users/${fill:500}"}]}

>> 413

{"status": "413", "detail": "${re:500}"}
`},
}
