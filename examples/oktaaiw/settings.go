package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/scimkit/scim"

	"github.com/scimkit/scim/examples/internal/page"
)

// settings are what an administrator chooses, here and in Okta. They count from the next request on.
type settings struct {
	Base  string // Base is the path of the endpoint.
	Field string // Field is the unique identifier field for users.
	on    map[string]bool
}

// The switches of the administrator, by their columns. The first four are Okta's provisioning actions.
const (
	importUsers = "import_users"
	pushUsers   = "push_users"
	pushUpdates = "push_updates"
	pushGroups  = "push_groups"
	basicMode   = "basic"
	headerMode  = "header"
	oauthMode   = "oauth"
)

// switches has the name of each switch, as Okta shows it.
var switches = []struct{ column, name string }{
	{importUsers, "Import New Users and Profile Updates"}, {pushUsers, "Push New Users"},
	{pushUpdates, "Push Profile Updates"}, {pushGroups, "Push Groups"},
	{basicMode, "Basic Auth"}, {headerMode, "HTTP Header"}, {oauthMode, "OAuth 2"},
}

func nameOf(column string) string {
	for _, x := range switches {
		if x.column == column {
			return x.name
		}
	}
	return column
}

// fields are the fields by which Okta may look users up. The store has an index for each.
var fields = []string{"userName", "externalId", "emails.value"}

// paths are the paths that hide no page.
var paths = regexp.MustCompile(`^/(scim|api)(/[A-Za-z0-9][A-Za-z0-9.~-]*)*$`)

func (a *app) load(ctx context.Context) (*settings, error) {
	s, on := &settings{on: map[string]bool{}}, make([]bool, len(switches))
	places := []any{&s.Base, &s.Field}
	query := "SELECT base, field"
	for i, x := range switches {
		places, query = append(places, &on[i]), query+", "+x.column
	}
	if err := a.db.QueryRowContext(ctx, query+" FROM provisioning").Scan(places...); err != nil {
		return nil, err
	}
	for i, x := range switches {
		s.on[x.column] = on[i]
	}
	a.last.Store(s)
	return s, nil
}

// flip turns a switch on or off.
func (a *app) flip(ctx context.Context, column string, on bool) error {
	for _, x := range switches {
		if x.column == column {
			_, err := a.db.ExecContext(ctx, "UPDATE provisioning SET "+column+" = $1", on)
			return err
		}
	}
	return page.Refused("there is no such switch")
}

// choose sets the path of the endpoint and the unique identifier field.
func (a *app) choose(ctx context.Context, base, field string) error {
	if !paths.MatchString(base) || len(base) > 100 {
		return page.Refused("The path begins with /scim or /api, and has letters, digits and . ~ - in its parts, such as /scim/v2.")
	}
	if !slices.Contains(fields, field) {
		return page.Refused(fmt.Sprintf("The unique identifier field is one of %q.", fields))
	}
	_, err := a.db.ExecContext(ctx, "UPDATE provisioning SET base = $1, field = $2", base, field)
	return err
}

type settingsKey struct{}

// of returns the settings with which a request began.
func of(ctx context.Context) (*settings, error) {
	s, ok := ctx.Value(settingsKey{}).(*settings)
	if !ok {
		return nil, &scim.Error{Status: 503, Detail: "the settings are not known"}
	}
	return s, nil
}
