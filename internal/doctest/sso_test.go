package doctest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/signin"
	"github.com/scimkit/scim/store/sqlstore"
)

// What follows, up to the end marker, is in docs/sso.md.

// peopleOf makes the People of a tenant. Give signin.UserType to the store and to the handler.
func peopleOf(store *sqlstore.Store, issuers ...signin.Issuer) (*signin.People, error) {
	return signin.New(signin.Options{
		Store:   store,
		Issuers: issuers, // such as signin.Okta("https://acme.okta.com")
		Session: func(ctx context.Context, user *scim.Resource) error {
			_, err := store.DB(ctx).ExecContext(ctx, "INSERT INTO sessions (user_id) VALUES (?)", user.ID())
			return err
		},
	})
}

// callback is what runs after your OpenID Connect library has verified an ID token.
func callback(ctx context.Context, people *signin.People, issuer, subject string, claims map[string]any) (userID string, err error) {
	person, err := people.SignIn(ctx, issuer, subject, claims)
	switch {
	case errors.Is(err, signin.ErrInactive), errors.Is(err, signin.ErrUnknown), errors.Is(err, signin.ErrOtherTenant),
		errors.Is(err, signin.ErrAmbiguous), errors.Is(err, signin.ErrUnverified), errors.Is(err, signin.ErrOtherPerson), errors.Is(err, signin.ErrClaims):
		slog.WarnContext(ctx, "sign-in refused", "issuer", issuer, "reason", err) // for administrators
		return "", errNoAccess
	case err != nil:
		return "", err
	}
	return person.User.ID(), nil
}

// errNoAccess does not say why, because the reason tells who has an account.
var errNoAccess = errors.New("you have no access: ask your administrator")

// The end of what the page shows.

// A person whom Okta has provisioned signs in, and somebody else does not.
func TestSignInPage(t *testing.T) {
	db := database(t, "CREATE TABLE sessions (user_id text NOT NULL)")
	types := []*scim.ResourceType{signin.UserType(), scim.GroupType()}
	store, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{Types: types})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := handler(t, scim.Config{Store: store, Types: types})
	ann := id(request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann@acme.com", "externalId": "00u1"}`))
	const okta = "https://acme.okta.com"
	people, err := peopleOf(store, signin.Okta(okta))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := callback(t.Context(), people, okta, "00u1", map[string]any{}); got != ann || err != nil {
		t.Errorf("%q signs in, error %v", got, err)
	}
	if got, err := callback(t.Context(), people, okta, "00u2", map[string]any{"preferred_username": "ann@acme.com"}); got != "" || !errors.Is(err, errNoAccess) {
		t.Errorf("%q signs in, error %v", got, err)
	}
	if got := rows(t, db, "SELECT user_id FROM sessions"); got != ann {
		t.Errorf("sessions of %q", got)
	}
}
