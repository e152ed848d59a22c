package scenarios

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// again is a store that recovers from a panic in a transaction, and runs it once more.
type again struct{ *memory.Store }

func (s again) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	try := func() (err error, panicked bool) {
		defer func() {
			if recover() != nil {
				err, panicked = errors.New("panic"), true
			}
		}()
		return s.Store.InTx(ctx, fn), false
	}
	err, panicked := try()
	if panicked {
		err, _ = try()
	}
	return err
}

// A panic within creations that refer to each other leaves nothing that keeps the roles
// from following when the transaction runs again.
func TestRolesFollowAfterPanicInTransaction(t *testing.T) {
	app, armed := testhost.NewRoles(), false
	app.Put(scim.Role{ID: "R", Name: "R"})
	h := testhost.Handler(t, func(c *scim.Config) {
		c.Store = again{memory.New()}
		c.Roles = &scim.Roles{Resolver: app, Separate: true}
		n := 0
		c.NewID = func() string { // each other part of the application gets its panic back as an error
			if armed {
				armed = false
				panic("once")
			}
			n++
			return strconv.Itoa(n)
		}
	})
	user := testhost.Create(t, h, "/Users", `{"userName":"u"}`)
	armed = true
	res := testhost.Do(t, h, "POST", "/Bulk", `{"Operations":[
		{"method":"POST","path":"/Groups","bulkId":"a","data":{"displayName":"R","members":[{"value":"`+user+`"},{"value":"bulkId:b","type":"Group"}]}},
		{"method":"POST","path":"/Groups","bulkId":"b","data":{"displayName":"S","members":[{"value":"bulkId:a","type":"Group"}]}}]}`)
	if ops := testhost.Decode(t, res)["Operations"].([]any); ops[0].(map[string]any)["status"] != "201" || armed {
		t.Fatalf("%v", ops)
	}
	if got := app.Of(user); len(got) != 1 || got[0] != "R" {
		t.Errorf("the user holds %v, want [R]", got)
	}
}
