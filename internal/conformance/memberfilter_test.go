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
		{`members pr`, "g1 g2", "both have some"},
		{`not (members.value pr)`, "", "none is empty"},
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
	lookups, ids, asked int
}

func (s *counting) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	s.asked++
	return s.Store.Members(ctx, groupID, after, limit)
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

// Filters ask whether groups have members. The answers are the same with a store whose
// groups contain their members, in every order and on every page.
func TestMembersPresent(t *testing.T) {
	handlers := map[string]*scim.Handler{}
	for name, store := range map[string]scim.Store{"MemberStore": memory.New(), "bare": testhost.NewBareStore()} {
		n := 0
		h := testhost.Handler(t, func(c *scim.Config) {
			c.Store = store
			c.NewID = func() string { n++; return fmt.Sprintf("id%02d", n) }
		})
		handlers[name] = h
		user := testhost.Create(t, h, "/Users", `{"userName":"u"}`)
		for i := range 12 {
			members := ""
			if i%3 != 1 {
				members = `,"members":[{"value":"` + user + `"}]`
			}
			testhost.Create(t, h, "/Groups", fmt.Sprintf(`{"displayName":"%c%d"%s}`, "xyz"[i%2], (i*7)%12, members))
		}
	}
	type listed struct {
		IDs   []string
		Total float64
	}
	get := func(h *scim.Handler, target string) (l listed, next string) {
		body := testhost.Decode(t, testhost.Do(t, h, "GET", target, ""))
		resources, ok := body["Resources"].([]any)
		if !ok {
			t.Fatalf("GET %s: %v", target, body)
		}
		for _, r := range resources {
			l.IDs = append(l.IDs, r.(map[string]any)["id"].(string))
		}
		l.Total, _ = body["totalResults"].(float64)
		next, _ = body["nextCursor"].(string)
		return l, next
	}
	for _, filter := range []string{
		`members pr`, `members.value pr`, `not (members pr)`, `members pr and displayName sw "x"`, `displayName sw "x" and not (members pr)`,
		`members pr or displayName eq "x4"`, `not (members pr or displayName sw "x")`, `members pr and members.value eq "id01"`, `members.value eq "id01" and not (members pr)`,
		`(members pr and displayName sw "y") or (not (members pr) and displayName sw "x")`, `members pr and not (members pr)`, `members pr and id eq "id05"`,
	} {
		for _, order := range []string{"", "&sortBy=displayName", "&sortBy=displayName&sortOrder=descending", "&sortOrder=descending"} {
			t.Run(filter+order, func(t *testing.T) {
				query := "/Groups?filter=" + url.QueryEscape(filter) + order
				want, _ := get(handlers["bare"], query)
				got, _ := get(handlers["MemberStore"], query)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("(-bare +MemberStore):\n%s", diff)
				}
				var pages, cursors []string
				for start := 1; start <= int(got.Total); start += 2 {
					page, _ := get(handlers["MemberStore"], fmt.Sprintf("%s&startIndex=%d&count=2", query, start))
					if page.Total != got.Total {
						t.Errorf("the page at %d has the total %v, want %v", start, page.Total, got.Total)
					}
					pages = append(pages, page.IDs...)
				}
				for next, more := "", true; more; more = next != "" {
					var page listed
					page, next = get(handlers["MemberStore"], query+"&count=2&cursor="+next)
					cursors = append(cursors, page.IDs...)
				}
				if diff := cmp.Diff(got.IDs, pages); diff != "" {
					t.Errorf("by index (-whole +pages):\n%s", diff)
				}
				if diff := cmp.Diff(got.IDs, cursors); diff != "" {
					t.Errorf("by cursor (-whole +pages):\n%s", diff)
				}
			})
		}
	}
	search := testhost.Decode(t, testhost.Do(t, handlers["MemberStore"], "POST", "/.search", `{"filter":"not (members pr) and displayName pr"}`))
	if search["totalResults"] != 4.0 {
		t.Errorf("the root finds %v, want the 4 empty groups", search)
	}
}

// The question whether groups have members takes a call for each group that the rest of the
// filter leaves open, and not for ever.
func TestMembersPresentIsBounded(t *testing.T) {
	s := &counting{Store: memory.New()}
	h := testhost.Handler(t, func(c *scim.Config) { c.Store = s })
	user := testhost.Create(t, h, "/Users", `{"userName":"u"}`)
	create := func(n int) {
		for i := range n {
			g, err := scim.GroupType().Bind(scim.Meta{ID: fmt.Sprintf("g%d-%d", n, i)}, nil, map[string]any{"displayName": fmt.Sprintf("g%d", i)})
			if err == nil {
				_, err = s.Create(t.Context(), g)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	create(10_000)
	testhost.Do(t, h, "PATCH", "/Groups/g10000-7", `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+user+`"}]}]}`)
	for _, tt := range []struct {
		filter        string
		more          int
		status, asked int
		reason        string
	}{
		{`members pr`, 0, 200, 10_000, "each group"},
		{`members pr and displayName eq "g7"`, 0, 200, 1, "the store finds the one"},
		{`displayName eq "g7" and (members pr or displayName eq "g7")`, 0, 200, 1, "in any place"},
		{`members pr`, 1, 400, 10_000, "one too many"},
		{`members pr and id eq "g10000-7"`, 0, 200, 1, "narrowed down"},
	} {
		t.Run(tt.filter, func(t *testing.T) {
			create(tt.more)
			s.asked = 0
			res := testhost.Do(t, h, "GET", "/Groups?attributes=id&filter="+url.QueryEscape(tt.filter), "")
			body := testhost.Decode(t, res)
			if res.StatusCode != tt.status || s.asked != tt.asked {
				t.Errorf("status %d after %d calls; want %d after %d (%s)", res.StatusCode, s.asked, tt.status, tt.asked, tt.reason)
			}
			if tt.status == 400 && body["scimType"] != "tooMany" {
				t.Errorf("%v, want tooMany", body)
			}
		})
	}
}
