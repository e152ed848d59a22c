package bulk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim/internal/bulk"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

const (
	base       = "https://x.test/v2"
	requestURN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

func types(t testing.TB) *host.Types {
	t.Helper()
	user, err := model.Compile("User", schema.CoreUserSchema(), []schema.Schema{schema.ExtensionEnterpriseUser()})
	if err != nil {
		t.Fatal(err)
	}
	group, err := model.Compile("Group", schema.CoreGroupSchema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	user.Endpoint, group.Endpoint = "/Users", "/Groups"
	return &host.Types{All: []*model.Type{user, group}, User: user, Group: group}
}

func options(t testing.TB) bulk.Options {
	return bulk.Options{
		Types:    types(t),
		Limits:   &host.Limits{Body: 1 << 20, GroupBody: 16 << 20, BulkOps: 1000, Filter: 4096},
		Base:     base,
		Location: func(ref host.Ref) string { return base + "/" + ref.Type + "s/" + ref.ID },
		Use:      &tolerance.Use{},
	}
}

// job is a bulk request of operations that are JSON already.
func job(ops ...string) string {
	return fmt.Sprintf(`{"schemas":[%q],"Operations":[%s]}`, requestURN, strings.Join(ops, ","))
}

func post(bulkID, endpoint, data string) string {
	return fmt.Sprintf(`{"method":"POST","path":%q,"bulkId":%q,"data":%s}`, endpoint, bulkID, data)
}

func user(bulkID string) string { return post(bulkID, "/Users", `{"userName":"u"}`) }

// group has the members with the bulkIds.
func group(bulkID string, members ...string) string {
	var list []string
	for _, m := range members {
		list = append(list, fmt.Sprintf(`{"value":"bulkId:%s"}`, m))
	}
	return post(bulkID, "/Groups", `{"displayName":"g","members":[`+strings.Join(list, ",")+`]}`)
}

func send(method, path, data string) string {
	if data == "" {
		return fmt.Sprintf(`{"method":%q,"path":%q}`, method, path)
	}
	return fmt.Sprintf(`{"method":%q,"path":%q,"data":%s}`, method, path, data)
}

func parse(t testing.TB, o bulk.Options, body string) *bulk.Job {
	t.Helper()
	j, err := bulk.Parse([]byte(body), o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// create does what a server would: each creation that can run gets an id.
func create(j *bulk.Job) {
	for _, p := range j.Parts {
		if p.Method == "POST" && p.Err == nil {
			p.Ref = host.Ref{Type: p.Type.Name, ID: "id-" + p.BulkID}
		}
	}
}

// say is status, type and detail of an error, "" for none.
func say(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("not a *fault.Error: %v", err)
	}
	return strings.Join(strings.Fields(fmt.Sprint(f.Status, " ", f.Type, " ", f.Detail)), " ")
}
