package journal_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
)

func Example() {
	j, err := journal.New(journal.NewMemory(16<<20), journal.Options{Keys: journal.NewEphemeralKeys()})
	if err != nil {
		panic(err)
	}
	h, err := scim.New(j.Config(scim.Config{Store: memory.New(), Auth: auth.None()}))
	if err != nil {
		panic(err)
	}
	served := j.Handler(h) // mount this one
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go j.Run(ctx) //nolint:errcheck // Close waits for it

	r := httptest.NewRequest("POST", "/Users", strings.NewReader(
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann","password":"hunter2"}`))
	r.Header.Set("Content-Type", "application/scim+json")
	served.ServeHTTP(httptest.NewRecorder(), r)

	if err := j.Close(ctx); err != nil { // when the server has stopped
		panic(err)
	}
	all, err := j.Find(ctx, journal.Query{Person: "Ann"})
	if err != nil {
		panic(err)
	}
	e, err := j.Get(ctx, "", all[0].ID)
	if err != nil {
		panic(err)
	}
	fmt.Println(e.Method, e.Status, e.Events)
	fmt.Println(e.Request.Text)
	// Output:
	// POST 201 [user provisioned]
	// {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann","password":"[redacted]"}
}

// A journal in files, for an application without a database.
func ExampleOpenLines() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is only an example
	store, err := journal.OpenLines(dir, journal.LinesOptions{FileSize: 16 << 20})
	if err != nil {
		log.Fatal(err) // another process has the directory open
	}
	defer store.Close()                                                             //nolint:errcheck // Journal.Close has written everything
	j, err := journal.New(store, journal.Options{Keys: journal.NewEphemeralKeys()}) // use NewKeys: these end with the process
	if err != nil {
		log.Fatal(err)
	}
	all, err := j.Find(context.Background(), journal.Query{})
	fmt.Println(len(all), err)
	// Output: 0 <nil>
}
