package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// answerLimit is Limits.Answer in the tests below.
const answerLimit = 200_000

// memberWatch is a memory store that counts the calls of Members. It fails or panics in one
// of them.
type memberWatch struct {
	*memory.Store
	calls, failAt, panicAt int
}

func (s *memberWatch) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	s.calls++
	switch s.calls {
	case s.failAt:
		return nil, errors.New("the database is gone")
	case s.panicAt:
		panic("a bug")
	}
	return s.Store.Members(ctx, groupID, after, limit)
}

// sized is a handler with a small Limits.Answer.
func sized(t *testing.T, store scim.Store) http.Handler {
	return testhost.Handler(t, func(c *scim.Config) { c.Store, c.Limits.Answer = store, answerLimit })
}

// createLongUsers makes n users of about 20 kB, u00 and so on.
func createLongUsers(t *testing.T, h http.Handler, n int) (ids []string) {
	for i := range n {
		ids = append(ids, testhost.Create(t, h, "/Users", fmt.Sprintf(`{"userName":"u%02d","title":%q}`, i, strings.Repeat("x", 20_000))))
	}
	return ids
}

// createGroup makes a group with n users that exist. Its members need about 150 bytes each.
func createGroup(t *testing.T, h http.Handler, name string, users []string) string {
	members := make([]string, len(users))
	for i, id := range users {
		members[i] = `{"value":"` + id + `"}`
	}
	return testhost.Create(t, h, "/Groups", `{"displayName":"`+name+`","members":[`+strings.Join(members, ",")+`]}`)
}

func createUsers(t *testing.T, h http.Handler, n int) (ids []string) {
	for i := range n {
		ids = append(ids, testhost.Create(t, h, "/Users", fmt.Sprintf(`{"userName":"u%d@example.com"}`, i)))
	}
	return ids
}

// listAnswer is a ListResponse or an error.
type listAnswer struct {
	status     int
	size       int
	body       map[string]any
	ids        []string
	nextCursor string
}

func readList(t *testing.T, h http.Handler, method, target, body string) listAnswer {
	t.Helper()
	res := testhost.Do(t, h, method, target, body)
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	p := listAnswer{status: res.StatusCode, size: len(b)}
	if err := json.Unmarshal(b, &p.body); err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	list, _ := p.body["Resources"].([]any)
	for _, r := range list {
		p.ids = append(p.ids, r.(map[string]any)["id"].(string))
	}
	p.nextCursor, _ = p.body["nextCursor"].(string)
	if n, ok := p.body["itemsPerPage"].(float64); ok && int(n) != len(list) {
		t.Errorf("%s %s: itemsPerPage is %v of %d", method, target, n, len(list))
	}
	return p
}

var fittingCount = regexp.MustCompile(`count=([0-9]+)`)

// A page by index is never shorter than asked, because Okta counts on from there. So a
// longer answer is refused with a count that fits.
func TestAPageByIndexIsWholeOrRefused(t *testing.T) {
	for name, store := range map[string]scim.Store{"memory": memory.New(), "bare": testhost.NewBareStore()} {
		t.Run(name, func(t *testing.T) {
			h := sized(t, store)
			ids := createLongUsers(t, h, 30)
			for _, tt := range []struct{ method, target, body string }{
				{"GET", "/Users?count=%s", ""},
				{"GET", "/Users?count=%s&sortBy=userName", ""},
				{"GET", "/?count=%s", ""},
				{"GET", "/?count=%s&sortBy=userName", ""},
				{"POST", "/Users/.search", `{"count":%s}`},
				{"POST", "/.search", `{"count":%s,"sortBy":"userName"}`},
			} {
				ask := func(count string) listAnswer {
					target := strings.Replace(tt.target, "%s", count, 1)
					return readList(t, h, tt.method, target, strings.Replace(tt.body, "%s", count, 1))
				}
				refused := ask("30")
				detail, _ := refused.body["detail"].(string)
				fits := fittingCount.FindStringSubmatch(detail)
				if refused.status != 400 || refused.body["scimType"] != "tooMany" || fits == nil {
					t.Errorf("%s %s: %d %v, want 400 tooMany with a count that fits", tt.method, tt.target, refused.status, detail)
					continue
				}
				fitting := ask(fits[1])
				if fitting.status != 200 || fitting.size > answerLimit+1000 || fmt.Sprint(len(fitting.ids)) != fits[1] {
					t.Errorf("%s %s: count=%s gives %d with %d resources of %d bytes", tt.method, tt.target, fits[1], fitting.status, len(fitting.ids), fitting.size)
				}
				if diff := cmp.Diff(ids[:len(fitting.ids)], fitting.ids); diff != "" || len(fitting.ids) < 8 {
					t.Errorf("%s %s: %d resources fit (-want +got):\n%s", tt.method, tt.target, len(fitting.ids), diff)
				}
			}
			last := readList(t, h, "GET", "/Users?count=30&startIndex=24", "")
			if diff := cmp.Diff(ids[23:], last.ids); last.status != 200 || diff != "" {
				t.Errorf("the last page: %d (-want +got):\n%s", last.status, diff)
			}
			if p := readList(t, h, "GET", "/Users?count=30&attributes=userName", ""); len(p.ids) != 30 {
				t.Errorf("without the long attribute: %d with %d resources, want 30", p.status, len(p.ids))
			}
		})
	}
}

func TestAPageByCursorEndsEarly(t *testing.T) {
	for name, store := range map[string]scim.Store{"memory": memory.New(), "bare": testhost.NewBareStore()} {
		t.Run(name, func(t *testing.T) {
			h := sized(t, store)
			ids := createLongUsers(t, h, 30)
			for _, order := range []string{"", "&sortBy=userName"} {
				var got []string
				pages, cursor := 0, ""
				for {
					p := readList(t, h, "GET", "/Users?count=25"+order+"&cursor="+url.QueryEscape(cursor), "")
					if p.status != 200 || p.size > answerLimit+1000 || p.body["totalResults"] != 30.0 {
						t.Fatalf("a page: %d with %d bytes, totalResults %v", p.status, p.size, p.body["totalResults"])
					}
					got = append(got, p.ids...)
					pages++
					if cursor = p.nextCursor; cursor == "" {
						break
					}
				}
				if diff := cmp.Diff(ids, got); diff != "" || pages != 4 {
					t.Errorf("%q: %d pages, want 4 (-want +got):\n%s", order, pages, diff)
				}
			}
		})
	}
}

// A single resource has no limit, also as the only one of a list.
func TestASingleResourceIsAlwaysSent(t *testing.T) {
	for name, store := range map[string]scim.Store{"memory": memory.New(), "bare": testhost.NewBareStore()} {
		t.Run(name, func(t *testing.T) {
			h := sized(t, store)
			users := createUsers(t, h, 2500)
			first := createGroup(t, h, "first", users)
			isWhole := func(target string) bool {
				p := readList(t, h, "GET", target, "")
				r, isList := p.body, p.body["Resources"]
				if list, _ := isList.([]any); len(list) == 1 {
					r = list[0].(map[string]any)
				}
				members, _ := r["members"].([]any)
				return p.status == 200 && p.size > answerLimit && len(members) == 2500
			}
			for _, target := range []string{"/Groups/" + first, "/Groups", "/Groups?count=1", "/Groups?cursor="} {
				if !isWhole(target) {
					t.Errorf("GET %s is not the whole group", target)
				}
			}
			second := createGroup(t, h, "second", users)
			p := readList(t, h, "GET", "/Groups", "")
			if detail, _ := p.body["detail"].(string); p.status != 400 || !strings.Contains(detail, "count=1 ") {
				t.Errorf("two such groups: %d %s, want 400 with count=1", p.status, detail)
			}
			p = readList(t, h, "GET", "/Groups?cursor=", "")
			if diff := cmp.Diff([]string{first}, p.ids); diff != "" || p.nextCursor == "" {
				t.Fatalf("the first page by cursor, %q (-want +got):\n%s", p.nextCursor, diff)
			}
			p = readList(t, h, "GET", "/Groups?cursor="+p.nextCursor, "")
			if diff := cmp.Diff([]string{second}, p.ids); diff != "" || p.nextCursor != "" {
				t.Errorf("the second page by cursor, %q (-want +got):\n%s", p.nextCursor, diff)
			}
			if !isWhole("/Groups?startIndex=2&count=1") {
				t.Error("the second group alone is not whole")
			}
		})
	}
}

// widestWrite is a writer that remembers its longest Write.
type widestWrite struct {
	*testhost.CountingWriter
	widest int
}

func (w *widestWrite) Write(b []byte) (int, error) {
	w.widest = max(w.widest, len(b))
	return w.CountingWriter.Write(b)
}

func TestALongGroupIsSentByPages(t *testing.T) {
	s := &memberWatch{Store: memory.New()}
	h := sized(t, s)
	users := createUsers(t, h, 5500)
	group := createGroup(t, h, "long", users)
	createGroup(t, h, "other", users)
	for _, tt := range []struct {
		method, target string
		status         int
		calls          int
		reason         string
	}{
		{"GET", "/Groups/" + group, 200, 6, "every page is read once"},
		{"HEAD", "/Groups/" + group, 200, 1, "the headers are known when the first part is"},
		{"GET", "/Groups", 400, 2, "no more is read than the limit allows"},
		{"GET", "/Groups?attributes=displayName", 200, 0, "nothing is read that nobody asked for"},
	} {
		s.calls = 0
		r := httptest.NewRequest(tt.method, tt.target, nil)
		r.Header.Set("Authorization", "Bearer "+testhost.Secret)
		w := &widestWrite{CountingWriter: testhost.NewCountingWriter()}
		h.ServeHTTP(w, r)
		if w.Status != tt.status || s.calls != tt.calls {
			t.Errorf("%s %s: %d after %d calls of Members, want %d after %d: %s", tt.method, tt.target, w.Status, s.calls, tt.status, tt.calls, tt.reason)
		}
		if w.widest > 100_000 {
			t.Errorf("%s %s: %d bytes are written at once", tt.method, tt.target, w.widest)
		}
		if tt.method == "HEAD" && (w.Size > 0 || w.Header().Get("Etag") == "") {
			t.Errorf("HEAD has a body of %d bytes, or no tag", w.Size)
		}
	}
}

// Once the client has a part of an answer, only a broken connection says that the rest is
// missing.
func TestAnErrorBreaksOffAnAnswer(t *testing.T) {
	for _, tt := range []struct {
		name            string
		failAt, panicAt int
		isBroken        bool
	}{
		{"an error at once", 1, 0, false},
		{"a panic at once", 0, 1, false},
		{"an error later", 2, 0, true},
		{"a panic later", 0, 2, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &memberWatch{Store: memory.New()}
			h := sized(t, s)
			group := createGroup(t, h, "long", createUsers(t, h, 2500))
			for _, target := range []string{"/Groups/" + group, "/Groups"} {
				s.calls, s.failAt, s.panicAt = 0, tt.failAt, tt.panicAt
				if target == "/Groups" && tt.isBroken { // it reads the first pages twice
					s.failAt, s.panicAt = max(0, 2*s.failAt), max(0, 2*s.panicAt)
				}
				res := overHTTP(t, h, "GET", target, "")
				body, err := io.ReadAll(res.Body)
				switch {
				case tt.isBroken && (res.StatusCode != 200 || !errors.Is(err, io.ErrUnexpectedEOF) || json.Valid(body)):
					t.Errorf("GET %s: %d, error %v; want 200 and an unexpected end", target, res.StatusCode, err)
				case !tt.isBroken && (res.StatusCode != 500 || err != nil || !strings.Contains(string(body), "urn:ietf:params:scim:api:messages:2.0:Error")):
					t.Errorf("GET %s: %d %s, error %v; want a whole 500", target, res.StatusCode, body, err)
				}
			}
		})
	}
}

// authentik fails on a group without "members".
func TestAnEmptyGroupHasAnEmptyListOfMembers(t *testing.T) {
	for name, store := range map[string]scim.Store{"memory": memory.New(), "bare": testhost.NewBareStore()} {
		t.Run(name, func(t *testing.T) {
			h := testhost.Handler(t, func(c *scim.Config) { c.Store = store })
			user := testhost.Create(t, h, "/Users", `{"userName":"a"}`)
			created := testhost.Do(t, h, "POST", "/Groups", `{"displayName":"g"}`)
			group, _ := testhost.Decode(t, created)["id"].(string)
			change := func(op string) string {
				return `{"Operations":[{"op":"` + op + `","path":"members","value":[{"value":"` + user + `"}]}]}`
			}
			testhost.Do(t, h, "PATCH", "/Groups/"+group, change("add"))
			for _, tt := range []struct {
				method, target, body string
				has                  bool
			}{
				{"PATCH", "/Groups/" + group + "?attributes=members", change("remove"), true},
				{"GET", "/Groups/" + group, "", true},
				{"GET", "/Groups/" + group + "?attributes=members", "", true},
				{"GET", "/Groups/" + group + "?attributes=members.value", "", true},
				{"GET", "/Groups/" + group + "?attributes=displayName", "", false},
				{"GET", "/Groups/" + group + "?excludedAttributes=members", "", false},
				{"GET", "/Groups", "", true},
				{"GET", "/Groups?excludedAttributes=members", "", false},
				{"POST", "/Groups/.search", "{}", true},
				{"PUT", "/Groups/" + group, `{"displayName":"h"}`, true},
				{"POST", "/Groups", `{"displayName":"i","members":[]}`, true},
			} {
				body := testhost.Decode(t, testhost.Do(t, h, tt.method, tt.target, tt.body))
				if list, ok := body["Resources"].([]any); ok {
					body = list[0].(map[string]any)
				}
				members, has := body["members"]
				if diff := cmp.Diff([]any{}, members); has != tt.has || has && diff != "" {
					t.Errorf("%s %s: members are %v, want an empty list: %t", tt.method, tt.target, members, tt.has)
				}
			}
		})
	}
}
