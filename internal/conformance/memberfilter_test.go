package conformance

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// Resources show computed memberships. Filters on them must work alike with every store.
func TestMembershipFilters(t *testing.T) {
	tests := []struct {
		filter string
		want   string // the ids of the matches, or the scimType of a refusal
		reason string
	}{
		{`groups.value eq "g1"`, "u1 u2", "looked up"},
		{`groups eq "g1"`, "u1 u2", "Q44: by its value"},
		{`groups[value eq "g2"]`, "u2", "the same"},
		{`groups.value eq "g1" and groups.value eq "g2"`, "u2", "in both"},
		{`groups.value eq "g1" and userName eq "u1"`, "u1", "with another term"},
		{`groups.value eq "g1" and id eq "u3"`, "", "one who is not in it"},
		{`groups.value eq "g1" or userName eq "u3"`, "u1 u2 u3", "as a part of a tree"},
		{`not (groups.value eq "g2")`, "u1 u3", "or the contrary"},
		{`groups.value eq "nope"`, "", "nobody is in it"},
		{`groups.value eq "u1"`, "", "it is no group"},
		{`groups pr`, "invalidFilter", "it would be answered from stored users, who have none"},
		{`not (groups pr)`, "invalidFilter", "the same"},
		{`userName pr or groups pr`, "invalidFilter", "in any place"},
		{`groups.display eq "g1"`, "invalidFilter", "it is computed"},
		{`groups.value sw "g"`, "invalidFilter", "it would be a scan"},
		{`groups[type eq "direct"]`, "invalidFilter", "it is computed"},
		{`members.value eq "u2"`, "g1 g2", "looked up"},
		{`members[value eq "u2"]`, "g1 g2", "the same"},
		{`members[value eq "u2" and type eq "user"]`, "g1 g2", "of this type"},
		{`members[type eq "Group" and value eq "u2"]`, "", "not of the other"},
		{`members[type eq "Group" and value eq "g1"]`, "g2", "a group in a group"},
		{`members.value eq "u1" and id eq "g1"`, "g1", "as Entra asks"},
		{`members.value eq "u1" and id eq "g2"`, "", "as Entra asks"},
		{`members.value eq "u1" or displayName eq "g2"`, "g1 g2", "as a part of a tree"},
		{`not (members.value eq "u1")`, "g2", "or the contrary"},
		{`members pr`, "invalidFilter", "it would be a scan"},
		{`members.type eq "Group"`, "invalidFilter", "the same"},
		{`members.display eq "u1"`, "invalidFilter", "it is computed"},
		{`members.$ref eq "x"`, "invalidFilter", "it is computed"},
		{`members[value eq "u1" or value eq "u2"]`, "invalidFilter", "one at a time"},
		{`members[value eq "u1" and value eq "u2"]`, "invalidFilter", "nobody is both"},
		{`members.value ne "u1"`, "invalidFilter", "it would be a scan"},
	}
	for name, store := range map[string]scim.Store{"MemberStore": memory.New(), "bare": testhost.NewBareStore()} {
		next := ""
		h := testhost.Handler(t, func(c *scim.Config) {
			c.Store = store
			c.NewID = func() string { return next }
		})
		for _, next = range []string{"u1", "u2", "u3"} {
			testhost.Do(t, h, "POST", "/Users", `{"userName":"`+next+`"}`)
		}
		next = "g1"
		testhost.Do(t, h, "POST", "/Groups", `{"displayName":"g1","members":[{"value":"u1"},{"value":"u2"}]}`)
		next = "g2"
		testhost.Do(t, h, "POST", "/Groups", `{"displayName":"g2","members":[{"value":"u2"},{"value":"g1","type":"Group"}]}`)
		for _, tt := range tests {
			t.Run(name+"/"+tt.filter, func(t *testing.T) {
				path := "/Users"
				if strings.Contains(tt.filter, "members") {
					path = "/Groups"
				}
				for _, paging := range []string{"", "&cursor="} {
					body := testhost.Decode(t, testhost.Do(t, h, "GET", path+"?filter="+url.QueryEscape(tt.filter)+paging, ""))
					got, refused := body["scimType"].(string)
					if detail, _ := body["detail"].(string); refused && !strings.Contains(detail, `.value eq "id"`) {
						t.Errorf("detail %q does not say what is allowed", detail)
					}
					if !refused {
						ids := []string{}
						for _, r := range body["Resources"].([]any) {
							ids = append(ids, r.(map[string]any)["id"].(string))
						}
						slices.Sort(ids)
						got = strings.Join(ids, " ")
					}
					if diff := cmp.Diff(tt.want, got); diff != "" {
						t.Errorf("%s%s (-want +got):\n%s", tt.reason, paging, diff)
					}
				}
			})
		}
		for _, path := range []string{"/Users?sortBy=groups", "/Users?sortBy=groups.display", "/Groups?sortBy=members", "/?sortBy=groups.value"} {
			body := testhost.Decode(t, testhost.Do(t, h, "GET", path, ""))
			if detail, _ := body["detail"].(string); body["scimType"] != "invalidPath" || !strings.Contains(detail, "cannot be sorted by") {
				t.Errorf("%s: GET %s: %v, want invalidPath", name, path, body)
			}
		}
	}
}

// counting counts the look-ups of memberships and the ids of list queries.
type counting struct {
	*memory.Store
	lookups, ids int
}

func (s *counting) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	s.lookups++
	return s.Store.GroupsOf(ctx, members)
}

func (s *counting) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	s.ids = max(s.ids, len(q.IDs))
	return s.Store.List(ctx, t, q)
}

// A short filter must not become a huge tree or query.
func TestMembershipFiltersAreBounded(t *testing.T) {
	s := &counting{Store: memory.New()}
	next := ""
	h := testhost.Handler(t, func(c *scim.Config) {
		c.Store = s
		c.NewID = func() string { return next }
	})
	var all []string
	for i := range 1001 {
		next = fmt.Sprintf("u%d", i)
		testhost.Do(t, h, "POST", "/Users", `{"userName":"`+next+`"}`)
		all = append(all, `{"value":"`+next+`"}`)
	}
	for i := range 1001 {
		next = fmt.Sprintf("g%d", i)
		members := `{"value":"u0"}`
		if i < 100 {
			members += `,{"value":"u1"}`
		}
		testhost.Do(t, h, "POST", "/Groups?attributes=id", `{"displayName":"`+next+`","members":[`+members+`]}`)
	}
	next = "large"
	testhost.Do(t, h, "POST", "/Groups?attributes=id", `{"displayName":"large","members":[`+strings.Join(all, ",")+`]}`)
	times := func(n int, term string) string { return strings.Repeat(term+" or ", n-1) + term }
	for _, tt := range []struct {
		name, path, filter string
		status, lookups    int
		reason             string
	}{
		{"many times", "/Groups", times(9, `members eq "u1"`), 200, 1, "looked up once"},
		{"too many times", "/Groups", times(10, `members eq "u1"`), 400, 1, "909 ids are enough, 1,010 too many"},
		{"too many in one", "/Groups", `members eq "u0" or displayName eq "x"`, 400, 1, "1,002 ids in the tree"},
		{"too many ids", "/Groups", `members eq "u0"`, 400, 1, "Query.IDs is at most 1,000"},
		{"too many, narrowed down", "/Groups", `id eq "g7" and members eq "u0"`, 200, 1, "as Entra asks"},
		{"many, both needed", "/Groups", `members eq "u0" and members eq "u1"`, 200, 2, "101 are left"},
		{"a large group", "/Users", `groups eq "large"`, 400, 0, "1,001 users"},
		{"a large group in a tree", "/Users", `groups eq "large" or userName eq "x"`, 400, 0, "1,001 users"},
		{"a large group, half", "/Users", `groups eq "g7"`, 200, 0, "one user"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.lookups, s.ids = 0, 0
			res := testhost.Do(t, h, "GET", tt.path+"?attributes=id&filter="+url.QueryEscape(tt.filter), "")
			if res.StatusCode != tt.status || s.lookups != tt.lookups || s.ids > 1000 {
				t.Errorf("status %d, %d look-ups, %d ids; want %d, %d, at most 1,000 (%s)", res.StatusCode, s.lookups, s.ids, tt.status, tt.lookups, tt.reason)
			}
			if typ := testhost.Decode(t, res)["scimType"]; tt.status == 400 && typ != "tooMany" {
				t.Errorf("scimType %v, want tooMany", typ)
			}
		})
	}
}
