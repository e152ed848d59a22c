package console_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { postgres.Main(m) }

// odd are texts that a browser may put into an address, and that a database may refuse.
var odd = map[string]string{
	"NUL": "a\x00b", "no UTF-8": "a\xff\xfeb", "half a character": "\xed\xa0\x80", "long": strings.Repeat("x", 20_000), "long, of many bytes": strings.Repeat("\U0001F642", 4_000),
	"wildcards": `%_\*`, "quotes": `'"` + "`" + `;--`, "noncharacter": "\ufffe\uffff", "a number": "-99999999999999999999", "spaces": " \t\n\u00a0",
}

// No text in an address makes a page fail, over real databases.
func TestOddTextsOverSQL(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		db, err := sql.Open(sqlitetest.Driver, sqlitetest.FastDSN(filepath.Join(t.TempDir(), "scim.db")))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		testOddTexts(t, db, sqlstore.SQLite)
	})
	t.Run("PostgreSQL", func(t *testing.T) { testOddTexts(t, postgres.DB(t), sqlstore.Postgres) })
}

func testOddTexts(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	kept, err := sqlstore.NewJournal(db, d, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	people, err := sqlstore.New(db, d, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := sqlstore.NewTokens(db, d, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []interface{ Migrate(context.Context) error }{kept, people, secrets} {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	j, err := journal.New(kept, journal.Options{Keys: journal.NewEphemeralKeys(), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	p := newProductOver(t, people)
	p.viewer.Tenants = append(p.viewer.Tenants, "other") // for the list of tenants
	if p.tokens, err = tokens.New(secrets, tokens.Options{Log: quiet, Now: func() time.Time { return now }}); err != nil {
		t.Fatal(err)
	}
	p.issue("Okta")
	group := p.create("/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Editor"}`)
	p.setup = newSetup()
	p.handler = p.newConsole(j)
	v := p.visit(p.makeLink("/", threeTokens))
	p.wants(v.body(200, v.send(http.MethodGet, v.page, nil)), "Nothing is connected yet.")
	p.wants(v.body(200, v.send(http.MethodPost, v.page+"tokens", url.Values{"label": {"Entra"}, "life": {"90"}})), "2 more tokens")
	p.wants(p.get(200, "/connection"), "1 token was made by it")
	for name, text := range odd {
		query, segment := url.QueryEscape(text), url.PathEscape(text)
		form := url.Values{"overlap": {"0"}, "life": {"never"}, "label": {text}, "key": {base64.RawURLEncoding.EncodeToString([]byte(text))}, "decision": {"confirm"}}
		for _, row := range []struct{ method, path string }{
			{"GET", "/activity?q=" + query + "&client=" + query + "&f=failed"}, {"GET", "/activity?after=" + query}, {"GET", "/activity?f=" + query + "&from=" + query + "&to=" + query},
			{"GET", "/activity/" + segment}, {"POST", "/activity/" + segment + "/bodies"},
			{"GET", "/people?q=" + query}, {"GET", "/people?skip=" + query}, {"GET", "/people/" + segment},
			{"GET", "/groups?q=" + query}, {"GET", "/groups/" + segment}, {"GET", "/groups/" + group + "?role=" + query},
			{"GET", "/problems?days=" + query}, {"GET", "/?request=" + query}, {"GET", "/t/" + segment + "/"}, {"POST", "/groups/pending"},
			{"POST", "/connection/links/" + segment + "/end"}, {"POST", "/activity/" + segment + "/again"}, {"POST", "/connection/tokens/" + segment + "/rotate"}, {"POST", "/connection/tokens/" + segment + "/revoke"}, {"POST", "/connection/tokens"},
		} {
			answer := p.do(row.method, row.path, form)
			if answer.Code >= 500 || strings.Contains(answer.Body.String(), "cannot be read") {
				t.Errorf("%s: %s %.60s is %d\n%s", name, row.method, row.path, answer.Code, logEnd(p.world))
			}
		}
	}
	for _, a := range p.acts {
		if len(a.Object) > 5000 {
			t.Errorf("an act of the kind %s has an object of %d bytes", a.Kind, len(a.Object))
		}
	}
}

// logEnd is the last line of the log.
func logEnd(w *world) string {
	all := strings.Split(strings.TrimSpace(w.log.String()), "\n")
	last := all[len(all)-1]
	return last[max(0, len(last)-300):]
}
