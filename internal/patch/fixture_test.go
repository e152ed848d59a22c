package patch_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/patch"
	"github.com/scimkit/scim/internal/tolerance"
)

const (
	coreURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	deskURN       = "urn:example:desk:1.5:User"
	messageURN    = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// user is the core User with the enterprise extension and one of our own, which
// has what the standard schemas lack: a simple multi-valued attribute, numbers
// and a read-only one.
func user(t testing.TB) *model.Type {
	t.Helper()
	desk := schema.Schema{
		ID: deskURN, Name: optional.NewString("Desk"),
		Attributes: schema.Attributes{
			schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: "tags", MultiValued: true})),
			schema.SimpleCoreAttribute(schema.SimpleNumberParams(schema.NumberParams{Name: "level", Type: schema.AttributeTypeInteger()})),
			schema.SimpleCoreAttribute(schema.SimpleBooleanParams(schema.BooleanParams{Name: "window"})),
			schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: "number", Mutability: schema.AttributeMutabilityReadOnly()})),
		},
	}
	return compile(t, "User", schema.CoreUserSchema(), schema.ExtensionEnterpriseUser(), desk)
}

func group(t testing.TB) *model.Type {
	t.Helper()
	return compile(t, "Group", schema.CoreGroupSchema())
}

func compile(t testing.TB, name string, core schema.Schema, extensions ...schema.Schema) *model.Type {
	t.Helper()
	typ, err := model.Compile(name, core, extensions)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// stored decodes a resource as it lies in a store.
func stored(t testing.TB, typ *model.Type, text string) []doc.Value {
	t.Helper()
	if text == "" {
		return nil
	}
	b, err := doc.Decode(typ, []byte(text), doc.Options{Stored: true, KeepUnknown: true})
	if err != nil {
		t.Fatalf("fixture %s: %v", text, err)
	}
	return b.Values
}

// plain is the generic JSON form of values, for comparison.
func plain(t testing.TB, values []doc.Value) any {
	t.Helper()
	m := map[string]any{}
	for _, v := range values {
		m[v.Attr.Name] = v.Any()
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return generic(t, string(b))
}

func generic(t testing.TB, text string) any {
	t.Helper()
	var x any
	if err := json.Unmarshal([]byte(text), &x); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return x
}

// message wraps operations in a request.
func message(ops string) []byte {
	return []byte(`{"schemas":["` + messageURN + `"],"Operations":[` + ops + `]}`)
}

// run parses and applies.
func run(typ *model.Type, before []doc.Value, body []byte, o patch.Options) ([]doc.Value, error) {
	r, err := patch.Parse(typ, body, o)
	if err != nil {
		return nil, err
	}
	return r.Apply(patch.NewWork(context.Background()), before)
}

func tolerant() (*tolerance.Use, patch.Options) {
	u := &tolerance.Use{}
	return u, patch.Options{Doc: doc.Options{Tol: u}}
}

func strict() patch.Options {
	return patch.Options{Doc: doc.Options{Tol: &tolerance.Use{Strict: true}}}
}

// kind is the scimType of a refusal; "" for success.
func kind(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("not a *fault.Error: %v", err)
	}
	return f.Type
}
