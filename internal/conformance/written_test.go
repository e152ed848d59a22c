package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// said is one line about a write.
func said(w *scim.Written) string {
	name := func(r *scim.Resource) string {
		if r == nil {
			return "nothing"
		}
		return fmt.Sprint(r.String("userName"), r.String("displayName"))
	}
	line := fmt.Sprintf("%s %s → %s", w.Op, name(w.Before), name(w.After))
	if w.Adopted {
		line += ", adopted"
	}
	if len(w.Add)+len(w.Remove) > 0 {
		line += fmt.Sprintf(", +%d -%d", len(w.Add), len(w.Remove))
	}
	return line
}

func TestOnWrite(t *testing.T) {
	for store, open := range map[string]func(t *testing.T) scim.Store{
		"memory": lockingStores["memory"], "SQLite": lockingStores["SQLite"],
		"bare": func(*testing.T) scim.Store { return testhost.NewBareStore() },
	} {
		t.Run(store, func(t *testing.T) {
			var lines []string
			adopt := ""
			h := testhost.New(t, scim.Config{Store: open(t),
				Rules: []scim.Rule{func(_ context.Context, c *scim.Change) error {
					if c.Op == scim.OpCreate && adopt != "" {
						c.Adopt, adopt = adopt, ""
					}
					return nil
				}},
				OnWrite: func(_ context.Context, w *scim.Written) error {
					if w.Op == scim.OpCreate && w.After.ID() == "" || w.Tenant == nil {
						t.Error("the write has no id, or no tenant")
					}
					lines = append(lines, said(w))
					return nil
				}})
			did := func(reason string, want ...string) {
				t.Helper()
				if diff := cmp.Diff(want, lines); diff != "" {
					t.Errorf("%s (-want +got):\n%s", reason, diff)
				}
				lines = nil
			}
			do := func(method, path, body string, status int) {
				t.Helper()
				if got := testhost.Do(t, h, method, path, body).StatusCode; got != status {
					t.Fatalf("%s %s: %d, want %d", method, path, got, status)
				}
			}
			ann := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
			did("a creation", "create nothing → ann")
			do("PATCH", "/Users/"+ann, `{"Operations":[{"op":"replace","path":"userName","value":"anna"}]}`, http.StatusOK)
			did("a change", "patch ann → anna")
			do("PATCH", "/Users/"+ann, `{"Operations":[{"op":"replace","path":"userName","value":"anna"}]}`, http.StatusOK)
			did("the same again changes nothing")
			do("PUT", "/Users/"+ann, `{"userName":"ann"}`, http.StatusOK)
			did("a replacement", "replace anna → ann")
			group := testhost.Create(t, h, "/Groups", fmt.Sprintf(`{"displayName":"team","members":[{"value":%q}]}`, ann))
			did("a group with a member", "create nothing → team, +1 -0")
			do("PATCH", "/Groups/"+group, `{"Operations":[{"op":"remove","path":"members"}]}`, http.StatusNoContent)
			did("only the members change", "patch team → team, +0 -1")
			do("PATCH", "/Groups/"+group, `{"Operations":[{"op":"remove","path":"members"}]}`, http.StatusNoContent)
			did("no member was left")
			adopt = ann
			do("POST", "/Users", `{"userName":"ann","title":"Ms"}`, http.StatusCreated)
			did("an adoption", "create ann → ann, adopted")
			do("POST", "/Users", `{"userName":"ann"}`, http.StatusConflict)
			did("a refused request")
			do("POST", "/Bulk", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
				{"method":"POST","path":"/Users","bulkId":"b","data":{"userName":"bob"}},{"method":"DELETE","path":"/Users/%s"}]}`, ann), http.StatusOK)
			did("operations of a bulk request", "create nothing → bob", "delete ann → nothing")
			do("DELETE", "/Groups/"+group, "", http.StatusNoContent)
			did("a deletion", "delete team → nothing")
			do("DELETE", "/Groups/"+group, "", http.StatusNotFound)
			did("nothing is left to delete")
		})
	}
}

// TestOnWriteRefuses checks what stays of a write that OnWrite refuses.
func TestOnWriteRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fail   func() error
		status int
	}{
		{"an answer", func() error { return &scim.Error{Status: http.StatusForbidden, Detail: "no project"} }, http.StatusForbidden},
		{"an error", func() error { return errors.New("down") }, http.StatusInternalServerError},
		{"a panic", func() error { panic("a mistake") }, http.StatusInternalServerError},
	} {
		for _, store := range []string{"SQLite", "memory", "bare"} {
			t.Run(tt.name+" "+store, func(t *testing.T) {
				open, rollsBack := lockingStores[store]
				if !rollsBack {
					open = func(*testing.T) scim.Store { return testhost.NewBareStore() }
				}
				fails := false
				var kinds []scim.EventKind
				h := testhost.New(t, scim.Config{Store: open(t),
					OnWrite: func(context.Context, *scim.Written) error {
						if fails {
							return tt.fail()
						}
						return nil
					},
					OnEvent: func(_ context.Context, e scim.Event) {
						if e.Kind != scim.ToleranceUsed {
							kinds = append(kinds, e.Kind)
						}
					}})
				ann := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
				kinds, fails = nil, true
				for _, r := range []struct{ method, path, body string }{
					{"POST", "/Users", `{"userName":"bob"}`}, {"PUT", "/Users/" + ann, `{"userName":"ann","title":"Ms"}`}, {"DELETE", "/Users/" + ann, ""},
				} {
					if got := testhost.Do(t, h, r.method, r.path, r.body).StatusCode; got != tt.status {
						t.Errorf("%s: %d, want %d", r.method, got, tt.status)
					}
					bobs := testhost.Decode(t, testhost.Do(t, h, "GET", `/Users?filter=userName+eq+"bob"`, ""))["totalResults"]
					if bobs != float64(0) {
						t.Errorf("%v users are created", bobs)
					}
				}
				got := testhost.Do(t, h, "GET", "/Users/"+ann, "")
				if rollsBack != (got.StatusCode == http.StatusOK) {
					t.Errorf("ann after the refused deletion: %d", got.StatusCode)
				}
				if rollsBack && (testhost.Decode(t, got)["title"] != nil || len(kinds) > 0) {
					t.Errorf("the refused change is stored, or events tell of it: %v", kinds)
				}
			})
		}
	}
}
