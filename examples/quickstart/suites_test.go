package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// suite is a test program for SCIM servers that somebody else wrote. testdata/suites lists
// what it reports about the quickstart.
type suite struct {
	program string
	args    func(url string) []string
	// read takes what the program printed. It returns the number of passed checks, and a line
	// for each other one.
	read func(out []byte) (passed int, findings []string, err error)
}

var suites = []suite{
	{"scim2", func(url string) []string { return []string{"--url", url, "test"} }, readScim2},
	{"scim-sanity", func(url string) []string {
		return []string{"probe", url, "--token", secret, "--json-output", "--i-accept-side-effects"}
	}, readScimSanity},
}

// TestSuites runs the suites against the quickstart on every store. What they report must be
// what the list has, no more and no less. .ci/suites installs the suites, and sets
// SCIM_SUITES to the folder of their programs.
func TestSuites(t *testing.T) {
	programs := os.Getenv("SCIM_SUITES")
	if programs == "" {
		t.Skip("SCIM_SUITES is not set: run .ci/suites")
	}
	try := func(t *testing.T, where func(t *testing.T) string) {
		for _, s := range suites {
			t.Run(s.program, func(t *testing.T) {
				server := start(t, "-token", secret, "-store", where(t))
				cmd := exec.CommandContext(t.Context(), filepath.Join(programs, s.program), s.args(server.url+"/scim/v2")...)
				cmd.Env = append(os.Environ(), "SCIM_CLI_HEADERS=Authorization: Bearer "+secret, "NO_PROXY=127.0.0.1", "NO_COLOR=1")
				var errOut bytes.Buffer
				cmd.Stderr = &errOut
				out, ran := cmd.Output() // it fails if a check fails
				passed, got, err := s.read(out)
				if err != nil {
					t.Fatalf("%v\n%v\n%s%s", err, ran, out, &errOut)
				}
				least, want := known(t, s.program)
				if passed < least {
					t.Errorf("%d checks passed, want at least %d: the suite did not run to its end\n%s%s", passed, least, out, &errOut)
				}
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("testdata/suites/%s.tsv and what the suite reports (-want +got):\n%s\n%s", s.program, diff, out)
				}
			})
		}
	}
	t.Run("memory", func(t *testing.T) { try(t, func(*testing.T) string { return "memory" }) })
	databases(t, try)
}

// TestSuiteLists checks that the lists can be read. It runs without the suites.
func TestSuiteLists(t *testing.T) {
	for _, s := range suites {
		if least, findings := known(t, s.program); least == 0 || len(findings) == 0 {
			t.Errorf("%s: at least %d passes, findings %q", s.program, least, findings)
		}
	}
}

// known reads the list of a suite: the least number of passed checks, and the known findings
// in order. Each finding needs a reason.
func known(t *testing.T, program string) (least int, findings []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata/suites", program+".tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		finding, reason, _ := strings.Cut(line, "\t")
		if reason == "" {
			t.Fatalf("%s: %q has no reason", program, line)
		}
		if n, ok := strings.CutPrefix(finding, "passed at least "); ok {
			if least, err = strconv.Atoi(n); err != nil {
				t.Fatal(err)
			}
			continue
		}
		findings = append(findings, finding)
	}
	slices.Sort(findings)
	return least, findings
}

var (
	scim2Result = regexp.MustCompile(`^([A-Z]+) (\w+)$`)
	uuids       = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
)

// readScim2 reads the text of scim2-cli: a line with the result and the check, and below it
// the reason.
func readScim2(out []byte) (passed int, findings []string, err error) {
	lines := strings.Split(string(out), "\n")
	for i, line := range lines {
		m := scim2Result.FindStringSubmatch(line)
		switch {
		case m == nil:
		case m[1] == "SUCCESS":
			passed++
		default:
			reason := ""
			if i+1 < len(lines) {
				reason = strings.TrimSpace(lines[i+1])
			}
			findings = append(findings, fmt.Sprintf("%s %s: %s", m[1], m[2], uuids.ReplaceAllString(reason, "{id}")))
		}
	}
	return passed, findings, nil
}

// readScimSanity reads the report of scim-sanity.
func readScimSanity(out []byte) (passed int, findings []string, err error) {
	var report struct {
		Results []struct{ Name, Status, Message string }
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return 0, nil, fmt.Errorf("the report is not JSON: %w", err)
	}
	for _, r := range report.Results {
		switch r.Status {
		case "pass":
			passed++
		case "skip": // a resource type that the quickstart does not have
		default:
			findings = append(findings, fmt.Sprintf("%s %s: %s", r.Status, r.Name, uuids.ReplaceAllString(r.Message, "{id}")))
		}
	}
	return passed, findings, nil
}
