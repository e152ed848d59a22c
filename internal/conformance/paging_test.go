package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// still is a user that no writer changes during paging.
type still struct {
	id, userName, familyName, email string // the last two may be missing
	created, modified               time.Time
}

// stillUsers makes users with many equal values, so that each page has ties. Their order of
// creation differs from the order of their ids and names.
func stillUsers(n int) []still {
	all := make([]still, n)
	for i := range all {
		k := i * 7919 % n
		at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
		u := still{id: fmt.Sprintf("still-%05d", k), userName: fmt.Sprintf("User%05d@example.com", (k*31+7)%n),
			created: at.Add(time.Duration(i/3) * time.Second), modified: at.Add(time.Duration(k/5) * time.Hour)}
		if k%11 != 0 {
			u.familyName = fmt.Sprintf("Name%d", k%97)
		}
		if k%13 != 0 {
			u.email = fmt.Sprintf("Mail%d@example.com", k%2003)
		}
		all[i] = u
	}
	return all
}

func (u *still) resource(t *testing.T) *scim.Resource {
	t.Helper()
	values := map[string]any{"userName": u.userName}
	if u.familyName != "" {
		values["name.familyName"] = u.familyName
	}
	doc := "{}"
	if u.email != "" {
		doc = fmt.Sprintf(`{"emails":[{"value":"first@example.com"},{"value":%q,"primary":true}]}`, u.email)
	}
	r, err := scim.UserType().Bind(scim.Meta{ID: u.id, Version: "1", Created: u.created, LastModified: u.modified}, []byte(doc), values)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sortOrders are the tested orders. key returns the sort value of a user, "" for none. It
// does not use the package that it tests.
var sortOrders = []struct {
	name, query string
	key         func(u *still) string
}{
	{"creation", "", func(u *still) string { return u.created.Format(time.RFC3339) }},
	{"userName", "sortBy=userName", func(u *still) string { return strings.ToLower(u.userName) }},
	{"userName descending", "sortBy=userName&sortOrder=descending", func(u *still) string { return strings.ToLower(u.userName) }},
	{"family name", "sortBy=name.familyName", func(u *still) string { return strings.ToLower(u.familyName) }},
	{"family name descending", "sortBy=name.familyName&sortOrder=descending", func(u *still) string { return strings.ToLower(u.familyName) }},
	{"last change", "sortBy=meta.lastModified", func(u *still) string { return u.modified.Format(time.RFC3339) }},
	{"e-mail", "sortBy=emails", func(u *still) string { return strings.ToLower(u.email) }},
	{"e-mail descending", "sortBy=emails.value&sortOrder=descending", func(u *still) string { return strings.ToLower(u.email) }},
}

// inOrder lists the ids of users in the order of a query (RFC 7644, Section 3.4.2.3). Users
// without the value come last; descending order is the exact reverse.
func inOrder(all []still, query string, key func(u *still) string) []string {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b still) int {
		x, y := key(&a), key(&b)
		c := strings.Compare(x, y)
		if x == "" || y == "" {
			c = -c
		}
		if c = cmp.Or(c, a.created.Compare(b.created), strings.Compare(a.id, b.id)); strings.Contains(query, "descending") {
			return -c
		}
		return c
	})
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].id
	}
	return ids
}

type listPage struct {
	TotalResults int
	NextCursor   string
	Resources    []struct{ ID string }
}

func getPage(t *testing.T, h http.Handler, query string) listPage {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/Users?attributes=id&count=200&"+query, nil))
	var p listPage
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 200 {
		t.Fatalf("%s: %d %s", query, w.Code, w.Body)
	}
	return p
}

// churn lets four clients create, change and delete their own users until the test calls
// stop. With keep they delete none.
func churn(t *testing.T, h http.Handler, keep bool) (stop func()) {
	send := func(method, target, body string, want int) string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
		if w.Code != want {
			b, _ := io.ReadAll(w.Body)
			t.Errorf("%s %s: %d, want %d: %s", method, target, w.Code, want, b)
		}
		return w.Header().Get("Location")
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	for writer := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				// These names spread over the whole order.
				name := fmt.Sprintf("user%05d-%d-%d@example.com", i*3571%10_000, writer, i)
				body := fmt.Sprintf(`{"userName":%q,"name":{"familyName":"name%d"},"emails":[{"value":"mail%d@example.com"}]}`, name, i*53%97, i*1009%2003)
				at, err := url.Parse(send("POST", "/Users", body, 201))
				if err != nil {
					t.Error(err)
					return
				}
				send("PATCH", at.Path, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"name.familyName","value":"name%d"}]}`, i*71%97), 200)
				if !keep {
					send("DELETE", at.Path, "", 204)
				}
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	return func() { close(done); wg.Wait() }
}

// TestPagingUnderWrites pages through users while others come and go. Every user that stays
// must come exactly once, in order.
func TestPagingUnderWrites(t *testing.T) {
	stores := []struct {
		name  string
		n     int
		store scim.Store
	}{{"memory", 10_000, memory.New()}, {"bare", 2_000, testhost.NewBareStore()}}
	for _, s := range stores {
		if testhost.UnderRace {
			s.n /= 10
		}
		t.Run(s.name, func(t *testing.T) {
			all := stillUsers(s.n)
			for i := range all {
				if _, err := s.store.Create(context.Background(), all[i].resource(t)); err != nil {
					t.Fatal(err)
				}
			}
			h := testhost.Handler(t, func(c *scim.Config) { c.Store, c.Auth = s.store, auth.None() })
			for _, o := range sortOrders {
				t.Run(o.name+" by cursor", func(t *testing.T) {
					defer churn(t, h, false)()
					var got []string
					next, others := "cursor=", 0
					for next != "" {
						p := getPage(t, h, o.query+"&"+next)
						got = append(got, onlyStill(p)...)
						if others += len(p.Resources); others > 3*s.n {
							t.Fatal("the pages do not end")
						}
						if next = ""; p.NextCursor != "" {
							next = "cursor=" + p.NextCursor
						}
					}
					if diff := gocmp.Diff(inOrder(all, o.query, o.key), got); diff != "" {
						t.Errorf("(-want +got):\n%.2000s", diff)
					}
				})
			}
			// This runs last, because its users stay. Index paging is only safe in the
			// order of creation and without deletions.
			t.Run("creation by index", func(t *testing.T) {
				defer churn(t, h, true)()
				var got []string
				for start := 1; start <= s.n; start += 200 {
					got = append(got, onlyStill(getPage(t, h, fmt.Sprint("startIndex=", start)))...)
				}
				if diff := gocmp.Diff(inOrder(all, "", sortOrders[0].key), got); diff != "" {
					t.Errorf("(-want +got):\n%.2000s", diff)
				}
			})
		})
	}
}

// onlyStill lists the ids on a page that belong to stillUsers.
func onlyStill(p listPage) (ids []string) {
	for _, r := range p.Resources {
		if strings.HasPrefix(r.ID, "still-") {
			ids = append(ids, r.ID)
		}
	}
	return ids
}
