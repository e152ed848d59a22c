package conformance

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// A cursor holds a part of the sort value, whatever the length of the value. The next page
// begins at the right place, also if the last resource has gone.
func TestACursorIsShort(t *testing.T) {
	for name, store := range map[string]scim.Store{"memory": memory.New(), "bare": testhost.NewBareStore()} {
		t.Run(name, func(t *testing.T) {
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			h := testhost.Handler(t, func(c *scim.Config) {
				c.Store, c.Types = store, []*scim.ResourceType{scim.UserType(), probeType}
				c.Now = func() time.Time { at = at.Add(time.Second); return at }
			})
			digits := strings.Repeat("1", 20_000)
			begin := strings.Repeat("é<", 10_000)
			for _, tt := range []struct {
				by     string
				values []string // JSON, in order
			}{
				{"text", []string{`"` + begin + `2"`, `"` + begin + `1"`, `"` + begin + `3"`, `"ü"`}},
				{"exact", []string{`"` + begin + `2"`, `"` + begin + `1"`, `"` + begin + `3"`, `"ü"`}},
				{"rate", []string{"0." + digits, "0.2" + digits, "0.3" + digits, "4"}},
				{"when", []string{`"2026-01-01T00:00:00.` + digits + `Z"`, `"2026-01-01T00:00:00.2` + digits + `+00:00"`, `"2026-01-01T00:00:01.` + digits + `Z"`, `"2026-01-01T00:00:02Z"`}},
			} {
				var ids []string
				for _, v := range tt.values {
					ids = append(ids, testhost.Create(t, h, "/Probes", `{"`+tt.by+`":`+v+`,"urn:example:params:scim:schemas:extension:Extra":{"colour":"c"},"list":["`+tt.by+`"]}`))
				}
				var got []string
				cursor := ""
				for range len(ids) + 1 {
					res := testhost.Do(t, h, "GET", "/Probes?count=1&attributes=id&filter=list+eq+%22"+tt.by+"%22&sortBy="+tt.by+"&cursor="+cursor, "")
					body := testhost.Decode(t, res)
					list, _ := body["Resources"].([]any)
					if res.StatusCode != http.StatusOK || len(list) != 1 {
						t.Fatalf("%s: %d %v", tt.by, res.StatusCode, body)
					}
					id := list[0].(map[string]any)["id"].(string)
					got = append(got, id)
					if cursor, _ = body["nextCursor"].(string); cursor == "" {
						break
					}
					if len(cursor) > 2500 {
						t.Errorf("%s: the cursor has %d bytes", tt.by, len(cursor))
					}
					if len(got) == 2 {
						testhost.Do(t, h, "DELETE", "/Probes/"+id, "")
					}
				}
				if diff := cmp.Diff(ids, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tt.by, diff)
				}
			}
		})
	}
}
