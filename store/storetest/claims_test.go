package storetest

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

// claimer is the memory store as the store of an application that adds resources itself.
// It has one fault in how it records claims; "" means none.
type claimer struct {
	*memory.Store
	fault   string
	foreign map[scim.Ref]bool // foreign are the resources that no client has claimed.
	joined  map[scim.Ref]map[scim.Ref]bool
	exempt  map[string]bool
}

func newClaimer(fault string) Application {
	c := &claimer{Store: memory.New(), fault: fault, foreign: map[scim.Ref]bool{}, joined: map[scim.Ref]map[scim.Ref]bool{}, exempt: map[string]bool{}}
	add := func(typ *scim.ResourceType, path string) func(ctx context.Context, name string) (string, error) {
		return func(ctx context.Context, name string) (string, error) {
			r, err := typ.Bind(scim.Meta{ID: typ.Name() + " " + name, Created: instant, LastModified: instant}, nil, values{path: name})
			if err != nil {
				return "", err
			}
			c.foreign[r.Ref()] = true
			_, err = c.Store.Create(ctx, r)
			return r.ID(), err
		}
	}
	return Application{Store: c, AddUser: add(scim.UserType(), "userName"), AddGroup: add(scim.GroupType(), "displayName"),
		Join: func(ctx context.Context, groupID, userID string) error {
			group, user := scim.Ref{Type: "Group", ID: groupID}, scim.Ref{Type: "User", ID: userID}
			if c.joined[group] == nil {
				c.joined[group] = map[scim.Ref]bool{}
			}
			c.joined[group][user] = true
			_, _, err := c.Store.ChangeMembers(ctx, groupID, []scim.Ref{user}, nil)
			return err
		},
		SetExempt: func(_ context.Context, userID string, exempt bool) error {
			c.exempt[userID] = exempt || c.fault == "exempt for ever"
			return nil
		}}
}

func (c *claimer) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	if c.fault == "create does not claim" {
		c.foreign[r.Ref()] = true
	}
	return c.Store.Create(ctx, r)
}

func (c *claimer) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	var before *scim.Resource
	out, err := c.Store.Update(ctx, ref, func(r *scim.Resource) (*scim.Resource, error) {
		before = r
		return fn(r)
	})
	isClaim := false
	switch {
	case c.fault == "each update claims":
		isClaim = true
	case err != nil:
	case c.fault == "active claims":
		isClaim = out != before
	case c.fault == "deactivation with more claims":
		isClaim = scim.Claims(before, out) || before.Active() && !out.Active() && before.String("title") != out.String("title")
	case c.fault == "externalId alone claims":
		isClaim = before.String("externalId") != out.String("externalId")
	default:
		isClaim = scim.Claims(before, out)
	}
	if isClaim {
		delete(c.foreign, ref)
	}
	return out, err
}

func (c *claimer) ChangeMembers(ctx context.Context, groupID string, add, remove []scim.Ref) (added, removed []scim.Ref, err error) {
	added, removed, err = c.Store.ChangeMembers(ctx, groupID, add, remove)
	group := scim.Ref{Type: "Group", ID: groupID}
	if len(add) > 0 && c.fault != "members do not claim the group" {
		delete(c.foreign, group)
	}
	if c.fault == "clients add unclaimed members" {
		c.joined[group] = map[scim.Ref]bool{}
		for _, r := range added {
			c.joined[group][r] = true
		}
	}
	for _, r := range slices.Concat(add, removed) {
		if c.fault != "named members stay unclaimed" && c.fault != "clients add unclaimed members" || slices.Contains(removed, r) {
			delete(c.joined[group], r)
		}
	}
	return added, removed, err
}

func (c *claimer) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	foreign, joined := maps.Clone(c.foreign), map[scim.Ref]map[scim.Ref]bool{}
	for g, m := range c.joined {
		joined[g] = maps.Clone(m)
	}
	err := c.Store.InTx(ctx, fn)
	if err != nil && c.fault != "claims stay after a rollback" {
		c.foreign, c.joined = foreign, joined
	}
	return err
}

func (c *claimer) IsClaimed(_ context.Context, ref scim.Ref) (bool, error) {
	return !c.foreign[ref], nil
}

func (c *claimer) Claim(_ context.Context, ref scim.Ref) error {
	if c.fault != "claim does nothing" {
		delete(c.foreign, ref)
	}
	return nil
}

func (c *claimer) UnclaimedMembers(_ context.Context, groupID string, after scim.Ref, limit int) ([]scim.Ref, error) {
	all := slices.SortedFunc(maps.Keys(c.joined[scim.Ref{Type: "Group", ID: groupID}]), compareRefs)
	all = slices.DeleteFunc(all, func(r scim.Ref) bool { return compareRefs(r, after) <= 0 })
	return all[:min(limit, len(all))], nil
}

func (c *claimer) Exempt(ctx context.Context, userIDs []string) (exempt []string, err error) {
	for _, id := range userIDs {
		if _, err := c.Get(ctx, scim.Ref{Type: "User", ID: id}); err != nil && c.fault == "exempt knows its users" {
			return nil, err
		}
		if c.exempt[id] {
			exempt = append(exempt, id)
		}
	}
	return exempt, nil
}

func brokenClaims() []broken[Application] {
	return []broken[Application]{
		{"create does not claim", "a client cannot delete what it has created", newClaimer, "claims/create", nil},
		{"each update claims", "a client that looks and changes nothing may then delete", newClaimer, "claims/no change", []string{"claims/active", "claims/deactivation"}},
		{"active claims", "a client deactivates whom it does not know, and then deletes them", newClaimer, "claims/active", []string{"claims/deactivation"}},
		{"deactivation with more claims", "a client that sends PUT deactivates whom it does not know, and then deletes them", newClaimer, "claims/deactivation", nil},
		{"externalId alone claims", "a client without externalId can never delete whom it manages", newClaimer, "claims/attribute", []string{"claims/transaction"}},
		{"claim does nothing", "who was adopted can never be deleted", newClaimer, "claims/claim", nil},
		{"members do not claim the group", "a client cannot delete a group whose members it manages", newClaimer, "claims/group", nil},
		{"named members stay unclaimed", "who left stays in the group after the next full list", newClaimer, "claims/members", nil},
		{"clients add unclaimed members", "who left stays in the group after the next full list", newClaimer, "claims/members of clients", []string{"claims/members", "claims/transaction"}},
		{"exempt for ever", "an account that is an ordinary one again is never deactivated", newClaimer, "claims/exempt", nil},
		{"exempt knows its users", "a client that names an unknown member gets 500", newClaimer, "claims/exempt unknown", nil},
		{"claims stay after a rollback", "a refused request lets a client delete the application's own people", newClaimer, "claims/transaction", nil},
	}
}

func TestBrokenClaims(t *testing.T) {
	for _, b := range brokenClaims() {
		b.test(t, []group[Application]{{"claims", claimSteps()}})
	}
}

func TestSoundClaims(t *testing.T) {
	RunClaims(t, func(*testing.T) Application { return newClaimer("") })
}
