package sqlstore

import (
	"context"

	"github.com/scimkit/scim"
)

// Link is a rule for types that have a Table: a client that creates a resource takes
// over the row that has its userName, or its displayName where there is none, instead of
// being refused. The row keeps its key and the roles that were given by hand; of its
// contents those are replaced that the client sends. Rows come into question that no
// client has written yet, and those that a client deleted and Retire kept. may decides
// about each of them; SamePerson is given. The application must be sure that the
// client's directory owns these names: whoever may create users could otherwise take
// over anybody's account.
//
//	Rules: []scim.Rule{store.Link(sqlstore.SamePerson)}
func (s *Store) Link(may func(existing, sent *scim.Resource) bool) scim.Rule {
	return func(ctx context.Context, c *scim.Change) error {
		if c.Op != scim.OpCreate || s.app.Table(c.After.Type().Name()) == nil {
			return nil
		}
		return s.db.Write(ctx, func(ctx context.Context) error {
			return s.app.Adopter(c.After.Type().Name()).Adopt(ctx, c, may)
		})
	}
}

// SamePerson is a policy for Link: an externalId, where both have one, tells people of
// one name apart. An address is given to a new person more often than one thinks.
func SamePerson(existing, sent *scim.Resource) bool {
	x, y := existing.String("externalId"), sent.String("externalId")
	return x == "" || y == "" || x == y
}
