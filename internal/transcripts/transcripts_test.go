package transcripts

import (
	"os"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/scimtest"
	"github.com/scimkit/scim/store/memory"
)

// TestTranscripts plays the requests of real clients twice: on a store with every
// capability, and on one with only the five methods. Both must give the same answers.
func TestTranscripts(t *testing.T) {
	configs := map[string]func(r scim.RoleResolver) scim.Config{
		"memory": func(r scim.RoleResolver) scim.Config {
			return scim.Config{Store: memory.New(), Roles: &scim.Roles{Resolver: r, Separate: true}}
		},
		"bare": func(r scim.RoleResolver) scim.Config {
			return scim.Config{Store: testhost.NewBareStore(), Roles: &scim.Roles{Resolver: r, Ledger: memory.NewLedger()}}
		},
	}
	for name, config := range configs {
		t.Run(name, func(t *testing.T) { playTranscripts(t, "testdata/transcripts", config) })
	}
}

// TestTranscriptsUsersOnly plays against an application that has no groups.
func TestTranscriptsUsersOnly(t *testing.T) {
	playTranscripts(t, "testdata/users-only", func(scim.RoleResolver) scim.Config {
		return scim.Config{Store: memory.New(), Types: []*scim.ResourceType{scim.UserType()}}
	})
}

func playTranscripts(t *testing.T, dir string, config func(scim.RoleResolver) scim.Config) {
	scimtest.Play(t, os.DirFS(dir), func(t *testing.T) scimtest.Target {
		roles := testhost.NewRoles()
		return transcriptTarget(t, roles, config(roles))
	})
}

func transcriptTarget(t *testing.T, roles *testhost.Roles, c scim.Config) scimtest.Target {
	t.Helper()
	return scimtest.Target{
		Handler: scim.Mount("/scim/v2", testhost.New(t, c), nil),
		Token:   testhost.Secret,
		Checks: map[string]func(string) string{
			"roles": func(user string) string { return strings.Join(roles.Of(user), ", ") },
		},
	}
}
