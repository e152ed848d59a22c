package endpoint

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/scimkit/scim/internal/discovery"
	"github.com/scimkit/scim/internal/fault"
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
			return jsonAnswer(discovery.List(all))
		}
		if e := discovery.Find(all, id); e != nil {
			return jsonAnswer(e)
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
	return jsonAnswer(discovery.List(nil))
}

// features say what the handler and the store can do.
func (o *operation) features() discovery.Features {
	return discovery.Features{Limits: &o.h.c.Limits, Passwords: o.t.Stores.Passwords != nil, Schemes: o.h.c.Auth.Schemes()}
}
