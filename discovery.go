package scim

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/wire"
)

type object = map[string]any

// discover answers for one of the three discovery endpoints (RFC 7644, Section 4).
func discover(endpoint, id string) action {
	return func(o *operation, _ context.Context, _ []byte) (*answer, error) {
		if o.params.filter != "" {
			return nil, fault.Refuse(http.StatusForbidden, "", "filters are not possible on discovery endpoints")
		}
		if endpoint == "ServiceProviderConfig" {
			if id != "" {
				return nil, fault.NotFound("ServiceProviderConfig", id)
			}
			return jsonAnswer(o.providerConfig())
		}
		all := o.resourceTypes()
		if endpoint == "Schemas" {
			all = o.schemas()
		}
		if id == "" {
			return jsonAnswer(object{"schemas": []string{wire.ListResponse}, "totalResults": len(all),
				"itemsPerPage": len(all), "startIndex": 1, "Resources": all})
		}
		for _, e := range all {
			if model.FoldName(e["id"].(string)) == model.FoldName(id) {
				return jsonAnswer(e)
			}
		}
		return nil, fault.NotFound(endpoint, id)
	}
}

func jsonAnswer(v any) (*answer, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, body: b}, nil
}

func emptyList(*operation, context.Context, []byte) (*answer, error) {
	return jsonAnswer(object{"schemas": []string{wire.ListResponse}, "totalResults": 0, "itemsPerPage": 0, "startIndex": 1, "Resources": []any{}})
}

// providerConfig is computed from what the handler and the store can do.
func (o *operation) providerConfig() object {
	supported := func(yes bool) object { return object{"supported": yes} }
	schemes := []object{}
	if a, ok := o.h.c.Auth.(interface{ Schemes() []AuthScheme }); ok {
		for i, s := range a.Schemes() {
			e := object{"type": s.Type, "name": s.Name, "description": s.Description, "primary": i == 0}
			if s.SpecURI != "" {
				e["specUri"] = s.SpecURI
			}
			schemes = append(schemes, e)
		}
	}
	paging := object{
		"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": o.h.c.Limits.PageSize,
		"maxPageSize": o.h.c.Limits.MaxPage, "cursorTimeout": int(o.h.c.Limits.CursorTime / time.Second),
	}
	return object{
		"schemas":               []string{wire.ServiceProviderConfig},
		"patch":                 supported(true),
		"bulk":                  object{"supported": true, "maxOperations": o.h.c.Limits.BulkOps, "maxPayloadSize": o.h.c.Limits.BulkBody},
		"filter":                object{"supported": true, "maxResults": o.h.c.Limits.MaxPage},
		"changePassword":        supported(o.t.Stores.Passwords != nil),
		"sort":                  supported(true),
		"pagination":            paging,
		"etag":                  supported(true),
		"authenticationSchemes": schemes,
		"meta":                  object{"resourceType": "ServiceProviderConfig", "location": o.base + "/ServiceProviderConfig"},
	}
}

func (o *operation) resourceTypes() []object {
	var all []object
	for _, t := range o.t.Types.All {
		e := object{
			"schemas": []string{wire.ResourceType}, "id": t.Name, "name": t.Name, "endpoint": t.Endpoint,
			"description": t.Description, "schema": t.URN,
			"meta": object{"resourceType": "ResourceType", "location": o.base + "/ResourceTypes/" + t.Name},
		}
		var exts []object
		for _, x := range t.Schemas[1:] {
			exts = append(exts, object{"schema": x.URN, "required": x.Attributes.Required})
		}
		if exts != nil {
			e["schemaExtensions"] = exts
		}
		all = append(all, e)
	}
	return all
}

func (o *operation) schemas() []object {
	var all []object
	seen := map[string]bool{}
	for _, t := range o.t.Types.All {
		for _, s := range t.Schemas {
			if seen[s.URN] {
				continue
			}
			seen[s.URN] = true
			var list []object
			for _, a := range s.Attributes.Sub {
				if !a.Meta && !a.Extension && a.Name != "externalId" {
					list = append(list, describe(a))
				}
			}
			all = append(all, object{
				"schemas": []string{wire.Schema}, "id": s.URN, "name": s.Name, "description": s.Description,
				"attributes": list,
				"meta":       object{"resourceType": "Schema", "location": o.base + "/Schemas/" + s.URN},
			})
		}
	}
	return all
}

// describe is an attribute as RFC 7643, Section 7 writes it.
func describe(a *model.Attribute) object {
	e := object{
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
	if a.Canonical != nil {
		e["canonicalValues"] = a.Canonical
	}
	if a.RefTypes != nil {
		e["referenceTypes"] = a.RefTypes
	}
	var subs []object
	for _, s := range a.Sub {
		subs = append(subs, describe(s))
	}
	if subs != nil {
		e["subAttributes"] = subs
	}
	return e
}
