package console

// guide says in few words how to connect an identity provider.
type guide struct {
	Name  string
	Steps []string
	Know  string
}

// guides are the steps of docs/identity-providers.md, for administrators.
func guides() []guide {
	return []guide{
		{"Okta", []string{
			"Open your application in Okta. Under General choose SCIM as provisioning.",
			"Under Provisioning › Integration enter the address as base URL, and userName as unique identifier field.",
			"Choose Push New Users, Push Profile Updates and Push Groups. As authentication choose HTTP Header and enter the token.",
			"Test the connector. Then under To App switch on create, update and deactivate.",
			"Assign people, and under Push Groups the groups that stand for roles.",
		}, "Okta never deletes people: it deactivates them."},
		{"Microsoft Entra ID", []string{
			"Open your enterprise application. Under Provisioning choose the mode Automatic.",
			"Enter the address as tenant URL and the token as secret token. Test the connection.",
			"Assign people and groups. Start the provisioning.",
		}, "A cycle takes about 40 minutes. Provision on demand shows one person at once."},
		{"Google Workspace", []string{
			"Open your SAML application under Web and mobile apps. Choose Autoprovisioning.",
			"Enter the address as endpoint URL, and the token as access token.",
			"Map the attributes, and switch autoprovisioning on.",
		}, "Google sends people only, no groups."},
		{"Keycloak (keycloak-scim)", []string{
			"Add a user federation provider of the kind scim.",
			"Enter the address as endpoint. Choose the content type application/scim+json and the auth mode BEARER, and enter the token.",
			"Under Realm settings › Events enable the event listener scim.",
		}, "It creates people once their e-mail address is verified."},
		{"JumpCloud", []string{
			"Add a custom SCIM integration, version 2.0.",
			"Enter the address as base URL, the token as token key, and an e-mail address for the test.",
			"Activate. It creates a test person and a test group, and deletes both.",
		}, ""},
		{"OneLogin", []string{
			"Add SCIM Provisioner with SAML (SCIM v2).",
			"Enter the address as SCIM base URL, the token as SCIM bearer token, and Content-Type: application/scim+json as custom header.",
			"Under Provisioning switch it on, and choose what happens to deleted people.",
		}, "Each change may wait for an approval in OneLogin."},
		{"Another one", []string{
			"Enter the address as SCIM 2.0 base URL.",
			"Choose bearer token, or HTTP header, as authentication. Enter the token.",
			"Use userName to match people, and displayName to match groups.",
		}, ""},
	}
}
