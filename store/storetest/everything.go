package storetest

import (
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim"
)

// everything returns the type User with additional attributes of every kind in every
// place.
func everything() (*scim.ResourceType, error) {
	c := scim.UserConfig()
	c.Schema.Attributes = append(c.Schema.Attributes, ofEveryKind("one", false)...)
	c.Schema.Attributes = append(c.Schema.Attributes, ofEveryKind("many", true)...)
	c.Schema.Attributes = append(c.Schema.Attributes, compound("thing", false), compound("things", true))
	own := append(ofEveryKind("ext", false), compound("parts", true), compound("piece", false))
	c.Extensions = append(c.Extensions, schema.Schema{
		ID: "urn:example:params:scim:2.0:Own", Name: optional.NewString("Own"), Attributes: append(own, ofEveryKind("exts", true)...),
	})
	return scim.NewResourceType(c)
}

func ofEveryKind(name string, multi bool) []schema.CoreAttribute {
	return []schema.CoreAttribute{
		schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: name + "Exact", CaseExact: true, MultiValued: multi})),
		schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: name + "Text", MultiValued: multi})),
		schema.SimpleCoreAttribute(schema.SimpleReferenceParams(schema.ReferenceParams{Name: name + "Link", ReferenceTypes: []schema.AttributeReferenceType{"external"}, MultiValued: multi})),
		schema.SimpleCoreAttribute(schema.SimpleNumberParams(schema.NumberParams{Name: name + "Int", Type: schema.AttributeTypeInteger(), MultiValued: multi})),
		schema.SimpleCoreAttribute(schema.SimpleNumberParams(schema.NumberParams{Name: name + "Real", Type: schema.AttributeTypeDecimal(), MultiValued: multi})),
		schema.SimpleCoreAttribute(schema.SimpleDateTimeParams(schema.DateTimeParams{Name: name + "Date", MultiValued: multi})),
		schema.SimpleCoreAttribute(schema.SimpleBinaryParams(schema.BinaryParams{Name: name + "Bytes", MultiValued: multi})),
		schema.SimpleCoreAttribute(schema.SimpleBooleanParams(schema.BooleanParams{Name: name + "Flag", MultiValued: multi})),
	}
}

func compound(name string, multi bool) schema.CoreAttribute {
	return schema.ComplexCoreAttribute(schema.ComplexParams{Name: name, MultiValued: multi, SubAttributes: []schema.SimpleParams{
		schema.SimpleStringParams(schema.StringParams{Name: "value"}),
		schema.SimpleStringParams(schema.StringParams{Name: "code", CaseExact: true}),
		schema.SimpleNumberParams(schema.NumberParams{Name: "size", Type: schema.AttributeTypeInteger()}),
		schema.SimpleNumberParams(schema.NumberParams{Name: "weight", Type: schema.AttributeTypeDecimal()}),
		schema.SimpleDateTimeParams(schema.DateTimeParams{Name: "since"}),
		schema.SimpleStringParams(schema.StringParams{Name: "labels", MultiValued: true}),
		schema.SimpleBooleanParams(schema.BooleanParams{Name: "primary"}),
	}})
}
