package memory_test

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

func Example() {
	ctx := context.Background()
	store := memory.New(memory.Index("name.familyName"))
	ann, err := scim.UserType().Bind(scim.Meta{ID: "1"}, nil, map[string]any{"userName": "ann", "name.familyName": "Lee"})
	if err != nil {
		panic(err)
	}
	err = store.InTx(ctx, func(ctx context.Context) error {
		if _, err := store.Create(ctx, ann); err != nil {
			return err
		}
		return store.Record(ctx, []scim.Grant{{UserID: "1", RoleID: "editor", Source: "group:7"}}, nil)
	})
	if err != nil {
		panic(err)
	}
	f, err := scim.ParseFilter(scim.UserType(), `name.familyName eq "LEE"`)
	if err != nil {
		panic(err)
	}
	page, err := store.List(ctx, scim.UserType(), &scim.Query{Filter: f, Limit: 10})
	if err != nil {
		panic(err)
	}
	fmt.Println(page.Total, page.Resources[0].String("userName"))
	// Output: 1 ann
}

func ExampleNewLedger() {
	// The ledger beside a Store of your own, in tests of your RoleResolver.
	ctx := context.Background()
	ledger := memory.NewLedger()
	if err := ledger.Record(ctx, []scim.Grant{{UserID: "1", RoleID: "editor", Source: "group:7"}}, nil); err != nil {
		panic(err)
	}
	grants, err := ledger.Grants(ctx, []string{"1"})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(grants), grants[0].RoleID)
	// Output: 1 editor
}
