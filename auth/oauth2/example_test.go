package oauth2_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/oauth2"
)

func ExampleJWT() {
	a, err := oauth2.JWT(oauth2.Issuer{
		URL:       "https://example.okta.com/oauth2/default",
		Keys:      "https://example.okta.com/oauth2/default/v1/keys",
		Audiences: []string{"https://app.example.com/scim"},
		Scope:     "scim",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("GET", "/scim/v2/Users", nil)
	r.Header.Set("Authorization", "Bearer not.a.token")
	_, err = a.Authenticate(r)
	fmt.Println(err)

	_, err = oauth2.JWT(oauth2.Issuer{URL: "https://example.okta.com/oauth2/default"})
	fmt.Println(err)
	// Output:
	// scim: Unauthorized: send a valid token in the Authorization header: the token is no signed JWT, or has a signature of a kind that is never allowed
	// oauth2: issuer "https://example.okta.com/oauth2/default": Keys is "", want an address with https
}

func ExampleJWTFunc() {
	// Stands for a table in which each tenant has its own authorization server.
	table := map[string]oauth2.Issuer{"https://id.acme.example": {
		URL: "https://id.acme.example", Keys: "https://id.acme.example/keys",
		Audiences: []string{"https://app.example.com/scim"}, Tenant: "acme",
	}}
	a := oauth2.JWTFunc(func(_ context.Context, url string) (oauth2.Issuer, error) {
		i, ok := table[url]
		if !ok {
			return oauth2.Issuer{}, scim.ErrNotFound
		}
		return i, nil
	})
	_, err := a.Authenticate(httptest.NewRequest("GET", "/scim/v2/Users", nil))
	fmt.Println(err)
	// Output: scim: Unauthorized: send a valid token in the Authorization header: no usable Authorization header
}

func ExampleEntra() {
	// Stands for a table of the directories that administrators entered.
	table := map[string]string{"0b5c8f0e-5d4e-4a55-9a59-1f2c6a2f3c11": "acme"}
	a := oauth2.Entra(oauth2.EntraCustomApp, func(_ context.Context, directory string) (string, error) {
		return table[directory], nil // "" for an unknown directory: 401
	})
	fmt.Println(a.Challenge())
	// Output: Bearer realm="scim"
}

func ExampleIntrospect() {
	_, err := oauth2.Introspect(oauth2.Endpoint{
		URL: "http://id.example.com/introspect", ClientID: "scim", ClientSecret: "secret",
	}, oauth2.Issuer{Audiences: []string{"https://app.example.com/scim"}, Scope: "scim"})
	fmt.Println(err)
	// Output: oauth2: the introspection endpoint is "http://id.example.com/introspect", want an address with https
}
