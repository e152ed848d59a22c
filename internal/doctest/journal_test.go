package doctest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/journal/replay"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/tenants"
)

// What follows, up to the end marker, is in docs/journal.md.

// withJournal serves SCIM under /scim/v2, and app elsewhere. db is a database for the journal alone.
func withJournal(ctx context.Context, c scim.Config, app http.Handler, db *sql.DB, key []byte) (*journal.Journal, http.Handler, error) {
	store, err := sqlstore.NewJournal(db, sqlstore.SQLite, sqlstore.Options{})
	if err != nil {
		return nil, nil, err
	}
	if err := store.Migrate(ctx); err != nil { // at each start
		return nil, nil, err
	}
	keys, err := journal.NewKeys(key) // 32 random bytes, from where you keep other secrets
	if err != nil {
		return nil, nil, err
	}
	j, err := journal.New(store, journal.Options{Keys: keys, Redact: []string{"employeeNumber"}, Age: 90 * 24 * time.Hour})
	if err != nil {
		return nil, nil, err
	}
	h, err := scim.New(j.Config(c))
	if err != nil {
		return nil, nil, err
	}
	return j, scim.Mount("/scim/v2", j.Handler(h), app), nil
}

// serveAndWrite runs the server until ctx ends. The journal's last entries are written after the last request.
func serveAndWrite(ctx context.Context, j *journal.Journal, server *http.Server, l net.Listener) error {
	go j.Run(context.WithoutCancel(ctx)) //nolint:errcheck // Close waits for it
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }() // it returns when Shutdown begins, not when the last request has ended
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	err = errors.Join(err, server.Shutdown(last))
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, j.Close(write))
}

// serveAll is a whole application: SCIM over its own tables, tokens that its administrators make, and the journal.
func serveAll(ctx context.Context, db, journalDB *sql.DB, key []byte, app http.Handler, l net.Listener) error {
	store, err := mapped(db, sqlstore.SQLite) // your tables
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	all, err := openTokens(ctx, db, sqlstore.SQLite) // give it to your page of tokens too
	if err != nil {
		return err
	}
	c := scim.Config{Store: store, Auth: all, Rules: []scim.Rule{store.Adopt(sqlstore.SamePerson)}}
	j, h, err := withJournal(ctx, c, app, journalDB, key)
	if err != nil {
		return err
	}
	return serveAndWrite(ctx, j, &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}, l)
}

// labels names clients as their tokens do. Give it to journal.Options.Label.
func labels(all *tokens.Tokens) func(ctx context.Context, tenant, client string) string {
	return func(ctx context.Context, tenant, client string) string {
		list, err := all.Tenant(tenant).List(ctx)
		if i := slices.IndexFunc(list, func(t tokens.Token) bool { return t.Client == client }); err == nil && i >= 0 {
			return list[i].Label
		}
		return ""
	}
}

// keepForAll keeps what the clients of all tenants send, each entry for its tenant.
func keepForAll(app *Customers, all *tokens.Tokens, j *journal.Journal, next http.Handler) (http.Handler, error) {
	h, err := tenants.New(tenants.Options{
		Address:  "{tenant}.example.com/API/enterprise/scim",
		Settings: app,
		Journal:  j, // it calls Config and Handler
	}, scim.Config{Auth: all})
	if err != nil {
		return nil, err
	}
	return h.Mount(next), nil
}

// timeline shows what happened to a person, who is named by id, userName, externalId or e-mail address.
func timeline(ctx context.Context, w io.Writer, j *journal.Journal, tenant, person string) error {
	all, err := j.Find(ctx, journal.Query{Tenant: tenant, Person: person, Limit: 20})
	if err != nil {
		return err
	}
	for _, e := range all {
		fmt.Fprintln(w, e.Time.Format(time.DateTime), e.Method, e.Status, e.Events)
		if e.Detail == nil {
			fmt.Fprintln(w, "  ", e.Unreadable)
			continue
		}
		for _, c := range e.Detail.Changes {
			for _, a := range c.Attributes {
				fmt.Fprintf(w, "  %s %s: %q -> %q\n", c.Type, a.Path, a.Old, a.New)
			}
		}
	}
	return nil
}

// openProblems shows the problems that need somebody to act.
func openProblems(ctx context.Context, w io.Writer, j *journal.Journal, tenant string, since time.Time) error {
	all, _, err := j.Problems(ctx, tenant, since)
	for _, p := range all {
		if !p.IsSolved() {
			fmt.Fprintf(w, "%d people since %s, for the %s: %s\n  %q\n", p.Concerned-p.Solved, p.Since.Format(time.DateTime), p.Actor, p.Advice, p.Detail)
		}
	}
	return err
}

// showDays shows what each client did in the last week, and why it failed.
func showDays(ctx context.Context, w io.Writer, j *journal.Journal, tenant string, now time.Time) error {
	all, err := j.Summary(ctx, tenant, now.AddDate(0, 0, -6), now)
	for _, s := range all {
		fmt.Fprintf(w, "%s %s: %d created, %d changed, %d deleted, last success %s\n", s.Day.Format(time.DateOnly), s.Client, s.Creates, s.Updates, s.Deletes, s.LastSuccess.Format(time.TimeOnly))
		for _, f := range s.Failures {
			fmt.Fprintf(w, "  %d x %d %s\n", f.Requests, f.Status, f.Type)
		}
	}
	return err
}

// sameAnswers replays what a tenant's clients sent since a time, against h, which is a new version of the application over an
// empty store. It writes what h answers otherwise.
func sameAnswers(ctx context.Context, w io.Writer, j *journal.Journal, tenant string, since time.Time, h http.Handler, token string) error {
	all, err := replay.Play(ctx, j, journal.Query{Tenant: tenant, From: since}, replay.Against(h, http.Header{"Authorization": {"Bearer " + token}}))
	for _, r := range all {
		for _, d := range r.Differences {
			fmt.Fprintf(w, "%s %s: %q\n", r.Entry.Method, r.Entry.Detail.URL, d)
		}
	}
	return err
}

// answerNow says how the application would answer a request of the journal now, and which roles that would change.
func answerNow(ctx context.Context, j *journal.Journal, tenant, id string, c *scim.Reconciler) (status int, changes []scim.RoleChange, err error) {
	all, err := replay.Play(ctx, j, journal.Query{Tenant: tenant, RequestID: id}, replay.Dry(c, "/scim/v2", scim.Principal{ID: "replay", Tenant: tenant}))
	if err != nil || len(all) != 1 {
		return 0, nil, err
	}
	return all[0].Status, all[0].Changes, nil
}

// forget erases what the journal has of a person.
func forget(ctx context.Context, j *journal.Journal, tenant string, user *scim.Resource) (int, error) {
	return j.Erase(ctx, tenant, user.ID(), user.String("userName"), user.String("externalId"), user.String("displayName"), user.Primary("emails"))
}

// End of the code in docs/journal.md.

// A server with a journal answers, ends, and leaves entries that the page's functions show and erase.
func TestJournal(t *testing.T) {
	db, err := sql.Open(sqlitetest.Driver, sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "journal.db")))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	users := memory.New()
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the application") }) //nolint:errcheck // the test reads it
	j, h, err := withJournal(t.Context(), scim.Config{Store: users, Auth: auth.None()}, app, db, []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- serveAndWrite(ctx, j, &http.Server{Handler: h}, l) }()
	send := func(method, path, body string) string {
		r, err := http.NewRequest(method, "http://"+l.Addr().String()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/scim+json")
		answer, err := asClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close() //nolint:errcheck // it is read
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	user := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann","externalId":"7","displayName":"Ann","emails":[{"value":"ann@example.com","primary":true}]}`
	if got := send("GET", "/scim/v2//Users", ""); !strings.Contains(got, `"totalResults":0`) {
		t.Errorf("a base address that ends with a slash: %s", got)
	}
	send("POST", "/scim/v2/Users", user)
	send("POST", "/scim/v2/Users", user)
	if got := send("GET", "/", ""); got != "the application" {
		t.Errorf("the application answers %s", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := errors.Join(timeline(t.Context(), &out, j, "", "ANN@example.com"), openProblems(t.Context(), &out, j, "", time.Now().Add(-time.Hour)), showDays(t.Context(), &out, j, "", time.Now())); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"POST 409 []", "POST 201 [user provisioned]", `User userName: "" -> "\"ann\""`, "1 people since", "for the customer: Somebody has this value already", "anonymous: 1 created, 0 changed", "1 x 409 uniqueness"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
	out.Reset()
	strict := func(context.Context, *scim.Change) error { return &scim.Error{Status: 403, Detail: "no"} }
	for _, tt := range []struct {
		rules []scim.Rule
		want  string
	}{{nil, ""}, {[]scim.Rule{strict}, `POST /scim/v2/Users: "status: was 201, is 403"`}} {
		h, err := scim.New(scim.Config{Store: memory.New(), Auth: auth.Bearer(auth.TokenOf("secret")), Rules: tt.rules})
		if err != nil {
			t.Fatal(err)
		}
		err = sameAnswers(t.Context(), &out, j, "", time.Now().Add(-time.Hour), scim.Mount("/scim/v2", h, app), "secret")
		if err != nil || tt.want == "" && out.Len() > 0 || !strings.Contains(out.String(), tt.want) {
			t.Errorf("the replay: %s, %v, want %s", &out, err, tt.want)
		}
	}
	dry, err := scim.New(scim.Config{Store: users, Auth: auth.None(), Roles: &scim.Roles{Resolver: testhost.NewRoles(), Separate: true}})
	if err != nil {
		t.Fatal(err)
	}
	reconciler, err := dry.Reconciler(nil)
	if err != nil {
		t.Fatal(err)
	}
	created, err := j.Find(t.Context(), journal.Query{Event: scim.UserProvisioned})
	if err != nil || len(created) != 1 {
		t.Fatal(created, err)
	}
	if status, _, err := answerNow(t.Context(), j, "", created[0].ID, reconciler); status != 409 || err != nil {
		t.Errorf("the same request now: %d, %v", status, err) // she is there
	}
	page, err := users.List(t.Context(), scim.UserType(), &scim.Query{Limit: 1})
	if err != nil || len(page.Resources) != 1 {
		t.Fatal(err)
	}
	if n, err := forget(t.Context(), j, "", page.Resources[0]); n != 2 || err != nil {
		t.Errorf("%d entries are erased, %v", n, err)
	}
}

// asClient follows no redirects, like the clients of identity providers.
var asClient = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// The whole application serves its own users to a client with a token, and keeps what it sent.
func TestWholeApplication(t *testing.T) {
	db := database(t, append(tablesOfMapped(), "INSERT INTO users (email, kind) VALUES ('ann@example.com', 'person')")...)
	all, err := openTokens(t.Context(), db, sqlstore.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := all.Tenant("").Issue(t.Context(), tokens.Request{Label: "Okta"})
	if err != nil {
		t.Fatal(err)
	}
	entries, key := database(t), []byte("0123456789abcdef0123456789abcdef")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serveAll(ctx, db, entries, key, http.NotFoundHandler(), l) }()
	r, err := http.NewRequest(http.MethodGet, "http://"+l.Addr().String()+"/scim/v2/Users/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	answer, err := asClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(text), `"userName":"ann@example.com"`) {
		t.Errorf("%s %s, %v", answer.Status, text, err)
	}
	answer.Body.Close() //nolint:errcheck // it is read
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	j, _, err := withJournal(t.Context(), scim.Config{Store: memory.New(), Auth: auth.None()}, nil, entries, key)
	if err != nil {
		t.Fatal(err)
	}
	found, err := j.Find(t.Context(), journal.Query{Person: "ann@example.com"})
	if err != nil || len(found) != 1 || found[0].Status != http.StatusOK {
		t.Errorf("the journal has %+v, %v", found, err)
	}
}

// A request that has begun when the process is told to end is answered, and is in the journal. So the journal must not
// be closed, nor the process end, before the server has let go of its last request.
func TestJournalOfLastRequest(t *testing.T) {
	db, err := sql.Open(sqlitetest.Driver, sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "journal.db")))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	begun, goOn := make(chan struct{}), make(chan struct{})
	slow := func(context.Context, *scim.Change) error {
		close(begun)
		<-goOn
		return nil
	}
	j, h, err := withJournal(t.Context(), scim.Config{Store: memory.New(), Auth: auth.None(), Rules: []scim.Rule{slow}}, http.NotFoundHandler(), db, []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended, answered := make(chan error, 1), make(chan string, 1)
	go func() { ended <- serveAndWrite(ctx, j, &http.Server{Handler: h}, l) }()
	go func() {
		answer, err := asClient.Post("http://"+l.Addr().String()+"/scim/v2/Users", "application/scim+json",
			strings.NewReader(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann"}`))
		if err != nil {
			answered <- err.Error()
			return
		}
		answer.Body.Close() //nolint:errcheck // only the status matters
		answered <- answer.Status
	}()
	<-begun
	cancel()
	select {
	case err := <-ended:
		t.Errorf("the program ends while a request runs: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	close(goOn)
	if got := <-answered; got != "201 Created" {
		t.Errorf("the request is answered: %s", got)
	}
	if !t.Failed() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	all, err := j.Find(t.Context(), journal.Query{Person: "ann"})
	if err != nil || len(all) != 1 {
		t.Errorf("the journal has %d entries, %v", len(all), err)
	}
}

// Each tenant has the entries of its own client, and they have the label of its token.
func TestJournalOfTenants(t *testing.T) {
	db := database(t,
		"CREATE TABLE customers (slug text UNIQUE, id text PRIMARY KEY, scim text NOT NULL, other_sync text NOT NULL)",
		"INSERT INTO customers VALUES ('acme', '1', 'on', ''), ('beta', '2', 'on', '')")
	app := &Customers{db, func(string) (scim.Store, error) { return memory.New(), nil }}
	all, err := tokens.New(tokens.NewMemory(), tokens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.New(journal.NewMemory(1<<20), journal.Options{Keys: journal.NewEphemeralKeys(), Label: labels(all)})
	if err != nil {
		t.Fatal(err)
	}
	h, err := keepForAll(app, all, j, nil)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	for slug, id := range map[string]string{"acme": "1", "beta": "2"} {
		secret, _, err := all.Tenant(id).Issue(t.Context(), tokens.Request{Label: "Okta of " + slug})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/API/enterprise/scim/Users", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = slug + ".example.com"
		r.Header.Set("Authorization", "Bearer "+secret)
		answer, err := asClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close() //nolint:errcheck // only the journal matters
	}
	if err := j.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for slug, id := range map[string]string{"acme": "1", "beta": "2"} {
		found, err := j.Find(t.Context(), journal.Query{Tenant: id})
		if err != nil || len(found) != 1 || found[0].Status != http.StatusOK || found[0].Detail.Label != "Okta of "+slug {
			t.Errorf("%s: %+v, %v", slug, found, err)
		}
	}
}
