package conformance

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// An element of members that names nobody is refused, in every request. If the server
// ignored it, a list of one would remove everybody.
func TestEmptyMemberIsRefused(t *testing.T) {
	for name, store := range map[string]scim.Store{"MemberStore": memory.New(), "bare": testhost.NewBareStore()} {
		h := testhost.Handler(t, func(c *scim.Config) { c.Store = store })
		ann := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
		group := testhost.Create(t, h, "/Groups", `{"displayName":"g","members":[{"value":"`+ann+`"}]}`)
		for _, value := range []string{`[{}]`, `{}`, `[null]`, `[""]`, `[{"value":null}]`, `[{"value":""}]`, `[{"display":"Ann"}]`, `[{"value":"` + ann + `"},{"type":"User"}]`} {
			requests := [][3]string{
				{http.MethodPost, "/Groups", `{"displayName":"h","members":` + value + `}`},
				{http.MethodPut, "/Groups/" + group, `{"displayName":"g","members":` + value + `}`},
			}
			for _, op := range []string{"add", "replace", "remove"} {
				requests = append(requests, [3]string{http.MethodPatch, "/Groups/" + group, fmt.Sprintf(`{"Operations":[{"op":%q,"path":"members","value":%s}]}`, op, value)})
			}
			for _, r := range requests {
				t.Run(name+" "+r[0]+" "+r[2], func(t *testing.T) {
					res := testhost.Do(t, h, r[0], r[1], r[2])
					answer := testhost.Decode(t, res)
					detail, _ := answer["detail"].(string)
					if res.StatusCode != 400 || answer["scimType"] != "invalidValue" || !strings.HasPrefix(detail, "members: ") || !strings.Contains(detail, "the id of a user or group") {
						t.Errorf("%d %v", res.StatusCode, answer)
					}
				})
			}
		}
		now := testhost.Decode(t, testhost.Do(t, h, http.MethodGet, "/Groups/"+group, ""))
		if diff := cmp.Diff([]string{ann}, memberIDs(now)); diff != "" {
			t.Errorf("%s: members afterwards (-want +got):\n%s", name, diff)
		}
	}
}

// Without the tolerance, an object around the list is no list: it neither adds nor removes.
func TestWrappedMembersAreRefused(t *testing.T) {
	for name, change := range map[string]func(c *scim.Config){
		"strict": strict, "without": func(c *scim.Config) { c.Without = []scim.Tolerance{"wrapped-members"} },
	} {
		h := testhost.Handler(t, change)
		const head = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:`
		ann := testhost.Create(t, h, "/Users", head+`User"],"userName":"ann"}`)
		group := testhost.Create(t, h, "/Groups", head+`Group"],"displayName":"g","members":[{"value":"`+ann+`"}]}`)
		for _, op := range []string{"add", "replace", "remove"} {
			res := testhost.Do(t, h, http.MethodPatch, "/Groups/"+group, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"`+op+`","path":"members","value":{"members":[{"value":"`+ann+`"}]}}]}`)
			if answer := testhost.Decode(t, res); res.StatusCode != 400 || answer["scimType"] != "invalidValue" {
				t.Errorf("%s: %s: %d %v", name, op, res.StatusCode, answer)
			}
		}
		now := testhost.Decode(t, testhost.Do(t, h, http.MethodGet, "/Groups/"+group, ""))
		if diff := cmp.Diff([]string{ann}, memberIDs(now)); diff != "" {
			t.Errorf("%s: members afterwards (-want +got):\n%s", name, diff)
		}
	}
}

// memberIDs lists the ids in the members of a group.
func memberIDs(group map[string]any) (ids []string) {
	members, _ := group["members"].([]any)
	for _, m := range members {
		ids = append(ids, m.(map[string]any)["value"].(string))
	}
	return ids
}
