package conformance

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/scimtest"
	"github.com/scimkit/scim/store/memory"
)

// TestQuirkCases has the quirks of testdata/quirks.tsv that need a special configuration,
// so the transcripts do not have them. It plays each case on a store with every capability
// and on one with only the five methods.
func TestQuirkCases(t *testing.T) {
	const ann = `POST /Users

{"userName": "ann@ex.test", "costCentre": "9"}

>> 201

{"id": "${ann:=}"}

`
	tests := []struct {
		name, reason string
		change       func(c *scim.Config)
		play         string
	}{
		{"Q27 kept", "Okta's external namespace may be the core schema's; what it holds is the application's to want",
			func(c *scim.Config) {
				c.Types = []*scim.ResourceType{newType(scim.TypeConfig{Name: "User", Endpoint: "/Users", Schema: schema.CoreUserSchema(), KeepUnknown: true})}
			},
			`POST /Users

{"userName": "ann@ex.test", "costCentre": "9", "badge": {"no": 7}}

>> 201

{"id": "${ann:=}", "costCentre": "9", "badge": {"no": 7}}

PATCH /Users/${ann}

{"Operations": [{"op": "replace", "value": {"costCentre": "10"}}, {"op": "remove", "path": "badge"}]}

>> 200

{"costCentre": "10", "badge": "${absent}"}

PUT /Users/${ann}

{"userName": "ann@ex.test"}

>> 200

{"costCentre": "${absent}"}
`},
		{"Q37 skipped", "an application whose members come before their users can let them pass",
			func(c *scim.Config) { c.Members.SkipUnknown = true },
			ann + `POST /Groups

{"displayName": "G", "members": [{"value": "stranger"}]}

>> 201

{"id": "${g:=}", "members": []}

PATCH /Groups/${g}

{"Operations": [{"op": "add", "path": "members", "value": [{"value": "stranger"}, {"value": "${ann}"}]}]}

>> 204

GET /Groups/${g}

>> 200

{"members": [{"value": "${ann}"}]}
`},
		{"Q40 kept", "an application whose clients send groups without their members can keep them",
			func(c *scim.Config) { c.Members.KeepAbsent = true },
			ann + `POST /Groups

{"displayName": "G", "members": [{"value": "${ann}"}]}

>> 201

{"id": "${g:=}"}

PUT /Groups/${g}

{"displayName": "H"}

>> 200

{"displayName": "H", "members": [{"value": "${ann}"}]}

PATCH /Groups/${g}

{"Operations": [{"op": "replace", "path": "members", "value": []}]}

>> 204

GET /Groups/${g}

>> 200

{"members": []}
`},
		{"Q51 above the maximum", "the page is cut, and says how long it is",
			func(c *scim.Config) { c.Limits.PageSize, c.Limits.MaxPage = 1, 2 },
			ann + `POST /Users

{"userName": "bob@ex.test"}

>> 201

POST /Users

{"userName": "cid@ex.test"}

>> 201

GET /Users?count=1000

>> 200

{"totalResults": 3, "itemsPerPage": 2, "Resources": [{"userName": "ann@ex.test"}, {"userName": "bob@ex.test"}]}

GET /Users

>> 200

{"totalResults": 3, "itemsPerPage": 1}

GET /Users?count=0

>> 200

{"totalResults": 3, "itemsPerPage": 0, "Resources": []}
`},
		{"Q60 adopted", "an application can let a client have the user who is there",
			func(c *scim.Config) {
				var first atomic.Pointer[string]
				c.Rules = []scim.Rule{func(_ context.Context, ch *scim.Change) error {
					if id := first.Load(); id != nil && ch.Op == scim.OpCreate {
						ch.Adopt = *id
					} else if ch.After != nil {
						id := ch.After.ID()
						first.Store(&id)
					}
					return nil
				}}
			},
			ann + `PATCH /Users/${ann}

{"Operations": [{"op": "replace", "value": {"active": false}}]}

>> 200

POST /Users

{"userName": "ann@ex.test", "active": true, "title": "Back"}

>> 201

{"id": "${ann}", "active": true, "title": "Back"}

GET /Users

>> 200

{"totalResults": 1, "Resources": [{"id": "${ann}", "active": true}]}
`},
		{"Q71 an error of the application's", "500 in the form of RFC 7644, Section 3.12, and nothing of its text",
			func(c *scim.Config) { c.Store = breaking{c.Store} },
			`GET /Users/boom

>> 500

{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "500", "detail": "${re:^[^!]+$}"}

GET /Users/panic

>> 500

{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "500", "detail": "${re:^[^!]+$}"}
`},
		{"Q75 too many requests", "the application counts; its refusal says when to come again",
			func(c *scim.Config) {
				c.Allow = func(context.Context, scim.Access) error {
					return &scim.Error{Status: 429, Detail: "at most 25 requests a second", RetryAfter: 2 * time.Second}
				}
			},
			`GET /Users

>> 429
Retry-After: 2

{"status": "429", "detail": "at most 25 requests a second"}
`},
	}
	for _, tt := range tests {
		for store, newStore := range map[string]func() scim.Store{
			"memory": func() scim.Store { return memory.New() },
			"bare":   func() scim.Store { return testhost.NewBareStore() },
		} {
			t.Run(tt.name+"/"+store, func(t *testing.T) {
				t.Log(tt.reason)
				h := testhost.Handler(t, func(c *scim.Config) {
					c.Store = newStore()
					tt.change(c)
				})
				files := fstest.MapFS{"play.http": {Data: []byte("Content-Type: application/scim+json\n\n" + tt.play)}}
				scimtest.Play(t, files, func(*testing.T) scimtest.Target {
					return scimtest.Target{Handler: scim.Mount("/scim/v2", h, nil), Token: testhost.Secret}
				})
			})
		}
	}
}

// breaking is a store in which two ids cause failures.
type breaking struct{ scim.Store }

func (b breaking) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	switch ref.ID {
	case "boom":
		return nil, fmt.Errorf("internals!")
	case "panic":
		panic("internals!")
	}
	return b.Store.Get(ctx, ref)
}

// watched is a store that counts the reads of members.
type watched struct {
	*memory.Store
	reads atomic.Int32
}

func (s *watched) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	s.reads.Add(1)
	return s.Store.Members(ctx, groupID, after, limit)
}

// TestQuirkQ43 checks that the server does not read members that the answer leaves out.
// Entra often reads groups of any size in this way.
func TestQuirkQ43(t *testing.T) {
	store := &watched{Store: memory.New()}
	h := testhost.Handler(t, func(c *scim.Config) { c.Store = store })
	user := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
	group := testhost.Create(t, h, "/Groups", `{"displayName":"G","members":[{"value":"`+user+`"}]}`)
	for _, tt := range []struct {
		target string
		reads  bool
	}{
		{"/Groups/" + group, true}, // shows that the counting works
		{"/Groups/" + group + "?excludedAttributes=members", false},
		{"/Groups?excludedAttributes=members&filter=displayName+eq+%22G%22", false},
		{"/Groups?attributes=id&filter=id+eq+%22" + group + "%22+and+members+eq+%22" + user + "%22", false},
	} {
		store.reads.Store(0)
		if res := testhost.Do(t, h, "GET", tt.target, ""); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", tt.target, res.StatusCode)
		}
		if n := store.reads.Load(); (n > 0) != tt.reads {
			t.Errorf("%s: members were read %d times", tt.target, n)
		}
	}
}

// TestQuirkQ36 sends a large group as Entra and Okta do: one operation of more than a
// megabyte.
func TestQuirkQ36(t *testing.T) {
	h := testhost.Handler(t, nil)
	group := testhost.Create(t, h, "/Groups", `{"displayName":"G"}`)
	body := `{"Operations":[{"op":"Remove","path":"members","value":[` +
		strings.TrimSuffix(strings.Repeat(`{"$ref":null,"value":"0b6f3c3e-6d0a-4a55-9d53-9a3f0f2ad1c4"},`, 20_000), ",") + `]}]}`
	if res := testhost.Do(t, h, "PATCH", "/Groups/"+group, body); len(body) < 1<<20 || res.StatusCode != http.StatusNoContent {
		t.Errorf("%d bytes: %d", len(body), res.StatusCode)
	}
}

// TestQuirkQ73 has clients that do not know of each other. They create the same person many
// times at once, and add members of one group in parallel. They also replace the same user
// without a precondition.
func TestQuirkQ73(t *testing.T) {
	for name, store := range map[string]scim.Store{"memory": memory.New(), "bare": testhost.NewBareStore()} {
		t.Run(name, func(t *testing.T) {
			h := testhost.Handler(t, func(c *scim.Config) { c.Store = store })
			const clients = 16
			statuses := make([]int, clients)
			testhost.Parallel(clients, func(i int) {
				statuses[i] = testhost.Do(t, h, "POST", "/Users", `{"userName":"same@ex.test"}`).StatusCode
			})
			slices.Sort(statuses)
			want := append([]int{201}, slices.Repeat([]int{409}, clients-1)...)
			if diff := cmp.Diff(want, statuses); diff != "" {
				t.Errorf("creations of one user (-want +got):\n%s", diff)
			}

			group := testhost.Create(t, h, "/Groups", `{"displayName":"G"}`)
			users := make([]string, clients)
			for i := range users {
				users[i] = testhost.Create(t, h, "/Users", fmt.Sprintf(`{"userName":"u%d"}`, i))
			}
			testhost.Parallel(clients, func(i int) {
				statuses[i] = testhost.Do(t, h, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+users[i]+`"}]}]}`).StatusCode
			})
			if diff := cmp.Diff(slices.Repeat([]int{204}, clients), statuses); diff != "" {
				t.Errorf("additions to one group (-want +got):\n%s", diff)
			}
			var members []string
			for _, m := range testhost.Decode(t, testhost.Do(t, h, "GET", "/Groups/"+group, ""))["members"].([]any) {
				members = append(members, m.(map[string]any)["value"].(string))
			}
			slices.Sort(members)
			slices.Sort(users)
			if diff := cmp.Diff(users, members); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}

			testhost.Parallel(clients, func(i int) {
				testhost.Do(t, h, "GET", "/Users/"+users[0], "")
				statuses[i] = testhost.Do(t, h, "PUT", "/Users/"+users[0], fmt.Sprintf(`{"userName":"u0","title":"%d","nickName":"%d"}`, i, i)).StatusCode
			})
			if diff := cmp.Diff(slices.Repeat([]int{200}, clients), statuses); diff != "" {
				t.Errorf("replacements of one user (-want +got):\n%s", diff)
			}
			if u := testhost.Decode(t, testhost.Do(t, h, "GET", "/Users/"+users[0], "")); u["title"] != u["nickName"] {
				t.Errorf("half of one client's and half of another's: %v", u)
			}
		})
	}
}
