package watch

import (
	"context"
	"errors"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// Tenant makes c watch the calls of a tenant's store, ledger and resolver. If c is nil, nothing
// changes.
func Tenant(t *host.Tenant, c host.Calls) {
	if c == nil {
		return
	}
	s := &t.Stores
	s.Store = store{s.Store, c}
	if s.Tx != nil {
		s.Tx = transactor{s.Tx, c}
	}
	if s.Members != nil {
		s.Members = members{s.Members, c}
	}
	if s.Groups != nil {
		s.Groups = groups{s.Groups, c}
	}
	if s.Changer != nil {
		s.Changer = changer{s.Changer, c}
	}
	if s.Passwords != nil {
		s.Passwords = passwords{s.Passwords, c}
	}
	if s.Deactivator != nil {
		s.Deactivator = deactivator{s.Deactivator, c}
	}
	if s.Claimer != nil {
		s.Claimer = claimer{s.Claimer, c}
	}
	if s.Exempter != nil {
		s.Exempter = exempter{s.Exempter, c}
	}
	if s.Locker != nil {
		s.Locker = locker{s.Locker, c}
	}
	if t.Roles != nil {
		t.Roles.Resolver = resolver{t.Roles.Resolver, c}
		t.Roles.Ledger = ledger{t.Roles.Ledger, c}
	}
}

type store struct {
	host.Store
	c host.Calls
}

func (s store) Create(ctx context.Context, d *doc.Document) (*doc.Document, error) {
	return call1(ctx, s.c, "Store.Create", func(ctx context.Context) (*doc.Document, error) { return s.Store.Create(ctx, d) })
}

func (s store) Get(ctx context.Context, ref host.Ref) (*doc.Document, error) {
	return call1(ctx, s.c, "Store.Get", func(ctx context.Context) (*doc.Document, error) { return s.Store.Get(ctx, ref) })
}

func (s store) List(ctx context.Context, t *model.Type, q *host.Query) (*host.Page, error) {
	return call1(ctx, s.c, "Store.List", func(ctx context.Context) (*host.Page, error) { return s.Store.List(ctx, t, q) })
}

// An error of fn is a decision of the handler and no failure of the store. So it is with check.
func (s store) Update(ctx context.Context, ref host.Ref, fn func(*doc.Document) (*doc.Document, error)) (_ *doc.Document, err error) {
	ctx, end := s.c.BeginCall(ctx, "Store.Update")
	var refused error
	defer func() { endUnless(end, refused, err) }()
	return s.Store.Update(ctx, ref, func(before *doc.Document) (after *doc.Document, err error) {
		after, err = fn(before)
		refused = err
		return after, err
	})
}

func (s store) Delete(ctx context.Context, ref host.Ref, check func(*doc.Document) error) (err error) {
	ctx, end := s.c.BeginCall(ctx, "Store.Delete")
	var refused error
	defer func() { endUnless(end, refused, err) }()
	return s.Store.Delete(ctx, ref, func(before *doc.Document) error {
		refused = check(before)
		return refused
	})
}

// endUnless ends a call with its error, unless a call-back has refused it.
func endUnless(end func(error), refused, err error) {
	if refused != nil {
		err = nil
	}
	end(err)
}

type transactor struct {
	host.Transactor
	c host.Calls
}

func (t transactor) InTx(ctx context.Context, fn func(context.Context) error) error {
	return Call(ctx, t.c, "Transactor.InTx", func(ctx context.Context) error { return t.Transactor.InTx(ctx, fn) })
}

type members struct {
	host.MemberStore
	c host.Calls
}

func (m members) Members(ctx context.Context, groupID string, after host.Ref, limit int) ([]host.Member, error) {
	return call1(ctx, m.c, "MemberStore.Members", func(ctx context.Context) ([]host.Member, error) {
		return m.MemberStore.Members(ctx, groupID, after, limit)
	})
}

func (m members) GroupsOf(ctx context.Context, of []host.Ref) ([]host.Membership, error) {
	return call1(ctx, m.c, "MemberStore.GroupsOf", func(ctx context.Context) ([]host.Membership, error) {
		return m.MemberStore.GroupsOf(ctx, of)
	})
}

func (m members) ChangeMembers(ctx context.Context, groupID string, add, remove []host.Ref) (added, removed []host.Ref, err error) {
	err = Call(ctx, m.c, "MemberStore.ChangeMembers", func(ctx context.Context) error {
		added, removed, err = m.MemberStore.ChangeMembers(ctx, groupID, add, remove)
		return err
	})
	return added, removed, err
}

type groups struct {
	host.GroupReader
	c host.Calls
}

func (g groups) GetWithGroups(ctx context.Context, id string) (d *doc.Document, all []host.Membership, err error) {
	err = Call(ctx, g.c, "GroupReader.GetWithGroups", func(ctx context.Context) error {
		d, all, err = g.GroupReader.GetWithGroups(ctx, id)
		return err
	})
	return d, all, err
}

type changer struct {
	host.MemberChanger
	c host.Calls
}

// A store that leaves the change to other calls has not failed.
func (s changer) ChangeMember(ctx context.Context, c *host.MemberChange) (done host.MemberChanged, err error) {
	ctx, end := s.c.BeginCall(ctx, "MemberChanger.ChangeMember")
	var left error
	defer func() { endUnless(end, left, err) }()
	done, err = s.MemberChanger.ChangeMember(ctx, c)
	if errors.Is(err, errors.ErrUnsupported) {
		left = err
	}
	return done, err
}

type passwords struct {
	host.PasswordSetter
	c host.Calls
}

func (p passwords) SetPassword(ctx context.Context, userID, password string) error {
	return Call(ctx, p.c, "PasswordSetter.SetPassword", func(ctx context.Context) error {
		return p.PasswordSetter.SetPassword(ctx, userID, password)
	})
}

type deactivator struct {
	host.Deactivator
	c host.Calls
}

func (d deactivator) Deactivate(ctx context.Context, user *doc.Document) error {
	return Call(ctx, d.c, "Deactivator.Deactivate", func(ctx context.Context) error { return d.Deactivator.Deactivate(ctx, user) })
}

type claimer struct {
	host.Claimer
	c host.Calls
}

func (k claimer) IsClaimed(ctx context.Context, ref host.Ref) (bool, error) {
	return call1(ctx, k.c, "Claimer.IsClaimed", func(ctx context.Context) (bool, error) { return k.Claimer.IsClaimed(ctx, ref) })
}

func (k claimer) Claim(ctx context.Context, ref host.Ref) error {
	return Call(ctx, k.c, "Claimer.Claim", func(ctx context.Context) error { return k.Claimer.Claim(ctx, ref) })
}

func (k claimer) UnclaimedMembers(ctx context.Context, groupID string, after host.Ref, limit int) ([]host.Ref, error) {
	return call1(ctx, k.c, "Claimer.UnclaimedMembers", func(ctx context.Context) ([]host.Ref, error) {
		return k.Claimer.UnclaimedMembers(ctx, groupID, after, limit)
	})
}

type exempter struct {
	host.Exempter
	c host.Calls
}

func (e exempter) Exempt(ctx context.Context, userIDs []string) ([]string, error) {
	return call1(ctx, e.c, "Exempter.Exempt", func(ctx context.Context) ([]string, error) { return e.Exempter.Exempt(ctx, userIDs) })
}

type locker struct {
	host.TenantLocker
	c host.Calls
}

func (l locker) LockTenant(ctx context.Context, kind string) error {
	return Call(ctx, l.c, "TenantLocker.LockTenant", func(ctx context.Context) error { return l.TenantLocker.LockTenant(ctx, kind) })
}
