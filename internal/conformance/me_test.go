package conformance

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// Me.Writable cannot list attributes that no schema has, so users cannot change these on
// themselves.
func TestMeCannotChangeUnknownAttributes(t *testing.T) {
	uc := scim.UserConfig()
	uc.KeepUnknown = true
	user, err := scim.NewResourceType(uc)
	if err != nil {
		t.Fatal(err)
	}
	patch := func(op string) string { return `{"Operations":[` + op + `]}` }
	for i, tt := range []struct {
		name, method, body string
		status             int
		reason             string
	}{
		{"another value", "PATCH", patch(`{"op":"replace","value":{"app_role":"admin"}}`), 403, "the host may read a role from it"},
		{"in other letters", "PATCH", patch(`{"op":"replace","value":{"APP_ROLE":"admin"}}`), 403, "names are case-insensitive"},
		{"a new one", "PATCH", patch(`{"op":"add","value":{"other":1}}`), 403, "it was not there before"},
		{"left out of a PUT", "PUT", `{"userName":"u","displayName":"d"}`, 403, "that takes it away"},
		{"sent back", "PUT", `{"userName":"u","app_role":"guest","displayName":"d"}`, 200, "nothing changes but what may"},
		{"not named", "PATCH", patch(`{"op":"replace","value":{"displayName":"d"}}`), 200, "the same"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := fmt.Sprint("me", i)
			h := testhost.Handler(t, func(c *scim.Config) {
				c.Types = []*scim.ResourceType{user, scim.GroupType()}
				c.NewID = func() string { return id }
				c.Me = &scim.SelfService{Writable: []string{"displayName"}, UserOf: func(context.Context, scim.Principal) (string, error) { return id, nil }}
			})
			testhost.Do(t, h, "POST", "/Users", `{"userName":"u","app_role":"guest"}`)
			if got := testhost.Do(t, h, tt.method, "/Me", tt.body).StatusCode; got != tt.status {
				t.Errorf("status %d, want %d (%s)", got, tt.status, tt.reason)
			}
			got := testhost.Decode(t, testhost.Do(t, h, "GET", "/Me?attributes=app_role,other", ""))
			delete(got, "schemas")
			delete(got, "meta")
			if diff := cmp.Diff(map[string]any{"id": id, "app_role": "guest"}, got); diff != "" {
				t.Errorf("afterwards (-want +got):\n%s", diff)
			}
		})
	}
}
