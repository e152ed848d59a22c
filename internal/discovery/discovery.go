// Package discovery makes the documents that describe the endpoint to clients (RFC 7644,
// Section 4): its features, resource types and schemas.
package discovery

import (
	"time"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/wire"
)

// Object is a JSON object.
type Object = map[string]any

// Scheme describes one way in which clients authenticate (RFC 7643, Section 5).
type Scheme struct{ Type, Name, Description, SpecURI string }

// Features describe what the handler and the store can do.
type Features struct {
	Limits    *host.Limits
	Passwords bool     // clients can set passwords
	Schemes   []Scheme // the preferred one first
}

// List is the ListResponse with all documents.
func List(all []Object) Object {
	if all == nil {
		all = []Object{}
	}
	return Object{"schemas": []string{wire.ListResponse}, "totalResults": len(all), "itemsPerPage": len(all), "startIndex": 1, "Resources": all}
}

// Find returns the document with an id, in any case, nil if there is none.
func Find(all []Object, id string) Object {
	for _, e := range all {
		if model.FoldName(e["id"].(string)) == model.FoldName(id) {
			return e
		}
	}
	return nil
}

// ServiceProviderConfig describes the features of the endpoint at base.
func ServiceProviderConfig(base string, f Features) Object {
	supported := func(yes bool) Object { return Object{"supported": yes} }
	schemes := []Object{}
	for i, s := range f.Schemes {
		e := Object{"type": s.Type, "name": s.Name, "description": s.Description, "primary": i == 0}
		if s.SpecURI != "" {
			e["specUri"] = s.SpecURI
		}
		schemes = append(schemes, e)
	}
	paging := Object{
		"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": f.Limits.PageSize,
		"maxPageSize": f.Limits.MaxPage, "cursorTimeout": int(f.Limits.CursorTime / time.Second),
	}
	return Object{
		"schemas":               []string{wire.ServiceProviderConfig},
		"patch":                 supported(true),
		"bulk":                  Object{"supported": true, "maxOperations": f.Limits.BulkOps, "maxPayloadSize": f.Limits.BulkBody},
		"filter":                Object{"supported": true, "maxResults": f.Limits.MaxPage},
		"changePassword":        supported(f.Passwords),
		"sort":                  supported(true),
		"pagination":            paging,
		"etag":                  supported(true),
		"authenticationSchemes": schemes,
		"meta":                  Object{"resourceType": "ServiceProviderConfig", "location": base + "/ServiceProviderConfig"},
	}
}

// ResourceTypes describes each of types.
func ResourceTypes(base string, types []*model.Type) []Object {
	var all []Object
	for _, t := range types {
		e := Object{
			"schemas": []string{wire.ResourceType}, "id": t.Name, "name": t.Name, "endpoint": t.Endpoint,
			"description": t.Description, "schema": t.URN,
			"meta": Object{"resourceType": "ResourceType", "location": base + "/ResourceTypes/" + t.Name},
		}
		var exts []Object
		for _, x := range t.Schemas[1:] {
			exts = append(exts, Object{"schema": x.URN, "required": x.Attributes.Required})
		}
		if exts != nil {
			e["schemaExtensions"] = exts
		}
		all = append(all, e)
	}
	return all
}

// Schemas describes each schema of types once. canonical has the values of attributes whose
// values only the application knows.
func Schemas(base string, types []*model.Type, canonical map[*model.Attribute][]string) []Object {
	var all []Object
	seen := map[string]bool{}
	for _, t := range types {
		for _, s := range t.Schemas {
			if seen[s.URN] {
				continue
			}
			seen[s.URN] = true
			var list []Object
			for _, a := range s.Attributes.Sub {
				if !a.Meta && !a.Extension && a.Name != "externalId" {
					list = append(list, describe(a, canonical))
				}
			}
			all = append(all, Object{
				"schemas": []string{wire.Schema}, "id": s.URN, "name": s.Name, "description": s.Description,
				"attributes": list,
				"meta":       Object{"resourceType": "Schema", "location": base + "/Schemas/" + s.URN},
			})
		}
	}
	return all
}

// describe makes the description of an attribute (RFC 7643, Section 7).
func describe(a *model.Attribute, canonical map[*model.Attribute][]string) Object {
	e := Object{
		"name": a.Name, "type": a.Kind.String(), "multiValued": a.Multi, "description": a.Description,
		"required":   a.Required,
		"mutability": [...]string{"readWrite", "readOnly", "immutable", "writeOnly"}[a.Mutability],
		"returned":   [...]string{"default", "always", "never", "request"}[a.Returned],
	}
	if a.Kind != model.Complex && a.Kind != model.Boolean {
		e["caseExact"] = a.CaseExact
		e["uniqueness"] = "none"
		if a.Unique {
			e["uniqueness"] = "server"
		}
	}
	if values, ok := canonical[a]; ok {
		e["canonicalValues"] = append([]string{}, values...)
	} else if a.Canonical != nil {
		e["canonicalValues"] = a.Canonical
	}
	if a.RefTypes != nil {
		e["referenceTypes"] = a.RefTypes
	}
	var subs []Object
	for _, s := range a.Sub {
		subs = append(subs, describe(s, canonical))
	}
	if subs != nil {
		e["subAttributes"] = subs
	}
	return e
}
