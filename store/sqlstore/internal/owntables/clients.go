package owntables

import (
	"context"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// clientOf returns the client whose request has the context ctx.
func clientOf(ctx context.Context) string {
	p, _ := scim.PrincipalOf(ctx)
	if len(dialect.Storable([]string{p.ID})) == 0 {
		return ""
	}
	return p.ID
}

// ClientsOf returns the clients that wrote resources last.
func (s *Resources) ClientsOf(ctx context.Context, refs []scim.Ref) (all map[scim.Ref]string, err error) {
	rows := dialect.Tuples(refs, func(r scim.Ref) []any { return []any{r.Type, r.ID} })
	err = s.db.Read(ctx, func() error {
		all = make(map[scim.Ref]string, len(refs))
		return s.db.Each(ctx, func(scan func(...any) error) error {
			var ref scim.Ref
			var client string
			if err := scan(&ref.Type, &ref.ID, &client); err != nil {
				return err
			}
			all[ref] = client
			return nil
		}, `SELECT r.type, r.id, r.client FROM {rows $2} JOIN {p}resources r ON r.tenant = $1 AND r.type = e.value ->> 0
			AND r.id = e.value ->> 1 AND r.deleted = 0 WHERE r.client <> ''`, rows)
	})
	return all, err
}
