package conformance

import "github.com/scimkit/scim"

// discoveryConformance is RFC 7643, Sections 5 to 8, RFC 7644, Section 4, and RFC 9865,
// Section 4.
var discoveryConformance = []conformance{
	{ids: "7643-5-01 7643-5-02 7643-5-03 7643-5-04 7644-4-01 9865-4-01 9865-4-02 9865-4-03 7644-3.7.4-01 7644-3.5-02", name: "provider configuration",
		reason: "everything required is there and tells what is on", play: `
GET /ServiceProviderConfig

>> 200

{"schemas": ["<Core>:ServiceProviderConfig"], "patch": {"supported": true},
 "bulk": {"supported": true, "maxOperations": 1000, "maxPayloadSize": 16777216}, "filter": {"supported": true, "maxResults": 200},
 "changePassword": {"supported": false}, "sort": {"supported": true}, "etag": {"supported": true},
 "pagination": {"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": 100, "maxPageSize": 200, "cursorTimeout": 3600},
 "authenticationSchemes": [{"type": "oauthbearertoken", "name": "${*}", "description": "${*}"}],
 "meta": {"resourceType": "ServiceProviderConfig", "location": "${base}/ServiceProviderConfig"}}
`},
	{ids: "7643-5-05", name: "open discovery", change: func(c *scim.Config) { c.OpenDiscovery = true }, reason: "where the host says so, and nothing else with it", play: `
GET /ServiceProviderConfig
Authorization: ${absent}

>> 200

{"authenticationSchemes": [{"type": "oauthbearertoken"}]}

GET /Schemas
Authorization: ${absent}

>> 200

GET /Users
Authorization: ${absent}

>> 401
`},
	{ids: "7643-5-06 7643-6-06 7643-7-05", name: "discovery is readOnly", reason: "405 says what is possible", play: `
PUT /ServiceProviderConfig

{}

>> 405
Allow: GET, HEAD, OPTIONS

POST /ResourceTypes

{}

>> 405
Allow: GET, HEAD, OPTIONS

PATCH /Schemas/<User>

{}

>> 405
Allow: GET, HEAD, OPTIONS

DELETE /ResourceTypes/User

>> 405
`},
	{ids: "7643-6-01 7643-6-02 7643-6-03 7643-6-04 7643-8.7.2-01 7644-4-04", name: "resource types", reason: "they lead to endpoints and schemas", play: `
GET /ResourceTypes

>> 200

{"schemas": ["<Message>:ListResponse"], "totalResults": 4, "Resources": [
 {"schemas": ["<Core>:ResourceType"], "id": "User", "name": "User", "endpoint": "/Users", "schema": "<User>", "schemaExtensions": [{"schema": "<Enterprise>", "required": false}], "meta": {"resourceType": "ResourceType", "location": "${base}/ResourceTypes/User"}},
 {"name": "Group", "endpoint": "/Groups", "schema": "<Group>", "schemaExtensions": "${absent}"},
 {"name": "Probe", "endpoint": "/Probes", "schema": "<Probe>", "schemaExtensions": [{"schema": "<Extra>", "required": false}]},
 {"name": "Badge", "endpoint": "/Badges", "schema": "<Badge>", "schemaExtensions": [{"schema": "<Extra>", "required": true}]}]}

GET /Schemas/<Badge>

>> 200

{"id": "<Badge>"}

GET /Schemas/<Extra>

>> 200

{"id": "<Extra>"}

POST /Badges

{"schemas": ["<Badge>"], "<Extra>": {"colour": "red"}}

>> 201

{"meta": {"resourceType": "Badge"}}
`},
	{ids: "7643-7-01 7643-8.7.1-01 7644-4-02 7644-4-03", name: "schemas", reason: "all in a list, each also alone", play: `
GET /Schemas

>> 200

{"schemas": ["<Message>:ListResponse"], "totalResults": 6, "Resources": ["${set}", {"id": "<User>"}, {"id": "<Enterprise>"}, {"id": "<Group>"}, {"id": "<Probe>"}, {"id": "<Extra>"}, {"id": "<Badge>"}]}

GET /Schemas/<Probe>

>> 200

{"schemas": ["<Core>:Schema"], "id": "<Probe>", "name": "Probe", "description": "All kinds.", "meta": {"resourceType": "Schema", "location": "${base}/Schemas/<Probe>"}}

GET /Schemas/urn:nobody

>> 404

GET /ResourceTypes/User

>> 200

{"schemas": ["<Core>:ResourceType"], "name": "User"}
`},
	{ids: "7643-7-02 7643-7-03 7643-7-04", name: "attribute definitions", reason: "every characteristic is said", play: `
GET /Schemas/<Probe>

>> 200

{"attributes": ["...",
 {"name": "exact", "type": "string", "multiValued": false, "description": "The attribute exact.", "required": false, "caseExact": true, "mutability": "readWrite", "returned": "default", "uniqueness": "none"},
 {"name": "fixed", "mutability": "immutable"}, {"name": "given", "mutability": "readOnly"}, {"name": "secret", "mutability": "writeOnly"},
 {"name": "hidden", "returned": "never"}, {"name": "kept", "returned": "always"}, {"name": "long", "returned": "request"},
 {"name": "flag", "type": "boolean"}, {"name": "count", "type": "integer"}, {"name": "rate", "type": "decimal"}, {"name": "when", "type": "dateTime"},
 {"name": "blob", "type": "binary"}, {"name": "link", "type": "reference", "referenceTypes": ["uri"], "caseExact": true},
 {"name": "list", "multiValued": true}, {"name": "size", "canonicalValues": ["small", "large"]},
 {"name": "box", "type": "complex", "subAttributes": ["...", {"name": "fixed", "type": "string", "mutability": "immutable"}]}]}

GET /Schemas/<User>

>> 200

{"attributes": ["...", {"name": "userName", "required": true, "uniqueness": "server", "caseExact": false},
 {"name": "password", "mutability": "writeOnly", "returned": "never"}, {"name": "groups", "mutability": "readOnly", "subAttributes": ["...", {"name": "type", "canonicalValues": ["direct", "indirect"]}]},
 {"name": "emails", "multiValued": true, "subAttributes": ["...", {"name": "type", "canonicalValues": ["work", "home", "other"]}]},
 {"name": "photos", "subAttributes": ["...", {"name": "type", "canonicalValues": ["photo", "thumbnail"]}]}]}

GET /Schemas/<Group>

>> 200

{"attributes": ["...", {"name": "members", "mutability": "readWrite", "subAttributes": ["...",
 {"name": "value", "mutability": "immutable"}, {"name": "display", "mutability": "readOnly"}]}]}
`},
	{ids: "7644-4-05 7644-4-06", name: "parameters of discovery", reason: "ignored, but a filter must not seem to have been applied", play: `
GET /Schemas?startIndex=3&count=1&sortBy=name&sortOrder=descending

>> 200

{"totalResults": 6, "Resources": [{"id": "<User>"}, "${*}", "${*}", "${*}", "${*}", "${*}"]}

GET /ResourceTypes?count=0

>> 200

{"totalResults": 4, "Resources": ["${*}", "${*}", "${*}", "${*}"]}

GET /Schemas?filter=id eq "<User>"

>> 403

{"detail": "${re:filter}"}

GET /ServiceProviderConfig?filter=patch pr

>> 403
`},
}
