package main

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/scimkit/scim/internal/testhost"
)

// Clients that delete or deactivate whom they do not know leave the administrators and
// their teams where they are.
func TestPruners(t *testing.T) {
	for database, where := range map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "app.db") },
		"PostgreSQL": func(t *testing.T) string { return postgres.DSN(t) },
	} {
		for kind, prune := range map[string]func(p *testhost.Pruner) error{
			"by externalId": (*testhost.Pruner).PruneByExternalID,
			"by userName":   (*testhost.Pruner).PruneByUserName,
		} {
			t.Run(database+" "+kind, func(t *testing.T) {
				app := start(t, where(t))
				p := &testhost.Pruner{URL: app.url + "/scim/v2", Token: "secret",
					People: []testhost.Person{{ID: "b", UserName: "bob@example.com", DisplayName: "Bob Ray"}, {ID: "n", UserName: "new@example.com", DisplayName: "Nia"}},
					Teams:  []testhost.Team{{ID: "t", Name: "Marketing", Members: []string{"n"}}}}
				for range 3 {
					if err := prune(p); err != nil || len(p.Refused) > 0 {
						t.Errorf("error %v, refused %v", err, p.Refused)
					}
					for _, line := range []string{"ann@example.com|Ann Lee|active||Admin", "bob@example.com|Bob Ray|active|Sales|", "old@example.com|Olga Dean|locked||"} {
						if !slices.Contains(app.page(), line) {
							t.Errorf("%s is missing: %v", line, app.page())
						}
					}
				}
			})
		}
	}
}
