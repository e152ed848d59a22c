package endpoint

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/scimkit/scim/internal/discovery"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/roles"
)

// discover answers one of the three discovery endpoints (RFC 7644, Section 4).
func discover(endpoint, id string) action {
	return func(ctx context.Context, r *request, _ []byte) (*answer, error) {
		if r.params.filter != "" {
			return nil, fault.Refuse(http.StatusForbidden, "", "filters are not possible on discovery endpoints")
		}
		if endpoint == "ServiceProviderConfig" {
			if id != "" {
				return nil, fault.NotFound(endpoint, id)
			}
			return jsonAnswer(discovery.ServiceProviderConfig(r.base, discovery.Features{
				Limits: &r.s.c.Limits, Passwords: r.t.Stores.Passwords != nil, Schemes: r.s.c.Auth.Schemes()}))
		}
		all := discovery.ResourceTypes(r.base, r.t.Types.All)
		if endpoint == "Schemas" {
			var canonical map[*model.Attribute][]string
			if r.hidden(ctx, r.t.Types.User) == nil { // the names of roles are no part of the schema
				var err error
				if canonical, err = roles.CanonicalValues(ctx, r.t); err != nil {
					return nil, err
				}
			}
			all = discovery.Schemas(r.base, r.t.Types.All, canonical)
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
	return &answer{status: http.StatusOK, body: [][]byte{b}}, nil
}

func listNothing(context.Context, *request, []byte) (*answer, error) {
	return jsonAnswer(discovery.List(nil))
}
