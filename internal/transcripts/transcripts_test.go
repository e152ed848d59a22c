package transcripts

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/journal/replay"
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

// TestReplay plays the transcripts against an application with a journal, and replays what the journal has against
// another one, which answers the same.
func TestReplay(t *testing.T) {
	scimtest.Play(t, os.DirFS("testdata/transcripts"), func(t *testing.T) scimtest.Target {
		j, err := journal.New(journal.NewMemory(64<<20), journal.Options{Keys: journal.NewEphemeralKeys(), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		roles := testhost.NewRoles()
		c := scim.Config{Store: memory.New(), Roles: &scim.Roles{Resolver: roles, Separate: true}}
		target := transcriptTarget(t, roles, c)
		target.Handler = scim.Mount("/scim/v2", j.Handler(testhost.New(t, j.Config(c))), nil)
		t.Cleanup(func() { replayTranscript(t, j) })
		return target
	})
}

func replayTranscript(t *testing.T, j *journal.Journal) {
	if err := j.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	roles := testhost.NewRoles()
	again := transcriptTarget(t, roles, scim.Config{Store: memory.New(), Roles: &scim.Roles{Resolver: roles, Separate: true}})
	all, err := replay.Play(context.Background(), j, journal.Query{}, replay.Against(again.Handler, http.Header{"Authorization": {"Bearer " + again.Token}}))
	if err != nil {
		t.Fatal(err)
	}
	played := 0
	for _, r := range all {
		if r.Skipped == "" {
			played++
		}
		if len(r.Differences) > 0 {
			t.Errorf("%s %s: %v", r.Entry.Method, r.Entry.Detail.URL, r.Differences)
		}
	}
	if len(all) > 0 && played == 0 {
		t.Logf("all %d requests are skipped", len(all))
	}
}
