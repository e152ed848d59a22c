package storetest

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/scimkit/scim"
)

// txPartSteps check that memberships and grants commit with the resources.
func txPartSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"members", "Memberships commit and roll back with the transaction, and reads in it see them.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u := refs(t.users(s, "u", 3))
			g := t.create(s, t.group("Engineers"))
			m.change(g, u[:2], nil, u[:2], nil)
			before := m.groupsOf(u...)
			change := func(ctx context.Context) error {
				if _, _, err := m.store.ChangeMembers(ctx, g.ID(), u[2:], u[:1]); err != nil {
					return err
				}
				inside, err := m.store.Members(ctx, g.ID(), scim.Ref{}, 10)
				sameRefs(t, "members in the transaction that changed them", u[1:], refsOf(inside))
				return err
			}
			rollBack(t, s, change)
			m.expect(g, u[:2]...)
			rollBack(t, s, func(ctx context.Context) error {
				if err := s.Delete(ctx, u[0], allow); err != nil {
					return err
				}
				return s.Delete(ctx, g.Ref(), allow)
			})
			m.expect(g, u[:2]...)
			for _, e := range before {
				for _, now := range m.groupsOf(e.Member) {
					if !now.Since.Equal(e.Since) {
						t.Errorf("Since is %v after a rollback, %v before", now.Since, e.Since)
					}
				}
			}
			if err := m.store.InTx(t.ctx, change); err != nil {
				t.Fatalf("InTx: %v", err)
			}
			m.expect(g, u[1:]...)
		}},
		{"ledger", "The ledger commits and rolls back with the transaction, and reads in it see its changes.", func(t *probe, s scim.Store) {
			tx := transactor(t, s)
			l := ledgerOf(t, s)
			user, group := l.user(t), l.group(t)
			old := scim.Grant{UserID: user, RoleID: "old", Source: scim.GroupSource(group), At: instant}
			fresh := scim.Grant{UserID: user, RoleID: "fresh", Source: scim.GroupSource(group), At: instant}
			link := scim.Link{Source: scim.GroupSource(group), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "old", Name: "Old"}, Confirmed: true}}}
			l.record(t, []scim.Grant{old}, nil)
			l.setLink(t, link)
			p, hasNotes := l.ledger.(scim.PendingLedger)
			kept, note := scim.Note{Kind: "k", Key: "kept", At: instant, Text: "kept"}, scim.Note{Kind: "k", Key: "new", At: instant, Text: "new"}
			if hasNotes {
				setNote(t, p, kept)
			}
			change := func(ctx context.Context) error {
				if hasNotes {
					setNote(t.with(ctx), p, note)
					setNote(t.with(ctx), p, scim.Note{Kind: kept.Kind, Key: kept.Key})
				}
				if err := l.ledger.Record(ctx, []scim.Grant{fresh}, []scim.Grant{old}); err != nil {
					return err
				}
				if err := l.ledger.SetLink(ctx, scim.Link{Source: scim.GroupSource(group)}); err != nil {
					return err
				}
				if got, err := l.ledger.Grants(ctx, []string{user}); err != nil || len(got) != 1 || got[0].RoleID != "fresh" {
					t.Errorf("Grants in the transaction that changed them: %v, error %v", got, err)
				}
				return nil
			}
			rollBack(t, s, change)
			l.grants(t, []string{user}, old)
			l.links(t, []string{group}, link)
			if hasNotes {
				expectNotes(t, p, "k", kept)
			}
			if err := tx.InTx(t.ctx, change); err != nil {
				t.Fatalf("InTx: %v", err)
			}
			l.grants(t, []string{user}, fresh)
			l.links(t, []string{group})
			if hasNotes {
				expectNotes(t, p, "k", note)
			}
		}},
	}
}

// isolationSteps check that transactions do not disturb one another.
func isolationSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"update stays locked", "A resource that Update has read in a transaction stays locked until it ends, also if Update wrote nothing. A read and a later write then lose nothing.", func(t *probe, s scim.Store) {
			tx := transactor(t, s)
			made := t.create(s, t.user("count@example.com", values{"nickName": "0"}))
			const n = 20
			t.parallel(n, func(int) {
				err := tx.InTx(t.ctx, func(ctx context.Context) error {
					seen := ""
					_, err := s.Update(ctx, made.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
						seen = before.String("nickName")
						return before, nil
					})
					if err != nil {
						return err
					}
					time.Sleep(time.Millisecond)
					count, err := strconv.Atoi(seen)
					if err != nil {
						return err
					}
					_, err = s.Update(ctx, made.Ref(), set(values{"nickName": strconv.Itoa(count + 1)}))
					return err
				})
				if err != nil {
					t.Errorf("InTx at once: %v", err)
				}
			})
			if got := t.get(s, made.Ref()).String("nickName"); got != strconv.Itoa(n) {
				t.Errorf("a counter is %s after %d transactions counted it up", got, n)
			}
		}},
		{"opposite order", "Transactions that lock in opposite order all succeed. If the database aborts one because of a deadlock, the store runs it again.", func(t *probe, s scim.Store) {
			tx := transactor(t, s)
			users := t.users(s, "u", 2)
			const n = 2
			t.parallel(n, func(i int) {
				err := tx.InTx(t.ctx, func(ctx context.Context) error {
					for _, r := range []*scim.Resource{users[i], users[1-i]} {
						if _, err := s.Update(ctx, r.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
							return before.With(values{"title": before.String("title") + strconv.Itoa(i)})
						}); err != nil {
							return err
						}
						time.Sleep(5 * time.Millisecond)
					}
					return nil
				})
				if err != nil {
					t.Errorf("InTx at once with one that locks in opposite order: %v", err)
				}
			})
			a, b := t.get(s, users[0].Ref()).String("title"), t.get(s, users[1].Ref()).String("title")
			if a != b || len(a) != n {
				t.Errorf("%d transactions wrote %q and %q, want each once and in one order", n, a, b)
			}
		}},
		{"members follow the lock", "While a transaction has locked a group by Update, no other one changes its members.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u := refs(t.users(s, "u", 10))
			g := t.create(s, t.group("Full"))
			t.parallel(len(u), func(i int) {
				err := m.store.InTx(t.ctx, func(ctx context.Context) error {
					if _, err := s.Update(ctx, g.Ref(), keep); err != nil {
						return err
					}
					now, err := m.store.Members(ctx, g.ID(), scim.Ref{}, 100)
					if err != nil {
						return err
					}
					time.Sleep(time.Millisecond)
					if len(now) >= 3 {
						return nil
					}
					_, _, err = m.store.ChangeMembers(ctx, g.ID(), u[i:i+1], nil)
					return err
				})
				if err != nil {
					t.Errorf("InTx at once: %v", err)
				}
			})
			if now, err := m.store.Members(t.ctx, g.ID(), scim.Ref{}, 100); err != nil || len(now) != 3 {
				t.Errorf("a group that takes three members has %d, error %v", len(now), err)
			}
		}},
		{"grants lock users", "In a transaction, Grants first locks the users in order of id until the transaction ends, also users without grants.", func(t *probe, s scim.Store) {
			tx := transactor(t, s)
			l := ledgerOf(t, s)
			users := []string{l.user(t), l.user(t)}
			group := l.group(t)
			const n = 12
			t.parallel(n, func(i int) {
				order := users
				if i%2 == 1 {
					order = []string{users[1], users[0]}
				}
				err := tx.InTx(t.ctx, func(ctx context.Context) error {
					have, err := l.ledger.Grants(ctx, order)
					if err != nil {
						return err
					}
					time.Sleep(time.Millisecond)
					next := scim.Grant{UserID: users[0], RoleID: fmt.Sprint("role", len(have)), Source: scim.GroupSource(group), At: instant}
					return l.ledger.Record(ctx, []scim.Grant{next}, nil)
				})
				if err != nil {
					t.Errorf("InTx at once: %v", err)
				}
			})
			got, err := l.ledger.Grants(t.ctx, users)
			if err != nil || len(got) != n {
				t.Errorf("%d entries after %d transactions that each put one beside those they saw, error %v", len(got), n, err)
			}
		}},
	}
}
