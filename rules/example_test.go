package rules_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/store/memory"
)

// ask sends one request to an application with rules and prints the status and the answer's
// detail or userName.
func ask(list []scim.Rule, method, path, body string) {
	h, err := scim.New(scim.Config{Store: memory.New(), Auth: auth.None(), Rules: list, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		fmt.Println(err)
		return
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(method, path, strings.NewReader(body)))
	_, detail, _ := strings.Cut(rec.Body.String(), `"detail":"`)
	detail, _, _ = strings.Cut(detail, `"`)
	fmt.Println(rec.Code, http.StatusText(rec.Code), detail)
}

func Example() {
	list := []scim.Rule{
		rules.AdoptByExternalID, // first: others look at the adopted account
		rules.AdoptByUserName,
		rules.AdoptGroupByName,
		rules.EmailUserName,
		rules.VerifiedDomains([]string{"example.com"}),
		rules.FreezeUserName,
		rules.Unique("User", "externalId"),
		rules.Unique("Group", "displayName"),
		rules.DropPasswords,
	}
	ask(list, "POST", "/Users", `{"userName": "ann"}`)
	ask(list, "POST", "/Users", `{"userName": "ann@elsewhere.test"}`)
	ask(list, "POST", "/Users", `{"userName": "ann@example.com"}`)
	// Output:
	// 400 Bad Request userName: must be an e-mail address, such as ann@example.com
	// 400 Bad Request userName: needs an address in a verified domain: example.com
	// 201 Created
}

func ExampleVerifiedDomains() {
	list := []scim.Rule{rules.VerifiedDomains([]string{"example.com", "example.org"}, "userName", "emails.value")}
	ask(list, "POST", "/Users", `{"userName": "ann@example.org", "emails": [{"value": "boss@elsewhere.test"}]}`)
	// Output: 400 Bad Request emails.value: needs an address in a verified domain: example.com, example.org
}

func ExampleOff() {
	ask([]scim.Rule{rules.Off(rules.CreateUsers)}, "POST", "/Users", `{"userName": "ann"}`)
	// Output: 403 Forbidden the action is switched off here: create users
}

func ExampleProtectGroups() {
	isAdmins := func(g *scim.Resource) bool { return scim.Fold(g.String("displayName")) == "administrators" }
	ask([]scim.Rule{rules.ProtectGroups(isAdmins)}, "POST", "/Groups", `{"displayName": "Administrators"}`)
	// Output: 403 Forbidden displayName: a group like this is protected: clients cannot create it
}

func ExampleAdoptByEmail() {
	verified := map[string]string{"7": "ann@example.com"} // by account
	list := []scim.Rule{rules.AdoptByEmail(func(_ context.Context, account *scim.Resource, email string) (bool, error) {
		return scim.Fold(verified[account.ID()]) == scim.Fold(email), nil
	})}
	ask(list, "POST", "/Users", `{"userName": "ann", "emails": [{"value": "ann@example.com"}]}`)
	// Output: 201 Created
}

func ExampleNewAccount() {
	list := []scim.Rule{rules.EmailUserName, rules.NewAccount(func(_ context.Context, before, after *scim.Resource) error {
		// UPDATE accounts SET active = FALSE WHERE id = (the account of before.ID())
		// INSERT INTO accounts (email) VALUES (after.String("userName"))
		// UPDATE scim_accounts SET account_id = (the new one) WHERE scim_id = before.ID()
		return nil
	})}
	ask(list, "POST", "/Users", `{"userName": "ann@example.com"}`)
	// Output: 201 Created
}
