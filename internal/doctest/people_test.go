package doctest

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

// What follows, up to the end marker, is in docs/people.md.

func takingOver(store scim.Store) scim.Config {
	return scim.Config{Store: store, Rules: []scim.Rule{
		rules.AdoptByUserName,
		rules.VerifiedDomains([]string{"example.com"}),
	}}
}

// Exempt lists the accounts that no client may change.
func (s *Accounts) Exempt(_ context.Context, userIDs []string) (exempt []string, err error) {
	for _, id := range userIDs {
		if id == s.breakGlass {
			exempt = append(exempt, id)
		}
	}
	return exempt, nil
}

func (s *Accounts) Deactivate(ctx context.Context, user *scim.Resource) error {
	_, err := s.DB(ctx).ExecContext(ctx, "DELETE FROM sessions WHERE user_id = $1", user.ID())
	return err
}

func (s *Accounts) SetPassword(ctx context.Context, userID, password string) error {
	hash, err := s.hash(password)
	if err != nil {
		return err
	}
	_, err = s.DB(ctx).ExecContext(ctx, "UPDATE users SET password_hash = $1 WHERE id = $2", hash, userID)
	return err
}

func userWithCostCentre() (*scim.ResourceType, error) {
	c := scim.UserConfig()
	c.Schema.Attributes = append(c.Schema.Attributes, schema.SimpleCoreAttribute(
		schema.SimpleStringParams(schema.StringParams{Name: "costCentre", CaseExact: true})))
	return scim.NewResourceType(c) // once: resources refer to this value
}

func selfService(c *scim.Config) {
	c.Me = &scim.SelfService{
		UserOf:   func(_ context.Context, p scim.Principal) (string, error) { return p.ID, nil }, // scim.ErrNotFound: 404
		Writable: []string{"nickName", "preferredLanguage"},
	}
}

// The end of what the page shows.

// Accounts is sqlstore's Store with what the application does about people.
type Accounts struct {
	*sqlstore.Store
	breakGlass string
}

func (*Accounts) hash(password string) (string, error) {
	return strings.Repeat("#", len(password)), nil
}

// An account that was there before is adopted once; rules apply; users change themselves.
func TestPeople(t *testing.T) {
	store := memory.New()
	old, err := scim.UserType().Bind(scim.Meta{ID: "anonymous"}, nil, map[string]any{"userName": "Ann@Example.com"})
	if err == nil {
		_, err = store.Create(t.Context(), old)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := takingOver(store)
	selfService(&c)
	h := handler(t, c)
	ann := `{"userName": "ann@example.com", "externalId": "e1"}`
	if got := id(request(t, h, http.StatusCreated, "POST", "/Users", ann)); got != "anonymous" {
		t.Errorf("the new user has the id %q, want that of the account", got)
	}
	request(t, h, http.StatusConflict, "POST", "/Users", ann)
	request(t, h, http.StatusBadRequest, "POST", "/Users", `{"userName": "ann@elsewhere.test"}`)
	request(t, h, http.StatusOK, "PATCH", "/Me", `{"Operations": [{"op": "add", "path": "nickName", "value": "A"}]}`)
	request(t, h, http.StatusForbidden, "PATCH", "/Me", `{"Operations": [{"op": "add", "path": "title", "value": "Dr"}]}`)
}

// A password goes where the application keeps it, and sessions end with the user's time.
func TestAccounts(t *testing.T) {
	db := database(t, "CREATE TABLE users (id text PRIMARY KEY, email text, password_hash text, active boolean NOT NULL DEFAULT TRUE)", "CREATE TABLE sessions (user_id text)")
	table := sqlstore.Table{Type: "User", Name: "users", Key: "id", KeepID: true, Columns: []sqlstore.Column{{Name: "email", Path: "userName"}}}
	h := handler(t, scim.Config{Store: &Accounts{Store: migrated(t, db, sqlstore.Options{Tables: []sqlstore.Table{table}})}})
	ann := id(request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann", "password": "secret"}`))
	if got := rows(t, db, "SELECT password_hash FROM users"); got != "######" {
		t.Errorf("the password's hash is %q", got)
	}
	if _, err := db.Exec("INSERT INTO sessions VALUES ($1)", ann); err != nil {
		t.Fatal(err)
	}
	request(t, h, http.StatusOK, "PATCH", "/Users/"+ann, `{"Operations": [{"op": "replace", "path": "active", "value": false}]}`)
	if got := rows(t, db, "SELECT user_id FROM sessions"); got != "" {
		t.Errorf("a deactivated user has the session of %q", got)
	}
}

// An attribute of the application's own is kept and returned.
func TestCostCentre(t *testing.T) {
	user, err := userWithCostCentre()
	if err != nil {
		t.Fatal(err)
	}
	h := handler(t, scim.Config{Store: memory.New(), Types: []*scim.ResourceType{user, scim.GroupType()}})
	got := request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann", "costCentre": "9"}`).Body.String()
	if !strings.Contains(got, `"costCentre":"9"`) {
		t.Errorf("the answer is %s", got)
	}
}
