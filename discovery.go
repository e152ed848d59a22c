package scim

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/scimkit/scim/internal/discovery"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
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
			return jsonAnswer(discovery.ServiceProviderConfig(o.base, o.features()))
		}
		all := discovery.ResourceTypes(o.base, o.t.Types.All)
		if endpoint == "Schemas" {
			all = discovery.Schemas(o.base, o.t.Types.All)
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

// features say what the handler and the store can do.
func (o *operation) features() discovery.Features {
	f := discovery.Features{Limits: (*host.Limits)(&o.h.c.Limits), Passwords: o.t.Stores.Passwords != nil}
	if a, ok := o.h.c.Auth.(interface{ Schemes() []AuthScheme }); ok {
		for _, s := range a.Schemes() {
			f.Schemes = append(f.Schemes, discovery.Scheme(s))
		}
	}
	return f
}
