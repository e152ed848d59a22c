package signin

import (
	"sync"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim"
)

const (
	// URN is the schema of Extension.
	URN = "urn:scimkit:params:scim:schemas:extension:signin:2.0:User"
	// SubjectPath is the attribute that keeps issuer and subject of a person, with a space between them.
	SubjectPath = URN + ":subject"
)

// Extension is the schema with the attribute subject. Add it to scim.TypeConfig.Extensions of your
// type of users. SignIn writes the attribute once. Clients cannot set it, and read it only if they ask for it.
func Extension() schema.Schema {
	return schema.Schema{
		ID: URN, Name: optional.NewString("Sign-in"), Description: optional.NewString("The subject by which the user signs in"),
		Attributes: schema.Attributes{schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{
			Name: "subject", Description: optional.NewString("Issuer and subject of the user's ID tokens"), CaseExact: true,
			Mutability: schema.AttributeMutabilityReadOnly(), Returned: schema.AttributeReturnedRequest(),
		}))},
	}
}

var userType = sync.OnceValues(func() (*scim.ResourceType, error) {
	c := scim.UserConfig()
	c.Extensions = append(c.Extensions, Extension())
	return scim.NewResourceType(c)
})

// UserType returns scim.UserType with Extension: the same pointer each time. Put it into
// scim.Config.Types, beside scim.GroupType.
func UserType() *scim.ResourceType {
	t, err := userType()
	if err != nil {
		panic(err) // the type is valid: a test compiles it
	}
	return t
}

// Okta returns the issuer of an Okta organisation or of one of its authorization servers. Okta
// provisions its own user id as externalId, and has it in the claim sub of ID tokens.
func Okta(issuer string) Issuer {
	return Issuer{Name: issuer, Match: []Match{{"sub", "externalId"}, {"preferred_username", "userName"}}}
}

// Entra returns the issuer of a Microsoft Entra tenant (directory id). The claim oid identifies the
// person, because sub is another one in each application (pairwise). Map objectId to externalId in
// the provisioning. Addresses count for nothing: people can set them themselves.
func Entra(tenantID string) Issuer {
	return Issuer{Name: "https://login.microsoftonline.com/" + tenantID + "/v2.0", Subject: "oid",
		Require: map[string]string{"tid": tenantID}, Match: []Match{{"oid", "externalId"}}}
}

// Google returns the issuer of a Google Workspace with this primary domain. All of Google has one
// issuer, so the claim hd must name the domain. Google provisions the address as userName.
func Google(domain string) Issuer {
	return Issuer{Name: "https://accounts.google.com", Require: map[string]string{"hd": domain}, Match: []Match{{"email", "userName"}}}
}

// Keycloak returns the issuer of a Keycloak realm. Its SCIM clients provision the user id as
// externalId, and sub is the user id. With a pairwise mapper sub is another text: leave the first Match
// out then. The user name finds the person at the first sign-in, so let nobody change it in the realm.
func Keycloak(issuer string) Issuer {
	return Issuer{Name: issuer, Match: []Match{{"sub", "externalId"}, {"preferred_username", "userName"}}}
}
