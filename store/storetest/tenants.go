package storetest

import (
	"errors"
	"testing"

	"github.com/scimkit/scim"
)

// RunTenants checks that two tenants do not see each other. It calls newStores for each
// step. newStores returns the empty stores of two tenants in one database.
//
// The steps call each method of Store, MemberStore and Ledger as one tenant, with the ids
// and names of the other. Afterwards the data of the other tenant must be unchanged.
func RunTenants(t *testing.T, newStores func(t *testing.T) (a, b scim.Store)) {
	group[tenants]{"tenants", tenantSteps()}.run(t, func(t *testing.T) tenants {
		a, b := newStores(t)
		return tenants{a, b}
	})
}

// tenants are the stores of two tenants. The steps store data as a and call methods as b.
type tenants struct{ a, b scim.Store }

// household is the data of tenant a in a step.
type household struct {
	user, group, other *scim.Resource // other is no member
	grant, open        scim.Grant
	link               scim.Link
	note               scim.Note
	before             []scim.Membership
}

// newHousehold stores a household.
func newHousehold(t *probe, s scim.Store) household {
	h := household{
		user: t.create(s, t.user("ann@example.com", values{"externalId": "e1", "displayName": "Ann", "title": "of a",
			"emails": []values{{"value": "ann@example.com", "type": "work"}}})),
		other: t.create(s, t.user("bob@example.com", nil)),
		group: t.create(s, t.group("Engineers")),
	}
	h.grant = scim.Grant{UserID: h.user.ID(), RoleID: "editor", Source: scim.GroupSource(h.group.ID()), At: instant, ByHand: true}
	h.open = h.grant
	h.open.RoleID, h.open.ByHand, h.open.State = "waits", false, scim.GrantWaitsForReturn
	h.note = scim.Note{Kind: "k", Key: "of a", At: instant, Text: "a"}
	h.link = scim.Link{Source: scim.GroupSource(h.group.ID()), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "editor", Name: "Editor"}, Confirmed: true}}}
	if store, ok := s.(scim.MemberStore); ok {
		m := members{t, store}
		m.change(h.group, []scim.Ref{h.user.Ref()}, nil, []scim.Ref{h.user.Ref()}, nil)
		h.before = m.groupsOf(h.user.Ref())
	}
	if ledger, ok := s.(scim.Ledger); ok {
		l := ledgerSubject{ledger, s}
		l.record(t, []scim.Grant{h.grant, h.open}, nil)
		l.setLink(t, h.link)
		if p, ok := l.ledger.(scim.PendingLedger); ok {
			setNote(t, p, h.note)
		}
	}
	return h
}

// expectUnchanged requires that the household has not changed.
func (h household) expectUnchanged(t *probe, s scim.Store) {
	for _, r := range []*scim.Resource{h.user, h.group, h.other} {
		if got, err := s.Get(t.ctx, r.Ref()); err != nil {
			t.Errorf("%s of the first tenant: error %v after the second one's calls", show(r), err)
		} else {
			t.exactly("a resource of the first tenant, after the second one's calls", r, got)
		}
	}
	t.expect(s, scim.UserType(), &scim.Query{Limit: 10, Total: true}, []*scim.Resource{h.user, h.other}, 2)
	t.expect(s, scim.UserType(), &scim.Query{Filter: t.filter(`emails.value eq "ann@example.com"`), Limit: 10, Total: true}, []*scim.Resource{h.user}, 1)
	if store, ok := s.(scim.MemberStore); ok {
		m := members{t, store}
		m.expect(h.group, h.user.Ref())
		if now := m.groupsOf(h.user.Ref(), h.other.Ref()); len(now) != 1 || now[0].GroupID != h.group.ID() || !now[0].Since.Equal(h.before[0].Since) {
			t.Errorf("GroupsOf at the first tenant: %v after the second one's calls, want %v", now, h.before)
		}
	}
	if ledger, ok := s.(scim.Ledger); ok {
		l := ledgerSubject{ledger, s}
		l.grants(t, []string{h.user.ID()}, h.grant, h.open)
		l.links(t, []string{h.group.ID()}, h.link)
		if p, ok := l.ledger.(scim.PendingLedger); ok {
			expectOpen(t, p, h.open)
			expectLinks(t, p, h.link)
			expectNotes(t, p, "k", h.note)
		}
	}
}

// createTwin stores a resource with the names of r at another tenant. It also has the id
// of r if the store keeps ids.
func createTwin(t *probe, s scim.Store, r *scim.Resource) *scim.Resource {
	m := t.meta()
	m.ID = r.ID()
	made, err := s.Create(t.ctx, t.change(r, values{"displayName": "of b"}).WithMeta(m))
	if err != nil || made == nil {
		t.Fatalf("Create of %s, which another tenant has as well: error %v", show(r), err)
	}
	return made
}

func tenantSteps() []step[tenants] {
	const rule = "A tenant reaches only its own data"
	return []step[tenants]{
		{"get", rule + ": Get of another tenant's resource is ErrNotFound.", func(t *probe, s tenants) {
			h := newHousehold(t, s.a)
			for _, r := range []*scim.Resource{h.user, h.group, h.other} {
				t.absent(s.b, r.Ref(), "which another tenant has")
			}
			h.expectUnchanged(t, s.a)
		}},
		{"update", rule + ": Update of another tenant's resource is ErrNotFound and does not call fn.", func(t *probe, s tenants) {
			h := newHousehold(t, s.a)
			for _, r := range []*scim.Resource{h.user, h.group} {
				got, err := s.b.Update(t.ctx, r.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
					t.Errorf("Update from another tenant called fn with %s", show(before))
					return before.With(values{"displayName": "taken over"})
				})
				if !errors.Is(err, scim.ErrNotFound) {
					t.Errorf("Update from another tenant: got %s and error %v, want ErrNotFound", show(got), err)
				}
			}
			h.expectUnchanged(t, s.a)
		}},
		{"delete", rule + ": Delete of another tenant's resource is ErrNotFound and does not call check.", func(t *probe, s tenants) {
			h := newHousehold(t, s.a)
			for _, r := range []*scim.Resource{h.user, h.group} {
				err := s.b.Delete(t.ctx, r.Ref(), func(before *scim.Resource) error {
					t.Errorf("Delete from another tenant called check with %s", show(before))
					return nil
				})
				if !errors.Is(err, scim.ErrNotFound) {
					t.Errorf("Delete from another tenant: error %v, want ErrNotFound", err)
				}
			}
			h.expectUnchanged(t, s.a)
		}},
		{"list", rule + ": lists, totals, filters, ids and pages see nothing of another tenant.", func(t *probe, s tenants) {
			h := newHousehold(t, s.a)
			for _, filter := range []string{"", `userName eq "ann@example.com"`, `externalId eq "e1"`, `displayName eq "ann"`, `emails.value eq "ann@example.com"`,
				`emails[type eq "work"]`, `userName pr`, `not (userName eq "x")`, `userName sw "a" or title pr`, `id eq "` + h.user.ID() + `"`} {
				q := scim.Query{Limit: 10, Total: true}
				if filter != "" {
					q.Filter = t.filter(filter)
				}
				for _, change := range []func(*scim.Query){
					func(*scim.Query) {},
					func(q *scim.Query) { q.Limit = 0 },
					func(q *scim.Query) { q.IDs = []string{h.user.ID(), h.other.ID()} },
					func(q *scim.Query) { q.SortBy = "userName" },
					func(q *scim.Query) { q.After = &scim.PageKey{} },
				} {
					q := q
					change(&q)
					t.expect(s.b, scim.UserType(), &q, nil, 0)
				}
			}
			t.expect(s.b, scim.GroupType(), &scim.Query{Limit: 10, Total: true}, nil, 0)
			h.expectUnchanged(t, s.a)
		}},
		{"same names", rule + ": values are unique within one tenant. Another tenant may have the same values and ids.", func(t *probe, s tenants) {
			h := newHousehold(t, s.a)
			user, group := createTwin(t, s.b, h.user), createTwin(t, s.b, h.group)
			if got, err := s.b.Create(t.ctx, t.user("ANN@example.com", nil)); !conflict(err) {
				t.Errorf("Create of a name that the tenant itself has: got %s and error %v, want Conflict(\"userName\")", show(got), err)
			}
			h.expectUnchanged(t, s.a)
			t.put(s.b, user.Ref(), values{"userName": "bob@example.com", "emails": []values{{"value": "bob@example.com"}}})
			t.put(s.b, group.Ref(), values{"displayName": "Others"})
			h.expectUnchanged(t, s.a)
			t.remove(s.b, user.Ref())
			t.remove(s.b, group.Ref())
			h.expectUnchanged(t, s.a)
			t.expect(s.b, scim.UserType(), &scim.Query{Limit: 10, Total: true}, nil, 0)
		}},
		{"members", rule + ": it does not see memberships of another tenant, whose groups are unknown. Changes of resources with the same names or ids do not affect the other tenant.", func(t *probe, s tenants) {
			b := membersOf(t, s.b)
			h := newHousehold(t, s.a)
			if _, _, err := b.store.ChangeMembers(t.ctx, h.group.ID(), []scim.Ref{h.other.Ref()}, []scim.Ref{h.user.Ref()}); !errors.Is(err, scim.ErrNotFound) {
				t.Errorf("ChangeMembers of another tenant's group: error %v, want ErrNotFound", err)
			}
			b.expectNone(h.group)
			b.expectGroups([]scim.Ref{h.user.Ref(), h.other.Ref()}, nil)
			user, group := createTwin(t, s.b, h.user), createTwin(t, s.b, h.group)
			b.expect(group)
			b.expectGroups([]scim.Ref{user.Ref(), h.user.Ref()}, nil)
			b.change(group, []scim.Ref{user.Ref()}, nil, []scim.Ref{user.Ref()}, nil)
			h.expectUnchanged(t, s.a)
			b.change(group, nil, []scim.Ref{user.Ref()}, nil, []scim.Ref{user.Ref()})
			b.change(group, []scim.Ref{user.Ref()}, nil, []scim.Ref{user.Ref()}, nil)
			t.remove(s.b, user.Ref())
			t.remove(s.b, group.Ref())
			h.expectUnchanged(t, s.a)
		}},
		{"ledger", rule + ": it does not see the ledger of another tenant. Grants with the same identity in two tenants are two grants.", func(t *probe, s tenants) {
			h := newHousehold(t, s.a)
			l := ledgerOf(t, s.b)
			users, groups := []string{h.user.ID()}, []string{h.group.ID()}
			l.grants(t, users)
			l.links(t, groups)
			if p, ok := l.ledger.(scim.PendingLedger); ok {
				expectOpen(t, p)
				expectLinks(t, p)
				expectNotes(t, p, "k")
				setNote(t, p, scim.Note{Kind: "k", Key: "of a"})
				setNote(t, p, scim.Note{Kind: "k", Key: "of b", At: instant, Text: "b"})
			}
			createTwin(t, s.b, h.user)
			createTwin(t, s.b, h.group)
			l.record(t, nil, []scim.Grant{h.grant})
			l.setLink(t, scim.Link{Source: scim.GroupSource(h.group.ID())})
			h.expectUnchanged(t, s.a)
			own, link := h.grant, h.link
			own.ByHand, link.Roles = false, []scim.LinkedRole{{Role: scim.Role{ID: "editor", Name: "of b"}}}
			l.record(t, []scim.Grant{own}, nil)
			l.setLink(t, link)
			l.grants(t, users, own)
			l.links(t, groups, link)
			h.expectUnchanged(t, s.a)
		}},
	}
}
