// Package wire has the names in requests and answers: the media type, and the URNs of
// messages and of discovery documents (RFC 7643, Section 10; RFC 7644, Section 8).
package wire

// ContentType is the media type of SCIM.
const ContentType = "application/scim+json"

const (
	Error         = "urn:ietf:params:scim:api:messages:2.0:Error"
	ListResponse  = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	SearchRequest = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	PatchOp       = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	BulkRequest   = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	BulkResponse  = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

// The schemas of the discovery documents.
const (
	ServiceProviderConfig = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	ResourceType          = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	Schema                = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

// User is the core schema of users.
const User = "urn:ietf:params:scim:schemas:core:2.0:User"
