package signin_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/auth/signin"
	"github.com/scimkit/scim/store/memory"
)

const (
	okta     = "https://acme.okta.com"
	keycloak = "https://sso.example.com/realms/acme"
	entraID  = "72f988bf-0000-0000-0000-2d7cd011db47"
	entra    = "https://login.microsoftonline.com/" + entraID + "/v2.0"
	google   = "https://accounts.google.com"
)

// world is a store with people whom a client has provisioned.
type world struct {
	*testing.T
	store scim.Store
	h     *scim.Handler
	ids   map[string]string // by userName
}

func newWorld(t *testing.T, store scim.Store, users ...string) *world {
	t.Helper()
	h, err := scim.New(scim.Config{Store: store, Auth: auth.None(), Log: slog.New(slog.DiscardHandler),
		Types: []*scim.ResourceType{signin.UserType(), scim.GroupType()}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t, store, h, map[string]string{}}
	for _, body := range users {
		out := w.send("POST", "/Users", body)
		_, rest, _ := strings.Cut(body, `"userName": "`)
		name, _, _ := strings.Cut(rest, `"`)
		w.ids[name] = path.Base(out.Header().Get("Location"))
		if out.Code != 201 {
			t.Fatal(out.Code, out.Body)
		}
	}
	return w
}

func (w *world) send(method, target, body string) *httptest.ResponseRecorder {
	out := httptest.NewRecorder()
	w.h.ServeHTTP(out, httptest.NewRequest(method, target, strings.NewReader(body)))
	return out
}

func (w *world) people(change func(o *signin.Options)) *signin.People {
	w.Helper()
	o := signin.Options{Store: w.store, Issuers: []signin.Issuer{signin.Okta(okta), signin.Keycloak(keycloak), signin.Entra(entraID), signin.Google("acme.com")}}
	if change != nil {
		change(&o)
	}
	p, err := signin.New(o)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// staff are the people of most tests.
var staff = []string{
	`{"userName": "ann@acme.com", "externalId": "00u1", "emails": [{"value": "ann@acme.com", "type": "work"}]}`,
	`{"userName": "bob@acme.com", "emails": [{"value": "shared@acme.com"}]}`,
	`{"userName": "cy@acme.com", "externalId": "c0ffee", "active": false, "emails": [{"value": "shared@acme.com"}]}`,
	`{"userName": "dee@acme.com", "externalId": "oid-dee"}`,
	`{"userName": "eve \"x\"@acme.com"}`,
}

type claims = map[string]any

func TestSignIn(t *testing.T) {
	const saml = "https://accounts.google.com/o/saml2?idpid=C01"
	bySAML := signin.Issuer{Name: saml, Match: []signin.Match{{Claim: "sub", Attribute: "userName"}}}
	byMail := signin.Issuer{Name: "https://mail", Match: []signin.Match{{"email", "emails.value"}}}
	for _, c := range []struct {
		name, issuer, subject string
		claims                claims
		want                  string // the userName
		err                   error
		reason                string
	}{
		{"by externalId", okta, "00u1", nil, "ann@acme.com", nil, "Okta's id is sub and externalId"},
		{"externalId in another case", okta, "00U1", nil, "", signin.ErrUnknown, "ids are case-exact"},
		{"by userName", okta, "00u2", claims{"preferred_username": "BOB@acme.com"}, "bob@acme.com", nil, "no externalId contradicts, and names have no case"},
		{"somebody else's name", okta, "00u9", claims{"preferred_username": "ann@acme.com"}, "", signin.ErrOtherPerson, "the externalId differs: the address was given to another person"},
		{"nobody", okta, "00u9", claims{"preferred_username": "zoe@acme.com"}, "", signin.ErrUnknown, "not provisioned"},
		{"no claims", okta, "00u9", nil, "", signin.ErrUnknown, "nothing to look for"},
		{"inactive", keycloak, "c0ffee", nil, "", signin.ErrInactive, "the person has left"},
		{"other issuer", "https://evil.okta.com", "00u1", nil, "", signin.ErrOtherTenant, "everybody can have an issuer"},
		{"issuer with a slash", okta + "/", "00u1", nil, "", signin.ErrOtherTenant, "letter by letter (OpenID Connect Core 1.0, Section 3.1.3.7)"},
		{"no subject", okta, "", claims{"preferred_username": "bob@acme.com"}, "", signin.ErrClaims, "nothing identifies the person"},
		{"long subject", okta, strings.Repeat("x", 2000), nil, "", signin.ErrClaims, "no issuer has such ones"},
		{"subject with U+0000", okta, "00u\x00", nil, "", signin.ErrClaims, "PostgreSQL refuses it"},
		{"claim that is no UTF-8", okta, "00u9", claims{"preferred_username": "\xff"}, "", signin.ErrUnknown, "no user has it"},
		{"claim of another type", okta, "00u9", claims{"preferred_username": []any{"bob@acme.com"}}, "", signin.ErrUnknown, "a list is no name"},
		{"filter in a claim", okta, "00u9", claims{"preferred_username": `x" or userName pr or userName eq "`}, "", signin.ErrUnknown, "a value is a value"},
		{"quotes in a claim", okta, "00u3", claims{"preferred_username": `eve "x"@acme.com`}, `eve "x"@acme.com`, nil, "names may have them"},
		{"Entra", entra, "pairwise", claims{"tid": entraID, "oid": "oid-dee"}, "dee@acme.com", nil, "sub is pairwise, oid is the objectId"},
		{"Entra without oid", entra, "oid-dee", claims{"tid": entraID}, "", signin.ErrClaims, "sub must not take its place"},
		{"Entra, other directory", entra, "pairwise", claims{"tid": "another", "oid": "oid-dee"}, "", signin.ErrOtherTenant, "a token of another directory"},
		{"Entra by address", entra, "pairwise", claims{"tid": entraID, "oid": "new", "email": "ann@acme.com", "email_verified": true}, "", signin.ErrUnknown, "people set it themselves"},
		{"Google", google, "1078", claims{"hd": "acme.com", "email": "ann@acme.com", "email_verified": true}, "ann@acme.com", nil, "the address is the userName"},
		{"Google without hd", google, "1078", claims{"email": "ann@acme.com", "email_verified": true}, "", signin.ErrOtherTenant, "a private account with that address"},
		{"unverified", google, "1078", claims{"hd": "acme.com", "email": "ann@acme.com", "email_verified": false}, "", signin.ErrUnverified, "anybody can enter it"},
		{"not known to be verified", google, "1078", claims{"hd": "acme.com", "email": "ann@acme.com"}, "", signin.ErrUnverified, "missing is not true"},
		{"unverified and unknown", google, "1078", claims{"hd": "acme.com", "email": "zoe@acme.com"}, "", signin.ErrUnknown, "nobody has it"},
		{"SAML", saml, "Ann@acme.com", nil, "ann@acme.com", nil, "the NameID of Google's SAML app is the address"},
		{"SAML's subject at another issuer", google, "ann@acme.com", claims{"hd": "acme.com"}, "", signin.ErrUnknown, "each issuer has its own Match"},
		{"two people", "https://mail", "1", claims{"email": "shared@acme.com", "email_verified": "true"}, "", signin.ErrAmbiguous, "one of them is inactive, which does not decide"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, allow := range []bool{false, true} {
				w := newWorld(t, memory.New(), staff...)
				p := w.people(func(o *signin.Options) {
					o.AllowUnknown = allow
					o.Issuers = append(o.Issuers, byMail, bySAML)
				})
				before := w.send("GET", "/Users", "").Body.String()
				person, err := p.SignIn(t.Context(), c.issuer, c.subject, c.claims)
				wantErr := c.err
				if allow && errors.Is(c.err, signin.ErrUnknown) {
					wantErr = nil
				}
				if !errors.Is(err, wantErr) || wantErr == nil && err != nil {
					t.Fatalf("error %v, want %v: %s", err, wantErr, c.reason)
				}
				got := ""
				if person.User != nil {
					got = person.User.String("userName")
				}
				if got != c.want || person.IsFirst != (c.want != "") || person.IsProvisioned != (c.want != "") {
					t.Errorf("%q signs in (%+v), want %q: %s", got, person, c.want, c.reason)
				}
				if diff := cmp.Diff(before, w.send("GET", "/Users", "").Body.String()); diff != "" {
					t.Errorf("clients see the sign-in (-before +after):\n%s", diff)
				}
				again, err := p.SignIn(t.Context(), c.issuer, c.subject, c.claims)
				if !errors.Is(err, wantErr) || again.IsFirst || (again.User == nil) != (person.User == nil) {
					t.Errorf("again: %+v, error %v", again, err)
				}
			}
		})
	}
}

// A subject is written once. Neither another subject nor a client changes it, and Forget erases it.
func TestWriteOnce(t *testing.T) {
	w := newWorld(t, memory.New(), staff...)
	p := w.people(nil)
	in := func(what, subject string, want error) {
		t.Helper()
		if _, err := p.SignIn(t.Context(), okta, subject, claims{"preferred_username": "bob@acme.com"}); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: error %v, want %v", what, err, want)
		}
	}
	in("the first", "00u2", nil)
	in("another person with the name", "00u3", signin.ErrOtherPerson)
	bob := "/Users/" + w.ids["bob@acme.com"]
	for _, body := range []string{
		`{"userName": "bob@acme.com"}`,
		`{"userName": "bob@acme.com", "` + signin.URN + `": {"subject": "` + okta + ` 00u3"}}`,
	} {
		if out := w.send("PUT", bob, body); out.Code != 200 || strings.Contains(out.Body.String(), "subject") {
			t.Errorf("PUT: %d %s", out.Code, out.Body)
		}
		in("after a PUT", "00u3", signin.ErrOtherPerson)
		in("after a PUT", "00u2", nil)
	}
	if out := w.send("PATCH", bob, `{"Operations": [{"op": "replace", "path": "`+signin.SubjectPath+`", "value": "`+okta+` 00u3"}]}`); out.Code == 200 {
		t.Errorf("PATCH: %d %s", out.Code, out.Body)
	}
	in("after a PATCH", "00u2", nil)
	if err := p.Forget(t.Context(), w.ids["bob@acme.com"]); err != nil {
		t.Fatal(err)
	}
	if err := p.Forget(t.Context(), "unknown"); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("Forget of an unknown user: %v", err)
	}
	in("after Forget", "00u3", nil)
	in("the former subject", "00u2", signin.ErrOtherPerson)
}

// With an index on the subject people sign in while a change of their name has not arrived.
func TestSubjectFirst(t *testing.T) {
	w := newWorld(t, memory.New(memory.Index(signin.SubjectPath)), staff...)
	p := w.people(func(o *signin.Options) { o.Indexed = []string{signin.SubjectPath} })
	if _, err := p.SignIn(t.Context(), okta, "00u2", claims{"preferred_username": "bob@acme.com"}); err != nil {
		t.Fatal(err)
	}
	person, err := p.SignIn(t.Context(), okta, "00u2", claims{"preferred_username": "robert@acme.com"})
	if err != nil || person.User.String("userName") != "bob@acme.com" {
		t.Errorf("%+v, error %v", person, err)
	}
	w.send("PUT", "/Users/"+w.ids["bob@acme.com"], `{"userName": "bob@acme.com", "active": false}`)
	if _, err := p.SignIn(t.Context(), okta, "00u2", nil); !errors.Is(err, signin.ErrInactive) {
		t.Errorf("after the deactivation: %v", err)
	}
}

// watched is a store that looks how it is asked.
type watched struct {
	*memory.Store
	t *testing.T
	n int
}

func (s *watched) List(ctx context.Context, rt *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	s.n++
	isIndexed := false
	for _, path := range []string{"userName", "externalId", "emails.value"} {
		_, ok := q.Filter.Eq(path)
		isIndexed = isIndexed || ok
	}
	if !isIndexed || q.Limit != 2 || q.Total {
		s.t.Errorf("the query %q, limit %d, total %t reads more than two users", q.Filter.Text(), q.Limit, q.Total)
	}
	return s.Store.List(ctx, rt, q)
}

// A sign-in asks by indexes only, at most once for each Match.
func TestLookUps(t *testing.T) {
	s := &watched{Store: memory.New(), t: t}
	w := newWorld(t, s, staff...)
	p := w.people(func(o *signin.Options) {
		o.Issuers = append(o.Issuers, signin.Issuer{Name: "https://all", Match: []signin.Match{{"sub", "externalId"}, {"preferred_username", "userName"}, {"email", "emails.value"}}})
	})
	s.n = 0
	if _, err := p.SignIn(t.Context(), "https://all", "1", claims{"preferred_username": "x", "email": "y", "email_verified": true}); !errors.Is(err, signin.ErrUnknown) || s.n != 3 {
		t.Errorf("%d look-ups, error %v", s.n, err)
	}
}

// claimer is a store in which the application has made all users but one.
type claimer struct {
	*memory.Store
	claimed string
	err     error
}

func (c *claimer) IsClaimed(_ context.Context, ref scim.Ref) (bool, error) {
	return ref.ID == c.claimed, c.err
}
func (c *claimer) Claim(context.Context, scim.Ref) error { return nil }
func (c *claimer) UnclaimedMembers(context.Context, string, scim.Ref, int) ([]scim.Ref, error) {
	return nil, nil
}

// A user whom no client has claimed is not provisioned. If unknown people may sign in, it is that user and no second one.
func TestUnclaimed(t *testing.T) {
	s := &claimer{Store: memory.New()}
	w := newWorld(t, s, staff...)
	s.claimed = w.ids["ann@acme.com"]
	for _, c := range []struct {
		name, subject string
		allow         bool
		want          string
		err           error
	}{
		{"claimed", "00u1", false, "ann@acme.com true", nil},
		{"unclaimed", "00u2", false, "", signin.ErrUnknown},
		{"unclaimed, allowed", "00u2", true, "bob@acme.com false", nil},
		{"unclaimed, another subject", "00u3", true, "bob@acme.com false", nil},
	} {
		p := w.people(func(o *signin.Options) { o.AllowUnknown = c.allow })
		var name any = "bob@acme.com"
		if c.subject == "00u1" {
			name = nil
		}
		person, err := p.SignIn(t.Context(), okta, c.subject, claims{"preferred_username": name})
		got := ""
		if person.User != nil {
			got = fmt.Sprint(person.User.String("userName"), " ", person.IsProvisioned)
		}
		if got != c.want || !errors.Is(err, c.err) || c.err == nil && err != nil {
			t.Errorf("%s: %q, error %v, want %q, %v", c.name, got, err, c.want, c.err)
		}
	}
	s.err = errors.New("the database is gone")
	if _, err := w.people(nil).SignIn(t.Context(), okta, "00u1", nil); !errors.Is(err, s.err) {
		t.Errorf("error %v", err)
	}
}

func TestNew(t *testing.T) {
	_, err := signin.New(signin.Options{Type: scim.UserType(), Issuers: []signin.Issuer{
		{Name: "a b"}, {Name: "twice", Match: []signin.Match{{"x", "nothing"}}},
		{Name: "twice", Match: []signin.Match{{"", "name.familyName"}}},
	}})
	for _, want := range []string{"Store is missing", "add Extension", `"a b" has no usable name`, `"a b" has no Match`, "twice", `"nothing"`, `"name.familyName" needs an index`, "has no claim"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q too", err, want)
		}
	}
	if _, err := signin.New(signin.Options{}); err == nil || !strings.Contains(err.Error(), "Issuers is empty") {
		t.Errorf("error %v", err)
	}
	if _, err := signin.New(signin.Options{Store: memory.New(), Indexed: []string{"name.familyName"},
		Issuers: []signin.Issuer{{Name: "x", Match: []signin.Match{{"family_name", "name.familyName"}}}}}); err != nil {
		t.Error(err)
	}
}

// Two sign-ins of two subjects at once: one of them is the person.
func TestBindAtOnce(t *testing.T) {
	w := newWorld(t, memory.New(), staff...)
	p := w.people(nil)
	for range 20 {
		if err := p.Forget(t.Context(), w.ids["bob@acme.com"]); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		in, first := 0, 0
		for i := range 4 {
			wg.Go(func() {
				person, err := p.SignIn(t.Context(), okta, fmt.Sprint("00x", i), claims{"preferred_username": "bob@acme.com"})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					in++
				} else if !errors.Is(err, signin.ErrOtherPerson) {
					t.Error(err)
				}
				if person.IsFirst {
					first++
				}
			})
		}
		wg.Wait()
		if in != 1 || first != 1 {
			t.Fatalf("%d of 4 subjects are bound, %d first", in, first)
		}
	}
}
