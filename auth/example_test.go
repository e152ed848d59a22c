package auth_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http/httptest"
	"os"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
)

func ExampleBearer() {
	// Two tokens while the client changes from the old one to the new one.
	a := auth.Bearer(
		auth.TokenOf(os.Getenv("SCIM_TOKEN")),
		auth.TokenOf(os.Getenv("SCIM_TOKEN_OLD")),
	)
	_, err := a.Authenticate(httptest.NewRequest("GET", "/scim/v2/Users", nil))
	fmt.Println(err)
	// Output: scim: Unauthorized: send valid credentials in the Authorization header: no usable Authorization header
}

func ExampleBearerFunc() {
	secret, t := auth.NewToken()
	t.ID, t.Tenant = "okta", "acme"
	table := map[[sha256.Size]byte]auth.Token{t.Hash: t} // stands for the application's database

	a := auth.BearerFunc(func(_ context.Context, hash [sha256.Size]byte) (auth.Token, error) {
		t, ok := table[hash]
		if !ok {
			return auth.Token{}, scim.ErrNotFound
		}
		return t, nil
	})
	a.Used = func(_ context.Context, t auth.Token, _ time.Time) { fmt.Println("used:", t.ID) }

	r := httptest.NewRequest("GET", "/scim/v2/Users", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	p, err := a.Authenticate(r)
	fmt.Println(p.ID, p.Tenant, err)
	// Output:
	// used: okta
	// okta acme <nil>
}

func ExampleNewToken() {
	secret, t := auth.NewToken()
	t.ID, t.Expires = "entra", time.Now().AddDate(1, 0, 0)
	fmt.Println(len(secret), "characters to show once; to keep:", t.ID, len(t.Hash), "bytes of hash")
	// Output: 43 characters to show once; to keep: entra 32 bytes of hash
}

func ExampleToken() {
	t := auth.TokenOf("correct horse battery staple")
	fmt.Println(t.ID)
	// Output: token-c4bbcb1f
}

func ExampleNone() {
	p, err := auth.None().Authenticate(httptest.NewRequest("GET", "/scim/v2/Users", nil))
	fmt.Println(p.ID, err)
	// Output: anonymous <nil>
}
