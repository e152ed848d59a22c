package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test program be the quickstart, for the tests with signals.
func TestMain(m *testing.M) {
	if os.Getenv("QUICKSTART_MAIN") != "" {
		main()
		return
	}
	postgres.Main(m)
}

// running is a quickstart that runs in this process.
type running struct {
	url, out string
	key      string // the key of the page
	stop     context.CancelFunc
	done     chan error
}

const secret = "a'token" // a quote, so that the printed lines must quote it

// start runs the quickstart on a free port and reads what it prints.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	s := &running{stop: cancel, done: make(chan error, 1)}
	go func() {
		err := run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), w, io.Discard)
		w.Close()
		s.done <- err
	}()
	var out strings.Builder
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		out.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "-X DELETE") && strings.Contains(lines.Text(), "/Users/") {
			break // the last line
		}
	}
	go io.Copy(io.Discard, r) //nolint:errcheck // the server's end closes it
	s.out = out.String()
	var ok bool
	if s.url, ok = strings.CutPrefix(strings.SplitN(s.out, "\n", 2)[0], "listening on "); !ok {
		t.Fatalf("the first line is not \"listening on …\":\n%s", s.out)
	}
	m := regexp.MustCompile(`(?m)^page: (.*)/\?key=([\w-]{22,})$`).FindStringSubmatch(s.out)
	if m == nil || m[1] != s.url {
		t.Fatalf("no line is \"page: …\" with a key:\n%s", s.out)
	}
	s.key = m[2]
	t.Cleanup(func() {
		cancel()
		select {
		case <-s.done:
		case <-time.After(15 * time.Second):
			t.Error("the server did not shut down")
		}
	})
	return s
}

// scim sends a SCIM request and returns status and body.
func (s *running) scim(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, s.url+"/scim/v2"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/scim+json")
	return do(t, r)
}

func do(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// create makes a resource and returns its id.
func (s *running) create(t *testing.T, path, body string) string {
	t.Helper()
	status, answer := s.scim(t, "POST", path, body)
	m := regexp.MustCompile(`"id": *"([^"]+)"`).FindStringSubmatch(answer)
	if status != 201 || m == nil {
		t.Fatalf("POST %s: %d %s", path, status, answer)
	}
	return m[1]
}

func user(name string) string {
	return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + name + `"}`
}

func group(name string, members ...string) string {
	b := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"` + name + `","members":[`
	for i, id := range members {
		if i > 0 {
			b += ","
		}
		b += `{"value":"` + id + `"}`
	}
	return b + "]}"
}

// The printed lines are what a newcomer does first: they must work as they are.
func TestCurlLines(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("curl is not installed, and CI must not skip this")
		}
		t.Skip("curl is not installed")
	}
	for _, c := range []struct {
		name   string
		args   []string
		reason string
	}{
		{"new token", nil, "the token that the quickstart makes"},
		{"token given", []string{"-token", secret}, "a quote in the token is quoted for the shell"},
		{"refuse", []string{"-missing-role", "refuse"}, "the group has the name of a role, so nothing is refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.args...)
			if got, want := strings.Contains(s.out, "\ntoken: "), c.args == nil || c.args[0] != "-token"; got != want {
				t.Errorf("a token is printed: %v, want %v: only one that was made", got, want)
			}
			if n := strings.Count(s.out, "listening on "); n != 1 {
				t.Errorf("%d lines say \"listening on\"", n)
			}
			_, script, _ := strings.Cut(s.out, "# Paste")
			for _, round := range []string{"first", "second"} { // the lines clean up, so they work again
				steps := runSteps(t, "# Paste"+script)
				var got []string
				for i, want := range wantSteps {
					if i >= len(steps) || !regexp.MustCompile(`\A`+want+`\z`).MatchString(steps[i]) {
						got = append(got, want)
					}
				}
				if len(steps) != len(wantSteps) || got != nil {
					t.Fatalf("%s, %s round: wanted\n%s\n--- but the steps gave\n%s", c.reason, round,
						strings.Join(got, "\n"), strings.Join(steps, "\n---\n"))
				}
			}
		})
	}
}

// wantSteps are expressions for what the steps print, in order.
var wantSteps = []string{
	``, // the variables
	`user [-0-9a-f]{36}\n`,
	`(?s).*"totalResults": *1\b.*"userName": *"ada@example\.com".*\n`,
	`group [-0-9a-f]{36}\n`,
	`204\n`,
	`Editor, through group Editor\n`,
	`204\nno roles\n`,
	`204\n204\n`,
}

// runSteps runs the lines with bash and returns what each step prints. A step begins
// with a comment.
func runSteps(t *testing.T, script string) []string {
	t.Helper()
	const mark = "=== step"
	script = regexp.MustCompile(`(?m)^# .*$`).ReplaceAllString(script, "echo '"+mark+"'")
	cmd := exec.CommandContext(t.Context(), "bash", "-u")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("bash: %v\n%s", err, out)
	}
	return strings.Split(string(out), mark+"\n")[1:]
}

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"a store that is not there", []string{"-store", "sqlite"}, "-store sqlite is not possible: say memory, sqlite:FILE or postgres:DSN"},
		{"missing role", []string{"-missing-role", "ignore"}, "-missing-role ignore is not possible: say link, refuse or create"},
		{"a token with a space", []string{"-token", "a b"}, "-token: a token has only ASCII letters, digits and punctuation, and no spaces"},
		{"a word", []string{"start"}, `there is no argument "start": see -help`},
		{"address without port", []string{"-addr", "localhost"}, "-addr: address localhost: missing port in address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t.Context(), c.args, &out, io.Discard)
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if out.Len() > 0 {
				t.Errorf("it printed %q: it does not listen", out.String())
			}
		})
	}
}

func TestVisible(t *testing.T) {
	for _, c := range []struct{ addr, want string }{
		{"127.0.0.1:0", "127.0.0.1:9"}, {"localhost:0", "localhost:9"}, {":0", "127.0.0.1:9"},
		{"0.0.0.0:0", "127.0.0.1:9"}, {"[::]:0", "127.0.0.1:9"}, {"[::1]:0", "[::1]:9"},
	} {
		if diff := cmp.Diff(c.want, visible(c.addr, &net.TCPAddr{Port: 9})); diff != "" {
			t.Errorf("-addr %s: the printed address can be reached (-want +got):\n%s", c.addr, diff)
		}
	}
}

// A request that has begun is finished, and no new one is taken.
func TestShutdown(t *testing.T) {
	s := start(t, "-token", secret)
	body, finish := io.Pipe()
	r, err := http.NewRequest("POST", s.url+"/scim/v2/Users", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Expect", "100-continue") // the server says when it begins to read the body
	begun := make(chan struct{})
	r = r.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(begun) }}))
	status := make(chan int, 1)
	go func() {
		resp, err := (&http.Transport{ExpectContinueTimeout: time.Minute}).RoundTrip(r)
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		resp.Body.Close() //nolint:errcheck // only the status counts
		status <- resp.StatusCode
	}()
	select {
	case <-begun:
	case <-time.After(10 * time.Second):
		t.Fatal("the server does not read the request")
	}
	text := user("ada@example.com")
	io.WriteString(finish, text[:10]) //nolint:errcheck // the request would fail
	s.stop()
	addr := strings.TrimPrefix(s.url, "http://")
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break // closed to new ones
		}
		c.Close() //nolint:errcheck // it was only a try
		if time.Now().After(end) {
			t.Fatal("it still listens")
		}
	}
	select {
	case err := <-s.done:
		t.Fatalf("it ended (%v) before the request that had begun", err)
	default:
	}
	io.WriteString(finish, text[10:]) //nolint:errcheck // the request would fail
	finish.Close()                    //nolint:errcheck // never fails
	if got := <-status; got != 201 {
		t.Errorf("the request that had begun: %d, want 201", got)
	}
	err = <-s.done
	s.done <- err
	if err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-addr", "127.0.0.1:0")
			cmd.Env = append(os.Environ(), "QUICKSTART_MAIN=1")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			first, err := bufio.NewReader(out).ReadString('\n')
			if err != nil || !strings.HasPrefix(first, "listening on http://127.0.0.1:") {
				t.Errorf("first line %q, error %v", first, err)
			}
			cmd.Process.Signal(sig) //nolint:errcheck // Wait tells
			if err := cmd.Wait(); err != nil {
				t.Errorf("it should end with status 0: %v", err)
			}
		})
	}
}
