package doc_test

import (
	"testing"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim/internal/model"
)

const (
	userURN  = "urn:ietf:params:scim:schemas:core:2.0:User"
	entURN   = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	probeURN = "urn:example:params:scim:schemas:2.0:Probe"
)

// users is the core user with the enterprise extension.
func users(t testing.TB) *model.Type {
	t.Helper()
	typ, err := model.Compile("User", schema.CoreUserSchema(), []schema.Schema{schema.ExtensionEnterpriseUser()})
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func groups(t testing.TB) *model.Type {
	t.Helper()
	typ, err := model.Compile("Group", schema.CoreGroupSchema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// probes has an attribute of every kind, mutability and returned.
func probes(t testing.TB) *model.Type {
	t.Helper()
	str := func(name string, change ...func(*schema.StringParams)) schema.SimpleParams {
		p := schema.StringParams{Name: name}
		for _, c := range change {
			c(&p)
		}
		return schema.SimpleStringParams(p)
	}
	required := func(p *schema.StringParams) { p.Required = true }
	readOnly := func(p *schema.StringParams) { p.Mutability = schema.AttributeMutabilityReadOnly() }
	immutable := func(p *schema.StringParams) { p.Mutability = schema.AttributeMutabilityImmutable() }
	secret := func(p *schema.StringParams) {
		p.Mutability, p.Returned = schema.AttributeMutabilityWriteOnly(), schema.AttributeReturnedNever()
	}
	request := func(p *schema.StringParams) { p.Returned = schema.AttributeReturnedRequest() }
	always := func(p *schema.StringParams) { p.Returned = schema.AttributeReturnedAlways() }
	multi := func(p *schema.StringParams) { p.MultiValued = true }
	attrs := []schema.CoreAttribute{
		schema.SimpleCoreAttribute(str("text")),
		schema.SimpleCoreAttribute(str("list", multi)),
		schema.SimpleCoreAttribute(str("fixed", immutable)),
		schema.SimpleCoreAttribute(str("given", readOnly)),
		schema.SimpleCoreAttribute(str("secret", secret)),
		schema.SimpleCoreAttribute(str("onRequest", request)),
		schema.SimpleCoreAttribute(str("must", required)),
		schema.SimpleCoreAttribute(schema.SimpleBooleanParams(schema.BooleanParams{Name: "flag"})),
		schema.SimpleCoreAttribute(schema.SimpleNumberParams(schema.NumberParams{Name: "count", Type: schema.AttributeTypeInteger()})),
		schema.SimpleCoreAttribute(schema.SimpleNumberParams(schema.NumberParams{Name: "rate", Type: schema.AttributeTypeDecimal()})),
		schema.SimpleCoreAttribute(schema.SimpleDateTimeParams(schema.DateTimeParams{Name: "when"})),
		schema.SimpleCoreAttribute(schema.SimpleBinaryParams(schema.BinaryParams{Name: "blob"})),
		schema.SimpleCoreAttribute(schema.SimpleReferenceParams(schema.ReferenceParams{Name: "link"})),
		schema.ComplexCoreAttribute(schema.ComplexParams{
			Name: "box", Description: optional.NewString("A single complex attribute."),
			SubAttributes: []schema.SimpleParams{str("value"), str("fixed", immutable), str("given", readOnly), str("secret", secret), str("kept", always), str("onRequest", request)},
		}),
		schema.ComplexCoreAttribute(schema.ComplexParams{
			Name: "parts", MultiValued: true,
			SubAttributes: []schema.SimpleParams{str("value", required), str("fixed", immutable), str("display"), str("kept", always)},
		}),
		schema.ComplexCoreAttribute(schema.ComplexParams{
			Name: "plain", SubAttributes: []schema.SimpleParams{str("a"), str("b"), str("secret", secret)},
		}),
	}
	ext := schema.Schema{ID: probeURN + "Extension", Attributes: schema.Attributes{
		schema.SimpleCoreAttribute(str("text")),
		schema.SimpleCoreAttribute(str("kept", always)),
		schema.SimpleCoreAttribute(str("given", readOnly)),
	}}
	typ, err := model.Compile("Probe", schema.Schema{ID: probeURN, Attributes: attrs}, []schema.Schema{ext})
	if err != nil {
		t.Fatal(err)
	}
	return typ
}
