package scim_test

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/scimtest"
	"github.com/scimkit/scim/store/memory"
)

// TestTranscripts plays what real clients send twice: on a store that can do everything,
// and on one that has the five methods and nothing else. Both must answer alike.
func TestTranscripts(t *testing.T) {
	stores := map[string]func() (scim.Store, scim.Ledger){
		"memory": func() (scim.Store, scim.Ledger) { return memory.New(), nil },
		"bare":   func() (scim.Store, scim.Ledger) { return newBareStore(), memory.NewLedger() },
	}
	for name, newStore := range stores {
		t.Run(name, func(t *testing.T) {
			scimtest.Play(t, os.DirFS("testdata/transcripts"), func(t *testing.T) scimtest.Target {
				store, ledger := newStore()
				return transcriptTarget(t, store, ledger)
			})
		})
	}
}

func transcriptTarget(t *testing.T, store scim.Store, ledger scim.Ledger) scimtest.Target {
	t.Helper()
	const token = "transcript-token"
	roles := newTestRoles()
	h, err := scim.New(scim.Config{
		Store: store,
		Auth:  auth.Bearer(auth.TokenOf(token)),
		Roles: &scim.Roles{Resolver: roles, Ledger: ledger, Separate: true},
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return scimtest.Target{
		Handler: scim.Mount("/scim/v2", h, nil),
		Token:   token,
		Checks: map[string]func(string) string{
			"roles": func(user string) string { return strings.Join(roles.of(user), ", ") },
		},
	}
}
