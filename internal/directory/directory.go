// Package directory reads a tenant's store: by id, page by page, and by membership.
package directory

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/model"
)

// Batch is how many ids go into one call of the application.
const Batch = 1000

// Directory reads one tenant's store.
type Directory struct {
	types  *host.Types
	stores *host.Stores
	policy *host.MemberPolicy
}

// Of is the directory of a tenant.
func Of(t *host.Tenant) Directory { return Directory{&t.Types, &t.Stores, &t.Members} }

// Check refuses a resource whose type is not the tenant's own value, as a faulty store may
// return.
func (t Directory) Check(d *doc.Document) error {
	if d == nil {
		return errors.New("scim: the store returned neither a resource nor an error")
	}
	if t.types.Named(d.Type.Name) != d.Type {
		return errors.New("scim: the store's " + d.Type.Name + " is bound to another ResourceType than the handler's: share one value")
	}
	return nil
}

// Fetch gets a resource. If there is none, the error is a 404.
func (t Directory) Fetch(ctx context.Context, ref host.Ref) (*doc.Document, error) {
	d, err := t.stores.Get(ctx, ref)
	return t.CheckAnswer(ref, d, err)
}

// FetchWithGroups is Fetch and GroupsOf for a user, of a store that is a GroupReader. The memberships
// are never nil.
func (t Directory) FetchWithGroups(ctx context.Context, id string) (*doc.Document, []host.Membership, error) {
	d, groups, err := t.stores.Groups.GetWithGroups(ctx, id)
	d, err = t.CheckAnswer(host.Ref{Type: "User", ID: id}, d, err)
	groups = append([]host.Membership{}, groups...)
	sortByAge(groups)
	return d, groups, err
}

// CheckAnswer checks a store's answer to a call about one resource. It turns
// host.ErrNotFound into a 404.
func (t Directory) CheckAnswer(ref host.Ref, d *doc.Document, err error) (*doc.Document, error) {
	if errors.Is(err, host.ErrNotFound) {
		return nil, fault.NotFound(ref.Type, ref.ID)
	}
	if err != nil {
		return nil, err
	}
	return d, t.Check(d)
}

// Lock gets a resource. In a transaction it locks the resource until the end.
func (t Directory) Lock(ctx context.Context, ref host.Ref) (*doc.Document, error) {
	if t.stores.Tx == nil {
		return t.Fetch(ctx, ref)
	}
	var before *doc.Document
	_, err := t.stores.Update(ctx, ref, func(d *doc.Document) (*doc.Document, error) {
		before = d
		return d, nil
	})
	return t.CheckAnswer(ref, before, err)
}

// errLocked makes the store keep a resource that LockToDelete locks.
var errLocked = errors.New("scim: the resource is only locked")

// LockToDelete gets a resource of a store with transactions and locks it as Delete does, if
// that is another lock than that of Update. With sqlstore nobody else can make the resource
// a member of a group until the end of the transaction.
func (t Directory) LockToDelete(ctx context.Context, ref host.Ref) (*doc.Document, error) {
	err := t.stores.Delete(ctx, ref, func(*doc.Document) error { return errLocked })
	switch {
	case err == nil:
		return nil, errors.New("scim: the store deleted a resource that Delete's check refused to delete")
	case !errors.Is(err, errLocked):
		return t.CheckAnswer(ref, nil, err)
	}
	return t.Lock(ctx, ref)
}

// ByID calls fn with each of the resources that exist.
func (t Directory) ByID(ctx context.Context, rt *model.Type, ids []string, fn func(*doc.Document)) error {
	return byID(ctx, t, rt, ids, false, fn)
}

// Exist calls fn with the ids of those resources that exist.
func Exist(ctx context.Context, t Directory, rt *model.Type, ids []string, fn func(id string)) error {
	return byID(ctx, t, rt, ids, true, func(d *doc.Document) { fn(d.ID) })
}

func byID(ctx context.Context, t Directory, rt *model.Type, ids []string, withoutAttributes bool, fn func(*doc.Document)) error {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	for chunk := range slices.Chunk(slices.Compact(ids), Batch) {
		rows, err := t.Open(ctx, rt, &host.Query{IDs: chunk, Limit: len(chunk), WithoutAttributes: withoutAttributes})
		if err != nil {
			return err
		}
		for {
			d, err := rows.Next(ctx)
			if err != nil {
				return err
			}
			if d == nil {
				break
			}
			fn(d)
		}
	}
	return nil
}

// Exempt returns those of the references that name exempt users.
func (t Directory) Exempt(ctx context.Context, refs ...host.Ref) (map[host.Ref]bool, error) {
	if t.stores.Exempter == nil || t.types.User == nil {
		return nil, nil
	}
	var ids []string
	for _, r := range refs {
		if r.Type == t.types.User.Name {
			ids = append(ids, r.ID)
		}
	}
	var exempt map[host.Ref]bool
	for chunk := range slices.Chunk(ids, Batch) {
		found, err := t.stores.Exempter.Exempt(ctx, chunk)
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			if exempt == nil {
				exempt = map[host.Ref]bool{}
			}
			exempt[host.Ref{Type: t.types.User.Name, ID: id}] = true
		}
	}
	return exempt, nil
}

// Each calls fn with the resources of a type that match f, in pages and in order of
// creation.
func (t Directory) Each(ctx context.Context, rt *model.Type, f *match.Filter, fn func(page []*doc.Document) error) error {
	q := &host.Query{Filter: f, Limit: Batch, MaxBytes: maxPageBytes}
	for {
		page, err := t.stores.List(ctx, rt, q)
		if err != nil {
			return err
		}
		if len(page.Resources) == 0 {
			return nil
		}
		if err := fn(page.Resources); err != nil {
			return err
		}
		if len(page.Resources) < Batch && !page.Cut {
			return nil
		}
		last := page.Resources[len(page.Resources)-1]
		q = &host.Query{Filter: f, Limit: Batch, MaxBytes: maxPageBytes, After: &host.Key{Created: last.Created, ID: last.ID}}
	}
}

// EachMember calls fn with the members of a group, in pages.
func (t Directory) EachMember(ctx context.Context, group *doc.Document, fn func(page []host.Ref) error) error {
	if t.stores.Members == nil {
		for chunk := range slices.Chunk(member.Of(group), Batch) {
			if err := fn(chunk); err != nil {
				return err
			}
		}
		return nil
	}
	return t.EachDisplay(ctx, group, func(page []host.Member) error {
		refs := make([]host.Ref, len(page))
		for i, m := range page {
			refs[i] = m.Ref
		}
		return fn(refs)
	})
}

// EachDisplay calls fn with the members of a group and their display names, in pages. It
// needs a MemberStore.
func (t Directory) EachDisplay(ctx context.Context, group *doc.Document, fn func(page []host.Member) error) error {
	var after host.Ref
	for {
		page, err := t.stores.Members.Members(ctx, group.ID, after, Batch)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := fn(page); err != nil {
			return err
		}
		if len(page) < Batch {
			return nil
		}
		after = page[len(page)-1].Ref
	}
}

// GroupsOf lists the memberships of members. Those of one member are in order of age, the
// oldest first.
func (t Directory) GroupsOf(ctx context.Context, members []host.Ref) ([]host.Membership, error) {
	if t.types.Group == nil || len(members) == 0 {
		return nil, nil
	}
	var all []host.Membership
	if t.stores.Members != nil {
		for chunk := range slices.Chunk(members, Batch) {
			ms, err := t.stores.Members.GroupsOf(ctx, chunk)
			if err != nil {
				return nil, err
			}
			all = append(all, ms...)
		}
	} else {
		found, err := t.scanGroups(ctx, members)
		if err != nil {
			return nil, err
		}
		all = found
	}
	sortByAge(all)
	return all, nil
}

func sortByAge(all []host.Membership) {
	slices.SortFunc(all, func(a, b host.Membership) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.GroupID, b.GroupID))
	})
}

// scanGroups finds memberships if groups carry their members themselves. Such groups do not
// know when a member joined. The group's creation stands for this time, and for roles the
// time in the ledger.
func (t Directory) scanGroups(ctx context.Context, members []host.Ref) ([]host.Membership, error) {
	term := &filter.AttributeExpression{AttributePath: filter.AttributePath{AttributeName: "members"}, Operator: filter.PR}
	if len(members) == 1 {
		value := "value"
		term = &filter.AttributeExpression{Operator: filter.EQ, CompareValue: members[0].ID,
			AttributePath: filter.AttributePath{AttributeName: "members", SubAttribute: &value}}
	}
	f, err := match.Compile(t.types.Group, term, nil)
	if err != nil {
		return nil, err
	}
	wanted := make(map[host.Ref]bool, len(members))
	for _, m := range members {
		wanted[m] = true
	}
	var all []host.Membership
	err = t.Each(ctx, t.types.Group, f, func(page []*doc.Document) error {
		for _, g := range page {
			for _, m := range member.Of(g) {
				if wanted[m] {
					all = append(all, host.Membership{GroupID: g.ID, Member: m, Since: g.Created, Display: g.Text("displayName")})
				}
			}
		}
		return nil
	})
	return all, err
}

// Derived is the attribute of a type that lists memberships: a group's members, or a user's
// groups if they are computed. It is nil if the type has neither.
func (t Directory) Derived(rt *model.Type) *model.Attribute {
	if rt == t.types.User && t.types.Group != nil {
		if groups := rt.Root.Lookup("groups"); groups != nil && groups.Mutability == model.ReadOnly {
			return groups
		}
	}
	return rt.Members
}
