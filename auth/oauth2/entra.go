package oauth2

import (
	"context"
	"regexp"

	"github.com/scimkit/scim"
)

// EntraCustomApp is the audience of the tokens that Microsoft Entra sends to every
// application outside its gallery, of all customers.
const EntraCustomApp = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"

// entraProvisioning is the application id of Entra's provisioning service, the same in all
// directories. No other client may use its tokens' audience here.
const entraProvisioning = "00000014-0000-0000-c000-000000000000"

var entraIssuer = regexp.MustCompile(`^https://sts\.windows\.net/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/$`)

// Entra authenticates by the tokens that Microsoft Entra's provisioning service makes by
// itself, if the administrator leaves the secret token empty. The audience is
// EntraCustomApp, or the template id of an application in Entra's gallery.
//
// tenantOf returns the tenant whose administrator entered this directory id (Entra calls it
// tenant id; in lower case). All directories have the same audience and the same keys, so
// only tenantOf tells customers apart. If it returns scim.ErrNotFound or "", the client
// gets 401. Any other error is as with JWTFunc. An application with one tenant compares
// the directory with its own, and returns any name.
//
// The token proves that the directory's provisioning service sends the request, and not for
// which application: with EntraCustomApp, any other application outside the gallery that
// the customer provisions in this way gets the same kind of token, and could send it here.
// Microsoft says that these tokens are for tests. A token of package auth has no such
// weakness.
//
// The tokens have no scopes. scim.Principal.Scopes are scim.ScopeUsers and scim.ScopeGroups;
// Auth.Principal can change that.
func Entra(audience string, tenantOf func(ctx context.Context, directory string) (tenant string, err error)) *Auth {
	return JWTFunc(func(ctx context.Context, url string) (Issuer, error) {
		m := entraIssuer.FindStringSubmatch(url)
		if m == nil {
			return Issuer{}, scim.ErrNotFound
		}
		tenant, err := tenantOf(ctx, m[1])
		if err != nil || tenant == "" {
			return Issuer{}, err
		}
		return Issuer{
			URL: url, Keys: "https://login.microsoftonline.com/common/discovery/keys",
			Audiences: []string{audience}, Clients: []string{entraProvisioning},
			Claims: map[string]string{"tid": m[1]}, Tenant: tenant, gives: []string{scim.ScopeUsers, scim.ScopeGroups},
		}, nil
	})
}
