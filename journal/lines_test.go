package journal_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/storetest"
)

func openLines(t *testing.T, dir string, o journal.LinesOptions) *journal.Lines {
	t.Helper()
	s, err := journal.OpenLines(dir, o)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("this system has no flock")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // the test is over
	return s
}

func TestLines(t *testing.T) {
	storetest.RunJournal(t, func(t *testing.T) journal.Store { return openLines(t, t.TempDir(), journal.LinesOptions{}) })
}

// lineOf is the n-th record of a tenant, a minute after the one before. Its content has a text of its own.
func lineOf(tenant string, n int) journal.Record {
	at := time.Date(2026, 1, 2, 0, n, 0, 0, time.UTC)
	r := journal.Record{Head: journal.Head{ID: fmt.Sprintf("%08d", n), Tenant: tenant, Kind: journal.Exchange, Time: at, RequestID: fmt.Sprint(n), Method: "GET", Status: 200}, Key: "k"}
	r.Detail, r.Request, r.Response = fmt.Appendf(nil, "detail of %d", n), fmt.Appendf(nil, "request %d \x00\"", n), fmt.Appendf(nil, "response %d", n)
	r.Terms = []journal.Term{{byte(n % 5)}, {byte(n), 1}}
	r.Counts = []journal.Counter{{Day: at.Format(time.DateOnly), Client: journal.Term{9}, What: "read", N: 1, Last: at, Key: "k", Name: []byte("name")}}
	return r
}

// fillLines appends n records of two tenants.
func fillLines(t *testing.T, s *journal.Lines, from, n int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		if err := s.Append(t.Context(), []journal.Record{lineOf("acme", i), lineOf("other", i)}); err != nil {
			t.Fatal(err)
		}
	}
}

// seen is all that a Lines shows.
type seen struct {
	Records  map[string][]journal.Record
	Counters map[string][]journal.Counter
	Keys     []journal.Key
}

func everything(t *testing.T, s *journal.Lines) seen {
	t.Helper()
	all := seen{map[string][]journal.Record{}, map[string][]journal.Counter{}, nil}
	for _, tenant := range []string{"acme", "other"} {
		page, err := s.Find(t.Context(), journal.Search{Tenant: tenant, Limit: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			whole, err := s.Get(t.Context(), tenant, r.ID)
			if err != nil {
				t.Fatal(err)
			}
			all.Records[tenant] = append(all.Records[tenant], whole)
		}
		if all.Counters[tenant], err = s.Counters(t.Context(), tenant, "", "9"); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if all.Keys, err = s.Keys(t.Context(), journal.Key{}, 100); err != nil {
		t.Fatal(err)
	}
	return all
}

// filesIn returns the names of the files with records.
func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "entries-*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What is in the files is there when they are opened again, also what was erased and replaced.
func TestLinesOpenedAgain(t *testing.T) {
	dir := t.TempDir()
	o := journal.LinesOptions{FileSize: 5000}
	s := openLines(t, dir, o)
	for _, id := range []string{"2026-01-01", "2026-01-02"} {
		if _, err := s.AddKey(t.Context(), journal.Key{Tenant: "acme", ID: id, Wrapped: []byte(id)}); err != nil {
			t.Fatal(err)
		}
	}
	fillLines(t, s, 0, 60)
	if n, err := s.Erase(t.Context(), "acme", journal.Term{3}, 100); n != 12 || err != nil {
		t.Errorf("Erase: %d records, %v, want 12", n, err)
	}
	fillLines(t, s, 60, 3)
	if err := s.ReplaceKey(t.Context(), journal.Key{Tenant: "acme", ID: "2026-01-02", Wrapped: []byte("replaced")}); err != nil {
		t.Fatal(err)
	}
	want := everything(t, s)
	if len(want.Records["acme"]) != 63 || want.Counters["other"][0].N != 63 || len(want.Keys) != 2 || len(filesIn(t, dir)) < 5 {
		t.Fatalf("%d records, %v, %v, %d files", len(want.Records["acme"]), want.Counters, want.Keys, len(filesIn(t, dir)))
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openLines(t, dir, o)
		if diff := cmp.Diff(want, everything(t, s), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("opened again (-want +got):\n%s", diff)
		}
	}
	fillLines(t, s, 63, 1)
	if got := everything(t, s); len(got.Records["acme"]) != 64 || string(got.Records["acme"][0].Detail) != "detail of 63" {
		t.Errorf("%d records, the newest is %q", len(got.Records["acme"]), got.Records["acme"][0].Detail)
	}
}

// Erased content is in no file, in whatever way it was written.
func TestLinesEraseFiles(t *testing.T) {
	dir := t.TempDir()
	s := openLines(t, dir, journal.LinesOptions{FileSize: 3000})
	fillLines(t, s, 0, 20)
	text := func() (all []byte) {
		for _, name := range filesIn(t, dir) {
			one, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, one...)
		}
		return all
	}
	erased, err := lineOf("acme", 7).Detail, error(nil)
	before := bytes.Count(text(), []byte(base64Of(erased)))
	if _, err = s.Erase(t.Context(), "acme", journal.Term{7, 1}, 10); err != nil {
		t.Fatal(err)
	}
	if after := bytes.Count(text(), []byte(base64Of(erased))); before != 2 || after != 1 { // The other tenant has the same.
		t.Errorf("the content is in the files %d times, and after Erase %d times; want 2 and 1", before, after)
	}
}

// A process that is killed leaves the beginning of a line. The records before it are there, and the gap is told.
func TestLinesTorn(t *testing.T) {
	for _, cut := range []int{1, 2, 10, 100, 300, 400} {
		dir := t.TempDir()
		s := openLines(t, dir, journal.LinesOptions{})
		fillLines(t, s, 0, 3)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		name := filesIn(t, dir)[0]
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, int64(len(text)-cut)); err != nil {
			t.Fatal(err)
		}
		s = openLines(t, dir, journal.LinesOptions{})
		got := everything(t, s)
		if len(got.Records["acme"]) != 3 || len(got.Records["other"]) != 2 || got.Counters["other"][0].N != 2 {
			t.Errorf("%d bytes cut: %d and %d records, counted %v", cut, len(got.Records["acme"]), len(got.Records["other"]), got.Counters["other"])
		}
		if lost, err := s.Lost(t.Context(), time.Now().Add(time.Hour)); len(lost) != 1 || err != nil {
			t.Errorf("%d bytes cut: lost %v, %v", cut, lost, err)
		}
		fillLines(t, s, 2, 2) // the caller did not learn that the first one of acme was kept
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		got = everything(t, openLines(t, dir, journal.LinesOptions{}))
		if len(got.Records["acme"]) != 4 || len(got.Records["other"]) != 4 || got.Counters["other"][0].N != 4 || got.Counters["acme"][0].N != 4 {
			t.Errorf("%d bytes cut: %d and %d records, counted %v", cut, len(got.Records["acme"]), len(got.Records["other"]), got.Counters)
		}
	}
}

// A line that the disk has damaged is missing, and the others are there.
func TestLinesDamaged(t *testing.T) {
	dir := t.TempDir()
	s := openLines(t, dir, journal.LinesOptions{})
	fillLines(t, s, 0, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	name := filesIn(t, dir)[0]
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines[2] = strings.Repeat("\x00", len(lines[2])-1) + "\n"
	if err := os.WriteFile(name, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	got := everything(t, openLines(t, dir, journal.LinesOptions{}))
	if len(got.Records["acme"]) != 2 || len(got.Records["other"]) != 3 {
		t.Errorf("%d and %d records, want 2 and 3", len(got.Records["acme"]), len(got.Records["other"]))
	}
}

func TestLinesOneProcess(t *testing.T) {
	dir := t.TempDir()
	s := openLines(t, dir, journal.LinesOptions{})
	if other, err := journal.OpenLines(dir, journal.LinesOptions{}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a directory is opened twice: %v, %v", other, err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	openLines(t, dir, journal.LinesOptions{})
	if err := s.Append(t.Context(), []journal.Record{lineOf("acme", 1)}); err == nil {
		t.Error("what was closed writes still")
	}
	if _, err := journal.OpenLines(t.TempDir(), journal.LinesOptions{Entries: -1}); err == nil {
		t.Error("a negative number of entries")
	}
}

// trimLines trims until nothing is left to remove.
func trimLines(t *testing.T, s *journal.Lines, r journal.Retention) {
	t.Helper()
	for range 100 {
		if done, err := s.Trim(t.Context(), r); err != nil {
			t.Fatal(err)
		} else if done {
			return
		}
	}
	t.Fatal("Trim is never done")
}

// Files whose records are gone are deleted, and files with few records become smaller. The counters stay, each once, also
// if the process ended between the two steps.
func TestLinesTrimFiles(t *testing.T) {
	dir := t.TempDir()
	o := journal.LinesOptions{FileSize: 5000}
	s := openLines(t, dir, o)
	fillLines(t, s, 0, 60)
	before := filesIn(t, dir)
	first, err := os.ReadFile(before[0])
	if err != nil {
		t.Fatal(err)
	}
	trimLines(t, s, journal.Retention{From: lineOf("acme", 40).ID, Size: 1 << 40, Refused: 10})
	want := everything(t, s)
	if after := filesIn(t, dir); len(after) > len(before)/2 || len(want.Records["acme"]) != 20 || want.Counters["acme"][0].N != 60 {
		t.Errorf("%d files of %d, %d records, counted %v", len(after), len(before), len(want.Records["acme"]), want.Counters["acme"])
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(before[0], first, 0o600); err != nil { // as if the process had ended before it was deleted
		t.Fatal(err)
	}
	s = openLines(t, dir, o)
	trimLines(t, s, journal.Retention{From: lineOf("acme", 40).ID, Size: 1 << 40, Refused: 10})
	if diff := cmp.Diff(want, everything(t, s), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("opened again (-want +got):\n%s", diff)
	}
	if slices.Contains(filesIn(t, dir), before[0]) {
		t.Error("the first file is still there")
	}
}

// There are at most Entries records, and a file begins each day.
func TestLinesBounds(t *testing.T) {
	dir := t.TempDir()
	s := openLines(t, dir, journal.LinesOptions{Entries: 10})
	for day := range 4 {
		fillLines(t, s, day*24*60, 5)
	}
	if got := everything(t, s); len(got.Records["acme"]) > 6 {
		t.Errorf("%d records before Trim", len(got.Records["acme"]))
	}
	if n := len(filesIn(t, dir)); n != 4 {
		t.Errorf("%d files of 4 days", n)
	}
	trimLines(t, s, journal.Retention{Size: 1 << 40, Refused: 10})
	got := everything(t, s)
	if len(got.Records["acme"]) != 5 || len(got.Records["other"]) != 5 || got.Records["acme"][4].ID != lineOf("acme", 3*24*60).ID || len(filesIn(t, dir)) != 1 {
		t.Errorf("%d and %d records, the oldest is %s, in %d files", len(got.Records["acme"]), len(got.Records["other"]), got.Records["acme"][4].ID, len(filesIn(t, dir)))
	}
}

// What a killed process had answered a second before is there, and the gap is said.
func TestLinesOfKilledProcess(t *testing.T) {
	if dir := os.Getenv("SCIM_LINES_CHILD"); dir != "" {
		serveLines(t, dir)
		return
	}
	const long = "SCIM_LONG"
	kills, most := 1, 4*time.Second // on a machine that does much else
	if os.Getenv(long) != "" {
		kills, most = 30, time.Second
	}
	dir := t.TempDir()
	openLines(t, dir, journal.LinesOptions{}).Close() //nolint:errcheck // it skips where there is no flock
	keys, err := journal.NewKeys([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range kills {
		c := exec.Command(os.Args[0], "-test.run=^TestLinesOfKilledProcess$")
		c.Env = append(os.Environ(), "SCIM_LINES_CHILD="+dir)
		answered := runChild(t, c, time.Duration(600+i*37%900)*time.Millisecond)
		s := openLines(t, dir, journal.LinesOptions{})
		now := time.Now().Add(time.Hour) // by which the killed process is known to be gone
		a := newAppOver(t, s, journal.Options{Keys: keys, Now: func() time.Time { return now }}, nil)
		last := answered[len(answered)-1].at
		for _, an := range answered {
			all, err := a.j.Find(t.Context(), journal.Query{Person: an.name})
			if err != nil {
				t.Fatal(err)
			}
			if len(all) != 1 && last.Sub(an.at) > most {
				t.Errorf("kill %d: the entry of %s is lost, which was answered %v before", i, an.name, last.Sub(an.at))
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		err := a.j.Run(ctx)
		cancel()
		gaps, err2 := a.j.Find(t.Context(), journal.Query{Kind: journal.Gap})
		if err := errors.Join(err, err2, s.Close()); len(gaps) != i+1 || err != nil {
			t.Errorf("kill %d: %d gaps, %v", i, len(gaps), err)
		}
	}
}

// answer is a request that the child has answered.
type answer struct {
	name string
	at   time.Time
}

// runChild runs a child, and kills it some time after its first answer.
func runChild(t *testing.T, c *exec.Cmd, after time.Duration) (all []answer) {
	t.Helper()
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "answered "); ok {
			all = append(all, answer{name, time.Now()})
		}
		if timer == nil {
			timer = time.AfterFunc(after, func() { c.Process.Kill() }) //nolint:errcheck // Wait tells
		}
	}
	if err := c.Wait(); err == nil || len(all) == 0 {
		t.Fatalf("the child was not killed: %v, %d answers", err, len(all))
	}
	return all
}

func serveLines(t *testing.T, dir string) {
	keys, err := journal.NewKeys([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	a := newAppOver(t, openLines(t, dir, journal.LinesOptions{FileSize: 20_000}), journal.Options{Keys: keys}, nil)
	go a.j.Run(t.Context()) //nolint:errcheck // it is killed
	for n := 0; ; n++ {
		name := fmt.Sprintf("%d-%d", os.Getpid(), n)
		a.send("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`"}`)
		io.WriteString(os.Stdout, "answered "+name+"\n") //nolint:errcheck // the parent counts
		time.Sleep(10 * time.Millisecond)
	}
}

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
