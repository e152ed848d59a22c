package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scimkit/scim"
)

// call is a call of a method of Store.
type call struct {
	name string
	do   func(ctx context.Context) error
}

// faultyCalls lists calls of every method. If the database worked, each would succeed, or
// be answered with ErrNotFound, a conflict or nothing. free is not stored.
func faultyCalls(t *probe, s scim.Store, h household, free *scim.Resource) []call {
	unknown := scim.Ref{Type: "User", ID: nobody}
	list := func(q *scim.Query) func(context.Context) error {
		return func(ctx context.Context) error { _, err := s.List(ctx, scim.UserType(), q); return err }
	}
	calls := []call{
		{"Create", func(ctx context.Context) error { _, err := s.Create(ctx, free); return err }},
		{"Create of a name that is taken", func(ctx context.Context) error {
			_, err := s.Create(ctx, t.user("ANN@example.com", nil))
			return err
		}},
		{"Get", func(ctx context.Context) error { _, err := s.Get(ctx, h.user.Ref()); return err }},
		{"Get of an unknown user", func(ctx context.Context) error { _, err := s.Get(ctx, unknown); return err }},
		{"Update", func(ctx context.Context) error {
			_, err := s.Update(ctx, h.user.Ref(), set(values{"title": "changed"}))
			return err
		}},
		{"Update of an unknown user", func(ctx context.Context) error { _, err := s.Update(ctx, unknown, keep); return err }},
		{"Update to a name that is taken", func(ctx context.Context) error {
			_, err := s.Update(ctx, h.user.Ref(), set(values{"userName": "bob@example.com"}))
			return err
		}},
		{"Delete", func(ctx context.Context) error { return s.Delete(ctx, h.user.Ref(), allow) }},
		{"Delete of an unknown user", func(ctx context.Context) error { return s.Delete(ctx, unknown, allow) }},
		{"List", list(&scim.Query{Limit: 10})},
		{"List with a total", list(&scim.Query{Limit: 10, Total: true})},
		{"List of the total", list(&scim.Query{})},
		{"List with a filter", list(&scim.Query{Filter: t.filter(`userName eq "ann@example.com"`), Limit: 10})},
		{"List of nobody", list(&scim.Query{Filter: t.filter(`userName eq "nobody"`), Limit: 10})},
		{"List of ids", list(&scim.Query{IDs: []string{h.user.ID()}, Limit: 10})},
	}
	if m, ok := s.(scim.MemberStore); ok {
		calls = append(calls,
			call{"Members", func(ctx context.Context) error { _, err := m.Members(ctx, h.group.ID(), scim.Ref{}, 10); return err }},
			call{"GroupsOf", func(ctx context.Context) error { _, err := m.GroupsOf(ctx, []scim.Ref{h.user.Ref()}); return err }},
			call{"ChangeMembers", func(ctx context.Context) error {
				_, _, err := m.ChangeMembers(ctx, h.group.ID(), []scim.Ref{h.other.Ref()}, []scim.Ref{h.user.Ref()})
				return err
			}},
			call{"ChangeMembers of an unknown group", func(ctx context.Context) error {
				_, _, err := m.ChangeMembers(ctx, nobody, []scim.Ref{h.other.Ref()}, nil)
				return err
			}})
	}
	if g, ok := s.(scim.GroupReader); ok {
		calls = append(calls, call{"GetWithGroups", func(ctx context.Context) error { _, _, err := g.GetWithGroups(ctx, h.user.ID()); return err }})
	}
	if l, ok := s.(scim.Ledger); ok {
		calls = append(calls,
			call{"Grants", func(ctx context.Context) error { _, err := l.Grants(ctx, []string{h.user.ID()}); return err }},
			call{"Record", func(ctx context.Context) error { return l.Record(ctx, nil, []scim.Grant{h.grant}) }},
			call{"Links", func(ctx context.Context) error {
				_, err := l.Links(ctx, []scim.Source{scim.GroupSource(h.group.ID())})
				return err
			}},
			call{"SetLink", func(ctx context.Context) error {
				return l.SetLink(ctx, scim.Link{Source: scim.GroupSource(h.group.ID())})
			}})
	}
	return calls
}

// read is a read of several resources. do returns how many it found and how many there
// are.
type read struct {
	name string
	do   func() (got, want int, err error)
}

// faultyReads lists reads of several rows each.
func faultyReads(t *probe, s scim.Store) []read {
	const n = 5
	people := t.users(s, "u", n)
	list := func(q *scim.Query) func() (int, int, error) {
		return func() (int, int, error) {
			page, err := s.List(t.ctx, scim.UserType(), q)
			if err != nil {
				return 0, n, err
			}
			if q.Limit == 0 {
				return page.Total, n, nil
			}
			return len(page.Resources), n, nil
		}
	}
	reads := []read{
		{"List", list(&scim.Query{Limit: 10})},
		{"List with a total", list(&scim.Query{Limit: 10, Total: true})},
		{"List of the total", list(&scim.Query{})},
		{"List with a filter", list(&scim.Query{Filter: t.filter(`userName sw "u"`), SortBy: "userName", Limit: 10})},
		{"List of ids", list(&scim.Query{IDs: ids(people), Limit: 10})},
	}
	if store, ok := s.(scim.MemberStore); ok {
		m := members{t, store}
		g := t.create(s, t.group("Engineers"))
		u := refs(people)
		m.change(g, u, nil, u, nil)
		reads = append(reads,
			read{"Members", func() (int, int, error) {
				got, err := store.Members(t.ctx, g.ID(), scim.Ref{}, 10)
				return len(got), n, err
			}},
			read{"GroupsOf", func() (int, int, error) { got, err := store.GroupsOf(t.ctx, u); return len(got), n, err }})
	}
	if ledger, ok := s.(scim.Ledger); ok {
		l := ledgerSubject{ledger, s}
		var groups []string
		for i, r := range people {
			groups = append(groups, l.group(t))
			l.record(t, []scim.Grant{{UserID: r.ID(), RoleID: fmt.Sprint("r", i), Source: scim.GroupSource(groups[0]), At: instant}}, nil)
			l.setLink(t, scim.Link{Source: scim.GroupSource(groups[i]), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}}}})
		}
		reads = append(reads,
			read{"Grants", func() (int, int, error) { got, err := l.ledger.Grants(t.ctx, ids(people)); return len(got), n, err }},
			read{"Links", func() (int, int, error) {
				got, err := l.ledger.Links(t.ctx, groupSources(groups))
				return len(got), n, err
			}})
	}
	return reads
}

// write is a write of several parts. begin prepares it, with names of its own. signs
// reports for each part whether it is stored.
type write struct {
	name  string
	begin func(name string) (do func(ctx context.Context) error, signs func() []bool)
}

func faultyWrites(t *probe, s scim.Store) []write {
	mail := func(name string) values {
		return values{"externalId": name, "emails": []values{{"value": name + "@example.com"}}}
	}
	create := func(name string) (func(context.Context) error, func() []bool) {
		r := t.user(name, mail(name))
		return func(ctx context.Context) error { _, err := s.Create(ctx, r); return err },
			func() []bool {
				return []bool{hasUser(t, s, "userName", name), hasUser(t, s, "emails.value", name+"@example.com")}
			}
	}
	update := func(name string) (func(context.Context) error, func() []bool) {
		r := t.create(s, t.user(name+"-old", mail(name+"-old")))
		after := mail(name)
		after["userName"] = name
		return func(ctx context.Context) error { _, err := s.Update(ctx, r.Ref(), set(after)); return err },
			func() []bool {
				return []bool{t.get(s, r.Ref()).String("userName") == name, hasUser(t, s, "userName", name), hasUser(t, s, "emails.value", name+"@example.com"),
					!hasUser(t, s, "userName", name+"-old"), !hasUser(t, s, "emails.value", name+"-old@example.com")}
			}
	}
	remove := func(name string) (func(context.Context) error, func() []bool) {
		r, g := t.create(s, t.user(name, mail(name))), t.create(s, t.group(name))
		store, edges := s.(scim.MemberStore)
		m := members{t, store}
		if edges {
			m.change(g, []scim.Ref{r.Ref()}, nil, []scim.Ref{r.Ref()}, nil)
		}
		return func(ctx context.Context) error { return s.Delete(ctx, r.Ref(), allow) },
			func() []bool {
				_, err := s.Get(t.ctx, r.Ref())
				signs := []bool{errors.Is(err, scim.ErrNotFound), !hasUser(t, s, "userName", name), !hasUser(t, s, "emails.value", name+"@example.com")}
				if edges {
					signs = append(signs, !m.has(g, r.Ref()), len(m.groupsOf(r.Ref())) == 0)
				}
				return signs
			}
	}
	parts := []write{{"create", create}, {"update", update}, {"delete", remove}}
	if store, ok := s.(scim.MemberStore); ok {
		m := members{t, store}
		parts = append(parts, write{"members", func(name string) (func(context.Context) error, func() []bool) {
			u, g := refs(t.users(s, name, 4)), t.create(s, t.group(name))
			m.change(g, u[:2], nil, u[:2], nil)
			return func(ctx context.Context) error {
					_, _, err := store.ChangeMembers(ctx, g.ID(), u[2:], u[:2])
					return err
				},
				func() []bool {
					return []bool{!m.has(g, u[0]), !m.has(g, u[1]), m.has(g, u[2]), m.has(g, u[3])}
				}
		}})
	}
	if ledger, ok := s.(scim.Ledger); ok {
		l := ledgerSubject{ledger, s}
		parts = append(parts, write{"ledger", func(string) (func(context.Context) error, func() []bool) {
			old := scim.Grant{UserID: l.user(t), RoleID: "old", Source: scim.GroupSource(l.group(t)), At: instant}
			one, two := old, old
			one.RoleID, two.RoleID = "one", "two"
			l.record(t, []scim.Grant{old}, nil)
			return func(ctx context.Context) error {
					return l.ledger.Record(ctx, []scim.Grant{one, two}, []scim.Grant{old})
				}, func() []bool {
					got, err := l.ledger.Grants(t.ctx, []string{old.UserID})
					if err != nil {
						t.Fatalf("Grants: %v", err)
					}
					has := func(g scim.Grant) bool {
						return slices.ContainsFunc(got, func(x scim.Grant) bool { return x.RoleID == g.RoleID })
					}
					return []bool{has(one), has(two), !has(old)}
				}
		}})
	}
	if tx, ok := s.(scim.Transactor); ok {
		parts = append(parts, write{"transaction", together(tx, parts)})
	}
	return parts
}

// together makes one write of all parts, in one transaction.
func together(tx scim.Transactor, parts []write) func(name string) (func(context.Context) error, func() []bool) {
	return func(name string) (func(context.Context) error, func() []bool) {
		var dos []func(context.Context) error
		var signs []func() []bool
		for _, w := range parts {
			do, s := w.begin(name + w.name)
			dos, signs = append(dos, do), append(signs, s)
		}
		return func(ctx context.Context) error {
				return tx.InTx(ctx, func(ctx context.Context) error {
					for _, do := range dos {
						if err := do(ctx); err != nil {
							return err
						}
					}
					return nil
				})
			}, func() []bool {
				var all []bool
				for _, s := range signs {
					all = append(all, s()...)
				}
				return all
			}
	}
}
