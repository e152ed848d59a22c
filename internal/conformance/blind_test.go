package conformance

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// A client that may not read must not find out values by filters in paths. It may use those
// that Entra needs: the value is made if it is not there.
func TestAFilterInAPathTellsABlindClientNothing(t *testing.T) {
	for name, strict := range map[string]bool{"tolerant": false, "strict": true} {
		t.Run(name, func(t *testing.T) {
			isBlind := false
			h := testhost.Handler(t, func(c *scim.Config) {
				c.Strict = strict
				c.Allow = func(_ context.Context, a scim.Access) error {
					if isBlind && (a.Op == scim.OpGet || a.Op == scim.OpList) {
						return errors.New("this token may not read")
					}
					return nil
				}
			})
			const core = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],`
			user := testhost.Create(t, h, "/Users", `{`+core+`"userName":"ann","emails":[{"value":"secret@example.com","type":"work"}]}`)
			isBlind = true
			status := func(op, path, value string) int {
				return testhost.Do(t, h, "PATCH", "/Users/"+user, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],`+
					`"Operations":[{"op":"`+op+`","path":"`+path+`"`+value+`}]}`).StatusCode
			}
			for _, tt := range []struct {
				op, filter, there, missing, value string
				want                              int
				wantStrict                        int
			}{
				{"replace", `].type`, `value sw \"s\"`, `value sw \"q\"`, `,"value":"work"`, 403, 403},
				{"remove", `]`, `value sw \"q\"`, `value sw \"s\"`, ``, 403, 403},
				{"replace", `].type`, `value eq \"secret@example.com\"`, `value eq \"none@example.com\"`, `,"value":"work"`, 204, 403},
				{"remove", `]`, `value eq \"secret@example.com\"`, `value eq \"nobody@example.com\"`, ``, 204, 403},
			} {
				want := tt.want
				if strict {
					want = tt.wantStrict
				}
				got := []int{status(tt.op, "emails["+tt.there+tt.filter, tt.value), status(tt.op, "emails["+tt.missing+tt.filter, tt.value)}
				if diff := cmp.Diff([]int{want, want}, got); diff != "" {
					t.Errorf("%s emails[%s: a value that is there, and one that is not (-want +got):\n%s", tt.op, tt.there, diff)
				}
			}
		})
	}
}
