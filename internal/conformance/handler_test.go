package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

func TestRefusals(t *testing.T) {
	big := `{"userName":"` + strings.Repeat("x", 1<<20) + `"}`
	deep := strings.Repeat(`{"name":`, 10_000) + "1" + strings.Repeat("}", 10_000)
	tests := []struct {
		name, method, target, body string
		header                     []string
		status                     int
		scimType                   string
		detail                     string // a part of the detail
		reason                     string
	}{
		{"no token", "GET", "/Users", "", []string{"Authorization: "}, 401, "", "credentials in the Authorization header", "nothing is served to strangers"},
		{"wrong token", "GET", "/Users", "", []string{"Authorization: Bearer nope"}, 401, "", "credentials in the Authorization header", "nor to those with another token"},
		{"no token before a bad body", "POST", "/Users", "{", []string{"Authorization: "}, 401, "", "credentials in the Authorization header", "authentication comes before parsing"},
		{"no token on an unknown route", "GET", "/Nope", "", []string{"Authorization: "}, 401, "", "credentials in the Authorization header", "strangers do not learn which routes there are"},
		{"unknown route", "GET", "/Nope", "", nil, 404, "", "/Users", "the answer lists what there is"},
		{"too long a route", "GET", "/Users/1/name", "", nil, 404, "", "nothing at this address", "there is nothing below a resource"},
		{"unknown id", "GET", "/Users/nope", "", nil, 404, "", `User "nope" does not exist`, "RFC 7644, Section 3.12"},
		{"id with a slash", "GET", "/Users/a%2Fb", "", nil, 404, "", `User "a/b"`, "an escaped slash belongs to the id"},
		{"id with a NUL", "GET", "/Users/a%00b", "", nil, 404, "", "", "databases choke on it"},
		{"PUT on a list", "PUT", "/Users", "{}", nil, 405, "", "POST", "the answer says what is possible"},
		{"PATCH on a discovery document", "PATCH", "/Schemas", "{}", nil, 405, "", "GET", "they are read-only"},
		{"GET of Bulk", "GET", "/Bulk", "", nil, 405, "", "POST", "RFC 7644, Section 3.7: there is only POST"},
		{"Me", "GET", "/Me", "", nil, 501, "", "not supported", "RFC 7644, Section 3.11"},
		{"search with a list", "POST", "/Users/.search", "[]", nil, 400, "invalidSyntax", "SearchRequest", "RFC 7644, Section 3.4.3"},
		{"search with an empty filter", "POST", "/.search", `{"filter":" "}`, nil, 400, "invalidFilter", "empty", "as in a query string"},
		{"deep query of the root", "GET", "/?startIndex=9990&count=100", "", nil, 400, "tooMany", "filter", "it would merge everything"},
		{"cursor of somebody else", "GET", "/Users?cursor=abc", "", nil, 400, "invalidCursor", "begin again", "RFC 9865, Section 2"},
		{"cursor and index", "GET", "/Users?cursor=&startIndex=2", "", nil, 400, "invalidValue", "exclude", "two ways to page at once"},
		{"body over the limit", "POST", "/Users", big, nil, 413, "", "1048576 bytes", "1 MiB is the default"},
		{"text body", "POST", "/Users", "{}", []string{"Content-Type: text/plain"}, 415, "", "application/scim+json", "it says what is accepted"},
		{"wants XML", "GET", "/Users", "", []string{"Accept: text/xml"}, 406, "", "application/scim+json", "there is only JSON"},
		{"no JSON", "POST", "/Users", "{", nil, 400, "invalidSyntax", "", "RFC 7644, table 9"},
		{"an array", "POST", "/Users", "[]", nil, 400, "invalidSyntax", "", "a resource is an object"},
		{"two objects", "POST", "/Users", `{"userName":"a"}{}`, nil, 400, "invalidSyntax", "", "one body, one resource"},
		{"duplicate key", "POST", "/Users", `{"userName":"a","userName":"b"}`, nil, 400, "invalidSyntax", "", "which one counts is nobody's guess"},
		{"invalid UTF-8", "POST", "/Users", "{\"userName\":\"\xff\"}", nil, 400, "invalidSyntax", "", "RFC 8259, Section 8.1"},
		{"deep nesting", "POST", "/Users", deep, nil, 400, "invalidSyntax", "", "refused, cheaply"},
		{"no userName", "POST", "/Users", "{}", nil, 400, "invalidValue", "userName", "it is required"},
		{"wrong type", "POST", "/Users", `{"userName":5}`, nil, 400, "invalidValue", "userName", "it is a string"},
		{"bad filter", "GET", "/Users?filter=userName+equals+%22x%22", "", nil, 400, "invalidFilter", "", "RFC 7644, Section 3.4.2.2"},
		{"empty filter", "GET", "/Users?filter=", "", nil, 400, "invalidFilter", "empty", "it must not read as: everything"},
		{"unknown attribute in a filter", "GET", "/Users?filter=nope+eq+%22x%22", "", nil, 400, "invalidFilter", "nope", "never the unfiltered list"},
		{"filter by password", "GET", "/Users?filter=password+eq+%22x%22", "", nil, 400, "invalidFilter", "password", "it is never readable"},
		{"long filter", "GET", "/Users?filter=" + strings.Repeat("a", 5000), "", nil, 400, "invalidFilter", "4096", "the limit is named"},
		{"broken escape in the query", "GET", "/Users?filter=%zz", "", nil, 400, "invalidValue", "query", "a filter that cannot be read is not: no filter"},
		{"path behind a flag", "GET", "/?aadOptscim062020/Users?filter=id+pr", "", nil, 400, "invalidValue", "path", "Q53: not a query of the root for everything"},
		{"count is no number", "GET", "/Users?count=many", "", nil, 400, "invalidValue", "count", "it says which parameter"},
		{"sort by an unknown attribute", "GET", "/Users?sortBy=nope", "", nil, 400, "invalidPath", "nope", "RFC 7644, Section 3.4.2.3"},
		{"sort order", "GET", "/Users?sortBy=userName&sortOrder=up", "", nil, 400, "invalidValue", "ascending", "it says what is allowed"},
		{"both selections", "GET", "/Users?attributes=id&excludedAttributes=name", "", nil, 400, "invalidValue", "exclude each other", "RFC 7644, Section 3.9"},
		{"members with another operator", "GET", "/Groups?filter=members.value+co+%22x%22", "", nil, 400, "invalidFilter", "members", "memberships are looked up, not scanned"},
		{"patch without operations", "PATCH", "/Users/nope", `{}`, nil, 400, "invalidSyntax", "Operations", "judged before the resource is looked for"},
		{"filter on discovery", "GET", "/Schemas?filter=id+pr", "", nil, 403, "", "filter", "RFC 7644, Section 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := testhost.Handler(t, nil)
			res := testhost.Do(t, h, tt.method, tt.target, tt.body, tt.header...)
			if res.StatusCode != tt.status {
				t.Fatalf("status %d, want %d (%s)", res.StatusCode, tt.status, tt.reason)
			}
			if got := res.Header.Get("Content-Type"); got != "application/scim+json" {
				t.Errorf("Content-Type %q", got)
			}
			body := testhost.Decode(t, res)
			detail, _ := body["detail"].(string)
			if !strings.Contains(detail, tt.detail) || detail == "" {
				t.Errorf("detail %q does not contain %q", detail, tt.detail)
			}
			delete(body, "detail")
			want := map[string]any{"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:Error"}, "status": fmt.Sprint(tt.status)}
			if tt.scimType != "" {
				want["scimType"] = tt.scimType
			}
			if diff := cmp.Diff(want, body); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
			if n := testhost.Decode(t, testhost.Do(t, h, "GET", "/Users?count=0", ""))["totalResults"]; n != 0.0 {
				t.Errorf("%v users are stored after a refusal", n)
			}
		})
	}
}

func TestMounting(t *testing.T) {
	h := testhost.Handler(t, nil)
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "the app") }) //nolint:errcheck
	plain := http.NewServeMux()
	plain.Handle("/scim/v2/", h)
	stripped := http.NewServeMux()
	stripped.Handle("/scim/v2/", http.StripPrefix("/scim/v2", h))
	router := chi.NewRouter()
	router.Mount("/scim/v2", h)
	tests := []struct {
		name   string
		h      http.Handler
		prefix string
		double bool // the mux passes "//Users" on
	}{
		{"bare", h, "", true},
		{"Mount", scim.Mount("/scim/v2", h, app), "/scim/v2", true},
		{"Mount with slashes", scim.Mount("scim/v2/", h, app), "/scim/v2", true},
		{"Mount at the root", scim.Mount("/", h, app), "", true},
		{"ServeMux", plain, "/scim/v2", false},
		{"StripPrefix", stripped, "/scim/v2", false},
		{"chi", router, "/scim/v2", true},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := fmt.Sprintf("user%d", i)
			res := testhost.Do(t, tt.h, "POST", tt.prefix+"/Users", `{"userName":"`+name+`"}`)
			if res.StatusCode != 201 {
				t.Fatalf("POST: %d", res.StatusCode)
			}
			id, _ := testhost.Decode(t, res)["id"].(string)
			want := "http://example.com" + tt.prefix + "/Users/" + id
			if got := res.Header.Get("Location"); got != want {
				t.Errorf("Location %q, want %q", got, want)
			}
			paths := []string{"/Users/" + id, "/Users/" + id + "/", "/Users/" + id + "?aadOptscim062020"}
			if tt.double {
				paths = append(paths, "//Users/"+id, "/Users//"+id)
			}
			for _, path := range paths {
				res := testhost.Do(t, tt.h, "GET", tt.prefix+path, "")
				if res.StatusCode != 200 {
					t.Errorf("GET %s: %d", path, res.StatusCode)
					continue
				}
				meta, _ := testhost.Decode(t, res)["meta"].(map[string]any)
				if meta["location"] != want {
					t.Errorf("GET %s: meta.location %v, want %s", path, meta["location"], want)
				}
			}
		})
	}
	if b, _ := io.ReadAll(testhost.Do(t, scim.Mount("/scim/v2", h, app), "GET", "/scim/v2x", "").Body); string(b) != "the app" {
		t.Errorf("a path that only begins like the prefix does not reach the app: %s", b)
	}
}

func TestBaseURL(t *testing.T) {
	proxy := netip.MustParsePrefix("192.0.2.0/24") // httptest's client is 192.0.2.1
	tests := []struct {
		name    string
		base    string
		proxies []netip.Prefix
		host    string
		header  []string
		want    string
	}{
		{"from the request", "", nil, "app.example.com", nil, "http://app.example.com/Users/"},
		{"configured", "https://app.example.com/scim/v2/", nil, "evil.example.com", nil, "https://app.example.com/scim/v2/Users/"},
		{"forwarded by a stranger", "", nil, "app.example.com", []string{"X-Forwarded-Host: evil.example.com", "X-Forwarded-Proto: https"}, "http://app.example.com/Users/"},
		{"forwarded by the proxy", "", []netip.Prefix{proxy}, "internal:8080", []string{"X-Forwarded-Host: app.example.com", "X-Forwarded-Proto: https"}, "https://app.example.com/Users/"},
		{"no host", "", nil, `"><script>`, nil, "http://localhost/Users/"},
		{"user in the host", "", nil, "a@b", nil, "http://localhost/Users/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := testhost.Handler(t, func(c *scim.Config) { c.BaseURL, c.TrustedProxies = tt.base, tt.proxies })
			r := httptest.NewRequest("POST", "/Users", strings.NewReader(`{"userName":"a"}`))
			r.Host = tt.host
			r.Header.Set("Authorization", testhost.Secret)
			for _, l := range tt.header {
				name, value, _ := strings.Cut(l, ": ")
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := w.Header().Get("Location"); !strings.HasPrefix(got, tt.want) {
				t.Errorf("Location %q, want %s…", got, tt.want)
			}
		})
	}
}

func TestNewReportsEveryMistake(t *testing.T) {
	_, err := scim.New(scim.Config{BaseURL: "app.example.com", Without: []scim.Tolerance{"nope"}, Roles: &scim.Roles{}, Store: testhost.NewBareStore()})
	for _, want := range []string{"Auth: is missing", "BaseURL", `"nope"`, "Roles.Resolver: is missing", "Roles.Ledger: is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not mention %q: %v", want, err)
		}
	}
	_, err = scim.New(scim.Config{Auth: auth.None()})
	if err == nil || !strings.Contains(err.Error(), "Store: is missing") {
		t.Errorf("no store: %v", err)
	}
}

// The fields that Config shares with Tenant have no meaning beside TenantFor. The error of
// New names those that are set, and no others.
func TestNewRefusesFieldsBesideTenantFor(t *testing.T) {
	store := memory.New()
	full := scim.Config{Store: store, Types: []*scim.ResourceType{scim.UserType()}, Roles: &scim.Roles{}, Rules: []scim.Rule{nil},
		Allow: func(context.Context, scim.Access) error { return nil }, BaseURL: "https://app.example.com", Strict: true,
		Without: []scim.Tolerance{"op-case"}, Members: scim.MemberPolicy{KeepAbsent: true}, Me: &scim.SelfService{},
		Seats: func(context.Context) (int, error) { return 1, nil }, OnWrite: func(context.Context, *scim.Written) error { return nil }}
	tenant := reflect.TypeFor[scim.Tenant]()
	names := map[string]bool{}
	for i := range tenant.NumField() {
		if name := tenant.Field(i).Name; name != "ID" {
			names[name] = true
		}
	}
	refused := func(set map[string]bool) map[string]bool {
		c := scim.Config{Auth: auth.None(), TenantFor: func(context.Context, scim.Principal) (*scim.Tenant, error) { return &scim.Tenant{Store: store}, nil }}
		for name := range set {
			v := reflect.ValueOf(full).FieldByName(name)
			if v.IsZero() {
				t.Fatalf("this test does not set Config.%s", name)
			}
			reflect.ValueOf(&c).Elem().FieldByName(name).Set(v)
		}
		_, err := scim.New(c)
		named := map[string]bool{}
		if err != nil {
			_, list, _ := strings.Cut(err.Error(), "must not have them: ")
			for _, name := range strings.Split(list, ", ") {
				named[name] = true
			}
		}
		return named
	}
	for name := range names {
		if diff := cmp.Diff(map[string]bool{name: true}, refused(map[string]bool{name: true})); diff != "" {
			t.Errorf("%s beside TenantFor: named fields (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(names, refused(names)); diff != "" {
		t.Errorf("all beside TenantFor: named fields (-want +got):\n%s", diff)
	}
	if got := refused(nil); len(got) > 0 {
		t.Errorf("TenantFor alone is refused for %v", got)
	}
}

// faulty is a store whose next calls fail.
type faulty struct {
	*memory.Store
	fail func() error
}

func (f *faulty) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	if f.fail != nil {
		if err := f.fail(); err != nil {
			return nil, err
		}
	}
	return f.Store.Get(ctx, ref)
}

func TestHostErrors(t *testing.T) {
	internals := "pq: relation \"users\" does not exist"
	tests := []struct {
		name   string
		fail   func() error
		status int
		retry  string
		logged string
	}{
		{"unknown error", func() error { return errors.New(internals) }, 500, "", internals},
		{"panic", func() error { panic(internals) }, 500, "", internals},
		{"its own Error", func() error {
			return fmt.Errorf("wrapped: %w", &scim.Error{Status: 503, Detail: "later", RetryAfter: 3 * time.Second, Err: errors.New(internals)})
		}, 503, "3", internals},
		{"deadline", func() error { return context.DeadlineExceeded }, 503, "1", "deadline"},
		{"not found", func() error { return fmt.Errorf("row: %w", scim.ErrNotFound) }, 404, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			h := testhost.Handler(t, func(c *scim.Config) {
				c.Store = &faulty{memory.New(), tt.fail}
				c.Log = slog.New(slog.NewTextHandler(&log, nil))
			})
			res := testhost.Do(t, h, "GET", "/Users/1", "")
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != tt.status || res.Header.Get("Retry-After") != tt.retry {
				t.Errorf("%d, Retry-After %q; want %d, %q", res.StatusCode, res.Header.Get("Retry-After"), tt.status, tt.retry)
			}
			if strings.Contains(string(body), "relation") || !json.Valid(body) {
				t.Errorf("the client sees %s", body)
			}
			if tt.logged != "" && !strings.Contains(log.String(), strings.ReplaceAll(tt.logged, `"`, `\"`)) {
				t.Errorf("the log lacks the cause:\n%s", &log)
			}
			if tt.name == "panic" && !strings.Contains(log.String(), "faulty") {
				t.Errorf("the log lacks the stack:\n%s", &log)
			}
		})
	}
}

// withPasswords is a store that takes passwords.
type withPasswords struct {
	*memory.Store
	got []string
}

func (s *withPasswords) SetPassword(_ context.Context, userID, password string) error {
	s.got = append(s.got, password)
	return nil
}

// A password reaches only the PasswordSetter.
func TestPasswordGoesNowhereElse(t *testing.T) {
	var seen bytes.Buffer // everything that others can see
	s := &withPasswords{Store: memory.New()}
	h := testhost.Handler(t, func(c *scim.Config) {
		c.Store, c.Trace = s, &seen
		c.Log = slog.New(slog.NewTextHandler(&seen, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.OnEvent = func(_ context.Context, e scim.Event) { fmt.Fprintln(&seen, e) }
		c.Rules = []scim.Rule{func(_ context.Context, c *scim.Change) error {
			b, err := json.Marshal(c.After)
			seen.Write(b)
			return err
		}}
	})
	const p1, p2, p3, p4 = "pass-one-1", "pass-two-2", "pass-three-3", "pass-four-4"
	res := testhost.Do(t, h, "POST", "/Users", `{"userName":"a","password":"`+p1+`"}`)
	id, _ := testhost.Decode(t, res)["id"].(string)
	for _, body := range []string{
		`{"Operations":[{"op":"replace","value":{"password":"` + p2 + `"}}]}`,
		`{"Operations":[{"op":"Replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:passWord","value":"` + p3 + `"}]}`,
	} {
		if res := testhost.Do(t, h, "PATCH", "/Users/"+id, body); res.StatusCode != 200 {
			t.Errorf("PATCH: %d", res.StatusCode)
		}
	}
	testhost.Do(t, h, "PUT", "/Users/"+id, `{"userName":"a","Password":"`+p4+`"}`)
	// A failing request must not reveal the password either.
	testhost.Do(t, h, "POST", "/Users", `{"userName":"a","password":"pass-five-5"}`)
	testhost.Do(t, h, "POST", "/Users", `{"userName":"b","password":["pass-six-6","x"]}`)
	testhost.Do(t, h, "POST", "/Users", `{"userName":"b","password":"pass-seven-7"`)
	testhost.Do(t, h, "GET", "/Users?filter=password+eq+%22pass-eight-8%22", "")
	testhost.Do(t, h, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"password","value":{"value":"pass-nine-9"}}]}`)
	b, err := io.ReadAll(testhost.Do(t, h, "GET", "/Users?attributes=password,userName", "").Body)
	if err != nil {
		t.Fatal(err)
	}
	seen.Write(b)
	stored, err := s.Get(t.Context(), scim.Ref{Type: "User", ID: id})
	if err != nil {
		t.Fatal(err)
	}
	j, _ := json.Marshal(stored)
	seen.Write(j)
	if diff := cmp.Diff([]string{p1, p2, p3, p4}, s.got); diff != "" {
		t.Errorf("passwords set (-want +got):\n%s", diff)
	}
	for _, word := range []string{"one-1", "two-2", "three-3", "four-4", "five-5", "six-6", "seven-7", "eight-8", "nine-9", testhost.Secret} {
		if i := strings.Index(seen.String(), word); i >= 0 {
			t.Errorf("%q is seen: …%s…", word, seen.String()[max(0, i-200):i+20])
		}
	}
	if !strings.Contains(seen.String(), `"userName": "a"`) {
		t.Errorf("the trace does not show bodies:\n%s", &seen)
	}
}

func TestConditionalRequests(t *testing.T) {
	h := testhost.Handler(t, nil)
	res := testhost.Do(t, h, "POST", "/Users", `{"userName":"a"}`)
	tag := res.Header.Get("ETag")
	id, _ := testhost.Decode(t, res)["id"].(string)
	tests := []struct {
		name, method, header, body string
		status                     int
	}{
		{"unchanged", "GET", "If-None-Match: " + tag, "", 304},
		{"strong form of the tag", "GET", "If-None-Match: " + strings.TrimPrefix(tag, "W/"), "", 304},
		{"another", "GET", `If-None-Match: W/"x"`, "", 200},
		{"stale write", "PUT", `If-Match: W/"x"`, `{"userName":"a","title":"x"}`, 412},
		{"stale delete", "DELETE", `If-Match: W/"x"`, "", 412},
		{"write unless it is there", "PATCH", "If-None-Match: *", `{"Operations":[{"op":"add","path":"title","value":"x"}]}`, 412},
		{"fresh write in a list", "PATCH", `If-Match: W/"x", ` + tag, `{"Operations":[{"op":"add","path":"title","value":"x"}]}`, 200},
		{"the tag has moved on", "PATCH", "If-Match: " + tag, `{"Operations":[{"op":"add","path":"title","value":"y"}]}`, 412},
		{"any", "PUT", "If-Match: *", `{"userName":"a","title":"z"}`, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if res := testhost.Do(t, h, tt.method, "/Users/"+id, tt.body, tt.header); res.StatusCode != tt.status {
				t.Errorf("status %d, want %d", res.StatusCode, tt.status)
			}
		})
	}
	if got := testhost.Decode(t, testhost.Do(t, h, "GET", "/Users/"+id, ""))["title"]; got != "z" {
		t.Errorf("title %v, want z", got)
	}
}

func TestUnchangedKeepsVersion(t *testing.T) {
	h := testhost.Handler(t, nil)
	body := `{"userName":"a","emails":[{"value":"a@x.test","type":"work"}]}`
	res := testhost.Do(t, h, "POST", "/Users", body)
	first := testhost.Decode(t, res)
	path := "/Users/" + first["id"].(string)
	for name, res := range map[string]*http.Response{
		"PUT of the same":      testhost.Do(t, h, "PUT", path, body),
		"PATCH without effect": testhost.Do(t, h, "PATCH", path, `{"Operations":[{"op":"add","path":"emails","value":[{"value":"a@x.test","type":"work"}]}]}`),
	} {
		if diff := cmp.Diff(first, testhost.Decode(t, res)); diff != "" {
			t.Errorf("%s changes (-want +got):\n%s", name, diff)
		}
	}
}

func TestGroupsOff(t *testing.T) {
	h := testhost.Handler(t, func(c *scim.Config) { c.Types = []*scim.ResourceType{scim.UserType()} })
	if got := testhost.Decode(t, testhost.Do(t, h, "GET", "/Groups?filter=displayName+eq+%22x%22", "")); got["totalResults"] != 0.0 {
		t.Errorf("GET /Groups: %v", got)
	}
	if res := testhost.Do(t, h, "POST", "/Groups", `{"displayName":"x"}`); res.StatusCode != 501 {
		t.Errorf("POST /Groups: %d, want 501", res.StatusCode)
	}
	if n := testhost.Decode(t, testhost.Do(t, h, "GET", "/ResourceTypes", ""))["totalResults"]; n != 1.0 {
		t.Errorf("%v resource types, want 1", n)
	}
}

func TestTenants(t *testing.T) {
	stores := map[string]scim.Store{"a": memory.New(), "b": memory.New()}
	token := func(tenant string) auth.Token {
		tok := auth.TokenOf("token-" + tenant)
		tok.Tenant = tenant
		return tok
	}
	h := testhost.New(t, scim.Config{
		Auth: auth.Bearer(token("a"), token("b"), token("off"), token("none")),
		TenantFor: func(_ context.Context, p scim.Principal) (*scim.Tenant, error) {
			switch {
			case p.Tenant == "off":
				return nil, &scim.Error{Status: 503, Detail: "switched off", RetryAfter: time.Hour}
			case stores[p.Tenant] == nil:
				return nil, scim.ErrNotFound
			}
			return &scim.Tenant{ID: p.Tenant, Store: stores[p.Tenant]}, nil
		},
	})
	id := testhost.Create(t, h, "/Users", `{"userName":"ann"}`, "Authorization: token-a")
	if id == "" {
		t.Fatal("no id")
	}
	body := `{"userName":"ann","members":[]}`
	patch := `{"Operations":[{"op":"replace","path":"title","value":"x"}]}`
	for _, tt := range []struct {
		token, method, target, body string
		status                      int
	}{
		{"b", "GET", "/Users/" + id, "", 404},
		{"b", "PUT", "/Users/" + id, body, 404},
		{"b", "PATCH", "/Users/" + id, patch, 404},
		{"b", "DELETE", "/Users/" + id, "", 404},
		{"b", "POST", "/Groups", `{"displayName":"x","members":[{"value":"` + id + `"}]}`, 400},
		{"b", "POST", "/Users", body, 201}, // the same name in another tenant
		{"off", "GET", "/Users", "", 503},
		{"none", "GET", "/Users", "", 404},
		{"a", "GET", "/Users/" + id, "", 200},
	} {
		if res := testhost.Do(t, h, tt.method, tt.target, tt.body, "Authorization: token-"+tt.token); res.StatusCode != tt.status {
			t.Errorf("%s %s with token %s: %d, want %d", tt.method, tt.target, tt.token, res.StatusCode, tt.status)
		}
	}
	if n := testhost.Decode(t, testhost.Do(t, h, "GET", "/Users", "", "Authorization: token-b"))["totalResults"]; n != 1.0 {
		t.Errorf("tenant b sees %v users, want its own one", n)
	}
}
