package host

import (
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
)

// Types are the resource types that a tenant serves.
type Types struct {
	All         []*model.Type
	User, Group *model.Type // nil if the tenant does not serve the type
}

// At finds the type of an endpoint such as "/Users".
func (t *Types) At(endpoint string) *model.Type {
	for _, m := range t.All {
		if m.Endpoint == endpoint {
			return m
		}
	}
	return nil
}

// Named finds a type by its name.
func (t *Types) Named(name string) *model.Type {
	for _, m := range t.All {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// KeyOf is the place of d in the order of q.
func KeyOf(q *Query, d *doc.Document) *Key { return (*Key)(match.PlaceOf(q.SortBy, d)) }
