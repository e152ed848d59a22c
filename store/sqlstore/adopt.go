package sqlstore

import (
	"context"
	"slices"

	"github.com/scimkit/scim"
)

// Adopt returns a rule for types that have a Table: types, or users alone if there are none. If
// a client creates a resource whose row exists already, the rule adopts the row instead of
// refusing the request. It looks for the userName, or for the displayName if there is no
// userName. The row keeps its key and the roles that were given by hand. What the client sends
// replaces the row's contents. Attributes that it does not send stay.
//
// If several rows have the name, as SCIM compares, the rule adopts the one that spells it as the
// client does. If there is none, or more than one, it adopts nothing: a user is refused (409), and a
// group is a new one.
//
// Name "Group" only if every team belongs to the directory. A team that people have made
// themselves would be the client's from then on: it can rename and delete the team.
//
// Adopt adopts rows that no client has claimed yet. If the Table has Revive, it also adopts rows
// that a client has deleted and Retire has kept. may decides about each of them, and if it says no, the client gets 409. The
// ready policies are SamePerson and SameName. The application must be sure that the tenant's
// clients own these names. Otherwise anybody who may create users could take any account.
//
//	Rules: []scim.Rule{store.Adopt(sqlstore.SamePerson)}
func (s *Store) Adopt(may func(existing, sent *scim.Resource) bool, types ...string) scim.Rule {
	if len(types) == 0 {
		types = []string{"User"}
	}
	return func(ctx context.Context, c *scim.Change) error {
		if c.Op != scim.OpCreate || !slices.Contains(types, c.After.Type().Name()) || s.app.Table(c.After.Type().Name()) == nil {
			return nil
		}
		return s.db.Write(ctx, func(ctx context.Context) error {
			return s.app.Adopter(c.After.Type().Name()).Adopt(ctx, c, may)
		})
	}
}

// SamePerson is a policy for Adopt. If both resources have an externalId, the two must be
// equal. An e-mail address is often given to a new person, and the externalId tells the two
// persons apart.
func SamePerson(existing, sent *scim.Resource) bool {
	x, y := existing.String("externalId"), sent.String("externalId")
	return x == "" || y == "" || x == y
}

// SameName is a policy for Adopt: whoever has the name is the same person or team, also with
// another externalId. A person who is deleted and created again in the directory has a new one.
// Use it only if the directory never gives a name to somebody else.
func SameName(_, _ *scim.Resource) bool { return true }
