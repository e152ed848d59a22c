package tenants_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/tenants"
)

const newUser = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann"}`

// Each tenant finds in the journal what its own client sent, with the changes, and nothing of another tenant.
func TestJournal(t *testing.T) {
	for _, tt := range []struct {
		name, address, acme, beta string
		app                       *application
		tenants                   []string
	}{
		{"by host", "{tenant}.example.com/scim/v2", "http://acme.example.com/scim/v2/Users", "http://beta.example.com/scim/v2/Users", newApplication(), []string{"t-acme", "t-beta"}},
		{"by path", "/customers/{tenant}/scim/v2", "http://x/customers/acme/scim/v2/Users", "http://x/customers/beta/scim/v2/Users", newApplication(), []string{"t-acme", "t-beta"}},
		{"by token", "/scim/v2", "http://x/scim/v2/Users", "http://x/scim/v2/Users", byToken(), []string{"acme", "beta"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j, err := journal.New(journal.NewMemory(1<<20), journal.Options{Keys: journal.NewEphemeralKeys()})
			if err != nil {
				t.Fatal(err)
			}
			h, err := tenants.New(tenants.Options{Address: tt.address, Settings: tt.app, Journal: j}, scim.Config{Auth: tokensOf(tt.tenants...)})
			if err != nil {
				t.Fatal(err)
			}
			served := h.Mount(appNotFound)
			sendTo(t, served, "POST", tt.acme, tt.tenants[0]+"-secret", newUser)
			sendTo(t, served, "POST", tt.beta, tt.tenants[1]+"-secret", newUser)
			sendTo(t, served, "POST", tt.beta, tt.tenants[1]+"-secret", newUser)
			sendTo(t, served, "POST", "http://other/page", "", "a form of the application")
			if err := j.Close(t.Context()); err != nil { // it writes the queue
				t.Fatal(err)
			}
			got := map[string][]int{}
			for _, tenant := range append([]string{""}, tt.tenants...) {
				all, err := j.Find(t.Context(), journal.Query{Tenant: tenant})
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range all {
					got[tenant] = append(got[tenant], e.Status)
					if e.Status == http.StatusCreated && len(e.Detail.Changes) != 1 {
						t.Errorf("%s: the entry has the changes %+v", tenant, e.Detail.Changes)
					}
				}
			}
			if diff := cmp.Diff(map[string][]int{tt.tenants[0]: {201}, tt.tenants[1]: {409, 201}}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Journal.Config of a Config without tenants is for scim.New. The error says what to do instead.
func TestJournalGivenTwice(t *testing.T) {
	j, err := journal.New(journal.NewMemory(1<<20), journal.Options{Keys: journal.NewEphemeralKeys()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = tenants.New(tenants.Options{Address: "/scim/v2", Settings: byToken(), Journal: j}, j.Config(scim.Config{Auth: tokensOf("acme")}))
	if err == nil || !strings.Contains(err.Error(), "as Options.Journal") || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
}
