package storetest

import (
	"context"
	"errors"

	"github.com/scimkit/scim"
)

// ChangeMember makes the calls that it stands for.
func (f *faulty) ChangeMember(ctx context.Context, c scim.MemberChange) (done scim.MemberChanged, err error) {
	var add, remove []scim.Ref
	switch {
	case !c.Remove:
		if _, err := f.Store.Get(ctx, c.Members[0]); err == nil {
			add, done.IsKnown = c.Members, true
		} else if !errors.Is(err, scim.ErrNotFound) {
			return done, err
		}
		done.IsKnown = done.IsKnown || f.fault == "knows every member"
	case f.fault == "takes out the first reference":
		remove = c.Members[:1]
	default:
		remove = c.Members
	}
	added, removed, err := f.Store.ChangeMembers(ctx, c.Group.ID(), add, remove)
	if err != nil {
		return done, err
	}
	done.Changed = append(added, removed...)
	done.Group, err = f.Store.Update(ctx, c.Group.Ref(), func(now *scim.Resource) (*scim.Resource, error) {
		switch {
		case f.fault == "changes a member without the group":
			return now, nil
		case len(done.Changed) == 0 && f.fault != "stores the group of no change":
			return now, nil
		}
		return c.Group, nil
	})
	return done, err
}
