package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim"
)

// ledgerSubject is a Ledger, with the Store if the Ledger is one. Steps then create users
// and groups there first, because the tables of the ledger may refer to them.
type ledgerSubject struct {
	ledger scim.Ledger
	store  scim.Store // nil: the Ledger stands alone
}

// ledgerOf returns s as a Ledger. It skips the step if s is none.
func ledgerOf(t *probe, s scim.Store) ledgerSubject {
	l := capability[scim.Ledger](t, s, "the Store is no Ledger: scim.Roles needs one of its own, checked by RunLedger")
	return ledgerSubject{ledger: l, store: s}
}

// user returns the id of a new user.
func (l ledgerSubject) user(t *probe) string {
	id := t.meta().ID
	if l.store == nil {
		return id
	}
	return t.create(l.store, t.user(id+"@example.com", nil)).ID()
}

// group returns the id of a new group.
func (l ledgerSubject) group(t *probe) string {
	id := t.meta().ID
	if l.store == nil {
		return id
	}
	return t.create(l.store, t.group(id)).ID()
}

func (l ledgerSubject) record(t *probe, put, drop []scim.Grant) {
	if err := l.ledger.Record(t.ctx, put, drop); err != nil {
		t.Fatalf("Record of %v, dropping %v: %v", put, drop, err)
	}
}

func (l ledgerSubject) setLink(t *probe, link scim.Link) {
	if err := l.ledger.SetLink(t.ctx, link); err != nil {
		t.Fatalf("SetLink of %v: %v", link, err)
	}
}

// grants requires these grants of users, in any order.
func (l ledgerSubject) grants(t *probe, users []string, want ...scim.Grant) {
	got, err := l.ledger.Grants(t.ctx, users)
	if err != nil {
		t.Fatalf("Grants: %v", err)
	}
	less := func(a, b scim.Grant) bool {
		return strings.Join([]string{a.UserID, a.Scope, a.RoleID, string(a.Source)}, "\x00") < strings.Join([]string{b.UserID, b.Scope, b.RoleID, string(b.Source)}, "\x00")
	}
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(less), cmpopts.EquateEmpty(), cmp.Comparer(sameInstant)); diff != "" {
		t.Errorf("Grants (-want +got):\n%s", diff)
	}
}

// links requires these links of groups, in any order.
func (l ledgerSubject) links(t *probe, groups []string, want ...scim.Link) {
	got, err := l.ledger.Links(t.ctx, groupSources(groups))
	if err != nil {
		t.Fatalf("Links: %v", err)
	}
	less := func(a, b scim.Link) bool { return a.Source < b.Source }
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(less), cmpopts.EquateEmpty(), cmp.Comparer(sameInstant)); diff != "" {
		t.Errorf("Links (-want +got):\n%s", diff)
	}
}

// groupSources returns groups as sources.
func groupSources(groupIDs []string) []scim.Source {
	sources := make([]scim.Source, len(groupIDs))
	for i, id := range groupIDs {
		sources[i] = scim.GroupSource(id)
	}
	return sources
}

// instant is a time with a zone and parts of a second, which a database may lose.
var instant = time.Date(2024, 2, 29, 23, 59, 58, 765_000_000, time.FixedZone("", -8*3600))

// storeLedgerSteps are the steps of the ledger for a Store that is a Ledger.
func storeLedgerSteps() []step[scim.Store] {
	var steps []step[scim.Store]
	for _, st := range allLedgerSteps() {
		steps = append(steps, step[scim.Store]{st.Name, st.Rule, func(t *probe, s scim.Store) {
			st.Run(t, ledgerOf(t, s))
		}})
	}
	return steps
}

// allLedgerSteps are the steps of every Ledger, and those of its capabilities.
func allLedgerSteps() []step[ledgerSubject] {
	return slices.Concat(ledgerSteps(), pendingSteps(), tenantLedgerSteps())
}

func ledgerSteps() []step[ledgerSubject] {
	return []step[ledgerSubject]{
		{"users with grants", "GrantedUsers counts each user with a grant once, whatever its state.", func(t *probe, l ledgerSubject) {
			c, ok := l.ledger.(scim.GrantCounter)
			if !ok {
				t.Skipf("the Ledger is no GrantCounter: scim.Roles.Breaker needs one")
			}
			users := []string{l.user(t), l.user(t), l.user(t)}
			var all []scim.Grant
			for i, u := range users[:2] {
				for _, role := range []string{"a", "b"} {
					all = append(all, scim.Grant{UserID: u, RoleID: role, Source: scim.GroupSource("g"), At: instant, State: []scim.GrantState{scim.GrantGiven, scim.GrantWaitsForPlace}[i]})
				}
			}
			for want := range 3 {
				if got, err := c.GrantedUsers(t.ctx); err != nil || got != want {
					t.Errorf("GrantedUsers: %d, error %v, want %d", got, err, want)
				}
				if want < 2 {
					l.record(t, all[2*want:2*want+2], nil)
				}
			}
			l.record(t, nil, all[:3])
			if got, err := c.GrantedUsers(t.ctx); err != nil || got != 1 {
				t.Errorf("GrantedUsers after Record dropped grants: %d, error %v, want 1", got, err)
			}
		}},
		{"round trip", "The ledger keeps all fields of a grant, At to the millisecond.", func(t *probe, l ledgerSubject) {
			var all []scim.Grant
			user, group := l.user(t), l.group(t)
			for i := range 4 {
				all = append(all, scim.Grant{UserID: user, RoleID: fmt.Sprint("röle ", i), Source: scim.GroupSource(group),
					At: instant.Add(time.Duration(i) * time.Millisecond), ByHand: i&1 != 0, State: []scim.GrantState{scim.GrantGiven, scim.GrantRetained}[i>>1], Rank: i})
			}
			l.record(t, all, nil)
			l.grants(t, []string{user}, all...)
		}},
		{"identity", "User, scope, role and source identify a grant. Grants that differ in one of them are different grants.", func(t *probe, l ledgerSubject) {
			u, g := []string{l.user(t), l.user(t)}, []string{l.group(t), l.group(t)}
			a := scim.Grant{UserID: u[0], RoleID: "admin", Source: scim.GroupSource(g[0]), At: instant}
			b, c, d, e := a, a, a, a
			b.RoleID, c.Source, d.UserID, e.Scope = "Admin", scim.GroupSource(g[1]), u[1], "project 1"
			l.record(t, []scim.Grant{a, b, c, d, e}, nil)
			l.grants(t, u, a, b, c, d, e)
			for _, drop := range []scim.Grant{b, c, d, e} {
				l.record(t, nil, []scim.Grant{drop})
			}
			l.grants(t, u, a)
		}},
		{"replace", "Record replaces a grant with the same identity.", func(t *probe, l ledgerSubject) {
			user := l.user(t)
			e := scim.Grant{UserID: user, RoleID: "admin", Source: scim.GroupSource(l.group(t)), At: instant, State: scim.GrantWaitsForReturn}
			l.record(t, []scim.Grant{e}, nil)
			l.record(t, []scim.Grant{e}, nil)
			l.grants(t, []string{user}, e)
			e.State, e.ByHand, e.At, e.Rank = scim.GrantGiven, true, instant.Add(time.Hour), 3
			l.record(t, []scim.Grant{e}, nil)
			l.grants(t, []string{user}, e)
			e.ByHand = false
			l.record(t, []scim.Grant{e}, nil)
			l.grants(t, []string{user}, e)
		}},
		{"drop", "Record drops grants by identity alone. Dropping an unknown grant is no error. One call can put and drop.", func(t *probe, l ledgerSubject) {
			user, source := l.user(t), scim.GroupSource(l.group(t))
			a := scim.Grant{UserID: user, RoleID: "a", Source: source, At: instant, ByHand: true}
			b := scim.Grant{UserID: user, RoleID: "b", Source: source, At: instant}
			l.record(t, []scim.Grant{a}, nil)
			drop := scim.Grant{UserID: user, RoleID: "a", Source: source}
			l.record(t, []scim.Grant{b}, []scim.Grant{drop})
			l.grants(t, []string{user}, b)
			l.record(t, nil, []scim.Grant{drop})
			l.record(t, nil, nil)
			l.grants(t, []string{user}, b)
		}},
		{"named users", "Grants lists the grants of the users that it gets, and no others.", func(t *probe, l ledgerSubject) {
			source := scim.GroupSource(l.group(t))
			var all []scim.Grant
			var users []string
			for range 4 {
				users = append(users, l.user(t))
				all = append(all, scim.Grant{UserID: users[len(users)-1], RoleID: "member", Source: source, At: instant})
			}
			l.record(t, all, nil)
			l.grants(t, users[1:3], all[1:3]...)
			l.grants(t, []string{nobody})
			l.grants(t, nil)
			many := []string{users[3], users[0]}
			for len(many) < 1000 {
				many = append(many, t.meta().ID)
			}
			l.grants(t, many, all[0], all[3])
		}},
		{"at once", "Concurrent calls lose nothing and store nothing twice.", func(t *probe, l ledgerSubject) {
			user, source := l.user(t), scim.GroupSource(l.group(t))
			entry := func(role string) scim.Grant {
				return scim.Grant{UserID: user, RoleID: role, Source: source, At: instant}
			}
			want := []scim.Grant{entry("shared")}
			for i := range 20 {
				want = append(want, entry(fmt.Sprint("role", i)))
			}
			t.parallel(20, func(i int) { l.record(t, []scim.Grant{entry("shared"), want[i+1]}, nil) })
			l.grants(t, []string{user}, want...)
			t.parallel(20, func(i int) { l.record(t, nil, []scim.Grant{want[i+1]}) })
			l.grants(t, []string{user}, want[0])
		}},
		{"source", "SourceUsers and DropSource, if the ledger has them, find and delete every grant from a source, and no others.", func(t *probe, l ledgerSubject) {
			sources := capability[scim.SourceLedger](t, l.ledger, "the Ledger is no SourceLedger: entries are dropped one by one")
			users := []string{l.user(t), l.user(t)}
			gone, left := scim.GroupSource(l.group(t)), scim.GroupSource(l.group(t))
			entry := func(user int, role string, source scim.Source) scim.Grant {
				return scim.Grant{UserID: users[user], RoleID: role, Source: source, At: instant}
			}
			waiting := entry(1, "other", gone)
			waiting.State = scim.GrantWaitsForReturn
			kept := []scim.Grant{entry(0, "member", left), entry(1, "other", left)}
			l.record(t, append([]scim.Grant{entry(0, "member", gone), entry(1, "member", gone), waiting}, kept...), nil)
			slices.Sort(users)
			for _, test := range []struct {
				after string
				limit int
				want  []string
			}{{"", 1000, users}, {"", 1, users[:1]}, {users[0], 1, users[1:]}, {users[1], 1000, nil}} {
				got, err := sources.SourceUsers(t.ctx, gone, test.after, test.limit)
				if err != nil || !slices.Equal(got, test.want) {
					t.Errorf("SourceUsers behind %q, limit %d: %q, error %v, want %q", test.after, test.limit, got, err, test.want)
				}
			}
			for range 2 { // the second time there is nothing to do
				if err := sources.DropSource(t.ctx, gone); err != nil {
					t.Fatalf("DropSource: %v", err)
				}
				l.grants(t, users, kept...)
				if got, err := sources.SourceUsers(t.ctx, gone, "", 1000); err != nil || len(got) > 0 {
					t.Errorf("SourceUsers after DropSource: %q, error %v, want none", got, err)
				}
			}
		}},
		{"links", "SetLink replaces all fields of a group's link. A link without Roles deletes it.", func(t *probe, l ledgerSubject) {
			g := []string{l.group(t), l.group(t), l.group(t)}
			a := scim.Link{Source: scim.GroupSource(g[0]), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r-1", Name: "Rôle 1", Weight: 1 << 30, Protected: true}}}}
			b := scim.Link{Source: scim.GroupSource(g[1]), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r-1", Name: "Rôle 1", Weight: -5}, Confirmed: true}}}
			l.setLink(t, a)
			l.setLink(t, b)
			l.links(t, g, a, b)
			l.links(t, g[1:], b)
			l.links(t, []string{nobody})
			l.links(t, nil)
			a.Name, a.At, a.Roles = "Röles", instant, append(slices.Clone(a.Roles), scim.LinkedRole{Role: scim.Role{ID: "r-1", Scope: "project 1"}, Declined: true, Newer: true})
			l.setLink(t, a)
			l.links(t, g, a, b)
			a.Roles = []scim.LinkedRole{{Role: scim.Role{ID: "r-2"}, Confirmed: true}}
			l.setLink(t, a)
			l.links(t, g, a, b)
			l.setLink(t, scim.Link{Source: scim.GroupSource(g[0])})
			l.setLink(t, scim.Link{Source: scim.GroupSource(g[2])})
			l.links(t, g, b)
		}},
	}
}
