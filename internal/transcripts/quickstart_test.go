package transcripts

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/journal/replay"
	"github.com/scimkit/scim/scimtest"
	"github.com/scimkit/scim/store/memory"
)

// quickstartToken is the token of quickstarts in these tests.
const quickstartToken = "a-token-of-the-replay-tests-that-is-long-enough"

// buildQuickstart builds the program. If broken, its adapter loses the names of people whom it creates.
func buildQuickstart(t *testing.T, broken bool) (program string) {
	t.Helper()
	folder := t.TempDir()
	program = filepath.Join(folder, "quickstart")
	args := []string{"build", "-o", program}
	if broken {
		file, err := filepath.Abs("../../examples/quickstart/database.go")
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		const sound = "&place{memory.New(memory.UniqueIDs()),"
		if !bytes.Contains(text, []byte(sound)) {
			t.Fatalf("%s has no %s", file, sound)
		}
		text = bytes.Replace(text, []byte(sound), []byte("&place{forgetful{memory.New(memory.UniqueIDs())},"), 1)
		text = append(text, `
type forgetful struct{ *memory.Store }

func (f forgetful) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	if r.Type() == scim.UserType() {
		var err error
		if r, err = r.With(map[string]any{"name": nil}); err != nil {
			return nil, err
		}
	}
	return f.Store.Create(ctx, r)
}
`...)
		other, overlay := filepath.Join(folder, "database.go"), filepath.Join(folder, "overlay.json")
		list, err := json.Marshal(map[string]map[string]string{"Replace": {file: other}})
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string][]byte{other: text, overlay: list} {
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		args = append(args, "-overlay", overlay)
	}
	if out, err := exec.CommandContext(t.Context(), "go", append(args, "github.com/scimkit/scim/examples/quickstart")...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// runQuickstart starts a fresh quickstart until ctx ends, and returns a handler that sends requests to it.
func runQuickstart(ctx context.Context, t *testing.T, program string) http.Handler {
	t.Helper()
	cmd := exec.CommandContext(ctx, program, "-addr", "127.0.0.1:0", "-token", quickstartToken)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("the quickstart says %q, %v", line, err)
	}
	go func() { // until the program ends
		io.Copy(io.Discard, lines) //nolint:errcheck // the end of the program ends it
		cmd.Wait()                 //nolint:errcheck // ctx kills it
	}()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, err := http.NewRequestWithContext(r.Context(), r.Method, url+r.URL.RequestURI(), r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		q.Header = r.Header
		answer, err := http.DefaultTransport.RoundTrip(q)
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close() //nolint:errcheck // it is only read
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		io.Copy(w, answer.Body) //nolint:errcheck // the replay takes all
	})
}

// replayQuickstart plays transcripts against an application with a journal, and replays what the journal has against
// fresh quickstarts. It returns the differences.
func replayQuickstart(t *testing.T, transcripts, program string) (played int, differences []string) {
	scimtest.Play(t, os.DirFS(transcripts), func(t *testing.T) scimtest.Target {
		j, err := journal.New(journal.NewMemory(64<<20), journal.Options{Keys: journal.NewEphemeralKeys(), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		roles := testhost.NewRoles()
		c := scim.Config{Store: memory.New(memory.UniqueIDs()), Roles: &scim.Roles{Resolver: roles, Separate: true}}
		target := transcriptTarget(t, roles, c)
		target.Handler = scim.Mount("/scim/v2", j.Handler(testhost.New(t, j.Config(c))), nil)
		t.Cleanup(func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if err := j.Close(ctx); err != nil {
				t.Fatal(err)
			}
			all, err := replay.Play(ctx, j, journal.Query{}, replay.Against(runQuickstart(ctx, t, program), http.Header{"Authorization": {"Bearer " + quickstartToken}}))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range all {
				if r.Skipped == "" {
					played++
				}
				for _, d := range r.Differences {
					differences = append(differences, t.Name()+": "+r.Entry.Method+" "+r.Entry.Detail.URL+": "+d.String())
				}
			}
		})
		return target
	})
	return played, differences
}

// The quickstart answers what the transcripts have, and a broken adapter shows its fault.
func TestReplayQuickstart(t *testing.T) {
	played, differences := replayQuickstart(t, "testdata/transcripts", buildQuickstart(t, false))
	if len(differences) > 0 || played < 100 {
		t.Errorf("%d requests, %d differences:\n%s", played, len(differences), strings.Join(differences, "\n"))
	}
	played, differences = replayQuickstart(t, "testdata/transcripts/okta", buildQuickstart(t, true))
	if !strings.Contains(strings.Join(differences, "\n"), `name: was {`) {
		t.Errorf("broken, %d requests, differences:\n%s", played, strings.Join(differences, "\n"))
	}
}
