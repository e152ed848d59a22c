package match_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
	"github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

const (
	labURN        = "urn:example:params:scim:schemas:lab:2.0:Sample"
	extraURN      = "urn:example:params:scim:schemas:lab:2.0:Extra"
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// simples is one attribute of every kind, with a prefix to its name.
func simples(prefix string, multi bool) []schema.SimpleParams {
	return []schema.SimpleParams{
		schema.SimpleStringParams(schema.StringParams{Name: prefix + "text", MultiValued: multi}),
		schema.SimpleStringParams(schema.StringParams{Name: prefix + "code", MultiValued: multi, CaseExact: true}),
		schema.SimpleBooleanParams(schema.BooleanParams{Name: prefix + "flag", MultiValued: multi}),
		schema.SimpleNumberParams(schema.NumberParams{Name: prefix + "age", MultiValued: multi, Type: schema.AttributeTypeInteger()}),
		schema.SimpleNumberParams(schema.NumberParams{Name: prefix + "score", MultiValued: multi, Type: schema.AttributeTypeDecimal()}),
		schema.SimpleDateTimeParams(schema.DateTimeParams{Name: prefix + "at", MultiValued: multi}),
		schema.SimpleBinaryParams(schema.BinaryParams{Name: prefix + "cert", MultiValued: multi}),
		schema.SimpleReferenceParams(schema.ReferenceParams{Name: prefix + "link", MultiValued: multi}),
	}
}

func attributes(list ...[]schema.SimpleParams) (out []schema.CoreAttribute) {
	for _, l := range list {
		for _, p := range l {
			out = append(out, schema.SimpleCoreAttribute(p))
		}
	}
	return out
}

// labType has every kind in every place an attribute can have.
func labType(t testing.TB) *model.Type {
	t.Helper()
	list := func() []schema.CoreAttribute {
		return append(attributes(simples("", false), simples("many-", true)),
			schema.ComplexCoreAttribute(schema.ComplexParams{Name: "box", SubAttributes: simples("", false)}),
			schema.ComplexCoreAttribute(schema.ComplexParams{Name: "items", MultiValued: true, SubAttributes: simples("", false)}),
			schema.ComplexCoreAttribute(schema.ComplexParams{Name: "deep", MultiValued: true, SubAttributes: simples("", true)}),
			schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: "secret", Returned: schema.AttributeReturnedNever()})),
			schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: "pin", Mutability: schema.AttributeMutabilityWriteOnly()})),
			schema.ComplexCoreAttribute(schema.ComplexParams{Name: "vault", MultiValued: true, SubAttributes: []schema.SimpleParams{
				schema.SimpleStringParams(schema.StringParams{Name: "value", Returned: schema.AttributeReturnedNever()}),
				schema.SimpleStringParams(schema.StringParams{Name: "label"}),
			}}),
			schema.ComplexCoreAttribute(schema.ComplexParams{Name: "cellar", Returned: schema.AttributeReturnedNever(), SubAttributes: []schema.SimpleParams{
				schema.SimpleStringParams(schema.StringParams{Name: "value"}),
			}}),
		)
	}
	typ, err := model.Compile("Sample", schema.Schema{ID: labURN, Name: optional.NewString("Sample"), Attributes: list()},
		[]schema.Schema{{ID: extraURN, Attributes: list()}})
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func userType(t testing.TB) *model.Type {
	t.Helper()
	typ, err := model.Compile("User", schema.CoreUserSchema(), []schema.Schema{schema.ExtensionEnterpriseUser()})
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func groupType(t testing.TB) *model.Type {
	t.Helper()
	typ, err := model.Compile("Group", schema.CoreGroupSchema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// obj is a complex value: names with strings, obj, []obj or []string.
type obj map[string]any

// fields turns o into the fields of a, in schema order.
func fields(a *model.Attribute, o obj) []doc.Value {
	var out []doc.Value
	for name, v := range o {
		sub := a.Lookup(name)
		if sub == nil {
			panic("fixture: no attribute " + name)
		}
		switch v := v.(type) {
		case string:
			out = doc.Put(out, doc.Simple(sub, v))
		case obj:
			out = doc.Put(out, doc.Composite(sub, fields(sub, v)...))
		case []string:
			var kids []doc.Value
			for _, s := range v {
				kids = append(kids, doc.Simple(sub, s))
			}
			out = doc.Put(out, doc.Composite(sub, kids...))
		case []obj:
			var kids []doc.Value
			for _, e := range v {
				kids = append(kids, doc.Composite(sub, fields(sub, e)...))
			}
			out = doc.Put(out, doc.Composite(sub, kids...))
		default:
			panic(fmt.Sprintf("fixture: %T", v))
		}
	}
	return out
}

func newDoc(t *model.Type, id string, o obj) *doc.Document {
	return &doc.Document{Type: t, ID: id, Values: fields(t.Root, o)}
}

func parse(t testing.TB, text string) filter.Expression {
	t.Helper()
	e, err := filterlang.ParseFilter(text, filterlang.Limits{}, nil)
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return e
}

func compile(t testing.TB, typ *model.Type, text string) *match.Filter {
	t.Helper()
	f, err := match.Compile(typ, parse(t, text), nil)
	if err != nil {
		t.Fatalf("compile %s: %v", text, err)
	}
	return f
}

func mustTime(s string) time.Time {
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return v
}

var strict = &tolerance.Use{Strict: true}
