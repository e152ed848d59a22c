package signin_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/signin"
	"github.com/scimkit/scim/store/memory"
)

func ExamplePeople_SignIn() {
	ctx, store := context.Background(), memory.New()
	ann, err := signin.UserType().Bind(scim.Meta{ID: "1"}, nil, map[string]any{"userName": "ann@acme.com", "externalId": "00u1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := store.Create(ctx, ann); err != nil {
		fmt.Println(err)
		return
	}
	people, err := signin.New(signin.Options{Store: store, Issuers: []signin.Issuer{signin.Okta("https://acme.okta.com")}})
	if err != nil {
		fmt.Println(err)
		return
	}
	person, err := people.SignIn(ctx, "https://acme.okta.com", "00u1", nil)
	fmt.Println(person.User.ID(), person.IsFirst, err)
	_, err = people.SignIn(ctx, "https://evil.okta.com", "00u1", nil)
	fmt.Println(errors.Is(err, signin.ErrOtherTenant))
	// Output:
	// 1 true <nil>
	// true
}
