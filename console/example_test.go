package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
)

func Example() {
	all, err := tokens.New(tokens.NewMemory(), tokens.Options{})
	if err != nil {
		panic(err)
	}
	j, err := journal.New(journal.NewMemory(16<<20), journal.Options{Keys: journal.NewEphemeralKeys()})
	if err != nil {
		panic(err)
	}
	c, err := console.New(console.Options{
		Authorize: func(*http.Request) (console.Viewer, error) { // as the application's log-in says
			return console.Viewer{ID: "ann@example.com", Tenants: []string{""}, May: console.May{Tokens: true}}, nil
		},
		Tenant: func(context.Context, string) (console.Tenant, error) {
			return console.Tenant{Name: "Acme", Address: "https://app.example.com/scim/v2", Tokens: all.Tenant("")}, nil
		},
		Journal: j,
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/provisioning/", http.StripPrefix("/provisioning", c))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/provisioning/connection", nil))
	fmt.Println(w.Code, w.Header().Get("X-Frame-Options"))
	// Output: 200 DENY
}
