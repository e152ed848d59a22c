package doctest

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/rules/phone"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

// What follows, up to the end marker, is in docs/rules.md.

// tenantRules makes the rules of a tenant from what its administrators have set.
func tenantRules(s Settings) []scim.Rule {
	list := []scim.Rule{rules.AdoptByUserName, rules.Off(s.Off...), rules.EmailUserName, rules.VerifiedDomains(s.Domains)}
	if s.SingleSignOn {
		list = append(list, rules.DropPasswords)
	}
	return list
}

// move makes a SCIM user stand for the account of its new address.
func (a *Addresses) move(ctx context.Context, before, after *scim.Resource) error {
	db, email := a.store.DB(ctx), after.String("userName") // in the transaction of the request
	var isTaken bool
	err := db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM accounts WHERE email = $1)", email).Scan(&isTaken)
	if err != nil {
		return err
	}
	if isTaken { // or make the user stand for it, if the client may take it over
		return scim.Conflict("userName")
	}
	if _, err := db.ExecContext(ctx, "UPDATE accounts SET active = FALSE WHERE id = (SELECT account_id FROM scim_accounts WHERE user_id = $1)", before.ID()); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO accounts (id, email) VALUES ($1, $2)", uuid.NewString(), email); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "UPDATE scim_accounts SET account_id = (SELECT id FROM accounts WHERE email = $1) WHERE user_id = $2", email, before.ID())
	return err
}

// numberForCodes is where the application sends a user's login codes; "" if there is none.
func numberForCodes(user *scim.Resource) string {
	for _, n := range phone.Numbers(user, "US") { // "US": for numbers without a country code
		if n.Primary || n.Type == "mobile" {
			return n.E164
		}
	}
	return ""
}

// noContractors refuses a kind of users that the application does not take.
func noContractors(_ context.Context, c *scim.Change) error {
	isContractor := func(r *scim.Resource) bool { return r != nil && r.String("userType") == "Contractor" }
	if isContractor(c.Before) || !isContractor(c.After) {
		return nil // only changes are judged
	}
	const detail = "userType: contractors are not taken here"
	if c.Before == nil || c.After.Active() {
		return &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Detail: detail}
	}
	after, err := c.After.With(map[string]any{"userType": c.Before.Get("userType")}) // taking away never waits
	c.After, c.Left = after, append(c.Left, detail)
	return err
}

// The end of what the page shows.

// Settings are what administrators of a tenant have set.
type Settings struct {
	Off          []rules.Action
	Domains      []string
	SingleSignOn bool
}

// Addresses is an application in which an account is an address.
type Addresses struct{ store *sqlstore.Store }

// Settings become rules; an own rule keeps to the readings; a number is derived.
func TestRules(t *testing.T) {
	store := memory.New()
	h := handler(t, scim.Config{Store: store, Rules: append(tenantRules(Settings{Domains: []string{"example.com"}, SingleSignOn: true}), noContractors)})
	for body, reason := range map[string]string{
		`{"userName": "ann"}`:                                       "it is no address",
		`{"userName": "ann@elsewhere.test"}`:                        "the domain is not verified",
		`{"userName": "ann@example.com", "userType": "Contractor"}`: "contractors are not taken",
	} {
		if got := request(t, h, http.StatusBadRequest, "POST", "/Users", body).Body.String(); !strings.Contains(got, "invalidValue") {
			t.Errorf("%s: %s", reason, got)
		}
	}
	ann := id(request(t, h, http.StatusCreated, "POST", "/Users",
		`{"userName": "ann@example.com", "password": "x", "phoneNumbers": [{"value": "none"}, {"value": "(201) 555-0123", "type": "mobile"}]}`))
	request(t, h, http.StatusBadRequest, "PATCH", "/Users/"+ann, `{"Operations": [{"op": "add", "path": "userType", "value": "Contractor"}]}`)
	user, err := store.Get(t.Context(), scim.Ref{Type: "User", ID: ann})
	if err != nil || numberForCodes(user) != "+12015550123" {
		t.Errorf("the number is %q, %v", numberForCodes(user), err)
	}
	got := request(t, h, http.StatusOK, "PUT", "/Users/"+ann, `{"userName": "ann@elsewhere.test", "userType": "Contractor", "active": false}`).Body.String()
	if strings.Contains(got, "elsewhere") || strings.Contains(got, "Contractor") || !strings.Contains(got, `"active":false`) {
		t.Errorf("the leaver is %s", got)
	}
	off := handler(t, scim.Config{Store: store, Rules: tenantRules(Settings{Off: []rules.Action{rules.CreateUsers}})})
	request(t, off, http.StatusForbidden, "POST", "/Users", `{"userName": "bob@example.com"}`)
}

// A new address is a new account, also in the application's tables.
func TestNewAddress(t *testing.T) {
	db := database(t, "CREATE TABLE accounts (id text PRIMARY KEY, email text NOT NULL UNIQUE, active boolean NOT NULL DEFAULT TRUE)",
		"CREATE TABLE scim_accounts (user_id text PRIMARY KEY, account_id text NOT NULL REFERENCES accounts)")
	a := &Addresses{migrated(t, db, sqlstore.Options{})}
	h := handler(t, scim.Config{Store: a.store, Rules: []scim.Rule{rules.NewAccount(a.move)}})
	ann := id(request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann@example.com"}`))
	for _, row := range []string{"INSERT INTO accounts (id, email) VALUES ('a', 'ann@example.com'), ('b', 'bob@example.com')",
		"INSERT INTO scim_accounts VALUES ('" + ann + "', 'a')"} {
		if _, err := db.Exec(row); err != nil {
			t.Fatal(err)
		}
	}
	request(t, h, http.StatusConflict, "PUT", "/Users/"+ann, `{"userName": "bob@example.com"}`)
	request(t, h, http.StatusOK, "PUT", "/Users/"+ann, `{"userName": "ann@example.org"}`)
	if got := rows(t, db, "SELECT email FROM accounts WHERE active ORDER BY email"); !strings.Contains(got, "ann@example.org") || strings.Contains(got, "ann@example.com") {
		t.Errorf("active accounts: %s", got)
	}
	if got := rows(t, db, "SELECT a.email FROM accounts a JOIN scim_accounts s ON s.account_id = a.id"); got != "ann@example.org" {
		t.Errorf("the user's account is %s", got)
	}
}

// Rules also adopt rows of the application's tables that clients can find.
func TestRulesOverTables(t *testing.T) {
	db := database(t, "CREATE TABLE users (id text PRIMARY KEY, email text)", "INSERT INTO users VALUES ('a', 'ann@example.com')",
		"CREATE TABLE teams (id text PRIMARY KEY, name text)", "INSERT INTO teams VALUES ('t', 'Ops')")
	table := func(typ, name, column, path string) sqlstore.Table {
		return sqlstore.Table{Type: typ, Name: name, Key: "id", KeepID: true, Unclaimed: sqlstore.FindUnclaimed, Columns: []sqlstore.Column{{Name: column, Path: path}}}
	}
	s := migrated(t, db, sqlstore.Options{Tables: []sqlstore.Table{table("User", "users", "email", "userName"), table("Group", "teams", "name", "displayName")}})
	h := handler(t, scim.Config{Store: s, Rules: []scim.Rule{rules.AdoptByUserName, rules.AdoptGroupByName, rules.Unique("Group", "displayName")}})
	for path, body := range map[string]string{"/Users": `{"userName": "ann@example.com"}`, "/Groups": `{"displayName": "Ops"}`} {
		if got := id(request(t, h, http.StatusCreated, "POST", path, body)); got != "a" && got != "t" {
			t.Errorf("POST %s: the id is %s", path, got)
		}
		request(t, h, http.StatusConflict, "POST", path, body)
	}
}
