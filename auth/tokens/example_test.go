package tokens_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"github.com/scimkit/scim/auth/tokens"
)

func Example() {
	ctx := context.Background()
	all, err := tokens.New(tokens.NewMemory(), tokens.Options{Scopes: []string{"users", "groups"}})
	if err != nil {
		log.Fatal(err)
	}
	acme := all.Tenant("acme") // that of the administrator who looks at the page

	secret, t, err := acme.Issue(ctx, tokens.Request{Label: "Okta", Maker: "ann", Scopes: []string{"users"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("show once:", len(secret), "characters; keep:", t.Label, t.Prefix+"…", t.Scopes)

	next, _, err := acme.Rotate(ctx, t.ID, tokens.Rotation{Overlap: time.Hour, Maker: "bob"})
	if err != nil {
		log.Fatal(err)
	}
	list, err := acme.List(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range list {
		fmt.Println(t.Label, "made by", t.Maker, "ends:", !t.Expires.IsZero())
	}

	r := httptest.NewRequest("GET", "/scim/v2/Users", nil)
	r.Header.Set("Authorization", "Bearer "+next)
	p, err := all.Authenticate(r)
	fmt.Println(p.Tenant, p.Scopes, p.ID == t.Client, err)
	// Output:
	// show once: 41 characters; keep: Okta scim_… [users]
	// Okta made by bob ends: false
	// Okta made by ann ends: true
	// acme [users] true <nil>
}
