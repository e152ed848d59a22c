package bulk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/bulk"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/tolerance"
)

// FuzzParse reads arbitrary bodies and runs their operations, each with success. The
// order is right, and the data with ids in it is bounded JSON. If two keys of an object
// have filters, they may become the same: who decodes the data refuses that.
func FuzzParse(f *testing.F) {
	for _, body := range []string{
		job(user("a"), group("g", "a")),
		job(group("g", "h"), user("a"), group("h", "g", "a"), group("all", "g")),
		job(group("g", "g"), send("DELETE", "/Groups/bulkId:g", "")),
		job(send("PATCH", "/Groups/1", `[{"op":"remove","path":"members[value eq \"bulkId:a\"]"},{"op":"add","value":{"members":[{"$ref":"bulkId:a"}]}}]`), user("a")),
		job(post("a", "/Users", `{"`+enterprise+`":{"manager":"bulkId:a"}}`), post("a", base+"/Users", `{}`)),
		job(post("a", "/Users", `{"`+enterprise+`:manager":{"value":"bulkId:b"}}`), user("b"), send("PUT", "/Users/bulkId:b", `{"userName":"b"}`)),
		`{"failOnErrors":1,"operations":[{"METHOD":"patch","path":"/Users/%31","version":"*","data":[]}]}`,
		`{"schemas":["` + requestURN + `"],"Operations":[{"method":1},null]}`,
	} {
		f.Add(body)
	}
	o := options(f)
	o.Limits.BulkOps, o.Limits.Body, o.Limits.GroupBody = 20, 500, 1000
	f.Fuzz(func(t *testing.T, body string) {
		o.Use = &tolerance.Use{}
		j, err := bulk.Parse([]byte(body), o)
		if err != nil {
			if j != nil || say(t, err) == "" {
				t.Fatalf("a job %v with the error %v", j, err)
			}
			return
		}
		if n := len(j.Parts); n == 0 || n > o.Limits.BulkOps {
			t.Fatalf("%d operations", n)
		}
		if err := wrongOrder(j); err != nil {
			t.Fatal(err)
		}
		for _, unit := range j.Order() {
			run(t, o, j, unit)
		}
	})
}

// run does what a server does with a unit that always succeeds.
func run(t *testing.T, o bulk.Options, j *bulk.Job, unit []*bulk.Part) {
	if len(unit) > 1 || unit[0].NeedsItself() {
		for _, p := range unit {
			data, _, err := j.DataWithout(p, unit)
			judge(t, o, p, data, err)
			p.Ref = host.Ref{Type: p.Type.Name, ID: fmt.Sprint("id-", p.At)}
		}
	}
	for _, p := range unit {
		if p.Err != nil {
			say(t, p.Err)
			continue
		}
		ref, err := j.Target(p)
		if err != nil {
			say(t, err)
			p.Err = err
			continue
		}
		data, err := j.Data(p)
		judge(t, o, p, data, err)
		if p.Ref = ref; p.Method == "POST" {
			p.Ref = host.Ref{Type: p.Type.Name, ID: fmt.Sprint("id-", p.At)}
		}
		if p.Ref.ID == "" || strings.ContainsRune(p.Ref.ID, 0) || p.Ref.Type != p.Type.Name {
			t.Fatalf("operation %d is about the %s %q", p.At, p.Ref.Type, p.Ref.ID)
		}
	}
}

// judge checks the data of an operation.
func judge(t *testing.T, o bulk.Options, p *bulk.Part, data jsontext.Value, err error) {
	switch {
	case err != nil:
		p.Err = err
		say(t, err)
	case p.Method == "DELETE":
		if data != nil {
			t.Fatalf("a DELETE has the data %s", data)
		}
	case !data.IsValid(jsontext.AllowDuplicateNames(true)) || data.Kind() != '{':
		t.Fatalf("operation %d has the data %s", p.At, data)
	case int64(len(data)) > 2*o.Limits.BodyOf(p.Type): // a filter may have more spaces than the client's had
		t.Fatalf("operation %d has %d bytes of data", p.At, len(data))
	}
}
