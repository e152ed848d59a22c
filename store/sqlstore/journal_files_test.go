package sqlstore_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

var quiet = slog.New(slog.DiscardHandler)

// journaled is a handler with a journal over a store. Its tokens are "hunter2-token".
func journaled(t *testing.T, s journal.Store, o journal.Options) (*journal.Journal, func(method, target, body string) *httptest.ResponseRecorder) {
	t.Helper()
	o.Log = quiet
	j, err := journal.New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	h, err := scim.New(j.Config(scim.Config{Store: memory.New(), Auth: auth.Bearer(auth.TokenOf("hunter2-token")), Log: quiet}))
	if err != nil {
		t.Fatal(err)
	}
	served := j.Handler(h)
	return j, func(method, target, body string) *httptest.ResponseRecorder {
		r, w := httptest.NewRequest(method, target, strings.NewReader(body)), httptest.NewRecorder()
		r.Header.Set("Authorization", "Bearer hunter2-token")
		r.Header.Set("Content-Type", "application/scim+json")
		served.ServeHTTP(w, r)
		return w
	}
}

// written returns a text in the ways in which a file may have it.
func written(s string) (all []string) {
	escaped, percent := "", ""
	for _, c := range []byte(s) {
		escaped += fmt.Sprintf(`\u%04x`, c)
		percent += fmt.Sprintf("%%%02X", c)
	}
	for i := range 3 { // A base64 text depends on what stands before it.
		b := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", i) + s))
		if b = b[4 : len(b)-4]; len(b) >= 8 { // a shorter one comes by chance
			all = append(all, b)
		}
	}
	return append(all, s, strings.ToLower(s), escaped, percent, strings.ToLower(percent), hex.EncodeToString([]byte(s)))
}

// sendSecrets sends passwords, names and addresses in every place in which a client may send them.
func sendSecrets(t *testing.T, j *journal.Journal, send func(method, target, body string) *httptest.ResponseRecorder) {
	t.Helper()
	user := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Annabelle@example.com","displayName":"Annabelle Brook","password":"hunter2-password"}`
	send("POST", "/Users", user)
	send("POST", "/Users", user)
	send("GET", "/Users?filter=userName+eq+%22Annabelle%40example.com%22", "")
	send("GET", "/Users?filter=password+eq+%22hunter2-password%22", "")
	send("PUT", "/Users/Annabelle", `{"password":"hunter2-password"`)
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, err := j.Find(t.Context(), journal.Query{Person: "annabelle@example.com"}); len(all) != 3 || err != nil {
		t.Fatalf("%d entries, %v", len(all), err)
	}
}

// expectSealed requires that a file has nothing of what sendSecrets sends.
func expectSealed(t *testing.T, name string, text []byte) {
	t.Helper()
	for _, secret := range []string{"hunter2-password", "hunter2-token", "Annabelle@example.com", "Annabelle Brook", "192.0.2.1", "userName eq"} {
		for _, form := range written(secret) {
			if bytes.Contains(text, []byte(form)) {
				t.Errorf("%s has %q, as %q", name, secret, form)
			}
		}
	}
}

// The files of the journal's database have no text of a client, its WAL neither.
func TestJournalFilesAreSealed(t *testing.T) {
	folder := t.TempDir()
	db, err := sql.Open(sqlitetest.Driver, sqlstore.SQLiteDSN(filepath.Join(folder, "journal.db")))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	j, send := journaled(t, newJournal(t, db, sqlstore.SQLite), journal.Options{Keys: journal.NewEphemeralKeys()})
	sendSecrets(t, j, send)
	expectSealedFiles(t, folder, 10_000)
}

// So it is with the files of JSON lines.
func TestJournalLinesAreSealed(t *testing.T) {
	folder := t.TempDir()
	s, err := journal.OpenLines(folder, journal.LinesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // the test is over
	j, send := journaled(t, s, journal.Options{Keys: journal.NewEphemeralKeys()})
	sendSecrets(t, j, send)
	expectSealedFiles(t, folder, 3_000)
}

// expectSealedFiles requires it of all files of a folder, which have at least so many bytes.
func expectSealedFiles(t *testing.T, folder string, least int) {
	t.Helper()
	size := 0
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		size += len(text)
		expectSealed(t, f.Name(), text)
	}
	if size < least || len(files) < 2 {
		t.Errorf("%d bytes in %d files: is this the journal?", size, len(files))
	}
}

var journalScans = regexp.MustCompile(`(?m)^SCAN [et]\d*$|USE TEMP B-TREE|Seq Scan on scim_entr|^ *->? *Sort`)

// Pages and timelines come from indexes, in order.
func TestJournalPlans(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.MariaDB {
			return // Its plans are not tested.
		}
		s := newJournal(t, db, d)
		var all []journal.Record
		for n := range 3000 {
			r := journal.Record{Head: journal.Head{ID: fmt.Sprintf("%08d", n), Tenant: "acme", Kind: journal.Exchange, Time: time.Unix(int64(n), 0), Status: 200}, Key: "k"}
			r.Terms = []journal.Term{{byte(n % 100), 1}, {byte(n % 7), 2}}
			all = append(all, r)
		}
		if err := s.Append(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("ANALYZE"); err != nil {
			t.Fatal(err)
		}
		for name, q := range map[string]journal.Search{
			"newest":     {Tenant: "acme", Limit: 50},
			"a page":     {Tenant: "acme", Limit: 50, Before: "00002000"},
			"a person":   {Tenant: "acme", Limit: 50, Terms: []journal.Term{{1, 1}}},
			"two terms":  {Tenant: "acme", Limit: 50, Terms: []journal.Term{{1, 1}, {1, 2}}, Class: 2},
			"an unknown": {Tenant: "acme", Limit: 50, Terms: []journal.Term{{255}}},
		} {
			var ids []string
			if len(q.Terms) > 0 {
				q.Before = "99999999"
				text, args := sqlstore.FindPartsQuery(d, q)
				if got := strings.Replace(plan(t, db, d, text, args), "Seq Scan on scim_entry_runs", "a few rows of", 1); journalScans.MatchString(got) {
					t.Errorf("%s, its parts:\n%s", name, got)
				}
				q.Before, ids = "", []string{"00000007", "00000700"}
			}
			text, args := sqlstore.FindEntriesQuery(d, q, ids)
			if got := plan(t, db, d, text, args); journalScans.MatchString(got) {
				t.Errorf("%s:\n%s", name, got)
			}
		}
	})
}

// TestJournalOfKilledProcess kills a process that serves requests. What it had answered a second before is there, and
// the gap is said.
func TestJournalOfKilledProcess(t *testing.T) {
	if file := os.Getenv("SCIM_JOURNAL_CHILD"); file != "" {
		serveUntilKilled(t, file)
		return
	}
	const long = "SCIM_LONG"
	kills, most := 3, 4*time.Second // on a machine that does much else
	if os.Getenv(long) != "" {
		kills, most = 30, time.Second
	}
	file := filepath.Join(t.TempDir(), "journal.db")
	for i := range kills {
		answered := runUntilKilled(t, file, time.Duration(600+i*37%900)*time.Millisecond)
		db, err := sql.Open(sqlitetest.Driver, sqlstore.SQLiteDSN(file))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now().Add(time.Hour) // by which the killed process is known to be gone
		j, _ := journaled(t, newJournal(t, db, sqlstore.SQLite), journal.Options{Keys: childKeys(t), Now: func() time.Time { return now }})
		last := answered[len(answered)-1].at
		for _, a := range answered {
			all, err := j.Find(t.Context(), journal.Query{Person: a.name})
			if err != nil {
				t.Fatal(err)
			}
			if len(all) != 1 && last.Sub(a.at) > most {
				t.Errorf("kill %d: the entry of %s is lost, which was answered %v before", i, a.name, last.Sub(a.at))
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- j.Run(ctx) }()
		var gaps []journal.Entry
		for until := time.Now().Add(20 * time.Second); len(gaps) <= i && err == nil && time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
			gaps, err = j.Find(t.Context(), journal.Query{Kind: journal.Gap})
		}
		cancel()
		if err := errors.Join(err, <-ended); err != nil {
			t.Error(err)
		}
		if len(gaps) != i+1 || gaps[0].Detail.Gap.Reason == "" {
			t.Errorf("kill %d: %d gaps", i, len(gaps))
		}
		db.Close() //nolint:errcheck // the process is over
	}
}

// answer is a request that the child has answered.
type answer struct {
	name string
	at   time.Time
}

func childKeys(t *testing.T) *journal.Keys {
	t.Helper()
	keys, err := journal.NewKeys([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// runUntilKilled runs a child, and kills it some time after its first answer.
func runUntilKilled(t *testing.T, file string, after time.Duration) (all []answer) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestJournalOfKilledProcess$", "-test.v=false")
	c.Env = append(os.Environ(), "SCIM_JOURNAL_CHILD="+file)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
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

func serveUntilKilled(t *testing.T, file string) {
	db, err := sql.Open(sqlitetest.Driver, sqlstore.SQLiteDSN(file))
	if err != nil {
		t.Fatal(err)
	}
	j, send := journaled(t, newJournal(t, db, sqlstore.SQLite), journal.Options{Keys: childKeys(t)})
	go j.Run(t.Context()) //nolint:errcheck // it is killed
	for n := 0; ; n++ {
		name := strconv.Itoa(os.Getpid()) + "-" + strconv.Itoa(n)
		if w := send("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`"}`); w.Code != 201 {
			t.Fatal(w.Code, w.Body)
		}
		io.WriteString(os.Stdout, "answered "+name+"\n") //nolint:errcheck // the parent counts
		time.Sleep(10 * time.Millisecond)
	}
}
