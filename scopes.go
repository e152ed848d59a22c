package scim

// Scopes are words in Principal.Scopes. They say what a client may read and write, whatever
// the route: with ScopeUsers it has users, and with ScopeGroups groups. A type of your own has
// as its scope the name of its endpoint in lower case: "devices" for /Devices. Nil scopes open
// everything, and an empty list nothing but the descriptions of the endpoint (/Schemas and
// the like). Tenant.Allow can refuse more. It gives a meaning to words of your own.
//
// Scopes belong to attributes too. Without ScopeGroups a client does not see User.groups, nor
// the attributes in Roles.Attributes, because they give roles as groups do:
//
//   - Answers leave them out, and filters and sortBy that name them are refused (403).
//   - A PUT without them keeps them. A POST, PUT or PATCH that sets one of Roles.Attributes is
//     refused (403), even if it sets the stored value. In a bulk request only this operation
//     fails. A deactivation succeeds, and the attributes keep their values.
//   - With Roles.Attributes, a user's ETag is a hash of what the client can see. Answers have
//     no meta.lastModified, and filters and sortBy cannot name it, because it tells when a
//     hidden value changed.
//
// Without ScopeUsers a client sees the ids of a group's members, and not their names.
//
// The same holds for a client that Tenant.Allow keeps from listing groups (OpList), and if it
// also keeps the client from changing them, for writes.
const (
	ScopeUsers  = "users"
	ScopeGroups = "groups"
)
